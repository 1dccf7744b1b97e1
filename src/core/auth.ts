/** Makes an `Auth` from options; holds no state of any request. */

import { Authorize } from './authorize.ts'
import { createEngine } from './engine.ts'
import type { Engine } from './engine.ts'
import { createGuard } from './guard.ts'
import type { FreshGuardOptions, Guard, GuardName } from './guard.ts'
import type { JsonObject } from './json.ts'
import { parseUnverified } from './jws.ts'
import { verifyByHand } from './check.ts'
import { demandReadable } from './token.ts'
import type { AccessTokenOptions, Claims, TokenOptions, TokenType } from './token.ts'
import { resolveOptions } from './resolve.ts'
import type { AuthOptions, ResolvedOptions } from './options.ts'
import type { AuthRequest, AuthResponse } from './request.ts'
import type {
  AnyUserClaims,
  OptionsWithClaims,
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
  readonly #bound = new WeakMap<object, Authorize<Schema, User>>()

  /** @internal */
  constructor(engine: Engine) {
    this.#engine = engine
    this.options = engine.options
  }

  /**
   * Makes a signed access token.
   *
   * @throws {TypeError} for a wrong subject, option or claim, and for a token that no guard would read
   */
  async createAccessToken(
    subject: string,
    ...[options]: OptionsWithClaims<UserClaimsInput<Schema>, AccessTokenOptions<UserClaimsInput<Schema>>>
  ): Promise<string> {
    return demandReadable(await this.#engine.tokens.make('access', subject, options ?? {}, {}))
  }

  /** Makes a signed refresh token. @throws {TypeError} as `createAccessToken` */
  async createRefreshToken(
    subject: string,
    ...[options]: OptionsWithClaims<UserClaimsInput<Schema>, TokenOptions<UserClaimsInput<Schema>>>
  ): Promise<string> {
    return demandReadable(await this.#engine.tokens.make('refresh', subject, options ?? {}, {}))
  }

  /**
   * Verifies a token that came by another way than a request: signature, claims, type, freshness, denylist.
   *
   * @throws {AuthError} `token_invalid` · `token_expired` · `wrong_token_type` · `fresh_token_required` · …
   */
  async verify(token: string, expect: VerifyExpectations = {}): Promise<Claims<UserClaimsOutput<Schema>>> {
    return (await verifyByHand(this.#engine, token, expect)) as Claims<UserClaimsOutput<Schema>>
  }

  /** Decodes the JOSE header of a token that nobody has verified: anybody can have written it. @throws {AuthError} */
  getUnverifiedJwtHeaders(token: string): JsonObject {
    return parseUnverified(token).header
  }

  /** Decodes the claims of a token that nobody has verified: anybody can have written them. @throws {AuthError} */
  getUnverifiedJwtClaims(token: string): JsonObject {
    return parseUnverified(token).payload
  }

  /** Binds one request and its response; the same request gives the same object. What adapters call. */
  authorize(request: AuthRequest, response: AuthResponse): Authorize<Schema, User> {
    return this.bind(request, () => [request, response])
  }

  /** @internal Binds by the framework's own request object. */
  bind(raw: object, ports: () => readonly [AuthRequest, AuthResponse]): Authorize<Schema, User> {
    const known = this.#bound.get(raw)
    if (known !== undefined) return known
    const authorize = new Authorize<Schema, User>(this.#engine, ...ports())
    this.#bound.set(raw, authorize)
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
  options: AuthOptions<Schema, User>,
): Auth<Schema, User> {
  const { options: resolved, keys } = resolveOptions(options)
  return new Auth(createEngine(resolved, keys))
}

/** Tells an `Auth` from what somebody else made. @throws {TypeError} */
export function demandAuth(auth: unknown, adapter: string): void {
  if (auth instanceof Auth) return
  throw new TypeError(`${adapter}() takes what createAuth() gave, of the same copy of tallystick`)
}
