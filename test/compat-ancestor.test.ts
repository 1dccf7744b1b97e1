/** The ancestor's own tests that our defaults answer otherwise, number by number, under its preset. */

import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { createAuth } from '../src/index.ts'
import type { AuthOptions, GuardOptions } from '../src/index.ts'
import { forge, goodClaims, secretKey, setup } from './_setup.ts'
import { countedRoute, signIn, site } from './_wire.ts'
import type { Wire, World } from './_wire.ts'

const compat = 'fastapi-jwt-auth'
const head = { alg: 'HS256', typ: 'JWT' }
const guards = ['jwtRequired', 'jwtOptional', 'freshJwtRequired'] as const
type GuardName = (typeof guards)[number] | 'jwtRefreshTokenRequired'

const preset = (options: AuthOptions = {}): Pick<World, 'auth' | 'web' | 'clock'> =>
  setup({ compat, ...options })
const inCookies = async (options: AuthOptions = {}): Promise<World> =>
  signIn({ compat, tokenLocation: ['cookies'], ...options })
const header = (token: string): Wire => ({ headers: { authorization: `Bearer ${token}` } })
const raw = (authorization: string): Wire => ({ headers: { authorization } })

async function answer(
  { web }: Pick<World, 'web'>,
  guard: GuardName,
  wire: Wire,
  options?: GuardOptions,
): Promise<string> {
  const response = await countedRoute(web[guard](options)).call(wire)
  if (response.status === 200) return '200'
  return `${response.status} ${((await response.json()) as { readonly detail: string }).detail}`
}

test('1: the defaults', () => {
  expect(createAuth({ compat, secretKey }).options).toMatchObject({
    tokenLocation: ['headers'],
    algorithm: 'HS256',
    decodeAlgorithms: ['HS256'],
    decodeLeeway: 0,
    denylistEnabled: false,
    headerName: 'Authorization',
    headerType: 'Bearer',
    accessTokenExpires: 900,
    refreshTokenExpires: 2_592_000,
    accessCookieKey: 'access_token_cookie',
    refreshCookieKey: 'refresh_token_cookie',
    cookieMaxAge: 'session',
    cookieDomain: undefined,
    cookieSecure: false,
    cookieSamesite: undefined,
    cookieCsrfProtect: true,
    accessCsrfCookieKey: 'csrf_access_token',
    refreshCsrfCookieKey: 'csrf_refresh_token',
    accessCsrfHeaderName: 'X-CSRF-Token',
    refreshCsrfHeaderName: 'X-CSRF-Token',
    csrfMethods: ['POST', 'PUT', 'PATCH', 'DELETE'],
  })
})

test('14, 15: a token from before CSRF protection was on', async () => {
  const [world, off] = [await inCookies(), await inCookies({ cookieCsrfProtect: false })]
  for (const guard of [...guards, 'jwtRefreshTokenRequired'] as const) {
    const headers = { cookie: off.cookie, 'x-csrf-token': 'x' }
    expect(await answer(world, guard, { method: 'POST', headers })).toBe('422 Missing claim: csrf')
  }
})

describe('test_decode_token.py', () => {
  test('25: shape, key, end, algorithm, and a token of somebody else without an end', async () => {
    const world = preset()
    expect(await answer(world, 'jwtRequired', header('test'))).toBe('422 Not enough segments')
    const strange = header(forge(head, goodClaims(), 'another key'))
    expect(await answer(world, 'jwtRequired', strange)).toBe('422 Signature verification failed')
    const other = header(forge({ alg: 'HS384' }, goodClaims(), secretKey, 'sha384'))
    expect(await answer(world, 'jwtRequired', other)).toBe('422 The specified alg value is not allowed')
    const foreign = forge(head, { jti: '123', sub: 'test', type: 'access', fresh: true })
    expect(await answer(world, 'jwtRequired', header(foreign))).toBe('200')
    const ours = header(await world.auth.createAccessToken('test'))
    world.clock.advance(900)
    expect(await answer(world, 'jwtRequired', ours)).toBe('422 Signature has expired')
  })

  test('30: the issuer', async () => {
    const [none, wanted] = [preset(), preset({ decodeIssuer: 'urn:foo' })]
    const token = header(forge(head, goodClaims()))
    expect(await answer(none, 'jwtRequired', token)).toBe('200')
    expect(await answer(wanted, 'jwtRequired', token)).toBe('422 Token is missing the "iss" claim')
    const wrong = header(forge(head, goodClaims({ iss: 'urn:bar' })))
    expect(await answer(wanted, 'jwtRequired', wrong)).toBe('422 Invalid issuer')
  })

  test('32: no audience in common, or none at all', async () => {
    const world = preset({ decodeAudience: 'foo' })
    for (const audience of ['bar', ['bar'], ['bar', 'baz']]) {
      const access = header(await world.auth.createAccessToken('test', { audience }))
      expect(await answer(world, 'jwtRequired', access)).toBe('422 Invalid audience')
    }
    const refresh = header(await world.auth.createRefreshToken('test'))
    expect(await answer(world, 'jwtRefreshTokenRequired', refresh)).toBe(
      '422 Token is missing the "aud" claim',
    )
  })

  test('33, 34: algorithms that are not allowed', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const token = header(forge(head, goodClaims()))
    const forbidden = '422 The specified alg value is not allowed'
    expect(await answer(preset({ algorithm: 'HS384' }), 'jwtRequired', token)).toBe(forbidden)
    expect(await answer(preset({ algorithm: 'RS256', privateKey }), 'jwtRequired', token)).toBe(forbidden)
  })
})

