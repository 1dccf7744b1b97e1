/** Reads one cookie from a Cookie header and writes Set-Cookie lines; never decodes, unquotes or guesses. */

import { AuthError, invalidToken } from './errors.ts'

/** RFC 6265bis section 4.1.1: `cookie-name = token` (RFC 9110 section 5.6.2). */
const cookieName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$/

/** RFC 6265bis section 4.1.1: `cookie-octet`. */
const cookieValue = /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*$/

/** RFC 6265bis section 4.1.1: `path-value = *av-octet`, any printable character but ";", and it starts at the root. */
const cookiePath = /^\/[\x20-\x3a\x3c-\x7e]*$/

/** RFC 6265bis section 4.1.2.3: a host name, its leading dot is ignored by browsers and so not taken. */
const cookieDomain = /^(?!-)[a-z0-9-]{1,63}(?:\.(?!-)[a-z0-9-]{1,63})*$/i

/** RFC 6265bis section 5.6: longer attributes and longer cookies are dropped by browsers without a word. */
const maxAttributeBytes = 1024
/** The bytes of a name and its value together. */
export const maxCookieBytes = 4096

/** RFC 6265bis section 5.5: no cookie lives longer than 400 days. */
export const maxCookieAgeSeconds = 34_560_000

/** Whether a text may be a cookie's name, path or domain. */
export const isCookieName = (value: string): boolean => cookieName.test(value)
export const isCookiePath = (value: string): boolean =>
  cookiePath.test(value) && value.length <= maxAttributeBytes
export const isCookieDomain = (value: string): boolean => cookieDomain.test(value) && value.length <= 253

/** What is fixed about one of the four cookies. */
export interface CookieSpec {
  readonly name: string
  readonly path: string
  readonly domain?: string | undefined
  /** The flags behind the path, as they are written. */
  readonly flags: string
}

/** Says that one name came with different values. */
export const ambiguous: unique symbol = Symbol('ambiguous cookie')

/**
 * Finds the value of one cookie: `null` where it is absent, `ambiguous` where it comes twice with different values.
 *
 * Only ";" separates cookies, only spaces and tabs around them are ignored, and names compare exactly.
 *
 * @see RFC 6265bis section 4.2.1
 */
export function findCookie(header: string, name: string): string | null | typeof ambiguous {
  let found: string | null = null
  let at = header.indexOf(name)
  while (at !== -1) {
    const valueStart = at + name.length + 1
    if (header.charCodeAt(valueStart - 1) === 0x3d && isStartOfCookie(header, at)) {
      const value = readValue(header, valueStart)
      if (found !== null && found !== value) return ambiguous
      found = value
    }
    at = header.indexOf(name, at + name.length)
  }
  return found
}

function isStartOfCookie(header: string, at: number): boolean {
  let before = at - 1
  while (before >= 0 && isBlank(header.charCodeAt(before))) before--
  return before < 0 || header.charCodeAt(before) === 0x3b
}

function readValue(header: string, start: number): string {
  const semicolon = header.indexOf(';', start)
  let end = semicolon === -1 ? header.length : semicolon
  while (end > start && isBlank(header.charCodeAt(end - 1))) end--
  return header.slice(start, end)
}

const isBlank = (code: number): boolean => code === 0x20 || code === 0x09

/**
 * Writes one Set-Cookie line.
 *
 * @param maxAgeSeconds `null` for a cookie that goes when the browser closes.
 * @throws {AuthError} `cookie_too_large`: a browser would drop the cookie silently; `token_invalid` for a value
 * that no cookie can hold
 */
export function serializeCookie(spec: CookieSpec, value: string, maxAgeSeconds: number | null): string {
  const bytes = spec.name.length + value.length
  if (bytes > maxCookieBytes) {
    throw new AuthError('cookie_too_large', {
      message: `The cookie ${spec.name} would be ${bytes} bytes, and browsers drop more than ${maxCookieBytes}`,
    })
  }
  if (!cookieValue.test(value)) throw invalidToken('claims_invalid')
  const maxAge = maxAgeSeconds === null ? '' : `; Max-Age=${maxAgeSeconds}`
  return `${spec.name}=${value}${maxAge}${serializeScope(spec)}`
}

/** Writes the line that deletes a cookie: the attributes it was set with, and an end in the past. */
export function serializeDeletion(spec: CookieSpec): string {
  return `${spec.name}=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT${serializeScope(spec)}`
}

function serializeScope({ domain, path, flags }: CookieSpec): string {
  return `${domain === undefined ? '' : `; Domain=${domain}`}; Path=${path}${flags}`
}

/** Where a cookie of ours may also lie: an earlier deployment's path and domain, or a sibling's. */
export interface CookieScope {
  readonly path?: string | undefined
  readonly domain?: string | undefined
}

/** The lines that delete a cookie in other scopes than its own; where the prefix allows only one scope, none. */
export function deletionsElsewhere(spec: CookieSpec, scopes: readonly CookieScope[]): string[] {
  const own = serializeDeletion(spec)
  const lines = scopes
    .map(({ path = spec.path, domain }) => ({ ...spec, path, domain }))
    .filter(({ path, domain }) => !spec.name.startsWith('__Host-') || (path === '/' && domain === undefined))
    .map(serializeDeletion)
  return [...new Set(lines)].filter((line) => line !== own)
}

/** Most scopes that are cleaned of a tossed cookie in one answer: proxies refuse headers of more than a few kB. */
const maxTossedScopes = 12

/**
 * Every scope that a sibling host can have given a cookie which this request carried: the parent domains of the
 * host, each with every path that leads to the requested one.
 */
export function tossedScopes(host: string, requestPath: string): CookieScope[] {
  const name = host.replace(/:\d+$/, '')
  const domains = parentDomains(name)
  const segments = requestPath.split('/').slice(1, 5)
  const paths = ['/', ...segments.map((_, index) => `/${segments.slice(0, index + 1).join('/')}`)]
  const scopes = paths.filter(isCookiePath).flatMap((path) => domains.map((domain) => ({ path, domain })))
  return scopes.slice(0, maxTossedScopes)
}

/** The host alone, the host as a domain, and its parents down to two labels (`undefined` is host-only). */
function parentDomains(host: string): (string | undefined)[] {
  const labels = host.split('.')
  if (!isCookieDomain(host) || /^\d+$/.test(labels.at(-1) ?? '')) return [undefined]
  return [
    undefined,
    ...labels.map((_, index) => labels.slice(index).join('.')).slice(0, Math.max(labels.length - 1, 1)),
  ]
}
