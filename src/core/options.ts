/** Every option, its default and its refusal; nothing below this file judges a configuration again. */

import {
  booleanRule,
  cookieDomainRule,
  cookieNameRule,
  cookiePathRule,
  durationRule,
  functionRule,
} from './rule.ts'
import {
  integerRule,
  listRule,
  methodsRule,
  oneOfRule,
  originsRule,
  previousCookiesRule,
  RuleError,
} from './rule.ts'
import { schemaRule, statusCodesRule, textRule, textOrListRule, tokenNameRule, offOr } from './rule.ts'
import type { Rule } from './rule.ts'
import { maxCookieAgeSeconds } from './cookie.ts'
import type { CookieScope } from './cookie.ts'
import { defaultCsrfMethods } from './csrf.ts'
import type { Duration } from './duration.ts'
import type { AuthErrorCode } from './errors.ts'
import type { AuthEvent } from './events.ts'
import { algorithms } from './jws.ts'
import type { Algorithm, JwsKeys } from './jws.ts'
import { withoutPrototype } from './own.ts'
import { resolveKeys } from './key.ts'
import type { KeyInput } from './key.ts'
import { tokenLocations } from './location.ts'
import type { TokenLocation } from './location.ts'
import { suggestion } from './suggestion.ts'
import type { AnyUserClaims, UserClaimsOutput, UserClaimsSchema } from './schema.ts'
import type { Claims, TokenType } from './token.ts'

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
  /** What signs. @default 'HS256' */
  readonly algorithm?: Algorithm | undefined
  /** What is accepted. @default [algorithm] */
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
  /** Paths and domains that earlier deployments used, so that their cookies are cleared. @default [] */
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
  /** Seconds that the denylist may take, up to 30. @default 1 */
  readonly storeTimeout?: number | undefined
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
  /** Entries of the verified-token cache; 0 turns it off. @default 10_000 */
  readonly verifiedTokenCache?: number | undefined
  /** Is told what was decided. */
  readonly onEvent?: ((event: AuthEvent) => void) | undefined
  /** Seconds since 1970, for tests. */
  readonly clock?: (() => number) | undefined
}

type KeyNames = 'secretKey' | 'privateKey' | 'publicKey' | 'unsafeAllowWeakSecret'
type Unset =
  'encodeIssuer' | 'encodeAudience' | 'cookieDomain' | 'denylist' | 'claims' | 'userLookup' | 'onEvent'
type Converted =
  'decodeIssuer' | 'decodeAudience' | 'maxTokenAge' | 'sessionExpires' | `${TokenType}TokenExpires`

/** The options with every default filled in, lifetimes in seconds, and no key material. */
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
  readonly maxTokenAge: number | undefined
  readonly sessionExpires: number
  readonly accessTokenExpires: number | false
  readonly refreshTokenExpires: number | false
}

type RuleTable = {
  readonly [Name in Exclude<keyof AuthOptions, 'secretKey' | 'privateKey' | 'publicKey'>]-?: Rule
}

const algorithmNames = [...algorithms.keys()]
const positive = durationRule(Number.MAX_SAFE_INTEGER)

