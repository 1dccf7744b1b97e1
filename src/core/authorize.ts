/** One request and its response: guards, sign-in, refresh, sign-out and cookies; the only place that writes to a response. */

import { checkOrigin, runGuard } from './check.ts'
import type { Identity, Trace } from './check.ts'
import { CookieWriter } from './cookie-writer.ts'
import type { CookieOptions } from './cookie-writer.ts'
import { checkCsrf, readCsrfValue } from './csrf.ts'
import type { Engine } from './engine.ts'
import { AuthError, invalidToken } from './errors.ts'
import type { AuthErrorCode, RejectionReason } from './errors.ts'
import { createGuard } from './guard.ts'
import type { FreshGuardOptions, Guard, GuardName, GuardOptions } from './guard.ts'
import { findToken } from './location.ts'
import type { FoundToken } from './location.ts'
import type { MaybePromise } from './maybe.ts'
import { isPreflight } from './request.ts'
import type { AuthRequest, AuthResponse, ResponseTarget } from './request.ts'
import type { AnyUserClaims, UserClaimsInput, UserClaimsOutput, UserClaimsSchema } from './schema.ts'
import { demandReadable } from './token.ts'
import type { AccessTokenOptions, Claims, Inherited, MadeToken, TokenOptions, TokenType } from './token.ts'
import type { JsonObject } from './json.ts'

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

/** Options may be left out as long as the schema asks for no claims. */
type Optional<UserClaims, Options> = object extends UserClaims
  ? [options?: Options]
  : [options: Options & { readonly userClaims: UserClaims }]

/** Errors that `optionalErrors: 'anonymous'` turns into "nobody". */
const anonymousCodes: ReadonlySet<AuthErrorCode> = new Set<AuthErrorCode>([
  'token_expired',
  'token_invalid',
  'token_revoked',
  'wrong_token_type',
  'header_invalid',
  'user_not_found',
])

/** Binds an `Auth` to one request and the response to it. */
export class Authorize<Schema extends UserClaimsSchema = AnyUserClaims, User = unknown> {
  readonly #engine: Engine
  readonly #request: AuthRequest
  readonly #response: AuthResponse
  readonly #trace: Trace = { location: undefined }
  #writer: CookieWriter | undefined
  #identity: Identity | null = null
  #isAnonymous = false
  #csrf: { readonly [Type in TokenType]?: string | undefined } = {}

  /** @internal */
  constructor(engine: Engine, request: AuthRequest, response: AuthResponse) {
    this.#engine = engine
    this.#request = request
    this.#response = response
  }

