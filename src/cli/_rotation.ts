/** The three steps of a rotation, each read off the ring itself: new keys stand before the one that signs, old ones behind. */

import { createPublicKey } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { importKey } from '../core/key-material.ts'
import { thumbprint } from '../core/public-jwk.ts'
import { misuse, unable } from './_failure.ts'
import type { RingEntry } from './_ring.ts'

export const stepNames = ['add', 'sign', 'drop'] as const
export type Step = (typeof stepNames)[number]

/** A ring in the middle of its life. */
export interface RingState {
  /** Keys that are to sign next; they verify already. */
  readonly incoming: readonly RingEntry[]
  readonly signing: RingEntry
  /** Everything behind the key that signs. */
  readonly behind: readonly RingEntry[]
}

/** @throws {Failure} for a ring in which nothing signs */
export function stateOf(entries: readonly RingEntry[]): RingState {
  const index = entries.findIndex((entry) => canSign(entry) && entry.use !== 'verify')
  const signing = entries[index]
  if (signing === undefined)
    throw unable('No key of this ring signs: rotate the ring of the service that makes the tokens')
  const incoming = entries.slice(0, index).filter(canSign)
  return { incoming, signing, behind: entries.slice(index + 1) }
}

/** What comes next. */
export function nextStep({ incoming, behind }: RingState): Step {
  if (incoming.length > 0) return 'sign'
  return behind.some(isOutgoing) ? 'drop' : 'add'
}

function canSign({ secretKey, privateKey }: RingEntry): boolean {
  return secretKey !== undefined || privateKey !== undefined
}

function isOutgoing(entry: RingEntry): boolean {
  return entry.use === 'verify' || !canSign(entry)
}

/** A ring after a step, and the key that the step was about. */
export interface Changed {
  readonly entries: readonly RingEntry[]
  readonly kid: string
}

/** Step 1: every server learns to verify with the key before any signs with it. */
export function addKey(entries: readonly RingEntry[], made: RingEntry): Changed {
  const kid = kidOf(made)
  if (entries.some((entry) => kidOf(entry) === kid))
    throw misuse('--kid is that of a key of the ring already')
  const { algorithm, ...material } = made
  return { entries: [{ kid, algorithm, use: 'verify', ...material }, ...entries], kid }
}

/** Step 2: the new key signs, and of the old one only what verifies is kept. */
export function letSign(entries: readonly RingEntry[]): Changed {
  const { incoming, signing } = stateOf(entries)
  const next = incoming.at(-1)
  if (next === undefined) throw unable('There is no key that could sign next: --step add makes one')
  if (signing.legacy === 'sign')
    throw unable(
      `The key "${kidOf(signing)}" still makes tokens without a kid: roll out legacy: true first (docs/keys.md)`,
    )
  const changed = entries.map((entry) => {
    if (entry === next) return withUse(entry, undefined)
    return entry === signing ? retired(entry) : entry
  })
  return { entries: changed, kid: kidOf(next) }
}

function withUse(entry: RingEntry, use: 'verify' | undefined): RingEntry {
  const { algorithm, use: _before, ...rest } = { ...entry, kid: kidOf(entry) }
  const { kid, ...material } = rest
  return { kid, algorithm, ...(use && { use }), ...material }
}

/** A secret verifies as it signs; of a pair the private key has no purpose any more. */
function retired(entry: RingEntry): RingEntry {
  if (entry.secretKey !== undefined) return withUse(entry, 'verify')
  const { privateKey: _private, publicKey: _public, ...rest } = withUse(entry, 'verify')
  return { ...rest, publicKey: publicOf(entry).export({ type: 'spki', format: 'pem' }).toString() }
}

/** Step 3: drops the oldest key that only verifies, or the one that is named. */
export function dropKey(entries: readonly RingEntry[], named: string | undefined): Changed {
  const { behind } = stateOf(entries)
  const candidates = behind.filter(isOutgoing)
  const dropped = named === undefined ? candidates.at(-1) : candidates.find((entry) => kidOf(entry) === named)
  if (dropped !== undefined)
    return { entries: entries.filter((entry) => entry !== dropped), kid: kidOf(dropped) }
  throw named === undefined
    ? unable('There is no old key to drop: --step add begins a rotation')
    : misuse('--kid names no key behind the one that signs')
}

/** The name of a key in tokens: given, of its JWK, or its thumbprint. */
export function kidOf(entry: RingEntry): string {
  if (entry.kid !== undefined) return entry.kid
  const jwks = [entry.secretKey, entry.privateKey, entry.publicKey] as readonly {
    readonly kid?: unknown
  }[]
  const named = jwks.find((key) => typeof key?.kid === 'string')
  return typeof named?.kid === 'string' ? named.kid : thumbprint(publicOf(entry))
}

function publicOf(entry: RingEntry): KeyObject {
  const imported = importKey(entry, () => undefined)
  if (imported === undefined) throw unable('A key of the ring cannot be read')
  return imported.verifying.type === 'private' ? createPublicKey(imported.verifying) : imported.verifying
}
