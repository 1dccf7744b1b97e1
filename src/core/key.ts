/** Turns key material into keys bound to algorithms, and refuses what is of the wrong kind; never prints any of it. */

import { Buffer } from 'node:buffer'
import { createPrivateKey, createPublicKey, createSecretKey, getCurves, KeyObject } from 'node:crypto'
import type { JsonWebKeyInput } from 'node:crypto'
import { asymmetricProblem, parameterProblem } from './asymmetric-strength.ts'
import { algorithms, createJwsKey } from './jws.ts'
import type { Algorithm, AlgorithmEntry, JwsKey, JwsKeys } from './jws.ts'
import { isKeyMaterial, makeSecret, secretProblem } from './secret-strength.ts'

/** A JSON Web Key (RFC 7517), as an object. */
export interface Jwk {
  readonly kty: string
  readonly alg?: string | undefined
  readonly use?: string | undefined
  readonly key_ops?: readonly string[] | undefined
  readonly [parameter: string]: unknown
}

/** A secret as text or bytes, a PEM text, DER bytes, a JWK or a `KeyObject`. */
export type KeyInput = string | Uint8Array | Jwk | KeyObject

/** The options that keys are made of. */
export interface KeyOptions {
  readonly secretKey?: KeyInput | undefined
  readonly privateKey?: KeyInput | undefined
  readonly publicKey?: KeyInput | undefined
  readonly algorithm: Algorithm
  readonly decodeAlgorithms: readonly Algorithm[]
  readonly unsafeAllowWeakSecret: boolean
}

/** Takes note of one problem of an option; reading goes on, so that all are told at once. */
export type Report = (option: string, problem: string) => void

/** Imports and judges the keys; `undefined` when a problem was reported. */
export function resolveKeys(options: KeyOptions, report: Report): JwsKeys | undefined {
  let failed = false
  const note: Report = (option, problem) => {
    failed = true
    report(option, problem)
  }
  const names = new Set([options.algorithm, ...options.decodeAlgorithms])
  for (const name of names) {
    const curve = algorithms.get(name)?.curve
    if (curve !== undefined && !getCurves().includes(curve))
      note('algorithm', `cannot be ${name} on this runtime, whose node:crypto lacks the curve ${curve}`)
  }
  // No key for it could be read either, which would be told as the fault of the key.
  if (failed) return undefined
  const pair = options.secretKey === undefined ? resolvePair(options, note) : resolveSecret(options, note)
  if (pair === undefined) return undefined
  const keys = new Map<string, JwsKey>()
  for (const name of names) {
    const algorithm = algorithms.get(name)
    if (algorithm === undefined) continue
    const problem = algorithmProblem(algorithm, pair, options.unsafeAllowWeakSecret)
    if (problem !== null) note(pair.option, problem)
    else keys.set(name, createJwsKey(algorithm, pair.signing, pair.verifying))
  }
  if (failed) return undefined
  const verifiers = new Map(
    [...keys].filter(([name]) => options.decodeAlgorithms.includes(name as Algorithm)),
  )
  const byEncodedHeader = new Map([...verifiers.values()].map((key) => [key.encodedHeader, key]))
  return { defaultAlgorithm: options.algorithm, signers: keys, verifiers, byEncodedHeader }
}

/** Key material of one kind, before it is bound to an algorithm. */
interface ImportedPair {
  readonly option: string
  readonly signing?: KeyObject
  readonly verifying: KeyObject
  /** The `alg` of each JWK that it came from. */
  readonly boundTo: readonly string[]
}

function resolveSecret(options: KeyOptions, report: Report): ImportedPair | undefined {
  if (options.privateKey !== undefined || options.publicKey !== undefined) {
    report('secretKey', 'cannot stand beside privateKey or publicKey: give one kind of key')
    return undefined
  }
  const key = importKey('secret', options.secretKey, report)
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

function resolvePair(options: KeyOptions, report: Report): ImportedPair | undefined {
  const { privateKey, publicKey } = options
  if (privateKey === undefined && publicKey === undefined) {
    report('secretKey', `is missing: ${makeSecret}, or give privateKey and publicKey`)
    return undefined
  }
  const signing = privateKey === undefined ? undefined : importKey('private', privateKey, report)
  const given = publicKey === undefined ? undefined : importKey('public', publicKey, report)
  if (privateKey !== undefined && signing === undefined) return undefined
  if (publicKey !== undefined && given === undefined) return undefined
  const derived = signing && createPublicKey(signing)
  if (derived !== undefined && given !== undefined && !derived.equals(given)) {
    report('publicKey', 'does not belong to privateKey')
    return undefined
  }
  const verifying = given ?? derived
  if (verifying === undefined) return undefined
  const option = publicKey === undefined ? 'privateKey' : 'publicKey'
  const boundTo = [...boundAlgorithms(privateKey), ...boundAlgorithms(publicKey)]
  return { option, ...(signing && { signing }), verifying, boundTo }
}

type KeyRole = 'secret' | 'private' | 'public'

function importKey(role: KeyRole, input: unknown, report: Report): KeyObject | undefined {
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

function isJwk(input: unknown): input is Jwk {
  return typeof input === 'object' && input !== null && Object.hasOwn(input, 'kty')
}

/** RFC 7517 sections 4.2 and 4.3: a key says what it is for. */
function jwkProblem(jwk: Jwk, role: KeyRole): string | null {
  if (jwk.use !== undefined && jwk.use !== 'sig') return 'is a JWK whose "use" is not "sig"'
  const operation = role === 'public' ? 'verify' : 'sign'
  if (jwk.key_ops !== undefined && !(Array.isArray(jwk.key_ops) && jwk.key_ops.includes(operation))) {
    return `is a JWK whose "key_ops" lack "${operation}"`
  }
  return null
}

function boundAlgorithms(input: KeyInput | undefined): string[] {
  return isJwk(input) && input.alg !== undefined ? [input.alg] : []
}

function algorithmProblem(algorithm: AlgorithmEntry, pair: ImportedPair, allowWeak: boolean): string | null {
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
