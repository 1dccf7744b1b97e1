/** Keys of every kind, made once for each test file that asks; holds no test itself. */

import { generateKeyPairSync, randomBytes } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { createAuth } from '../src/index.ts'
import type { Auth, AuthOptions, Jwk, RingKey } from '../src/index.ts'

export interface Pair {
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

export const pairs = {
  rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  otherRsa: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  shortRsa: generateKeyPairSync('rsa', { modulusLength: 1024 }),
  pss: generateKeyPairSync('rsa-pss', { modulusLength: 2048 }),
  p256: generateKeyPairSync('ec', { namedCurve: 'prime256v1' }),
  otherP256: generateKeyPairSync('ec', { namedCurve: 'prime256v1' }),
  p384: generateKeyPairSync('ec', { namedCurve: 'secp384r1' }),
  p521: generateKeyPairSync('ec', { namedCurve: 'secp521r1' }),
  secp256k1: generateKeyPairSync('ec', { namedCurve: 'secp256k1' }),
  ed25519: generateKeyPairSync('ed25519'),
  otherEd25519: generateKeyPairSync('ed25519'),
  x25519: generateKeyPairSync('x25519'),
} as const satisfies Record<string, Pair>

export const newSecret = (bytes = 64): string => randomBytes(bytes).toString('base64url')

export const privatePem = ({ privateKey }: Pair): string =>
  privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
export const publicPem = ({ publicKey }: Pair): string =>
  publicKey.export({ format: 'pem', type: 'spki' }).toString()
export const privateJwk = ({ privateKey }: Pair): Jwk => privateKey.export({ format: 'jwk' }) as Jwk
export const publicJwk = ({ publicKey }: Pair): Jwk => publicKey.export({ format: 'jwk' }) as Jwk

/** One good key for each algorithm. */
export const keyOf = {
  HS256: (): RingKey => ({ kid: 'hs256', algorithm: 'HS256', secretKey: newSecret(32) }),
  HS384: (): RingKey => ({ kid: 'hs384', algorithm: 'HS384', secretKey: newSecret(48) }),
  HS512: (): RingKey => ({ kid: 'hs512', algorithm: 'HS512', secretKey: newSecret(64) }),
  RS256: (): RingKey => ({ algorithm: 'RS256', privateKey: pairs.rsa.privateKey }),
  RS512: (): RingKey => ({ algorithm: 'RS512', privateKey: pairs.otherRsa.privateKey }),
  PS256: (): RingKey => ({ algorithm: 'PS256', privateKey: pairs.pss.privateKey }),
  ES256: (): RingKey => ({ algorithm: 'ES256', privateKey: pairs.p256.privateKey }),
  ES384: (): RingKey => ({ algorithm: 'ES384', privateKey: pairs.p384.privateKey }),
  ES512: (): RingKey => ({ algorithm: 'ES512', privateKey: pairs.p521.privateKey }),
  ES256K: (): RingKey => ({ algorithm: 'ES256K', privateKey: pairs.secp256k1.privateKey }),
  EdDSA: (): RingKey => ({ algorithm: 'EdDSA', privateKey: pairs.ed25519.privateKey }),
} as const

/** What `createAuth` says to options that it refuses. */
export function refusalOf(step: () => unknown): string {
  try {
    step()
  } catch (error) {
    if (error instanceof TypeError) return error.message
    throw error
  }
  throw new Error('it was taken')
}

/** The JOSE header of a token. */
export function headerOf(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as Record<string, unknown>
}

export function createRing(keys: readonly RingKey[], options: AuthOptions = {}): Auth {
  return createAuth({ keys, ...options })
}

/** The same key, which then only verifies. */
export const verifying = <Key extends RingKey>(key: Key): Key => ({ ...key, use: 'verify' })
