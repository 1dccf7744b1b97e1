/** The kinds of value that options take; each reads an unknown value and gives a frozen copy, or says what it must be. */

import { isCookieDomain, isCookieName, isCookiePath } from './cookie.ts'
import { defaultCsrfMethods } from './csrf.ts'
import { parseDuration } from './duration.ts'
import { errorCodes } from './errors.ts'
import { parseOrigin } from './origin.ts'
import { withoutPrototype } from './own.ts'

/** How one option is read, and what it is when it is not given. */
export interface Rule {
  readonly read: Read
  readonly fallback: unknown
}

type Read = (value: unknown) => unknown

/** Says what a value must be; never holds the value, which may be a secret in the wrong place. */
export class RuleError extends TypeError {}

function must(accepted: boolean, expectation: string): asserts accepted {
  if (!accepted) throw new RuleError(`must be ${expectation}`)
}

export function booleanRule(value: unknown): boolean {
  must(typeof value === 'boolean', 'true or false')
  return value
}

export function functionRule(value: unknown): unknown {
  must(typeof value === 'function', 'a function')
  return value
}

/** A clock in seconds; one that stops giving numbers refuses everything instead of comparing with nonsense. */
export function clockRule(value: unknown): () => number {
  must(typeof value === 'function', 'a function')
  const read = (): number => {
    const seconds: unknown = value()
    must(typeof seconds === 'number' && Number.isFinite(seconds), 'a function that gives a number')
    return seconds
  }
  must(read() < 100_000_000_000, 'a function that gives seconds, not milliseconds')
  return read
}

export function textRule(value: unknown): string {
  must(typeof value === 'string' && value !== '', 'a non-empty string')
  return value
}

