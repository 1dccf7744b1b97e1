/** Judges HMAC secrets: refuses what is short, published, meant to be replaced, or a key; never prints any of it. */

import { Buffer } from 'node:buffer'
import { createPublicKey } from 'node:crypto'
import type { AlgorithmEntry } from './jws.ts'

/** What to do about a secret that is refused. */
export const makeSecret: string =
  'make one with `node -e "console.log(crypto.randomBytes(64).toString(\'base64url\'))"` and put it into the ' +
  'environment as AUTHJWT_SECRET_KEY'

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

/**
 * A key or certificate that somebody gives as a secret: what is public must not sign. Environments often hold keys in
 * base64, PEM text and all.
 */
export function isKeyMaterial(secret: Buffer): boolean {
  const text = secret.toString('latin1')
  return [secret, Buffer.from(text, 'base64'), Buffer.from(text, 'hex')].some(
    (bytes) => keyText.test(bytes.toString('latin1')) || isDer(bytes) || isJwkText(utf8.decode(bytes)),
  )
}

/** Without a byte order mark, as files begin that some editors write. */
const utf8 = new TextDecoder()

function isJwkText(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && ('kty' in value || 'keys' in value)
  } catch {
    // A secret that is no JSON is no JWK.
    return false
  }
}

/** What makes an HMAC secret easy to guess, or `null`. */
export function secretProblem(secret: Buffer, { name, minSecretBytes }: AlgorithmEntry): string | null {
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
