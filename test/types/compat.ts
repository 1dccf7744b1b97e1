/** What the option `compat` changes in types; compiled, never run. */

import { honoAuth } from '../../src/adapters/hono.ts'
import { AuthError, createAuth } from '../../src/index.ts'
import type { Auth, AuthOptions, Claims, ClaimsOf, Compat, ResolvedOptions } from '../../src/index.ts'
import { expectType } from './_assert.ts'
import type { Equal } from './_assert.ts'

expectType<Equal<Compat, 'fastapi-jwt-auth' | 'flask-jwt-extended'>>()
expectType<Equal<ResolvedOptions['compat'], Compat | undefined>>()
// @ts-expect-error no such service
createAuth({ secretKey: 'x', compat: 'flask' })

const fastapi = createAuth({ secretKey: 'x', compat: 'fastapi-jwt-auth', cookieSecure: true })
const flask = createAuth({ secretKey: 'x', compat: 'flask-jwt-extended' })
const own = createAuth({ secretKey: 'x' })

// Subjects can be whole numbers in the place of one service only.
void fastapi.createAccessToken(1)
void fastapi.createRefreshToken('test')
// @ts-expect-error a subject is text or a number
void fastapi.createAccessToken(true)
// @ts-expect-error a subject is text
void flask.createAccessToken(1)
// @ts-expect-error a subject is text
void own.createAccessToken(1)

export async function readers(): Promise<void> {
  // Whatever it is in the token, readers get text.
  const claims = await fastapi.verify('')
  expectType<Equal<typeof claims.sub, string>>()
  expectType<Equal<typeof claims.fresh, boolean | undefined>>()
  expectType<Equal<ClaimsOf<typeof fastapi>, Claims>>()
}

// Adapters take any of them, and hand the subjects on.
const { authorize } = honoAuth(fastapi)
declare const context: Parameters<typeof authorize>[0]
void authorize(context).login(1, { fresh: true })
void honoAuth(own)
  .authorize(context)
  // @ts-expect-error a subject is text
  .login(1)

/** An option that is not known before is not known to have numbers. */
export function make(options: AuthOptions): Auth {
  const auth = createAuth(options)
  // @ts-expect-error a subject is text
  void auth.createAccessToken(1)
  return auth
}

// How long a sign-in is fresh is judged when the token is made.
void flask.createAccessToken('test', { fresh: '5m' })
// @ts-expect-error neither a boolean nor a time
void flask.createAccessToken('test', { fresh: null })

/** The body is one of three. */
export function bodyOf(error: AuthError): string {
  const body = error.toJSON()
  if ('msg' in body) return body.msg
  return body.detail
}
