/** The second layer against cross-site requests: who sent this, by headers that no page can forge. */

import type { AuthRequest } from './request.ts'

/**
 * Whether a request may act with the cookies it carries.
 *
 * `X-Forwarded-*` and `Referer` are never read. Without `Origin` and `Sec-Fetch-Site` (curl, old browsers) the
 * double submit alone decides.
 *
 * @see Fetch Metadata Request Headers (W3C), OWASP CSRF Prevention Cheat Sheet
 */
export function isOriginAllowed(request: AuthRequest, trustedOrigins: readonly string[]): boolean {
  const origin = request.header('origin')
  if (origin !== undefined && trustedOrigins.includes(origin)) return true
  const site = request.header('sec-fetch-site')
  if (site !== undefined) return site === 'same-origin' || site === 'none'
  return origin === undefined || isSameHost(origin, request.header('host'))
}

/** Compares host and port; the scheme is not known here, so each is read with the default port of the origin's. */
function isSameHost(origin: string, host: string | undefined): boolean {
  const originUrl = parseOrigin(origin)
  if (originUrl === null || host === undefined || /[/?#@\\\s]/.test(host)) return false
  return originUrl.host === parseUrl(`${originUrl.protocol}//${host}`)?.host
}

/** A serialised http or https origin, exactly as a browser writes it; `null` for anything else. */
export function parseOrigin(value: string): URL | null {
  const url = parseUrl(value)
  return url !== null && url.origin === value && /^https?:$/.test(url.protocol) ? url : null
}

function parseUrl(value: string): URL | null {
  try {
    return new URL(value)
  } catch {
    // A header that is no URL is an origin that we do not know.
    return null
  }
}

/**
 * Whether this is a top-level navigation to a document that the user, not a prefetch, has asked for.
 *
 * @see Fetch Metadata Request Headers (W3C), sections 2.1 to 2.4
 */
export function isNavigation(request: AuthRequest): boolean {
  return (
    request.method === 'GET' &&
    request.header('sec-fetch-mode') === 'navigate' &&
    request.header('sec-fetch-dest') === 'document' &&
    request.header('sec-purpose') === undefined
  )
}

/** The host that a Secure cookie would be set for over plain http, where a browser refuses it; `null` if all is well. */
export function insecureHost(request: AuthRequest): string | null {
  // Browsers send fetch metadata to trustworthy URLs only, so a proxy in front speaks https.
  if (request.header('sec-fetch-site') !== undefined) return null
  const origin = request.header('origin')
  const url = parseUrl(origin ?? request.url ?? '')
  if (url === null || url.protocol !== 'http:' || isLoopback(url.hostname)) return null
  return url.host
}

function isLoopback(hostname: string): boolean {
  return (
    hostname === 'localhost' ||
    hostname.endsWith('.localhost') ||
    hostname === '[::1]' ||
    /^127(?:\.\d+){3}$/.test(hostname)
  )
}
