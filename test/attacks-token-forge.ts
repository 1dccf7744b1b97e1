/** Keys and forgers for the attack table, written without the library; every key is made once and protects nothing. */

import {
  constants,
  createHash,
  createHmac,
  createPublicKey,
  generateKeyPairSync,
  privateEncrypt,
  sign,
} from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { encode, goodClaims, secretKey } from './_setup.ts'
import type { Algorithm as AnyAlgorithm, AuthOptions, Jwk } from '../src/index.ts'

/** What no answer, header, event or message may ever hold. */
export const markers = {
  subject: 'subject-marker-4711',
  note: 'claim-marker-0815',
  csrf: String(goodClaims()['csrf']),
  jti: String(goodClaims()['jti']),
}

/** Good claims whose values can be told from anything else. */
export function claims(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return goodClaims({ sub: markers.subject, note: markers.note, ...changes })
}

const ecPair = (namedCurve: string): KeyObject => generateKeyPairSync('ec', { namedCurve }).privateKey

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey

/** One private key of each kind. */
export const privateKeys = {
  rsa,
  'P-256': ecPair('prime256v1'),
  'P-384': ecPair('secp384r1'),
  'P-521': ecPair('secp521r1'),
  secp256k1: ecPair('secp256k1'),
  ed25519: generateKeyPairSync('ed25519').privateKey,
}

/** Keys of the same kinds that no `Auth` of these tests trusts. */
export const strangersKeys = {
  rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
  'P-256': ecPair('prime256v1'),
  'P-384': ecPair('secp384r1'),
  'P-521': ecPair('secp521r1'),
  secp256k1: ecPair('secp256k1'),
  ed25519: generateKeyPairSync('ed25519').privateKey,
}

type KeyName = keyof typeof privateKeys

interface Family {
  readonly key: KeyName | null
  readonly hash: string | null
  /** Padding, salt and encoding, as RFC 7518 has them. */
  readonly parameters?: {
    readonly padding?: number
    readonly saltLength?: number
    readonly dsaEncoding?: 'ieee-p1363'
  }
}

const pss = (hash: string, saltLength: number): Family => ({
  key: 'rsa',
  hash,
  parameters: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength },
})
const ecdsa = (key: KeyName, hash: string): Family => ({
  key,
  hash,
  parameters: { dsaEncoding: 'ieee-p1363' },
})

/** Those that every runtime has; `ml-dsa.test.ts` has the others. */
export type Algorithm = Exclude<AnyAlgorithm, `ML-DSA-${string}`>

const families: Readonly<Record<Algorithm, Family>> = {
  HS256: { key: null, hash: 'sha256' },
  HS384: { key: null, hash: 'sha384' },
  HS512: { key: null, hash: 'sha512' },
  RS256: { key: 'rsa', hash: 'sha256' },
  RS384: { key: 'rsa', hash: 'sha384' },
  RS512: { key: 'rsa', hash: 'sha512' },
  PS256: pss('sha256', 32),
  PS384: pss('sha384', 48),
  PS512: pss('sha512', 64),
  ES256: ecdsa('P-256', 'sha256'),
  ES384: ecdsa('P-384', 'sha384'),
  ES512: ecdsa('P-521', 'sha512'),
  ES256K: ecdsa('secp256k1', 'sha256'),
  EdDSA: { key: 'ed25519', hash: null },
}

/** Every algorithm, in the order of the families. */
export const allAlgorithms = Object.keys(families) as readonly Algorithm[]
export const asymmetricAlgorithms = allAlgorithms.filter((name) => !name.startsWith('HS'))
export const ecdsaAlgorithms = ['ES256', 'ES384', 'ES512', 'ES256K'] as const

/** The options of an `Auth` that signs and takes exactly this algorithm. */
export function optionsFor(algorithm: Algorithm): AuthOptions {
  const { key } = families[algorithm]
  return key === null ? { algorithm, secretKey } : { algorithm, privateKey: privateKeys[key] }
}

/** The options of an `Auth` that can only verify. */
export function verifierFor(algorithm: Algorithm): AuthOptions {
  const { key } = families[algorithm]
  return key === null ? { algorithm, secretKey } : { algorithm, publicKey: publicPem(key) }
}

/** Signs what stands before the signature. */
export function signatureOf(
  algorithm: Algorithm,
  input: string,
  keys: typeof privateKeys = privateKeys,
): Buffer {
  const { key, hash, parameters } = families[algorithm]
  if (key === null) return hmacOf(input, secretKey, hash ?? '')
  return sign(hash, Buffer.from(input), { key: keys[key], ...parameters })
}

