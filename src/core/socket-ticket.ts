/** Tickets: how a page whose token is in an HttpOnly cookie shows its open sockets that the sign-in goes on. */

import type { JsonObject } from './json.ts'
import type { Engine } from './engine.ts'
import type { MaybePromise } from './maybe.ts'
import type { VerifiedToken } from './token.ts'

/** By this no guard takes a ticket for a token (RFC 8725 section 3.11). */
const ticketType = 'ticket+jwt'

/** Signs the claims of an access token as a ticket, without what would make it one. @throws {TypeError} for others */
export function createTicket({ tokens }: Engine, { claims, payload }: VerifiedToken): MaybePromise<string> {
  if (claims.type !== 'access') throw new TypeError('createSocketTicket() needs jwtRequired() before it')
  const kept = Object.entries(payload).filter(([name]) => name !== 'csrf' && name !== 'fresh')
  const ticket: JsonObject = { ...Object.fromEntries(kept), type: 'ticket' }
  return tokens.signFor(ticketType, ticket)
}

/** The access token that a verified ticket stands for; what is no ticket stays what it is. */
export function redeemTicket(verified: VerifiedToken): VerifiedToken {
  const { header, claims, payload } = verified
  if (header['typ'] !== ticketType || payload['type'] !== 'ticket') return verified
  return { header: { ...header, typ: 'JWT' }, claims: Object.freeze({ ...claims, type: 'access' }), payload }
}
