/** The values of a session's tokens: equal for all who refresh the same token, and unknown to whoever reads the store. */

import { Buffer } from 'node:buffer'
import { createHash, createHmac, randomBytes } from 'node:crypto'

/** What the two tokens of one generation carry that only holders of the token before it can compute. */
export interface GenerationValues {
  readonly refresh: { readonly jti: string; readonly csrf: string }
  readonly access: { readonly jti: string; readonly csrf: string }
}

/** 128 random bits in base64url. */
export function createSalt(): string {
  return randomBytes(16).toString('base64url')
}

/**
 * A new `sid`. It begins with the first byte of the subject's hash, so that a store can keep all that belongs to one
 * subject in one partition.
 */
export function createSessionId(subject: string): string {
  return sessionId(subject, randomBytes(16))
}

/** The `sid` of a token that was issued without one: always the same, so that it is adopted only once. */
export function adoptedSessionId(subject: string, jti: string): string {
  return sessionId(
    subject,
    createHash('sha256')
      .update(joined(['adopted session', subject, jti]))
      .digest(),
  )
}

function sessionId(subject: string, bytes: Buffer): string {
  const [first = 0] = createHash('sha256').update(subject).digest()
  return uuid(Buffer.from([first, ...bytes.subarray(1, 16)]))
}

/** A token of a session, as it was presented. */
export interface PresentedToken {
  readonly sid: string
  readonly jti: string
  readonly generation: number
}

/**
 * The values of the generation that follows a presented token, or of its own where that is the generation asked for.
 *
 * The salt without the token yields nothing, nor does an old token without the salt; no signing key is involved.
 *
 * @param generation The presented one, or the one after it.
 * @see RFC 2104 (HMAC), RFC 9562 section 5.8 (UUID version 8)
 */
export function deriveGeneration(
  salt: string,
  generation: number,
  { sid, jti, generation: presented }: PresentedToken,
): GenerationValues {
  const key = Buffer.from(salt, 'base64url')
  const derive = (...parts: readonly string[]): string =>
    uuid(createHmac('sha256', key).update(joined(parts)).digest())
  const own = generation === presented ? jti : derive('refresh jti', sid, String(generation), jti)
  return {
    refresh: { jti: own, csrf: derive('refresh csrf', own) },
    access: { jti: derive('access jti', own), csrf: derive('access csrf', own) },
  }
}

/** Each part behind its length, so that no two lists give the same bytes. */
function joined(parts: readonly string[]): Buffer {
  return Buffer.concat(
    parts.flatMap((part) => {
      const bytes = Buffer.from(part)
      const length = Buffer.alloc(4)
      length.writeUInt32BE(bytes.length)
      return [length, bytes]
    }),
  )
}

/** The first 16 bytes as a UUID of version 8, which says that its bits are the maker's own. */
function uuid(bytes: Buffer): string {
  const own = Buffer.from(bytes.subarray(0, 16))
  own[6] = (own.readUInt8(6) & 0x0f) | 0x80
  own[8] = (own.readUInt8(8) & 0x3f) | 0x80
  return own.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}