/** A token with any header and payload, rightly signed with the key of the algorithm. */
export function signWith(
  algorithm: Algorithm,
  header: unknown,
  payload: unknown,
  keys = privateKeys,
): string {
  const input = `${encode(header)}.${encode(payload)}`
  return `${input}.${signatureOf(algorithm, input, keys).toString('base64url')}`
}

/** A good token of the algorithm. */
export function goodToken(algorithm: Algorithm = 'HS256', changes: Record<string, unknown> = {}): string {
  return signWith(algorithm, { alg: algorithm, typ: 'JWT' }, claims(changes))
}

/** A good token with something done to its signature. */
export function withSignature(
  algorithm: Algorithm,
  change: (signature: Buffer, input: string) => Uint8Array,
): string {
  const token = goodToken(algorithm)
  const dot = token.lastIndexOf('.')
  const input = token.slice(0, dot)
  const signature = Buffer.from(token.slice(dot + 1), 'base64url')
  return `${input}.${Buffer.from(change(signature, input)).toString('base64url')}`
}

function hmacOf(input: string, key: string | Uint8Array, hash = 'sha256'): Buffer {
  return createHmac(hash, key).update(input).digest()
}

/** A token that claims HMAC and is signed with whatever bytes the attacker has. */
export function signedWithBytes(header: unknown, key: string | Uint8Array, hash = 'sha256'): string {
  const input = `${encode(header)}.${encode(claims())}`
  return `${input}.${hmacOf(input, key, hash).toString('base64url')}`
}

export const publicKeys: Readonly<Record<KeyName, KeyObject>> = {
  rsa: createPublicKey(privateKeys.rsa),
  'P-256': createPublicKey(privateKeys['P-256']),
  'P-384': createPublicKey(privateKeys['P-384']),
  'P-521': createPublicKey(privateKeys['P-521']),
  secp256k1: createPublicKey(privateKeys.secp256k1),
  ed25519: createPublicKey(privateKeys.ed25519),
}

export const allKeyNames = Object.keys(publicKeys) as readonly KeyName[]

export function publicPem(key: KeyName): string {
  return String(publicKeys[key].export({ type: 'spki', format: 'pem' }))
}

export function privatePem(key: KeyName): string {
  return String(privateKeys[key].export({ type: 'pkcs8', format: 'pem' }))
}

export function publicDer(key: KeyName): Buffer {
  return publicKeys[key].export({ type: 'spki', format: 'der' })
}

export function publicJwk(key: KeyName): Jwk {
  return publicKeys[key].export({ format: 'jwk' }) as Jwk
}

export function privateJwk(key: KeyName): Jwk {
  return privateKeys[key].export({ format: 'jwk' }) as Jwk
}

const sshString = (value: string | Uint8Array): Buffer => {
  const bytes = Buffer.from(value)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}

/** The one line that `ssh-keygen` writes (RFC 4253 section 6.6, RFC 5656, RFC 8709). */
function sshLine(key: 'rsa' | 'P-256' | 'ed25519'): string {
  const { n = '', e = '', x = '', y = '' } = publicJwk(key) as Record<string, string>
  const bytes = (text: string): Buffer => Buffer.from(text, 'base64url')
  const blobs = {
    rsa: ['ssh-rsa', bytes(e), Buffer.concat([Buffer.of(0), bytes(n)])],
    'P-256': ['ecdsa-sha2-nistp256', 'nistp256', Buffer.concat([Buffer.of(4), bytes(x), bytes(y)])],
    ed25519: ['ssh-ed25519', bytes(x)],
  } as const
  const blob = Buffer.concat(blobs[key].map((part) => sshString(part)))
  return `${blobs[key][0]} ${blob.toString('base64')} somebody@somewhere`
}

/** The ways in which a public key lies around as text, all of which an attacker may try as an HMAC secret. */
export function spellingsOfPublicKey(key: 'rsa' | 'P-256' | 'ed25519'): Record<string, string | Buffer> {
  const pem = publicPem(key)
  const der = publicDer(key)
  return {
    PEM: pem,
    'PEM after a line feed': `\n${pem}`,
    'PEM after a space': ` ${pem}`,
    'PEM after a tab': `\t${pem}`,
    'PEM with CRLF': pem.replaceAll('\n', '\r\n'),
    'PEM without the last line feed': pem.trimEnd(),
    'PEM on one line, as in .env files': pem.replaceAll('\n', '\\n'),
    'PEM as bytes': Buffer.from(pem),
    DER: der,
    'JWK text': JSON.stringify(publicJwk(key)),
    'JWK text, indented': JSON.stringify(publicJwk(key), null, 2),
    'SSH line': sshLine(key),
    'PEM after a byte order mark': `\u{feff}${pem}`,
    'PEM in quotes': `"${pem}"`,
    'PEM after a comment': `# our key\n${pem}`,
    'Base64 of the DER without armour': der.toString('base64'),
  }
}

