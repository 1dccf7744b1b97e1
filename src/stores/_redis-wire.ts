/** Writes what the scripts are asked and reads what they reply; must change no text, and take nothing for a reply that is none. */

import type { Revocation, Session } from '../core/store.ts'
import { sessionFields } from './_redis-prelude.ts'

/** A request as JSON, whose texts are as the server keeps them, and whose metadata is one of them. */
export function writeRequest(request: object): string {
  return JSON.stringify(request, (name, value: unknown) => {
    if (name === 'metadata') return JSON.stringify(value)
    return typeof value === 'string' ? encoded(value) : (value ?? undefined)
  })
}

/** What every reply holds. */
export interface Reply {
  readonly feedId: string
  readonly bornAt: number
  readonly now: number
  readonly values: readonly unknown[]
}

/**
 * @throws {TypeError} for data with another number of partitions
 * @throws {Error} for data of a newer version, and for what no script answers
 */
export function readReply(value: unknown, partitions: number): Reply {
  const [status, ...rest] = listOf(value)
  if (status === 'partitions')
    throw new TypeError(
      `The data was made with partitions: ${textOf(rest[0])}, and cannot be read with partitions: ${partitions}`,
    )
  if (status === 'version')
    throw new Error(`The data has version ${textOf(rest[0])}, and needs a newer tallystick`)
  if (status !== 'ok') throw unreadable()
  const [feedId, bornAt, now, values] = rest
  return { feedId: textOf(feedId), bornAt: numberOf(bornAt), now: numberOf(now), values: listOf(values) }
}

export function sessionOf(value: unknown): Session {
  const values = listOf(value)
  const field = (name: (typeof sessionFields)[number]): unknown => values[sessionFields.indexOf(name)]
  const number = (name: (typeof sessionFields)[number]): number => numberOf(field(name))
  return {
    id: decoded(field('id')),
    subject: decoded(field('subject')),
    generation: number('generation'),
    salt: decoded(field('salt')),
    issuedAtSeconds: number('issuedAtSeconds'),
    authTimeSeconds: number('authTimeSeconds'),
    createdAt: number('createdAt'),
    lastSeenAt: number('lastSeenAt'),
    rotatedAt: field('rotatedAt') === '' ? null : number('rotatedAt'),
    accessUntil: number('accessUntil'),
    idleExpiresAt: number('idleExpiresAt'),
    expiresAt: number('expiresAt'),
    revokedAt: field('revokedAt') === '' ? null : number('revokedAt'),
    metadata: JSON.parse(textOf(field('metadata'))),
  }
}

export function sessionsOf(value: unknown): readonly Session[] {
  return listOf(value).map((item) => sessionOf(item))
}

export function revocationsOf(value: unknown): Revocation[] {
  return listOf(value).map((item) => {
    const [name, ends, cut] = listOf(item)
    const [, kind, id] = /^(session|token|subject) ([^]*)$/.exec(textOf(name)) ?? []
    const cutSeconds = cut === '' ? null : numberOf(cut)
    if (id === undefined || (kind === 'subject') !== (cutSeconds !== null)) throw unreadable()
    return { kind: kind as Revocation['kind'], id: decoded(id), cutSeconds, until: numberOf(ends) }
  })
}

function listOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value
  throw unreadable()
}

export function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  throw unreadable()
}

export function numberOf(value: unknown): number {
  const number = Number(textOf(value))
  if (value !== '' && Number.isFinite(number)) return number
  throw unreadable()
}

export function booleanOf(value: unknown): boolean {
  if (value === 'yes' || value === 'no') return value === 'yes'
  throw unreadable()
}

/** A text as the server keeps it: half a surrogate pair has no UTF-8, and must not be taken for another half. */
export function encoded(text: string): string {
  return /^"|\p{Cs}/u.test(text) ? JSON.stringify(text) : text
}

function decoded(value: unknown): string {
  const text = textOf(value)
  return text.startsWith('"') ? textOf(JSON.parse(text)) : text
}

function unreadable(): Error {
  return new Error('Redis answered with something that no script of tallystick answers')
}