describe('test_headers.py', () => {
  const bad = "422 Bad Authorization header. Expected value 'Bearer <JWT>'"

  test('40, 41, 42: a header without a token, of another scheme, and with what is none', async () => {
    for (const value of ['Bearer', 'Bearer ', 'Test asd', 'Test ']) {
      expect(await answer(preset(), 'jwtRequired', raw(value))).toBe(bad)
    }
    expect(await answer(preset(), 'jwtRequired', raw('Bearer asd'))).toBe('422 Not enough segments')
  })

  test('46, 47: another name, another scheme, and none', async () => {
    const named = preset({ headerName: 'Foo' })
    expect(await answer(named, 'jwtRequired', raw('Bearer x'))).toBe('401 Missing Foo Header')
    expect(await answer(named, 'jwtRequired', { headers: { foo: 'Bearer test test' } })).toBe(
      "422 Bad Foo header. Expected value 'Bearer <JWT>'",
    )
    const typed = preset({ headerType: 'JWT' })
    const token = await typed.auth.createAccessToken('test')
    expect(await answer(typed, 'jwtRequired', raw(`Bearer ${token}`))).toBe(
      "422 Bad Authorization header. Expected value 'JWT <JWT>'",
    )
    expect(await answer(typed, 'jwtRequired', raw(`JWT ${token}`))).toBe('200')
    const bare = preset({ headerType: '' })
    expect(await answer(bare, 'jwtRequired', raw(`JWT ${token}`))).toBe(
      "422 Bad Authorization header. Expected value '<JWT>'",
    )
    expect(await answer(bare, 'jwtRequired', raw(token))).toBe('200')
  })
})

test('50, 53: the other type of token', async () => {
  const world = preset()
  const [access, refresh] = [
    await world.auth.createAccessToken('a'),
    await world.auth.createRefreshToken('a'),
  ]
  for (const guard of guards) {
    expect(await answer(world, guard, header(refresh))).toBe('422 Only access tokens are allowed')
  }
  expect(await answer(world, 'jwtRefreshTokenRequired', header(access))).toBe(
    '422 Only refresh tokens are allowed',
  )
})

describe('test_websocket.py, with tokens given by hand', () => {
  test('55, 58: a token that is not there', async () => {
    const world = preset()
    const given = { token: undefined }
    expect(await answer(world, 'jwtRequired', {}, given)).toBe('401 Missing access token from Query or Path')
    expect(await answer(world, 'freshJwtRequired', {}, given)).toBe(
      '401 Missing access token from Query or Path',
    )
    expect(await answer(world, 'jwtRefreshTokenRequired', {}, given)).toBe(
      '401 Missing refresh token from Query or Path',
    )
    expect(await answer(world, 'jwtOptional', {}, given)).toBe('200')
  })

  test('56, 57, 58, 59, 60: each guard with its token', async () => {
    const world = preset()
    const access = await world.auth.createAccessToken('a', { fresh: true })
    const refresh = await world.auth.createRefreshToken('a')
    for (const guard of guards) {
      expect(await answer(world, guard, {}, { token: access })).toBe('200')
      expect(await answer(world, guard, {}, { token: refresh })).toBe('422 Only access tokens are allowed')
    }
    expect(await answer(world, 'jwtRefreshTokenRequired', {}, { token: refresh })).toBe('200')
    const stale = await world.auth.createAccessToken('a')
    expect(await answer(world, 'freshJwtRequired', {}, { token: stale })).toBe('401 Fresh token required')
  })

  test('62, 63, 64, 65, 66: the cookie of a handshake and its CSRF value', async () => {
    const [world, off] = [await inCookies(), await inCookies({ cookieCsrfProtect: false })]
    const shake = (cookie: string): Wire => ({
      headers: {
        upgrade: 'websocket',
        connection: 'Upgrade',
        origin: site,
        ...(cookie !== '' && { cookie }),
      },
    })
    for (const guard of [...guards, 'jwtRefreshTokenRequired'] as const) {
      const isRefresh = guard === 'jwtRefreshTokenRequired'
      const ask = async (on: World, cookie: string, csrfToken: string | undefined): Promise<string> =>
        answer(on, guard, shake(cookie), { csrfToken })
      const missing = `401 Missing cookie ${isRefresh ? 'refresh' : 'access'}_token_cookie`
      expect(await ask(world, '', 'x')).toBe(guard === 'jwtOptional' ? '200' : missing)
      expect(await ask(world, world.cookie, undefined)).toBe('401 Missing CSRF Token')
      expect(await ask(off, off.cookie, undefined)).toBe('200')
      expect(await ask(world, off.cookie, 'x')).toBe('422 Missing claim: csrf')
      expect(await ask(world, world.cookie, 'x')).toBe('401 CSRF double submit tokens do not match')
      expect(await ask(world, world.cookie, isRefresh ? world.refreshCsrf : world.accessCsrf)).toBe('200')
    }
  })
})