/** The orders of the groups, by algorithm. */
const orders: Readonly<Record<(typeof ecdsaAlgorithms)[number], bigint>> = {
  ES256: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  ES384: BigInt(
    '0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973',
  ),
  ES512: BigInt(`0x01${'ff'.repeat(32)}fa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409`),
  ES256K: 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n,
}

const toInteger = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).toString('hex')}`)

const toBytes = (value: bigint, length: number): Buffer =>
  Buffer.from(value.toString(16).padStart(length * 2, '0'), 'hex')

/** The two integers of a raw ECDSA signature, changed. */
export function withRS(
  algorithm: (typeof ecdsaAlgorithms)[number],
  change: (r: bigint, s: bigint, order: bigint) => readonly [bigint, bigint],
): string {
  return withSignature(algorithm, (signature) => {
    const half = signature.length / 2
    const [r, s] = change(
      toInteger(signature.subarray(0, half)),
      toInteger(signature.subarray(half)),
      orders[algorithm],
    )
    return Buffer.concat([toBytes(r, half), toBytes(s, half)])
  })
}

/** (r, n - s): the other signature that any bystander can make of one. */
export function malleated(algorithm: (typeof ecdsaAlgorithms)[number]): string {
  return withRS(algorithm, (r, s, order) => [r, order - s])
}

/** The signature as DER, as OpenSSL writes it by itself. */
export function derSignature(algorithm: (typeof ecdsaAlgorithms)[number]): string {
  const { key, hash } = families[algorithm]
  return withSignature(algorithm, (_, input) => sign(hash, Buffer.from(input), privateKeys[key ?? 'rsa']))
}

/** The same Ed25519 signature with S + L in place of S (RFC 8032 section 8.4). */
export function malleatedEdDSA(): string {
  const order = 2n ** 252n + 27742317777372353535851937790883648493n
  return withSignature('EdDSA', (signature) => {
    const s = toInteger(signature.subarray(32).toReversed())
    return Buffer.concat([signature.subarray(0, 32), toBytes(s + order, 32).toReversed()])
  })
}

const digestInfos = {
  sha256: '3031300d060960864801650304020105000420',
  /** Without the NULL that RFC 8017 wants. */
  'sha256 without parameters': '302f300b06096086480165030402010420',
  sha1: '3021300906052b0e03021a05000414',
}

/** An RS256 token over a padded block of the attacker's making, raised to the private exponent as it is. */
export function withPaddedBlock(
  build: (digest: Buffer, block: (info: Uint8Array, tail?: Uint8Array) => Buffer) => Buffer,
): string {
  return withSignature('RS256', (_, input) => {
    const digest = createHash('sha256').update(input).digest()
    const block = (info: Uint8Array, tail: Uint8Array = Buffer.alloc(0)): Buffer => {
      const padding = Buffer.alloc(256 - 3 - info.length - tail.length, 0xff)
      return Buffer.concat([Buffer.of(0, 1), padding, Buffer.of(0), info, tail])
    }
    return privateEncrypt({ key: privateKeys.rsa, padding: constants.RSA_NO_PADDING }, build(digest, block))
  })
}

export function digestInfo(name: keyof typeof digestInfos, digest: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(digestInfos[name], 'hex'), digest])
}

/** A PS256 token with another salt or mask than the algorithm has. */
export function withSalt(saltLength: number): string {
  return withSignature('PS256', (_, input) =>
    sign('sha256', Buffer.from(input), {
      key: privateKeys.rsa,
      padding: constants.RSA_PKCS1_PSS_PADDING,
      saltLength,
    }),
  )
}

const fingerprintPrimes = [11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157]

/** A modulus that is 65537 modulo every prime of the ROCA fingerprint: what the broken generator makes. */
export function rocaModulus(bits: number): string {
  const product = fingerprintPrimes.reduce((all, prime) => all * BigInt(prime), 2n)
  const floor = (1n << BigInt(bits - 1)) + (1n << BigInt(bits - 2))
  const modulus = (floor / product) * product + 65_537n
  return toBytes(modulus, bits / 8).toString('base64url')
}
