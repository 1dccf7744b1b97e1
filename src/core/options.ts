/** The options of `createAuth`, as users write them and as they are resolved. */

import type { CookieScope } from './cookie.ts'
import type { Compat } from './compat.ts'
import type { Duration } from './duration.ts'
import type { AuthErrorCode } from './errors.ts'
import type { AuthEvent } from './events.ts'
import type { EncryptionOptions } from './encryption-key.ts'
import type { Algorithm } from './jws.ts'
import type { KeyInput } from './key-material.ts'
import type { RingKey } from './key-ring.ts'
import type { TokenLocation } from './location.ts'
import type { RemoteKeySettings } from './remote-keys.ts'
import type { AnyUserClaims, UserClaimsOutput, UserClaimsSchema } from './schema.ts'
import type { Store } from './store.ts'
import type { Claims, TokenType } from './claims.ts'

/** The key set of another service, and how often it is fetched. */
export interface JwksUriOptions {
  /** `https:`, or `http:` on this very machine. */
  readonly uri: string
  /** For how long a set is used before it is fetched again. @default '10m' */
  readonly maxAge?: Duration | undefined
  /** The least time between two fetches, whatever keys tokens name, and after one that failed. @default '30s' */
  readonly cooldown?: Duration | undefined
  /** Seconds that a fetch may take, 1 to 30. @default 5 */
  readonly timeout?: number | undefined
}

/**
 * What `createAuth` takes. Lifetimes are seconds or a text like `'15m'`; `undefined` means not given.
 */
