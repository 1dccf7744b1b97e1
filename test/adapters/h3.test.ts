// What is special about h3: two lists of headers, middleware that is skipped when it gives nothing, requests that change.

import {
  H3,
  HTTPError,
  HTTPResponse,
  defineHandler,
  defineMiddleware,
  defineValidatedHandler,
  handleCacheHeaders,
  html,
  noContent,
  readBody,
  readFormData,
  redirect,
  serveStatic,
  setCookie,
  toMiddleware,
  withBase,
  withCacheIsolation,
} from 'h3'
import type { EventHandler, H3Config, H3Event } from 'h3'
import { toNodeHandler } from 'h3/node'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { h3Auth } from '../../src/adapters/h3.ts'
import { AuthError } from '../../src/index.ts'
import type { AuthOptions } from '../../src/index.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { cookieHeader, cookiesOf, createClock, setup } from '../_setup.ts'
import { listen } from './_node.ts'

const names = ['access_token_cookie', 'csrf_access_token', 'csrf_refresh_token', 'refresh_token_cookie']
const tooLate = 'TypeError: Cookies cannot be set any more: the headers of this response have gone'

// h3 writes every error that it does not know to the console.
beforeEach(() => void vi.spyOn(console, 'error').mockReturnValue())
afterEach(() => void vi.restoreAllMocks())

async function h3Setup(options: AuthOptions = {}, config: H3Config = {}) {
  const { auth } = setup(options)
  const access = await auth.createAccessToken('ada')
  const refresh = await auth.createRefreshToken('ada')
  const csrf = auth.getUnverifiedJwtClaims(refresh)['csrf'] as string
  return {
    auth,
    access,
    app: new H3(config),
    ...h3Auth(auth),
    headers: {
      cookie: cookieHeader({ access_token_cookie: access, refresh_token_cookie: refresh }),
      'x-csrf-token': csrf,
    },
  }
}

function setNames(response: Response): string[] {
  return Object.keys(cookiesOf(response)).toSorted()
}

async function codeIn(response: Response): Promise<unknown> {
  return ((await response.json()) as { code?: unknown }).code
}

const post = { method: 'POST' }

