/** Reads key material and judges whether it fits an algorithm; refuses what is of the wrong kind, and never prints any of it. */

import { Buffer } from 'node:buffer'
import { createPrivateKey, createPublicKey, createSecretKey, getCurves, KeyObject } from 'node:crypto'
import type { JsonWebKeyInput } from 'node:crypto'
import { asymmetricProblem, parameterProblem } from './asymmetric-strength.ts'
import type { AlgorithmEntry } from './jws.ts'
import { isKeyMaterial, makeSecret, secretProblem } from './secret-strength.ts'

/** A JSON Web Key (RFC 7517), as an object. */
export interface Jwk {
  readonly kty: string
  readonly alg?: string | undefined
  readonly use?: string | undefined
  readonly kid?: string | undefined
  readonly key_ops?: readonly string[] | undefined
  readonly [parameter: string]: unknown
}

/** A secret as text or bytes, a PEM text, DER bytes, a JWK or a `KeyObject`. */
export type KeyInput = string | Uint8Array | Jwk | KeyObject

/** A secret, or a private key, its public one, or both. */
export interface KeyMaterial {
  readonly secretKey?: KeyInput | undefined
  readonly privateKey?: KeyInput | undefined
  readonly publicKey?: KeyInput | undefined
}

/** Takes note of one problem of an option; reading goes on, so that all are told at once. */
export type Report = (option: string, problem: string) => void

/** What this runtime lacks for an algorithm, or `null`. */
export function runtimeProblem({ name, curve, sampleKey }: AlgorithmEntry): string | null {
  if (curve !== undefined && !getCurves().includes(curve))
    return `cannot be ${name} on this runtime, whose node:crypto lacks the curve ${curve}`
  try {
    if (sampleKey !== undefined) createPublicKey({ key: sampleKey, format: 'der', type: 'spki' })
    return null
  } catch {
    return `cannot be ${name} on this runtime, whose node:crypto lacks it (Node has it from 24.6 on)`
  }
}

/** What browsers keep of a cookie, in bytes of a signature: the rest of the token needs some too. */
const mostSignatureBytes = 2600

/** Why tokens of an algorithm cannot travel in cookies, or `null`. */
export function cookieProblem({ name, signatureBytes = 0 }: AlgorithmEntry): string | null {
  return signatureBytes > mostSignatureBytes
    ? `cannot be ${name}, whose signatures no cookie can carry: use ML-DSA-44, or leave 'cookies' out of tokenLocation`
    : null
}

/** RFC 8725 section 3.12. */
export const takenProblem = 'is the key of encryption too: one key, one purpose'

/** Key material of one kind, before it is bound to an algorithm. */
export interface ImportedKey {
  /** The member of the material that a fault is told of. */
  readonly option: string
  readonly signing?: KeyObject
  readonly verifying: KeyObject
  /** The `alg` of each JWK that it came from. */
  readonly boundTo: readonly string[]
}

/** Imports key material; `undefined` when a problem was reported. */
export function importKey(material: KeyMaterial, report: Report): ImportedKey | undefined {
  return material.secretKey === undefined ? importPair(material, report) : importSecret(material, report)
}

function importSecret(options: KeyMaterial, report: Report): ImportedKey | undefined {
  if (options.privateKey !== undefined || options.publicKey !== undefined) {
    report('secretKey', 'cannot stand beside privateKey or publicKey: give one kind of key')
    return undefined
  }
  const key = importRole('secret', options.secretKey, report)
  if (key === undefined) return undefined
  const secret = key.export()
  if (isKeyMaterial(secret)) {
    report(
      'secretKey',
      'is a key or certificate, not a secret: use privateKey and publicKey with an asymmetric algorithm',
    )
    return undefined
  }
  return { option: 'secretKey', signing: key, verifying: key, boundTo: boundAlgorithms(options.secretKey) }
}

function importPair(options: KeyMaterial, report: Report): ImportedKey | undefined {
  const { privateKey, publicKey } = options
  if (privateKey === undefined && publicKey === undefined) {
    report('secretKey', `is missing: ${makeSecret}, or give privateKey and publicKey`)
    return undefined
  }
  const signing = privateKey === undefined ? undefined : importRole('private', privateKey, report)
  const given = publicKey === undefined ? undefined : importRole('public', publicKey, report)
  if (privateKey !== undefined && signing === undefined) return undefined
  if (publicKey !== undefined && given === undefined) return undefined
  const derived = signing && createPublicKey(signing)
  if (derived !== undefined && given !== undefined && !isSameKey(derived, given)) {
    report('publicKey', 'does not belong to privateKey')
    return undefined
  }
  const verifying = given ?? derived
  if (verifying === undefined) return undefined
  const option = publicKey === undefined ? 'privateKey' : 'publicKey'
  const boundTo = [...boundAlgorithms(privateKey), ...boundAlgorithms(publicKey)]
  return { option, ...(signing && { signing }), verifying, boundTo }
}

/**
 * Whether two keys are one. Keys of two kinds are not even compared: Node leaves the error of OpenSSL behind, and tells
 * it of the next key that is read.
 */
