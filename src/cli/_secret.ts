/** The command `secret`: makes HMAC secrets and encryption keys, and prints nothing but them. */

import { Buffer } from 'node:buffer'
import { randomBytes } from 'node:crypto'
import { algorithms } from '../core/jws.ts'
import { secretProblem } from '../core/secret-strength.ts'
import type { Command } from './_command.ts'
import { misuse } from './_failure.ts'

/** Enough for every algorithm. */
const defaultBytes = 64

/** RFC 7518 section 5.3: the key of `encryption`. */
const encryptionAlgorithm = 'A256GCM'
const encryptionBytes = 32

export const secretCommand: Command = {
  name: 'secret',
  summary: 'Makes a strong secret, as a line for an .env file',
  about: [
    'Without --algorithm it is 64 random bytes, which every HMAC algorithm takes.',
    'Put it away at once: tallystick secret >> .env',
  ],
  operands: [],
  options: {
    algorithm: {
      value: 'NAME',
      about: 'HS256, HS384 or HS512: as many random bytes as its hash has; A256GCM: a key for encryption',
    },
    name: { value: 'VARIABLE', about: 'the name before the =' },
  },
  secrets: 'it makes a secret, and takes none.',
  async run(call) {
    const algorithm = call.text('algorithm')
    const bytes = algorithm === undefined ? defaultBytes : bytesFor(algorithm)
    const fallback = algorithm === encryptionAlgorithm ? 'ENCRYPTION_KEY' : 'AUTHJWT_SECRET_KEY'
    const name = call.text('name') ?? fallback
    if (!/^[A-Za-z_]\w{0,63}$/.test(name))
      throw misuse('--name must be the name of a variable: letters, digits and _')
    const value = makeSecretText(bytes)
    call.terminal.print({ name, ...(algorithm && { algorithm }), bytes, value }, `${name}=${value}`)
    return 0
  },
}

function bytesFor(name: string): number {
  if (name === encryptionAlgorithm) return encryptionBytes
  const entry = algorithms.get(name)
  if (entry !== undefined && entry.minSecretBytes > 0) return entry.minSecretBytes
  throw misuse(
    entry === undefined
      ? '--algorithm must be HS256, HS384, HS512 or A256GCM'
      : `${name} signs with a key pair, not with a secret: use tallystick keys generate`,
  )
}

/** Random bytes in base64url; one in ten million would hold what looks like a placeholder, and be refused later. */
export function makeSecretText(bytes: number): string {
  const text = randomBytes(bytes).toString('base64url')
  const entry = algorithms.get('HS256')
  const isFine = entry === undefined || secretProblem(Buffer.from(text), entry) === null
  return isFine ? text : makeSecretText(bytes)
}
