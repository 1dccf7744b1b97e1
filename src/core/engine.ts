/** What every request of one `Auth` shares: resolved options, tokens, cookies, names and guards, all made once. */

import { deletionsElsewhere, earlierScopes, maxCleaningBytes, withinBudget } from './cookie.ts'
import type { CookieSpec } from './cookie.ts'
import { createMethodRule } from './csrf.ts'
import { createEquality } from './equality.ts'
import type { Equality } from './equality.ts'
import { createEmitter } from './events.ts'
import type { Emitter } from './events.ts'
import { createGuard } from './guard.ts'
import type { Guard, GuardName } from './guard.ts'
import { Envelope } from './encryption.ts'
import { dialectOf, wordRefusal } from './compat.ts'
import type { Dialect } from './compat.ts'
import { AuthError } from './errors.ts'
import type { LocationNames } from './location.ts'
import type { ResolvedOptions } from './options.ts'
import { RemoteKeys } from './remote-keys.ts'
import type { ResolvedKeys } from './resolve-keys.ts'
import { Sessions } from './session.ts'
import { SocketWatch } from './socket-watch.ts'
import { Tokens } from './token.ts'
import type { TokenType } from './claims.ts'

/** Where one type of token and its CSRF value are found. */
export interface TypeNames extends LocationNames {
  /** Lower-case. */
  readonly csrfHeader: string
  /** `null` unless `csrfCheckForm` is on. */
  readonly csrfField: string | null
}

/** The two cookies of one type of token. */
export interface CookiePair {
  readonly token: CookieSpec
  readonly csrf: CookieSpec
}

/** The inside of an `Auth`. */
export interface Engine {
  readonly options: ResolvedOptions
  /** tallystick's own, or that of the option `compat`. */
  readonly dialect: Dialect
  readonly tokens: Tokens
  /** Only with the option `jwksUri`. */
  readonly remoteKeys: RemoteKeys | undefined
  /** Only with the option `encryption`. */
  readonly envelope: Envelope | undefined
  readonly emitter: Emitter
  /** Only with the option `store`. */
  readonly sessions: Sessions | undefined
  /** Looks after the sockets that are open. */
  readonly sockets: SocketWatch
  readonly names: Readonly<Record<TokenType, TypeNames>>
  readonly cookies: Readonly<Record<TokenType, CookiePair>>
  /** Whether cookies are a location at all. */
  readonly hasCookies: boolean
  /** The guards without options, and the two forms of `refresh()`. */
  readonly guards: Readonly<Record<GuardName | 'refresh' | 'refreshByNavigation', Guard>>
  isCsrfMethod(method: string): boolean
  /** The refusal with the status and in the words of this `Auth`. @param token What it is about, if that is known */
  wordRefusal(error: AuthError, token?: string): AuthError
  /** Runs what belongs to no request; its refusal is worded as those of requests are. */
  worded<T>(step: () => PromiseLike<T>, token?: string): Promise<T>
  /** In constant time. */
  readonly isEqual: Equality
}