describe('cookies', () => {
  const cached = { 'set-cookie': 'own=1', 'cache-control': 'public' }

  describe.each([true, false])('with authErrors: %s', (isMounted) => {
    test.each<[string, EventHandler, number, string, string[]]>([
      ['a text', () => 'text', 200, 'text', []],
      ['an object', () => ({ a: 1 }), 200, '{"a":1}', []],
      ['bytes', () => Buffer.from('bytes'), 200, 'bytes', []],
      ['nothing', () => null, 200, '', []],
      ['noContent()', () => noContent(), 204, '', []],
      ['html()', () => html('html'), 200, 'html', []],
      ['redirect()', () => redirect('/home', 303), 303, expect.stringContaining('/home') as string, []],
      [
        'a HTTPResponse',
        () => new HTTPResponse('own', { status: 201, headers: cached }),
        201,
        'own',
        ['own'],
      ],
      ['a Response', () => new Response('raw', { headers: cached }), 200, 'raw', ['own']],
      ['a Response that cannot be changed', () => Response.redirect('https://app.example/'), 302, '', []],
      [
        'a Response of an error',
        () => new Response('raw', { status: 404, headers: cached }),
        404,
        'raw',
        ['own'],
      ],
      ['a stream', () => new Response('a stream').body, 200, 'a stream', []],
      [
        'a status of an error',
        (event) => {
          event.res.status = 409
          return 'conflict'
        },
        409,
        'conflict',
        [],
      ],
      [
        'a HTTPError',
        () => {
          throw new HTTPError('teapot', { status: 418 })
        },
        418,
        expect.stringContaining('teapot') as string,
        [],
      ],
      ['a number that is thrown', () => Promise.reject(404), 404, expect.any(String) as string, []],
    ])('get onto %s, and those of the middleware before stay', async (_name, answer, status, text, own) => {
      const { app, authErrors, authorize } = await h3Setup()
      app.use(({ res }) => {
        for (const headers of [res.headers, res.errHeaders]) headers.append('set-cookie', 'theme=dark')
      })
      if (isMounted) app.use(authErrors)
      app.post('/', async (event) => {
        await authorize(event).login('ada')
        return answer(event)
      })
      const response = await app.request('/', post)
      expect([response.status, await response.text()]).toEqual([status, text])
      expect(setNames(response)).toEqual([...names, 'theme', ...own].toSorted())
      expect(response.headers.getSetCookie()).toHaveLength(5 + own.length)
      expect(response.headers.get('cache-control')).toBe('no-store')
    })
  })

  test('stay beside those that setCookie sets after them', async () => {
    const { app, authorize } = await h3Setup()
    app.post('/', async (event) => {
      await authorize(event).login('ada')
      setCookie(event, 'own', '1')
      return 'in'
    })
    expect(setNames(await app.request('/', post))).toEqual([...names, 'own'].toSorted())
  })

  test('of a middleware get onto a handler that is kept from caches of others', async () => {
    const { app, authorize } = await h3Setup()
    const isolated = withCacheIsolation((event: H3Event) => {
      handleCacheHeaders(event, { maxAge: 60 })
      return 'shared'
    })
    app.use(async (event) => void (await authorize(event).login('ada')))
    app.post('/', isolated)
    const response = await app.request('/', post)
    expect([await response.text(), ...setNames(response)]).toEqual(['shared', ...names])
    expect(response.headers.get('cache-control')).toBe('no-store')
  })

  test('of a middleware get onto static files', async () => {
    const { app, authorize } = await h3Setup()
    app.use(async (event) => {
      await authorize(event).setAccessCookies(await authorize(event).createAccessToken('ada'))
    })
    app.get('/**', (event) =>
      serveStatic(event, { getContents: () => 'file', getMeta: () => ({ size: 4, etag: '"1"' }) }),
    )
    for (const [headers, status] of [
      [{}, 200],
      [{ 'if-none-match': '"1"' }, 304],
    ] as const) {
      const response = await app.request('/file.txt', { headers })
      expect([response.status, ...setNames(response)]).toEqual([
        status,
        'access_token_cookie',
        'csrf_access_token',
      ])
    }
  })

  /** An answer whose second part signs in, and how that ended. */
  function late(signIn: () => Promise<unknown>) {
    const noted: unknown[] = []
    const body = new ReadableStream(
      {
        async pull(controller) {
          await signIn().then(
            () => noted.push('passed'),
            (error: unknown) => noted.push(String(error)),
          )
          controller.enqueue(new TextEncoder().encode('late'))
          controller.close()
        },
      },
      { highWaterMark: 0 },
    )
    return { body, noted }
  }

  test.each(['authErrors', 'jwtOptional', 'a call'] as const)(
    'that come after h3 has made its answer are a TypeError on every runtime, bound by %s',
    async (kind) => {
      const { app, authErrors, authorize, jwtOptional } = await h3Setup()
      let noted: unknown[] = []
      if (kind !== 'a call') app.use(kind === 'authErrors' ? authErrors : jwtOptional())
      app.post('/', (event) => {
        if (kind === 'a call') authorize(event)
        const answer = late(async () => authorize(event).login('ada'))
        noted = answer.noted
        return answer.body
      })
      const response = await app.request('/', post)
      expect(await response.text()).toBe('late')
      expect([noted, response.headers.getSetCookie()]).toEqual([[tooLate], []])
    },
  )

  test('that come after the headers have gone are a TypeError on Node, though nothing was bound before', async () => {
    const { app, authorize } = await h3Setup()
    let noted: unknown[] = []
    app.post('/', (event) => {
      const answer = late(async () => authorize(event).login('ada'))
      noted = answer.noted
      return answer.body
    })
    const server = await listen(toNodeHandler(app))
    const response = await fetch(server.origin, post)
    expect(await response.text()).toBe('late')
    expect(noted).toEqual([tooLate])
    await server.close()
  })

  test('can be set on the event, on what it prepares and on a Response, given by hand', async () => {
    const { access, app, authorize } = await h3Setup()
    app.get('/', async (event) => {
      const own = new Response('own')
      for (const response of [event, event.res, own]) {
        await authorize(event).setAccessCookies(access, { response })
      }
      return own
    })
    expect((await app.request('/')).headers.getSetCookie()).toHaveLength(6)
  })

  test.each([[{}], [null], ['response'], [new HTTPResponse('')]])(
    'given %o to be set on are a TypeError',
    async (response) => {
      const errors: unknown[] = []
      const onError = (error: HTTPError): void => void errors.push(String(error.cause))
      const { access, app, authorize } = await h3Setup({}, { onError })
      app.get('/', async (event) =>
        authorize(event).setAccessCookies(access, { response: response as object }),
      )
      expect((await app.request('/')).status).toBe(500)
      expect(errors).toEqual([expect.stringMatching(/^TypeError: response must be a Response/)])
    },
  )
})

