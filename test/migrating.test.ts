// Runs docs/migrating.md: its programs before and after each move, with the real libraries, and what it says of tokens.

import { hkdfSync } from 'node:crypto'
import { Auth as authJs } from '@auth/core'
import { getToken } from '@auth/core/jwt'
import credentials from '@auth/core/providers/credentials'
import fastifyJwt from '@fastify/jwt'
import express from 'express'
import { expressjwt } from 'express-jwt'
import { fastify } from 'fastify'
import { Hono } from 'hono'
import { jwt as honoJwt, sign as signByHono, verify as verifyByHono } from 'hono/jwt'
import { jwtDecrypt } from 'jose'
import jsonwebtoken from 'jsonwebtoken'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { createAuth } from '../src/index.ts'
import type { AuthOptions } from '../src/index.ts'
import { webAuth } from '../src/adapters/web.ts'
import { Browser, listen, load, programOf, removePrograms } from './_migrating.ts'
import type { App, Site } from './_migrating.ts'
import { codeOf, forge, secretKey } from './_setup.ts'

// Each test loads programs with their frameworks.
vi.setConfig({ testTimeout: 60_000 })

const oldSecret = 'Xk2vQ8rT5wZ1yB4nM7pL0sD3gH6jF9aCeRuIoVtYqWxEzKbNmAhGdSlPiUcOfJtR'
const nowSeconds = Math.floor(Date.now() / 1000)
const week = 7 * 24 * 60 * 60
const elsewhere = { origin: 'https://evil.example' }
const oldClaims = { id: 7, role: 'editor', iat: nowSeconds, exp: nowSeconds + week }

type Maker = (claims: Record<string, unknown>) => string | Promise<string>

const sites: Site[] = []
afterEach(async () => void (await Promise.all(sites.splice(0).map((site) => site.close()))))
afterAll(removePrograms)

async function open(code: string, secrets: { before?: string; after?: string } = {}): Promise<string> {
  const { app } = await load<{ app: App }>(code, {
    JWT_SECRET: secrets.before ?? oldSecret,
    AUTHJWT_SECRET_KEY: secrets.after ?? secretKey,
  })
  const site = await listen(app)
  sites.push(site)
  return site.origin
}

/** Gives what a refusal gives, to compare. */
const page = (_request: Request): Response => Response.json({ code: 'passed' })

async function problemOf(response: Response): Promise<unknown> {
  return ((await response.json()) as { code?: unknown }).code
}

/** Three libraries, each with the line by which its program finds the cookie. */
const moves = [
  { name: 'fastify', library: '@fastify/jwt', line: "cookieName: 'token'" },
  { name: 'express', library: 'express-jwt', line: "req.cookies['token']" },
  { name: 'hono', library: 'hono/jwt', line: "cookie: 'token'" },
] as const

