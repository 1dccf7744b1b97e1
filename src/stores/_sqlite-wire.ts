/** Sessions and entries as rows; must change no text, and take nothing for a row that is none. */

import type { Revocation, Session } from '../core/store.ts'

export type Fields = Readonly<Record<string, unknown>>

/** The columns of a session, each under the name of its field. */
export const sessionColumns: Readonly<Record<keyof Session, string>> = {
  id: 'id',
  subject: 'subject',
  generation: 'generation',
  salt: 'salt',
  issuedAtSeconds: 'issued_at_seconds',
  authTimeSeconds: 'auth_time_seconds',
  createdAt: 'created_at',
  lastSeenAt: 'last_seen_at',
  rotatedAt: 'rotated_at',
  accessUntil: 'access_until',
  idleExpiresAt: 'idle_expires_at',
  expiresAt: 'expires_at',
  revokedAt: 'revoked_at',
  metadata: 'metadata',
}

/** The values of a session, in the order of its columns. */
export function valuesOf(session: Session): (string | number | null)[] {
  return (Object.keys(sessionColumns) as (keyof Session)[]).map((field) => {
    const value = session[field]
    if (typeof value === 'object' && value !== null) return JSON.stringify(value)
    return typeof value === 'string' ? encoded(value) : value
  })
}

/** @throws {Error} for a row that is no session */
export function sessionOf(row: unknown): Session {
  const fields = fieldsOf(row)
  return {
    id: textOf(fields['id']),
    subject: textOf(fields['subject']),
    generation: numberOf(fields['generation']),
    salt: textOf(fields['salt']),
    issuedAtSeconds: numberOf(fields['issuedAtSeconds']),
    authTimeSeconds: numberOf(fields['authTimeSeconds']),
    createdAt: numberOf(fields['createdAt']),
    lastSeenAt: numberOf(fields['lastSeenAt']),
    rotatedAt: fields['rotatedAt'] === null ? null : numberOf(fields['rotatedAt']),
    accessUntil: numberOf(fields['accessUntil']),
    idleExpiresAt: numberOf(fields['idleExpiresAt']),
    expiresAt: numberOf(fields['expiresAt']),
    revokedAt: fields['revokedAt'] === null ? null : numberOf(fields['revokedAt']),
    metadata: fieldsOf(parsed(String(fields['metadata']))),
  }
}

/** @throws {Error} for a row that is no entry */
export function revocationOf(row: unknown): Revocation {
  const { kind, id, cutSeconds, until } = fieldsOf(row)
  if (kind !== 'session' && kind !== 'token' && kind !== 'subject') throw unreadable()
  if ((kind === 'subject') === (cutSeconds === null)) throw unreadable()
  return {
    kind,
    id: textOf(id),
    cutSeconds: cutSeconds === null ? null : numberOf(cutSeconds),
    until: numberOf(until),
  }
}

/** Whether a query found nothing: for that Bun's driver gives `null`, and all others `undefined`. */
export function isNoRow(row: unknown): row is null | undefined {
  return row === null || row === undefined
}

export function fieldsOf(row: unknown): Fields {
  if (typeof row === 'object' && row !== null && !Array.isArray(row)) return row as Fields
  throw unreadable()
}

export function numberOf(value: unknown): number {
  const number = typeof value === 'bigint' ? Number(value) : value
  if (Number.isSafeInteger(number)) return number as number
  throw unreadable()
}

export function textOf(value: unknown): string {
  const text = typeof value === 'string' && value.startsWith('"') ? parsed(value) : value
  if (typeof text === 'string') return text
  throw unreadable()
}

/**
 * A text as the file keeps it. Half a surrogate pair has no UTF-8, and libsql ends a text at its first NUL: two subjects
 * would be one.
 */
export function encoded(text: string): string {
  return /^"|\p{Cs}|\0/u.test(text) ? JSON.stringify(text) : text
}

/** The error of `JSON.parse` quotes what it read, and may end in a log. */
function parsed(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    throw unreadable()
  }
}

function unreadable(): Error {
  return new Error('The database holds something that no tallystick has written')
}
