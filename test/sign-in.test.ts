/** Sign-in, refresh, sign-out and what a handler can read of them. */

import { describe, expect, test } from 'vitest'
import type { Authorize } from '../src/index.ts'
import { codeOf, cookiesOf, setup, startSeconds } from './_setup.ts'
import {
  act,
  codeOfResponse,
  countedRoute,
  errorOf,
  notedResponse,
  portOf,
  refreshing,
  requestOf,
} from './_wire.ts'
import { signIn, site, writing } from './_wire.ts'
import type { World } from './_wire.ts'

const fourNames = ['access_token_cookie', 'csrf_access_token', 'refresh_token_cookie', 'csrf_refresh_token']

/** The deletions of the four cookies by default. */
const fourDeletions = fourNames.map(
  (name) =>
    `${name}=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/; ${name.startsWith('csrf') ? '' : 'HttpOnly; '}Secure; SameSite=Lax`,
)

const claimsOf = (world: Pick<World, 'auth'>, token = ''): Record<string, unknown> =>
  world.auth.getUnverifiedJwtClaims(token)

/** The next access token by the refresh cookie, as a browser would get it. */
async function refreshed(
  world: World,
  options?: Parameters<Authorize['refresh']>[0],
): Promise<Record<string, unknown>> {
  const response = await act(world, { method: 'POST', headers: refreshing(world) }, (bound) =>
    bound.refresh(options),
  )
  expect(response.status).toBe(200)
  return claimsOf(world, cookiesOf(response)['access_token_cookie'])
}

describe('login', () => {
  test('gives two tokens of one sign-in, the access token fresh', async () => {
    const world = await signIn({}, { userClaims: { role: 'editor' } })
    const common = {
      sub: 'test',
      iat: startSeconds,
      nbf: startSeconds,
      auth_time: startSeconds,
      role: 'editor',
    }
    expect(claimsOf(world, world.access)).toMatchObject({
      ...common,
      type: 'access',
      fresh: true,
      exp: startSeconds + 900,
    })
    expect(claimsOf(world, world.refresh)).toMatchObject({
      ...common,
      type: 'refresh',
      exp: startSeconds + 2_592_000,
    })
    expect(claimsOf(world, world.refresh)).not.toHaveProperty('fresh')
    expect(Object.keys(claimsOf(world, world.access)).join(' ')).toBe(
      'sub iat nbf jti exp type fresh csrf auth_time role',
    )
    expect(world.response.headers.get('cache-control')).toBe('no-store')
  })

  test('is told whether the token is fresh, its audience, headers and algorithm', async () => {
    const { auth, web } = setup({ decodeAlgorithms: ['HS256', 'HS512'] })
    const tokens = await web.authorize(requestOf({})).login('test', {
      fresh: false,
      audience: ['a', 'b'],
      headers: { x: 1 },
      algorithm: 'HS512',
      maxAge: 60,
    })
    expect(auth.getUnverifiedJwtClaims(tokens.accessToken)).toMatchObject({ fresh: false, aud: ['a', 'b'] })
    expect(auth.getUnverifiedJwtClaims(tokens.refreshToken)).toMatchObject({ aud: ['a', 'b'] })
    for (const token of Object.values(tokens)) {
      expect(auth.getUnverifiedJwtHeaders(token)).toEqual({ alg: 'HS512', typ: 'JWT', x: 1 })
    }
  })

  test.for([
    ['an empty subject', ''],
    ['a number', 1],
    ['nothing', undefined],
  ] as const)('refuses %s as its subject and sets nothing', async ([, subject]) => {
    const { auth } = setup()
    const response = notedResponse()
    const error = await errorOf(() => auth.authorize(portOf({}), response).login(subject as string))
    expect(error).toBeInstanceOf(TypeError)
    expect(error.message).toContain('subject')
    expect(response.lines).toEqual([])
  })

  test('sets no cookies where cookies are no location, and asks for no origin there', async () => {
    const { web } = setup({ tokenLocation: ['headers'] })
    const response = await act(
      { web },
      { method: 'POST', headers: { origin: 'https://evil.example' } },
      (bound) => bound.login('test'),
    )
    expect([response.status, response.headers.getSetCookie()]).toEqual([200, []])
  })

  test('makes no token that its own guards would refuse as too large', async () => {
    const { web } = setup({ tokenLocation: ['headers'] })
    const login = web.authorize(requestOf({})).login('test', { userClaims: { text: 'x'.repeat(9000) } })
    await expect(login).rejects.toThrow(TypeError)
  })

  test('takes another site’s POST when it says so', async () => {
    const { web } = setup()
    const wire = {
      method: 'POST',
      headers: { origin: 'https://idp.example', 'sec-fetch-site': 'cross-site' },
    }
    const refused = await act({ web }, wire, (bound) => bound.login('test'))
    expect([refused.status, await codeOfResponse(refused)]).toEqual([403, 'origin_forbidden'])
    const taken = await act({ web }, wire, (bound) => bound.login('test', { crossSite: true }))
    expect(Object.keys(cookiesOf(taken))).toEqual(fourNames)
  })

  test('succeeds with a cookie that is there twice, and clears it first', async () => {
    const { web } = setup()
    const cookie = 'access_token_cookie=a; access_token_cookie=b'
    const response = await act({ web }, { method: 'POST', path: '/login', headers: { cookie } }, (bound) =>
      bound.login('test'),
    )
    const lines = response.headers.getSetCookie()
    expect(response.status).toBe(200)
    expect(Object.keys(cookiesOf(response))).toEqual(fourNames)
    const deletions = lines.filter((line) => line.includes('; Max-Age=0;'))
    expect(deletions.length).toBeGreaterThan(1)
    expect(deletions.every((line) => line.startsWith('access_token_cookie=;'))).toBe(true)
    expect(deletions.some((line) => line.includes('; Domain=app.example; Path=/;'))).toBe(true)
    expect(lines.slice(-4).every((line) => !line.includes('; Max-Age=0;'))).toBe(true)
  })
})

