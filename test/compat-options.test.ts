/** What else a preset changes, and what it leaves as it is: options, subjects, freshness, issuers, sessions. */

import { describe, expect, test } from 'vitest'
import { createAuth, optionsFromEnv } from '../src/index.ts'
import type { AuthOptions, Compat, TokenLocation } from '../src/index.ts'
import { memoryStore } from '../src/stores/memory.ts'
import {
  cookieHeader,
  cookiesOf,
  createClock,
  forge,
  goodClaims,
  secretKey,
  setup,
  startSeconds,
} from './_setup.ts'
import { act, countedRoute, notedResponse, portOf, requestOf, signIn } from './_wire.ts'
import type { Wire, World } from './_wire.ts'

const presets: readonly Compat[] = ['fastapi-jwt-auth', 'flask-jwt-extended']
const head = { alg: 'HS256', typ: 'JWT' }
const header = (token: string): Wire => ({ headers: { authorization: `Bearer ${token}` } })
type GuardName = 'jwtRequired' | 'jwtOptional' | 'jwtRefreshTokenRequired' | 'freshJwtRequired'

/** Status and sentence of a refusal, `200` for none. */
async function answer(world: Pick<World, 'web'>, guard: GuardName, wire: Wire): Promise<string> {
  const response = await countedRoute(world.web[guard]()).call(wire)
  if (response.status === 200) return '200'
  const body = (await response.json()) as Record<string, string>
  return `${response.status} ${body['detail'] ?? body['msg']}`
}

describe('options', () => {
  test.each(presets)('%s has the defaults of its twin', (compat) => {
    expect(createAuth({ compat, secretKey }).options).toMatchObject({
      compat,
      tokenLocation: ['headers'],
      accessTokenExpires: 900,
      refreshTokenExpires: 2_592_000,
      cookieSecure: false,
      cookieSamesite: undefined,
      cookieMaxAge: 'session',
      cookieCsrfProtect: true,
      // Two layers of protection that no twin has stay on.
      fetchMetadata: true,
      csrfMethods: ['POST', 'PUT', 'PATCH', 'DELETE'],
    })
  })

  test.each(presets)('what is given wins over %s', async (compat) => {
    const given = {
      tokenLocation: ['cookies'] as TokenLocation[],
      cookieSecure: true,
      cookieSamesite: 'strict',
      cookieMaxAge: 60,
      statusCodes: { token_invalid: 400 },
    } as const
    const world = await signIn({ compat, ...given })
    expect(world.response.headers.getSetCookie()[0]).toMatch(
      /; Max-Age=60; Path=\/; HttpOnly; Secure; SameSite=Strict$/,
    )
    const cookie = 'access_token_cookie=abc'
    expect(await answer(world, 'jwtRequired', { headers: { cookie } })).toBe('400 Not enough segments')
    const wrongType = { headers: { cookie: `access_token_cookie=${world.refresh}` } }
    expect(await answer(world, 'jwtRequired', wrongType)).toMatch(/^422 Only /)
  })

  test.each(presets)('%s wants a secret as strong as any, unless that is given up', (compat) => {
    expect(() => createAuth({ compat, secretKey: 'secret' })).toThrow(/secretKey/)
    expect(() => createAuth({ compat, secretKey: 'secret', unsafeAllowWeakSecret: true })).not.toThrow()
  })

  test('an undefined option is not given', () => {
    expect(createAuth({ compat: presets[0], secretKey, cookieSecure: undefined }).options.cookieSecure).toBe(
      false,
    )
    expect(createAuth({ compat: undefined, secretKey }).options.cookieSecure).toBe(true)
  })

  test('the environment can name a preset', () => {
    const options = optionsFromEnv({ AUTHJWT_COMPAT: 'flask-jwt-extended', AUTHJWT_SECRET_KEY: secretKey })
    expect(createAuth(options).options.tokenLocation).toEqual(['headers'])
    expect(() => optionsFromEnv({ AUTHJWT_COMPAT: 'flask' })).toThrow(/AUTHJWT_COMPAT/)
  })

  test.each(presets)('%s refuses what another site sends, as ever', async (compat) => {
    const world = await signIn({ compat, tokenLocation: ['cookies'] })
    const headers = { cookie: world.cookie, 'x-csrf-token': world.accessCsrf, 'sec-fetch-site': 'cross-site' }
    expect(await answer(world, 'jwtRequired', { method: 'POST', headers })).toMatch(/^403 Cross-site/)
    const options = { compat, tokenLocation: ['cookies'] } as const
    expect(await answer(setup(options), 'jwtRequired', { method: 'OPTIONS' })).toMatch(/^401 Missing cookie/)
  })

  test.each(presets)('a refusal that belongs to no request speaks as %s too', async (compat) => {
    const { auth } = setup({ compat })
    const error = await auth.verify('abc').catch((thrown: unknown) => thrown)
    const name = compat === 'fastapi-jwt-auth' ? 'detail' : 'msg'
    expect(JSON.parse(JSON.stringify(error))).toEqual({ [name]: 'Not enough segments' })
  })
})

