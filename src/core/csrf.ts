/** The double submit: the value a page must send back, against the half that is signed into the token. */

import { AuthError, invalidToken } from './errors.ts'
import { isEqualConstantTime } from './jws.ts'
import { chain } from './maybe.ts'
import type { MaybePromise } from './maybe.ts'
import { hasBody, mediaType } from './request.ts'
import type { AuthRequest } from './request.ts'
import type { RegisteredClaims } from './token.ts'

/** RFC 9110 section 9.2.1, without TRACE, which no browser sends. */
const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS'])

/** The methods that are checked when `csrfMethods` is not given: these, and any that nobody has heard of. */
export const defaultCsrfMethods: readonly string[] = ['POST', 'PUT', 'PATCH', 'DELETE']

/** Makes the rule from the option `csrfMethods`; methods compare as on the wire. */
export function createMethodRule(csrfMethods: readonly string[]): (method: string) => boolean {
  const isDefault = csrfMethods.join() === defaultCsrfMethods.join()
  const checked = new Set(csrfMethods)
  return isDefault ? (method) => !safeMethods.has(method) : (method) => checked.has(method)
}

const formTypes = new Set(['application/x-www-form-urlencoded', 'multipart/form-data'])

/**
 * Reads the value that the page sent: from its header, else from the form field where one is allowed.
 *
 * @param fieldName `null` unless `csrfCheckForm` is on.
 */
export function readCsrfValue(
  request: AuthRequest,
  headerName: string,
  fieldName: string | null,
): MaybePromise<string | undefined> {
  const value = request.header(headerName)
  if (value !== undefined || fieldName === null || !formTypes.has(mediaType(request))) return value
  return chain(readBody(request, 'csrfCheckForm', 'form parser'), (body) => ownText(body, fieldName))
}

/**
 * The body as the framework parsed it; `undefined` where the request has none.
 *
 * @throws {TypeError} when there is a body and nothing has parsed it, which is the server's mistake
 */
export function readBody(request: AuthRequest, option: string, parser: string): MaybePromise<unknown> {
  if (!hasBody(request)) return undefined
  return chain(request.body?.(), (body) => {
    if (body !== undefined) return body
    throw new TypeError(
      `${option} needs the parsed body, and nothing has parsed it: mount a ${parser} before the guard`,
    )
  })
}

/** An own member that is text. */
export function ownText(body: unknown, name: string): string | undefined {
  if (typeof body !== 'object' || body === null || !Object.hasOwn(body, name)) return undefined
  const value = (body as Record<string, unknown>)[name]
  return typeof value === 'string' ? value : undefined
}

/**
 * Holds the sent value against the claim of the very token that authenticates the request.
 *
 * @throws {AuthError} `csrf_mismatch`; `token_invalid` for a token without the claim
 */
export function checkCsrf(sent: string, claims: RegisteredClaims): void {
  if (typeof claims.csrf !== 'string' || claims.csrf === '') throw invalidToken('claims_invalid')
  if (!isEqualConstantTime(sent, claims.csrf)) throw new AuthError('csrf_mismatch')
}