/** One rule for each option: what it takes, and what it is when it is not given. */
const rules: RuleTable = {
  algorithm: { read: oneOfRule(algorithmNames), fallback: 'HS256' },
  decodeAlgorithms: { read: listRule(oneOfRule(algorithmNames)), fallback: undefined },
  unsafeAllowWeakSecret: { read: booleanRule, fallback: false },
  decodeLeeway: { read: integerRule(0, 300), fallback: 0 },
  encodeIssuer: { read: textRule, fallback: undefined },
  decodeIssuer: { read: listRule(textRule, 'or one'), fallback: undefined },
  encodeAudience: { read: textOrListRule, fallback: undefined },
  decodeAudience: { read: listRule(textRule, 'or one'), fallback: undefined },
  accessTokenExpires: { read: offOr(positive), fallback: 900 },
  refreshTokenExpires: { read: offOr(positive), fallback: 2_592_000 },
  maxTokenAge: { read: positive, fallback: undefined },
  sessionExpires: { read: positive, fallback: 7_776_000 },
  tokenLocation: { read: listRule(oneOfRule(tokenLocations)), fallback: ['cookies'] },
  headerName: { read: tokenNameRule, fallback: 'Authorization' },
  headerType: { read: (value) => (value === '' ? '' : tokenNameRule(value)), fallback: 'Bearer' },
  queryName: { read: textRule, fallback: 'jwt' },
  jsonKey: { read: textRule, fallback: 'access_token' },
  refreshJsonKey: { read: textRule, fallback: 'refresh_token' },
  accessCookieKey: { read: cookieNameRule, fallback: 'access_token_cookie' },
  refreshCookieKey: { read: cookieNameRule, fallback: 'refresh_token_cookie' },
  accessCsrfCookieKey: { read: cookieNameRule, fallback: 'csrf_access_token' },
  refreshCsrfCookieKey: { read: cookieNameRule, fallback: 'csrf_refresh_token' },
  cookiePrefix: { read: oneOfRule(['', '__Host-', '__Secure-']), fallback: '' },
  accessCookiePath: { read: cookiePathRule, fallback: '/' },
  refreshCookiePath: { read: cookiePathRule, fallback: '/' },
  accessCsrfCookiePath: { read: cookiePathRule, fallback: '/' },
  refreshCsrfCookiePath: { read: cookiePathRule, fallback: '/' },
  cookieDomain: { read: cookieDomainRule, fallback: undefined },
  cookieSecure: { read: booleanRule, fallback: true },
  cookieSamesite: { read: oneOfRule(['strict', 'lax', 'none']), fallback: 'lax' },
  cookiePartitioned: { read: booleanRule, fallback: false },
  previousCookies: { read: previousCookiesRule, fallback: [] },
  cookieMaxAge: {
    read: (value) =>
      value === 'token' || value === 'session' ? value : integerRule(1, maxCookieAgeSeconds)(value),
    fallback: 'token',
  },
  cookieCsrfProtect: { read: booleanRule, fallback: true },
  csrfMethods: { read: methodsRule, fallback: defaultCsrfMethods },
  accessCsrfHeaderName: { read: tokenNameRule, fallback: 'X-CSRF-Token' },
  refreshCsrfHeaderName: { read: tokenNameRule, fallback: 'X-CSRF-Token' },
  csrfCheckForm: { read: booleanRule, fallback: false },
  accessCsrfFieldName: { read: textRule, fallback: 'csrf_token' },
  refreshCsrfFieldName: { read: textRule, fallback: 'csrf_token' },
  csrfInCookies: { read: booleanRule, fallback: true },
  trustedOrigins: { read: originsRule, fallback: [] },
  fetchMetadata: { read: booleanRule, fallback: true },
  denylist: { read: functionRule, fallback: undefined },
  denylistEnabled: { read: booleanRule, fallback: undefined },
  denylistTokenChecks: { read: listRule(oneOfRule(['access', 'refresh'])), fallback: ['access', 'refresh'] },
  storeTimeout: { read: integerRule(1, 30), fallback: 1 },
  claims: { read: schemaRule, fallback: undefined },
  userLookup: { read: functionRule, fallback: undefined },
  optionalErrors: { read: oneOfRule(['throw', 'anonymous']), fallback: 'throw' },
  statusCodes: { read: statusCodesRule, fallback: {} },
  verifiedTokenCache: { read: integerRule(0, 10_000_000), fallback: 10_000 },
  onEvent: { read: functionRule, fallback: undefined },
  clock: { read: functionRule, fallback: () => Date.now() / 1000 },
}

const keyNames = ['secretKey', 'privateKey', 'publicKey'] as const

/** The names of all options. */
export const optionNames: readonly string[] = [...keyNames, ...Object.keys(rules)]

/** The words that an environment variable may hold for an option, as its rule sees it. */
export function acceptsOption(name: string, value: unknown): boolean {
  try {
    rules[name as keyof RuleTable].read(value)
    return true
  } catch {
    return false
  }
}

/**
 * Fills in the defaults and judges everything.
 *
 * @throws {TypeError} one that lists every problem, each with its option and the fix
 */