describe('fastapi-jwt-auth', () => {
  const compat = 'fastapi-jwt-auth'

  test('a header wins over a cookie, wherever the list has it, and a bad one does not fall through', async () => {
    for (const tokenLocation of [
      ['headers', 'cookies'],
      ['cookies', 'headers'],
    ] as TokenLocation[][]) {
      const world = await signIn({ compat, tokenLocation })
      const { authorization = '' } = header(world.access).headers ?? {}
      const both = { cookie: world.cookie, authorization }
      expect(await answer(world, 'jwtRequired', { method: 'POST', headers: both })).toBe('200')
      const bad = { cookie: world.cookie, authorization: 'Bearer abc' }
      expect(await answer(world, 'jwtRequired', { headers: bad })).toBe('422 Not enough segments')
      const basic = { cookie: world.cookie, authorization: 'Basic dGVzdA==' }
      expect(await answer(world, 'jwtOptional', { headers: basic })).toBe(
        "422 Bad Authorization header. Expected value 'Bearer <JWT>'",
      )
      expect(await answer(world, 'jwtRequired', {})).toBe('401 Missing cookie access_token_cookie')
      expect(await answer(world, 'jwtRefreshTokenRequired', { headers: both })).toBe(
        '422 Only refresh tokens are allowed',
      )
    }
  })

  test('a token that was to be given by hand is missed by its type', async () => {
    const world = setup({ compat })
    for (const [guard, type] of [
      ['jwtRequired', 'access'],
      ['jwtRefreshTokenRequired', 'refresh'],
    ] as const) {
      const response = await countedRoute(world.web[guard]({ token: undefined })).call({})
      expect([response.status, await response.json()]).toEqual([
        401,
        { detail: `Missing ${type} token from Query or Path` },
      ])
    }
  })

  test('a whole number as subject is written as one, and read as text', async () => {
    const { auth, web } = setup({ compat, tokenLocation: ['cookies'] })
    // The type of the preset alone takes numbers.
    const typed = createAuth({ compat, secretKey, clock: () => startSeconds })
    const token = await typed.createAccessToken(42)
    expect(auth.getUnverifiedJwtClaims(token)['sub']).toBe(42)
    expect((await auth.verify(token)).sub).toBe('42')
    const response = await act({ web }, { method: 'POST' }, (bound) => bound.login(42 as unknown as string))
    const jar = cookiesOf(response)
    const csrf = jar['csrf_refresh_token'] ?? ''
    const request = requestOf({
      method: 'POST',
      headers: { cookie: cookieHeader(jar), 'x-csrf-token': csrf },
    })
    const renewed = cookiesOf(await act({ web }, request, (bound) => bound.refresh()))
    expect(auth.getUnverifiedJwtClaims(renewed['access_token_cookie'] ?? '')['sub']).toBe(42)
    // A handler in the ancestor's style hands on what it has read.
    let byHand = ''
    await act({ web }, request.clone(), async (bound) => {
      await bound.jwtRefreshTokenRequired()
      byHand = await bound.createAccessToken(bound.subject())
    })
    expect(auth.getUnverifiedJwtClaims(byHand)['sub']).toBe(42)
  })

  test('a number that is not exact would be two users at once, and is refused', async () => {
    const world = setup({ compat })
    for (const sub of [1.5, 2 ** 53, -(2 ** 53), true, null]) {
      expect(await answer(world, 'jwtRequired', header(forge(head, goodClaims({ sub }))))).toMatch(/^422 /)
      const make = world.auth.createAccessToken(sub as unknown as string)
      await expect(make).rejects.toThrow(/subject must be/)
    }
    const plain = setup({ tokenLocation: ['headers'] })
    expect(await answer(plain, 'jwtRequired', header(forge(head, goodClaims({ sub: 1 }))))).toMatch(/^401 /)
    await expect(plain.auth.createAccessToken(1 as unknown as string)).rejects.toThrow(/subject must be/)
  })

  test('refresh tokens have no issuer; one that they have must be right, and guards for access tokens want one', async () => {
    const options = { compat, encodeIssuer: 'urn:foo', decodeIssuer: 'urn:foo' } as const
    const world = setup(options)
    const [access, refresh] = [
      await world.auth.createAccessToken('a'),
      await world.auth.createRefreshToken('a'),
    ]
    expect(world.auth.getUnverifiedJwtClaims(access)['iss']).toBe('urn:foo')
    expect(world.auth.getUnverifiedJwtClaims(refresh)).not.toHaveProperty('iss')
    expect(await answer(world, 'jwtRefreshTokenRequired', header(refresh))).toBe('200')
    const refreshOf = (iss: string): string =>
      forge(head, { ...goodClaims({ type: 'refresh', iss }), fresh: undefined })
    expect(await answer(world, 'jwtRefreshTokenRequired', header(refreshOf('urn:bar')))).toBe(
      '422 Invalid issuer',
    )
    expect(await answer(world, 'jwtRefreshTokenRequired', header(refreshOf('urn:foo')))).toBe('200')
    // Its twin lets an optional guard pass any issuer.
    for (const guard of ['jwtRequired', 'jwtOptional', 'freshJwtRequired'] as const) {
      const missing = header(forge(head, goodClaims()))
      expect(await answer(world, guard, missing)).toBe('422 Token is missing the "iss" claim')
      const wrong = header(forge(head, goodClaims({ iss: 'urn:bar' })))
      expect(await answer(world, guard, wrong)).toBe('422 Invalid issuer')
    }
  })

  test('an audience that nobody expects is refused', async () => {
    const token = header(forge(head, goodClaims({ aud: 'foo' })))
    expect(await answer(setup({ compat }), 'jwtRequired', token)).toBe('422 Invalid audience')
    expect(await answer(setup({ compat, decodeAudience: 'foo' }), 'jwtRequired', token)).toBe('200')
    expect(await answer(setup({ compat: 'flask-jwt-extended' }), 'jwtRequired', token)).toBe('200')
    const none = header(forge(head, goodClaims()))
    const wanted = setup({ compat, decodeAudience: 'foo' })
    expect(await answer(wanted, 'jwtRequired', none)).toBe('422 Token is missing the "aud" claim')
  })
})

