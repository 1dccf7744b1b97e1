/** Asks a key service for signatures; gives out none that its own public key does not verify. */

import { Buffer } from 'node:buffer'
import { ask, unavailable } from './deadline.ts'
import type { JwsKey, Verifier } from './jws.ts'
import { chain } from './maybe.ts'

/** Signs the bytes of header and payload. RFC 7518 section 3 says how: for ES256, r and s side by side, not DER. */
export type SignBytes = (input: Uint8Array) => Uint8Array | PromiseLike<Uint8Array>

const message = 'The signing key cannot be asked at the moment'

/**
 * Makes what signs by asking; an error, no answer in time and an answer that is no signature are one refusal.
 *
 * @param name Who is asked, for the cause of the refusal.
 */
export function createAskingSigner(
  sign: SignBytes,
  verify: Verifier,
  name: string,
  timeoutSeconds: number,
): NonNullable<JwsKey['sign']> {
  return (input) =>
    chain(
      ask(() => sign(new TextEncoder().encode(input)), timeoutSeconds, name, {
        message,
        given: input.split('.'),
      }),
      (answer) => {
        const signature = answer instanceof Uint8Array ? Buffer.from(answer).toString('base64url') : ''
        if (signature !== '' && verify(input, signature)) return signature
        const what =
          answer instanceof Uint8Array
            ? 'what its publicKey does not verify'
            : 'something that is no Uint8Array'
        throw unavailable(new TypeError(`${name} answered with ${what}`), message)
      },
    )
}