export function isSameKey(left: KeyObject, right: KeyObject): boolean {
  const isOneKind =
    left.type === right.type &&
    left.asymmetricKeyType === right.asymmetricKeyType &&
    left.asymmetricKeyDetails?.namedCurve === right.asymmetricKeyDetails?.namedCurve
  return isOneKind && left.equals(right)
}

type KeyRole = 'secret' | 'private' | 'public'

function importRole(role: KeyRole, input: unknown, report: Report): KeyObject | undefined {
  const option = `${role}Key`
  const problem = isJwk(input) ? jwkProblem(input, role) : null
  if (problem !== null) {
    report(option, problem)
    return undefined
  }
  try {
    const key = input instanceof KeyObject ? input : importMaterial(role, input)
    if (key?.type === role && key.symmetricKeySize !== 0) return key
  } catch {
    // What the parser says may quote the key.
  }
  report(option, expectation[role])
  return undefined
}

const expectation: Readonly<Record<KeyRole, string>> = {
  secret: `must be a non-empty string, bytes, an oct JWK or a secret KeyObject: ${makeSecret}`,
  private:
    'must be a private key that this runtime can read: PEM text, PKCS #8 bytes, a private JWK or a private KeyObject',
  public:
    'must be a public key that this runtime can read, and not a private one: PEM text, SPKI bytes, a public JWK or a public KeyObject',
}

function importMaterial(role: KeyRole, input: unknown): KeyObject | undefined {
  if (role === 'secret') {
    if (isJwk(input)) return importOctets(input)
    if (typeof input === 'string') return createSecretKey(input, 'utf8')
    return input instanceof Uint8Array ? createSecretKey(Buffer.from(input)) : undefined
  }
  const source = keySource(input)
  if (role === 'private') return importPrivate(source)
  // `createPublicKey` would quietly derive one from a private key, which has no business in this option.
  if (isPrivate(source)) return undefined
  return createPublicKey(Buffer.isBuffer(source) ? { key: source, format: 'der', type: 'spki' } : source)
}

function importOctets(jwk: Jwk): KeyObject | undefined {
  const octets = jwk['k']
  return jwk.kty === 'oct' && typeof octets === 'string' ? createSecretKey(octets, 'base64url') : undefined
}

/** PEM text, a JWK, or DER bytes. */
type KeySource = string | JsonWebKeyInput | Buffer

function keySource(input: unknown): KeySource {
  if (isJwk(input)) return { key: { ...input }, format: 'jwk' }
  if (!(input instanceof Uint8Array)) return String(input)
  const bytes = Buffer.from(input)
  return bytes.subarray(0, 64).includes('-----BEGIN') ? bytes.toString('latin1') : bytes
}

function importPrivate(source: KeySource): KeyObject {
  return createPrivateKey(Buffer.isBuffer(source) ? { key: source, format: 'der', type: 'pkcs8' } : source)
}

function isPrivate(source: KeySource): boolean {
  try {
    importPrivate(source)
    return true
  } catch {
    // Then it is a public key, or none at all, which the caller finds out.
    return false
  }
}

/** Tells a JWK from other material. */
export function isJwk(input: unknown): input is Jwk {
  return typeof input === 'object' && input !== null && Object.hasOwn(input, 'kty')
}

/** RFC 7518 sections 6.2.2, 6.3.2 and 6.4, RFC 9964 section 3. */
const privateMembers = 'd p q dp dq qi oth k priv'.split(' ')

/** RFC 7517 sections 4.2 and 4.3: a key says what it is for. */
function jwkProblem(jwk: Jwk, role: KeyRole): string | null {
  if (jwk.use !== undefined && jwk.use !== 'sig') return 'is a JWK whose "use" is not "sig"'
  // Node takes no notice of those that make no whole private key: RFC 7518 section 6.3.2 lets all but `d` be left out.
  if (role === 'public' && privateMembers.some((name) => Object.hasOwn(jwk, name))) return expectation.public
  const operation = role === 'public' ? 'verify' : 'sign'
  if (jwk.key_ops !== undefined && !(Array.isArray(jwk.key_ops) && jwk.key_ops.includes(operation))) {
    return `is a JWK whose "key_ops" lack "${operation}"`
  }
  return null
}

function boundAlgorithms(input: KeyInput | undefined): string[] {
  return isJwk(input) && input.alg !== undefined ? [input.alg] : []
}

/** Why a key must not be used with an algorithm, or `null`. */
export function algorithmProblem(
  algorithm: AlgorithmEntry,
  pair: ImportedKey,
  allowWeak: boolean,
): string | null {
  const { name } = algorithm
  const key = pair.verifying
  const stranger = pair.boundTo.find((bound) => bound !== name)
  if (stranger !== undefined)
    return `is a JWK made for another algorithm than ${name}: one key, one algorithm`
  if (!algorithm.keyTypes.includes(key.asymmetricKeyType ?? 'secret')) {
    return `is of the wrong kind for ${name}: set algorithm (and decodeAlgorithms) to one that fits the key`
  }
  if (key.type === 'secret') {
    return allowWeak ? null : secretProblem(key.export(), algorithm)
  }
  if (algorithm.curve !== undefined && key.asymmetricKeyDetails?.namedCurve !== algorithm.curve) {
    return `is not on the curve that ${name} needs (${algorithm.curve})`
  }
  return parameterProblem(algorithm, key) ?? asymmetricProblem(key)
}
