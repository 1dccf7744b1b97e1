/** The steps of a store whose rows can be read and written at once; its caller makes each of them atomic. */

import { isBeforeBirth, isCut, judge } from '../core/store.ts'
import type {
  CreateOptions,
  NewSession,
  Revocation,
  RevokeTarget,
  RotateResult,
  Rotation,
  Session,
  TokenFacts,
} from '../core/store.ts'

/** Where sessions and entries lie. */
export interface Rows {
  readonly bornAt: number
  /** Tokens from before are not adopted: a session that they had may have been forgotten. */
  readonly adoptsSince: number
  session(sid: string): Session | null
  /** Those of a subject that nobody has ended: however many were, a step must not become slower by them. */
  sessionsOf(subject: string): readonly Session[]
  put(session: Session): void
  entry(kind: Revocation['kind'], id: string): Revocation | null
  /** Puts an entry at the end of the feed; there is only one for each kind and id. */
  publish(entry: Revocation): void
}

export function create(
  rows: Rows,
  now: number,
  created: NewSession,
  { replaces, limit = Infinity }: CreateOptions = {},
): { readonly session: Session; readonly revoked: readonly Revocation[] } {
  const known = rows.session(created.id)
  if (known !== null) return { session: known, revoked: [] }
  const session = begin(created, now)
  const others = live(rows, created.subject, now)
  const byIdleness = others
    .filter(({ id }) => id !== replaces)
    .toSorted((left, right) => left.lastSeenAt - right.lastSeenAt)
  const ending = [
    ...others.filter(({ id }) => id === replaces),
    ...byIdleness.slice(0, Math.max(0, byIdleness.length + 1 - limit)),
  ]
  const revoked = ending.map((other) => end(rows, other, now, created.accessLifetime))
  rows.put(session)
  return { session, revoked }
}

function begin({ id, subject, salt, metadata, ...rest }: NewSession, now: number): Session {
  return {
    id,
    subject,
    generation: 0,
    salt,
    issuedAtSeconds: rest.issuedAtSeconds,
    authTimeSeconds: rest.authTimeSeconds,
    createdAt: now,
    lastSeenAt: now,
    rotatedAt: null,
    accessUntil: accessUntilOf(now, rest),
    idleExpiresAt: now + rest.idleLifetime,
    expiresAt: rest.expiresAt,
    revokedAt: null,
    metadata,
  }
}

/** Tokens may be dated ahead, by a process whose clock is. */
function accessUntilOf(
  now: number,
  { issuedAtSeconds, accessLifetime }: Pick<NewSession, 'issuedAtSeconds' | 'accessLifetime'>,
): number {
  return Math.max(now, issuedAtSeconds * 1000) + accessLifetime
}

export function rotate(rows: Rows, now: number, rotation: Rotation): RotateResult {
  const { successor, accessLifetime } = rotation
  const stored = rows.session(rotation.sid)
  const adopted = stored === null ? adopt(rows, now, rotation) : null
  if (typeof adopted === 'string') return { outcome: adopted, session: null, revoked: [], now }
  const session = stored ?? adopted
  const outcome = judge(session, rotation, now)
  if (session === null || outcome === 'unknown') return { outcome, session: null, revoked: [], now }
  if (successor === null) return { outcome, session, revoked: [], now }
  if (outcome === 'rotated') {
    const rotated: Session = {
      ...session,
      generation: rotation.generation + 1,
      salt: successor.salt,
      issuedAtSeconds: successor.issuedAtSeconds,
      lastSeenAt: now,
      rotatedAt: now,
      accessUntil: Math.max(session.accessUntil, accessUntilOf(now, { ...successor, accessLifetime })),
      idleExpiresAt: now + successor.idleLifetime,
    }
    rows.put(rotated)
    return { outcome, session: rotated, revoked: [], now }
  }
  const revoked = outcome === 'reused' ? [end(rows, session, now, accessLifetime)] : []
  return { outcome, session: rows.session(session.id), revoked, now }
}

/** The session of a token that has none yet, or why it gets none. */
function adopt(
  rows: Rows,
  now: number,
  { sid, subject, accessLifetime, adoption, successor }: Rotation,
): Session | 'revoked' | 'expired' | null {
  if (adoption === null) return null
  const { jti, issuedAtSeconds, expiresAt } = adoption
  if (issuedAtSeconds * 1000 < rows.adoptsSince) return 'revoked'
  if (isRevoked(rows, now, { subject, jti, issuedAtSeconds })) return 'revoked'
  if (expiresAt <= now) return 'expired'
  const idleLifetime = successor?.idleLifetime ?? expiresAt - now
  return begin({ id: sid, subject, salt: '', accessLifetime, idleLifetime, ...adoption }, now)
}

export function list(rows: Rows, now: number, subject: string): readonly Session[] {
  return live(rows, subject, now).toSorted((left, right) => right.createdAt - left.createdAt)
}

function live(rows: Rows, subject: string, now: number): Session[] {
  return rows.sessionsOf(subject).filter((one) => one.idleExpiresAt > now && one.expiresAt > now)
}

export function revoke(rows: Rows, now: number, target: RevokeTarget): readonly Revocation[] {
  if (target.kind === 'token') {
    return [publish(rows, { kind: 'token', id: target.jti, cutSeconds: null, until: target.until })]
  }
  if (target.kind === 'session') {
    const session = rows.session(target.sid)
    const isMeant = session !== null && (target.subject ?? session.subject) === session.subject
    return isMeant ? [end(rows, session, now, target.accessLifetime)] : []
  }
  const cutSeconds = Math.floor(now / 1000)
  const sessions = rows.sessionsOf(target.subject).filter(({ id }) => id !== target.except)
  return [
    publish(rows, { kind: 'subject', id: target.subject, cutSeconds, until: now + target.tokenLifetime }),
    ...sessions.map((session) => end(rows, session, now, target.accessLifetime)),
  ]
}

/** Ends a session; one that has ended keeps its time of death, and its entry. */
function end(rows: Rows, session: Session, now: number, accessLifetime: number): Revocation {
  const known = rows.entry('session', session.id)
  if (session.revokedAt !== null && known !== null) return known
  const accessUntil = Math.max(session.accessUntil, now + accessLifetime)
  rows.put({ ...session, accessUntil, revokedAt: session.revokedAt ?? now })
  return publish(rows, { kind: 'session', id: session.id, cutSeconds: null, until: accessUntil })
}

/** Ends and cuts only ever move ahead. */
function publish(rows: Rows, entry: Revocation): Revocation {
  const known = rows.entry(entry.kind, entry.id)
  const merged = known === null ? entry : merge(known, entry)
  rows.publish(merged)
  return merged
}

function merge(known: Revocation, entry: Revocation): Revocation {
  const cutSeconds = entry.cutSeconds === null ? null : Math.max(known.cutSeconds ?? 0, entry.cutSeconds)
  return { ...entry, cutSeconds, until: Math.max(known.until, entry.until) }
}

export function isRevoked(
  rows: Rows,
  now: number,
  { subject, jti, sid, issuedAtSeconds }: TokenFacts,
): boolean {
  const isLive = (entry: Revocation | null): entry is Revocation => entry !== null && entry.until > now
  if (isLive(rows.entry('token', jti))) return true
  if (sid !== undefined)
    return isBeforeBirth(rows.bornAt, issuedAtSeconds) || isLive(rows.entry('session', sid))
  const entry = rows.entry('subject', subject)
  return isLive(entry) && isCut(entry.cutSeconds, issuedAtSeconds)
}
