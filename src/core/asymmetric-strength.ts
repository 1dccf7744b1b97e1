/** Judges RSA, EC and Ed25519 keys: refuses those that are known to break; never prints any of them. */

import { Buffer } from 'node:buffer'
import type { KeyObject } from 'node:crypto'
import type { AlgorithmEntry } from './jws.ts'

/** An RSA-PSS key can be restricted to one hash and a least salt (RFC 4055 section 3.1). */
export function parameterProblem(
  { name, hash, saltLength = 0 }: AlgorithmEntry,
  key: KeyObject,
): string | null {
  const details = key.asymmetricKeyDetails ?? {}
  const hashes = [details.hashAlgorithm, details.mgf1HashAlgorithm]
  const isOther = hashes.some((restricted) => restricted !== undefined && restricted !== hash)
  return isOther || (details.saltLength ?? 0) > saltLength
    ? `is restricted to parameters that ${name} does not have`
    : null
}

/** What makes a key of its kind easy to break, or `null`. */
export function asymmetricProblem(key: KeyObject): string | null {
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
