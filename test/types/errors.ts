/** How `AuthError.is` narrows what was caught; compiled, never run. */

import { AuthError } from '../../src/index.ts'
import type { AuthErrorCode, Problem, TwinAnswer } from '../../src/index.ts'
import { expectNoAny, expectType } from './_assert.ts'
import type { Equal } from './_assert.ts'

export function narrow(caught: unknown): string {
  // @ts-expect-error it can be anything
  void caught.code
  if (AuthError.is(caught, 'token_missing')) return caught.message
  if (!AuthError.is(caught)) {
    expectType<Equal<typeof caught, unknown>>()
    throw caught
  }
  expectType<Equal<typeof caught, AuthError>>()
  expectType<Equal<typeof caught.code, AuthErrorCode>>()
  expectType<Equal<typeof caught.status, number>>()
  expectType<Equal<ReturnType<typeof caught.toJSON>, Problem | TwinAnswer>>()
  expectType<Equal<ReturnType<typeof caught.getResponse>, Response>>()
  expectNoAny<typeof caught.headers>(caught.headers)
  // @ts-expect-error a code does not change
  caught.code = 'token_invalid'
  // @ts-expect-error no such code
  if (caught.code === 'csrf_wrong') return ''
  // @ts-expect-error under the option compat the body may have another member
  void caught.toJSON().detail
  return caught.message
}

/** An error of another code is still one of ours. */
export function keep(error: AuthError): string {
  if (AuthError.is(error, 'token_missing')) return ''
  return error.message
}

/** Every code has to be thought of. */
export function isSignIn(code: AuthErrorCode): boolean {
  const answers: Readonly<Record<AuthErrorCode, boolean>> = {
    token_missing: true,
    header_invalid: true,
    token_invalid: true,
    token_expired: true,
    token_too_large: true,
    wrong_token_type: true,
    fresh_token_required: true,
    token_revoked: true,
    refresh_reused: true,
    csrf_missing: false,
    csrf_mismatch: false,
    origin_forbidden: false,
    cookie_ambiguous: false,
    user_not_found: true,
    cookie_too_large: false,
    store_unavailable: false,
  }
  return answers[code]
}

// @ts-expect-error no such code
AuthError.is(new Error('x'), 'token_lost')
new AuthError('token_missing', { status: 403, message: 'x', cause: new Error('y') })
// @ts-expect-error no such code
new AuthError('token_lost')
// @ts-expect-error no such fact
new AuthError('token_missing', { code: 1 })
