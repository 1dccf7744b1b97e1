// What is special about Koa: its error handler, bodies that are a Response, rewritten addresses, taken-over responses.

import { once } from 'node:events'
import { connect, createServer as createHttp2Server } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { PassThrough, Readable } from 'node:stream'
import Router from '@koa/router'
import express from 'express'
import Koa3 from 'koa'
import type { Middleware } from 'koa'
import Koa2 from 'koa2'
import { afterEach, describe, expect, test } from 'vitest'
import { koaAuth } from '../../src/adapters/koa.ts'
import { AuthError } from '../../src/index.ts'
import type { AuthOptions } from '../../src/index.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import type { RunningApp } from '../../src/testing.ts'
import { cookieHeader, cookiesOf, createClock, setup } from '../_setup.ts'
import { listen } from './_node.ts'

const names = ['access_token_cookie', 'csrf_access_token', 'csrf_refresh_token', 'refresh_token_cookie']
const tooLate = 'TypeError: Cookies cannot be set any more: the headers of this response have gone'

const running: RunningApp[] = []

afterEach(async () => {
  await Promise.all(running.splice(0).map(async (app) => app.close()))
})

async function open(app: { callback(): Parameters<typeof listen>[0] }): Promise<string> {
  const server = await listen(app.callback())
  running.push(server)
  return server.origin
}

