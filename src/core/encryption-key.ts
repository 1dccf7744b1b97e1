/** Reads the option `encryption`; refuses keys of the wrong length and weak ones, and never prints any of them. */

import { Buffer } from 'node:buffer'
import { createSecretKey, KeyObject } from 'node:crypto'
import type { EncryptionSettings } from './encryption.ts'
import { isJwk } from './key-material.ts'
import type { KeyInput, Report } from './key-material.ts'
import { withoutPrototype } from './own.ts'
import { suggestion } from './suggestion.ts'

/** What the option `encryption` takes. */
export interface EncryptionOptions {
  /** 32 random bytes: as bytes, as base64url text, as an oct JWK or as a `KeyObject`. */
  readonly key: KeyInput
  /** Further keys that tokens may be encrypted with: the one before, or the one to come. @default [] */
  readonly decryptKeys?: readonly KeyInput[] | undefined
  /**
   * What to do about tokens that are signed but not encrypted: to refuse them, to accept them while there are any from
   * before, or to go on making them, as long as not every process has the key.
   *
   * @default 'refuse'
   */
  readonly plain?: 'refuse' | 'accept' | 'make' | undefined
}

const makeKey =
  '32 random bytes, as bytes or base64url: make them with `node -e "console.log(crypto.randomBytes(32).toString(\'base64url\'))"`'

const names = ['key', 'decryptKeys', 'plain']

/** Imports and judges the keys; `undefined` when a problem was reported. */
export function resolveEncryption(given: unknown, report: Report): EncryptionSettings | undefined {
  if (typeof given !== 'object' || given === null) {
    report('encryption', `must be an object such as { key }, the key being ${makeKey}`)
    return undefined
  }
  const own = withoutPrototype(given) as Readonly<Record<string, unknown>>
  let failed = false
  const note: Report = (option, problem) => {
    failed = true
    report(option, problem)
  }
  for (const name of Object.keys(own)) {
    if (!names.includes(name)) note(`encryption.${name}`, `is no option${suggestion(name, names)}`)
  }
  const { decryptKeys = [], plain = 'refuse' } = own
  if (plain !== 'refuse' && plain !== 'accept' && plain !== 'make')
    note('encryption.plain', "must be 'refuse', 'accept' or 'make'")
  if (!Array.isArray(decryptKeys)) note('encryption.decryptKeys', 'must be a list of keys')
  const further: unknown[] = Array.isArray(decryptKeys) ? Array.from(decryptKeys) : []
  const keys = [
    importEncryptionKey(own['key'], 'encryption.key', note),
    ...further.map((key, index) => importEncryptionKey(key, `encryption.decryptKeys[${index}]`, note)),
  ].filter((key) => key !== undefined)
  for (const [index, key] of keys.entries()) {
    if (keys.slice(0, index).some((earlier) => earlier.equals(key)))
      note('encryption.decryptKeys', 'holds one key twice, or key itself')
  }
  return failed ? undefined : { keys, plain: plain as EncryptionSettings['plain'] }
}

/** Whether a secret that signs is a key that encrypts, or the text of one: each needs a key of its own (RFC 8725 section 3.12). */
export function isEncryptionKey(secret: KeyObject, { keys }: EncryptionSettings): boolean {
  const bytes = secret.export()
  const text = bytes.toString('latin1')
  return keys.some((key) => key.export().equals(bytes) || key.export().equals(bytesOf(text)))
}

function importEncryptionKey(input: unknown, option: string, note: Report): KeyObject | undefined {
  const bytes = readBytes(input)
  if (bytes?.length !== 32) {
    note(option, `must be ${makeKey}`)
    return undefined
  }
  // Sixteen random bytes hold fewer than eight different values about once in 10^8 times.
  if (new Set(bytes).size < 8) {
    note(option, `repeats so few bytes that it can be guessed: it must be ${makeKey}`)
    return undefined
  }
  return createSecretKey(bytes)
}

function readBytes(input: unknown): Buffer | undefined {
  if (typeof input === 'string') return bytesOf(input)
  if (input instanceof KeyObject) return input.type === 'secret' ? input.export() : undefined
  if (input instanceof Uint8Array) return Buffer.from(input)
  if (!isJwk(input)) return undefined
  const { kty, alg, use } = input
  const isFor =
    (alg === undefined || alg === 'dir' || alg === 'A256GCM') && (use === undefined || use === 'enc')
  const octets = input['k']
  return kty === 'oct' && isFor && typeof octets === 'string' ? bytesOf(octets) : undefined
}

/** Nothing unless the text is base64 or base64url of 32 bytes. */
function bytesOf(text: string): Buffer {
  return /^[\w+/-]{43}=?$/.test(text) ? Buffer.from(text, 'base64url') : Buffer.alloc(0)
}
