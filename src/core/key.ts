/** Turns key material into keys bound to algorithms, and refuses what is weak or of the wrong kind; never prints any of it. */

import { Buffer } from 'node:buffer'
import { createPrivateKey, createPublicKey, createSecretKey, KeyObject } from 'node:crypto'
import type { JsonWebKeyInput } from 'node:crypto'
import { algorithms, encodeHeader } from './jws.ts'
import type { Algorithm, AlgorithmEntry, JwsKey, JwsKeys } from './jws.ts'

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

const makeSecret =
  'make one with `node -e "console.log(crypto.randomBytes(64).toString(\'base64url\'))"` and put it into the ' +
  'environment as AUTHJWT_SECRET_KEY'

/** Imports and judges the keys; `undefined` when a problem was reported. */
export function resolveKeys(options: KeyOptions, report: Report): JwsKeys | undefined {
  let failed = false
  const note: Report = (option, problem) => {
    failed = true
    report(option, problem)
  }
  const pair = options.secretKey === undefined ? resolvePair(options, note) : resolveSecret(options, note)
  if (pair === undefined) return undefined
  const names = new Set([options.algorithm, ...options.decodeAlgorithms])
  const keys = new Map<string, JwsKey>()
  for (const name of names) {
    const algorithm = algorithms.get(name)
    if (algorithm === undefined) continue
    const problem = algorithmProblem(algorithm, pair, options.unsafeAllowWeakSecret)
    if (problem !== null) note(pair.option, problem)
    const { signing, verifying } = pair
    keys.set(name, { algorithm, ...(signing && { signing }), verifying, encodedHeader: encodeHeader(name) })
  }
  if (failed) return undefined
  const verifiers = new Map(
    [...keys].filter(([name]) => options.decodeAlgorithms.includes(name as Algorithm)),
  )
  return { defaultAlgorithm: options.algorithm, signers: keys, verifiers }
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
  secret: 'must be a non-empty string, bytes, an oct JWK or a secret KeyObject',
  private: 'must be a private key: PEM text, PKCS #8 bytes, a private JWK or a private KeyObject',
  public:
    'must be a public key and not a private one: PEM text, SPKI bytes, a public JWK or a public KeyObject',
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

/** An RSA-PSS key can be restricted to one hash and a least salt (RFC 4055 section 3.1). */
function parameterProblem({ name, hash, saltLength = 0 }: AlgorithmEntry, key: KeyObject): string | null {
  const details = key.asymmetricKeyDetails ?? {}
  const hashes = [details.hashAlgorithm, details.mgf1HashAlgorithm]
  const isOther = hashes.some((restricted) => restricted !== undefined && restricted !== hash)
  return isOther || (details.saltLength ?? 0) > saltLength
    ? `is restricted to parameters that ${name} does not have`
    : null
}

function asymmetricProblem(key: KeyObject): string | null {
  const details = key.asymmetricKeyDetails ?? {}
  if (details.modulusLength !== undefined) {
    if (details.modulusLength < 2048) return 'is an RSA key of less than 2048 bits (RFC 7518 section 3.3)'
    const exponent = details.publicExponent ?? 0n
    if (exponent < 65_537n || exponent % 2n === 0n)
      return 'is an RSA key with a public exponent that is even or below 65537'
    if (isRoca(key)) return 'is an RSA key with the ROCA weakness (CVE-2017-15361)'
  }
  if (key.asymmetricKeyType === 'ed25519' && isSmallOrder(key)) return 'is a point of small order'
  return null
}

/** Primes modulo which a ROCA modulus is always a power of 65537. */
const rocaPrimes = [11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157]

/** The public fingerprint of CVE-2017-15361. */
function isRoca(key: KeyObject): boolean {
  // Node cannot export an RSA-PSS key as a JWK; the cards with the weakness made none.
  const { n = '' } = key.asymmetricKeyType === 'rsa' ? key.export({ format: 'jwk' }) : {}
  const modulus = BigInt(`0x0${Buffer.from(n, 'base64url').toString('hex')}`)
  return rocaPrimes.every((prime) => {
    const remainder = Number(modulus % BigInt(prime))
    let power = 1
    for (let exponent = 0; exponent < prime; exponent++) {
      if (power === remainder) return true
      power = (power * 65_537) % prime
    }
    return false
  })
}

/** y-coordinates (little-endian hex, sign bit cleared) of the points of order 1, 2, 4 and 8, and their other spellings. */
const smallOrderPoints = new Set([
  '00'.repeat(32),
  `01${'00'.repeat(31)}`,
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  `ec${'ff'.repeat(30)}7f`,
  `ed${'ff'.repeat(30)}7f`,
  `ee${'ff'.repeat(30)}7f`,
])

function isSmallOrder(key: KeyObject): boolean {
  const bytes = Buffer.from(key.export({ format: 'jwk' }).x ?? '', 'base64url')
  bytes[31] = (bytes[31] ?? 0) & 0x7f
  return smallOrderPoints.has(bytes.toString('hex'))
}

/** Secrets long enough to pass that stand in documentation everywhere; shorter ones fail by their length. */
const publishedSecrets = new Set([
  'a-string-secret-at-least-256-bits-long',
  'a-valid-string-secret-that-is-at-least-512-bits-long-which-is-very-long',
  '09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7',
  'AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow',
  '404E635266556A586E3272357538782F413F4428472B4B6250645367566B5970',
  'cc7e0d44fd473002f1c42167459001140ec6389b7353f8088f4d9a95f2f596f2',
  '192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf',
  'reallyreallyreallyreallyverysafe',
])

/** What people leave in a configuration that was meant to be filled in. */
const placeholder =
  /do.?not.?use|abcdefgh|change.?(?:me|this|it|in.?prod)|replace.?(?:me|this|with)|your[\W_].{0,40}(?:secret|key)|(?:super|very|top|my|jwt|our).?secret|secret.?key|at.least.\d+.(?:bits|bytes|char)|password|example|insecure|qwerty|0123456789|1234567890/i

/** Armour anywhere, or the start of an OpenSSH key behind marks, quotes and blanks. */
const keyText = /-----BEGIN |^\W*(?:sk-)?(?:ssh|ecdsa)-/

/** A key or certificate that somebody gives as a secret: what is public must not sign. */
function isKeyMaterial(secret: Buffer): boolean {
  const text = secret.toString('latin1')
  return (
    keyText.test(text) || isDer(secret) || isDer(Buffer.from(text, 'base64')) || isJwkText(secret.toString())
  )
}

function isJwkText(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && ('kty' in value || 'keys' in value)
  } catch {
    // A secret that is no JSON is no JWK.
    return false
  }
}

function secretProblem(secret: Buffer, { name, minSecretBytes }: AlgorithmEntry): string | null {
  const text = secret.toString('latin1')
  if (secret.length < minSecretBytes) {
    return `is shorter than the ${minSecretBytes} bytes that ${name} needs (RFC 7518 section 3.2): ${makeSecret}`
  }
  if (publishedSecrets.has(text) || text === publishedBytes)
    return `is published in documentation: ${makeSecret}`
  if (placeholder.test(text)) return `looks like a placeholder: ${makeSecret}`
  // Sixteen random bytes hold fewer than eight different values about once in 10^8 times.
  if (new Set(secret).size < 8) return `repeats so few characters that it can be guessed: ${makeSecret}`
  return null
}

/** The example key of RFC 7515 appendix A.1, decoded. */
const publishedBytes = Buffer.from(
  'AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow',
  'base64url',
).toString('latin1')

function isDer(bytes: Buffer): boolean {
  return (['spki', 'pkcs1'] as const).some((type) => {
    try {
      createPublicKey({ key: bytes, format: 'der', type })
      return true
    } catch {
      return false
    }
  })
}
