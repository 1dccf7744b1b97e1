/** Keys made anew for each run, in all forms, and another library's tokens; and options that no runtime may take. */

import { constants, createPublicKey, generateKeyPairSync, randomBytes, sign, verify } from 'node:crypto'
import type { KeyObject, SignKeyObjectInput } from 'node:crypto'
import { jwtVerify, SignJWT } from 'jose'
import type { Algorithm, AuthOptions, Jwk } from 'tallystick'
import { secretKey } from '../_setup.ts'
import { rocaModulus } from '../attacks-token-forge.ts'
import type { KeyMaterial, SelfTestTask } from './_self-test.ts'

type Key = Uint8Array | KeyObject

const secret = (bytes: number) => (): Key => Buffer.from(randomBytes(bytes).toString('base64url'))
const rsa = (): KeyObject => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
const onCurve = (namedCurve: string) => (): KeyObject => generateKeyPairSync('ec', { namedCurve }).privateKey
const ed25519 = (): KeyObject => generateKeyPairSync('ed25519').privateKey

const pssAlone = (): KeyObject => generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).privateKey

/** What is tried: each algorithm, and a kind of key that not every runtime knows. */
export type Kind = Exclude<Algorithm, `ML-DSA-${string}`> | 'PS256 by a key for PSS alone'

const makers: Readonly<Record<Kind, () => Key>> = {
  HS256: secret(32),
  HS384: secret(48),
  HS512: secret(64),
  RS256: rsa,
  RS384: rsa,
  RS512: rsa,
  PS256: rsa,
  PS384: rsa,
  PS512: rsa,
  'PS256 by a key for PSS alone': pssAlone,
  ES256: onCurve('prime256v1'),
  ES384: onCurve('secp384r1'),
  ES512: onCurve('secp521r1'),
  ES256K: onCurve('secp256k1'),
  EdDSA: ed25519,
}

export const kinds = Object.keys(makers) as readonly Kind[]

/** A task for a runtime, and what another library says to the token that it gives. */
export interface ForeignTask {
  readonly task: SelfTestTask
  readonly subjectOf: (token: string) => Promise<unknown>
}

export async function createTask(kind: Kind): Promise<ForeignTask> {
  const algorithm = kind === 'PS256 by a key for PSS alone' ? 'PS256' : kind
  const key = makers[kind]()
  const task = {
    algorithm,
    key: materialOf(key),
    otherKey: materialOf(makers[kind]()),
    foreignToken: await signElsewhere(algorithm, key, 3600),
    expiredToken: await signElsewhere(algorithm, key, -60),
    missignedTokens: missign(algorithm, key),
  }
  return { task, subjectOf: (token) => verifyElsewhere(algorithm, key, token) }
}

function materialOf(key: Key): KeyMaterial {
  if (key instanceof Uint8Array) return { secret: Buffer.from(key).toString() }
  const publicKey = createPublicKey(key)
  return {
    privatePem: key.export({ format: 'pem', type: 'pkcs8' }).toString(),
    publicPem: publicKey.export({ format: 'pem', type: 'spki' }).toString(),
    ...(key.asymmetricKeyType !== 'rsa-pss' && {
      privateJwk: key.export({ format: 'jwk' }) as Jwk,
      publicJwk: publicKey.export({ format: 'jwk' }) as Jwk,
    }),
    privateDer: key.export({ format: 'der', type: 'pkcs8' }).toString('base64'),
    publicDer: publicKey.export({ format: 'der', type: 'spki' }).toString('base64'),
  }
}

function foreignClaims(secondsLeft: number): Record<string, string | number | boolean> {
  const now = Math.floor(Date.now() / 1000)
  return {
    sub: 'foreign',
    iat: now - 120,
    nbf: now - 120,
    exp: now + secondsLeft,
    jti: crypto.randomUUID(),
    type: 'access',
    fresh: false,
    csrf: crypto.randomUUID(),
  }
}

function unsigned(algorithm: Algorithm, claims: object): string {
  const parts = [{ alg: algorithm }, claims]
  return parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
}

async function signElsewhere(algorithm: Algorithm, key: Key, secondsLeft: number): Promise<string> {
  const claims = foreignClaims(secondsLeft)
  const parameters = beyondJose(algorithm, key)
  if (parameters === null) return new SignJWT(claims).setProtectedHeader({ alg: algorithm }).sign(key)
  const input = unsigned(algorithm, claims)
  let signature = sign('sha256', Buffer.from(input), parameters)
  // Half of all signatures on secp256k1 are of a form that not everybody verifies: it is that one which is tried.
  const isWanted = (): boolean => algorithm !== 'ES256K' || (signature[32] ?? 0) >= 0x80
  while (!isWanted()) signature = sign('sha256', Buffer.from(input), parameters)
  return `${input}.${signature.toString('base64url')}`
}

async function verifyElsewhere(algorithm: Algorithm, key: Key, token: string): Promise<unknown> {
  const verifying = key instanceof Uint8Array ? key : createPublicKey(key)
  const parameters = beyondJose(algorithm, verifying)
  if (parameters === null) return (await jwtVerify(token, verifying, { algorithms: [algorithm] })).payload.sub
  const [header = '', payload = '', signature = ''] = token.split('.')
  const bytes = Buffer.from(signature, 'base64url')
  if (!verify('sha256', Buffer.from(`${header}.${payload}`), parameters, bytes))
    throw new Error('Node refuses the signature')
  return (JSON.parse(Buffer.from(payload, 'base64url').toString()) as { readonly sub: unknown }).sub
}

