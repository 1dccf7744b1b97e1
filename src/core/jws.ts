/** Signs and verifies JWS compact serialisations; knows all that is to know about each algorithm. */

import { Buffer } from 'node:buffer'
import { constants } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { createEquality } from './equality.ts'
import { AuthError, invalidToken } from './errors.ts'
import { createMac } from './hmac.ts'
import { parseJsonObject } from './json.ts'
import type { JsonObject } from './json.ts'
import { chain } from './maybe.ts'
import type { MaybePromise } from './maybe.ts'
import { createTextSigner, createTextVerifier } from './signature.ts'
import type { SignatureScheme } from './signature.ts'

/** The signature algorithms that tallystick knows (RFC 7518, RFC 8037, RFC 8812, and FIPS 204 where the runtime has it). */
export type Algorithm =
  | 'HS256'
  | 'HS384'
  | 'HS512'
  | 'RS256'
  | 'RS384'
  | 'RS512'
  | 'PS256'
  | 'PS384'
  | 'PS512'
  | 'ES256'
  | 'ES384'
  | 'ES512'
  | 'ES256K'
  | 'EdDSA'
  | 'ML-DSA-44'
  | 'ML-DSA-65'
  | 'ML-DSA-87'

/** All there is to know about one `alg`; nobody below switches on its name. */
export interface AlgorithmEntry {
  readonly name: Algorithm
  /** What `KeyObject.asymmetricKeyType` must be; `secret` for HMAC. */
  readonly keyTypes: readonly string[]
  /** OpenSSL's name of the curve (ES algorithms). */
  readonly curve?: string
  /** Least length of an HMAC key: that of the hash (RFC 7518 section 3.2). */
  readonly minSecretBytes: number
  /** Node's name of the hash; absent where the algorithm brings its own. */
  readonly hash?: string
  /** PS algorithms: the length of the salt in bytes. */
  readonly saltLength?: number
  /** Length of every signature, where it is fixed. */
  readonly signatureBytes?: number
  /** A public key (SPKI) by which a runtime shows that it has the algorithm, where not every one has. */
  readonly sampleKey?: Buffer
  createSigner(key: KeyObject): Signer
  createVerifier(key: KeyObject): Verifier
}

/** Signs the ASCII text of header and payload; gives the signature in base64url. */
export type Signer = (input: string) => string

/** @param signature In base64url without stray bits. */
export type Verifier = (input: string, signature: string) => boolean

function hmac(name: Algorithm, hash: string, minSecretBytes: number): AlgorithmEntry {
  return {
    name,
    keyTypes: ['secret'],
    minSecretBytes,
    createSigner: (key) => createMac(hash, key),
    createVerifier(key) {
      const mac = createMac(hash, key)
      const isEqual = createEquality()
      return (input, signature) => isEqual(mac(input), signature)
    },
  }
}

interface AsymmetricFacts extends SignatureScheme {
  readonly keyTypes: readonly string[]
  readonly curve?: string
  readonly signatureBytes?: number
  readonly sampleKey?: Buffer
}

function asymmetric(name: Algorithm, facts: AsymmetricFacts): AlgorithmEntry {
  const { hash, parameters, signatureBytes } = facts
  return {
    name,
    keyTypes: facts.keyTypes,
    ...(facts.curve !== undefined && { curve: facts.curve }),
    ...(hash !== null && { hash }),
    ...(parameters?.saltLength !== undefined && { saltLength: parameters.saltLength }),
    ...(signatureBytes !== undefined && { signatureBytes }),
    ...(facts.sampleKey !== undefined && { sampleKey: facts.sampleKey }),
    minSecretBytes: 0,
    createSigner(key) {
      const signText = createTextSigner(facts, key)
      return (input) => signText(input).toString('base64url')
    },
    createVerifier(key) {
      const verifyText = createTextVerifier(facts, key)
      return (input, signature) => {
        const bytes = Buffer.from(signature, 'base64url')
        return (signatureBytes === undefined || bytes.length === signatureBytes) && verifyText(input, bytes)
      }
    },
  }
}

const rsa = (name: Algorithm, hash: string): AlgorithmEntry => asymmetric(name, { keyTypes: ['rsa'], hash })

/** RFC 7518 section 3.5: the salt is as long as the hash. */
const pss = (name: Algorithm, hash: string, saltLength: number): AlgorithmEntry =>
  asymmetric(name, {
    keyTypes: ['rsa', 'rsa-pss'],
    hash,
    parameters: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength },
  })

/** RFC 7518 section 3.4: the signature is r and s side by side, not DER. */
const ecdsa = (name: Algorithm, hash: string, curve: string, signatureBytes: number): AlgorithmEntry =>
  asymmetric(name, {
    keyTypes: ['ec'],
    hash,
    curve,
    signatureBytes,
    parameters: { dsaEncoding: 'ieee-p1363' },
  })