describe("an app's own onError", () => {
  test('gets what is no refusal, and is not asked about refusals with authErrors', async () => {
    const seen: unknown[] = []
    const onError = (error: HTTPError): Response => {
      seen.push(String(error.cause))
      return new Response('mine', { status: 500 })
    }
    const { app, authErrors, authorize, jwtRequired } = await h3Setup({}, { onError })
    app.use(authErrors)
    app.get('/refused', async (event) => authorize(event).jwtRequired())
    app.get('/guarded', () => 'in', { middleware: [jwtRequired()] })
    app.get('/fault', () => {
      throw new RangeError('mine')
    })
    for (const path of ['/refused', '/guarded']) {
      expect(await codeIn(await app.request(path))).toBe('token_missing')
    }
    expect(seen).toEqual([])
    expect(await (await app.request('/fault')).text()).toBe('mine')
    expect(seen).toEqual(['RangeError: mine'])
  })

  // h3 puts no prepared headers on a Response that onError makes.
  test('that answers with a Response loses the cookies of a refused refresh, but for authErrors', async () => {
    const onError = (error: HTTPError): Response => {
      expect(AuthError.is(error.cause, 'token_revoked')).toBe(true)
      return new Response('mine', { status: 500 })
    }
    for (const isMounted of [false, true]) {
      const { app, authErrors, authorize, headers } = await h3Setup({ denylist: () => true }, { onError })
      if (isMounted) app.use(authErrors)
      app.post('/', async (event) => authorize(event).refresh())
      const response = await app.request('/', { ...post, headers })
      expect(response.status).toBe(isMounted ? 401 : 500)
      expect(response.headers.getSetCookie()).toHaveLength(isMounted ? 4 : 0)
    }
  })

  test('is not needed for status, challenge and cookies, only the body is hidden without authErrors', async () => {
    const { app, authorize, headers } = await h3Setup({ denylist: () => true })
    app.post('/', async (event) => authorize(event).refresh())
    const response = await app.request('/', { ...post, headers })
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toMatch(/^Bearer error="invalid_token"/)
    expect(response.headers.getSetCookie()).toHaveLength(4)
    expect(await response.json()).toEqual({ status: 401, unhandled: true, message: 'HTTPError' })
  })
})

