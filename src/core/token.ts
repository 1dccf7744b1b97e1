/** Makes and verifies access and refresh tokens; gives out no claim before the signature and every expectation held. */

import { TokenCache } from './cache.ts'
import { parseDuration } from './duration.ts'
import type { Duration } from './duration.ts'
import { isForAudience, registeredClaims, userClaimsOf } from './claims.ts'
import type { Claims, RegisteredClaims, TokenDialect, TokenType } from './claims.ts'
import type { Envelope } from './encryption.ts'
import { AuthError, invalidToken } from './errors.ts'
import { copyJsonObject } from './json.ts'
import type { JsonObject } from './json.ts'
import { demandSize, maxTokenBytes, parseUnverified, signJws, verifyJws } from './jws.ts'
import type { Algorithm, JwsKey, JwsKeys, VerifiedJws } from './jws.ts'
import { chain, settle } from './maybe.ts'
import type { MaybePromise } from './maybe.ts'
import { ownOptions, withoutPrototype } from './own.ts'
import type { RemoteKeys } from './remote-keys.ts'
import { deepFreeze, isObject, issuePaths } from './schema.ts'
import type { SchemaResult, UserClaimsSchema } from './schema.ts'
import { checkSubject, checkTokenOptions, copyHeaders, freshOf, tokenOptionNames } from './token-options.ts'

/** Lets a token pass that guards will read. @throws {TypeError} for a longer one */
export function demandReadable({ token }: { readonly token: string }): string {
  if (token.length <= maxTokenBytes) return token
  throw new TypeError(
    `This token has ${token.length} bytes and guards take ${maxTokenBytes}: give it fewer claims`,
  )
}

/** How far `iat` and `nbf` may lie ahead at least, so that two servers' clocks need not agree. */
export const clockSkewSeconds = 5

/** A token that passed signature, shape and schema; cached, and still to be held against the clock. */
export interface VerifiedToken {
  readonly header: JsonObject
  /** Frozen; user claims as the schema gave them. */
  readonly claims: Claims
  /** All of them as they stand in the token. */
  readonly payload: JsonObject
}

/** What a token may be made with. Audience and lifetime replace the configured ones. */
export interface TokenOptions<UserClaims = Record<string, unknown>> {
  /** One of `algorithm` and `decodeAlgorithms`, or that of a key of the ring that signs. */
  readonly algorithm?: Algorithm | undefined
  /** Further JOSE header parameters; not those that choose keys or algorithms. */
  readonly headers?: Readonly<Record<string, unknown>> | undefined
  /**
   * Lifetime in seconds or as `'15m'`; `false` for none, where the configured lifetime is `false` too. With a store no
   * token is taken for longer than is configured.
   */
  readonly expiresTime?: Duration | false | undefined
  readonly audience?: string | readonly string[] | undefined
  /** The application's own claims; they cannot name a registered one. */
  readonly userClaims?: UserClaims | undefined
}

/** What an access token may be made with. */
export interface AccessTokenOptions<UserClaims = Record<string, unknown>> extends TokenOptions<UserClaims> {
  /**
   * Whether the user has just proved who they are; `false` if not given. With `compat: 'flask-jwt-extended'` also for
   * how long that counts: seconds, or a text like `'5m'`.
   */
  readonly fresh?: boolean | Duration | undefined
}

/** What a new token takes over from the token or the sign-in that it follows. */
export interface Inherited {
  readonly authTime?: number | undefined
  readonly sid?: string | undefined
  readonly audience?: Claims['aud']
  /** Of a session in a store; refresh tokens only. */
  readonly generation?: number | undefined
  /** What all who refresh one token get alike; made anew unless given. */
  readonly jti?: string | undefined
  readonly csrf?: string | undefined
  readonly issuedAtSeconds?: number | undefined
}

/** A token with the claims that were signed. */
export interface MadeToken {
  readonly token: string
  readonly claims: RegisteredClaims
}

/** The resolved options that tokens depend on. */
export interface TokenSettings {
  readonly clock: () => number
  readonly decodeLeeway: number
  readonly maxTokenAge: number | undefined
  readonly sessionExpires: number
  readonly accessTokenExpires: number | false
  readonly refreshTokenExpires: number | false
  readonly encodeIssuer: string | undefined
  readonly decodeIssuer: readonly string[] | undefined
  readonly encodeAudience: string | readonly string[] | undefined
  readonly decodeAudience: readonly string[] | undefined
  readonly verifiedTokenCache: number
  readonly claims: UserClaimsSchema | undefined
  /** Whether tokens carry a CSRF value. */
  readonly hasCsrf: boolean
  /** Whether tokens have to be told apart, so that one can be revoked. */
  readonly isRevocable: boolean
  readonly dialect: TokenDialect
}