export interface AuthOptions<Schema extends UserClaimsSchema = AnyUserClaims, User = unknown> {
  /** The HMAC secret, at least 32 random bytes for HS256, 48 for HS384, 64 for HS512. */
  readonly secretKey?: KeyInput | undefined
  /** The private key of an asymmetric algorithm; the public one is derived from it. */
  readonly privateKey?: KeyInput | undefined
  /** The public key; enough for a service that only verifies. */
  readonly publicKey?: KeyInput | undefined
  /** Several keys, each under its `kid`, in place of the three above: the first one that signs does, and all verify. */
  readonly keys?: readonly RingKey[] | undefined
  /** Where another service publishes the keys that it signs with; this one then only verifies. Needs jose. */
  readonly jwksUri?: string | JwksUriOptions | undefined
  /** Encrypts tokens, so that nobody else reads their claims. Needs jose. */
  readonly encryption?: EncryptionOptions | undefined
  /** What signs. @default 'HS256' */
  readonly algorithm?: Algorithm | undefined
  /** What is accepted; has no default with `jwksUri`. @default [algorithm] */
  readonly decodeAlgorithms?: readonly Algorithm[] | undefined
  /** Lets HMAC secrets be short or well known. For exercises only. @default false */
  readonly unsafeAllowWeakSecret?: boolean | undefined
  /** Seconds for which an expired token is still taken, 0 to 300. @default 0 */
  readonly decodeLeeway?: number | undefined
  /** The `iss` of new tokens. */
  readonly encodeIssuer?: string | undefined
  /** The `iss` that is accepted; not checked unless given. */
  readonly decodeIssuer?: string | readonly string[] | undefined
  /** The `aud` of new tokens. */
  readonly encodeAudience?: string | readonly string[] | undefined
  /** The `aud` of which one must be named; not checked unless given. */
  readonly decodeAudience?: string | readonly string[] | undefined
  /** Life of an access token; `false` for no end. @default '15m' */
  readonly accessTokenExpires?: Duration | false | undefined
  /** Life of a refresh token; `false` for no end. @default '30d' */
  readonly refreshTokenExpires?: Duration | false | undefined
  /** The oldest `iat` accepted. */
  readonly maxTokenAge?: Duration | undefined
  /** The end of everything that came from one sign-in, however often refreshed. @default '90d' */
  readonly sessionExpires?: Duration | undefined
  /** Where tokens are looked for, in this order. @default ['cookies'] */
  readonly tokenLocation?: readonly TokenLocation[] | undefined
  /** @default 'Authorization' */
  readonly headerName?: string | undefined
  /** The scheme before the token; `''` for a bare token. @default 'Bearer' */
  readonly headerType?: string | undefined
  /** @default 'jwt' */
  readonly queryName?: string | undefined
  /** The member of a JSON body that holds an access token. @default 'access_token' */
  readonly jsonKey?: string | undefined
  /** The member of a JSON body that holds a refresh token. @default 'refresh_token' */
  readonly refreshJsonKey?: string | undefined
  /** @default 'access_token_cookie' */
  readonly accessCookieKey?: string | undefined
  /** @default 'refresh_token_cookie' */
  readonly refreshCookieKey?: string | undefined
  /** @default 'csrf_access_token' */
  readonly accessCsrfCookieKey?: string | undefined
  /** @default 'csrf_refresh_token' */
  readonly refreshCsrfCookieKey?: string | undefined
  /** Put before all four names; browsers then enforce Secure (and no Domain, Path=/). @default '' */
  readonly cookiePrefix?: '' | '__Host-' | '__Secure-' | undefined
  /** @default '/' */
  readonly accessCookiePath?: string | undefined
  /** @default '/' */
  readonly refreshCookiePath?: string | undefined
  /** @default '/' */
  readonly accessCsrfCookiePath?: string | undefined
  /** @default '/' */
  readonly refreshCsrfCookiePath?: string | undefined
  /** None means that only the host itself gets the cookies. */
  readonly cookieDomain?: string | undefined
  /** Off only for plain http on another host than localhost. @default true */
  readonly cookieSecure?: boolean | undefined
  /** `'none'` lets cookies travel cross-site. @default 'lax' */
  readonly cookieSamesite?: 'strict' | 'lax' | 'none' | undefined
  /** One cookie jar for each top-level site (CHIPS). @default false */
  readonly cookiePartitioned?: boolean | undefined
  /** Paths, domains and partitions that earlier deployments used, so that their cookies are cleared. @default [] */
  readonly previousCookies?: readonly CookieScope[] | undefined
  /** As long as the token lives, seconds, or until the browser closes. @default 'token' */
  readonly cookieMaxAge?: 'token' | 'session' | number | undefined
  /** The double submit. @default true */
  readonly cookieCsrfProtect?: boolean | undefined
  /** The methods that need the CSRF value; with the default, unknown methods too. @default POST PUT PATCH DELETE */
  readonly csrfMethods?: readonly string[] | undefined
  /** @default 'X-CSRF-Token' */
  readonly accessCsrfHeaderName?: string | undefined
  /** @default 'X-CSRF-Token' */
  readonly refreshCsrfHeaderName?: string | undefined
  /** Takes the CSRF value from a form field where the header is absent. @default false */
  readonly csrfCheckForm?: boolean | undefined
  /** @default 'csrf_token' */
  readonly accessCsrfFieldName?: string | undefined
  /** @default 'csrf_token' */
  readonly refreshCsrfFieldName?: string | undefined
  /** Whether scripts find the CSRF value in a cookie; else only `getCsrfToken()` gives it. @default true */
  readonly csrfInCookies?: boolean | undefined
  /** Origins (`https://app.example`) that may send cross-origin requests. @default [] */
  readonly trustedOrigins?: readonly string[] | undefined
  /** The check of `Origin` and `Sec-Fetch-Site`. @default true */
  readonly fetchMetadata?: boolean | undefined
  /** Says whether a token is revoked. Anything but a boolean counts as unavailable, never as "not revoked". */
  readonly denylist?:
    ((claims: Claims<UserClaimsOutput<Schema>>) => boolean | PromiseLike<boolean>) | undefined
  /** Switches the denylist; `true` without one is refused. @default whether `denylist` is given */
  readonly denylistEnabled?: boolean | undefined
  /** @default ['access', 'refresh'] */
  readonly denylistTokenChecks?: readonly TokenType[] | undefined
  /** Keeps sessions, so that refresh tokens rotate and what was ended is refused everywhere. */
  readonly store?: Store | undefined
  /**
   * For how long after a rotation the token before it is still answered: a minute at most, and shorter than an access
   * token lives.
   *
   * @default 30
   */
  readonly rotationGrace?: Duration | undefined
  /** Whether the token before the newest one ends the session once the grace has passed, or is only refused. @default 'revoke' */
  readonly lateReplay?: 'revoke' | 'refuse' | undefined
  /** Whether guards know all revocations, or ask the store on each request. @default 'replicated' */
  readonly revocation?: 'replicated' | 'strict' | undefined
  /**
   * For how long guards for access tokens serve without news from the store, at most as long as an access token lives.
   *
   * @default 5
   */
  readonly maxStaleness?: Duration | undefined
  /** Seconds that the store or the denylist may take, up to 30. @default 1 */
  readonly storeTimeout?: number | undefined
  /** The most live sessions of a subject, 1 to 10,000; the longest idle one makes way. @default 100 */
  readonly sessionLimit?: number | undefined
  /**
   * Whether a refresh token from before the store becomes a session when it is used. When there can be none any more,
   * `false` lets the end of a user's sessions be remembered for minutes instead of for `sessionExpires`.
   *
   * @default true
   */
  readonly adoptStatelessTokens?: boolean | undefined
  /**
   * What to note as the address of a sign-in. Is given what the adapter's `authorize` takes first: `(c: Context) => …`
   * for Hono, `(request: Request) => …` for Express.
   */
  readonly clientAddress?: ((request: never) => string | undefined) | undefined
  /** A Standard Schema (zod, valibot, arktype) of the user claims alone. */
  readonly claims?: Schema | undefined
  /** Loads the user of a token; `null` refuses it. */
  readonly userLookup?:
    | ((
        claims: Claims<UserClaimsOutput<Schema>>,
      ) => User | null | undefined | PromiseLike<User | null | undefined>)
    | undefined
  /** Whether `jwtOptional` throws for a bad token or goes on without an identity. @default 'throw' */
  readonly optionalErrors?: 'throw' | 'anonymous' | undefined
  /** Other statuses (400 to 599) for some codes. */
  readonly statusCodes?: { readonly [Code in AuthErrorCode]?: number | undefined } | undefined
  /**
   * Takes the place of a Python service: its defaults, statuses, sentences, bodies, cookies and claims, so that both
   * serve the same browsers with one key. Options that are given win.
   *
   * Either gives up what its twin lacks: cookies are neither `Secure` nor `SameSite` and tokens travel by header unless
   * options say otherwise, answers tell why exactly a token is refused, and tokens without an end are taken. With
   * `'flask-jwt-extended'` a token that says nothing of its type is an access token, and where nothing is revoked it
   * needs no `jti`. Set the options back one by one as the twin goes.
   */
  readonly compat?: Compat | undefined
  /** Entries of the verified-token cache; 0 turns it off. @default 10_000 */
  readonly verifiedTokenCache?: number | undefined
  /** Is told what was decided. */
  readonly onEvent?: ((event: AuthEvent) => void) | undefined
  /** Seconds since 1970, for tests. */
  readonly clock?: (() => number) | undefined
}

