/** Cookies the way Next keeps them: as objects in its store, and as one header on the way to the render. */

import type { ResponseCookie } from 'next/dist/compiled/@edge-runtime/cookies/index.js'

type Attributes = Partial<Omit<ResponseCookie, 'name' | 'value'>>

const attributes: Readonly<Record<string, (value: string) => Attributes>> = {
  'Max-Age': (value) => ({ maxAge: Number(value) }),
  Expires: (value) => ({ expires: new Date(value) }),
  Domain: (domain) => ({ domain }),
  Path: (path) => ({ path }),
  HttpOnly: () => ({ httpOnly: true }),
  Secure: () => ({ secure: true }),
  SameSite: (value) => ({ sameSite: value.toLowerCase() as 'lax' | 'strict' | 'none' }),
  Partitioned: () => ({ partitioned: true }),
}

/** Reads one of our own Set-Cookie lines. @throws {TypeError} for an attribute that would get lost */
export function toNextCookie(line: string): ResponseCookie {
  const [pair = '', ...rest] = line.split('; ')
  const [name, value] = splitPair(pair)
  return Object.assign({ name, value }, ...rest.map(readAttribute)) as ResponseCookie
}

function readAttribute(text: string): Attributes {
  const [name, value] = splitPair(text)
  const read = Object.hasOwn(attributes, name) ? attributes[name] : undefined
  if (read === undefined) throw new TypeError(`cookies() of Next cannot be given the attribute ${name}`)
  return read(value)
}

function splitPair(text: string): [name: string, value: string] {
  const index = text.indexOf('=')
  return index === -1 ? [text, ''] : [text.slice(0, index), text.slice(index + 1)]
}

/** The Cookie header that a browser would send once it has these Set-Cookie lines. */
export function applyCookies(header: string, lines: readonly string[]): string {
  let pairs = pairsOf(header)
  for (const line of lines) {
    const { name, value, maxAge } = toNextCookie(line)
    pairs = pairs.filter((pair) => splitPair(pair)[0].trim() !== name)
    if (maxAge !== 0) pairs.push(`${name}=${value}`)
  }
  return pairs.join('; ')
}

/**
 * The Cookie header for a component: an action of the same request may have changed what the browser had sent.
 *
 * Everything else stays as it came: Next's store has forgotten which cookies were there twice, and how they were written.
 *
 * @param current What Next says that the cookie is now; `undefined` or empty where there is none any more.
 */
export function renewCookies(
  header: string,
  names: readonly string[],
  current: (name: string) => string | undefined,
): string {
  let pairs = pairsOf(header)
  for (const name of names) {
    const value = current(name) ?? ''
    const isOurs = (pair: string): boolean => splitPair(pair)[0].trim() === name
    const isSent = value !== '' && pairs.some((pair) => isOurs(pair) && decode(splitPair(pair)[1]) === value)
    // What no token looks like is not put into a header.
    if (isSent || !/^[\w.-]*$/.test(value)) continue
    pairs = pairs.filter((pair) => !isOurs(pair))
    if (value !== '') pairs.push(`${name}=${value}`)
  }
  return pairs.join('; ')
}

/** A value as Next's store shows it; `null` for one that it leaves out. */
function decode(value: string): string | null {
  try {
    return decodeURIComponent(value)
  } catch {
    // Not percent-encoded as it should be.
    return null
  }
}

function pairsOf(header: string): string[] {
  return header
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair !== '')
}
