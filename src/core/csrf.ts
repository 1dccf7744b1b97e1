/** The double submit: the value a page must send back, against the half that is signed into the token. */

import { AuthError, invalidToken } from './errors.ts'
import type { Equality } from './equality.ts'
import { chain } from './maybe.ts'
import type { MaybePromise } from './maybe.ts'
import { isHandshake, mediaType, ownText, readBody } from './request.ts'
import type { AuthRequest } from './request.ts'
import type { RegisteredClaims } from './claims.ts'

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
 * Reads the value that the page sent: from its header, else from the form field where one is allowed; of a WebSocket
 * handshake, to which a page can add no header, from the subprotocol that carries it.
 *
 * @param fieldName `null` unless `csrfCheckForm` is on.
 */
export function readCsrfValue(
  request: AuthRequest,
  headerName: string,
  fieldName: string | null,
): MaybePromise<string | undefined> {
  const value = request.header(headerName)
  if (value === undefined && isHandshake(request)) return readProtocolValue(request)
  if (value !== undefined || fieldName === null || !formTypes.has(mediaType(request))) return value
  return chain(readBody(request, 'csrfCheckForm', 'form parser'), (body) => ownText(body, fieldName))
}

/** What a page puts before the value, to offer it as a subprotocol. */
export const csrfProtocolPrefix = 'tallystick.csrf.'

/** Two values are none that any token has. */
function readProtocolValue(request: AuthRequest): string | undefined {
  const offered = (request.header('sec-websocket-protocol') ?? '').split(',').map((name) => name.trim())
  const carriers = offered.filter((name) => name.startsWith(csrfProtocolPrefix))
  if (carriers.length === 0) return undefined
  return carriers.map((name) => name.slice(csrfProtocolPrefix.length)).join(', ')
}

/** A value that is there. @throws {AuthError} `csrf_missing` */
export function demandCsrfValue(value: string | undefined): string {
  if (value === undefined || value === '') throw new AuthError('csrf_missing')
  return value
}

/**
 * Holds the sent value against the claim of the very token that authenticates the request.
 *
 * @throws {AuthError} `csrf_mismatch`; `token_invalid` for a token without the claim
 */
export function checkCsrf(isEqual: Equality, sent: string, claims: RegisteredClaims): void {
  if (typeof claims.csrf !== 'string' || claims.csrf === '') throw invalidToken('claims_invalid')
  if (!isEqual(sent, claims.csrf)) throw new AuthError('csrf_mismatch')
}