export function createEngine(options: ResolvedOptions, { keys, encryption }: ResolvedKeys): Engine {
  const hasCookies = options.tokenLocation.includes('cookies')
  const dialect = dialectOf(options.compat)
  const hasCsrf = (hasCookies || dialect.hasCsrfEverywhere) && options.cookieCsrfProtect
  const isRevocable = options.store !== undefined || options.denylistEnabled
  const cookies = { access: createPair(options, 'access'), refresh: createPair(options, 'refresh') }
  if (hasCookies) demandRoom(options, [cookies.access, cookies.refresh])
  const emitter = createEmitter(options.onEvent)
  const sessions = options.store === undefined ? undefined : new Sessions(options.store, options, emitter)
  const { jwksUri, decodeAlgorithms = [] } = options
  const envelope = encryption && new Envelope(encryption)
  const remoteKeys = jwksUri && new RemoteKeys(jwksUri, decodeAlgorithms, emitter, () => tokens.forget())
  const tokenSettings = { ...options, hasCsrf, isRevocable, dialect: dialect.tokens }
  const tokens = new Tokens(tokenSettings, keys, { remote: remoteKeys, envelope })
  // What is in an encrypted token is nobody's to read.
  const word = (error: AuthError, token?: string): AuthError =>
    wordRefusal(error, options, envelope === undefined ? token : undefined)
  return {
    options,
    dialect,
    tokens,
    remoteKeys,
    envelope,
    emitter,
    sessions,
    sockets: new SocketWatch(options.clock, (listener) => sessions?.onRevoked(listener)),
    names: { access: createNames(options, 'access'), refresh: createNames(options, 'refresh') },
    cookies,
    hasCookies,
    guards: createGuards(options),
    isCsrfMethod: createMethodRule(options.csrfMethods),
    isEqual: createEquality(),
    wordRefusal: word,
    async worded(step, token) {
      try {
        return await step()
      } catch (error) {
        throw AuthError.is(error) ? word(error, token) : error
      }
    },
  }
}

function createNames(options: ResolvedOptions, type: TokenType): TypeNames {
  return {
    type,
    dialect: dialectOf(options.compat).locations,
    headerName: options.headerName,
    headerType: options.headerType,
    cookieName: options.cookiePrefix + options[`${type}CookieKey`],
    queryName: options.queryName,
    jsonKey: type === 'access' ? options.jsonKey : options.refreshJsonKey,
    csrfHeader: options[`${type}CsrfHeaderName`].toLowerCase(),
    csrfField: options.csrfCheckForm ? options[`${type}CsrfFieldName`] : null,
  }
}

function createPair(options: ResolvedOptions, type: TokenType): CookiePair {
  const { cookiePrefix, cookieDomain: domain, cookieSamesite, cookiePartitioned: partitioned } = options
  const sameSite =
    cookieSamesite === undefined
      ? ''
      : `; SameSite=${cookieSamesite.charAt(0).toUpperCase()}${cookieSamesite.slice(1)}`
  const ending = dialectOf(options.compat).cookieEnding
  const flags = `${options.cookieSecure ? '; Secure' : ''}${sameSite}`
  return {
    token: {
      name: cookiePrefix + options[`${type}CookieKey`],
      path: options[`${type}CookiePath`],
      domain,
      flags: `; HttpOnly${flags}`,
      partitioned,
      ending,
    },
    csrf: {
      name: cookiePrefix + options[`${type === 'access' ? 'accessCsrf' : 'refreshCsrf'}CookieKey`],
      path: options[`${type === 'access' ? 'accessCsrf' : 'refreshCsrf'}CookiePath`],
      domain,
      flags,
      partitioned,
      ending,
    },
  }
}

/** What does not fit into an answer would stay in browsers for ever. */
function demandRoom(options: ResolvedOptions, pairs: readonly CookiePair[]): void {
  const specs = pairs.flatMap(({ token, csrf }) => [token, csrf])
  const lines = specs.flatMap((spec) => deletionsElsewhere(spec, earlierScopes(options)))
  if (withinBudget(lines).length === lines.length) return
  throw new TypeError(
    `createAuth cannot work with these options:\n- previousCookies names too many places: clearing them takes over ${maxCleaningBytes} bytes of headers, which proxies refuse; leave out those whose cookies have ended`,
  )
}

function createGuards({ tokenLocation }: ResolvedOptions): Engine['guards'] {
  const refresh = createGuard('jwtRefreshTokenRequired', tokenLocation)
  return {
    jwtRequired: createGuard('jwtRequired', tokenLocation),
    jwtOptional: createGuard('jwtOptional', tokenLocation),
    jwtRefreshTokenRequired: refresh,
    freshJwtRequired: createGuard('freshJwtRequired', tokenLocation),
    refresh: { ...refresh, csrf: 'always', willRotate: true },
    refreshByNavigation: { ...refresh, csrf: 'navigation', willRotate: true },
  }
}