describe.each(moves)('from $library', ({ name, line }) => {
  const before = programOf(`${name}-before`)
  const after = programOf(`${name}-after`)

  async function signInBefore(): Promise<Browser> {
    const browser = new Browser()
    await browser.send(`${await open(before)}/login`, { method: 'POST' })
    expect([...browser.jar.keys()]).toEqual(['token'])
    return browser
  }

  test('before, a request of another site is as good as one of ours', async () => {
    const origin = await open(before)
    const browser = new Browser()
    await browser.send(`${origin}/login`, { method: 'POST' })
    const response = await browser.send(`${origin}/orders`, { method: 'POST', headers: elsewhere })
    expect(await response.json()).toMatchObject({ id: 7, role: 'editor' })
    await browser.send(`${origin}/logout`, { method: 'DELETE' })
    expect(browser.jar.size).toBe(0)
  })

  test('the first of two cookies was taken, which here is ambiguous', async () => {
    const token = forge({ alg: 'HS256', typ: 'JWT' }, oldClaims, oldSecret)
    const planted = forge({ alg: 'HS256', typ: 'JWT' }, { ...oldClaims, id: 666 }, oldSecret)
    const two = (name: string) => ({ headers: { cookie: `${name}=${planted}; ${name}=${token}` } })
    const orders = await fetch(`${await open(before)}/orders`, two('token'))
    expect(await orders.json()).toMatchObject({ id: 666 })
    const here = await fetch(`${await open(after)}/orders`, two('access_token_cookie'))
    expect(await problemOf(here)).toBe('cookie_ambiguous')
  })

  test('after, an old cookie opens no route, and /refresh takes it over', async () => {
    const browser = await signInBefore()
    const origin = await open(after)
    expect(await problemOf(await browser.send(`${origin}/orders`))).toBe('token_missing')
    const moved = await browser.send(`${origin}/refresh`, { method: 'POST' })
    expect(moved.status).toBe(200)
    expect([...browser.jar.keys()].toSorted()).toEqual([
      'access_token_cookie',
      'csrf_access_token',
      'csrf_refresh_token',
      'refresh_token_cookie',
    ])
    const claims = await (await browser.send(`${origin}/orders`)).json()
    expect(claims).toMatchObject({ sub: '7', role: 'editor', fresh: false })

    const post = (headers: Record<string, string>) =>
      browser.send(`${origin}/orders`, { method: 'POST', headers })
    expect(await problemOf(await post({}))).toBe('csrf_missing')
    expect(await problemOf(await post({ ...browser.csrf(), ...elsewhere }))).toBe('origin_forbidden')
    expect((await post(browser.csrf())).status).toBe(200)

    const again = await browser.send(`${origin}/refresh`, {
      method: 'POST',
      headers: browser.csrf('refresh'),
    })
    expect(again.status).toBe(200)
    await browser.send(`${origin}/logout`, { method: 'DELETE', headers: browser.csrf() })
    expect(browser.jar.size).toBe(0)
  })

  test('a refused refresh is not mended by an old cookie, and a sign-out takes the old cookie too', async () => {
    const browser = await signInBefore()
    const token = browser.jar.get('token') ?? ''
    const origin = await open(after)
    await browser.send(`${origin}/login`, { method: 'POST' })
    const refused = await browser.send(`${origin}/refresh`, { method: 'POST' })
    expect(await problemOf(refused)).toBe('csrf_missing')
    expect(refused.headers.getSetCookie()).toEqual([])
    expect(browser.jar.get('token')).toBe(token)
    const forced = await browser.send(`${origin}/logout`, { method: 'DELETE', headers: elsewhere })
    expect(await problemOf(forced)).toBe('origin_forbidden')
    expect(browser.jar.get('token')).toBe(token)
    await browser.send(`${origin}/logout`, { method: 'DELETE', headers: browser.csrf() })
    expect(browser.jar.size).toBe(0)
  })

  test('who has not come by yet signs out too, and no other site can do it for them', async () => {
    const browser = await signInBefore()
    const url = `${await open(after)}/logout`
    const forced = await browser.send(url, { method: 'DELETE', headers: elsewhere })
    expect(await problemOf(forced)).toBe('origin_forbidden')
    expect([...browser.jar.keys()]).toEqual(['token'])
    await browser.send(url, { method: 'DELETE' })
    expect(browser.jar.size).toBe(0)
  })

  const good = { alg: 'HS256', typ: 'JWT' }
  test.each<[string, () => Record<string, string>, Record<string, string>, string]>([
    ['nothing', () => ({}), {}, 'token_missing'],
    ['another secret', () => ({ token: forge(good, oldClaims) }), {}, 'token_missing'],
    [
      'an old token that has expired',
      () => ({ token: forge(good, { ...oldClaims, exp: nowSeconds - 1 }, oldSecret) }),
      {},
      'token_missing',
    ],
    [
      'an old token that never ends',
      () => ({ token: forge(good, { id: 7, role: 'editor' }, oldSecret) }),
      {},
      'token_missing',
    ],
    [
      'an unsigned token',
      () => ({ token: forge({ alg: 'none' }, oldClaims).replace(/[^.]*$/, '') }),
      {},
      'token_missing',
    ],
    [
      'a request of another site',
      () => ({ token: forge(good, oldClaims, oldSecret) }),
      elsewhere,
      'origin_forbidden',
    ],
  ])('/refresh takes over no session for %s', async (_title, cookies, headers, code) => {
    const browser = new Browser(cookies())
    const response = await browser.send(`${await open(after)}/refresh`, { method: 'POST', headers })
    expect(await problemOf(response)).toBe(code)
    expect([...browser.jar.keys()]).toEqual(Object.keys(cookies()))
  })

  test('without the old secret nobody is taken over', async () => {
    const token = forge(good, oldClaims, '')
    const origin = await open(after, { before: '' }).catch(() => null)
    // @fastify/jwt does not start without one.
    expect(origin === null).toBe(name === 'fastify')
    if (origin === null) return
    const response = await new Browser({ token }).send(`${origin}/refresh`, { method: 'POST' })
    expect(await problemOf(response)).toBe('token_missing')
  })

  test('a service with the old library reads our access tokens, and our refresh tokens too', async () => {
    const secrets = { before: secretKey, after: secretKey }
    const browser = new Browser()
    await browser.send(`${await open(after, secrets)}/login`, { method: 'POST' })
    const reader = (cookie: string) => {
      const changed = before.replace(line, line.replace('token', cookie))
      expect(changed).not.toBe(before)
      return open(changed, secrets)
    }
    const read = await browser.send(`${await reader('access_token_cookie')}/orders`)
    expect(await read.json()).toMatchObject({ sub: '7', role: 'editor', type: 'access' })
    const mistaken = await browser.send(`${await reader('refresh_token_cookie')}/orders`)
    expect(await mistaken.json()).toMatchObject({ sub: '7', type: 'refresh' })
  })
})