describe('refresh', () => {
  test('gives an access token that is not fresh and keeps auth_time, claims and audience', async () => {
    const { web, auth, clock } = setup()
    const tokens = await web
      .authorize(requestOf({}))
      .login('test', { audience: 'a', userClaims: { role: 'editor' } })
    clock.advance(600)
    const csrf = auth.getUnverifiedJwtClaims(tokens.refreshToken)['csrf'] as string
    const headers = { cookie: `refresh_token_cookie=${tokens.refreshToken}`, 'x-csrf-token': csrf }
    const request = requestOf({ method: 'POST', headers })
    const bound = web.authorize(request)
    const pair = await bound.refresh()
    expect(pair.refreshToken).toBe(tokens.refreshToken)
    const claims = auth.getUnverifiedJwtClaims(pair.accessToken)
    expect(claims).toMatchObject({
      sub: 'test',
      fresh: false,
      auth_time: startSeconds,
      iat: startSeconds + 600,
      aud: 'a',
      role: 'editor',
    })
    const lines = bound.respond(new Response()).headers.getSetCookie()
    expect(lines).toEqual([
      `access_token_cookie=${pair.accessToken}; Max-Age=900; Path=/; HttpOnly; Secure; SameSite=Lax`,
      `csrf_access_token=${claims['csrf'] as string}; Max-Age=900; Path=/; Secure; SameSite=Lax`,
    ])
    expect(bound.getCsrfToken()).toBe(claims['csrf'])
    expect(bound.getCsrfToken('refresh')).toBe(csrf)
    expect(bound.getJwtSubject()).toBe('test')
  })

  test.for([
    ['a value', { role: 'reader' }, { role: 'reader' }],
    ['an empty value', {}, {}],
    ['a function', (old: Record<string, unknown>) => ({ ...old, level: 2 }), { role: 'editor', level: 2 }],
    ['an asynchronous function', async () => ({ role: 'later' }), { role: 'later' }],
  ] as const)('replaces the user claims by %s', async ([, userClaims, expected]) => {
    const world = await signIn({}, { userClaims: { role: 'editor' } })
    const { role, level } = await refreshed(world, { userClaims })
    expect({ ...(role !== undefined && { role }), ...(level !== undefined && { level }) }).toEqual(expected)
    expect(claimsOf(world, world.refresh)).toMatchObject({ role: 'editor' })
  })

  test('sets nothing when the function of the claims fails', async () => {
    const world = await signIn()
    const response = notedResponse()
    const authorize = world.auth.authorize(portOf({ method: 'POST', headers: refreshing(world) }), response)
    const fail = (): never => {
      throw new RangeError('no roles')
    }
    await expect(authorize.refresh({ userClaims: fail })).rejects.toThrow(RangeError)
    expect([response.lines, authorize.getRawJwt()]).toEqual([[], null])
  })

  test('sets no cookies for a token that came by header, and asks for no CSRF value', async () => {
    const world = await signIn({ tokenLocation: ['headers', 'cookies'] })
    const response = await act(
      world,
      { method: 'POST', headers: { authorization: `Bearer ${world.refresh}` } },
      (bound) => bound.refresh(),
    )
    expect([response.status, response.headers.getSetCookie()]).toEqual([200, []])
  })

  test('ends with sessionExpires, however often it was used before', async () => {
    const world = await signIn({ accessTokenExpires: '1h', refreshTokenExpires: '1d', sessionExpires: '1d' })
    for (let hour = 1; hour <= 24; hour++) {
      world.clock.advance(3599)
      const { exp, auth_time: authTime } = await refreshed(world)
      expect(authTime).toBe(startSeconds)
      expect(exp).toBe(Math.min(world.clock() + 3600, startSeconds + 86_400))
    }
    world.clock.advance(24)
    const response = await act(world, { method: 'POST', headers: refreshing(world) }, (bound) =>
      bound.refresh(),
    )
    expect(await codeOfResponse(response)).toBe('token_expired')
    expect(response.headers.getSetCookie()).toEqual([])
  })

  test('never outlives sessionExpires with a refresh token that has no end of its own', async () => {
    const world = await signIn({ refreshTokenExpires: false, sessionExpires: '2d' })
    expect(claimsOf(world, world.refresh)).toMatchObject({ exp: startSeconds + 172_800 })
    world.clock.advance(172_799)
    expect(await refreshed(world)).toMatchObject({ exp: startSeconds + 172_800 })
    world.clock.advance(1)
    const response = await act(world, { method: 'POST', headers: refreshing(world) }, (bound) =>
      bound.refresh(),
    )
    expect(await codeOfResponse(response)).toBe('token_expired')
  })

  test.for([
    ['token_missing', () => ({})],
    ['csrf_missing', ({ cookie }: World) => ({ cookie })],
    ['csrf_mismatch', ({ cookie, accessCsrf }: World) => ({ cookie, 'x-csrf-token': accessCsrf })],
    [
      'wrong_token_type',
      ({ access, accessCsrf }: World) => ({
        cookie: `refresh_token_cookie=${access}`,
        'x-csrf-token': accessCsrf,
      }),
    ],
    ['token_invalid', () => ({ cookie: 'refresh_token_cookie=x', 'x-csrf-token': 'x' })],
    ['origin_forbidden', (world: World) => ({ ...refreshing(world), 'sec-fetch-site': 'cross-site' })],
  ] as const)('leaves the cookies as they are on %s', async ([code, headersOf]) => {
    const world = await signIn()
    const response = await act(world, { method: 'POST', headers: headersOf(world) }, (bound) =>
      bound.refresh(),
    )
    expect([await codeOfResponse(response), response.headers.getSetCookie()]).toEqual([code, []])
  })

  test('unsets all four on token_revoked, which no guard does', async () => {
    const world = await signIn({ denylist: () => true })
    const response = await act(world, { method: 'POST', headers: refreshing(world) }, (bound) =>
      bound.refresh(),
    )
    expect([await codeOfResponse(response), response.headers.getSetCookie()]).toEqual([
      'token_revoked',
      fourDeletions,
    ])
    expect(response.headers.get('cache-control')).toBe('no-store')
    for (const guard of [
      world.web.jwtRefreshTokenRequired(),
      world.web.jwtRequired(),
      world.web.jwtOptional(),
    ]) {
      const refused = await countedRoute(guard).call({ headers: { cookie: world.cookie } })
      expect([await codeOfResponse(refused), refused.headers.getSetCookie()]).toEqual(['token_revoked', []])
    }
  })

  const navigation = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }
  test.for([
    ['a navigation', 'GET', navigation, 'passed'],
    ['a navigation from another site', 'GET', { ...navigation, 'sec-fetch-site': 'cross-site' }, 'passed'],
    ['a form', 'POST', navigation, 'csrf_missing'],
    ['HEAD', 'HEAD', navigation, 'csrf_missing'],
    ['a frame', 'GET', { ...navigation, 'sec-fetch-dest': 'iframe' }, 'csrf_missing'],
    ['a prefetch', 'GET', { ...navigation, 'sec-purpose': 'prefetch' }, 'csrf_missing'],
    ['an empty purpose', 'GET', { ...navigation, 'sec-purpose': '' }, 'csrf_missing'],
    ['a fetch', 'GET', { ...navigation, 'sec-fetch-mode': 'cors' }, 'csrf_missing'],
    ['no metadata', 'GET', {}, 'csrf_missing'],
    ['capitals', 'GET', { ...navigation, 'sec-fetch-mode': 'Navigate' }, 'csrf_missing'],
  ] as const)('by navigation takes or refuses %s', async ([, method, headers, code]) => {
    const { auth, cookie } = await signIn()
    const authorize = auth.authorize(portOf({ method, headers: { cookie, ...headers } }), notedResponse())
    expect(await codeOf(() => authorize.refresh({ navigation: true }))).toBe(code)
    const strict = auth.authorize(portOf({ method, headers: { cookie, ...headers } }), notedResponse())
    expect(await codeOf(() => strict.refresh())).toMatch(/^(?:csrf_missing|origin_forbidden)$/)
  })
})

