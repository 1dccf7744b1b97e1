/** Sign-in and refresh of one request: computes everything that can fail, then tells the store, then sets cookies. */

import { Buffer } from 'node:buffer'
import { checkOrigin } from './check.ts'
import { userClaimsOf, writtenSubject } from './claims.ts'
import type { CookieOptions } from './cookie-writer.ts'
import type { Identity } from './check.ts'
import { AuthError } from './errors.ts'
import type { Exchange } from './exchange.ts'
import type { JsonObject } from './json.ts'
import { findLiveToken } from './live-token.ts'
import { ownOptions, withoutPrototype } from './own.ts'
import type { Generation, Sessions } from './session.ts'
import type { SessionMetadata } from './store.ts'
import { prepareCookies, setCookies } from './token-cookies.ts'
import type { PreparedCookies } from './token-cookies.ts'
import { demandReadable } from './token.ts'
import type { AccessTokenOptions, Inherited, MadeToken } from './token.ts'

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

/** A signed-in client's tokens, for clients that keep them elsewhere than in cookies. */
export interface TokenPair {
  readonly accessToken: string
  readonly refreshToken: string
}

interface MadePair {
  readonly access: MadeToken
  readonly refresh: MadeToken
}

const loginOptionNames = ['userClaims', 'fresh', 'algorithm', 'headers', 'audience', 'crossSite', 'maxAge']

/** What `authorize.login` does. */
export async function login(
  exchange: Exchange,
  subject: string | number,
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
  const { hasCookies, sessions, tokens } = engine
  if (hasCookies && !crossSite) checkOrigin(engine, request)
  if (hasCookies) cookies.demandWritable()
  const authTime = Math.floor(engine.options.clock())
  await sessions?.opened()
  // Stores, readers and observers know subjects as text.
  const name = typeof subject === 'number' ? String(subject) : subject
  const session = sessions?.prepareSession(name)
  const inherited = { authTime, ...session }
  const made = {
    access: await tokens.make('access', subject, { ...tokenOptions, fresh }, inherited),
    refresh: await tokens.make('refresh', subject, tokenOptions, inherited),
  }
  const pair = pairOf(made)
  const prepared = hasCookies ? prepareCookies(exchange, made, { maxAge }) : undefined
  if (sessions !== undefined && session !== undefined) {
    const overwritten = await findOverwrittenSessions(exchange)
    const metadata = { ...metadataOf(exchange), ...(maxAge !== undefined && { maxAge }) }
    const replaces = overwritten.find((one) => one.subject === name)?.sid
    await sessions.create(name, session, authTime, metadata, replaces)
    for (const other of overwritten) {
      if (other.sid !== replaces) sessions.revocations.revokeInBackground(other.sid, other.subject)
    }
  }
  if (prepared !== undefined) setCookies(exchange, prepared, cookies.cleaning())
  // Whoever this request came from before, it is not the user of this sign-in.
  exchange.identity = null
  return pair
}

function pairOf({ access, refresh: refreshToken }: MadePair): TokenPair {
  return { accessToken: demandReadable(access), refreshToken: demandReadable(refreshToken) }
}

/** The sessions whose cookies a sign-in overwrites: nobody could sign out of them any more. */
async function findOverwrittenSessions(
  exchange: Exchange,
): Promise<readonly { readonly sid: string; readonly subject: string }[]> {
  if (!exchange.engine.hasCookies) return []
  const access = await findLiveToken(exchange, 'access', ['cookies'])
  const refreshToken = await findLiveToken(exchange, 'refresh', ['cookies'])
  const sessions = [access, refreshToken].flatMap((live) => {
    const sid = live?.claims.sid
    return live === null || sid === undefined ? [] : [{ sid, subject: live.claims.sub }]
  })
  return sessions.filter(({ sid }, index) => sessions.findIndex((other) => other.sid === sid) === index)
}

