/** HMAC of short ASCII texts, in two calls of the hash where Node has one that needs no stream object. */

import { Buffer } from 'node:buffer'
import * as nodeCrypto from 'node:crypto'
import type { KeyObject } from 'node:crypto'

/** Gives the MAC of an ASCII text in base64url. */
export type Mac = (input: string) => string

/** FIPS 180-4, section 1: the bytes that a hash takes in at a time, and those that it gives. */
const hashes: Readonly<Record<string, { readonly blockBytes: number; readonly digestBytes: number }>> = {
  sha256: { blockBytes: 64, digestBytes: 32 },
  sha384: { blockBytes: 128, digestBytes: 48 },
  sha512: { blockBytes: 128, digestBytes: 64 },
}

/** Longer texts are rare, and get memory of their own. */
const reusedBytes = 8192

/**
 * Makes the MAC of one key.
 *
 * `crypto.hash` came with Node 20.12, and not every runtime that has `node:crypto` has it.
 *
 * @param hash Node's name of it.
 */
export function createMac(hash: string, key: KeyObject): Mac {
  if (typeof nodeCrypto.hash === 'function' && Object.hasOwn(hashes, hash)) return createTwoHashMac(hash, key)
  return (input) => nodeCrypto.createHmac(hash, key).update(input, 'latin1').digest('base64url')
}

/**
 * RFC 2104 section 2: H(key ⊕ opad ‖ H(key ⊕ ipad ‖ text)), the key filled up with zeros to the length of a block.
 *
 * Texts are written behind the padded keys, into memory that is used again and again: nothing here waits, so no two
 * calls ever meet.
 */
function createTwoHashMac(hash: string, key: KeyObject): Mac {
  const { blockBytes = 0, digestBytes = 0 } = hashes[hash] ?? {}
  const exported = key.export()
  const secret = exported.length > blockBytes ? nodeCrypto.hash(hash, exported, 'buffer') : exported
  const inner = Buffer.alloc(blockBytes + reusedBytes)
  const outer = Buffer.alloc(blockBytes + digestBytes)
  for (let index = 0; index < blockBytes; index++) {
    const byte = secret[index] ?? 0
    inner[index] = byte ^ 0x36
    outer[index] = byte ^ 0x5c
  }
  exported.fill(0)
  secret.fill(0)
  return (input) => {
    const message =
      input.length <= reusedBytes
        ? inner.subarray(0, blockBytes + inner.write(input, blockBytes, 'latin1'))
        : Buffer.concat([inner.subarray(0, blockBytes), Buffer.from(input, 'latin1')])
    outer.write(nodeCrypto.hash(hash, message, 'binary'), blockBytes, 'binary')
    return nodeCrypto.hash(hash, outer, 'base64url')
  }
}