/** jose knows neither ES256K nor keys for PSS alone: there Node's own crypto stands in for it. */
function beyondJose(algorithm: Algorithm, key: Key): SignKeyObjectInput | null {
  if (key instanceof Uint8Array) return null
  if (algorithm === 'ES256K') return { key, dsaEncoding: 'ieee-p1363' }
  return key.asymmetricKeyType === 'rsa-pss' ? { key, ...pssPadding(32) } : null
}

function pssPadding(saltLength: number): { readonly padding: number; readonly saltLength: number } {
  return { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength }
}

/** The other padding of RSA, another length of salt, and DER where r and s stand side by side. */
function missign(algorithm: Algorithm, key: Key): readonly string[] {
  if (key instanceof Uint8Array || algorithm === 'EdDSA') return []
  const hash = `sha${/\d{3}/.exec(algorithm)?.[0] ?? ''}`
  const input = unsigned(algorithm, foreignClaims(3600))
  const byKind = {
    RS: [pssPadding(32)],
    PS: [
      pssPadding(20),
      ...(key.asymmetricKeyType === 'rsa' ? [{ padding: constants.RSA_PKCS1_PADDING }] : []),
    ],
    ES: [{ dsaEncoding: 'der' as const }],
  }
  return byKind[algorithm.slice(0, 2) as 'RS' | 'PS' | 'ES'].map((parameters) => {
    const signature = sign(hash, Buffer.from(input), { key, ...parameters })
    return `${input}.${signature.toString('base64url')}`
  })
}

/** Options that are refused at start-up wherever it is, and what is said then; all can travel as JSON. */
export const refusedOptions: readonly (readonly [what: string, options: AuthOptions, says: RegExp])[] = [
  ['no key', {}, /secretKey is missing/],
  ['a short secret', { secretKey: 'short' }, /shorter than the 32 bytes/],
  ['a published secret', { secretKey: 'a-string-secret-at-least-256-bits-long' }, /published/],
  ['an unknown option', { secretKey, cookieSecured: true } as AuthOptions, /cookieSecure\b/],
  ['a public key as a secret', { secretKey: publicPem(rsa()) }, /is a key or certificate/],
  ['a public key in DER as a secret', { secretKey: publicDer(rsa()) }, /is a key or certificate/],
  ['an RSA key of 1024 bits', signingOnly('RS256', shortRsa()), /less than 2048 bits/],
  ['an RSA key of 1024 bits for PSS', signingOnly('PS256', shortRsa()), /less than 2048 bits/],
  ['an RSA key with the exponent 3', signingOnly('RS256', weakRsa()), /public exponent/],
  ['an RSA key with the ROCA weakness', verifyingOnly('RS256', rocaJwk()), /ROCA/],
  [
    'a key of another curve',
    signingOnly('ES256', onCurve('secp384r1')()),
    /not on the curve that ES256 needs/,
  ],
  [
    'a key of the other 256 bit curve',
    signingOnly('ES256', onCurve('secp256k1')()),
    /not on the curve|that this runtime can read/,
  ],
  ['an RSA key for ECDSA', signingOnly('ES256', rsa()), /wrong kind for ES256/],
  ['an EC key for RSA', signingOnly('RS256', onCurve('prime256v1')()), /wrong kind for RS256/],
  ['an EC key for EdDSA', signingOnly('EdDSA', onCurve('prime256v1')()), /wrong kind for EdDSA/],
  ['an X25519 key for EdDSA', signingOnly('EdDSA', x25519()), /wrong kind for EdDSA/],
  ['a point of small order', verifyingOnly('EdDSA', smallOrderJwk()), /small order/],
  [
    'a private key as the public one',
    { publicKey: privatePem(rsa()), algorithm: 'RS256' },
    /not a private one/,
  ],
  ['two keys that are no pair', strangers(), /does not belong to privateKey/],
  [
    'half a PEM',
    { privateKey: privatePem(rsa()).slice(0, 200), algorithm: 'RS256' },
    /must be a private key/,
  ],
]

function signingOnly(algorithm: Algorithm, key: KeyObject): AuthOptions {
  return { privateKey: privatePem(key), algorithm }
}

function verifyingOnly(algorithm: Algorithm, publicKey: Jwk): AuthOptions {
  return { publicKey, algorithm }
}

function strangers(): AuthOptions {
  return { privateKey: privatePem(rsa()), publicKey: publicPem(rsa()), algorithm: 'RS256' }
}

function privatePem(key: KeyObject): string {
  return key.export({ format: 'pem', type: 'pkcs8' }).toString()
}

function publicPem(key: KeyObject): string {
  return createPublicKey(key).export({ format: 'pem', type: 'spki' }).toString()
}

function publicDer(key: KeyObject): string {
  return createPublicKey(key).export({ format: 'der', type: 'spki' }).toString('base64')
}

function shortRsa(): KeyObject {
  return generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey
}

function weakRsa(): KeyObject {
  return generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 }).privateKey
}

function x25519(): KeyObject {
  return generateKeyPairSync('x25519').privateKey
}

function rocaJwk(): Jwk {
  return { kty: 'RSA', n: rocaModulus(2048), e: 'AQAB' }
}

function smallOrderJwk(): Jwk {
  return { kty: 'OKP', crv: 'Ed25519', x: Buffer.alloc(32).toString('base64url') }
}