async function koaSetup(options: AuthOptions = {}) {
  const { auth } = setup(options)
  const access = await auth.createAccessToken('ada')
  const refresh = await auth.createRefreshToken('ada')
  const csrf = auth.getUnverifiedJwtClaims(refresh)['csrf'] as string
  return {
    auth,
    access,
    ...koaAuth(auth),
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

/** A middleware of others, before ours. */
const theme: Middleware = async (context, next) => {
  context.append('set-cookie', 'theme=dark')
  context.set('x-own', '1')
  await next()
}

describe.each([
  ['3', Koa3],
  ['2', Koa2 as unknown as typeof Koa3],
])('Koa %s', (_version, Koa) => {
  /** An app that notes what reaches its error event instead of writing it to the console. */
  function create(...steps: Middleware[]) {
    const app = new Koa()
    const errors: unknown[] = []
    app.on('error', (error: unknown) => errors.push(error))
    for (const step of steps) app.use(step)
    return { app, errors }
  }

  describe('authErrors', () => {
    test('passes on what is no refusal', async () => {
      const { authErrors } = await koaSetup()
      const { app, errors } = create(authErrors, () => {
        throw new RangeError('mine')
      })
      const response = await fetch(await open(app))
      expect([response.status, await response.text()]).toEqual([500, 'Internal Server Error'])
      expect(errors.map(String)).toEqual(['RangeError: mine'])
    })

    test('keeps what others have set, and the cookies that a refused refresh deletes', async () => {
      const { authErrors, authorize, headers } = await koaSetup({ denylist: () => true })
      const { app, errors } = create(theme, authErrors, async (context) => {
        context.append('set-cookie', 'own=1')
        context.body = Readable.from(['half'])
        await authorize(context).refresh()
      })
      const response = await fetch(await open(app), { method: 'POST', headers })
      expect([response.status, response.statusText]).toEqual([401, 'Unauthorized'])
      expect([response.headers.get('x-own'), response.headers.get('content-type')]).toEqual([
        '1',
        'application/problem+json',
      ])
      expect(setNames(response)).toEqual(['own', 'theme'])
      expect(response.headers.getSetCookie()).toHaveLength(6)
      expect(await codeIn(response)).toBe('token_revoked')
      expect(errors).toEqual([])
    })

    // Koa takes all headers off before it answers an error.
    test('is why a refusal has its cookies: without it, status and challenge are all that is left', async () => {
      const { authorize, headers } = await koaSetup({ denylist: () => true })
      const { app } = create(theme, async (context) => void (await authorize(context).refresh()))
      const response = await fetch(await open(app), { method: 'POST', headers })
      expect([response.status, response.headers.get('content-type')]).toEqual([
        401,
        'text/plain; charset=utf-8',
      ])
      expect(response.headers.get('www-authenticate')).toMatch(/^Bearer error="invalid_token"/)
      expect(response.headers.get('cache-control')).toBe('no-store')
      expect(response.headers.getSetCookie()).toEqual([])
    })

    test('passes on a refusal that comes after the headers, and the process lives', async () => {
      const { authErrors, authorize } = await koaSetup()
      const { app } = create(authErrors, async (context) => {
        context.respond = false
        context.res.write('half')
        await authorize(context).jwtRequired()
      })
      const seen: unknown[] = []
      app.on('error', (error: unknown, context: { readonly res: { end(text: string): void } }) => {
        seen.push(error)
        context.res.end(' whole')
      })
      expect(await (await fetch(await open(app))).text()).toBe('half whole')
      expect(AuthError.is(seen[0], 'token_missing')).toBe(true)
    })

    test('answers a handler that took the response over and was refused before it sent anything', async () => {
      const { authErrors, authorize } = await koaSetup()
      const { app } = create(authErrors, async (context) => {
        context.respond = false
        await authorize(context).jwtRequired()
      })
      const response = await fetch(await open(app), { signal: AbortSignal.timeout(2000) })
      expect([response.status, await codeIn(response)]).toEqual([401, 'token_missing'])
    })

    test('leaves refusals to a middleware of the user that answers them before', async () => {
      const { authErrors, authorize } = await koaSetup()
      const mine: Middleware = async (context, next) => {
        try {
          await next()
        } catch (error) {
          context.status = 418
          context.body = { mine: (error as AuthError).code }
        }
      }
      const { app } = create(authErrors, mine, async (context) => {
        await authorize(context).jwtRequired()
      })
      const response = await fetch(await open(app))
      expect([response.status, await response.json()]).toEqual([418, { mine: 'token_missing' }])
    })
  })

  describe('a guard', () => {
    test('answers by itself, runs nothing behind it, and hands the answer to the middleware before it', async () => {
      const { jwtRequired } = await koaSetup()
      let runs = 0
      const seen: unknown[] = []
      const outer: Middleware = async (context, next) => {
        await next()
        seen.push(context.status, typeof context.body)
      }
      const { app, errors } = create(theme, outer, jwtRequired(), (context) => {
        context.body = String(++runs)
      })
      const response = await fetch(await open(app))
      expect([response.headers.get('x-own'), ...setNames(response)]).toEqual(['1', 'theme'])
      expect(await codeIn(response)).toBe('token_missing')
      expect([runs, errors, seen]).toEqual([0, [], [401, 'string']])
    })

    test('after the headers runs nothing behind it, and tells the error event', async () => {
      const { jwtRequired } = await koaSetup()
      let runs = 0
      const { app, errors } = create(
        (context, next) => {
          context.respond = false
          context.res.write('half')
          context.app.once('error', () => context.res.end())
          return next()
        },
        jwtRequired(),
        () => void runs++,
      )
      expect(await (await fetch(await open(app))).text()).toBe('half')
      expect([runs, AuthError.is(errors[0], 'token_missing')]).toEqual([0, true])
    })

    test('on a router sees the address as the client wrote it, and one identity', async () => {
      const { authorize, access, jwtRequired } = await koaSetup({ tokenLocation: ['query'] })
      const router = new Router({ prefix: '/api' })
      router.use(jwtRequired())
      router.get('/who/:id', jwtRequired(), (context) => {
        context.body = { user: authorize(context).subject(), id: context.params['id'] }
      })
      const origin = await open(create().app.use(router.routes()))
      expect(await (await fetch(`${origin}/api/who/7?jwt=${access}`)).json()).toEqual({
        user: 'ada',
        id: '7',
      })
      expect((await fetch(`${origin}/api/who/7`)).status).toBe(401)
    })

    const planted = (access: string) => ({
      headers: { cookie: `access_token_cookie=planted; access_token_cookie=${access}` },
    })
    const pathsIn = (response: Response) => [
      ...new Set(response.headers.getSetCookie().map((line) => /; Path=([^;]+)/.exec(line)?.[1])),
    ]

    test('deletes planted cookies at the paths that the client sees, however the address was rewritten', async () => {
      const { access, jwtRequired } = await koaSetup()
      // What koa-mount does.
      const mount: Middleware = async (context, next) => {
        context.path = context.path.slice('/api'.length)
        await next()
      }
      const { app } = create(mount, jwtRequired())
      const response = await fetch(`${await open(app)}/api/who`, planted(access))
      expect(pathsIn(response)).toEqual(['/', '/api', '/api/', '/api/who'])
    })

    test('does so within an Express app too', async () => {
      const { access, jwtRequired } = await koaSetup()
      const outer = express().use('/api', create(jwtRequired()).app.callback())
      const response = await fetch(`${await open({ callback: () => outer })}/api/who`, planted(access))
      expect(pathsIn(response)).toEqual(['/', '/api', '/api/', '/api/who'])
    })

    test('that needs a body which nobody has parsed is a TypeError that names the parser', async () => {
      const { jwtRequired } = await koaSetup({ tokenLocation: ['json'] })
      const { app, errors } = create(jwtRequired())
      const headers = { 'content-type': 'application/json' }
      const response = await fetch(await open(app), { method: 'POST', headers, body: '{}' })
      expect(response.status).toBe(500)
      expect(errors.map(String)).toEqual([
        expect.stringMatching(/^TypeError: .* mount a JSON parser before the guard$/),
      ])
    })

    test.each([[undefined], [null], ['text'], [{}]])(
      'takes the parsed body %j as one without a token',
      async (body) => {
        const { jwtRequired } = await koaSetup({ tokenLocation: ['json'] })
        const parser: Middleware = async (context, next) => {
          Object.assign(context.request, { body })
          await next()
        }
        const headers = { 'content-type': 'application/json' }
        const { app } = create(parser, jwtRequired())
        const response = await fetch(await open(app), { method: 'POST', headers, body: '{}' })
        expect(await codeIn(response)).toBe('token_missing')
      },
    )

    // The types of Koa's context have room for anything, so the compiler lets this pass.
    test('that was mounted without a call is a TypeError, and no open door', async () => {
      const { headers, jwtRequired } = await koaSetup()
      let runs = 0
      const { app, errors } = create(jwtRequired as unknown as Middleware, () => void runs++)
      expect((await fetch(await open(app), { headers })).status).toBe(500)
      expect([errors.map(String), runs]).toEqual([[expect.stringMatching(/^TypeError: /)], 0])
    })

    test('of another Auth sees the request with its own eyes', async () => {
      const { jwtRequired, headers } = await koaSetup()
      const other = await koaSetup({ accessCookieKey: 'other' })
      const { app } = create(jwtRequired(), other.jwtRequired())
      const response = await fetch(await open(app), { headers })
      expect(await response.json()).toMatchObject({ detail: 'Missing cookie other' })
    })
  })

  describe('cookies', () => {
    test.each<[string, Middleware, number, string]>([
      ['text', (context) => void (context.body = 'text'), 200, 'text'],
      ['bytes', (context) => void (context.body = Buffer.from('bytes')), 200, 'bytes'],
      ['a stream', (context) => void (context.body = Readable.from(['a ', 'stream'])), 200, 'a stream'],
      ['JSON', (context) => void (context.body = { a: 1 }), 200, '{"a":1}'],
      ['nothing', (context) => void (context.body = null), 204, ''],
      ['no answer at all', () => undefined, 404, 'Not Found'],
      ['a redirect', (context) => context.redirect('/home'), 302, 'Redirecting to /home.'],
    ])('get onto %s, and those of the middleware before stay', async (_name, answer, status, text) => {
      const { authorize } = await koaSetup()
      const { app } = create(theme, async (context, next) => {
        await authorize(context).login('ada')
        await answer(context, next)
      })
      const response = await fetch(await open(app), { method: 'POST', redirect: 'manual' })
      expect([response.status, await response.text()]).toEqual([status, text])
      expect(setNames(response)).toEqual([...names, 'theme'].toSorted())
      expect(response.headers.getSetCookie()).toHaveLength(5)
      expect(response.headers.get('cache-control')).toBe('no-store')
    })

    test('get onto a stream that was given as the body, as long as nothing has gone', async () => {
      const { authorize } = await koaSetup()
      const { app } = create(async (context) => {
        const stream = new PassThrough()
        context.body = stream
        await authorize(context).login('ada')
        stream.end('late')
      })
      const response = await fetch(await open(app), { method: 'POST' })
      expect([await response.text(), ...setNames(response)]).toEqual(['late', ...names])
    })

    test('on a response whose headers have gone are a TypeError', async () => {
      const { authorize } = await koaSetup()
      const { app, errors } = create(async (context) => {
        context.respond = false
        context.res.end('own')
        await authorize(context).login('ada')
      })
      expect(await (await fetch(await open(app), { method: 'POST' })).text()).toBe('own')
      expect(errors.map(String)).toEqual([tooLate])
    })

    test('that something has overwritten are put back, and stored by nobody', async () => {
      const { authErrors, authorize } = await koaSetup()
      const { app } = create(authErrors, async (context) => {
        await authorize(context).login('ada')
        context.set({ 'set-cookie': 'own=1', 'cache-control': 'public' })
        context.body = 'in'
      })
      const response = await fetch(await open(app), { method: 'POST' })
      expect(setNames(response)).toEqual([...names, 'own'].toSorted())
      expect(response.headers.get('cache-control')).toBe('no-store')
    })

    test('leave a Cache-Control alone that the handler has set after them', async () => {
      const { authErrors, authorize } = await koaSetup()
      const { app } = create(authErrors, async (context) => {
        await authorize(context).login('ada')
        context.set('cache-control', 'private, no-cache')
        context.body = 'in'
      })
      const response = await fetch(await open(app), { method: 'POST' })
      expect([response.headers.get('cache-control'), ...setNames(response)]).toEqual([
        'private, no-cache',
        ...names,
      ])
    })

    test('that a handler took off before it sent the answer itself disturb nobody afterwards', async () => {
      const { authErrors, authorize } = await koaSetup()
      const { app, errors } = create(authErrors, async (context) => {
        await authorize(context).login('ada')
        context.respond = false
        context.remove('set-cookie')
        context.res.end('own')
      })
      const response = await fetch(await open(app), { method: 'POST' })
      expect([await response.text(), setNames(response), errors]).toEqual(['own', [], []])
    })

    test('can be set on the context, on its response and on that of Node, given by hand', async () => {
      const { authorize, access } = await koaSetup()
      const { app } = create(async (context) => {
        for (const response of [context, context.response, context.res]) {
          await authorize(context).setAccessCookies(access, { response })
        }
        context.body = 'set'
      })
      const response = await fetch(await open(app))
      expect(response.headers.getSetCookie()).toHaveLength(6)
    })

    test.each([[{}], [null], ['response'], [{ res: null }], [{ res: {} }]])(
      'given %o to be set on are a TypeError',
      async (response) => {
        const { authorize, access } = await koaSetup()
        const { app, errors } = create(async (context) => {
          await authorize(context).setAccessCookies(access, { response: response as object })
        })
        expect((await fetch(await open(app))).status).toBe(500)
        expect(errors.map(String)).toEqual([expect.stringMatching(/^TypeError: response must be a Response/)])
      },
    )
  })

  test('clientAddress is given the context', async () => {
    const clock = createClock()
    const { authorize, auth } = await koaSetup({
      clock,
      store: memoryStore({ clock }),
      clientAddress: (context: Koa3.Context) => `${context.ip} ${context.path}`,
    })
    const { app } = create(async (context) => {
      await authorize(context).login('ada')
      context.body = 'in'
    })
    await fetch(`${await open(app)}/login`, { method: 'POST' })
    const [session] = await auth.sessions.list('ada')
    expect(session?.address).toMatch(/127\.0\.0\.1 \/login$/)
    await auth.close()
  })

  test('serves HTTP/2 as it serves HTTP/1.1', async () => {
    const { authErrors, authorize, jwtRequired, headers } = await koaSetup()
    const router = new Router()
    router.post('/login', async (context) => {
      await authorize(context).login('ada')
      context.body = 'in'
    })
    router.get('/who', jwtRequired(), (context) => {
      context.body = authorize(context).subject()
    })
    const { app } = create(authErrors)
    app.use(router.routes())
    const server = createHttp2Server(app.callback()).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    const ask = async (fields: Record<string, string>) => {
      const stream = client.request(fields)
      const [answer] = (await once(stream, 'response')) as [Record<string, unknown>]
      let text = ''
      for await (const chunk of stream.setEncoding('utf8')) text += String(chunk)
      return { status: answer[':status'], cookies: answer['set-cookie'], text }
    }
    const signedIn = await ask({
      ':method': 'POST',
      ':path': '/login',
      origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    })
    expect([signedIn.status, signedIn.cookies]).toEqual([200, expect.objectContaining({ length: 4 })])
    expect(await ask({ ':path': '/who', cookie: headers.cookie })).toMatchObject({ status: 200, text: 'ada' })
    const refused = await ask({ ':path': '/who' })
    expect([refused.status, JSON.parse(refused.text)]).toMatchObject([401, { code: 'token_missing' }])
    client.close()
    server.close()
  })
})

describe('a body that is a Response, on Koa 3', () => {
  const raw: Record<string, () => Response> = {
    'with a cookie of its own': () =>
      new Response('raw', { headers: { 'set-cookie': 'own=1', 'x-raw': '1' } }),
    'that may be cached': () => new Response('raw', { headers: { 'cache-control': 'public', 'x-raw': '1' } }),
  }
  const own: Record<string, string[]> = { 'with a cookie of its own': ['own'] }

  describe.each(Object.entries(raw))('%s', (name, make) => {
    test.each(['authErrors', 'jwtOptional'] as const)(
      'has our cookies with %s, and is stored by nobody',
      async (kind) => {
        const { authorize, authErrors, jwtOptional } = await koaSetup()
        const app = new Koa3().use(kind === 'authErrors' ? authErrors : jwtOptional())
        app.use(async (context) => {
          await authorize(context).login('ada')
          context.body = make()
        })
        const response = await fetch(await open(app), { method: 'POST' })
        expect([response.headers.get('x-raw'), await response.text()]).toEqual(['1', 'raw'])
        expect(setNames(response)).toEqual([...names, ...(own[name] ?? [])].toSorted())
        expect(response.headers.get('cache-control')).toBe('no-store')
      },
    )
  })

  test('of a handler that sets no cookie of ours is left as it is', async () => {
    const { authErrors, jwtOptional } = await koaSetup()
    const app = new Koa3().use(authErrors).use(jwtOptional())
    app.use((context) => {
      context.body = raw['that may be cached']?.()
    })
    const response = await fetch(await open(app))
    expect(response.headers.get('cache-control')).toBe('public')
    expect(response.headers.getSetCookie()).toEqual([])
  })

  test('loses no cookie to a refusal that comes after it', async () => {
    const { authErrors, authorize, headers } = await koaSetup({ denylist: () => true })
    const app = new Koa3().use(authErrors)
    app.use(async (context) => {
      await authorize(context)
        .refresh()
        .catch((error: unknown) => {
          context.body = new Response('mine', { headers: { 'set-cookie': 'own=1' } })
          throw error
        })
    })
    const response = await fetch(await open(app), { method: 'POST', headers })
    expect(await codeIn(response)).toBe('token_revoked')
    expect(response.headers.getSetCookie()).toHaveLength(5)
  })

  // Koa overwrites the headers at the assignment, and gives nobody a look at it.
  test('of a lone handler has no cookies without authErrors, which is why the README says to mount it', async () => {
    const { authorize } = await koaSetup()
    const app = new Koa3().use(async (context) => {
      await authorize(context).login('ada')
      context.body = raw['with a cookie of its own']?.()
    })
    expect(setNames(await fetch(await open(app), { method: 'POST' }))).toEqual(['own'])
  })
})
