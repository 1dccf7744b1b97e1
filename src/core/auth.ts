/** Makes an `Auth` from options; holds no state of any request. */

import { Authorize } from './authorize.ts'
import { createEngine } from './engine.ts'
import type { Engine } from './engine.ts'
import { createGuard } from './guard.ts'
import type { FreshGuardOptions, Guard, GuardName } from './guard.ts'
import type { JsonObject } from './json.ts'
import { answerJwks } from './jwks.ts'
import type { JwksAnswer, JwksOptions, JwksRequest } from './jwks.ts'
import type { RingKey } from './key-ring.ts'
import type { JwkSet } from './public-jwk.ts'
import type { ResolvedKeys } from './resolve-keys.ts'
import { claimsToRevoke, verifyToken } from './check.ts'
import { demandReadable } from './token.ts'
import type { Claims, TokenType } from './claims.ts'
import type { AccessTokenOptions, TokenOptions } from './token.ts'
import { resolveOptions } from './resolve.ts'
import { SessionDirectory } from './session-access.ts'
import type { Sessions } from './session.ts'
import type { AuthOptions, ResolvedOptions } from './options.ts'
import type { AuthRequest, AuthResponse } from './request.ts'
import type {
  AnyUserClaims,
  IntegerSubjects,
  OptionsWithClaims,
  SubjectInput,
  UserClaimsInput,
  UserClaimsOutput,
  UserClaimsSchema,
} from './schema.ts'

/** What `verify` expects besides a good token. */
export interface VerifyExpectations {
  /** @default 'access' */
  readonly type?: TokenType | undefined
  /** Whether the token must come straight from a sign-in. @default false */
  readonly fresh?: boolean | undefined
}

/** Everything that is configured once: makes tokens, verifies them, binds requests. */
export class Auth<Schema extends UserClaimsSchema = AnyUserClaims, User = unknown> {
  /** The resolved options, frozen and without key material. */
  readonly options: ResolvedOptions
  readonly #engine: Engine
  readonly #replaceRing: ResolvedKeys['replace']
  #jwks: () => JwkSet
  #directory: SessionDirectory | undefined
  /** Where a request keeps what it is bound to. */
  readonly #binding = Symbol('tallystick')
  /** For requests that take no property: a WeakMap for all would keep the garbage collector busy. */
  readonly #bound = new WeakMap<object, Authorize<Schema, User>>()

  /** @internal */
  constructor(engine: Engine, { keys, replace }: ResolvedKeys) {
    this.#engine = engine
    this.#replaceRing = replace
    this.#jwks = keys.jwks
    this.options = engine.options
  }