describe('which old tokens are taken', () => {
  const complete = { sub: '7', jti: 'c1', type: 'access', exp: nowSeconds + week }
  const without = (name: keyof typeof complete) => ({ ...complete, [name]: undefined })

  const app = fastify()
  beforeAll(async () => {
    await app.register(fastifyJwt, { secret: secretKey })
    await app.ready()
  })
  afterAll(() => app.close())

  const makers: Record<string, Maker> = {
    jsonwebtoken: (claims) => jsonwebtoken.sign(JSON.parse(JSON.stringify(claims)) as object, secretKey),
    '@fastify/jwt': (claims) => app.jwt.sign(JSON.parse(JSON.stringify(claims)) as object),
    'hono/jwt': (claims) => signByHono(claims, secretKey, 'HS256'),
  }

  const headers: AuthOptions = { secretKey, tokenLocation: ['headers'] }
  const bearer = (token: string, method = 'GET') =>
    new Request('http://127.0.0.1/', { method, headers: { authorization: `Bearer ${token}` } })
  const cookie = (token: string, method: string, extra: Record<string, string> = {}) =>
    new Request('http://127.0.0.1/', { method, headers: { cookie: `token=${token}`, ...extra } })

  async function answer(options: AuthOptions, request: Request): Promise<unknown> {
    const web = webAuth(createAuth(options))
    const response = await web.jwtRequired()(page)(request)
    return problemOf(response)
  }

  describe.each(Object.keys(makers))('of %s', (maker) => {
    const make: Maker = makers[maker] ?? (() => '')

    test.each<[string, Record<string, unknown>, string]>([
      ['as applications make them', oldClaims, 'token_invalid'],
      ['without sub', without('sub'), 'token_invalid'],
      ['with a number as sub', { ...complete, sub: 7 }, 'token_invalid'],
      ['without jti', without('jti'), 'token_invalid'],
      ['without exp', without('exp'), 'token_invalid'],
      ['without type', without('type'), 'wrong_token_type'],
      ['with all four', complete, 'passed'],
    ])('in a header, %s', async (_title, claims, code) => {
      // jsonwebtoken itself refuses some of these: then the token is made by hand.
      const token = claims['sub'] === 7 ? forge({ alg: 'HS256', typ: 'JWT' }, claims) : await make(claims)
      expect(await answer(headers, bearer(token))).toBe(code)
      if (code === 'passed') expect(await answer(headers, bearer(token, 'POST'))).toBe(code)
    })

    test('in a cookie only where nothing changes, unless they carry a CSRF value', async () => {
      const options = { secretKey, accessCookieKey: 'token' }
      const plain = await make(complete)
      expect(await answer({ secretKey }, cookie(plain, 'GET'))).toBe('token_missing')
      expect(await answer(options, cookie(plain, 'GET'))).toBe('passed')
      expect(await answer(options, cookie(plain, 'POST'))).toBe('csrf_missing')
      expect(await answer(options, cookie(plain, 'POST', { 'x-csrf-token': 'x' }))).toBe('token_invalid')
      const csrf = '3f0c8f0e-7a55-4a5c-9a38-6a1b2c3d4e5f'
      const prepared = await make({ ...complete, csrf })
      expect(await answer(options, cookie(prepared, 'POST'))).toBe('csrf_missing')
      expect(await answer(options, cookie(prepared, 'POST', { 'x-csrf-token': 'x' }))).toBe('csrf_mismatch')
      expect(await answer(options, cookie(prepared, 'POST', { 'x-csrf-token': csrf }))).toBe('passed')
    })
  })

  test.each<[string, string | undefined, AuthOptions, string]>([
    ['with a kid, by a lone secret', 'a', { secretKey }, 'token_invalid'],
    ['with a kid, by a ring that has it', 'a', ring('a'), 'passed'],
    ['with a kid, by a ring that has another', 'a', ring('b', true), 'token_invalid'],
    ['without a kid, by a ring', undefined, ring('a'), 'token_invalid'],
    ['without a kid, by a ring with a legacy key', undefined, ring('a', true), 'passed'],
  ])('%s', async (_title, keyid, keys, code) => {
    const token = jsonwebtoken.sign(complete, secretKey, keyid === undefined ? {} : { keyid })
    expect(await answer({ ...keys, tokenLocation: ['headers'] }, bearer(token))).toBe(code)
  })

  function ring(kid: string, legacy = false): AuthOptions {
    return { keys: [{ kid, algorithm: 'HS256', secretKey, legacy }] }
  }

  test('of another algorithm only where it is listed', async () => {
    const token = jsonwebtoken.sign(complete, secretKey, { algorithm: 'HS512' })
    expect(await answer(headers, bearer(token))).toBe('token_invalid')
    const both = { ...headers, decodeAlgorithms: ['HS256', 'HS512'] } as const
    expect(await answer(both, bearer(token))).toBe('passed')
  })

  test('a session that was taken over is not fresh, but its sign-in counts as new', async () => {
    const { authorize, freshJwtRequired } = webAuth(createAuth({ secretKey }))
    const request = new Request('http://127.0.0.1/refresh', { method: 'POST' })
    const { accessToken } = await authorize(request).login('7', { fresh: false })
    const visit = () =>
      new Request('http://127.0.0.1/', { headers: { cookie: `access_token_cookie=${accessToken}` } })
    expect(await problemOf(await freshJwtRequired()(page)(visit()))).toBe('fresh_token_required')
    expect(await problemOf(await freshJwtRequired({ within: '5m' })(page)(visit()))).toBe('passed')
  })
})

