/** What has to be revoked so that tokens are accepted no more, and for how long that has to be remembered. */

import type { Claims } from './claims.ts'
import type { Revocation, RevokeTarget } from './store.ts'
import { adoptedSessionId } from './generation.ts'

/** The resolved options on which lifetimes depend, in seconds. */
export interface LifetimeOptions {
  readonly accessTokenExpires: number | false
  readonly sessionExpires: number
  readonly adoptStatelessTokens: boolean
  readonly clock: () => number
}

/** The greatest `decodeLeeway` that any process may have. */
const longestLeewaySeconds = 300
/** As much as clocks may differ. */
const clockDifferenceSeconds = 60
/** For how long beyond its `exp` a token may be accepted somewhere. */
const marginSeconds = longestLeewaySeconds + clockDifferenceSeconds

/** How long an access token that is made now can be accepted anywhere. */
export function accessLifetimeMilliseconds({ accessTokenExpires }: LifetimeOptions): number {
  // Never `false` here, which would be 0: `checkStoreOptions` refuses that with a store.
  return (Number(accessTokenExpires) + marginSeconds) * 1000
}

/** For how long after its `iat` a token that belongs to no session can be accepted or adopted at most. */
export function statelessLifetimeSeconds(options: LifetimeOptions): number {
  // An access token's life is never `false` here, as above.
  return options.adoptStatelessTokens ? options.sessionExpires : Number(options.accessTokenExpires)
}

/** One session of a subject, or of whomever it belongs to. */
export function sessionTarget(
  sid: string,
  subject: string | undefined,
  options: LifetimeOptions,
): RevokeTarget {
  return { kind: 'session', sid, subject, accessLifetime: accessLifetimeMilliseconds(options) }
}

/** All sessions of a subject but one, and its tokens that belong to none. */
export function subjectTarget(
  subject: string,
  except: string | undefined,
  options: LifetimeOptions,
): RevokeTarget {
  const tokenLifetime = (statelessLifetimeSeconds(options) + marginSeconds) * 1000
  return {
    kind: 'subject',
    subject,
    except,
    accessLifetime: accessLifetimeMilliseconds(options),
    tokenLifetime,
  }
}

/** One token; of a refresh token, the session that it belongs to or would be adopted into. */
export function tokenTargets(claims: Claims, options: LifetimeOptions): readonly RevokeTarget[] {
  const { sub, jti, sid, iat, exp, type, auth_time: authTime } = claims
  const begunSeconds = authTime ?? iat ?? options.clock()
  // Guards take no token beyond the end of its sign-in, so an `exp` far away needs no entry for as long.
  const endSeconds = Math.min(exp ?? Infinity, begunSeconds + options.sessionExpires)
  const until = Math.ceil(endSeconds + marginSeconds) * 1000
  const token = { kind: 'token', jti, subject: sub, until } as const
  if (type === 'access') return [token]
  // The token first: then it cannot be adopted after its session was looked for.
  if (sid === undefined) return [token, sessionTarget(adoptedSessionId(sub, jti), sub, options)]
  return [sessionTarget(sid, sub, options)]
}

/** What ends when the holder of a token signs out. */
export function signOutTargets(claims: Claims, options: LifetimeOptions): readonly RevokeTarget[] {
  const { sub, sid } = claims
  return sid === undefined ? tokenTargets(claims, options) : [sessionTarget(sid, sub, options)]
}

/** What a process refuses while the store cannot be told: for as long as anything of it could be accepted. */
export function refusalOf(target: RevokeTarget, options: LifetimeOptions): Revocation {
  const until = Math.ceil(options.clock() + options.sessionExpires + marginSeconds) * 1000
  if (target.kind === 'session') return { kind: 'session', id: target.sid, cutSeconds: null, until }
  if (target.kind === 'token') return { kind: 'token', id: target.jti, cutSeconds: null, until }
  return { kind: 'subject', id: target.subject, cutSeconds: Math.floor(options.clock()), until }
}
