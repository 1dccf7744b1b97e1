/** Finds tokens in what people paste: a token, an Authorization header, a Cookie header. Judges none of them. */

import { Failure } from './_failure.ts'

/** A token, and where it stood. */
export interface FoundToken {
  /** The cookie's name; `null` for a token by itself. */
  readonly cookie: string | null
  readonly text: string
}

export interface Cookie {
  readonly name: string
  readonly value: string
}

export interface TokenInput {
  readonly tokens: readonly FoundToken[]
  /** All cookies, in their order. */
  readonly cookies: readonly Cookie[]
}

/** More tokens than one request carries. */
const mostTokens = 20

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** @throws {Failure} where nothing can be a token */
export function readTokenInput(bytes: Uint8Array): TokenInput {
  let text: string
  try {
    text = utf8.decode(bytes)
  } catch {
    throw new Failure(1, 'Standard input is not text: give a token, or a Cookie header')
  }
  const lines = text
    .split(/\r?\n/)
    .map((line) => line.trim().replace(/^(['"])(.*)\1$/, '$2'))
    .filter((line) => line !== '')
  const cookies = lines.flatMap(cookiesOf)
  const bare = lines.filter((line) => cookiesOf(line).length === 0).map(bareToken)
  const tokens = [
    ...bare.map((value) => ({ cookie: null, text: value })),
    ...cookies.filter(isTokenCookie).map(({ name, value }) => ({ cookie: name, text: value })),
  ]
  if (tokens.length === 0)
    throw new Failure(
      1,
      cookies.length === 0
        ? 'There is no token in standard input'
        : `None of the ${cookies.length} cookies holds a token`,
    )
  if (tokens.length > mostTokens)
    throw new Failure(1, `Standard input holds ${tokens.length} tokens, more than any request carries`)
  return { tokens, cookies }
}

/** A header by its name, or pairs; what stands before the first "=" of a token holds a dot. */
function cookiesOf(line: string): Cookie[] {
  const [, kind = '', rest = ''] = /^(?:(set-cookie|cookie)\s*:)?(.*)$/is.exec(line) ?? []
  if (kind === '' && !/^[^=.;\s:]+=/.test(rest)) return []
  const pairs = rest.split(';').map((pair) => pair.trim())
  const relevant = kind.toLowerCase() === 'set-cookie' ? pairs.slice(0, 1) : pairs
  return relevant.flatMap((pair) => {
    const at = pair.indexOf('=')
    return at < 1 ? [] : [{ name: pair.slice(0, at), value: pair.slice(at + 1) }]
  })
}

function bareToken(line: string): string {
  return line
    .replace(/^(?:proxy-)?authorization\s*:\s*/i, '')
    .replace(/^bearer\s+/i, '')
    .trim()
}

/** By its name, or by its look. An empty one has been unset. */
function isTokenCookie({ name, value }: Cookie): boolean {
  if (value === '') return false
  return (
    /^(?:__(?:Host|Secure)-)?(?:access|refresh)_token_cookie$/.test(name) ||
    /^ey[\w-]*\.[\w-]*(?:\.[\w-]*){1,3}$/.test(value)
  )
}