describe('what goes away', () => {
  test.each(['secret', 'your-256-bit-secret', 'change-me-change-me-change-me-change-me'])(
    'the libraries sign with %s, which here is refused at start-up',
    async (secret) => {
      expect(jsonwebtoken.sign({ id: 7 }, secret)).toContain('.')
      expect(await signByHono({ id: 7 }, secret, 'HS256')).toContain('.')
      const app = fastify()
      await app.register(fastifyJwt, { secret })
      expect(app.jwt.sign({ id: 7 })).toContain('.')
      expect(() => createAuth({ secretKey: secret })).toThrow(TypeError)
    },
  )

  test('all three take tokens that never end, and tokens made for something else', async () => {
    const token = forge({ alg: 'HS256', typ: 'JWT' }, { purpose: 'password reset' }, oldSecret)
    for (const { name } of moves) {
      const browser = new Browser({ token })
      const response = await browser.send(`${await open(programOf(`${name}-before`))}/orders`)
      expect(await response.json()).toMatchObject({ purpose: 'password reset' })
    }
    expect(await codeOf(() => createAuth({ secretKey: oldSecret }).verify(token))).toBe('token_invalid')
  })

  test('@fastify/jwt takes HS512 beside HS256, and answers a header without a token with 400', async () => {
    const app = fastify()
    await app.register(fastifyJwt, { secret: oldSecret })
    app.get('/', async (request) => request.jwtVerify())
    const visit = (authorization: string) => app.inject({ url: '/', headers: { authorization } })
    const token = jsonwebtoken.sign({ id: 7 }, oldSecret, { algorithm: 'HS512' })
    expect((await visit(`Bearer ${token}`)).statusCode).toBe(200)
    expect((await visit('Bearer ')).statusCode).toBe(400)
    await app.close()
  })

  test('express-jwt lets an expired token in where onExpired does not throw', async () => {
    const app = express()
    app.use(expressjwt({ secret: oldSecret, algorithms: ['HS256'], onExpired: () => undefined }))
    app.get('/', (request, response) => void response.json((request as { auth?: unknown }).auth))
    const site = await listen(app)
    sites.push(site)
    const token = jsonwebtoken.sign({ id: 7, exp: nowSeconds - 60 }, oldSecret)
    const response = await fetch(site.origin, { headers: { authorization: `Bearer ${token}` } })
    expect(await response.json()).toMatchObject({ id: 7 })
    expect(
      jsonwebtoken.verify(jsonwebtoken.sign({}, oldSecret, { algorithm: 'HS512' }), oldSecret),
    ).toBeTruthy()
  })

  test('Express answers its refusals with a page that shows the stack', async () => {
    const app = express().use(expressjwt({ secret: oldSecret, algorithms: ['HS256'] }))
    // What Express would print, too.
    app.set('env', 'test')
    const site = await listen(app)
    sites.push(site)
    const response = await fetch(site.origin)
    expect(response.headers.get('content-type')).toContain('text/html')
    expect(await response.text()).toContain('at new UnauthorizedError')
  })

  test('hono/jwt looks at exp before the signature, and quotes the token', async () => {
    const forged = forge({ alg: 'HS256', typ: 'JWT' }, { exp: 1 }, 'another secret')
    await expect(verifyByHono(forged, oldSecret, 'HS256')).rejects.toMatchObject({
      name: 'JwtTokenExpired',
      message: expect.stringContaining(forged) as string,
    })
    expect(await codeOf(() => createAuth({ secretKey: oldSecret }).verify(forged))).toBe('token_invalid')
  })

  test('hono/jwt guards the path that it was given, and no cookie counts beside another scheme', async () => {
    const app = new Hono()
    app.use('/orders', honoJwt({ secret: oldSecret, alg: 'HS256', cookie: 'token' }))
    app.get('/orders', (c) => c.text('guarded')).get('/orders/:id', (c) => c.text('open'))
    expect((await app.request('/orders')).status).toBe(401)
    expect(await (await app.request('/orders/7')).text()).toBe('open')
    const token = forge({ alg: 'HS256', typ: 'JWT' }, oldClaims, oldSecret)
    const headers = { authorization: 'Basic eDp5', cookie: `token=${token}` }
    expect((await app.request('/orders', { headers })).status).toBe(401)
  })
})

