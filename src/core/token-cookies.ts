/** Puts tokens into cookies and takes them out again; makes no token, and writes all of its cookies or none. */

import { checkType } from './check.ts'
import type { CookieOptions } from './cookie-writer.ts'
import { invalidToken } from './errors.ts'
import type { Exchange } from './exchange.ts'
import { guardNames } from './guard.ts'
import { ownOptions, withoutPrototype } from './own.ts'
import type { ResponseTarget } from './request.ts'
import type { TokenType } from './claims.ts'
import type { MadeToken } from './token.ts'

/** Where cookies go that are set or unset by hand. */
export interface ResponseOption {
  /** What the handler is about to return, instead of the bound response. */
  readonly response?: ResponseTarget | object | undefined
}

/** The tokens whose cookies are set together. */
export type MadeTokens = { readonly [Type in TokenType]?: MadeToken }

/** Set-Cookie lines that are known to fit, with the CSRF values in them. */
export interface PreparedCookies {
  readonly lines: readonly string[]
  readonly csrf: Exchange['csrf']
}

/** Computes the cookies of some tokens. @throws {AuthError} `cookie_too_large` @throws {TypeError} */
export function prepareCookies(
  { cookies }: Exchange,
  made: MadeTokens,
  options: CookieOptions,
): PreparedCookies {
  const lines: string[] = []
  const csrf: { [Type in TokenType]?: string | undefined } = {}
  for (const type of ['access', 'refresh'] as const) {
    const token = made[type]
    if (token === undefined) continue
    lines.push(...cookies.lines(type, token, withoutPrototype(options)))
    csrf[type] = token.claims.csrf
  }
  return { lines, csrf }
}

/** Writes what was prepared. @throws {TypeError} when it is too late */
export function setCookies(
  exchange: Exchange,
  { lines, csrf }: PreparedCookies,
  further: readonly string[] = [],
  target?: unknown,
): void {
  exchange.cookies.write([...further, ...lines], target)
  exchange.csrf = { ...exchange.csrf, ...csrf }
  exchange.cookies.warnOfInsecureTransport()
}

/** What `authorize.setAccessCookies` and `setRefreshCookies` do. */
export async function setTokenCookies(
  exchange: Exchange,
  type: TokenType,
  token: string,
  options: CookieOptions & ResponseOption,
): Promise<void> {
  const { engine } = exchange
  demandCookies(exchange)
  const caller = `set${type === 'access' ? 'Access' : 'Refresh'}Cookies()`
  const own = ownOptions(options, caller, ['maxAge', 'domain', 'response'])
  const verified = await engine.tokens.verify(token)
  const { claims } = verified
  checkType(engine.guards[guardNames[type]], verified)
  const lacksCsrf = claims.csrf === undefined || claims.csrf === ''
  if (engine.options.cookieCsrfProtect && lacksCsrf) throw invalidToken('claims_invalid')
  setCookies(exchange, prepareCookies(exchange, { [type]: { token, claims } }, own), [], own.response)
}

/** What `authorize.unsetJwtCookies` and its sisters do. */
export function unsetCookies(exchange: Exchange, types: readonly TokenType[], options: ResponseOption): void {
  const { response } = ownOptions(options, 'Unsetting cookies', ['response'])
  demandCookies(exchange)
  exchange.cookies.write(exchange.cookies.deletions(types), response)
}

function demandCookies({ engine }: Exchange): void {
  if (!engine.hasCookies) throw new TypeError("Cookies need 'cookies' in the option tokenLocation")
}