/** A `token` of RFC 9110 section 5.6.2: the name of a header or a scheme. */
export function tokenNameRule(value: unknown): string {
  must(
    typeof value === 'string' && /^[\w!#$%&'*+.^`|~-]{1,256}$/.test(value),
    'a name without spaces or separators',
  )
  return value
}

export function cookieNameRule(value: unknown): string {
  must(
    typeof value === 'string' && isCookieName(value),
    'a cookie name: letters, digits and -_. without spaces',
  )
  return value
}

export function cookiePathRule(value: unknown): string {
  must(typeof value === 'string' && isCookiePath(value), "a path that starts with '/' and holds no ';'")
  return value
}

export function cookieDomainRule(value: unknown): string {
  must(
    typeof value === 'string' && isCookieDomain(value),
    "a host name such as 'example.com', without a leading dot",
  )
  return value
}

export function integerRule(least: number, most: number): (value: unknown) => number {
  return (value) => {
    const isWithin =
      typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= most
    must(isWithin, `a whole number from ${least} to ${most}`)
    return value
  }
}

export function durationRule(mostSeconds: number): (value: unknown) => number {
  return (value) => {
    const seconds = parseDuration(value)
    must(
      seconds !== null && seconds <= mostSeconds,
      `a positive whole number of seconds or a text like '15s' or '30d', of at most ${mostSeconds} seconds`,
    )
    return seconds
  }
}

/** Takes `false` too. */
export function offOr(read: Read): Read {
  return (value) => (value === false ? false : read(value))
}

export function oneOfRule(values: readonly string[]): (value: unknown) => string {
  return (value) => {
    must(
      typeof value === 'string' && values.includes(value),
      `one of ${values.map((item) => `'${item}'`).join(', ')}`,
    )
    return value
  }
}

/** A list that is not empty and holds nothing twice; `'or one'` takes a lone item as well. */
export function listRule(read: Read, lone?: 'or one'): (value: unknown) => readonly unknown[] {
  return (value) => {
    const list = lone === 'or one' && typeof value === 'string' ? [value] : value
    must(Array.isArray(list) && list.length > 0, 'a list that is not empty')
    // Unlike `map`, this does not skip holes.
    const items = Array.from(list, (item) => readItem(read, item))
    must(new Set(items).size === items.length, 'a list without duplicates')
    return Object.freeze(items)
  }
}

function readItem(read: Read, item: unknown): unknown {
  try {
    return read(item)
  } catch (error) {
    if (!(error instanceof RuleError)) throw error
    throw new RuleError(`holds an item that ${error.message}`)
  }
}

export function textOrListRule(value: unknown): unknown {
  return typeof value === 'string' ? textRule(value) : listRule(textRule)(value)
}

/** Method names, upper-cased as in the ancestor; the default list in any order is the default. */
export function methodsRule(value: unknown): readonly unknown[] {
  const methods = listRule((item) => {
    must(typeof item === 'string' && /^[a-z]{1,32}$/i.test(item), "an HTTP method such as 'POST'")
    return item.toUpperCase()
  })(value)
  const isDefault =
    methods.length === defaultCsrfMethods.length && defaultCsrfMethods.every((name) => methods.includes(name))
  return isDefault ? defaultCsrfMethods : methods
}

/** Exact origins; no wildcard, since anything that ends alike can be registered by anybody. */
export function originsRule(value: unknown): readonly unknown[] {
  must(Array.isArray(value), 'a list of origins')
  if (value.length === 0) return Object.freeze([])
  return listRule((item) => {
    must(
      typeof item === 'string' && !item.includes('*') && parseOrigin(item) !== null,
      "an exact origin such as 'https://app.example', without path, trailing slash or wildcard",
    )
    return item
  })(value)
}

const scopeNames = new Set(['path', 'domain', 'partitioned'])

export function previousCookiesRule(value: unknown): readonly unknown[] {
  must(Array.isArray(value), 'a list of { path, domain, partitioned }')
  return Object.freeze(
    Array.from(value, (scope: unknown) => {
      const isScope =
        typeof scope === 'object' &&
        scope !== null &&
        Object.keys(scope).every((name) => scopeNames.has(name))
      must(isScope, 'a list of { path, domain, partitioned }')
      const none = { path: undefined, domain: undefined, partitioned: undefined }
      const { path, domain, partitioned } = { ...none, ...scope } as Record<string, unknown>
      return Object.freeze({
        ...(path !== undefined && { path: cookiePathRule(path) }),
        ...(domain !== undefined && { domain: cookieDomainRule(domain) }),
        ...(partitioned !== undefined && { partitioned: booleanRule(partitioned) }),
      })
    }),
  )
}

export function schemaRule(value: unknown): unknown {
  const isCarrier = (typeof value === 'object' && value !== null) || typeof value === 'function'
  const standard = isCarrier ? (value as Record<string, unknown>)['~standard'] : undefined
  const isSchema = typeof (standard as { validate?: unknown } | undefined)?.validate === 'function'
  must(isSchema, 'a Standard Schema, such as one of zod, valibot or arktype')
  return value
}

export function statusCodesRule(value: unknown): unknown {
  must(
    typeof value === 'object' && value !== null && !Array.isArray(value),
    'an object from codes to statuses',
  )
  const entries = Object.entries(value).filter(([, status]) => status !== undefined)
  for (const [code, status] of entries) {
    must(Object.hasOwn(errorCodes, code), `an object whose keys are error codes, which "${code}" is not`)
    must(
      Number.isInteger(status) && status >= 400 && status <= 599,
      'an object whose values are statuses from 400 to 599',
    )
  }
  return Object.freeze(withoutPrototype(Object.fromEntries(entries)))
}

const defaultKeySet = { maxAge: 600, cooldown: 30, timeout: 5 }

/** The address of a key set, or an object with it. */
export function jwksUriRule(value: unknown): unknown {
  const given: unknown = typeof value === 'string' ? { uri: value } : value
  must(typeof given === 'object' && given !== null, 'an address such as https://…/jwks.json, or { uri }')
  const { uri, maxAge, cooldown, timeout, ...others } = withoutPrototype(given) as Record<string, unknown>
  must(Object.keys(others).length === 0, 'an object of uri, maxAge, cooldown and timeout')
  must(isKeySetUri(uri), 'an https: address without credentials (http: on localhost alone)')
  const age = Number(
    readMember('maxAge', durationRule(86_400), maxAge === undefined ? defaultKeySet.maxAge : maxAge),
  )
  const pause = Number(
    readMember(
      'cooldown',
      durationRule(3600),
      cooldown === undefined ? Math.min(defaultKeySet.cooldown, age) : cooldown,
    ),
  )
  // A set would be used for that long after all.
  must(pause <= age, 'an object whose cooldown is not longer than its maxAge')
  return Object.freeze({
    uri,
    maxAge: age,
    cooldown: pause,
    timeout:
      timeout === undefined ? defaultKeySet.timeout : readMember('timeout', integerRule(1, 30), timeout),
  })
}

function readMember(name: string, read: Read, value: unknown): unknown {
  try {
    return read(value)
  } catch (error) {
    if (!(error instanceof RuleError)) throw error
    throw new RuleError(`has a ${name} that ${error.message}`)
  }
}

/** What anybody on the way could change would say who is signed in. */
function isKeySetUri(value: unknown): value is string {
  if (typeof value !== 'string' || !URL.canParse(value)) return false
  const { protocol, hostname, username, password } = new URL(value)
  const isLocal = /^(?:localhost|127\.0\.0\.1|\[::1\])$/.test(hostname)
  const isSafe = protocol === 'https:' || (protocol === 'http:' && isLocal)
  return isSafe && username === '' && password === ''
}

const storeMethods = 'open create rotate get list revoke isRevoked revocations sweep close'.split(' ')

export function storeRule(value: unknown): unknown {
  const isStore =
    typeof value === 'object' &&
    value !== null &&
    storeMethods.every((name) => typeof (value as Record<string, unknown>)[name] === 'function')
  must(isStore, "a store, such as sqliteStore(…) of 'tallystick/stores/sqlite'")
  return value
}
