/** Makes the keys of an `Auth` that has one secret or one pair of keys, whose tokens name no key. */

import type { KeyObject } from 'node:crypto'
import { algorithmProblem, importKey, runtimeProblem, takenProblem } from './key-material.ts'
import type { ImportedKey, KeyMaterial, Report } from './key-material.ts'
import { algorithms, createJwsKey } from './jws.ts'
import type { Algorithm, JwsKey, JwsKeys } from './jws.ts'
import { publicMembers, thumbprint } from './public-jwk.ts'
import type { JwkSet } from './public-jwk.ts'

/** The options that keys are made of. */
export interface KeyOptions extends KeyMaterial {
  readonly algorithm: Algorithm
  readonly decodeAlgorithms: readonly Algorithm[]
  readonly unsafeAllowWeakSecret: boolean
  /** Whether a secret has another purpose already. */
  readonly isTaken?: (secret: KeyObject) => boolean
}

/** The keys of an `Auth`, and what others verify with. */
export interface AuthKeys extends JwsKeys {
  readonly jwks: () => JwkSet
}

/** Imports and judges the keys; `undefined` when a problem was reported. */
export function resolveKeys(options: KeyOptions, report: Report): AuthKeys | undefined {
  let failed = false
  const note: Report = (option, problem) => {
    failed = true
    report(option, problem)
  }
  const names = new Set([options.algorithm, ...options.decodeAlgorithms])
  for (const name of names) {
    const algorithm = algorithms.get(name)
    const problem = algorithm === undefined ? null : runtimeProblem(algorithm)
    if (problem !== null) note('algorithm', problem)
  }
  // No key for it could be read either, which would be told as the fault of the key.
  if (failed) return undefined
  const imported = importKey(options, note)
  if (imported === undefined) return undefined
  if (imported.verifying.type === 'secret' && options.isTaken?.(imported.verifying) === true)
    note('secretKey', takenProblem)
  const keys = new Map<string, JwsKey>()
  for (const name of names) {
    const algorithm = algorithms.get(name)
    if (algorithm === undefined) continue
    const problem = algorithmProblem(algorithm, imported, options.unsafeAllowWeakSecret)
    if (problem !== null) {
      note(imported.option, problem)
      continue
    }
    const { signing, verifying } = imported
    const sign = signing && algorithm.createSigner(signing)
    keys.set(name, createJwsKey({ algorithm, sign, verify: algorithm.createVerifier(verifying) }))
  }
  if (failed) return undefined
  const verifiers = new Map(
    [...keys].filter(([name]) => options.decodeAlgorithms.includes(name as Algorithm)),
  )
  const byEncodedHeader = new Map([...verifiers.values()].map((key) => [key.encodedHeader, key]))
  return {
    defaultAlgorithm: options.algorithm,
    signers: keys,
    algorithms: new Set(verifiers.keys()),
    verifiers,
    byKid: new Map(),
    byEncodedHeader,
    jwks: () => jwksOf(imported, options.decodeAlgorithms),
  }
}

/** Tokens of a lone key name none, so any `kid` will do. */
function jwksOf({ verifying }: ImportedKey, [alg, ...further]: readonly Algorithm[]): JwkSet {
  if (verifying.type === 'secret') return { keys: [] }
  const bound = alg !== undefined && further.length === 0 ? { alg } : {}
  return { keys: [{ ...publicMembers(verifying), kid: thumbprint(verifying), ...bound, use: 'sig' }] }
}
