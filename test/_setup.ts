/** Fixed keys, a fixed clock and small builders that the tests share; holds no test itself. */

import { createHmac, createSecretKey } from 'node:crypto'
import { AuthError, createAuth } from '../src/index.ts'
import type { AnyUserClaims, Auth, AuthErrorCode, AuthEvent, AuthOptions } from '../src/index.ts'
import { webAuth } from '../src/adapters/web.ts'
import type { WebAuth } from '../src/adapters/web.ts'

/** Sixty-four random bytes, made once for these tests. */
export const secretKey = 'tTz0lS0dWnQ9m3uJqVxk7PfYB2cR5hGoE8aLi4wKZyNs6UvXrDjCMbHgF1eOpIAq-QkS_x2vJt9YwEoZ'

/** 2026-01-01T00:00:00Z. */
export const startSeconds = 1_767_225_600

/** A clock that moves only when told. */
export interface TestClock {
  (): number
  advance(seconds: number): void
}

export function createClock(seconds: number = startSeconds): TestClock {
  let now = seconds
  return Object.assign(() => now, {
    advance(by: number) {
      now += by
    },
  })
}

/** An `Auth` with the fixed secret, a fixed clock, and a list of what it told its observer. */
export function setup(options: AuthOptions = {}): {
  readonly auth: Auth
  readonly web: WebAuth<AnyUserClaims, unknown>
  readonly clock: TestClock
  readonly events: AuthEvent[]
} {
  const clock = createClock()
  const events: AuthEvent[] = []
  const hasKey = options.privateKey !== undefined || options.publicKey !== undefined
  const auth = createAuth({
    ...(hasKey ? {} : { secretKey }),
    clock,
    onEvent: (event) => events.push(event),
    ...options,
  })
  return { auth, web: webAuth(auth), clock, events }
}

/** Encodes anything as one part of a token. */
export function encode(value: unknown): string {
  const bytes =
    value instanceof Uint8Array
      ? value
      : Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))
  return Buffer.from(bytes).toString('base64url')
}

/** Signs any two parts with HMAC, whatever they hold: what an attacker with the key, or another issuer, could make. */
export function forge(header: unknown, payload: unknown, key: string = secretKey, hash = 'sha256'): string {
  const input = `${encode(header)}.${encode(payload)}`
  return `${input}.${createHmac(hash, createSecretKey(key, 'utf8')).update(input).digest('base64url')}`
}

/** Claims of a good access token at the fixed time. */
export function goodClaims(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    sub: 'test',
    iat: startSeconds,
    nbf: startSeconds,
    jti: '0b5b1d1e-7f0a-4a51-9a3c-0d5e6f1a2b3c',
    exp: startSeconds + 900,
    type: 'access',
    fresh: true,
    csrf: '7a1c2b3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d',
    ...changes,
  }
}

/** The cookies that a response sets, by name; deleted ones are left out. */
export function cookiesOf(response: Response): Record<string, string> {
  const jar: Record<string, string> = {}
  for (const line of response.headers.getSetCookie()) {
    const [pair = ''] = line.split(';')
    const equals = pair.indexOf('=')
    if (!/; Max-Age=0;/.test(line)) jar[pair.slice(0, equals)] = pair.slice(equals + 1)
  }
  return jar
}

/** A Cookie header. */
export function cookieHeader(jar: Record<string, string>): string {
  return Object.entries(jar)
    .map(([name, value]) => `${name}=${value}`)
    .join('; ')
}

/** The code of the `AuthError` that a promise or function ends in; anything else is thrown on. */
export async function codeOf(step: () => unknown): Promise<AuthErrorCode | 'passed'> {
  try {
    await step()
    return 'passed'
  } catch (error) {
    if (AuthError.is(error)) return error.code
    throw error
  }
}
