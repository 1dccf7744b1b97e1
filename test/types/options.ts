/** What `createAuth`, guards and cookies can be told, and what they cannot; compiled, never run. */

import { createPublicKey, createSecretKey } from 'node:crypto'
import { createAuth, optionsFromEnv } from '../../src/index.ts'
import type { Auth, AuthEvent, AuthOptions, AuthRequest, AuthResponse } from '../../src/index.ts'
import { expectNoAny, expectType } from './_assert.ts'
import type { Equal } from './_assert.ts'

declare const request: AuthRequest
declare const response: AuthResponse

// ---- Options ----

createAuth({ secretKey: process.env['AUTHJWT_SECRET_KEY'] })
createAuth(optionsFromEnv(process.env))
createAuth({ ...optionsFromEnv(process.env), tokenLocation: ['headers', 'cookies'] })
createAuth({
  secretKey: createSecretKey(Buffer.alloc(64)),
  accessTokenExpires: '15m',
  refreshTokenExpires: false,
})
createAuth({ publicKey: createPublicKey(''), algorithm: 'EdDSA', decodeAlgorithms: ['EdDSA'] as const })
createAuth({
  privateKey: { kty: 'EC', crv: 'P-256', x: '', y: '', d: '' },
  algorithm: 'ES256',
  maxTokenAge: 60,
})
createAuth({ secretKey: new Uint8Array(64), statusCodes: { token_missing: 403, token_invalid: undefined } })
createAuth({
  secretKey: 'x',
  previousCookies: [{ path: '/api' }, { domain: 'example.com' }],
  cookieMaxAge: 'session',
})
createAuth({ secretKey: 'x', decodeAudience: ['a', 'b'], encodeAudience: 'a', decodeIssuer: 'issuer' })

/** `undefined` means not given, for every option. */
const unset: { [Name in keyof AuthOptions]-?: undefined } = {} as never
createAuth(unset)

createAuth({
  secretKey: 'x',
  onEvent(event) {
    expectType<Equal<typeof event, AuthEvent>>()
    if (event.type === 'rejected') expectNoAny<typeof event.code>(event.code)
    else if (event.type === 'cookie.insecure_transport') expectType<Equal<typeof event.host, string>>()
  },
})

// @ts-expect-error options are not left out
createAuth()
// @ts-expect-error misspelled
createAuth({ secretkey: 'x' })
// @ts-expect-error the ancestor's spelling
createAuth({ authjwt_secret_key: 'x' })
// @ts-expect-error a number is no key
createAuth({ secretKey: 1 })
// @ts-expect-error never
createAuth({ secretKey: 'x', algorithm: 'none' })
// @ts-expect-error names are exact
createAuth({ secretKey: 'x', decodeAlgorithms: ['hs256'] })
// @ts-expect-error a list
createAuth({ secretKey: 'x', tokenLocation: 'cookies' })
// @ts-expect-error no such place
createAuth({ secretKey: 'x', tokenLocation: ['body'] })
// @ts-expect-error lower-case
createAuth({ secretKey: 'x', cookieSamesite: 'Lax' })
// @ts-expect-error no other prefix
createAuth({ secretKey: 'x', cookiePrefix: '__Http-' })
// @ts-expect-error a boolean, not a text of the environment
createAuth({ secretKey: 'x', cookieSecure: 'true' })
// @ts-expect-error a unit is missing
createAuth({ secretKey: 'x', accessTokenExpires: '15' })
// @ts-expect-error no such unit
createAuth({ secretKey: 'x', accessTokenExpires: '15min' })
// @ts-expect-error `true` is no lifetime
createAuth({ secretKey: 'x', refreshTokenExpires: true })
// @ts-expect-error there is always an end to a session
createAuth({ secretKey: 'x', sessionExpires: false })
// @ts-expect-error HttpOnly of token cookies is not an option
createAuth({ secretKey: 'x', cookieHttpOnly: false })
// @ts-expect-error an unknown code
createAuth({ secretKey: 'x', statusCodes: { token_lost: 401 } })
// @ts-expect-error exact origins, no patterns
createAuth({ secretKey: 'x', trustedOrigins: [/example/] })
// @ts-expect-error 'throw' or 'anonymous'
createAuth({ secretKey: 'x', optionalErrors: 'ignore' })
// @ts-expect-error seconds, not a Date
createAuth({ secretKey: 'x', clock: () => new Date() })

const auth = createAuth({ secretKey: 'x' })
expectType<Equal<typeof auth.options.accessTokenExpires, number | false>>()
expectType<Equal<typeof auth.options.cookieSecure, boolean>>()
expectNoAny<typeof auth.options>(auth.options)
// @ts-expect-error key material does not stand in the options
void auth.options.secretKey
// @ts-expect-error they are frozen
auth.options.cookieSecure = false
// @ts-expect-error and so is where they stand
auth.options = createAuth({ secretKey: 'y' }).options

// ---- Guards ----

const bound = auth.authorize(request, response)

export async function guards(): Promise<void> {
  await bound.jwtRequired()
  await bound.jwtRequired({
    locations: ['headers'],
    csrf: 'always',
    verifyType: false,
    skipRevocationCheck: true,
  })
  await bound.jwtOptional({ token: 'x', csrfToken: 'y' })
  await bound.jwtRefreshTokenRequired({ locations: undefined })
  await bound.freshJwtRequired({ within: '5m' })
  await bound.freshJwtRequired({ within: 300, csrf: 'always' })
  // @ts-expect-error only for freshness
  await bound.jwtRequired({ within: '5m' })
  // @ts-expect-error no such unit
  await bound.freshJwtRequired({ within: '5 minutes' })
  // @ts-expect-error a list
  await bound.jwtRequired({ locations: 'headers' })
  // @ts-expect-error no such place
  await bound.jwtRequired({ locations: ['body'] })
  // @ts-expect-error CSRF checks can be made stricter only
  await bound.jwtRequired({ csrf: 'never' })
  // @ts-expect-error the same, by a boolean
  await bound.jwtRequired({ csrf: false })
  // @ts-expect-error misspelled
  await bound.jwtRequired({ location: ['headers'] })
}

// ---- Cookies and readers ----

export async function cookies(): Promise<void> {
  await bound.setAccessCookies('x', { maxAge: 'session', domain: 'example.com', response: new Headers() })
  await bound.setRefreshCookies('x', { maxAge: 60, response: new Response() })
  bound.unsetAccessCookies({ response: new Response() })
  bound.unsetJwtCookies()
  const out = await bound.logout()
  expectType<Equal<typeof out.revoked, boolean>>()
  const subject = bound.getJwtSubject()
  const csrf = bound.getCsrfToken('refresh')
  expectType<Equal<typeof subject, string | null>>()
  expectNoAny<typeof csrf>(csrf)
  // @ts-expect-error no such length
  await bound.setAccessCookies('x', { maxAge: 'forever' })
  // @ts-expect-error a token is text
  await bound.setAccessCookies(null)
  // @ts-expect-error there are two types
  bound.getCsrfToken('id')
}

// @ts-expect-error made by createAuth only, from an engine that nobody else has
void ({} satisfies Auth)