/** FIPS 204, by the object identifiers of RFC 9881; every text of the right length is a public key. */
function mlDsa(
  name: Algorithm,
  identifier: number,
  keyBytes: number,
  signatureBytes: number,
): AlgorithmEntry {
  const length = (bytes: number): string => `82${bytes.toString(16).padStart(4, '0')}`
  const object = `300b06096086480165030403${identifier.toString(16)}`
  const start = `30${length(keyBytes + 18)}${object}03${length(keyBytes + 1)}00`
  const sampleKey = Buffer.concat([Buffer.from(start, 'hex'), Buffer.alloc(keyBytes)])
  return asymmetric(name, { keyTypes: [name.toLowerCase()], hash: null, signatureBytes, sampleKey })
}

const algorithmTable: Readonly<Record<Algorithm, AlgorithmEntry>> = {
  HS256: hmac('HS256', 'sha256', 32),
  HS384: hmac('HS384', 'sha384', 48),
  HS512: hmac('HS512', 'sha512', 64),
  RS256: rsa('RS256', 'sha256'),
  RS384: rsa('RS384', 'sha384'),
  RS512: rsa('RS512', 'sha512'),
  PS256: pss('PS256', 'sha256', 32),
  PS384: pss('PS384', 'sha384', 48),
  PS512: pss('PS512', 'sha512', 64),
  ES256: ecdsa('ES256', 'sha256', 'prime256v1', 64),
  ES384: ecdsa('ES384', 'sha384', 'secp384r1', 96),
  ES512: ecdsa('ES512', 'sha512', 'secp521r1', 132),
  ES256K: ecdsa('ES256K', 'sha256', 'secp256k1', 64),
  EdDSA: asymmetric('EdDSA', { keyTypes: ['ed25519'], hash: null, signatureBytes: 64 }),
  'ML-DSA-44': mlDsa('ML-DSA-44', 0x11, 1312, 2420),
  'ML-DSA-65': mlDsa('ML-DSA-65', 0x12, 1952, 3309),
  'ML-DSA-87': mlDsa('ML-DSA-87', 0x13, 2592, 4627),
}

/** The registry as a map, so that no name (`__proto__`, `toString`) finds what is not in it. */
export const algorithms: ReadonlyMap<string, AlgorithmEntry> = new Map(Object.entries(algorithmTable))

/** One key bound to one algorithm. */
export interface JwsKey {
  readonly algorithm: AlgorithmEntry
  /** What the tokens that it signs name it by; absent where they name no key. */
  readonly kid?: string
  /** Absent where this process only verifies; a promise where a key service signs. */
  readonly sign?: (input: string) => MaybePromise<string>
  readonly verify: Verifier
  /** The protected header of the tokens it signs, and the same encoded. */
  readonly header: JsonObject
  readonly encodedHeader: string
}

/** Puts together a key of parts that were judged to fit. */
export function createJwsKey({
  algorithm,
  kid,
  sign,
  verify,
}: Pick<JwsKey, 'algorithm' | 'verify'> & {
  readonly kid?: string | undefined
  readonly sign?: JwsKey['sign'] | undefined
}): JwsKey {
  const encodedHeader = encodeHeader({ algorithm, ...(kid !== undefined && { kid }) })
  return {
    algorithm,
    ...(kid !== undefined && { kid }),
    ...(sign && { sign }),
    verify,
    header: parsePart(encodedHeader),
    encodedHeader,
  }
}

/** The keys of one `Auth`. */
export interface JwsKeys {
  /** What signs when nothing else is asked for; absent where nothing does. */
  readonly defaultAlgorithm: Algorithm | undefined
  /** By `alg`: what may sign here. */
  readonly signers: ReadonlyMap<string, JwsKey>
  /** The allow-list of what is accepted; the header of a token only picks from it. */
  readonly algorithms: ReadonlySet<string>
  /** By `alg`: what tokens that name no key are checked with. */
  readonly verifiers: ReadonlyMap<string, JwsKey>
  /** By `kid`: what tokens that name a key are checked with, and nothing else. */
  readonly byKid: ReadonlyMap<string, JwsKey>
  /** All of them by the encoded header of the tokens that are made here, which need not be read again. */
  readonly byEncodedHeader: ReadonlyMap<string, JwsKey>
}

/** A token whose signature has been verified. */
export interface VerifiedJws {
  readonly header: JsonObject
  readonly payload: JsonObject
}

/** Header parameters that name keys, change the algorithm or ask for processing we do not do: refused, never ignored. */
const forbiddenParameters = new Set(
  'jku jwk x5u x5c x5t x5t#S256 crit b64 enc zip epk apu apv p2s p2c iv tag'.split(' '),
)

/** Header parameters that a caller may not set: ours, and the forbidden ones. */
export function isReservedParameter(name: string): boolean {
  return forbiddenParameters.has(name) || name === 'alg' || name === 'typ' || name === 'kid'
}