describe('a guard', () => {
  type Mount = (
    app: H3,
    guard: ReturnType<ReturnType<typeof h3Auth>['jwtRequired']>,
    handler: EventHandler,
  ) => void

  const mounts: Record<string, Mount> = {
    'middleware of the app': (app, guard, handler) => void app.use(guard).get('/api/who', handler),
    'middleware of a path': (app, guard, handler) => void app.use('/api/**', guard).get('/api/who', handler),
    'middleware of a method': (app, guard, handler) =>
      void app.use(guard, { method: 'GET' }).get('/api/who', handler),
    'middleware of a route': (app, guard, handler) =>
      void app.get('/api/who', handler, { middleware: [guard] }),
    'middleware of a handler': (app, guard, handler) =>
      void app.get('/api/who', defineHandler({ middleware: [guard], handler })),
    'a middleware file of Nitro': (app, guard, handler) =>
      void app.use(toMiddleware(defineMiddleware(guard))).get('/api/who', handler),
    'middleware of an app within': (app, guard, handler) =>
      void app.mount('/api', new H3().use(guard).get('/who', handler)),
    'middleware around an app within': (app, guard, handler) =>
      void app.use(guard).mount('/api', new H3().get('/who', handler)),
    'middleware of an app by fetch': (app, guard, handler) =>
      void app.mount('/api', new H3().use(guard).get('/who', handler).fetch),
    'middleware of a base': (app, guard, handler) =>
      void app.get('/api/**', withBase('/api', new H3().use(guard).get('/who', handler))),
  }

  // With 404, which h3 takes for "go on" where it thinks that it may.
  test.each(Object.entries(mounts))(
    'as %s passes, and refuses without the handler, even by 404',
    async (_name, mount) => {
      for (const status of [401, 404]) {
        const { app, authorize, headers, jwtRequired } = await h3Setup({
          statusCodes: { token_missing: status },
        })
        let runs = 0
        mount(app, jwtRequired(), (event) => ({ user: authorize(event).subject(), runs: ++runs }))
        const refused = await app.request('/api/who')
        expect([refused.status, await codeIn(refused), runs]).toEqual([status, 'token_missing', 0])
        expect(await (await app.request('/api/who', { headers })).json()).toEqual({ user: 'ada', runs: 1 })
      }
    },
  )

  test.each(Object.entries(mounts))('as %s that has to wait does so', async (_name, mount) => {
    let isRevoked = true
    const { app, headers, jwtRequired } = await h3Setup({ denylist: async () => isRevoked })
    mount(app, jwtRequired(), () => 'in')
    expect(await codeIn(await app.request('/api/who', { headers }))).toBe('token_revoked')
    isRevoked = false
    expect(await (await app.request('/api/who', { headers })).text()).toBe('in')
  })

  test('lets a handler that gives nothing run once, and an address that is not there be a 404', async () => {
    const { app, authErrors, headers, jwtRequired } = await h3Setup()
    let runs = 0
    app.use(authErrors).use(jwtRequired())
    app.get('/nothing', () => {
      runs++
    })
    expect((await app.request('/nothing', { headers })).status).toBe(200)
    expect(runs).toBe(1)
    expect((await app.request('/elsewhere', { headers })).status).toBe(404)
  })

  test('stands before static files', async () => {
    const { app, headers, jwtRequired } = await h3Setup()
    app.use(jwtRequired())
    app.use((event) => serveStatic(event, { getContents: () => 'file', getMeta: () => ({ size: 4 }) }))
    expect(await codeIn(await app.request('/file.txt'))).toBe('token_missing')
    expect(await (await app.request('/file.txt', { headers })).text()).toBe('file')
  })

  test('in an app within deletes planted cookies at the paths that the client sees', async () => {
    const { access, app, jwtRequired } = await h3Setup()
    app.mount('/api', new H3().use(jwtRequired()))
    const cookie = `access_token_cookie=planted; access_token_cookie=${access}`
    const response = await app.request('/api/who', { headers: { cookie } })
    const paths = response.headers.getSetCookie().map((line) => /; Path=([^;]+)/.exec(line)?.[1])
    expect([...new Set(paths)]).toEqual(['/', '/api', '/api/', '/api/who'])
  })

  test('of another Auth sees the event with its own eyes', async () => {
    const { app, headers, jwtRequired } = await h3Setup()
    const other = await h3Setup({ accessCookieKey: 'other' })
    app.use(jwtRequired()).use(other.jwtRequired())
    expect(await (await app.request('/', { headers })).json()).toMatchObject({
      detail: 'Missing cookie other',
    })
  })

  test.each([[{}], [{ node: {}, context: {}, headers: new Headers() }], [{ req: { method: 'GET' } }]])(
    'takes events of h3 alone: %o is a TypeError',
    async (event) => {
      const { authorize, jwtRequired } = await h3Setup()
      const message = 'h3Auth() takes events of h3: of h3 2 with a Request, of h3 1 with those of Node'
      await expect(jwtRequired()(event as never, () => 'in')).rejects.toThrow(new TypeError(message))
      await expect(authorize(event as never).login('ada')).rejects.toThrow(TypeError)
    },
  )
})