/** Is called with the claims of a token that has expired, just before that is said. */
export type BeforeExpiry = (claims: Claims) => void

/** Where keys come from, other than from the options themselves. */
export interface KeySources {
  /** Asked before its keys are used; only with `jwksUri`. */
  readonly remote?: Pick<RemoteKeys, 'renew' | 'verify'> | undefined
  readonly envelope?: Envelope | undefined
}

/** Makes and verifies the tokens of one `Auth`. */
export class Tokens {
  readonly #settings: TokenSettings
  readonly #sources: KeySources
  #keys: JwsKeys
  #cache: TokenCache<VerifiedToken>
  #keyChanges = 0

  constructor(settings: TokenSettings, keys: JwsKeys, sources: KeySources = {}) {
    this.#settings = settings
    this.#sources = sources
    this.#keys = keys
    this.#cache = new TokenCache(settings.verifiedTokenCache)
  }

  /** Signs and verifies with other keys from now on; what was verified with those before is forgotten. */
  useKeys(keys: JwsKeys): void {
    this.#keys = keys
    this.forget()
  }

  /** Empties the cache. A verification that is under way fills the one that it began with. */
  forget(): void {
    this.#keyChanges++
    this.#cache = new TokenCache(this.#settings.verifiedTokenCache)
  }

  /** How often keys have come or gone: who keeps a token that is verified verifies it again when this has changed. */
  get keyChanges(): number {
    return this.#keyChanges
  }

