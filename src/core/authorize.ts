/** The face of one request towards its handler: guards, sign-in, refresh, sign-out and readers; decides nothing itself. */

import type { Identity } from './check.ts'
import type { CookieOptions } from './cookie-writer.ts'
import type { Engine } from './engine.ts'
import { AuthError } from './errors.ts'
import { Exchange } from './exchange.ts'
import { createGuard, guardNames } from './guard.ts'
import type { FreshGuardOptions, Guard, GuardName, GuardOptions } from './guard.ts'
import type { JsonObject } from './json.ts'
import type { FoundToken } from './location.ts'
import type { MaybePromise } from './maybe.ts'
import { isPreflight } from './request.ts'
import type { AuthRequest, AuthResponse } from './request.ts'
import type {
  AnyUserClaims,
  OptionsWithClaims,
  SubjectInput,
  UserClaimsInput,
  UserClaimsOutput,
  UserClaimsSchema,
} from './schema.ts'
import { OwnSessions } from './session-access.ts'
import { login, refresh } from './sign-in.ts'
import type { LoginOptions, RefreshOptions, TokenPair } from './sign-in.ts'
import { logout } from './sign-out.ts'
import type { LogoutOptions } from './sign-out.ts'
import { SocketSession } from './socket-session.ts'
import type { CloseSocket } from './socket-session.ts'
import { createTicket } from './socket-ticket.ts'
import { setTokenCookies, unsetCookies } from './token-cookies.ts'
import type { ResponseOption } from './token-cookies.ts'
import { demandReadable } from './token.ts'
import { writtenSubject } from './claims.ts'
import type { Claims, TokenType } from './claims.ts'
import type { AccessTokenOptions, TokenOptions } from './token.ts'

/** Binds an `Auth` to one request and the response to it. */
export class Authorize<Schema extends UserClaimsSchema = AnyUserClaims, User = unknown> {
  readonly #exchange: Exchange
  #sessions: OwnSessions | undefined

  /** @internal */
  constructor(engine: Engine, raw: object, request: AuthRequest, response: AuthResponse) {
    this.#exchange = new Exchange(engine, raw, request, response)
  }

  /** @internal What it was bound with. */
  get response(): AuthResponse {
    return this.#exchange.response
  }

  /** @internal Whether an optional guard has found nobody. */
  get isAnonymous(): boolean {
    return this.#exchange.isAnonymous
  }

  /** @internal */
  isBoundTo(raw: object): boolean {
    // A deep copy of a request may have copied this object too, without what is private in it.
    return #exchange in this && this.#exchange.raw === raw
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
    const identity = await this.#exchange.check(this.createGuard('jwtOptional', options))
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
    const identity = await this.#exchange.check(this.createGuard(name, options))
    if (identity === null) throw new AuthError('token_missing')
    return claimsOf(identity)
  }

