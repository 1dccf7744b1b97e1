/** Decides where an `Auth` has its keys from: one secret or pair, a ring, or another service; and judges what cannot stand together. */

import { isEncryptionKey, resolveEncryption } from './encryption-key.ts'
import type { EncryptionSettings } from './encryption.ts'
import { resolveKeys } from './key.ts'
import type { AuthKeys, KeyOptions } from './key.ts'
import { cookieProblem } from './key-material.ts'
import type { Report } from './key-material.ts'
import { resolveRing } from './key-ring.ts'
import type { RingSettings } from './key-ring.ts'
import { algorithms } from './jws.ts'
import type { ResolvedOptions } from './options.ts'
import { withoutPrototype } from './own.ts'

/** The options that hold key material. */
export const keyNames = ['secretKey', 'privateKey', 'publicKey', 'keys', 'encryption'] as const

/** What tokens are signed, verified and encrypted with. */
export interface ResolvedKeys {
  readonly keys: AuthKeys
  readonly encryption: EncryptionSettings | undefined
  /** Judges a ring that is to replace this one; only with the option `keys`. @throws {TypeError} */
  readonly replace: ((keys: unknown) => AuthKeys) | undefined
}

type Given = Readonly<Record<string, unknown>>

/** Imports and judges all keys; `undefined` when a problem was reported. */
export function resolveAllKeys(
  given: Given,
  options: ResolvedOptions,
  unsafeAllowWeakSecret: boolean,
  report: Report,
): ResolvedKeys | undefined {
  let failed = false
  const note: Report = (option, problem) => {
    failed = true
    report(option, problem)
  }
  const encryption =
    given['encryption'] === undefined ? undefined : resolveEncryption(given['encryption'], note)
  const settings: RingSettings = {
    unsafeAllowWeakSecret,
    storeTimeout: options.storeTimeout,
    hasCookies: options.tokenLocation.includes('cookies'),
    isTaken: (secret) => encryption !== undefined && isEncryptionKey(secret, encryption),
  }
  const keys = readKeys(given, options, settings, note)
  if (keys === undefined || failed) return undefined
  const isRing = given['keys'] !== undefined
  return { keys, encryption, replace: isRing ? (next) => replaceRing(next, settings) : undefined }
}

function readKeys(
  given: Given,
  options: ResolvedOptions,
  settings: RingSettings,
  note: Report,
): AuthKeys | undefined {
  if (given['keys'] !== undefined) {
    refuseBeside('keys', ['secretKey', 'privateKey', 'publicKey', 'jwksUri', 'algorithm', 'decodeAlgorithms'])
    return resolveRing(given['keys'], settings, note)
  }
  if (given['jwksUri'] !== undefined) {
    refuseBeside('jwksUri', ['secretKey', 'privateKey', 'publicKey', 'algorithm'])
    checkRemoteAlgorithms(options.decodeAlgorithms, note)
    return noKeys()
  }
  const { algorithm = 'HS256', decodeAlgorithms = [algorithm] } = options
  const { secretKey, privateKey, publicKey } = given as Pick<
    KeyOptions,
    'secretKey' | 'privateKey' | 'publicKey'
  >
  const entry = algorithms.get(algorithm)
  const problem =
    entry !== undefined && settings.hasCookies && privateKey !== undefined && cookieProblem(entry)
  if (typeof problem === 'string') note('algorithm', problem)
  return resolveKeys(
    withoutPrototype({ secretKey, privateKey, publicKey, algorithm, decodeAlgorithms, ...settings }),
    note,
  )

  function refuseBeside(source: string, names: readonly string[]): void {
    for (const name of names) {
      if (given[name] !== undefined)
        note(name, `cannot stand beside ${source}, which says it all: leave one out`)
    }
  }
}

function checkRemoteAlgorithms(names: ResolvedOptions['decodeAlgorithms'], note: Report): void {
  if (names === undefined)
    note('decodeAlgorithms', 'is missing: say which algorithms of jwksUri are accepted, such as RS256')
  const secret = names?.find((name) => algorithms.get(name)?.keyTypes.includes('secret'))
  if (secret !== undefined)
    note('decodeAlgorithms', `cannot hold ${secret} with jwksUri: what is published is no secret`)
}

/** Who verifies with the keys of another service has none. */
function noKeys(): AuthKeys {
  return {
    defaultAlgorithm: undefined,
    signers: new Map(),
    algorithms: new Set(),
    verifiers: new Map(),
    byKid: new Map(),
    byEncodedHeader: new Map(),
    jwks: () => ({ keys: [] }),
  }
}

/** @throws {TypeError} that lists every problem */
function replaceRing(keys: unknown, settings: RingSettings): AuthKeys {
  const problems: string[] = []
  const ring = resolveRing(keys, settings, (option, problem) => problems.push(`${option} ${problem}`))
  if (ring !== undefined) return ring
  throw new TypeError(
    `setKeys cannot work with these keys, and goes on with those before:\n${problems.map((text) => `- ${text}`).join('\n')}`,
  )
}