  /**
   * Verifies signature, shape, schema, times, issuer and audience; not the type.
   *
   * @param extraAheadSeconds By how many seconds more than usual a token may be dated ahead: to end it, not to use it.
   * @throws {AuthError} `token_too_large` · `token_invalid` · `token_expired`
   * @see RFC 7519 section 7.2, RFC 8725 section 3
   */
  verify(token: string, extraAheadSeconds = 0, beforeExpiry?: BeforeExpiry): MaybePromise<VerifiedToken> {
    demandSize(token)
    if (typeof token !== 'string') throw invalidToken('malformed')
    const renewed = this.#sources.remote?.renew()
    if (renewed === undefined) return this.#verify(token, extraAheadSeconds, beforeExpiry)
    return renewed.then(() => this.#verify(token, extraAheadSeconds, beforeExpiry))
  }

  #verify(token: string, aheadSeconds: number, beforeExpiry?: BeforeExpiry): MaybePromise<VerifiedToken> {
    const cache = this.#cache
    const known = cache.get(token)
    if (known !== undefined) return this.#expect(known, aheadSeconds, beforeExpiry)
    return chain(this.#open(token), (jws) =>
      chain(this.#readClaims(jws), ({ isFrozen, verified }) => {
        // What one reader could change for all others is made anew each time.
        if (isFrozen) cache.set(token, verified)
        return this.#expect(verified, aheadSeconds, beforeExpiry)
      }),
    )
  }

  /** Holds a token that was verified before against the clock again. @throws {AuthError} `token_expired` · … */
  recheck(verified: VerifiedToken): void {
    // Where sockets are all there is, nobody else would notice that the set is old.
    void this.#sources.remote?.renew()
    this.#expect(verified, 0)
  }

  /** Signs claims for another purpose than a token's, which the header names (RFC 8725 section 3.11). */
  signFor(typ: string, payload: JsonObject): MaybePromise<string> {
    const { defaultAlgorithm, signers } = this.#keys
    const key = defaultAlgorithm === undefined ? undefined : signers.get(defaultAlgorithm)
    if (key === undefined) throw new TypeError(missingKey(undefined, this.#keys))
    return this.#sign(payload, key, { typ })
  }

  #sign(payload: JsonObject, key: JwsKey, headers?: JsonObject): MaybePromise<string> {
    const { envelope } = this.#sources
    const signed = signJws(payload, key, headers)
    return envelope?.seals === true ? chain(signed, (token) => envelope.seal(token)) : signed
  }

  #open(token: string): MaybePromise<VerifiedJws> {
    const { envelope, remote } = this.#sources
    const read = (jws: string): MaybePromise<VerifiedJws> =>
      remote === undefined ? verifyJws(jws, this.#keys) : remote.verify(jws)
    return envelope === undefined ? read(token) : chain(envelope.open(token), read)
  }

  /** Decodes a token that nobody has verified. @throws {AuthError} @throws {TypeError} where tokens are encrypted */
  parseUnverified(token: unknown): VerifiedJws {
    if (this.#sources.envelope === undefined) return parseUnverified(token)
    throw new TypeError('Encrypted tokens cannot be read without verifying them: use verify()')
  }

  /** What depends on time and configuration is checked on every use of a token, cached or not. */
  #expect(verified: VerifiedToken, aheadSeconds: number, beforeExpiry?: BeforeExpiry): VerifiedToken {
    this.#expectTime(verified.claims, aheadSeconds, beforeExpiry)
    const { type, iss = '', aud } = verified.claims
    const { decodeIssuer, decodeAudience, dialect } = this.#settings
    const mayLackIssuer = dialect.takesRefreshWithoutIssuer && type === 'refresh' && iss === ''
    if (decodeIssuer !== undefined && !decodeIssuer.includes(iss) && !mayLackIssuer)
      throw invalidToken('issuer_invalid')
    const isForUs =
      decodeAudience === undefined
        ? aud === undefined || !dialect.refusesAudience
        : isForAudience(aud, decodeAudience)
    if (!isForUs) throw invalidToken('audience_invalid')
    return verified
  }

  /** Every comparison is written so that NaN refuses. */
  #expectTime(claims: Claims, extraAheadSeconds: number, beforeExpiry?: BeforeExpiry): void {
    const { type, exp, nbf, iat, auth_time: authTime } = claims
    const settings = this.#settings
    const nowSeconds = settings.clock()
    const aheadSeconds = nowSeconds + Math.max(settings.decodeLeeway, clockSkewSeconds) + extraAheadSeconds
    const lifetime = settings[type === 'refresh' ? 'refreshTokenExpires' : 'accessTokenExpires']
    const mayLackExp = lifetime === false || settings.dialect.takesEndless
    if (exp === undefined && !mayLackExp) throw invalidToken('claims_invalid')
    if (exp !== undefined && !(exp + settings.decodeLeeway > nowSeconds)) {
      beforeExpiry?.(claims)
      throw new AuthError('token_expired')
    }
    if (nbf !== undefined && !(nbf <= aheadSeconds)) throw invalidToken('not_active')
    if (iat !== undefined && !(iat <= aheadSeconds)) throw invalidToken('not_active')
    // The end of a sign-in counts from here: one that is yet to come would have none.
    if (authTime !== undefined && !(authTime <= aheadSeconds)) throw invalidToken('not_active')
    if (nbf !== undefined && exp !== undefined && nbf > exp) throw invalidToken('claims_invalid')
    if (authTime !== undefined && !(authTime + settings.sessionExpires > nowSeconds)) {
      throw new AuthError('token_expired', { cause: 'too_old' })
    }
    if (settings.maxTokenAge === undefined) return
    if (iat === undefined) throw invalidToken('claims_invalid')
    if (!(iat + settings.maxTokenAge > nowSeconds)) throw new AuthError('token_expired', { cause: 'too_old' })
  }

  #readClaims({
    header,
    payload,
  }: VerifiedJws): MaybePromise<{ readonly isFrozen: boolean; readonly verified: VerifiedToken }> {
    const { claims: schema, dialect, isRevocable } = this.#settings
    const given = dialect.readClaims(payload, isRevocable)
    if (schema === undefined) return { isFrozen: true, verified: { header, claims: given, payload } }
    return chain(this.#validate(schema, userClaimsOf(payload)), (result) => {
      const output = result.issues === undefined ? result.value : null
      if (!isObject(output)) throw invalidToken('schema_invalid')
      // No output of a schema may stand in for a registered claim, nor invent one that was not signed.
      const entries = [
        ...Object.entries(output).filter(([name]) => !registeredClaims.has(name)),
        ...Object.entries(given).filter(([name]) => registeredClaims.has(name)),
      ]
      const claims = Object.fromEntries(entries) as unknown as Claims
      return { isFrozen: deepFreeze(claims), verified: { header, claims, payload } }
    })
  }

  /** A schema that fails instead of answering has not said that the claims are good. */
  #validate(schema: UserClaimsSchema, userClaims: JsonObject): MaybePromise<SchemaResult<unknown>> {
    const refuse = (): never => {
      throw invalidToken('schema_invalid')
    }
    try {
      const result = settle(schema['~standard'].validate({ ...userClaims }))
      return result instanceof Promise ? result.catch(refuse) : result
    } catch {
      return refuse()
    }
  }

  /** Makes a signed token. @throws {TypeError} for wrong options, claims or subject */
  make(
    type: TokenType,
    subject: string | number,
    given: AccessTokenOptions<unknown>,
    inherited: Inherited,
  ): MaybePromise<MadeToken> {
    const { dialect } = this.#settings
    const options = ownOptions(
      given,
      type === 'access' ? 'createAccessToken()' : 'createRefreshToken()',
      tokenOptionNames,
    )
    checkSubject(subject, dialect)
    checkTokenOptions(type, options, dialect)
    const algorithm = options.algorithm === undefined ? this.#keys.defaultAlgorithm : options.algorithm
    const key = algorithm === undefined ? undefined : this.#keys.signers.get(algorithm)
    if (key === undefined) throw new TypeError(missingKey(options.algorithm, this.#keys))
    const headers = copyHeaders(options.headers)
    const taken = withoutPrototype(inherited)
    return chain(this.#checkUserClaims(options.userClaims), (userClaims) => {
      const claims = this.#registered(type, String(subject), options, taken)
      const fresh = freshOf(options.fresh, claims.iat ?? 0)
      const payload = { ...dialect.writeClaims(claims, { subject, fresh }), ...userClaims }
      return chain(this.#sign(payload, key, headers), (token) => ({ token, claims }))
    })
  }

  /** The input of the schema is what is written; its output is for readers only. */
  #checkUserClaims(input: unknown): MaybePromise<JsonObject> {
    if (input !== undefined && !isObject(input)) throw new TypeError('userClaims must be a plain object')
    const userClaims = copyJsonObject(input ?? {}, 'userClaims')
    const reserved = Object.keys(userClaims).find((name) => registeredClaims.has(name))
    if (reserved !== undefined)
      throw new TypeError(`userClaims cannot name the registered claim "${reserved}"`)
    const schema = this.#settings.claims
    if (schema === undefined) return userClaims
    return chain(settle(schema['~standard'].validate({ ...userClaims })), (result: SchemaResult<unknown>) => {
      if (result.issues === undefined) return userClaims
      throw new TypeError(
        `userClaims do not fit the schema of the option claims: ${issuePaths(result.issues)}`,
      )
    })
  }

  #registered(
    type: TokenType,
    subject: string,
    options: AccessTokenOptions<unknown>,
    inherited: Inherited,
  ): RegisteredClaims {
    const settings = this.#settings
    const issuedAt = inherited.issuedAtSeconds ?? Math.floor(settings.clock())
    const exp = this.#expiry(type, options.expiresTime, issuedAt, inherited)
    const audience = options.audience ?? inherited.audience ?? settings.encodeAudience
    return {
      sub: subject,
      iat: issuedAt,
      nbf: issuedAt,
      jti: inherited.jti ?? crypto.randomUUID(),
      ...(exp !== undefined && { exp }),
      ...(settings.encodeIssuer !== undefined && { iss: settings.encodeIssuer }),
      ...(audience !== undefined && { aud: audience }),
      type,
      ...(type === 'access' && { fresh: options.fresh === true }),
      ...(settings.hasCsrf && { csrf: inherited.csrf ?? crypto.randomUUID() }),
      ...(inherited.authTime !== undefined && { auth_time: inherited.authTime }),
      ...(inherited.sid !== undefined && { sid: inherited.sid }),
      ...(type === 'refresh' && inherited.generation !== undefined && { gen: inherited.generation }),
    }
  }

  /** No token outlives the absolute end of the sign-in that it belongs to, nor what a session's tokens may at most. */
  #expiry(
    type: TokenType,
    asked: Duration | false | undefined,
    issuedAt: number,
    { authTime, sid }: Inherited,
  ): number | undefined {
    const settings = this.#settings
    const configured = type === 'access' ? settings.accessTokenExpires : settings.refreshTokenExpires
    if (asked === false && configured !== false) {
      throw new TypeError(`expiresTime can only be false where ${type}TokenExpires is false`)
    }
    const lifetime = asked === undefined || asked === false ? configured : parseDuration(asked)
    if (lifetime === null)
      throw new TypeError("expiresTime must be positive seconds, a text like '15m', or false")
    const sessionEnd = (authTime ?? issuedAt) + settings.sessionExpires
    if (sessionEnd <= issuedAt) throw new AuthError('token_expired', { cause: 'too_old' })
    const longest = sid === undefined || configured === false ? Infinity : configured
    if (lifetime !== false) return Math.min(issuedAt + Math.min(lifetime, longest), sessionEnd)
    return authTime === undefined ? undefined : sessionEnd
  }
}

function missingKey(asked: unknown, { signers }: JwsKeys): string {
  return asked === undefined || signers.size === 0
    ? 'This Auth has no key that signs, and can only verify: give one in keys to make tokens'
    : 'algorithm must be one of algorithm and decodeAlgorithms of this Auth, or that of a key of the ring that signs'
}
