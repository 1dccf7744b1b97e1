/** What a guard asks for, normalised and judged once, when it is made. */

import { parseDuration } from './duration.ts'
import type { Duration } from './duration.ts'
import { tokenLocations } from './location.ts'
import type { TokenLocation } from './location.ts'
import { ownOptions } from './own.ts'
import type { TokenType } from './claims.ts'

/** What a guard can be told; nothing here is remembered beyond the call. */
export interface GuardOptions {
  /** Where to look, instead of `tokenLocation`. */
  readonly locations?: readonly TokenLocation[] | undefined
  /** The token itself, for example from a path; no other place is then asked, and `undefined` is a missing token. */
  readonly token?: string | undefined
  /** The CSRF value itself, for example from a message; checked on every method, and refused where it is `undefined`. */
  readonly csrfToken?: string | undefined
  /** Checks CSRF and origin on safe methods too. */
  readonly csrf?: 'always' | undefined
  /** `false` takes either type of token. */
  readonly verifyType?: false | undefined
  /** Leaves the denylist and the store out; access tokens only. */
  readonly skipRevocationCheck?: boolean | undefined
}

/** What `freshJwtRequired` can be told besides. */
export interface FreshGuardOptions extends GuardOptions {
  /** Takes a token whose sign-in is at most that long ago, instead of the `fresh` claim. */
  readonly within?: Duration | undefined
}

/** The guards that users know. */
export type GuardName = 'jwtRequired' | 'jwtOptional' | 'jwtRefreshTokenRequired' | 'freshJwtRequired'

/** The guard that demands a token of each type. */
export const guardNames: Readonly<Record<TokenType, 'jwtRequired' | 'jwtRefreshTokenRequired'>> = {
  access: 'jwtRequired',
  refresh: 'jwtRefreshTokenRequired',
}

/** A guard, normalised once. */
export interface Guard {
  readonly type: TokenType
  readonly isOptional: boolean
  readonly isTypeChecked: boolean
  /** `true` wants the claim; a number, an `auth_time` at most so many seconds ago. */
  readonly fresh: boolean | number
  readonly locations: readonly TokenLocation[]
  /** `null`: the caller has looked and found none. */
  readonly token: string | null | undefined
  readonly csrfToken: string | undefined
  /** `later`: the value comes over the socket that this request opens, and nothing is published before. */
  readonly csrf: 'methods' | 'always' | 'navigation' | 'later'
  readonly checksRevocation: boolean
  /** Whether the refresh token is about to be rotated, which judges it in the same step. */
  readonly willRotate: boolean
}

const optionNames = ['locations', 'token', 'csrfToken', 'csrf', 'verifyType', 'skipRevocationCheck']

/** Normalises a guard. @throws {TypeError} for an option that does not exist or makes no sense */
export function createGuard(
  name: GuardName,
  defaultLocations: readonly TokenLocation[],
  given: FreshGuardOptions = {},
): Guard {
  const names = name === 'freshJwtRequired' ? [...optionNames, 'within'] : optionNames
  const options = ownOptions(given, name, names)
  const type = name === 'jwtRefreshTokenRequired' ? 'refresh' : 'access'
  checkGuardOptions(name, options)
  // A message or query that holds nothing gives `undefined`: that is a missing token or value, not one not asked for.
  const isCsrfGiven = 'csrfToken' in options
  return Object.freeze({
    type,
    isOptional: name === 'jwtOptional',
    isTypeChecked: options.verifyType !== false,
    fresh: name === 'freshJwtRequired' && (readWithin(options.within) ?? true),
    locations: options.locations === undefined ? defaultLocations : Object.freeze([...options.locations]),
    token: 'token' in options ? (options.token ?? null) : undefined,
    csrfToken: isCsrfGiven ? (options.csrfToken ?? '') : undefined,
    csrf: options.csrf === 'always' || isCsrfGiven ? 'always' : 'methods',
    checksRevocation: type === 'refresh' || options.skipRevocationCheck !== true,
    willRotate: false,
  })
}

function checkGuardOptions(name: string, options: FreshGuardOptions): void {
  const { locations, verifyType, csrf, skipRevocationCheck } = options
  const isList = locations === undefined || (Array.isArray(locations) && locations.length > 0)
  if (!isList || Array.from(locations ?? []).some((location) => !tokenLocations.includes(location))) {
    throw new TypeError(`locations of ${name} must be a non-empty list of: ${tokenLocations.join(', ')}`)
  }
  for (const option of ['token', 'csrfToken'] as const) {
    const value = options[option]
    if (value !== undefined && typeof value !== 'string')
      throw new TypeError(`${option} of ${name} must be a string`)
  }
  if (csrf !== undefined && csrf !== 'always') throw new TypeError(`csrf of ${name} can only be 'always'`)
  if (verifyType !== undefined && typeof verifyType !== 'boolean') {
    throw new TypeError(`verifyType of ${name} must be a boolean`)
  }
  if (skipRevocationCheck !== undefined && typeof skipRevocationCheck !== 'boolean') {
    throw new TypeError(`skipRevocationCheck of ${name} must be a boolean`)
  }
}

function readWithin(within: unknown): number | undefined {
  if (within === undefined) return undefined
  const seconds = parseDuration(within)
  if (seconds === null) throw new TypeError("within must be positive seconds or a text like '5m'")
  return seconds
}