describe('logout', () => {
  test.for([
    ['both tokens', (world: World) => writing(world)],
    [
      'the refresh token alone',
      ({ refresh, refreshCsrf }: World) => ({
        cookie: `refresh_token_cookie=${refresh}`,
        'x-csrf-token': refreshCsrf,
      }),
    ],
    ['no token', () => ({})],
    ['garbage', () => ({ cookie: 'access_token_cookie=x; refresh_token_cookie=y' })],
    [
      'a live refresh token beside a bad access token',
      ({ refresh, refreshCsrf }: World) => ({
        cookie: `access_token_cookie=x; refresh_token_cookie=${refresh}`,
        'x-csrf-token': refreshCsrf,
      }),
    ],
  ] as const)('unsets all four with %s', async ([, headersOf]) => {
    const world = await signIn()
    let result: unknown
    const response = await act(world, { method: 'DELETE', headers: headersOf(world) }, async (bound) => {
      result = await bound.logout()
    })
    expect([response.status, result]).toEqual([200, { revoked: false }])
    expect(response.headers.getSetCookie()).toEqual(fourDeletions)
    expect(response.headers.get('cache-control')).toBe('no-store')
  })

  test('asks for no CSRF value once both tokens have expired', async () => {
    const world = await signIn()
    world.clock.advance(2_592_001)
    const response = await act(world, { method: 'POST', headers: { cookie: world.cookie } }, (bound) =>
      bound.logout(),
    )
    expect(response.headers.getSetCookie()).toEqual(fourDeletions)
  })

  test('asks for the value on every method, also on GET', async () => {
    const world = await signIn()
    const response = await act(world, { headers: { cookie: world.cookie } }, (bound) => bound.logout())
    expect([await codeOfResponse(response), response.headers.getSetCookie()]).toEqual(['csrf_missing', []])
  })

  test('checks the origin without a token too', async () => {
    const response = await act(
      setup(),
      { method: 'POST', headers: { 'sec-fetch-site': 'cross-site' } },
      (bound) => bound.logout(),
    )
    expect([await codeOfResponse(response), response.headers.getSetCookie()]).toEqual([
      'origin_forbidden',
      [],
    ])
  })

  test('tells observers where the token lay whose value did not match', async () => {
    const world = await signIn()
    await act(world, { method: 'POST', headers: { cookie: world.cookie, 'x-csrf-token': 'x' } }, (bound) =>
      bound.logout(),
    )
    expect(world.events).toEqual([{ type: 'rejected', code: 'csrf_mismatch', location: 'cookies' }])
  })

  test('never fails because a cookie is there twice, and clears it', async () => {
    const world = await signIn()
    const cookie = `${world.cookie}; access_token_cookie=evil; refresh_token_cookie=evil`
    const response = await act(world, { method: 'POST', path: '/a/logout', headers: { cookie } }, (bound) =>
      bound.logout(),
    )
    const lines = response.headers.getSetCookie()
    expect(response.status).toBe(200)
    expect(lines).toEqual(expect.arrayContaining(fourDeletions))
    expect(lines.some((line) => /^access_token_cookie=;.*; Domain=app\.example; Path=\/a;/.test(line))).toBe(
      true,
    )
    expect(cookiesOf(response)).toEqual({})
  })

  test('unsets nothing where cookies are no location', async () => {
    const response = await act(setup({ tokenLocation: ['headers'] }), { method: 'POST' }, (bound) =>
      bound.logout(),
    )
    expect([response.status, response.headers.getSetCookie()]).toEqual([200, []])
  })
})

