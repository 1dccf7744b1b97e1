// What fastapi-jwt-auth 0.5.0 answered on Python 3.11 with PyJWT 2.6, its example of cookies with CSRF and the basic one.

import { encode } from '../_setup.ts'
import { setAccess, setBoth, signed } from './_exchange.ts'
import type { Exchange, RecordedToken } from './_exchange.ts'

/** When it was recorded. */
export const recordedSeconds = 1_795_435_201

export const access: RecordedToken = {
  claims: {
    sub: 'test',
    iat: 1_795_435_201,
    nbf: 1_795_435_201,
    jti: '91114e8c-5567-443e-8bef-b95c2d88b15a',
    exp: 1_795_436_101,
    type: 'access',
    fresh: false,
    csrf: 'f679f699-3f90-4fac-85db-a4d5c8ae3731',
  },
  signature: 'fphQkhFPKBYgXq9nrJdUkflTujQ6AnUqsJNUS_jFXX4',
}

export const refresh: RecordedToken = {
  claims: {
    sub: 'test',
    iat: 1_795_435_201,
    nbf: 1_795_435_201,
    jti: 'da3aa38f-13d7-4e60-9a27-cc43d09fe34e',
    exp: 1_798_027_201,
    type: 'refresh',
    csrf: '4b114359-2bd6-4e71-b45c-95f90a9a6eab',
  },
  signature: 'f5smAOn1wOPvSyVYxt6CSnDWxX4c3zKZzKoJ4a00CvY',
}

/** Where cookies are no location, tokens carry no CSRF value. */
export const inHeader: RecordedToken = {
  claims: {
    sub: 'test',
    iat: 1_795_436_194,
    nbf: 1_795_436_194,
    jti: 'd47d27a2-521d-4bb4-8644-63f43da28b1b',
    exp: 1_795_437_094,
    type: 'access',
    fresh: false,
  },
  signature: '4-_2c4MPT4TGG2YDKEr-E8tsD_AzyLnYrqblsraM8ik',
}

const accessCsrf = String(access.claims['csrf'])
const refreshCsrf = String(refresh.claims['csrf'])

const inAccess = (token: string): Readonly<Record<string, string>> => ({
  cookie: `access_token_cookie=${token}`,
})
const inRefresh = (token: string, csrf?: string): Readonly<Record<string, string>> => ({
  cookie: `refresh_token_cookie=${token}`,
  ...(csrf !== undefined && { 'x-csrf-token': csrf }),
})
const bare = (header: unknown, signature = encode('abc')): string =>
  `${encode(header)}.${encode({})}.${signature}`
const [header = '', payload = ''] = signed(access.claims).split('.')

const expired = signed({
  sub: 'test',
  iat: 1_600_000_000,
  nbf: 1_600_000_000,
  jti: 'j',
  exp: 1_600_000_900,
  type: 'access',
  fresh: false,
  csrf: 'c',
})
const later = { jti: 'j', exp: 1_795_436_701, type: 'access', fresh: false, csrf: 'c' }
const notBefore = signed({ sub: 'test', iat: 1_795_435_201, nbf: 1_795_435_801, ...later })
const issuedLater = signed({ sub: 'test', iat: 1_795_435_801, ...later })
const withoutCsrf = signed({ sub: 'test', jti: 'j', exp: 1_795_436_101, type: 'access', fresh: false })

const get = (title: string, token: string, status: number, body: unknown, defect?: string): Exchange => ({
  title,
  path: '/protected',
  headers: inAccess(token),
  status,
  body,
  ...(defect !== undefined && { defect }),
})
const refused = (status: number, detail: string): Pick<Exchange, 'status' | 'body'> => ({
  status,
  body: { detail },
})
const post = { method: 'POST', path: '/refresh' } as const
const logout = { method: 'DELETE', path: '/logout' } as const
const fell = 'it fell over: 500 Internal Server Error'
const forbidden = { detail: 'The specified alg value is not allowed' }