describe('a body', () => {
  const body = async (access: string) => ({ access_token: access, note: 'å' })
  const json = { 'content-type': 'application/json' }

  test.each<[string, EventHandler]>([
    ['event.req.json()', async (event) => event.req.json()],
    ['readBody()', async (event) => readBody(event)],
    ['event.req.text()', async (event) => JSON.parse(await event.req.text()) as unknown],
  ])('that a guard has searched is whole for %s, on Node and elsewhere', async (_name, handler) => {
    const { access, app, jwtRequired } = await h3Setup({ tokenLocation: ['json'] })
    app.post('/', handler, { middleware: [jwtRequired()] })
    const server = await listen(toNodeHandler(app))
    const init = { ...post, headers: json, body: JSON.stringify(await body(access)) }
    for (const response of [await app.request('/', init), await fetch(server.origin, init)]) {
      expect(await response.json()).toEqual(await body(access))
    }
    await server.close()
  })

  test('that is a form is whole for readFormData() behind a guard that took the CSRF value from it', async () => {
    const { access, app, auth, headers, jwtRequired } = await h3Setup({ csrfCheckForm: true })
    app.post('/', async (event) => Object.fromEntries(await readFormData(event)), {
      middleware: [jwtRequired()],
    })
    const form = new FormData()
    form.set('csrf_token', auth.getUnverifiedJwtClaims(access)['csrf'] as string)
    form.set('note', 'å')
    const response = await app.request('/', { ...post, headers: { cookie: headers.cookie }, body: form })
    expect(await response.json()).toMatchObject({ note: 'å' })
  })

  test('that h3 validates is validated behind a guard that has searched it', async () => {
    const { access, app, authorize, jwtRequired } = await h3Setup({ tokenLocation: ['json'] })
    const validated = defineValidatedHandler({
      middleware: [jwtRequired()],
      validate: { body: z.object({ note: z.string() }) },
      handler: async (event) => ({ ...(await event.req.json()), user: authorize(event).subject() }),
    })
    app.post('/', validated)
    const ask = async (content: object) =>
      app.request('/', { ...post, headers: json, body: JSON.stringify(content) })
    expect(await (await ask(await body(access))).json()).toEqual({ note: 'å', user: 'ada' })
    expect((await ask({ access_token: access })).status).toBe(400)
  })

  test('that was read before the guard is a TypeError that says so', async () => {
    const errors: unknown[] = []
    const onError = (error: HTTPError): void => void errors.push(String(error.cause))
    const { access, app, jwtRequired } = await h3Setup({ tokenLocation: ['json'] }, { onError })
    app.use(async (event) => void (await event.req.text()))
    app.use(jwtRequired())
    const init = { ...post, headers: json, body: JSON.stringify(await body(access)) }
    const server = await listen(toNodeHandler(app))
    expect((await app.request('/', init)).status).toBe(500)
    expect((await fetch(server.origin, init)).status).toBe(500)
    const message = 'TypeError: The body was read before the guard: put the guard first'
    expect(errors).toEqual([message, message])
    await server.close()
  })
})

test('clientAddress is given the event', async () => {
  const clock = createClock()
  const { app, auth, authorize } = await h3Setup({
    clock,
    store: memoryStore({ clock }),
    clientAddress: (event: H3Event) => `192.0.2.7 ${event.url.pathname}`,
  })
  app.post('/login', async (event) => authorize(event).login('ada'))
  await app.request('/login', post)
  expect((await auth.sessions.list('ada')).map(({ address }) => address)).toEqual(['192.0.2.7 /login'])
  await auth.close()
})