  /** Most requests set no cookie. */
  get #cookies(): CookieWriter {
    this.#writer ??= new CookieWriter(this.#engine, this.#request, this.#response)
    return this.#writer
  }

  /**
   * Demands a valid access token.
   *
   * @throws {AuthError} `token_missing` · `token_invalid` · `token_expired` · `wrong_token_type` · `csrf_missing` ·
   * `csrf_mismatch` · `origin_forbidden` · `token_revoked` · `user_not_found` · `store_unavailable` · …
   */
  async jwtRequired(options?: GuardOptions): Promise<Claims<UserClaimsOutput<Schema>>> {
    return this.#demand('jwtRequired', options)
  }

  /** Takes a request without a token as nobody's (`null`); a token that is there must be good. @throws {AuthError} */
  async jwtOptional(options?: GuardOptions): Promise<Claims<UserClaimsOutput<Schema>> | null> {
    const identity = await this.check(this.createGuard('jwtOptional', options))
    return identity === null ? null : claimsOf(identity)
  }

  /** Demands a valid refresh token. @throws {AuthError} as `jwtRequired` */
  async jwtRefreshTokenRequired(options?: GuardOptions): Promise<Claims<UserClaimsOutput<Schema>>> {
    return this.#demand('jwtRefreshTokenRequired', options)
  }

  /** Demands a token straight from a sign-in. @throws {AuthError} `fresh_token_required`, else as `jwtRequired` */
  async freshJwtRequired(options?: FreshGuardOptions): Promise<Claims<UserClaimsOutput<Schema>>> {
    return this.#demand('freshJwtRequired', options)
  }

  async #demand(name: GuardName, options?: FreshGuardOptions): Promise<Claims<UserClaimsOutput<Schema>>> {
    const identity = await this.check(this.createGuard(name, options))
    if (identity === null) throw new AuthError('token_missing')
    return claimsOf(identity)
  }

  /** @internal The guard of that name; the one without options is made only once. */
  createGuard(name: GuardName, options?: FreshGuardOptions): Guard {
    return options === undefined
      ? this.#engine.guards[name]
      : createGuard(name, this.#engine.options.tokenLocation, options)
  }

  /** @internal What adapters run before a handler: a preflight, which carries no cookies, passes as nobody. */
  pass(guard: Guard): MaybePromise<unknown> {
    return isPreflight(this.#request) ? null : this.check(guard)
  }

  /** @internal Runs a guard and publishes whom it found; synchronous where nothing has to be waited for. */
  check(guard: Guard): MaybePromise<Identity | null> {
    this.#trace.location = undefined
    try {
      const found = runGuard(this.#engine, this.#request, guard, this.#identity, this.#trace)
      if (!(found instanceof Promise)) return this.#publish(found)
      return found
        .then((identity) => this.#publish(identity))
        .catch((error: unknown) => this.#refuse(guard, error))
    } catch (error) {
      return this.#refuse(guard, error)
    }
  }

  #refuse(guard: Guard, error: unknown): null {
    const rejection = this.#reject(error)
    const isForgiven = guard.isOptional && this.#engine.options.optionalErrors === 'anonymous'
    if (!isForgiven || !AuthError.is(rejection) || !anonymousCodes.has(rejection.code)) throw rejection
    this.#publish(null)
    return null
  }

  #publish(identity: Identity | null): Identity | null {
    if (identity === null) this.#isAnonymous = true
    else this.#identity = identity
    return identity
  }

  /**
   * Signs a user in: makes both tokens and sets all four cookies.
   *
   * Does not check who the user is: that is done before. Where cookies are no location, none are set.
   *
   * @throws {AuthError} `origin_forbidden` · `cookie_too_large`
   * @throws {TypeError} for a wrong subject or option, and when the headers have gone
   */
  async login(
    subject: string,
    ...[options]: Optional<UserClaimsInput<Schema>, LoginOptions<UserClaimsInput<Schema>>>
  ): Promise<TokenPair> {
    const { crossSite = false, maxAge, fresh = true, ...tokenOptions }: LoginOptions<unknown> = options ?? {}
    return this.#answer(async () => {
      const { hasCookies, tokens } = this.#engine
      if (hasCookies && !crossSite) checkOrigin(this.#engine, this.#request)
      if (hasCookies) this.#cookies.demandWritable()
      const inherited = { authTime: Math.floor(this.#engine.options.clock()) }
      const access = await tokens.make('access', subject, { ...tokenOptions, fresh }, inherited)
      const refresh = await tokens.make('refresh', subject, tokenOptions, inherited)
      if (hasCookies) this.#setCookies({ access, refresh }, { maxAge }, this.#cookies.cleaning())
      return { accessToken: access.token, refreshToken: refresh.token }
    })
  }

  /**
   * Makes a new access token for a good refresh token, and sets its cookies if the token came by cookie.
   *
   * The new token is not fresh and keeps `auth_time` and audience; the refresh token stays as it is.
   *
   * @throws {AuthError} as `jwtRefreshTokenRequired`; CSRF is checked on every method. On `token_revoked` all
   * cookies are unset, on nothing else.
   */
  async refresh(options: RefreshOptions<UserClaimsInput<Schema>> = {}): Promise<TokenPair> {
    const engine = this.#engine
    const guard = options.navigation === true ? engine.guards.refreshByNavigation : engine.guards.refresh
    return this.#answer(async () => {
      const identity = await runGuard(engine, this.#request, guard, this.#identity, this.#trace)
      if (identity === null) throw new AuthError('token_missing')
      const { token, location, verified } = identity
      const { claims } = verified
      if (location === 'cookies') this.#cookies.demandWritable()
      const userClaims = await successorClaims(options, verified.userClaims)
      const inherited = { authTime: claims.auth_time, sid: claims.sid }
      const access = await engine.tokens.make(
        'access',
        claims.sub,
        { userClaims, audience: claims.aud },
        inherited,
      )
      if (location === 'cookies') this.#setCookies({ access }, {}, [])
      this.#publish(identity)
      return { accessToken: access.token, refreshToken: token }
    })
  }

  /**
   * Signs out: unsets all four cookies, also when no token is good any more.
   *
   * A token that is still good must come with its CSRF value; the access token is asked first.
   *
   * @returns `revoked`: whether the tokens themselves are dead from now on, which takes a store.
   * @throws {AuthError} `origin_forbidden` · `csrf_missing` · `csrf_mismatch`; then nothing is unset
   */
  async logout(): Promise<{ readonly revoked: boolean }> {
    return this.#answer(async () => {
      const { hasCookies, options } = this.#engine
      if (hasCookies) checkOrigin(this.#engine, this.#request)
      if (hasCookies) this.#cookies.demandWritable()
      const live = (await this.#findLive('access')) ?? (await this.#findLive('refresh'))
      if (live?.location === 'cookies' && options.cookieCsrfProtect) {
        const { csrfHeader, csrfField } = this.#engine.names[live.claims.type]
        const value = await readCsrfValue(this.#request, csrfHeader, csrfField)
        if (value === undefined || value === '') throw new AuthError('csrf_missing')
        checkCsrf(value, live.claims)
      }
      if (hasCookies) this.#cookies.write([...this.#cookies.deletions(), ...this.#cookies.cleaning()])
      this.#csrf = {}
      return { revoked: false }
    })
  }

  /** A token that would still open something; `null` for one that is absent, ambiguous or bad in any way. */
  async #findLive(type: TokenType): Promise<{ claims: Claims; location: FoundToken['location'] } | null> {
    const { names, options, tokens } = this.#engine
    try {
      const found = await findToken(this.#request, options.tokenLocation, names[type])
      if (found === null) return null
      const { claims } = await tokens.verify(found.token)
      return claims.type === type ? { claims, location: found.location } : null
    } catch (error) {
      if (AuthError.is(error)) return null
      throw error
    }
  }

  /**
   * Puts an access token and its CSRF value into their cookies, both or neither.
   *
   * @throws {AuthError} for a token that a guard would not take · `cookie_too_large`
   */
  async setAccessCookies(token: string, options: CookieOptions & ResponseOption = {}): Promise<void> {
    return this.#setTokenCookies('access', token, options)
  }

  /** Puts a refresh token and its CSRF value into their cookies. @throws {AuthError} as `setAccessCookies` */
  async setRefreshCookies(token: string, options: CookieOptions & ResponseOption = {}): Promise<void> {
    return this.#setTokenCookies('refresh', token, options)
  }

  async #setTokenCookies(
    type: TokenType,
    token: string,
    options: CookieOptions & ResponseOption,
  ): Promise<void> {
    return this.#answer(async () => {
      this.#demandCookies()
      const { claims } = await this.#engine.tokens.verify(token)
      if (claims.type !== type) {
        throw new AuthError('wrong_token_type', { message: `Only ${type} tokens are allowed` })
      }
      const needsCsrf = this.#engine.options.cookieCsrfProtect
      if (needsCsrf && (claims.csrf === undefined || claims.csrf === '')) throw invalidToken('claims_invalid')
      this.#setCookies({ [type]: { token, claims } }, options, [])
    })
  }

  #setCookies(
    made: { readonly [Type in TokenType]?: MadeToken },
    options: CookieOptions & ResponseOption,
    further: readonly string[],
  ): void {
    const lines = (['access', 'refresh'] as const).flatMap((type) => {
      const token = made[type]
      return token === undefined ? [] : this.#cookies.lines(type, token, options)
    })
    this.#cookies.write([...further, ...lines], options.response)
    this.#cookies.warnOfInsecureTransport()
    const { access = null, refresh = null } = made
    this.#csrf = {
      ...this.#csrf,
      ...(access && { access: access.claims.csrf }),
      ...(refresh && { refresh: refresh.claims.csrf }),
    }
  }

  #demandCookies(): void {
    if (!this.#engine.hasCookies) throw new TypeError("Cookies need 'cookies' in the option tokenLocation")
  }

  /** Deletes the access token's two cookies. @throws {TypeError} when the headers have gone */
  unsetAccessCookies(options: ResponseOption = {}): void {
    this.#unset(['access'], options)
  }

  /** Deletes the refresh token's two cookies. @throws {TypeError} when the headers have gone */
  unsetRefreshCookies(options: ResponseOption = {}): void {
    this.#unset(['refresh'], options)
  }

  /** Deletes all four cookies. @throws {TypeError} when the headers have gone */
  unsetJwtCookies(options: ResponseOption = {}): void {
    this.#unset(['access', 'refresh'], options)
  }

  #unset(types: readonly TokenType[], { response }: ResponseOption): void {
    this.#demandCookies()
    this.#cookies.write(this.#cookies.deletions(types), response)
  }

  /** Makes an access token; for the subject that a guard has found, it belongs to the same sign-in. @throws {TypeError} */
  async createAccessToken(
    subject: string,
    ...[options]: Optional<UserClaimsInput<Schema>, AccessTokenOptions<UserClaimsInput<Schema>>>
  ): Promise<string> {
    return demandReadable(
      await this.#engine.tokens.make('access', subject, options ?? {}, this.#inheritedBy(subject)),
    )
  }

  /** Makes a refresh token; for the subject that a guard has found, it belongs to the same sign-in. @throws {TypeError} */
  async createRefreshToken(
    subject: string,
    ...[options]: Optional<UserClaimsInput<Schema>, TokenOptions<UserClaimsInput<Schema>>>
  ): Promise<string> {
    return demandReadable(
      await this.#engine.tokens.make('refresh', subject, options ?? {}, this.#inheritedBy(subject)),
    )
  }

  #inheritedBy(subject: string): Inherited {
    const claims = this.#identity?.verified.claims
    return claims?.sub === subject ? { authTime: claims.auth_time, sid: claims.sid } : {}
  }

  /** The claims that a guard has established. @throws {TypeError} when none has */
  claims(): Claims<UserClaimsOutput<Schema>> {
    return claimsOf(this.#demandIdentity('claims'))
  }

  /** Whom the token names. @throws {TypeError} when no guard has passed */
  subject(): string {
    return this.#demandIdentity('subject').verified.claims.sub
  }

  /** What `userLookup` gave. @throws {TypeError} without that option, and when no guard has passed */
  user(): User {
    if (this.#engine.options.userLookup === undefined)
      throw new TypeError('user() needs the option userLookup')
    return this.#demandIdentity('user').user as User
  }

  #demandIdentity(reader: string): Identity {
    if (this.#identity !== null) return this.#identity
    throw new TypeError(
      this.#isAnonymous
        ? `${reader}() has nothing to give: jwtOptional() found nobody (getRawJwt() gives null then)`
        : `${reader}() needs a guard that passed: put jwtRequired() before it`,
    )
  }

  /** The claims, or `null` when no guard has found anybody. */
  getRawJwt(): Claims<UserClaimsOutput<Schema>> | null {
    return this.#identity === null ? null : claimsOf(this.#identity)
  }

  /** Whom the token names, or `null`. */
  getJwtSubject(): string | null {
    return this.#identity?.verified.claims.sub ?? null
  }

  /** The token's `jti`, or `null`. */
  getJti(): string | null {
    return this.#identity?.verified.claims.jti ?? null
  }

  /** The token's JOSE header, or `null`. */
  getJwtHeaders(): JsonObject | null {
    return this.#identity?.verified.header ?? null
  }

  /** Where the token was found (`given` for one handed over by an option), or `null`. */
  getTokenLocation(): FoundToken['location'] | null {
    return this.#identity?.location ?? null
  }

  /**
   * The value that the page must send back with its requests: of the cookies just set, else of the token that a
   * guard has found.
   *
   * @throws {TypeError} when there is neither
   */
  getCsrfToken(type: TokenType = 'access'): string {
    const claims = this.#identity?.verified.claims
    const value = this.#csrf[type] ?? (claims?.type === type ? claims.csrf : undefined)
    if (value !== undefined) return value
    const guard = type === 'access' ? 'jwtRequired' : 'jwtRefreshTokenRequired'
    throw new TypeError(`getCsrfToken('${type}') needs cookies set in this request, or ${guard}() before it`)
  }

  /** Runs what answers a request; a refusal is told to observers and may change cookies on its way out. */
  async #answer<T>(step: () => Promise<T>): Promise<T> {
    this.#trace.location = undefined
    try {
      return await step()
    } catch (error) {
      const rejection = this.#reject(error)
      if (AuthError.is(rejection, 'token_revoked') && this.#engine.hasCookies) {
        this.#cookies.writeIfPossible(this.#cookies.deletions())
      }
      throw rejection
    }
  }

  /** Tells observers, clears tossed cookies and applies `statusCodes`; what is no refusal passes unchanged. */
  #reject(error: unknown): unknown {
    if (!AuthError.is(error)) return error
    if (error.code === 'cookie_ambiguous') this.#cookies.writeIfPossible(this.#cookies.tossedDeletions())
    this.#tell(error)
    const status = this.#engine.options.statusCodes[error.code]
    if (status === undefined || status === error.status) return error
    const { message, cause, maxAgeSeconds } = error
    return new AuthError(error.code, {
      status,
      message,
      cause,
      ...(maxAgeSeconds !== undefined && { maxAgeSeconds }),
    })
  }

  #tell(error: AuthError): void {
    const { emitter } = this.#engine
    const { location } = this.#trace
    if (!emitter.active()) return
    const origin = error.code === 'origin_forbidden' ? this.#request.header('origin') : undefined
    emitter.emit({
      type: 'rejected',
      code: error.code,
      ...(typeof error.cause === 'string' && { reason: error.cause as RejectionReason }),
      ...(location !== undefined && { location }),
      ...(origin !== undefined && { origin }),
      ...(error.code === 'origin_forbidden' && { remedy: 'add the origin to trustedOrigins if it is yours' }),
    })
  }
}

function claimsOf<UserClaims>({ verified }: Identity): Claims<UserClaims> {
  // The schema of this Auth made the user claims; without one they are read as unknown.
  return verified.claims as Claims<UserClaims>
}

async function successorClaims(
  { userClaims }: { readonly userClaims?: unknown },
  old: JsonObject,
): Promise<unknown> {
  if (userClaims === undefined) return old
  return typeof userClaims === 'function' ? (userClaims as (old: unknown) => unknown)({ ...old }) : userClaims
}