describe('flask-jwt-extended', () => {
  const compat = 'flask-jwt-extended'

  test('every token has a CSRF value, also where cookies are no location', async () => {
    const { auth } = setup({ compat })
    expect(auth.getUnverifiedJwtClaims(await auth.createAccessToken('a'))).toHaveProperty('csrf')
    const off = setup({ compat, cookieCsrfProtect: false })
    expect(off.auth.getUnverifiedJwtClaims(await off.auth.createAccessToken('a'))).not.toHaveProperty('csrf')
  })

  test('a sign-in can be fresh up to a time', async () => {
    const world = setup({ compat })
    const token = await world.auth.createAccessToken('a', { fresh: '5m' })
    expect(world.auth.getUnverifiedJwtClaims(token)['fresh']).toBe(startSeconds + 300)
    expect((await world.auth.verify(token)).fresh).toBe(false)
    expect(await answer(world, 'freshJwtRequired', header(token))).toBe('200')
    world.clock.advance(301)
    expect(await answer(world, 'jwtRequired', header(token))).toBe('200')
    expect(await answer(world, 'freshJwtRequired', header(token))).toBe('401 Fresh token required')
    // As its twin writes it, with a fraction.
    const foreign = forge(head, goodClaims({ fresh: startSeconds + 301.5 }))
    expect(await answer(world, 'freshJwtRequired', header(foreign))).toBe('200')
    for (const wrong of ['soon', 0, -1, null]) {
      await expect(world.auth.createAccessToken('a', { fresh: wrong as '5m' })).rejects.toThrow(/fresh/)
    }
    for (const other of [setup(), setup({ compat: 'fastapi-jwt-auth' })]) {
      await expect(other.auth.createAccessToken('a', { fresh: 300 })).rejects.toThrow(
        /fresh must be a boolean/,
      )
      expect(await answer(other, 'freshJwtRequired', header(foreign))).not.toBe('200')
    }
  })

  test('a token without jti is refused where one could be revoked', async () => {
    const token = header(forge(head, { sub: 'a', iat: startSeconds }))
    expect(await answer(setup({ compat }), 'jwtRequired', token)).toBe('200')
    const denylist = setup({ compat, denylist: () => false })
    expect(await answer(denylist, 'jwtRequired', token)).toBe('422 Missing claim: jti')
    const store = setup({ compat, store: memoryStore({ clock: createClock() }) })
    expect(await answer(store, 'jwtRequired', token)).toBe('422 Missing claim: jti')
    await store.auth.close()
  })

  test('a type that nobody knows opens nothing', async () => {
    for (const type of ['admin', 'Refresh', '', null, 1]) {
      const token = header(forge(head, goodClaims({ type })))
      expect(await answer(setup({ compat }), 'jwtRequired', token)).toBe(
        '422 Only non-refresh tokens are allowed',
      )
    }
  })

  const expected = "Expected 'Authorization: Bearer <JWT>'"
  test.each([
    ['', '401 Missing Authorization Header'],
    [' , ', '401 Missing Authorization Header'],
    ['Basic abc', `401 Missing 'Bearer' type in 'Authorization' header. ${expected}`],
    ['bearer TOKEN', `401 Missing 'Bearer' type in 'Authorization' header. ${expected}`],
    ['Bearer TOKEN, Bearer TOKEN', `401 Missing 'Bearer' type in 'Authorization' header. ${expected}`],
    ['Bearer', `422 Bad Authorization header. ${expected}`],
    ['Bearer TOKEN basic', `422 Bad Authorization header. ${expected}`],
    ['Basic abc, Bearer TOKEN', '200'],
    ['Bearer TOKEN,', '200'],
    ['Bearer TOKEN', '200'],
  ])('the header "%s" is answered with %s', async (value, outcome) => {
    const { auth } = setup({ compat })
    const token = await auth.createAccessToken('a')
    const authorization = value.replaceAll('TOKEN', token)
    const bound = auth.authorize(portOf({ headers: { authorization } }), notedResponse())
    const got = await bound.jwtRequired().then(
      () => '200',
      (error: unknown) => {
        const { status, message } = error as { status: number; message: string }
        return `${status} ${message}`
      },
    )
    expect(got).toBe(outcome)
  })

  test('all places that were asked are named', async () => {
    const world = setup({ compat, tokenLocation: ['headers', 'cookies', 'query', 'json'] })
    expect(await answer(world, 'jwtRequired', {})).toBe(
      '401 Missing JWT in headers, cookies, query_string or json (Missing Authorization Header; ' +
        `Missing cookie "access_token_cookie"; Missing 'jwt' query paramater; Invalid content-type. Must be application/json.)`,
    )
    const json = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' }
    expect(await answer(setup({ compat, tokenLocation: ['json'] }), 'jwtRequired', json)).toBe(
      '401 Missing "access_token" key in json data.',
    )
  })
})

