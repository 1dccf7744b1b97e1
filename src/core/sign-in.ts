/** Sign-in, refresh and sign-out of one request: computes everything first, then writes all cookies or none. */

import { checkOrigin, checkType } from './check.ts'
import type { CookieOptions } from './cookie-writer.ts'
import { checkCsrf, demandCsrfValue, readCsrfValue } from './csrf.ts'
import { AuthError, invalidToken } from './errors.ts'
import type { Exchange } from './exchange.ts'
import type { JsonObject } from './json.ts'
import { findToken } from './location.ts'
import type { FoundToken, TokenLocation } from './location.ts'
import { ownOptions, withoutPrototype } from './own.ts'
import type { ResponseTarget } from './request.ts'
import { demandReadable } from './token.ts'
import type { AccessTokenOptions, Claims, MadeToken, TokenType } from './token.ts'

/** What `login` can be told. */
export interface LoginOptions<UserClaims = Record<string, unknown>> extends Omit<
  AccessTokenOptions<UserClaims>,
  'expiresTime'
> {
  /** Lets another site's page send this request, as identity providers do by POST; check their `state` first. */
  readonly crossSite?: boolean | undefined
  /** Overrides `cookieMaxAge`; `'session'` is what "remember me" switches off. */
  readonly maxAge?: CookieOptions['maxAge']
}

/** What `refresh` can be told. */
export interface RefreshOptions<UserClaims = Record<string, unknown>> {
  /** The user claims of the new access token: a value, or a function of those in the refresh token. */
  readonly userClaims?: UserClaims | ((old: UserClaims) => UserClaims | PromiseLike<UserClaims>) | undefined
  /** Takes a top-level navigation by GET in place of the CSRF header, for pages rendered by the server. */
  readonly navigation?: boolean | undefined
}

/** Where cookies go that are set or unset by hand. */
export interface ResponseOption {
  /** What the handler is about to return, instead of the bound response. */
  readonly response?: ResponseTarget | object | undefined
}

/** A signed-in client's tokens, for clients that keep them elsewhere than in cookies. */
export interface TokenPair {
  readonly accessToken: string
  readonly refreshToken: string
}

const loginOptionNames = ['userClaims', 'fresh', 'algorithm', 'headers', 'audience', 'crossSite', 'maxAge']

/** What `authorize.login` does. */
export async function login(
  exchange: Exchange,
  subject: string,
  options: LoginOptions<unknown>,
): Promise<TokenPair> {
  const {
    crossSite = false,
    maxAge,
    fresh = true,
    ...tokenOptions
  } = ownOptions(options, 'login()', loginOptionNames)
  if (typeof crossSite !== 'boolean') throw new TypeError('crossSite must be a boolean')
  const { engine, cookies, request } = exchange
  if (engine.hasCookies && !crossSite) checkOrigin(engine, request)
  if (engine.hasCookies) cookies.demandWritable()
  const inherited = { authTime: Math.floor(engine.options.clock()) }
  const access = await engine.tokens.make('access', subject, { ...tokenOptions, fresh }, inherited)
  const refreshed = await engine.tokens.make('refresh', subject, tokenOptions, inherited)
  if (engine.hasCookies) setCookies(exchange, { access, refresh: refreshed }, { maxAge }, cookies.cleaning())
  // Whoever this request came from before, it is not the user of this sign-in.
  exchange.identity = null
  return { accessToken: demandReadable(access), refreshToken: demandReadable(refreshed) }
}

/** What `authorize.refresh` does. */
export async function refresh(
  exchange: Exchange,
  options: { readonly userClaims?: unknown; readonly navigation?: boolean | undefined },
): Promise<TokenPair> {
  const { cookies, engine } = exchange
  const { navigation = false, userClaims: successor } = ownOptions(options, 'refresh()', [
    'userClaims',
    'navigation',
  ])
  if (typeof navigation !== 'boolean') throw new TypeError('navigation must be a boolean')
  const guard = navigation ? engine.guards.refreshByNavigation : engine.guards.refresh
  const identity = await exchange.identify(guard)
  if (identity === null) throw new AuthError('token_missing')
  const { claims, userClaims: old } = identity.verified
  const isFromCookie = identity.location === 'cookies'
  if (isFromCookie) cookies.demandWritable()
  const userClaims = await successorClaims(successor, old)
  const inherited = { authTime: claims.auth_time, sid: claims.sid, audience: claims.aud }
  const access = await engine.tokens.make('access', claims.sub, { userClaims }, inherited)
  if (isFromCookie) setCookies(exchange, { access }, {}, [])
  exchange.publish(identity)
  return { accessToken: demandReadable(access), refreshToken: identity.token }
}

