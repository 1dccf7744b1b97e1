/** Signs and verifies texts with asymmetric keys, by those ways of `node:crypto` that a runtime has right. */

import { Buffer } from 'node:buffer'
import { createPublicKey, createSign, createVerify, sign, verify } from 'node:crypto'
import type { KeyObject } from 'node:crypto'

/** What a signature is made with besides the key. */
export interface SignatureScheme {
  /** Node's name of it; `null` where the key's kind brings its own. */
  readonly hash: string | null
  readonly parameters?: {
    readonly padding?: number
    readonly saltLength?: number
    readonly dsaEncoding?: 'ieee-p1363'
  }
}

/** Makes what signs an ASCII text. */
export function createTextSigner(
  { hash, parameters }: SignatureScheme,
  key: KeyObject,
): (input: string) => Buffer {
  if (hash === null || parameters === undefined)
    return (input) => sign(hash, Buffer.from(input, 'latin1'), key)
  if (takesKeyObjects(hash, createPublicKey(key), parameters)) {
    const argument = { key, ...parameters }
    return (input) => sign(hash, Buffer.from(input, 'latin1'), argument)
  }
  const argument = { key: key.export({ format: 'pem', type: 'pkcs8' }), ...parameters }
  return (input) => createSign(hash).update(input, 'latin1').sign(argument)
}

/** Makes what verifies the signature of an ASCII text. */
export function createTextVerifier(
  { hash, parameters }: SignatureScheme,
  key: KeyObject,
): (input: string, signature: Buffer) => boolean {
  if (hash === null || parameters === undefined)
    return (input, signature) => verify(hash, Buffer.from(input, 'latin1'), key, signature)
  if (takesKeyObjects(hash, key, parameters)) {
    const argument = { key, ...parameters }
    if (key.asymmetricKeyDetails?.namedCurve !== 'secp256k1')
      return (input, signature) => verify(hash, Buffer.from(input, 'latin1'), argument, signature)
    return (input, signature) => verify(hash, Buffer.from(input, 'latin1'), argument, lowForm(signature))
  }
  const argument = { key: key.export({ format: 'pem', type: 'spki' }), ...parameters }
  return (input, signature) => createVerify(hash).update(input, 'latin1').verify(argument, signature)
}

/**
 * Whether a `KeyObject` can stand beside parameters. In workerd it cannot, nor does its `sign` look at `padding`; its
 * `createSign` does, and takes the text of a key.
 */
function takesKeyObjects(
  hash: string,
  key: KeyObject,
  parameters: NonNullable<SignatureScheme['parameters']>,
): boolean {
  try {
    verify(hash, Buffer.alloc(0), { key, ...parameters }, Buffer.alloc(0))
    return true
  } catch {
    return false
  }
}

/** How many points the group of secp256k1 has (SEC 2 section 2.4.1). */
const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n

/**
 * The same signature with the lesser of the two values that its second half can have: on secp256k1 Deno verifies no
 * other, and most libraries make either (RFC 8812 asks for none).
 */
function lowForm(signature: Buffer): Buffer {
  const second = BigInt(`0x${signature.toString('hex', 32)}`)
  if (second <= order / 2n || second >= order) return signature
  const lesser = (order - second).toString(16).padStart(64, '0')
  return Buffer.concat([signature.subarray(0, 32), Buffer.from(lesser, 'hex')])
}
