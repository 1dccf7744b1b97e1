/** Finds the token of a request in the places where it may lie; only an absent token lets the next place be asked. */

import { ambiguous, findCookie } from './cookie.ts'
import { AuthError, invalidToken } from './errors.ts'
import { chain } from './maybe.ts'
import type { MaybePromise } from './maybe.ts'
import { mediaType, ownText, readBody, splitUrl } from './request.ts'
import type { AuthRequest } from './request.ts'
import type { TokenType } from './claims.ts'

/** Where a token can travel. */
export type TokenLocation = 'headers' | 'cookies' | 'query' | 'json'

/** All places, in the order of the documentation. */
export const tokenLocations: readonly TokenLocation[] = ['headers', 'cookies', 'query', 'json']

/** What differs between tallystick and the services whose place it can take (option `compat`). */
export interface LocationDialect {
  /** The token in a header's value; `null` where there is none. @throws {AuthError} `header_invalid` */
  readonly readHeader: (value: string, names: LocationNames) => string | null
  /** Whether a cookie without a value counts as absent; else it is a bad token. */
  readonly ignoresEmptyCookie: boolean
  /** The sentence for a request without a token. */
  readonly missing: (request: AuthRequest, search: Search, names: LocationNames) => string
}

/** Where a token was looked for. */
export interface Search {
  readonly locations: readonly TokenLocation[]
  /** Anything but `undefined`: it was to be given by hand, and no location was asked. */
  readonly token: string | null | undefined
}

/** The names to look under, for one type of token. */
export interface LocationNames {
  readonly type: TokenType
  readonly dialect: LocationDialect
  readonly headerName: string
  readonly headerType: string
  readonly cookieName: string
  readonly queryName: string
  readonly jsonKey: string
}

/** A token that nobody has verified yet. */
export interface FoundToken {
  readonly token: string
  /** `given` for one that the caller handed over. */
  readonly location: TokenLocation | 'given'
}

type Reader = (request: AuthRequest, names: LocationNames) => MaybePromise<string | null>

const readers: Readonly<Record<TokenLocation, Reader>> = {
  headers: readHeader,
  cookies: readCookie,
  query: readQuery,
  json: readJson,
}

/**
 * Asks the locations in their order; `null` where none holds a token.
 *
 * @throws {AuthError} `header_invalid` · `cookie_ambiguous` · `token_invalid`
 */
export function findToken(
  request: AuthRequest,
  locations: readonly TokenLocation[],
  names: LocationNames,
  from = 0,
): MaybePromise<FoundToken | null> {
  const location = locations[from]
  if (location === undefined) return null
  return chain(readers[location](request, names), (token) =>
    token === null ? findToken(request, locations, names, from + 1) : { token, location },
  )
}

/** tallystick's own sentence for a request without a token. */
export function missingSentence({ locations }: Search, names: LocationNames): string {
  const [first] = locations
  const single: Readonly<Record<TokenLocation, string>> = {
    headers: `Missing ${names.headerName} Header`,
    cookies: `Missing cookie ${names.cookieName}`,
    query: `Missing query parameter ${names.queryName}`,
    json: `Missing ${names.jsonKey} in the JSON body`,
  }
  const isSingle = locations.length === 1 && first !== undefined
  const places = [locations.slice(0, -1).join(', '), locations.at(-1)].join(' or ')
  return isSingle ? single[first] : `Missing JWT in ${places}`
}

function readHeader(request: AuthRequest, names: LocationNames): string | null {
  const value = request.header(names.headerName.toLowerCase())
  return value === undefined || value === '' ? null : names.dialect.readHeader(value, names)
}

/** Takes one token behind the scheme, which compares in any case; another scheme is absent. @throws {AuthError} */
export function readBearer(value: string, { headerName, headerType }: LocationNames): string | null {
  if (headerType === '') return checkBare(value, headerName, '<JWT>')
  const space = value.indexOf(' ')
  const scheme = space === -1 ? value : value.slice(0, space)
  if (scheme.toLowerCase() !== headerType.toLowerCase()) return null
  return checkBare(space === -1 ? '' : value.slice(space + 1), headerName, `${headerType} <JWT>`)
}

/** RFC 6750 section 2.1: one space, then one token of visible characters. @throws {AuthError} `header_invalid` */
export function checkBare(token: string, headerName: string, expected: string): string {
  if (/^[\x21-\x7e]+$/.test(token)) return token
  throw new AuthError('header_invalid', { message: `Bad ${headerName} header. Expected value '${expected}'` })
}

function readCookie(request: AuthRequest, { cookieName, dialect }: LocationNames): string | null {
  const header = request.header('cookie')
  if (header === undefined) return null
  const value = findCookie(header, cookieName)
  if (value !== ambiguous) return value === '' && dialect.ignoresEmptyCookie ? null : value
  throw new AuthError('cookie_ambiguous', {
    message: `Two cookies named ${cookieName} with different values`,
  })
}

function readQuery(request: AuthRequest, { queryName }: LocationNames): string | null {
  const values = new Set(new URLSearchParams(splitUrl(request).query).getAll(queryName))
  if (values.size > 1) throw invalidToken('ambiguous')
  const [value = null] = values
  return value
}

function readJson(request: AuthRequest, { jsonKey }: LocationNames): MaybePromise<string | null> {
  const type = mediaType(request)
  if (type !== 'application/json' && !/^application\/[\w.-]+\+json$/.test(type)) return null
  return chain(readBody(request, "The token location 'json'", 'JSON parser'), (body) => {
    const text = ownText(body, jsonKey)
    // A member that is there and no text is a bad token, not an absent one.
    if (text === undefined && typeof body === 'object' && body !== null && Object.hasOwn(body, jsonKey)) {
      throw invalidToken('malformed')
    }
    return text ?? null
  })
}