async function successorClaims(userClaims: unknown, old: JsonObject): Promise<unknown> {
  if (userClaims === undefined) return old
  if (typeof userClaims !== 'function') return userClaims
  const claims: unknown = await userClaims({ ...old })
  if (claims === undefined)
    throw new TypeError('The function userClaims of refresh() must return the new claims')
  return claims
}

/** What `authorize.logout` does. */
export async function logout(exchange: Exchange): Promise<{ readonly revoked: boolean }> {
  const { engine, cookies, request } = exchange
  if (engine.hasCookies) {
    checkOrigin(engine, request)
    cookies.demandWritable()
  }
  const live = await findLive(exchange)
  if (live?.location === 'cookies' && engine.options.cookieCsrfProtect) {
    const { csrfHeader, csrfField } = engine.names[live.claims.type]
    checkCsrf(demandCsrfValue(await readCsrfValue(request, csrfHeader, csrfField)), live.claims)
  }
  if (engine.hasCookies) cookies.write([...cookies.deletions(), ...cookies.cleaning()])
  exchange.csrf = {}
  exchange.identity = null
  return { revoked: false }
}

/** A token that would still open something. */
interface LiveToken {
  readonly claims: Claims
  readonly location: FoundToken['location']
}

/** Cookies come first: they are what will be unset, so no token from elsewhere may stand in for their CSRF value. */
async function findLive(exchange: Exchange): Promise<LiveToken | null> {
  const { tokenLocation } = exchange.engine.options
  const elsewhere = tokenLocation.filter((location) => location !== 'cookies')
  const places = [...(exchange.engine.hasCookies ? [['cookies'] as const] : []), elsewhere]
  for (const locations of places) {
    const live =
      (await findLiveOf(exchange, 'access', locations)) ?? (await findLiveOf(exchange, 'refresh', locations))
    if (live !== null) return live
  }
  return null
}

/** `null` for a token that is absent, ambiguous or bad in any way. */
async function findLiveOf(
  { engine, request, trace }: Exchange,
  type: TokenType,
  locations: readonly TokenLocation[],
): Promise<LiveToken | null> {
  try {
    const found = await findToken(request, locations, engine.names[type])
    if (found === null) return null
    const { claims } = await engine.tokens.verify(found.token)
    if (claims.type !== type) return null
    trace.location = found.location
    return { claims, location: found.location }
  } catch (error) {
    if (AuthError.is(error)) return null
    throw error
  }
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
  ownOptions(options, `set${type === 'access' ? 'Access' : 'Refresh'}Cookies()`, [
    'maxAge',
    'domain',
    'response',
  ])
  const verified = await engine.tokens.verify(token)
  const { claims } = verified
  checkType(engine.guards[type === 'access' ? 'jwtRequired' : 'jwtRefreshTokenRequired'], verified)
  const lacksCsrf = claims.csrf === undefined || claims.csrf === ''
  if (engine.options.cookieCsrfProtect && lacksCsrf) throw invalidToken('claims_invalid')
  setCookies(exchange, { [type]: { token, claims } }, options, [])
}

function setCookies(
  exchange: Exchange,
  made: { readonly [Type in TokenType]?: MadeToken },
  options: CookieOptions & ResponseOption,
  further: readonly string[],
): void {
  const { cookies } = exchange
  const own = withoutPrototype(options)
  const lines = [...further]
  const csrf: { [Type in TokenType]?: string | undefined } = { ...exchange.csrf }
  for (const type of ['access', 'refresh'] as const) {
    const token = made[type]
    if (token === undefined) continue
    lines.push(...cookies.lines(type, token, own))
    csrf[type] = token.claims.csrf
  }
  cookies.write(lines, own.response)
  exchange.csrf = csrf
  cookies.warnOfInsecureTransport()
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