type KeyNames = 'secretKey' | 'privateKey' | 'publicKey' | 'keys' | 'encryption' | 'unsafeAllowWeakSecret'
type Unset =
  | 'algorithm'
  | 'decodeAlgorithms'
  | 'encodeIssuer'
  | 'encodeAudience'
  | 'cookieDomain'
  | 'cookieSamesite'
  | 'compat'
  | 'denylist'
  | 'store'
  | 'clientAddress'
  | 'claims'
  | 'userLookup'
  | 'onEvent'
type Converted =
  | 'jwksUri'
  | 'decodeIssuer'
  | 'decodeAudience'
  | 'maxTokenAge'
  | 'sessionExpires'
  | 'rotationGrace'
  | 'maxStaleness'
  | `${TokenType}TokenExpires`

/**
 * The options with every default filled in, lifetimes in seconds, and no key material.
 *
 * Of a ring each key has its own algorithm, and of `jwksUri` none signs: `algorithm` is then undefined.
 */
export type ResolvedOptions = {
  readonly [Name in Exclude<keyof AuthOptions, KeyNames | Unset | Converted>]: Exclude<
    AuthOptions[Name],
    undefined
  >
} & {
  readonly [Name in Unset]: AuthOptions<UserClaimsSchema>[Name]
} & {
  readonly decodeIssuer: readonly string[] | undefined
  readonly decodeAudience: readonly string[] | undefined
  readonly jwksUri: RemoteKeySettings | undefined
  readonly maxTokenAge: number | undefined
  readonly sessionExpires: number
  readonly rotationGrace: number
  readonly maxStaleness: number
  readonly accessTokenExpires: number | false
  readonly refreshTokenExpires: number | false
}
