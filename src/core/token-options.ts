/** What a caller may ask of a token that is to be made; judged before anything is signed. */

import type { TokenType } from './claims.ts'
import { copyJsonObject } from './json.ts'
import type { JsonObject } from './json.ts'
import { isReservedParameter } from './jws.ts'
import { isObject } from './schema.ts'

export const tokenOptionNames: readonly string[] =
  'fresh algorithm headers expiresTime audience userClaims'.split(' ')

/** @throws {TypeError} for a wrong subject or option */
export function checkTokenOptions(
  type: TokenType,
  subject: unknown,
  options: { readonly fresh?: unknown; readonly audience?: unknown },
): void {
  if (typeof subject !== 'string' || subject === '') throw new TypeError('subject must be a non-empty string')
  if (options.fresh !== undefined && typeof options.fresh !== 'boolean')
    throw new TypeError('fresh must be a boolean')
  if (options.fresh !== undefined && type === 'refresh')
    throw new TypeError('a refresh token cannot be fresh')
  const { audience } = options
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
