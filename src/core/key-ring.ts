/** Makes the keys of an `Auth` that has several, each under its `kid`; tells what is wrong with each, and prints none of it. */

import type { KeyObject } from 'node:crypto'
import {
  algorithmProblem,
  cookieProblem,
  importKey,
  isJwk,
  isSameKey,
  runtimeProblem,
  takenProblem,
} from './key-material.ts'
import type { ImportedKey, KeyInput, Report } from './key-material.ts'
import type { AuthKeys } from './key.ts'
import { algorithms, createJwsKey } from './jws.ts'
import type { Algorithm, AlgorithmEntry, JwsKey } from './jws.ts'
import { withoutPrototype } from './own.ts'
import { publicMembers, thumbprint } from './public-jwk.ts'
import { createAskingSigner } from './signer.ts'
import type { SignBytes } from './signer.ts'
import { suggestion } from './suggestion.ts'

interface RingKeyBase {
  /** The one algorithm that the key is used with. */
  readonly algorithm: Algorithm
  /** Whether the key may sign, or only verifies what it has signed. @default 'sign' where it can */
  readonly use?: 'sign' | 'verify' | undefined
  /**
   * Whether tokens without a `kid` are checked with this key: those from before there was a ring. `'sign'` makes such
   * tokens too, as long as not every process has the ring.
   *
   * @default false
   */
  readonly legacy?: boolean | 'sign' | undefined
}

/** One key of the option `keys`. A `kid` names it in the header of tokens; of an asymmetric key it is the thumbprint unless given. */
export type RingKey =
  | (RingKeyBase & {
      readonly kid: string
      readonly secretKey: KeyInput
      readonly privateKey?: undefined
      readonly publicKey?: undefined
      readonly sign?: undefined
    })
  | (RingKeyBase & {
      readonly kid?: string | undefined
      readonly privateKey: KeyInput
      readonly publicKey?: KeyInput | undefined
      readonly secretKey?: undefined
      readonly sign?: undefined
    })
  | (RingKeyBase & {
      readonly kid?: string | undefined
      readonly publicKey: KeyInput
      readonly use?: 'verify' | undefined
      readonly secretKey?: undefined
      readonly privateKey?: undefined
      readonly sign?: undefined
    })
  | (RingKeyBase & {
      readonly kid?: string | undefined
      readonly publicKey: KeyInput
      /** Asks a key service for the signature. */
      readonly sign: SignBytes
      readonly secretKey?: undefined
      readonly privateKey?: undefined
    })

/** What is decided for all keys of a ring. */
export interface RingSettings {
  readonly unsafeAllowWeakSecret: boolean
  /** How long a signer may take. */
  readonly storeTimeout: number
  /** Whether tokens have to fit into cookies. */
  readonly hasCookies: boolean
  /** Whether a secret has another purpose already. */
  readonly isTaken: (secret: KeyObject) => boolean
}

/** An entry that was read and judged by itself. */
interface Entry {
  /** What problems of it begin with. */
  readonly label: string
  readonly kid: string
  readonly algorithm: AlgorithmEntry
  readonly imported: ImportedKey
  readonly use: 'sign' | 'verify'
  readonly legacy: boolean | 'sign'
  readonly marked: JwsKey
}

/** Imports and judges a ring; `undefined` when a problem was reported. */
export function resolveRing(given: unknown, settings: RingSettings, report: Report): AuthKeys | undefined {
  let failed = false
  const note: Report = (option, problem) => {
    failed = true
    report(option, problem)
  }
  if (!Array.isArray(given) || given.length === 0) {
    note('keys', 'must be a list of keys that is not empty')
    return undefined
  }
  const read = Array.from(given, (value: unknown, index) =>
    readEntry(value, `keys[${index}]`, settings, note),
  )
  const entries = read.filter((entry) => entry !== undefined)
  checkTogether(entries, note)
  return failed ? undefined : assemble(entries)
}

const entryNames = 'kid algorithm secretKey privateKey publicKey sign use legacy'.split(' ')