  /**
   * Makes a signed access token.
   *
   * @throws {TypeError} for a wrong subject, option or claim, and for a token that no guard would read
   */
  async createAccessToken(
    subject: SubjectInput<Schema>,
    ...[options]: OptionsWithClaims<UserClaimsInput<Schema>, AccessTokenOptions<UserClaimsInput<Schema>>>
  ): Promise<string> {
    return demandReadable(await this.#engine.tokens.make('access', subject, options ?? {}, {}))
  }

  /** Makes a signed refresh token. @throws {TypeError} as `createAccessToken` */
  async createRefreshToken(
    subject: SubjectInput<Schema>,
    ...[options]: OptionsWithClaims<UserClaimsInput<Schema>, TokenOptions<UserClaimsInput<Schema>>>
  ): Promise<string> {
    return demandReadable(await this.#engine.tokens.make('refresh', subject, options ?? {}, {}))
  }

  /**
   * Verifies a token that came by another way than a request: signature, claims, type, freshness, revocation.
   *
   * @throws {AuthError} `token_invalid` · `token_expired` · `wrong_token_type` · `fresh_token_required` · …
   */
  async verify(token: string, expect: VerifyExpectations = {}): Promise<Claims<UserClaimsOutput<Schema>>> {
    const verify = async (): Promise<Claims> => verifyToken(this.#engine, token, expect)
    return (await this.#engine.worded(verify, token)) as Claims<UserClaimsOutput<Schema>>
  }

  /** The sessions of all subjects. @throws {TypeError} without the option `store` */
  get sessions(): SessionDirectory {
    this.#directory ??= new SessionDirectory(this.#demandSessions('sessions'), this.#engine)
    return this.#directory
  }

  /**
   * Denies one token until it expires; of a refresh token, ends its session.
   *
   * @param token The token itself, which is verified, or the claims that a guard gave.
   * @throws {AuthError} for a token that is none · `store_unavailable`
   * @throws {TypeError} without the option `store`
   */
  async revokeToken(token: string | Claims): Promise<void> {
    const sessions = this.#demandSessions('revokeToken()')
    const revoke = async (): Promise<void> => {
      const claims = await claimsToRevoke(this.#engine, token)
      if (claims !== null) await sessions.revocations.revokeToken(claims)
    }
    await this.#engine.worded(revoke, typeof token === 'string' ? token : undefined)
  }

  #demandSessions(member: string): Sessions {
    const { sessions } = this.#engine
    if (sessions === undefined) throw new TypeError(`${member} needs the option store`)
    return sessions
  }

  /**
   * Goes on with another ring, from the next request on. What was verified under keys that are gone is forgotten.
   *
   * @throws {TypeError} that lists every problem, each with its key; the ring before then stays
   */
  setKeys(keys: readonly RingKey[]): void {
    if (this.#replaceRing === undefined)
      throw new TypeError('setKeys() needs the option keys: give createAuth a ring of keys first')
    const ring = this.#replaceRing(keys)
    this.#engine.tokens.useKeys(ring)
    this.#jwks = ring.jwks
  }

  /** The public keys that other services verify with (RFC 7517); none for secrets, nor for the keys of `jwksUri`. */
  jwks(): JwkSet {
    return this.#jwks()
  }

  /**
   * The answer to a request for the public keys, for any framework: to be cached, with an `ETag`, or 304.
   *
   * @param request What has the request's headers; without one the answer is always whole.
   *
   * @example
   * app.get('/.well-known/jwks.json', (c) => auth.jwksAnswer(c.req.raw).getResponse())
   *
   * @throws {TypeError} for a wrong option
   */
  jwksAnswer(request?: JwksRequest, options: JwksOptions = {}): JwksAnswer {
    return answerJwks(this.jwks(), request, options)
  }

  /**
   * Resolves when the revocations are loaded; with `revocation: 'strict'`, when the store is open; without a store, at
   * once. With `jwksUri`, the keys have been fetched too.
   *
   * @throws {AuthError} `store_unavailable`: the store is still being tried, and this can be called again
   * @throws {TypeError} where `jwksUri` or `encryption` lack the package jose
   */
  async ready(): Promise<void> {
    await this.#engine.envelope?.ready()
    await this.#engine.remoteKeys?.ready()
    await this.#engine.sessions?.ready()
  }

  /**
   * Closes the sockets that are watched, tries once more what could not be revoked yet, stops following the store, and
   * ends the connections that the store opened itself; the client you gave it stays open.
   *
   * @throws {AuthError} `store_unavailable` when the store does not close within 10 s
   */
  async close(): Promise<void> {
    this.#engine.sockets.close()
    await this.#engine.sessions?.close()
  }

  /** Decodes the JOSE header of a token that nobody has verified: anybody can have written it. @throws {AuthError} @throws {TypeError} with `encryption` */
  getUnverifiedJwtHeaders(token: string): JsonObject {
    return this.#engine.tokens.parseUnverified(token).header
  }

  /** Decodes the claims of a token that nobody has verified: anybody can have written them. @throws {AuthError} @throws {TypeError} with `encryption` */
  getUnverifiedJwtClaims(token: string): JsonObject {
    return this.#engine.tokens.parseUnverified(token).payload
  }

  /** Binds one request and its response; the same request gives the same object. What adapters call. */
  authorize(request: AuthRequest, response: AuthResponse): Authorize<Schema, User> {
    return this.bind(request, () => [request, response])
  }

  /** @internal Binds by the framework's own request object. */
  bind(raw: object, ports: () => readonly [AuthRequest, AuthResponse]): Authorize<Schema, User> {
    const holder = raw as { [binding: symbol]: Authorize<Schema, User> | undefined }
    const here = holder[this.#binding]
    // What a copy, an heir or a proxy shows here is another's, and stays: theirs is kept beside.
    const known = here?.isBoundTo(raw) === true ? here : this.#bound.get(raw)
    if (known !== undefined) return known
    const [request, response] = ports()
    const authorize = new Authorize<Schema, User>(this.#engine, raw, request, response)
    const isHeld =
      here === undefined && Object.isExtensible(raw) && Reflect.set(raw, this.#binding, authorize)
    if (!isHeld) this.#bound.set(raw, authorize)
    return authorize
  }

  /** @internal A guard for middleware, made once. */
  createGuard(name: GuardName, options?: FreshGuardOptions): Guard {
    return createGuard(name, this.options.tokenLocation, options)
  }
}

/** The claims that the guards of an `Auth` give. */
export type ClaimsOf<Instance> =
  Instance extends Auth<infer Schema, infer _User> ? Claims<UserClaimsOutput<Schema>> : never

/**
 * Makes an `Auth`. Everything that can be wrong with the options is found here.
 *
 * @example
 * const auth = createAuth({ secretKey: process.env.AUTHJWT_SECRET_KEY })
 *
 * @throws {TypeError} that lists every problem with its fix
 */
export function createAuth<Schema extends UserClaimsSchema = AnyUserClaims, User = unknown>(
  options: AuthOptions<Schema, User> & { readonly compat: 'fastapi-jwt-auth' },
): Auth<Schema & IntegerSubjects, User>
export function createAuth<Schema extends UserClaimsSchema = AnyUserClaims, User = unknown>(
  options: AuthOptions<Schema, User>,
): Auth<Schema, User>
export function createAuth<Schema extends UserClaimsSchema, User>(
  options: AuthOptions<Schema, User>,
): Auth<Schema, User> {
  const { options: resolved, keys } = resolveOptions(options)
  return new Auth(createEngine(resolved, keys), keys)
}

/** Tells an `Auth` from what somebody else made. @throws {TypeError} */
export function demandAuth(auth: unknown, adapter: string): void {
  if (auth instanceof Auth) return
  throw new TypeError(`${adapter}() takes what createAuth() gave, of the same copy of tallystick`)
}