/** Three parts of the base64url alphabet; linear, since no part can hold a dot. An unsigned token ends in its dot. */
const compactSyntax = /^[\w-]+\.[\w-]+\.[\w-]*$/

/** Longer tokens are refused unread: a browser could not keep them in a cookie anyway. */
export const maxTokenBytes = 8192

/** Every character of a well-formed token is one byte; any other is longer still, and malformed. @throws {AuthError} */
export function demandSize(token: unknown): void {
  if (typeof token === 'string' && token.length > maxTokenBytes) throw new AuthError('token_too_large')
}

/**
 * Verifies a compact JWS and parses it: header, key, signature, and only then the payload.
 *
 * @throws {AuthError} `token_invalid`, the reason as its cause
 * @see RFC 7515 section 5.2, RFC 8725 sections 3.1 and 3.2
 */
export function verifyJws(token: string, keys: JwsKeys): VerifiedJws {
  if (!compactSyntax.test(token)) throw invalidToken('malformed')
  const headerEnd = token.indexOf('.')
  const payloadEnd = token.lastIndexOf('.')
  const { header, key } = readHeader(token.slice(0, headerEnd), keys)
  const signature = token.slice(payloadEnd + 1)
  if (!isCanonical(signature)) throw invalidToken('malformed')
  if (signature === '' || !key.verify(token.slice(0, payloadEnd), signature)) {
    throw invalidToken('signature_invalid')
  }
  return { header, payload: parsePart(token.slice(headerEnd + 1, payloadEnd)) }
}

function readHeader(encoded: string, keys: JwsKeys): { readonly header: JsonObject; readonly key: JwsKey } {
  const known = keys.byEncodedHeader.get(encoded)
  if (known !== undefined) return { header: known.header, key: known }
  const header = parsePart(encoded)
  return { header, key: findKey(header, keys) }
}

function findKey(header: JsonObject, keys: JwsKeys): JwsKey {
  for (const name of Object.keys(header)) {
    if (forbiddenParameters.has(name)) throw invalidToken('header_invalid')
  }
  const { alg, kid } = header
  if (typeof alg !== 'string' || !keys.algorithms.has(alg)) throw invalidToken('alg_forbidden')
  const isNamed = Object.hasOwn(header, 'kid')
  const named = typeof kid === 'string' ? keys.byKid.get(kid) : undefined
  const key = isNamed ? named : keys.verifiers.get(alg)
  // There is no trial of all keys, and none that a header could bring about.
  if (key === undefined) throw invalidToken('key_unknown')
  if (key.algorithm.name !== alg) throw invalidToken('alg_forbidden')
  return key
}

/**
 * Signs a payload.
 *
 * @param headers Further header parameters, already copied and checked.
 */
export function signJws(payload: JsonObject, key: JwsKey, headers?: JsonObject): MaybePromise<string> {
  if (key.sign === undefined) {
    throw new TypeError('This Auth has no private key and can only verify: set privateKey to make tokens')
  }
  const header = headers === undefined ? key.encodedHeader : encodeHeader(key, headers)
  const input = `${header}.${encodePart(payload)}`
  return chain(key.sign(input), (signature) => `${input}.${signature}`)
}

/** The protected header of RFC 7519 section 5.1, then the caller's parameters. */
function encodeHeader({ algorithm, kid }: Pick<JwsKey, 'algorithm' | 'kid'>, headers?: JsonObject): string {
  return encodePart({ alg: algorithm.name, typ: 'JWT', ...(kid !== undefined && { kid }), ...headers })
}

function encodePart(value: JsonObject): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

/**
 * Reads one part of a token without verifying anything.
 *
 * @throws {AuthError} `token_invalid`
 */
export function parsePart(part: string): JsonObject {
  const value = isCanonical(part) ? parseJsonObject(Buffer.from(part, 'base64url')) : null
  if (value === null) throw invalidToken('malformed')
  return value
}

/** What the last character can be, by how many characters stand in the last group of four; one alone is no byte. */
const lastCharacters: readonly (RegExp | null)[] = [/^/, null, /[AQgw]$/, /[AEIMQUYcgkosw048]$/]

/** Whether base64url text is the only one for its bytes: the bits to spare in its end are zero (RFC 4648 section 3.5). */
export function isCanonical(text: string): boolean {
  return lastCharacters[text.length % 4]?.test(text) ?? false
}

/** Splits a token whose signature nobody has looked at. @throws {AuthError} `token_invalid` · `token_too_large` */
export function parseUnverified(token: unknown): VerifiedJws {
  demandSize(token)
  if (typeof token !== 'string' || !compactSyntax.test(token)) throw invalidToken('malformed')
  const [header = '', payload = ''] = token.split('.')
  return { header: parsePart(header), payload: parsePart(payload) }
}