function readEntry(value: unknown, place: string, settings: RingSettings, report: Report): Entry | undefined {
  if (typeof value !== 'object' || value === null) {
    report(place, 'must be an object such as { kid, algorithm, privateKey }')
    return undefined
  }
  const given = withoutPrototype(value) as Readonly<Record<string, unknown>>
  const known = kidOf(given)
  const label = isKid(known) ? `${place} (kid "${known}")` : place
  let failed = false
  const note: Report = (member, problem) => {
    failed = true
    report(`${label}: ${member}`, problem)
  }
  for (const name of Object.keys(given)) {
    if (!entryNames.includes(name)) note(name, `is no member of a key${suggestion(name, entryNames)}`)
  }
  checkMembers(given, known, note)
  const algorithm = typeof given['algorithm'] === 'string' ? algorithms.get(given['algorithm']) : undefined
  if (algorithm === undefined) {
    note('algorithm', `must be the one algorithm of this key: ${[...algorithms.keys()].join(', ')}`)
    return undefined
  }
  const missing = runtimeProblem(algorithm)
  if (missing !== null) {
    note('algorithm', missing)
    return undefined
  }
  const imported = hasMaterial(given, note) ? importKey(given, note) : undefined
  if (imported === undefined) return undefined
  const problem = algorithmProblem(algorithm, imported, settings.unsafeAllowWeakSecret)
  if (problem !== null) note(imported.option, problem)
  if (isSecret(imported) && settings.isTaken(imported.verifying)) note('secretKey', takenProblem)
  const kid = kidFor(known, imported, note)
  if (failed || kid === undefined) return undefined
  const use = useOf(given, imported)
  if (use === 'sign') checkSigner(algorithm, given, imported, settings, note)
  else if (given['legacy'] === 'sign')
    note('legacy', "cannot be 'sign' for a key that only verifies: give true, or let it sign")
  if (failed) return undefined
  const legacy = given['legacy'] === 'sign' ? 'sign' : given['legacy'] === true
  const entry = { label, kid, algorithm, imported, use, legacy } as const
  return { ...entry, marked: bindKey(entry, given['sign'], settings) }
}

function bindKey(
  { kid, algorithm, imported, use }: Omit<Entry, 'marked'>,
  ask: unknown,
  { storeTimeout }: RingSettings,
): JwsKey {
  const verify = algorithm.createVerifier(imported.verifying)
  if (use === 'verify') return createJwsKey({ algorithm, kid, verify })
  const sign =
    typeof ask === 'function'
      ? createAskingSigner(ask as SignBytes, verify, `The signer of the key "${kid}"`, storeTimeout)
      : imported.signing && algorithm.createSigner(imported.signing)
  return createJwsKey({ algorithm, kid, sign, verify })
}

/** Of the entry itself, or of the JWK in it. */
function kidOf(given: Readonly<Record<string, unknown>>): unknown {
  if (given['kid'] !== undefined) return given['kid']
  const jwks = [given['secretKey'], given['privateKey'], given['publicKey']].filter(isJwk)
  return jwks.find(({ kid }) => kid !== undefined)?.kid
}

/** It stands in the header of every token. */
function isKid(value: unknown): value is string {
  return typeof value === 'string' && /^[\x21\x23-\x5b\x5d-\x7e]{1,128}$/.test(value)
}

function checkMembers(given: Readonly<Record<string, unknown>>, kid: unknown, note: Report): void {
  const { use, legacy, sign } = given
  if (kid !== undefined && !isKid(kid))
    note('kid', 'must be a text of 1 to 128 visible ASCII characters without quotes and backslashes')
  const isUse = use === undefined || use === 'sign' || use === 'verify'
  if (!isUse) note('use', "must be 'sign' or 'verify'")
  const isLegacy = legacy === undefined || typeof legacy === 'boolean' || legacy === 'sign'
  if (!isLegacy) note('legacy', "must be true, false or 'sign'")
  if (sign !== undefined && typeof sign !== 'function')
    note('sign', 'must be a function that takes bytes and gives their signature as bytes')
}

function hasMaterial(given: Readonly<Record<string, unknown>>, note: Report): boolean {
  const { secretKey, privateKey, publicKey, sign } = given
  if (sign !== undefined) {
    if (publicKey === undefined) note('publicKey', 'is missing: signatures of sign are verified with it')
    if (secretKey !== undefined || privateKey !== undefined)
      note('sign', 'cannot stand beside secretKey or privateKey: give one of them')
    return publicKey !== undefined && secretKey === undefined && privateKey === undefined
  }
  if (secretKey !== undefined || privateKey !== undefined || publicKey !== undefined) return true
  note('it', 'holds no key: give secretKey, privateKey or publicKey, or sign with publicKey')
  return false
}

