/** What a caller may ask of a token that is to be made; judged before anything is signed. */

import type { TokenDialect, TokenType } from './claims.ts'
import { parseDuration } from './duration.ts'
import type { Duration } from './duration.ts'
import { copyJsonObject } from './json.ts'
import type { JsonObject } from './json.ts'
import { isReservedParameter } from './jws.ts'
import { isObject } from './schema.ts'

export const tokenOptionNames: readonly string[] =
  'fresh algorithm headers expiresTime audience userClaims'.split(' ')

/** @throws {TypeError} for a wrong subject */
export function checkSubject(subject: unknown, { hasIntegerSubjects }: TokenDialect): void {
  if (typeof subject === 'string' && subject !== '') return
  if (hasIntegerSubjects && Number.isSafeInteger(subject)) return
  const kinds = hasIntegerSubjects ? ' or a whole number' : ''
  throw new TypeError(`subject must be a non-empty string${kinds}`)
}

/** @throws {TypeError} for a wrong option */
export function checkTokenOptions(
  type: TokenType,
  { fresh, audience }: { readonly fresh?: unknown; readonly audience?: unknown },
  { hasFreshUntil }: TokenDialect,
): void {
  const isTime = typeof fresh !== 'boolean' && fresh !== undefined
  if (isTime && !hasFreshUntil) throw new TypeError('fresh must be a boolean')
  if (isTime && parseDuration(fresh) === null)
    throw new TypeError("fresh must be a boolean, or for how long: positive seconds or a text like '5m'")
  if (fresh !== undefined && type === 'refresh') throw new TypeError('a refresh token cannot be fresh')
  if (audience === undefined || (typeof audience === 'string' && audience !== '')) return
  const isList = Array.isArray(audience) && audience.length > 0
  if (!isList || !audience.every((name) => typeof name === 'string' && name !== '')) {
    throw new TypeError('audience must be a non-empty string or a list of them')
  }
}

/** @throws {TypeError} for a parameter that is not the caller's to set */
export function copyHeaders(headers: unknown): JsonObject | undefined {
  if (headers === undefined) return undefined
  if (!isObject(headers)) throw new TypeError('headers must be a plain object')
  const copy = copyJsonObject(headers, 'headers')
  const reserved = Object.keys(copy).find(isReservedParameter)
  if (reserved !== undefined) throw new TypeError(`headers cannot name the parameter "${reserved}"`)
  return copy
}

/** For how long a sign-in counts as fresh is written as its end. */
export function freshOf(fresh: boolean | Duration | undefined, issuedAtSeconds: number): boolean | number {
  if (fresh === undefined || typeof fresh === 'boolean') return fresh === true
  return issuedAtSeconds + (parseDuration(fresh) ?? 0)
}
