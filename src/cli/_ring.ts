/** Rings of keys as files: the JSON of what the option `keys` takes; makes new keys, and prints none by itself. */

import { generateKeyPairSync, randomBytes } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { algorithms } from '../core/jws.ts'
import type { Algorithm, AlgorithmEntry } from '../core/jws.ts'
import { runtimeProblem } from '../core/key-material.ts'
import type { KeyInput } from '../core/key-material.ts'
import { resolveRing } from '../core/key-ring.ts'
import { thumbprint } from '../core/public-jwk.ts'
import type { JwkSet } from '../core/public-jwk.ts'
import { misuse, unable } from './_failure.ts'
import { makeSecretText } from './_secret.ts'
import { visible } from './_visible.ts'

/** A key as it stands in the file. */
export interface RingEntry {
  readonly kid?: string
  readonly algorithm: Algorithm
  readonly use?: 'sign' | 'verify'
  readonly legacy?: boolean | 'sign'
  readonly secretKey?: KeyInput
  readonly privateKey?: KeyInput
  readonly publicKey?: KeyInput
}

/** What may be asked of a new key. */
export interface NewKey {
  readonly algorithm: string
  readonly kid: string | undefined
  /** RSA alone: bits. */
  readonly modulus: string | undefined
  /** Milliseconds since 1970; secrets are named after the day. */
  readonly now: number
}

/** Makes a key that signs. @throws {Failure} */
export function makeKey({ algorithm, kid, modulus, now }: NewKey): RingEntry {
  const entry = algorithms.get(algorithm)
  if (entry === undefined) throw misuse(`--algorithm must be one of ${[...algorithms.keys()].join(', ')}`)
  const missing = runtimeProblem(entry)
  if (missing !== null) throw unable(`The algorithm ${missing}`)
  if (kid !== undefined && !/^[\x21\x23-\x5b\x5d-\x7e]{1,128}$/.test(kid))
    throw misuse('--kid must be 1 to 128 visible ASCII characters without quotes and backslashes')
  const isRsa = entry.keyTypes.includes('rsa')
  if (modulus !== undefined && !isRsa) throw misuse('--modulus is for RS and PS algorithms')
  if (entry.minSecretBytes > 0) {
    const day = new Date(now).toISOString().slice(0, 10)
    const name = kid ?? `${day}-${randomBytes(3).toString('hex')}`
    return { kid: name, algorithm: entry.name, secretKey: makeSecretText(entry.minSecretBytes) }
  }
  const { privateKey, publicKey } = makePair(entry, readModulus(modulus))
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  return { kid: kid ?? thumbprint(publicKey), algorithm: entry.name, privateKey: pem }
}

function readModulus(text: string = '3072'): number {
  if (['2048', '3072', '4096'].includes(text)) return Number(text)
  throw misuse('--modulus must be 2048, 3072 or 4096')
}

interface Pair {
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

/** The types of Node 20 do not know all of them. */
const generate = generateKeyPairSync as unknown as (type: string, options: object) => Pair

function makePair({ keyTypes: [type = ''], curve }: AlgorithmEntry, modulusLength: number): Pair {
  return generate(type, { modulusLength, namedCurve: curve })
}

/** Reads and judges a ring. @throws {Failure} that names what is wrong, and holds nothing of a key */
export function readRing(text: string, place: string): readonly RingEntry[] {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // What the parser says quotes the text.
    throw unable(`${visible(place)} is not JSON: a ring is the list that the option keys takes`)
  }
  judgeRing(value, place)
  return value as readonly RingEntry[]
}

/** The public keys of a ring that was read; judges it again. */
export function jwksOf(entries: readonly RingEntry[], place: string): JwkSet {
  return judgeRing(entries, place).jwks()
}

function judgeRing(value: unknown, place: string): { jwks(): JwkSet } {
  const problems: string[] = []
  const settings = {
    unsafeAllowWeakSecret: false,
    storeTimeout: 1,
    // Whether tokens travel in cookies is not known here.
    hasCookies: false,
    isTaken: () => false,
  }
  const ring = resolveRing(value, settings, (option, problem) => problems.push(`${option} ${problem}`))
  if (ring !== undefined) return ring
  const lines = problems.map((problem) => `- ${visible(problem)}`)
  throw unable(`${visible(place)} is no ring of keys:\n${lines.join('\n')}`)
}

/** As it is written: one key after the other, for people to read. */
export function ringText(entries: readonly RingEntry[]): string {
  return `${JSON.stringify(entries, null, 2)}\n`
}
