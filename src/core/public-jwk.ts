/** Writes public keys as JWKs, and names them by what they are; never takes a secret, nor gives a private part away. */

import { Buffer } from 'node:buffer'
import { createHash, createPublicKey } from 'node:crypto'
import type { KeyObject } from 'node:crypto'

/** A public key as other services read it (RFC 7517 section 4). */
export interface PublicJwk {
  readonly kty: string
  readonly kid: string
  /** Absent where the key is used with several algorithms. */
  readonly alg?: string
  readonly use: 'sig'
  readonly [parameter: string]: unknown
}

/** A JSON Web Key Set (RFC 7517 section 5). */
export interface JwkSet {
  readonly keys: readonly PublicJwk[]
}

/** RFC 7638 section 3.2, RFC 8037 section 2, RFC 9964 section 6: what makes a public key, in the order of the alphabet. */
const members: Readonly<Record<string, readonly string[]>> = {
  RSA: ['e', 'kty', 'n'],
  EC: ['crv', 'kty', 'x', 'y'],
  OKP: ['crv', 'kty', 'x'],
  AKP: ['alg', 'kty', 'pub'],
}

/** The members of a public key alone, in the order of RFC 7638. */
export function publicMembers(key: KeyObject): { readonly kty: string; readonly [name: string]: string } {
  const jwk = exportable(key).export({ format: 'jwk' }) as Record<string, string>
  const kty = jwk['kty'] ?? ''
  const entries = (members[kty] ?? []).map((name) => [name, jwk[name] ?? ''] as const)
  return { ...Object.fromEntries(entries), kty }
}

/** The thumbprint of a public key: the same wherever it is computed. @see RFC 7638 section 3 */
export function thumbprint(key: KeyObject): string {
  const jwk = publicMembers(key)
  const canonical = JSON.stringify(Object.fromEntries(Object.entries(jwk).toSorted(byName)))
  return createHash('sha256').update(canonical).digest('base64url')
}

function byName([left]: [string, unknown], [right]: [string, unknown]): number {
  return left < right ? -1 : 1
}

/** JWKs do not tell RSA keys for PSS alone from others, and Node does not export those: the same numbers as a plain key. */
function exportable(key: KeyObject): KeyObject {
  if (key.asymmetricKeyType !== 'rsa-pss') return key
  return createPublicKey({
    key: innerKey(key.export({ format: 'der', type: 'spki' })),
    format: 'der',
    type: 'pkcs1',
  })
}

/** RFC 5280 section 4.1: an SPKI is a sequence of the algorithm and, in a bit string, the key itself. */
function innerKey(spki: Buffer): Buffer {
  const [outer] = contentOf(spki, 0)
  const [algorithm, algorithmLength] = contentOf(spki, outer)
  const [bits, bitsLength] = contentOf(spki, algorithm + algorithmLength)
  return spki.subarray(bits + 1, bits + bitsLength)
}

/** Where the content of a DER value starts, and how long it is. */
function contentOf(der: Buffer, at: number): readonly [start: number, length: number] {
  const first = der[at + 1] ?? 0
  if (first < 0x80) return [at + 2, first]
  const size = first & 0x7f
  return [at + 2 + size, der.readUIntBE(at + 2, size)]
}