/** With cookies as the only location. */
export const cookieExchanges: readonly Exchange[] = [
  {
    title: 'login',
    method: 'POST',
    path: '/login',
    status: 200,
    body: { msg: 'Successfully login' },
    cookies: setBoth,
  },
  {
    title: 'protected without cookie',
    path: '/protected',
    ...refused(401, 'Missing cookie access_token_cookie'),
  },
  get('protected with cookie', signed(access.claims), 200, { user: 'test' }),
  {
    title: 'protected with the token in the Authorization header only',
    path: '/protected',
    headers: { authorization: `Bearer ${signed(access.claims)}` },
    ...refused(401, 'Missing cookie access_token_cookie'),
  },
  get('protected with a refresh token in the access cookie', signed(refresh.claims), 422, {
    detail: 'Only access tokens are allowed',
  }),
  get('one segment', 'abc', 422, { detail: 'Not enough segments' }),
  get('two dots, bad base64 header', 'a.b.c', 422, { detail: 'Invalid header padding' }),
  get('a header that is not JSON', 'YWJj.YWJj.YWJj', 422, {
    detail: 'Invalid header string: Expecting value: line 1 column 1 (char 0)',
  }),
  get('a header without alg', bare({ typ: 'JWT' }), 422, forbidden, fell),
  get('alg none', bare({ alg: 'none', typ: 'JWT' }, ''), 422, forbidden, fell),
  get('alg HS384, known and not allowed', bare({ alg: 'HS384', typ: 'JWT' }), 422, forbidden),
  get('alg RS256 without a public key', bare({ alg: 'RS256', typ: 'JWT' }), 422, forbidden, fell),
  get('a changed signature', `${header}.${payload}.${'A'.repeat(43)}`, 422, {
    detail: 'Signature verification failed',
  }),
  get('expired', expired, 422, { detail: 'Signature has expired' }),
  get('nbf in the future', notBefore, 422, { detail: 'The token is not yet valid (nbf)' }),
  get('iat in the future', issuedLater, 422, { detail: 'The token is not yet valid (iat)' }),
  get('no type claim', signed({ sub: 'test' }), 422, { detail: 'Missing claim: jti' }, fell),
  {
    title: 'logout: a token without csrf claim',
    ...logout,
    headers: { ...inAccess(withoutCsrf), 'x-csrf-token': 'x' },
    ...refused(422, 'Missing claim: csrf'),
  },
  { title: 'refresh without cookie', ...post, ...refused(401, 'Missing cookie refresh_token_cookie') },
  {
    title: 'refresh without CSRF value, its cookie alone',
    ...post,
    headers: { cookie: `refresh_token_cookie=${signed(refresh.claims)}; csrf_refresh_token=${refreshCsrf}` },
    ...refused(401, 'Missing CSRF Token'),
  },
  {
    title: 'refresh with a wrong CSRF value',
    ...post,
    headers: inRefresh(signed(refresh.claims), 'wrong'),
    ...refused(401, 'CSRF double submit tokens do not match'),
  },
  {
    title: 'refresh with the CSRF value of the access token',
    ...post,
    headers: inRefresh(signed(refresh.claims), accessCsrf),
    ...refused(401, 'CSRF double submit tokens do not match'),
  },
  {
    title: 'refresh',
    ...post,
    headers: inRefresh(signed(refresh.claims), refreshCsrf),
    status: 200,
    body: { msg: 'The token has been refresh' },
    cookies: setAccess,
  },
  {
    title: 'refresh with an access token in the refresh cookie',
    ...post,
    headers: inRefresh(signed(access.claims), accessCsrf),
    ...refused(422, 'Only refresh tokens are allowed'),
  },
  {
    title: 'refresh with a CSRF value that is not ASCII',
    ...post,
    headers: inRefresh(signed(refresh.claims), 'é'),
    ...refused(401, 'CSRF double submit tokens do not match'),
    defect: fell,
  },
  {
    title: 'refresh, expired and without CSRF value',
    ...post,
    headers: inRefresh(expired),
    ...refused(401, 'Missing CSRF Token'),
  },
  {
    title: 'refresh, expired and with a wrong CSRF value',
    ...post,
    headers: inRefresh(expired, 'wrong'),
    ...refused(422, 'Signature has expired'),
  },
  {
    title: 'logout without CSRF value',
    ...logout,
    headers: inAccess(signed(access.claims)),
    ...refused(401, 'Missing CSRF Token'),
  },
  {
    title: 'logout',
    ...logout,
    headers: { ...inAccess(signed(access.claims)), 'x-csrf-token': accessCsrf },
    status: 200,
    body: { msg: 'Successfully logout' },
    cookies: {
      access_token_cookie: ['Expires', 'HttpOnly', 'Max-Age=0', 'Path=/'],
      csrf_access_token: ['Expires', 'Max-Age=0', 'Path=/'],
      refresh_token_cookie: ['Expires', 'HttpOnly', 'Max-Age=0', 'Path=/'],
      csrf_refresh_token: ['Expires', 'Max-Age=0', 'Path=/'],
    },
    defect: 'it forgot the attributes that the cookies were set with, and added SameSite=lax',
  },
  get('protected after logout: stateless, the same token is good', signed(access.claims), 200, {
    user: 'test',
  }),
  get('an empty cookie', '', 401, { detail: 'Missing cookie access_token_cookie' }),
]

const inHeaders = (
  title: string,
  authorization: string | undefined,
  status: number,
  body: unknown,
): Exchange => ({
  title,
  path: '/protected',
  ...(authorization !== undefined && { headers: { authorization } }),
  status,
  body,
})
const badHeader = { detail: "Bad Authorization header. Expected value 'Bearer <JWT>'" }
const token = signed(inHeader.claims)

/** With headers as the only location, which is what it does unless told. */
export const headerExchanges: readonly Exchange[] = [
  inHeaders('no Authorization header', undefined, 401, { detail: 'Missing Authorization Header' }),
  inHeaders('a good header', `Bearer ${token}`, 200, { user: 'test' }),
  inHeaders('the token only', token, 422, badHeader),
  inHeaders('the scheme only', 'Bearer', 422, badHeader),
  inHeaders('another scheme', 'Basic dGVzdDp0ZXN0', 422, badHeader),
  inHeaders('the scheme in lower case', `bearer ${token}`, 422, badHeader),
  inHeaders('three parts', 'Bearer a b', 422, badHeader),
  inHeaders('a malformed token', 'Bearer abc', 422, { detail: 'Not enough segments' }),
]

/** What the application or its framework answers, not the library. */
export const leftOut: readonly string[] = [
  'login wrong password',
  'login without body',
  'login: field missing',
  'basic.py login OK',
]
