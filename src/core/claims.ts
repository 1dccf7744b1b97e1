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

/** What differs in tokens between tallystick and the services whose place it can take (option `compat`). */
export interface TokenDialect {
  /**
   * The claims of a payload whose signature held.
   *
   * @param isRevocable Whether tokens have to be told apart, so that one can be revoked.
   * @throws {AuthError} `token_invalid` for those of another shape
   */
  readonly readClaims: (payload: JsonObject, isRevocable: boolean) => Claims
  /** The claims as they are written, in their order. */
  readonly writeClaims: (claims: RegisteredClaims, written: WrittenClaims) => JsonObject
  /** Whether tokens without `exp` are taken, however long lifetimes are. */
  readonly takesEndless: boolean
  /** Whether refresh tokens without `iss` are taken where an issuer is expected. */
  readonly takesRefreshWithoutIssuer: boolean
  /** Whether `aud` is refused where none is expected. */
  readonly refusesAudience: boolean
  /** Whether a subject can be a whole number. */
  readonly hasIntegerSubjects: boolean
  /** Whether `fresh` can be a time. */
  readonly hasFreshUntil: boolean
}

/** Claims that are written in another form than they are read. */
export interface WrittenClaims {
  readonly subject: string | number
  /** Seconds since 1970 where it is a time. */
  readonly fresh: boolean | number
}

/** How tallystick itself reads and writes claims. */
export const ownTokens: TokenDialect = {
  readClaims(payload) {
    checkShape(payload)
    // What `checkShape` accepts is what `RegisteredClaims` says.
    return payload as unknown as Claims
  },
  writeClaims: (claims) => ({ ...claims }),
  takesEndless: false,
  takesRefreshWithoutIssuer: false,
  refusesAudience: false,
  hasIntegerSubjects: false,
  hasFreshUntil: false,
}

/** The subject as the token has it: a whole number or a text. */
export function writtenSubject(payload: JsonObject): string | number {
  const { sub: subject } = payload
  return typeof subject === 'number' || typeof subject === 'string' ? subject : ''
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
