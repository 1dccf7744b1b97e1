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
  /** The flags behind the path, as they are written, but for `Partitioned`. */
  readonly flags: string
  /** Whether it lies in the jar of its top-level site; with and without, one name makes two cookies. */
  readonly partitioned?: boolean | undefined
  /** What deletes it, ahead of its path, where that is not both `Max-Age` and `Expires`. */
  readonly ending?: string | undefined
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

/** An end in the past. */
export const pastEnd = '; Expires=Thu, 01 Jan 1970 00:00:00 GMT'

/** Writes the line that deletes a cookie: the attributes it was set with, and an end in the past. */
export function serializeDeletion(spec: CookieSpec): string {
  return `${spec.name}=${spec.ending ?? `; Max-Age=0${pastEnd}`}${serializeScope(spec)}`
}

function serializeScope({ domain, path, flags, partitioned = false }: CookieSpec): string {
  // Browsers take no partitioned cookie without Secure, not even to delete it.
  const secure = partitioned && !flags.includes('; Secure') ? '; Secure' : ''
  const jar = partitioned ? '; Partitioned' : ''
  return `${domain === undefined ? '' : `; Domain=${domain}`}; Path=${path}${flags}${secure}${jar}`
}

/** Where a cookie of ours may also lie: an earlier deployment's path, domain and jar, or a sibling's. */
export interface CookieScope {
  readonly path?: string | undefined
  readonly domain?: string | undefined
  /** Whether it was set with `cookiePartitioned`. @default as now */
  readonly partitioned?: boolean | undefined
}

/**
 * The lines that delete a cookie in other scopes than its own; of a name with `__Host-` only where that can lie.
 *
 * They are many, and headers are short: `Max-Age` says all that browsers have to know.
 */
export function deletionsElsewhere(spec: CookieSpec, scopes: readonly CookieScope[]): string[] {
  const own = serializeScope(spec)
  const elsewhere = scopes
    .map(({ path = spec.path, domain, partitioned = spec.partitioned }) => ({
      ...spec,
      path,
      domain,
      partitioned,
    }))
    .filter(({ path, domain }) => !spec.name.startsWith('__Host-') || (path === '/' && domain === undefined))
    .map(serializeScope)
    .filter((scope) => scope !== own)
  return [...new Set(elsewhere)].map((scope) => `${spec.name}=; Max-Age=0${scope}`)
}

/** Host-only, where a domain is set now, unpartitioned, where they are partitioned, and what `previousCookies` names. */
export function earlierScopes(options: {
  readonly cookieDomain: string | undefined
  readonly cookiePartitioned: boolean
  readonly previousCookies: readonly CookieScope[]
}): CookieScope[] {
  const { cookieDomain: domain, cookiePartitioned, previousCookies } = options
  return [
    ...(domain === undefined ? [] : [{}]),
    ...(cookiePartitioned ? [{ domain, partitioned: false }] : []),
    ...previousCookies,
  ]
}

/** Proxies refuse answers whose headers have more than a few kB, and then nobody gets back in. */
export const maxCleaningBytes = 3000

/** The first of these lines that there is room for. */
export function withinBudget(lines: readonly string[]): string[] {
  let bytes = 0
  return lines.filter((line) => (bytes += 'set-cookie: \r\n'.length + line.length) <= maxCleaningBytes)
}

/** Most scopes that are cleaned of a tossed cookie in one answer: proxies refuse headers of more than a few kB. */
const maxTossedScopes = 30

/**
 * The scopes that a sibling host can have given a cookie which this request carried, in either jar: the parent
 * domains of the host, each with the paths that lead to the requested one. Host-only ones, which it cannot, come last.
 *
 * Not all of them where paths are deep or domains many: those that reach the most requests come first, and
 * `maxCleaningBytes` takes fewer still. Only the prefix `__Host-` keeps siblings out of every path.
 */
export function tossedScopes(host: string, requestPath: string): CookieScope[] {
  const domains = parentDomains(host.replace(/:\d+$/, ''))
  const paths = matchingPaths(requestPath)
  const places = [
    ...paths.flatMap((path) => domains.map((domain) => ({ path, domain }))),
    ...paths.map((path) => ({ path, domain: undefined })),
  ]
  return places
    .flatMap((place) => [false, true].map((partitioned) => ({ ...place, partitioned })))
    .slice(0, maxTossedScopes)
}

/** The host as a domain, and its parents down to two labels. */
function parentDomains(host: string): string[] {
  const labels = host.split('.')
  if (!isCookieDomain(host) || /^\d+$/.test(labels.at(-1) ?? '')) return []
  return labels.map((_, index) => labels.slice(index).join('.')).slice(0, Math.max(labels.length - 1, 1))
}

/** RFC 6265bis section 5.1.4: the beginnings of a path, each without and with the slash behind it. */
function matchingPaths(requestPath: string): string[] {
  const segments = requestPath.split('/').slice(1, 5)
  const beginnings = segments.map((_, index) => `/${segments.slice(0, index + 1).join('/')}`)
  const paths = ['/', ...beginnings.flatMap((path) => [path, `${path}/`])]
  return [...new Set(paths)].filter(
    (path) => path === '/' || (requestPath.startsWith(path) && isCookiePath(path)),
  )
}