describe('readers', () => {
  test.for([
    ['claims', 'jwtRequired'],
    ['subject', 'jwtRequired'],
    ['user', 'jwtRequired'],
    ['getCsrfToken', 'jwtRequired'],
  ] as const)('%s() names the missing guard %s', async ([name, guard]) => {
    const { web } = setup({ userLookup: () => ({}) })
    const bound = web.authorize(requestOf({}))
    const error = await errorOf(() => bound[name]())
    expect(error).toBeInstanceOf(TypeError)
    expect(error.message).toContain(name)
    expect(error.message).toContain(guard)
  })

  test('give what the guard has established', async () => {
    const world = await signIn(
      { userLookup: ({ sub }) => ({ name: sub }) },
      { userClaims: { role: 'editor' } },
    )
    const bound = world.web.authorize(requestOf({ headers: { cookie: world.cookie } }))
    const claims = await bound.jwtRequired()
    expect([bound.claims(), bound.getRawJwt()]).toEqual([claims, claims])
    expect([bound.subject(), bound.getJwtSubject()]).toEqual(['test', 'test'])
    expect(bound.user()).toEqual({ name: 'test' })
    expect(bound.getJti()).toBe(claims.jti)
    expect(bound.getJwtHeaders()).toEqual({ alg: 'HS256', typ: 'JWT' })
    expect(bound.getTokenLocation()).toBe('cookies')
    expect(bound.getCsrfToken()).toBe(world.accessCsrf)
    await expect(errorOf(() => bound.getCsrfToken('refresh'))).resolves.toMatchObject({
      message: expect.stringContaining('jwtRefreshTokenRequired'),
    })
    expect(Object.isFrozen(claims)).toBe(true)
  })

  test('give nothing before a guard, after one that refused, and for nobody', async () => {
    const world = await signIn()
    const bound = world.web.authorize(
      requestOf({ method: 'POST', headers: { cookie: world.cookie, 'x-csrf-token': 'x' } }),
    )
    const values = (): unknown[] => [
      bound.getRawJwt(),
      bound.getJwtSubject(),
      bound.getJti(),
      bound.getJwtHeaders(),
      bound.getTokenLocation(),
    ]
    expect(values()).toEqual(Array(5).fill(null))
    expect(await codeOf(() => bound.jwtRequired())).toBe('csrf_mismatch')
    expect(values()).toEqual(Array(5).fill(null))
    const nobody = world.web.authorize(requestOf({}))
    expect(await nobody.jwtOptional()).toBeNull()
    expect((await errorOf(() => nobody.subject())).message).toContain('jwtOptional')
  })

  test('user() needs userLookup', async () => {
    const bound = setup().web.authorize(requestOf({}))
    expect((await errorOf(() => bound.user())).message).toContain('userLookup')
  })

  test('one request gives one object for one Auth, and no other Auth shares it', async () => {
    const [one, other] = [setup(), setup()]
    const request = requestOf({})
    expect(one.web.authorize(request)).toBe(one.web.authorize(request))
    expect(one.web.authorize(request)).not.toBe(other.web.authorize(request))
    expect(one.web.authorize(new Request(site))).not.toBe(one.web.authorize(request))
  })
})