export function resolveOptions(input: unknown): {
  readonly options: ResolvedOptions
  readonly keys: JwsKeys
} {
  if (typeof input !== 'object' || input === null)
    throw new TypeError('createAuth needs an object of options')
  const given = givenOptions(input)
  const problems: string[] = []
  const report = (option: string, problem: string): void => {
    problems.push(`${option} ${problem}`)
  }
  for (const name of Object.keys(given)) {
    if (!optionNames.includes(name)) report(name, `is no option${suggestion(name, optionNames)}`)
  }
  const resolved = readOptions(given, report)
  const options = resolved as unknown as ResolvedOptions
  contradictions(options, report)
  const keys = resolveKeys(withoutPrototype({ ...keyOptions(given), ...keySettings(resolved) }), report)
  if (keys === undefined || problems.length > 0) {
    throw new TypeError(
      `createAuth cannot work with these options:\n${problems.map((text) => `- ${text}`).join('\n')}`,
    )
  }
  delete resolved['unsafeAllowWeakSecret']
  return { options: Object.freeze(options), keys }
}

type Given = Readonly<Record<string, unknown>>
type Report = (option: string, problem: string) => void

/** Own properties only: what a polluted prototype offers is not an option anybody gave. */
function givenOptions(input: object): Given {
  const entries = Object.entries(input).filter(([, value]) => value !== undefined)
  return withoutPrototype(Object.fromEntries(entries))
}

function readOptions(given: Given, report: Report): Record<string, unknown> {
  const resolved: Record<string, unknown> = {}
  for (const [name, rule] of Object.entries(rules)) {
    resolved[name] = Object.freeze(rule.fallback)
    if (given[name] === undefined) continue
    try {
      resolved[name] = rule.read(given[name])
    } catch (error) {
      if (!(error instanceof RuleError)) throw error
      report(name, error.message)
    }
  }
  resolved['decodeAlgorithms'] ??= Object.freeze([resolved['algorithm']])
  resolved['denylistEnabled'] ??= resolved['denylist'] !== undefined
  return resolved
}

function keyOptions(given: Given): { readonly [Name in (typeof keyNames)[number]]?: KeyInput } {
  return Object.fromEntries(keyNames.filter((name) => name in given).map((name) => [name, given[name]]))
}

function keySettings(resolved: Given): Pick<ResolvedOptions, 'algorithm' | 'decodeAlgorithms'> & {
  readonly unsafeAllowWeakSecret: boolean
} {
  const { algorithm, decodeAlgorithms, unsafeAllowWeakSecret } = resolved
  return { algorithm, decodeAlgorithms, unsafeAllowWeakSecret } as ReturnType<typeof keySettings>
}

function contradictions(options: ResolvedOptions, report: Report): void {
  const { cookiePrefix, cookieSecure } = options
  if (options.cookieSamesite === 'none' && !cookieSecure)
    report('cookieSamesite', "'none' needs cookieSecure: true")
  if (options.cookiePartitioned && !cookieSecure) report('cookiePartitioned', 'needs cookieSecure: true')
  if (cookiePrefix !== '' && !cookieSecure)
    report('cookiePrefix', `'${cookiePrefix}' needs cookieSecure: true`)
  if (cookiePrefix === '__Host-') {
    if (options.cookieDomain !== undefined)
      report('cookieDomain', "cannot be set with cookiePrefix '__Host-'")
    for (const name of cookiePathNames) {
      if (options[name] !== '/') report(name, "must be '/' with cookiePrefix '__Host-'")
    }
  }
  checkPrefixedNames(options, report)
  const longest = Math.max(options.accessTokenExpires || 0, options.refreshTokenExpires || 0)
  if (longest > options.sessionExpires) {
    report('sessionExpires', 'must not be shorter than accessTokenExpires and refreshTokenExpires')
  }
  if (!options.decodeAlgorithms.includes(options.algorithm)) {
    report('decodeAlgorithms', 'must hold algorithm too, or this Auth refuses its own tokens')
  }
  if (options.denylistEnabled && options.denylist === undefined) {
    report('denylistEnabled', 'is true but there is no denylist: give the function, or leave both out')
  }
}

const cookiePathNames = [
  'accessCookiePath',
  'refreshCookiePath',
  'accessCsrfCookiePath',
  'refreshCsrfCookiePath',
] as const
const cookieKeyNames = [
  'accessCookieKey',
  'refreshCookieKey',
  'accessCsrfCookieKey',
  'refreshCsrfCookieKey',
] as const

function checkPrefixedNames(options: ResolvedOptions, report: Report): void {
  const seen = new Set<string>()
  for (const name of cookieKeyNames) {
    const key = options[name]
    if (seen.has(key)) report(name, 'is the name of another cookie: give each its own')
    seen.add(key)
    if (/^__(?:host|secure)-/i.test(key)) report(name, 'cannot hold a prefix itself: use cookiePrefix')
  }
}