describe('from next-auth', () => {
  const authSecret = 'C6nW0kq8u9m3pYxT2rHsVbA7dLfJ4gZeXoQi1tRlKvM'
  const name = '__Secure-authjs.session-token'
  const site = 'https://app.example'

  interface Handlers {
    readonly refresh: (request: Request) => Promise<Response>
    readonly logout: (request: Request) => Promise<Response>
    readonly orders: (request: Request) => Promise<Response>
  }
  let after: Handlers
  beforeAll(async () => {
    const environment = { AUTH_SECRET: authSecret, AUTHJWT_SECRET_KEY: secretKey }
    after = await load<Handlers>(programOf('next-after'), environment)
  })

  const before = (request: Request): Promise<Response> =>
    authJs(request, {
      secret: authSecret,
      trustHost: true,
      basePath: '/auth',
      session: { strategy: 'jwt' },
      providers: [credentials({ credentials: {}, authorize: () => ({ id: '7', name: 'Ada' }) })],
    })

  async function signInBefore(): Promise<{ browser: Browser; csrfToken: string }> {
    const browser = new Browser()
    const asked = await browser.send(`${site}/auth/csrf`, { via: before })
    const { csrfToken } = (await asked.json()) as { csrfToken: string }
    const body = new URLSearchParams({ csrfToken })
    await browser.send(`${site}/auth/callback/credentials`, { via: before, method: 'POST', body })
    expect(browser.jar.has(name)).toBe(true)
    return { browser, csrfToken }
  }

  test('its tokens are taken by no guard, encrypted or not, and /refresh takes them over', async () => {
    const { browser } = await signInBefore()
    const old = browser.jar.get(name) ?? ''
    expect(old.split('.')).toHaveLength(5)
    const plain = createAuth({ secretKey: authSecret, unsafeAllowWeakSecret: true })
    expect(await codeOf(() => plain.verify(old))).toBe('token_invalid')
    const encryption = { key: Buffer.from(secretKey).subarray(0, 32) }
    expect(await codeOf(() => createAuth({ secretKey, encryption }).verify(old))).toBe('token_invalid')

    const asked = await browser.send(`${site}/orders`, { via: after.orders })
    expect(await problemOf(asked)).toBe('token_missing')
    const moved = await browser.send(`${site}/refresh`, { via: after.refresh, method: 'POST' })
    expect(await moved.json()).toEqual({ msg: 'Taken over' })
    expect(browser.jar.has(name)).toBe(false)
    const orders = await browser.send(`${site}/orders`, { via: after.orders })
    expect(await orders.json()).toMatchObject({
      sub: expect.any(String) as string,
      name: 'Ada',
      fresh: false,
    })

    const headers = browser.csrf('refresh')
    const again = await browser.send(`${site}/refresh`, { via: after.refresh, method: 'POST', headers })
    expect(await again.json()).toEqual({ msg: 'Refreshed' })
  })

  test('/refresh takes over nothing for another site, another secret or no cookie', async () => {
    const { browser } = await signInBefore()
    const refused = { via: after.refresh, method: 'POST', headers: elsewhere }
    expect(await problemOf(await browser.send(`${site}/refresh`, refused))).toBe('origin_forbidden')
    const wrong = new Browser({
      [name]: (browser.jar.get(name) ?? '').replace(/.$/, (last) => (last === 'A' ? 'Q' : 'A')),
    })
    const nobody = { via: after.refresh, method: 'POST' }
    expect(await problemOf(await wrong.send(`${site}/refresh`, nobody))).toBe('token_missing')
    expect(await problemOf(await new Browser().send(`${site}/refresh`, nobody))).toBe('token_missing')
  })

  test('a sign-out takes its cookie too', async () => {
    const { browser } = await signInBefore()
    await browser.send(`${site}/logout`, { via: after.logout, method: 'DELETE' })
    expect(browser.jar.has(name)).toBe(false)
  })

  test('a session in chunks is read too', async () => {
    const { browser } = await signInBefore()
    const token = browser.jar.get(name) ?? ''
    const chunks = { [`${name}.0`]: token.slice(0, 99), [`${name}.1`]: token.slice(99) }
    const moved = await new Browser(chunks).send(`${site}/refresh`, { via: after.refresh, method: 'POST' })
    expect(moved.status).toBe(200)
  })

  test('a copy of its cookie lives on after its sign-out, and every visit gives it another life', async () => {
    const { browser, csrfToken } = await signInBefore()
    const copy = browser.jar.get(name) ?? ''
    const body = new URLSearchParams({ csrfToken })
    await browser.send(`${site}/auth/signout`, { via: before, method: 'POST', body })
    expect(browser.jar.has(name)).toBe(false)
    const thief = new Browser({ [name]: copy })
    const visit = await thief.send(`${site}/auth/session`, { via: before })
    expect(await visit.json()).toMatchObject({ user: { name: 'Ada' } })
    expect(thief.jar.get(name)).not.toBe(copy)
  })

  // Both made by the libraries themselves, with a life of a hundred years.
  test.each([
    [
      'next-auth 4.24.15',
      'eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..P_5e6YIYxGB60O2P.fkCu3zUMc4r0F72sTXMTQCOE8dpxj4e3Z-HSQSMfOWmehH-e5ljBY09d50ePXycUGrxHdW57x9WNOaT9GqHX6EeYazzYTX88Ow5FK00nwFt2atPCU0TZMU_kE6mUjI6aNXhTOHWdgJDdyiIiJftDT6R4amP_MwwMzkaa80ZlbYf7z4efaEcu3V-4zR7A1mQLTQ.ZMIcBSKhkpbQplYwzyLzBQ',
      { enc: 'A256GCM', salt: '', info: 'NextAuth.js Generated Encryption Key', bytes: 32 },
    ],
    [
      'next-auth 5.0.0-beta.32',
      'eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2Q0JDLUhTNTEyIiwia2lkIjoiUGx1SU8tMEVfYUgxRk5OWGVEVnJxckpwMVIyUEZiTmktUDg4MUNObjBUYVZKZVNqQk5HYkVQMFpYRHE0azY2ekVoT0RRWXA1Y3ZzeVNiNHVKWEh4UkEifQ..nCuX85gniHREgxeUv-0C3g.Csvy85EkmyW433l7OjEHQIC_G6YoMdQqaaYEXP_YGORQwJtQJQgGZ4Cy8dRkhYgh-gATDz6svQYFaYxo28B8nNQtUcfLVu0sbPpHBUO5jXU6sa8OP1hDylhmqwbp4JIyiYt5Bm5wOmVoeI1GdgGrdmotJtoGaGRd88PPK0O4w31mwIXRqnyQoBLL2rQ-KqgrqGrqz8z3xPff7MgP0viLYA.7s5t6BQfRzRVAf4VC-5eXSdU88ZekTmtpNVJRXzct0U',
      {
        enc: 'A256CBC-HS512',
        salt: 'authjs.session-token',
        info: 'Auth.js Generated Encryption Key (authjs.session-token)',
        bytes: 64,
      },
    ],
  ])('a token of %s is encrypted under a key derived as the page says', async (_version, token, derived) => {
    const { enc, salt, info, bytes } = derived
    const key = new Uint8Array(hkdfSync('sha256', authSecret, salt, info, bytes))
    const { payload, protectedHeader } = await jwtDecrypt(token, key)
    expect(protectedHeader).toMatchObject({ alg: 'dir', enc })
    expect(payload).toMatchObject({ sub: '7', name: 'Ada' })
    expect(await codeOf(() => createAuth({ secretKey }).verify(token))).toBe('token_invalid')
    const request = new Request(site, { headers: { cookie: `authjs.session-token=${token}` } })
    const read = await getToken({ req: request, secret: authSecret })
    expect(read === null).toBe(enc === 'A256GCM')
  })
})