describe('tokens made by hand', () => {
  test('belong to the sign-in that the guard has found, for the same subject only', async () => {
    const world = await signIn()
    world.clock.advance(60)
    const bound = world.web.authorize(requestOf({ headers: { cookie: world.cookie } }))
    expect(claimsOf(world, await bound.createAccessToken('test'))).not.toHaveProperty('auth_time')
    await bound.jwtRequired()
    expect(claimsOf(world, await bound.createAccessToken('test'))).toMatchObject({
      auth_time: startSeconds,
      fresh: false,
    })
    expect(claimsOf(world, await bound.createRefreshToken('test'))).toMatchObject({
      auth_time: startSeconds,
      type: 'refresh',
    })
    expect(claimsOf(world, await bound.createAccessToken('other'))).not.toHaveProperty('auth_time')
    expect(claimsOf(world, await world.auth.createAccessToken('test'))).not.toHaveProperty('auth_time')
  })

  test('end with the sign-in', async () => {
    const world = await signIn({ accessTokenExpires: '1h', refreshTokenExpires: '1h', sessionExpires: '1h' })
    const bound = world.web.authorize(requestOf({ headers: { cookie: world.cookie } }))
    await bound.jwtRequired()
    world.clock.advance(1800)
    expect(claimsOf(world, await bound.createRefreshToken('test'))).toMatchObject({
      exp: startSeconds + 3600,
    })
  })
})
