/** Sign-out of one request: ends what the tokens name, and unsets the cookies whatever the store says. */

import { checkOrigin, checkRevocation, checkRevocationInStore } from './check.ts'
import { checkCsrf, demandCsrfValue, readCsrfValue } from './csrf.ts'
import { AuthError } from './errors.ts'
import type { Exchange } from './exchange.ts'
import { findLiveToken } from './live-token.ts'
import type { LiveToken } from './live-token.ts'
import type { TokenLocation } from './location.ts'
import type { MaybePromise } from './maybe.ts'
import { ownOptions } from './own.ts'
import type { Sessions } from './session.ts'
import type { Claims } from './claims.ts'

/** What `logout` can be told. */
export interface LogoutOptions {
  /**
   * Ends all sessions of the user, on every device; needs a store. With revoked tokens only, just what they name is
   * ended, and `revoked` is `false`.
   *
   * @default false
   */
  readonly everywhere?: boolean | undefined
}

/** What `authorize.logout` does. */
export async function logout(
  exchange: Exchange,
  options: LogoutOptions,
): Promise<{ readonly revoked: boolean }> {
  const { engine, cookies, request } = exchange
  const { everywhere = false } = ownOptions(options, 'logout()', ['everywhere'])
  if (typeof everywhere !== 'boolean') throw new TypeError('everywhere must be a boolean')
  if (everywhere && engine.sessions === undefined)
    throw new TypeError('logout({ everywhere: true }) needs the option store')
  if (engine.hasCookies) {
    checkOrigin(engine, request)
    cookies.demandWritable()
  }
  const live = await findLive(exchange)
  const [named] = live
  if (named?.location === 'cookies' && engine.options.cookieCsrfProtect) {
    const { csrfHeader, csrfField } = engine.names[named.claims.type]
    const sent = demandCsrfValue(await readCsrfValue(request, csrfHeader, csrfField))
    checkCsrf(engine.isEqual, sent, named.claims)
  }
  const { sessions } = engine
  let revoked = false
  try {
    if (sessions !== undefined) revoked = await endSessions(exchange, sessions, oneSignIn(live), everywhere)
  } finally {
    // Whoever signs out is signed out here, also where the store cannot be told yet.
    if (engine.hasCookies) cookies.write([...cookies.deletions(), ...cookies.cleaning()])
    exchange.csrf = {}
    exchange.identity = null
  }
  return { revoked }
}

/**
 * A token that was revoked, perhaps because it was stolen, may end its own session but not all others.
 *
 * @returns whether all that was to end has ended
 */
async function endSessions(
  exchange: Exchange,
  sessions: Sessions,
  tokens: readonly Claims[],
  everywhere: boolean,
): Promise<boolean> {
  const { engine } = exchange
  const named = withoutRepeats(tokens)
  const isProven = async (check: typeof checkRevocation): Promise<boolean> =>
    isOneGood(tokens, async (claims) => check(engine, claims, false))
  let isGood = false
  if (everywhere) {
    try {
      isGood = await isProven(checkRevocation)
    } catch (error) {
      sessions.revocations.signOutEverywhereLater(named, () => isProven(checkRevocationInStore))
      throw error
    }
  }
  await sessions.revocations.signOut(named, isGood)
  return tokens.length > 0 && (!everywhere || isGood)
}

/** Whether one of these tokens passes a check. @throws {AuthError} `store_unavailable`, where that cannot be told of any */
async function isOneGood(
  tokens: readonly Claims[],
  check: (claims: Claims) => MaybePromise<void>,
): Promise<boolean> {
  let outage: AuthError | undefined
  for (const claims of tokens) {
    try {
      await check(claims)
      return true
    } catch (error) {
      if (!AuthError.is(error)) throw error
      if (error.code === 'store_unavailable') outage = error
    }
  }
  if (outage !== undefined) throw outage
  return false
}

/**
 * The access token, else the refresh token, and beside the access token the refresh token of the same place.
 *
 * Cookies come first: they are what will be unset, so no token from elsewhere may stand in for their CSRF value.
 */
async function findLive(exchange: Exchange): Promise<readonly LiveToken[]> {
  const { tokenLocation } = exchange.engine.options
  const elsewhere = tokenLocation.filter((location) => location !== 'cookies')
  const places: readonly (readonly TokenLocation[])[] = [
    ...(exchange.engine.hasCookies ? [['cookies'] as const] : []),
    elsewhere,
  ]
  for (const locations of places) {
    const refresh = await findLiveToken(exchange, 'refresh', locations)
    const access = await findLiveToken(exchange, 'access', locations)
    const live = [access, refresh].filter((token) => token !== null)
    if (live.length > 0) return live
  }
  return []
}

/** The tokens of the user whom the first one names; a stranger's beside it has shown no CSRF value. */
function oneSignIn(live: readonly LiveToken[]): readonly Claims[] {
  const claims = live.map((token) => token.claims)
  return claims.filter(({ sub }) => sub === claims[0]?.sub)
}

/** One token of each session: to end it once is enough. */
function withoutRepeats(tokens: readonly Claims[]): readonly Claims[] {
  const isRepeated = ({ sid }: Claims, index: number): boolean =>
    sid !== undefined && tokens.findIndex((other) => other.sid === sid) < index
  return tokens.filter((one, index) => !isRepeated(one, index))
}
