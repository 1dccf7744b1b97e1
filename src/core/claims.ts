/** The claims of a token: their names, and whether those that are there have the shape that the field gives them. */

import { invalidToken } from './errors.ts'
import type { JsonObject, JsonValue } from './json.ts'

/** What a token is good for: `access` opens routes, `refresh` only makes new access tokens. */
export type TokenType = 'access' | 'refresh'

/** The claims that tallystick writes or reads itself (RFC 7519 section 4.1 and its own); times are seconds since 1970. */
export interface RegisteredClaims {
  readonly sub: string
  readonly jti: string
  readonly type: TokenType
  readonly iat?: number
  readonly nbf?: number
  readonly exp?: number
  readonly iss?: string
  readonly aud?: string | readonly string[]
  /** Whether the token comes straight from a sign-in; access tokens only. */
  readonly fresh?: boolean
  /** The half of the double submit that is signed. */
  readonly csrf?: string
  /** When the user signed in. */
  readonly auth_time?: number
  readonly sid?: string
  readonly gen?: number
}

/** All claims of a token: the registered ones and the user's. */
export type Claims<UserClaims = Record<string, unknown>> = Readonly<RegisteredClaims & UserClaims>

const registeredNames = 'sub iat nbf jti exp iss aud type fresh csrf auth_time sid gen'.split(' ')
/** The names that user claims cannot have. */
export const registeredClaims: ReadonlySet<string> = new Set(registeredNames)

/** The claims of a token that are the application's own; without a prototype. */
export function userClaimsOf(payload: JsonObject): JsonObject {
  const own: Record<string, JsonValue> = Object.create(null)
  for (const [name, value] of Object.entries(payload)) {
    if (!registeredClaims.has(name)) own[name] = value
  }
  return own
}

/** Whether one of the audiences expected is named. */
export function isForAudience(audience: Claims['aud'], expected: readonly string[]): boolean {
  const given = typeof audience === 'string' ? [audience] : (audience ?? [])
  return given.some((name) => expected.includes(name))
}

/** Whether each registered claim that is there has the type the field gives it. The type claim is the guards' matter. */
export function checkShape(payload: JsonObject): void {
  const isSound =
    isFilled(payload['sub']) &&
    isFilled(payload['jti']) &&
    isAbsentOr('number', payload['iat']) &&
    isAbsentOr('number', payload['nbf']) &&
    isAbsentOr('number', payload['exp']) &&
    isAbsentOr('number', payload['auth_time']) &&
    isAbsentOr('number', payload['gen']) &&
    isAbsentOr('string', payload['iss']) &&
    isAbsentOr('string', payload['csrf']) &&
    isAbsentOr('string', payload['sid']) &&
    isAbsentOr('boolean', payload['fresh']) &&
    isAudience(payload['aud'])
  if (!isSound) throw invalidToken('claims_invalid')
}

function isFilled(value: JsonValue | undefined): boolean {
  return typeof value === 'string' && value !== ''
}

function isAbsentOr(type: 'number' | 'string' | 'boolean', value: JsonValue | undefined): boolean {
  return value === undefined || typeof value === type
}

function isAudience(value: JsonValue | undefined): boolean {
  return (
    isAbsentOr('string', value) || (Array.isArray(value) && value.every((item) => typeof item === 'string'))
  )
}
