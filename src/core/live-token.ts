/** Finds what a request still carries of a sign-in, good for nothing but ending it; refuses nothing. */

import { AuthError } from './errors.ts'
import type { Exchange } from './exchange.ts'
import { findToken } from './location.ts'
import type { FoundToken, TokenLocation } from './location.ts'
import type { Claims, TokenType } from './claims.ts'

/** Servers whose clocks differ sign out each other's users: a token that is good only later is good enough to end. */
const maxAheadSeconds = 86_400

/** A token that would still open something, unless it was revoked. */
export interface LiveToken {
  readonly claims: Claims
  readonly location: FoundToken['location']
}

/** `null` for a token that is absent, ambiguous or bad in any way. */
export async function findLiveToken(
  { engine, request, trace }: Exchange,
  type: TokenType,
  locations: readonly TokenLocation[],
): Promise<LiveToken | null> {
  try {
    const found = await findToken(request, locations, engine.names[type])
    if (found === null) return null
    const { claims } = await engine.tokens.verify(found.token, maxAheadSeconds)
    if (claims.type !== type) return null
    trace.location = found.location
    trace.token = found.token
    return { claims, location: found.location }
  } catch (error) {
    if (AuthError.is(error)) return null
    throw error
  }
}