  /** @internal The guard of that name; the one without options is made only once. */
  createGuard(name: GuardName, options?: FreshGuardOptions): Guard {
    return options === undefined
      ? this.#exchange.engine.guards[name]
      : createGuard(name, this.#exchange.engine.options.tokenLocation, options)
  }

  /** @internal What adapters run before a handler: a preflight, which carries no cookies, passes as nobody. */
  pass(guard: Guard): MaybePromise<unknown> {
    if (!isPreflight(this.#exchange.request)) return this.#exchange.check(guard)
    this.#exchange.isPreflight = true
    return null
  }

  /** @internal Whether a guard has passed but for the CSRF value, which is to come over the socket. */
  get awaitsCsrf(): boolean {
    return this.#exchange.isPending
  }

  /** @internal Brings that value. @throws {AuthError} */
  confirm(csrfToken: string): MaybePromise<unknown> {
    return this.#exchange.confirm(csrfToken)
  }

  /**
   * Watches over what this request has opened, such as a WebSocket, for as long as its token is good.
   *
   * @param close Is called once when it must be closed: with 4401 and the code of the refusal, with 1013 and
   * `store_unavailable`, or with 1001 when the `Auth` is closed. What still comes in then must not be acted upon.
   * @returns Who it belongs to. Call its `stop()` when the socket has closed.
   * @throws {TypeError} when no guard has passed
   */
  watch(close: CloseSocket): SocketSession<UserClaimsOutput<Schema>> {
    const { identity, isAnonymous } = this.#exchange
    // Nobody's socket has nothing that could end.
    if (identity === null && !isAnonymous) this.#demandIdentity('watch')
    return new SocketSession(this.#exchange.engine, identity, close)
  }

  /**
   * Makes what a page, which cannot read its token, hands to `renew()` of a socket of the same sign-in; good for
   * nothing else, and as long as the token that the guard has found.
   *
   * @throws {TypeError} when no guard for access tokens has passed
   */
  async createSocketTicket(): Promise<string> {
    return createTicket(this.#exchange.engine, this.#demandIdentity('createSocketTicket').verified)
  }

  /**
   * Signs a user in: makes both tokens and sets all four cookies.
   *
   * Does not check who the user is: that is done before. Where cookies are no location, none are set. With a store a new
   * session begins; the one that the request's cookies name ends, and so do the oldest ones over `sessionLimit`.
   *
   * @throws {AuthError} `origin_forbidden` · `cookie_too_large` · `store_unavailable`
   * @throws {TypeError} for a wrong subject or option, and when the headers have gone
   */
  async login(
    subject: SubjectInput<Schema>,
    ...[options]: OptionsWithClaims<UserClaimsInput<Schema>, LoginOptions<UserClaimsInput<Schema>>>
  ): Promise<TokenPair> {
    return this.#exchange.answer(() => login(this.#exchange, subject, options ?? {}))
  }

  /**
   * Makes a new access token for a good refresh token, and sets its cookies if the token came by cookie.
   *
   * The new token is not fresh and keeps `auth_time` and audience. With a store the refresh token is replaced too: the
   * old one is spent in one atomic step, and all who come with it within `rotationGrace` get the same successor.
   *
   * If the token came by cookie, `token_revoked` unsets all cookies, and so does a `refresh_reused` that ended the
   * session (with `lateReplay: 'refuse'` it may not have); nothing else does.
   *
   * @throws {AuthError} as `jwtRefreshTokenRequired`, and `refresh_reused` · `cookie_too_large`; CSRF is checked on
   * every method
   * @throws {TypeError} for a wrong option, and when the headers have gone
   * @see RFC 9700 section 4.14.2
   */
  async refresh(options: RefreshOptions<UserClaimsInput<Schema>> = {}): Promise<TokenPair> {
    return this.#exchange.answer(() => refresh(this.#exchange, options))
  }

  /**
   * Signs out: unsets all four cookies, also when no token is good any more.
   *
   * A token that is still good must come with its CSRF value; the access token is asked first.
   *
   * @returns `revoked`: whether all that was to end is dead from now on, which takes a store.
   * @throws {AuthError} `origin_forbidden` · `csrf_missing` · `csrf_mismatch`; then nothing is unset
   * @throws {AuthError} `store_unavailable`; then all cookies are unset, and the store is told when it is back
   */
  async logout(options: LogoutOptions = {}): Promise<{ readonly revoked: boolean }> {
    return this.#exchange.answer(() => logout(this.#exchange, options))
  }

  /**
   * Puts an access token and its CSRF value into their cookies, both or neither.
   *
   * @throws {AuthError} for a token that a guard would not take · `cookie_too_large`
   */
  async setAccessCookies(token: string, options: CookieOptions & ResponseOption = {}): Promise<void> {
    return this.#exchange.answer(() => setTokenCookies(this.#exchange, 'access', token, options))
  }

  /** Puts a refresh token and its CSRF value into their cookies. @throws {AuthError} as `setAccessCookies` */
  async setRefreshCookies(token: string, options: CookieOptions & ResponseOption = {}): Promise<void> {
    return this.#exchange.answer(() => setTokenCookies(this.#exchange, 'refresh', token, options))
  }

  /** Deletes the access token's two cookies. @throws {TypeError} when the headers have gone */
  unsetAccessCookies(options: ResponseOption = {}): void {
    unsetCookies(this.#exchange, ['access'], options)
  }

  /** Deletes the refresh token's two cookies. @throws {TypeError} when the headers have gone */
  unsetRefreshCookies(options: ResponseOption = {}): void {
    unsetCookies(this.#exchange, ['refresh'], options)
  }

  /** Deletes all four cookies. @throws {TypeError} when the headers have gone */
  unsetJwtCookies(options: ResponseOption = {}): void {
    unsetCookies(this.#exchange, ['access', 'refresh'], options)
  }

  /** The sessions of the user whom a guard has found. @throws {TypeError} without the option `store` */
  get sessions(): OwnSessions {
    const { sessions } = this.#exchange.engine
    if (sessions === undefined) throw new TypeError('sessions needs the option store')
    this.#sessions ??= new OwnSessions(
      sessions,
      this.#exchange.engine,
      () => this.#demandIdentity('sessions').verified.claims,
    )
    return this.#sessions
  }

  /** Makes an access token; for the subject that a guard has found, it belongs to the same sign-in. @throws {TypeError} */
  async createAccessToken(
    subject: SubjectInput<Schema>,
    ...[options]: OptionsWithClaims<UserClaimsInput<Schema>, AccessTokenOptions<UserClaimsInput<Schema>>>
  ): Promise<string> {
    return this.#make('access', subject, options)
  }

  /**
   * Makes a refresh token; for the subject that a guard has found, it takes over the time of the sign-in.
   *
   * With a store it belongs to no session until it is used: a session has one refresh token at a time.
   *
   * @throws {TypeError}
   */
  async createRefreshToken(
    subject: SubjectInput<Schema>,
    ...[options]: OptionsWithClaims<UserClaimsInput<Schema>, TokenOptions<UserClaimsInput<Schema>>>
  ): Promise<string> {
    return this.#make('refresh', subject, options)
  }

  async #make(
    type: TokenType,
    subject: string | number,
    options: AccessTokenOptions<unknown> = {},
  ): Promise<string> {
    const { sessions, tokens } = this.#exchange.engine
    const verified = this.#exchange.identity?.verified
    const isSame = subject === verified?.claims.sub || subject === verified?.payload['sub']
    if (verified === undefined || !isSame)
      return demandReadable(await tokens.make(type, subject, options, {}))
    const { claims, payload } = verified
    const sid = type === 'refresh' && sessions !== undefined ? undefined : claims.sid
    const inherited = { authTime: claims.auth_time, sid }
    return demandReadable(await tokens.make(type, writtenSubject(payload), options, inherited))
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
    if (this.#exchange.engine.options.userLookup === undefined)
      throw new TypeError('user() needs the option userLookup')
    return this.#demandIdentity('user').user as User
  }

  #demandIdentity(reader: string): Identity {
    if (this.#exchange.identity !== null) return this.#exchange.identity
    // Anybody can send what looks like a preflight to a handler of every method: the client's mistake, not ours.
    if (this.#exchange.isPreflight) throw this.#exchange.engine.wordRefusal(new AuthError('token_missing'))
    throw new TypeError(
      this.#exchange.isAnonymous
        ? `${reader}() has nothing to give: jwtOptional() found nobody (getRawJwt() gives null then)`
        : `${reader}() needs a guard that passed: put jwtRequired() before it`,
    )
  }

  /** The claims, or `null` when no guard has found anybody. */
  getRawJwt(): Claims<UserClaimsOutput<Schema>> | null {
    return this.#exchange.identity === null ? null : claimsOf(this.#exchange.identity)
  }

  /** Whom the token names, or `null`. */
  getJwtSubject(): string | null {
    return this.#exchange.identity?.verified.claims.sub ?? null
  }

  /** The token's `jti`, or `null`. */
  getJti(): string | null {
    return this.#exchange.identity?.verified.claims.jti ?? null
  }

  /** The token's JOSE header, or `null`. */
  getJwtHeaders(): JsonObject | null {
    return this.#exchange.identity?.verified.header ?? null
  }

  /** Where the token was found (`given` for one handed over by an option), or `null`. */
  getTokenLocation(): FoundToken['location'] | null {
    return this.#exchange.identity?.location ?? null
  }

  /**
   * The value that the page must send back with its requests: of the cookies just set, else of the token that a
   * guard has found.
   *
   * @throws {TypeError} when there is neither
   */
  getCsrfToken(type: TokenType = 'access'): string {
    const claims = this.#exchange.identity?.verified.claims
    const value = this.#exchange.csrf[type] ?? (claims?.type === type ? claims.csrf : undefined)
    if (value !== undefined) return value
    throw new TypeError(
      `getCsrfToken('${type}') needs cookies set in this request, or ${guardNames[type]}() before it`,
    )
  }
}

function claimsOf<UserClaims>({ verified }: Identity): Claims<UserClaims> {
  // The schema of this Auth made the user claims; without one they are read as unknown.
  return verified.claims as Claims<UserClaims>
}