function kidFor(known: unknown, { verifying }: ImportedKey, note: Report): string | undefined {
  if (isKid(known)) return known
  if (known !== undefined) return undefined
  if (verifying.type !== 'secret') return thumbprint(verifying)
  // A thumbprint of a secret would tell those who guess it when they are right.
  note('kid', 'is missing: give a secret a name, such as the month it was made in')
  return undefined
}

function useOf(
  { use, sign }: Readonly<Record<string, unknown>>,
  { signing }: ImportedKey,
): 'sign' | 'verify' {
  if (use === 'sign' || use === 'verify') return use
  return sign !== undefined || signing !== undefined ? 'sign' : 'verify'
}

function checkSigner(
  algorithm: AlgorithmEntry,
  given: Readonly<Record<string, unknown>>,
  { signing }: ImportedKey,
  { hasCookies }: RingSettings,
  note: Report,
): void {
  if (signing === undefined && given['sign'] === undefined)
    note('use', "cannot be 'sign' with a publicKey alone: give privateKey, or leave use out")
  const problem = hasCookies ? cookieProblem(algorithm) : null
  if (problem !== null) note('algorithm', problem)
}

function checkTogether(entries: readonly Entry[], note: Report): void {
  const signers = entries.filter(({ use }) => use === 'sign')
  for (const [index, entry] of entries.entries()) {
    const earlier = entries.slice(0, index)
    if (earlier.some(({ kid }) => kid === entry.kid))
      note(`${entry.label}: kid`, 'is that of another key too: give each its own')
    const twin = earlier.find(({ imported }) => isSameKey(imported.verifying, entry.imported.verifying))
    if (twin !== undefined && twin.kid !== entry.kid)
      note(`${entry.label}: it`, `is the same key as "${twin.kid}": one key has one kid and one algorithm`)
    if (entry.legacy !== false && earlier.some(({ legacy }) => legacy !== false))
      note(
        `${entry.label}: legacy`,
        'stands at another key too: tokens without a kid are checked with one key',
      )
  }
  const [first] = signers
  for (const { label, imported } of signers) {
    if (isSecret(imported) === isSecret(first?.imported)) continue
    note(
      `${label}: it`,
      "is of another kind than the first key that signs: while you move from secrets to key pairs, or back, give one kind use: 'verify'",
    )
  }
}

function isSecret(imported: ImportedKey | undefined): boolean {
  return imported?.verifying.type === 'secret'
}

function assemble(entries: readonly Entry[]): AuthKeys {
  const signers = new Map<string, JwsKey>()
  const byEncodedHeader = new Map<string, JwsKey>()
  const legacy = entries.find((entry) => entry.legacy !== false)
  const unmarked = legacy && createJwsKey({ ...legacy.marked, kid: undefined })
  const signing = entries.filter(({ use }) => use === 'sign')
  for (const entry of signing) {
    const { algorithm, marked } = entry
    const key = entry.legacy === 'sign' && unmarked !== undefined ? unmarked : marked
    if (!signers.has(algorithm.name)) signers.set(algorithm.name, key)
  }
  for (const { marked } of entries) byEncodedHeader.set(marked.encodedHeader, marked)
  if (unmarked !== undefined) byEncodedHeader.set(unmarked.encodedHeader, unmarked)
  return {
    defaultAlgorithm: signing[0]?.algorithm.name,
    signers,
    algorithms: new Set(entries.map(({ algorithm }) => algorithm.name)),
    verifiers: new Map(unmarked === undefined ? [] : [[unmarked.algorithm.name, unmarked]]),
    byKid: new Map(entries.map(({ kid, marked }) => [kid, marked])),
    byEncodedHeader,
    jwks: () => ({
      keys: entries
        .filter(({ imported }) => !isSecret(imported))
        .map(({ kid, algorithm, imported }) => ({
          ...publicMembers(imported.verifying),
          kid,
          alg: algorithm.name,
          use: 'sig' as const,
        })),
    }),
  }
}
