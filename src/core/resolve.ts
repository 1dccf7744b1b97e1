/** Every option's rule and default, and every contradiction; nothing below this file judges a configuration again. */

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
  jwksUriRule,
  listRule,
  methodsRule,
  oneOfRule,
  originsRule,
  previousCookiesRule,
  RuleError,
} from './rule.ts'
import {
  clockRule,
  schemaRule,
  statusCodesRule,
  storeRule,
  textRule,
  textOrListRule,
  tokenNameRule,
  offOr,
} from './rule.ts'
import type { Rule } from './rule.ts'
import { compatNames, dialectOf } from './compat.ts'
import { maxCookieAgeSeconds } from './cookie.ts'
import { defaultCsrfMethods } from './csrf.ts'
import { algorithms } from './jws.ts'
import { withoutPrototype } from './own.ts'
import { keyNames, resolveAllKeys } from './resolve-keys.ts'
import type { ResolvedKeys } from './resolve-keys.ts'
import { tokenLocations } from './location.ts'
import { suggestion } from './suggestion.ts'
import type { AuthOptions, ResolvedOptions } from './options.ts'

type RuleTable = {
  readonly [Name in Exclude<keyof AuthOptions, (typeof keyNames)[number]>]-?: Rule
}

const algorithmNames = [...algorithms.keys()]
const positive = durationRule(Number.MAX_SAFE_INTEGER)

/** One rule for each option: what it takes, and what it is when it is not given. */
const rules: RuleTable = {
  algorithm: { read: oneOfRule(algorithmNames), fallback: 'HS256' },
  decodeAlgorithms: { read: listRule(oneOfRule(algorithmNames)), fallback: undefined },
  jwksUri: { read: jwksUriRule, fallback: undefined },
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
  store: { read: storeRule, fallback: undefined },
  rotationGrace: { read: durationRule(60), fallback: 30 },
  lateReplay: { read: oneOfRule(['revoke', 'refuse']), fallback: 'revoke' },
  revocation: { read: oneOfRule(['replicated', 'strict']), fallback: 'replicated' },
  maxStaleness: { read: positive, fallback: 5 },
  storeTimeout: { read: integerRule(1, 30), fallback: 1 },
  sessionLimit: { read: integerRule(1, 10_000), fallback: 100 },
  adoptStatelessTokens: { read: booleanRule, fallback: true },
  clientAddress: { read: functionRule, fallback: undefined },
  claims: { read: schemaRule, fallback: undefined },
  userLookup: { read: functionRule, fallback: undefined },
  optionalErrors: { read: oneOfRule(['throw', 'anonymous']), fallback: 'throw' },
  statusCodes: { read: statusCodesRule, fallback: {} },
  compat: { read: oneOfRule(compatNames), fallback: undefined },
  verifiedTokenCache: { read: integerRule(0, 10_000_000), fallback: 10_000 },
  onEvent: { read: functionRule, fallback: undefined },
  clock: { read: clockRule, fallback: () => Date.now() / 1000 },
}

/** The names of all options. */
export const optionNames: readonly string[] = [...keyNames, ...Object.keys(rules)]

/** What is wrong with a value of an option, or `null`. */
export function optionProblem(name: string, value: unknown): string | null {
  try {
    rules[name as keyof RuleTable].read(value)
    return null
  } catch (error) {
    if (error instanceof RuleError) return error.message
    throw error
  }
}

/**
 * Fills in the defaults and judges everything.
 *
 * @throws {TypeError} one that lists every problem, each with its option and the fix
 */
export function resolveOptions(input: unknown): {
  readonly options: ResolvedOptions
  readonly keys: ResolvedKeys
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
  checkStoreOptions(options, given, report)
  const keys = resolveAllKeys(given, options, resolved['unsafeAllowWeakSecret'] === true, report)
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
  const dialect = dialectOf(given['compat'])
  for (const [name, rule] of Object.entries(rules)) {
    const { defaults } = dialect
    resolved[name] = Object.freeze(Object.hasOwn(defaults, name) ? defaults[name] : rule.fallback)
    if (given[name] === undefined) continue
    try {
      resolved[name] = rule.read(given[name])
    } catch (error) {
      if (!(error instanceof RuleError)) throw error
      report(name, error.message)
    }
  }
  // Keys of a ring have an algorithm each, and those of another service never sign.
  if (given['keys'] !== undefined || given['jwksUri'] !== undefined) resolved['algorithm'] = undefined
  else resolved['decodeAlgorithms'] ??= Object.freeze([resolved['algorithm']])
  resolved['statusCodes'] = Object.freeze({ ...dialect.statusCodes, ...(resolved['statusCodes'] as object) })
  if (Array.isArray(resolved['tokenLocation']))
    resolved['tokenLocation'] = dialect.orderLocations(resolved['tokenLocation'])
  resolved['denylistEnabled'] ??= resolved['denylist'] !== undefined
  return resolved
}

function contradictions(options: ResolvedOptions, report: Report): void {
  const { cookiePrefix, cookieSecure } = options
  if (options.cookieSamesite === 'none' && !cookieSecure)
    report('cookieSamesite', "'none' needs cookieSecure: true")
  if (options.cookieSamesite === 'none' && !options.cookieCsrfProtect && !options.fetchMetadata) {
    report(
      'cookieSamesite',
      "'none' without cookieCsrfProtect and fetchMetadata lets every site act as the user",
    )
  }
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
  const { algorithm, decodeAlgorithms } = options
  if (algorithm !== undefined && decodeAlgorithms?.includes(algorithm) === false) {
    report('decodeAlgorithms', 'must hold algorithm too, or this Auth refuses its own tokens')
  }
  if (options.denylistEnabled && options.denylist === undefined) {
    report('denylistEnabled', 'is true but there is no denylist: give the function, or leave both out')
  }
}

/** The options that mean nothing without a store. */
const storeOptionNames = [
  'rotationGrace',
  'lateReplay',
  'revocation',
  'maxStaleness',
  'sessionLimit',
  'adoptStatelessTokens',
  'clientAddress',
] as const

const tenYearsSeconds = 315_360_000

function checkStoreOptions(options: ResolvedOptions, given: Given, report: Report): void {
  if (options.store === undefined) {
    // Of an option that is wrong in itself, its own fault is enough to hear.
    for (const name of storeOptionNames) {
      if (name in given && optionProblem(name, given[name]) === null)
        report(name, 'needs a store: give one, or leave it out')
    }
    return
  }
  const { accessTokenExpires, refreshTokenExpires, rotationGrace, maxStaleness, sessionExpires } = options
  if (accessTokenExpires === false) report('accessTokenExpires', 'cannot be false with a store')
  if (refreshTokenExpires === false) report('refreshTokenExpires', 'cannot be false with a store')
  if (sessionExpires > tenYearsSeconds) report('sessionExpires', 'can be ten years at most with a store')
  if (accessTokenExpires === false) return
  if (rotationGrace >= accessTokenExpires) report('rotationGrace', 'must be shorter than accessTokenExpires')
  if (maxStaleness > accessTokenExpires) report('maxStaleness', 'must not be longer than accessTokenExpires')
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
