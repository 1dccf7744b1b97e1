/** For where nothing can be set on the answer: what needs a response that carries cookies fails there, and says so. */

import type { AuthResponse } from '../core/request.ts'

/** What needs an answer that carries cookies. */
export type CookieMethod =
  | 'login'
  | 'refresh'
  | 'logout'
  | 'setAccessCookies'
  | 'setRefreshCookies'
  | 'unsetAccessCookies'
  | 'unsetRefreshCookies'
  | 'unsetJwtCookies'

/** Stand-ins for those methods. */
export type NoCookies = Readonly<Record<CookieMethod, () => never | Promise<never>>>

/** An answer that somebody else writes. */
export const noResponse: AuthResponse = { sent: true, append: () => undefined, set: () => undefined }

/** Makes the stand-ins: each is a `TypeError` with this message. */
export function refuseCookies(message: string): NoCookies {
  const refuse = (): never => {
    throw new TypeError(message)
  }
  const refuseLater = async (): Promise<never> => refuse()
  return {
    login: refuseLater,
    refresh: refuseLater,
    logout: refuseLater,
    setAccessCookies: refuseLater,
    setRefreshCookies: refuseLater,
    unsetAccessCookies: refuse,
    unsetRefreshCookies: refuse,
    unsetJwtCookies: refuse,
  }
}
