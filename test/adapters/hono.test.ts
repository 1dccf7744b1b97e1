// What is special about Hono: sub-apps, error handlers, answers of its own making and raw ones, streams.

import { Hono } from 'hono'
import type { Context } from 'hono'
import { setCookie } from 'hono/cookie'
import { html } from 'hono/html'
import { HTTPException } from 'hono/http-exception'
import { stream } from 'hono/streaming'
import { describe, expect, test } from 'vitest'
import { honoAuth } from '../../src/adapters/hono.ts'
import { AuthError } from '../../src/index.ts'
import type { AuthOptions } from '../../src/index.ts'
import { cookieHeader, cookiesOf, setup } from '../_setup.ts'

type Handler = (c: Context) => Response | Promise<Response>

const names = ['access_token_cookie', 'csrf_access_token', 'csrf_refresh_token', 'refresh_token_cookie']

async function honoSetup(options: AuthOptions = {}) {
  const world = setup(options)
  const access = await world.auth.createAccessToken('ada')
  const refresh = await world.auth.createRefreshToken('ada')
  const csrf = world.auth.getUnverifiedJwtClaims(refresh)['csrf'] as string
  return {
    ...world,
    ...honoAuth(world.auth),
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

describe('sub-apps', () => {
  test('share the identity that a guard of the outer app has found', async () => {
    const { authorize, jwtRequired, headers } = await honoSetup()
    const inner = new Hono().get('/who', (c) => c.json({ user: authorize(c).subject() }))
    const app = new Hono()
    app.use('/api/*', jwtRequired())
    app.route('/api', inner)
    expect(await (await app.request('/api/who', { headers })).json()).toEqual({ user: 'ada' })
    expect(await codeIn(await app.request('/api/who'))).toBe('token_missing')
  })

  test('with an error handler of their own get the refusals of their handlers, authErrors answers them', async () => {
    const { authorize, authErrors } = await honoSetup()
    const seen: unknown[] = []
    const inner = new Hono().get('/who', async (c) => c.json(await authorize(c).jwtRequired()))
    inner.onError((error, c) => {
      seen.push(error)
      return c.text('inner', 418)
    })
    const bare = new Hono().route('/api', inner)
    expect((await bare.request('/api/who')).status).toBe(418)
    const app = new Hono().use(authErrors)
    app.route('/api', inner)
    expect((await app.request('/api/who')).status).toBe(401)
    expect(seen.every((error) => AuthError.is(error, 'token_missing'))).toBe(true)
  })
})

describe("an app's own onError", () => {
  test('sees what handlers throw, but authErrors has the last word on refusals only', async () => {
    const { authorize, authErrors } = await honoSetup()
    const app = new Hono().use(authErrors)
    app.get('/refused', async (c) => c.json(await authorize(c).jwtRequired()))
    app.get('/teapot', () => {
      throw new HTTPException(418)
    })
    app.onError((_error, c) => c.text('mine', 500))
    const refused = await app.request('/refused')
    expect([refused.status, refused.headers.get('content-type')]).toEqual([401, 'application/problem+json'])
    expect(await (await app.request('/teapot')).text()).toBe('mine')
  })

  test('that answers with a raw Response loses no cookie that a refused refresh deletes', async () => {
    const { authorize, authErrors, headers } = await honoSetup({ denylist: () => true })
    const app = new Hono().use(authErrors)
    app.post('/refresh', async (c) => c.json(await authorize(c).refresh()))
    app.onError(() => new Response('mine', { status: 500 }))
    const response = await app.request('/refresh', { method: 'POST', headers })
    expect(response.headers.getSetCookie()).toHaveLength(4)
    expect(await codeIn(response)).toBe('token_revoked')
  })

  test('is left alone by guards, which answer by themselves', async () => {
    const { jwtRequired } = await honoSetup()
    const app = new Hono().get('/', jwtRequired(), (c) => c.text('in'))
    app.onError((_error, c) => c.text('mine', 500))
    expect(await codeIn(await app.request('/'))).toBe('token_missing')
  })
})

describe('a raw Response', () => {
  const raw = () => new Response('raw', { headers: { 'set-cookie': 'own=1', 'cache-control': 'public' } })

  test('has the cookies with authErrors', async () => {
    const { authorize, authErrors } = await honoSetup()
    const app = new Hono().use(authErrors)
    app.post('/', async (c) => {
      await authorize(c).login('ada')
      return raw()
    })
    const response = await app.request('/', { method: 'POST' })
    expect(setNames(response)).toEqual([...names, 'own'].toSorted())
    expect(response.headers.get('cache-control')).toBe('no-store')
  })

  test('has the cookies without authErrors where a guard stands before the handler', async () => {
    const { authorize, jwtOptional } = await honoSetup()
    const app = new Hono().post('/', jwtOptional(), async (c) => {
      await authorize(c).login('ada')
      return raw()
    })
    const response = await app.request('/', { method: 'POST' })
    expect(setNames(response)).toEqual([...names, 'own'].toSorted())
  })

  // Hono hands the answer of a lone handler on untouched, and gives nobody a look at it.
  test('of a lone handler has no cookies without authErrors, which is why the README says to mount it', async () => {
    const { authorize } = await honoSetup()
    const app = new Hono().post('/', async (c) => {
      await authorize(c).login('ada')
      return raw()
    })
    expect(setNames(await app.request('/', { method: 'POST' }))).toEqual(['own'])
  })

  test('of an imported fetch, whose headers cannot be changed, has the cookies', async () => {
    const { authorize, authErrors } = await honoSetup()
    const app = new Hono().use(authErrors)
    app.post('/', async (c) => {
      await authorize(c).login('ada')
      return Response.redirect('https://app.example/home')
    })
    const response = await app.request('/', { method: 'POST' })
    expect([response.status, ...setNames(response)]).toEqual([302, ...names])
  })
})

describe.each([false, true])('answers of Hono, with authErrors: %s', (isMounted) => {
  async function login(answer: Handler) {
    const { authorize, authErrors } = await honoSetup()
    const app = new Hono()
    app.use(async (c, next) => {
      setCookie(c, 'theme', 'dark')
      await next()
    })
    if (isMounted) app.use(authErrors)
    app.post('/', async (c) => {
      await authorize(c).login('ada')
      return answer(c)
    })
    return app.request('/', { method: 'POST' })
  }

  test.each<[string, Handler, string]>([
    ['text', (c) => c.text('text'), 'text'],
    ['html of promises', (c) => c.html(html`<p>${Promise.resolve('late')}</p>`), '<p>late</p>'],
    ['body', (c) => c.body('body', 201), 'body'],
    ['newResponse', (c) => c.newResponse('new', { headers: { 'x-own': '1' } }), 'new'],
    ['redirect', (c) => c.redirect('/home'), ''],
    ['stream', (c) => stream(c, async (out) => void (await out.write('streamed'))), 'streamed'],
    ['notFound', (c) => c.notFound(), '404 Not Found'],
  ])('%s has the cookies, and those of the middleware before', async (_name, answer, text) => {
    const response = await login(answer)
    expect(setNames(response)).toEqual([...names, 'theme'].toSorted())
    expect(response.headers.getSetCookie()).toHaveLength(5)
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(await response.text()).toBe(text)
  })
})

test('a body that was read before the guard is a TypeError that says so', async () => {
  const { jwtRequired, auth } = await honoSetup({ tokenLocation: ['json'] })
  const errors: Error[] = []
  const app = new Hono()
  app.use(async (c, next) => {
    await c.req.raw.text()
    await next()
  })
  app.post('/', jwtRequired(), (c) => c.text('in'))
  app.onError((error, c) => {
    errors.push(error)
    return c.text('failed', 500)
  })
  const body = JSON.stringify({ access_token: await auth.createAccessToken('ada') })
  const headers = { 'content-type': 'application/json', 'content-length': String(body.length) }
  const response = await app.request('/', { method: 'POST', headers, body })
  expect(response.status).toBe(500)
  expect(errors.map(String)).toEqual(['TypeError: The body was read before the guard: put the guard first'])
})