describe.each(presets)('with a store, %s', (compat) => {
  const isFlask = compat === 'flask-jwt-extended'

  /** A refresh token of the twin. */
  const twinToken = (changes: Record<string, unknown> = {}): string =>
    forge(head, {
      ...(isFlask && { fresh: false }),
      sub: isFlask ? 'test' : 7,
      iat: startSeconds - 60,
      nbf: startSeconds - 60,
      jti: 'a0e6f9a4-4c5e-4f0b-9d56-0c5f8f8f6f10',
      exp: startSeconds + 2_592_000,
      type: 'refresh',
      csrf: 'c4b1f5be-6a49-4d53-8a0a-3d1b2b0e3d55',
      ...changes,
    })

  function createWorld(options: AuthOptions = {}) {
    const clock = createClock()
    const store = memoryStore({ clock })
    const world = setup({ compat, store, clock, tokenLocation: ['cookies'], ...options })
    const send = async (token: string, csrf: string): Promise<Response> => {
      const headers = { cookie: `refresh_token_cookie=${token}`, 'x-csrf-token': csrf }
      return act(world, { method: 'POST', headers }, (bound) => bound.refresh())
    }
    return { ...world, clock, send }
  }

  test('a refresh token of the twin becomes a session, once', async () => {
    const { auth, clock, send } = createWorld()
    const first = await send(twinToken(), 'c4b1f5be-6a49-4d53-8a0a-3d1b2b0e3d55')
    expect(first.status).toBe(200)
    const jar = cookiesOf(first)
    const claims = auth.getUnverifiedJwtClaims(jar['refresh_token_cookie'] ?? '')
    expect(claims).toMatchObject({ sub: isFlask ? 'test' : 7, gen: 1, type: 'refresh' })
    expect(await auth.sessions.list(isFlask ? 'test' : '7')).toHaveLength(1)
    clock.advance(31)
    const next = await send(jar['refresh_token_cookie'] ?? '', jar['csrf_refresh_token'] ?? '')
    expect(next.status).toBe(200)
    clock.advance(31)
    // Whoever kept a copy of the twin's token ends the session with it.
    const copy = await send(twinToken(), 'c4b1f5be-6a49-4d53-8a0a-3d1b2b0e3d55')
    expect([copy.status, Object.values((await copy.json()) as object)]).toEqual([
      401,
      ['Refresh token has already been used'],
    ])
    expect(await auth.sessions.list(isFlask ? 'test' : '7')).toEqual([])
    await auth.close()
  })

  test('a twin whose users were all signed out since gets nothing, nor does one whose tokens are not adopted', async () => {
    const { auth, send } = createWorld()
    await auth.sessions.revokeAll(isFlask ? 'test' : '7')
    const refused = await send(twinToken(), 'c4b1f5be-6a49-4d53-8a0a-3d1b2b0e3d55')
    expect([refused.status, Object.values((await refused.json()) as object)]).toEqual([
      401,
      ['Token has been revoked'],
    ])
    await auth.close()
    const closed = createWorld({ adoptStatelessTokens: false })
    const answered = await closed.send(twinToken(), 'c4b1f5be-6a49-4d53-8a0a-3d1b2b0e3d55')
    expect(answered.status).toBe(401)
    await closed.auth.close()
  })

  test('the access token of the twin is good here, and can be revoked', async () => {
    const { auth, web } = createWorld()
    const access = twinToken({ type: 'access', fresh: true, exp: startSeconds + 840 })
    const wire = { headers: { cookie: `access_token_cookie=${access}` } }
    expect(await answer({ web }, 'freshJwtRequired', wire)).toBe('200')
    await auth.revokeToken(access)
    expect(await answer({ web }, 'jwtRequired', wire)).toBe('401 Token has been revoked')
    await auth.close()
  })

  test('sessions rotate, end and answer as without a preset', async () => {
    const { auth, web, clock, send } = createWorld()
    const response = await act({ web }, { method: 'POST' }, (bound) => bound.login('test'))
    const jar = cookiesOf(response)
    const first = await send(jar['refresh_token_cookie'] ?? '', jar['csrf_refresh_token'] ?? '')
    expect(first.status).toBe(200)
    const renewed = cookiesOf(first)
    const [token = '', csrf = ''] = [renewed['refresh_token_cookie'], renewed['csrf_refresh_token']]
    clock.advance(31)
    const named = await auth.sessions.list('test')
    expect(named).toHaveLength(1)
    await auth.sessions.revoke(named[0]?.id ?? '')
    const ended = await send(token, csrf)
    expect([ended.status, ended.headers.getSetCookie().length]).toEqual([401, 4])
    await auth.close()
  })
})
