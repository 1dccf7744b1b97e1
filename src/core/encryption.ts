/** Wraps signed tokens as JWEs and unwraps them, so that nobody but this service reads their claims; the signature inside decides as ever. */

import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { invalidToken } from './errors.ts'
import { isCanonical, parsePart } from './jws.ts'
import type { MaybePromise } from './maybe.ts'

/** The option `encryption`, resolved. */
export interface EncryptionSettings {
  /** The first one encrypts, all decrypt. */
  readonly keys: readonly KeyObject[]
  readonly plain: 'refuse' | 'accept' | 'make'
}

/** RFC 7516 section 7.1 for `dir`: the second part is empty; the IV has 12 bytes, the tag 16. */
const jweSyntax = /^([\w-]+)\.\.[\w-]{16}\.([\w-]+)\.[\w-]{21}[AQgw]$/

/** Header parameters that a token of ours can have; `zip` above all is none. */
const knownParameters = new Set(['alg', 'enc', 'cty', 'typ', 'kid'])

/** Encrypts and decrypts the tokens of one `Auth`. */
export class Envelope {
  /** Whether new tokens are encrypted. */
  readonly seals: boolean
  readonly #acceptsPlain: boolean
  readonly #keys: ReadonlyMap<string, KeyObject>
  #jose: Promise<typeof import('jose')> | undefined

  constructor({ keys, plain }: EncryptionSettings) {
    this.seals = plain !== 'make'
    this.#acceptsPlain = plain !== 'refuse'
    this.#keys = new Map(keys.map((key) => [nameOf(key), key]))
  }

  /** @throws {TypeError} where the package jose is missing */
  async ready(): Promise<void> {
    await this.#open()
  }

  /** Encrypts a signed token. */
  async seal(token: string): Promise<string> {
    const { CompactEncrypt } = await this.#open()
    const [[kid, key] = []] = this.#keys
    if (kid === undefined || key === undefined) throw new TypeError('The option encryption holds no key')
    return new CompactEncrypt(new TextEncoder().encode(token))
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', cty: 'JWT', kid })
      .encrypt(key)
  }

  /**
   * The signed token inside of an encrypted one; nothing of it is believed yet.
   *
   * @throws {AuthError} `token_invalid`
   */
  open(token: string): MaybePromise<string> {
    const match = jweSyntax.exec(token)
    if (match === null) {
      if (this.#acceptsPlain) return token
      throw invalidToken('not_encrypted')
    }
    const [, header = '', ciphertext = ''] = match
    if (!isCanonical(ciphertext)) throw invalidToken('malformed')
    return this.#decrypt(token, this.#keyOf(header))
  }

  #keyOf(encodedHeader: string): KeyObject {
    const header = parsePart(encodedHeader)
    const isKnown = Object.keys(header).every((name) => knownParameters.has(name))
    const isOurs = isKnown && (header['cty'] === undefined || header['cty'] === 'JWT')
    if (!isOurs) throw invalidToken('header_invalid')
    if (header['alg'] !== 'dir' || header['enc'] !== 'A256GCM') throw invalidToken('alg_forbidden')
    const { kid } = header
    const key = typeof kid === 'string' ? this.#keys.get(kid) : undefined
    if (key === undefined) throw invalidToken('key_unknown')
    return key
  }

  async #decrypt(token: string, key: KeyObject): Promise<string> {
    const { compactDecrypt, errors } = await this.#open()
    try {
      const { plaintext } = await compactDecrypt(token, key, {
        keyManagementAlgorithms: ['dir'],
        contentEncryptionAlgorithms: ['A256GCM'],
      })
      return Buffer.from(plaintext).toString('latin1')
    } catch (error) {
      if (error instanceof errors.JOSEError) throw invalidToken('decryption_failed')
      throw error
    }
  }

  #open(): Promise<typeof import('jose')> {
    this.#jose ??= import('jose').catch(() => {
      throw new TypeError("The option encryption needs the package 'jose': npm install jose")
    })
    return this.#jose
  }
}

/** RFC 7638 section 3.2: of 256 random bits a hash gives nothing away. */
function nameOf(key: KeyObject): string {
  const { k } = key.export({ format: 'jwk' })
  return createHash('sha256')
    .update(JSON.stringify({ k, kty: 'oct' }))
    .digest('base64url')
}