/** What `authorize.refresh` does. */
export async function refresh(
  exchange: Exchange,
  options: { readonly userClaims?: unknown; readonly navigation?: boolean | undefined },
): Promise<TokenPair> {
  const { cookies, engine } = exchange
  const { navigation = false, userClaims: given } = ownOptions(options, 'refresh()', [
    'userClaims',
    'navigation',
  ])
  if (typeof navigation !== 'boolean') throw new TypeError('navigation must be a boolean')
  const guard = navigation ? engine.guards.refreshByNavigation : engine.guards.refresh
  const identity = await exchange.identify(guard)
  if (identity === null) throw new AuthError('token_missing')
  if (identity.location === 'cookies') cookies.demandWritable()
  const userClaims = await newUserClaims(given, userClaimsOf(identity.verified.payload))
  const pair =
    engine.sessions === undefined
      ? await renewAccess(exchange, identity, userClaims)
      : await rotate(exchange, engine.sessions, identity, userClaims)
  exchange.publish(identity)
  return pair
}

async function newUserClaims(given: unknown, old: JsonObject): Promise<unknown> {
  if (given === undefined) return old
  if (typeof given !== 'function') return given
  const claims: unknown = await given({ ...old })
  if (claims === undefined)
    throw new TypeError('The function userClaims of refresh() must return the new claims')
  return claims
}

/** Without a store the refresh token stays: a new one would slide for ever, and nobody could revoke it. */
async function renewAccess(
  exchange: Exchange,
  { verified, token, location }: Identity,
  userClaims: unknown,
): Promise<TokenPair> {
  const { claims, payload } = verified
  const inherited = { authTime: claims.auth_time, sid: claims.sid, audience: claims.aud }
  const subject = writtenSubject(payload)
  const access = await exchange.engine.tokens.make('access', subject, { userClaims }, inherited)
  const accessToken = demandReadable(access)
  if (location === 'cookies') setCookies(exchange, prepareCookies(exchange, { access }, {}))
  return { accessToken, refreshToken: token }
}

/** Signs first and rotates then: a signer that is down has used nothing up. */
async function rotate(
  exchange: Exchange,
  sessions: Sessions,
  { verified, location }: Identity,
  userClaims: unknown,
): Promise<TokenPair> {
  const { claims, payload } = verified
  await sessions.opened()
  const pending = sessions.prepareRotation(claims, metadataOf(exchange))
  const { authTimeSeconds } = pending
  const sign = async ({ sid, generation, issuedAtSeconds, values }: Generation): Promise<MadePair> => {
    const common: Inherited = {
      authTime: authTimeSeconds,
      sid,
      audience: claims.aud,
      generation,
      issuedAtSeconds,
    }
    const { tokens } = exchange.engine
    const subject = writtenSubject(payload)
    return {
      access: await tokens.make('access', subject, { userClaims }, { ...common, ...values.access }),
      refresh: await tokens.make(
        'refresh',
        subject,
        { userClaims: userClaimsOf(payload) },
        { ...common, ...values.refresh },
      ),
    }
  }
  const prepare = (made: MadePair, maxAge: CookieOptions['maxAge']): PreparedCookies | undefined =>
    location === 'cookies' ? prepareCookies(exchange, made, { maxAge }) : undefined
  const next = await sign(sessions.nextGeneration(pending))
  // Both throw for tokens or cookies that are too large: before the store rotates.
  pairOf(next)
  prepare(next, undefined)
  const { isNext, generation, metadata } = await sessions.rotate(pending)
  const made = isNext ? next : await sign(generation)
  const prepared = prepare(made, withoutPrototype(metadata).maxAge)
  if (prepared !== undefined) setCookies(exchange, prepared)
  return pairOf(made)
}

const mostMetadataBytes = 256

/** What people recognise a sign-in by. */
function metadataOf({ engine, request, raw }: Exchange): SessionMetadata {
  const { clientAddress } = engine.options
  // The option's own type asks for the framework's request, and that is what the adapter has bound, or says.
  const address: unknown = clientAddress?.((request.source ?? raw) as never)
  if (address !== undefined && typeof address !== 'string')
    throw new TypeError('clientAddress must give a string or undefined')
  const userAgent = request.header('user-agent')
  return {
    ...(userAgent !== undefined && { userAgent: noted(userAgent) }),
    ...(address !== undefined && { address: noted(address) }),
  }
}

/** Whole characters of at most so many bytes, without any that would break a line. */
function noted(text: string): string {
  const bytes = Buffer.from(text.replaceAll(/\p{Cc}/gu, ' ')).subarray(0, mostMetadataBytes)
  // In a stream, a character that is cut in two is left for later.
  return new TextDecoder().decode(bytes, { stream: true })
}
