// What flask-jwt-extended 4.7.1 answered on Python 3.11 with PyJWT 2.6; cookies are its only location.

import { encode } from '../_setup.ts'
import { setAccess, setBoth, signed } from './_exchange.ts'
import type { Exchange, RecordedToken } from './_exchange.ts'

/** When it was recorded. */
export const recordedSeconds = 1_795_435_323

export const access: RecordedToken = {
  claims: {
    fresh: false,
    iat: 1_795_435_323,
    jti: '25be6b8c-5804-4249-bff5-d897c1ac6870',
    type: 'access',
    sub: 'test',
    nbf: 1_795_435_323,
    csrf: '0b3a99f2-dab9-40ba-b90e-398bb6a71c45',
    exp: 1_795_436_223,
  },
  signature: 'JqGkW-xzYrUJU2m4i9oHY3NuRmFQNnaz-8lcY_2vLR0',
}

export const refresh: RecordedToken = {
  claims: {
    fresh: false,
    iat: 1_795_435_323,
    jti: 'f0827dca-b03e-460a-8325-1a82df5fd822',
    type: 'refresh',
    sub: 'test',
    nbf: 1_795_435_323,
    csrf: '71f62722-d7a9-4d48-ad85-000f52814af7',
    exp: 1_798_027_323,
  },
  signature: 'RtyfFIDyQFoP-90j5t8jK7BrdV3C0QlyYC0St1jEAGQ',
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
const notBefore = signed({
  sub: 'test',
  nbf: 1_795_435_923,
  jti: 'j',
  exp: 1_795_436_223,
  type: 'access',
  fresh: false,
  csrf: 'c',
})
const withoutCsrf = signed({ sub: 'test', jti: 'j', exp: 1_795_436_224, type: 'access', fresh: false })

const get = (title: string, token: string, status: number, body: unknown, path = '/protected'): Exchange => ({
  title,
  path,
  headers: inAccess(token),
  status,
  body,
})
const refused = (status: number, msg: string): Pick<Exchange, 'status' | 'body'> => ({
  status,
  body: { msg },
})
const post = { method: 'POST', path: '/refresh' } as const
const logout = { method: 'DELETE', path: '/logout' } as const
const forbidden = { msg: 'The specified alg value is not allowed' }

export const cookieExchanges: readonly Exchange[] = [
  {
    title: 'login',
    method: 'POST',
    path: '/login',
    status: 200,
    body: { msg: 'login successful' },
    cookies: setBoth,
  },
  {
    title: 'protected without cookie',
    path: '/protected',
    ...refused(401, 'Missing cookie "access_token_cookie"'),
  },
  get('protected with cookie', signed(access.claims), 200, { user: 'test' }),
  {
    title: 'protected with the token in the Authorization header only',
    path: '/protected',
    headers: { authorization: `Bearer ${signed(access.claims)}` },
    ...refused(401, 'Missing cookie "access_token_cookie"'),
  },
  get('protected with a refresh token in the access cookie', signed(refresh.claims), 422, {
    msg: 'Only non-refresh tokens are allowed',
  }),
  get('one segment', 'abc', 422, { msg: 'Not enough segments' }),
  get('two dots, bad base64 header', 'a.b.c', 422, { msg: 'Invalid header padding' }),
  get('a header that is not JSON', 'YWJj.YWJj.YWJj', 422, {
    msg: 'Invalid header string: Expecting value: line 1 column 1 (char 0)',
  }),
  get('a header without alg', bare({ typ: 'JWT' }), 422, forbidden),
  get('alg none', bare({ alg: 'none', typ: 'JWT' }, ''), 422, forbidden),
  get('alg HS384', bare({ alg: 'HS384', typ: 'JWT' }), 422, forbidden),
  get('a changed signature', `${header}.${payload}.${'A'.repeat(43)}`, 422, {
    msg: 'Signature verification failed',
  }),
  get('expired', expired, 401, { msg: 'Token has expired' }),
  get('nbf in the future', notBefore, 422, { msg: 'The token is not yet valid (nbf)' }),
  get('no type claim: taken as an access token', signed({ sub: 'test' }), 200, { user: 'test' }),
  get('no sub claim', signed({ type: 'access' }), 422, { msg: 'Missing claim: sub' }),
  get(
    'a fresh endpoint with a token that is not',
    signed(access.claims),
    401,
    { msg: 'Fresh token required' },
    '/fresh',
  ),
  { title: 'optional without cookie', path: '/optional', status: 200, body: { user: null } },
  get('optional with an expired cookie', expired, 401, { msg: 'Token has expired' }, '/optional'),
  get('optional with a malformed cookie', 'abc', 422, { msg: 'Not enough segments' }, '/optional'),
  {
    title: 'logout: a token without csrf claim',
    ...logout,
    headers: { ...inAccess(withoutCsrf), 'x-csrf-token': 'x' },
    ...refused(422, 'Missing claim: csrf'),
  },
  { title: 'refresh without cookie', ...post, ...refused(401, 'Missing cookie "refresh_token_cookie"') },
  {
    title: 'refresh without CSRF value, its cookie alone',
    ...post,
    headers: { cookie: `refresh_token_cookie=${signed(refresh.claims)}; csrf_refresh_token=${refreshCsrf}` },
    ...refused(401, 'Missing CSRF token'),
  },
  {
    title: 'refresh with a wrong CSRF value',
    ...post,
    headers: inRefresh(signed(refresh.claims), 'wrong'),
    ...refused(401, 'CSRF double submit tokens do not match'),
  },
  {
    title: 'refresh',
    ...post,
    headers: inRefresh(signed(refresh.claims), refreshCsrf),
    status: 200,
    body: { msg: 'refreshed' },
    cookies: setAccess,
  },
  {
    title: 'refresh with an access token in the refresh cookie',
    ...post,
    headers: inRefresh(signed(access.claims), accessCsrf),
    ...refused(422, 'Only refresh tokens are allowed'),
  },
  {
    title: 'refresh, expired and without CSRF value',
    ...post,
    headers: inRefresh(expired),
    ...refused(401, 'Missing CSRF token'),
  },
  {
    title: 'refresh, expired and with a wrong CSRF value',
    ...post,
    headers: inRefresh(expired, 'wrong'),
    ...refused(401, 'CSRF double submit tokens do not match'),
  },
  {
    title: 'logout without CSRF value',
    ...logout,
    headers: inAccess(signed(access.claims)),
    ...refused(401, 'Missing CSRF token'),
  },
  {
    title: 'logout',
    ...logout,
    headers: { ...inAccess(signed(access.claims)), 'x-csrf-token': accessCsrf },
    status: 200,
    body: { msg: 'logout successful' },
    cookies: {
      access_token_cookie: ['Expires', 'HttpOnly', 'Path=/'],
      csrf_access_token: ['Expires', 'Path=/'],
      refresh_token_cookie: ['Expires', 'HttpOnly', 'Path=/'],
      csrf_refresh_token: ['Expires', 'Path=/'],
    },
  },
  get('an empty cookie', '', 401, { msg: 'Missing cookie "access_token_cookie"' }),
]

/** What the application answers, not the library. */
export const leftOut: readonly string[] = ['login wrong password']
