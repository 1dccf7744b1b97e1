/** What a store may answer, by its contract; whatever else it says is `store_unavailable`. */

import { unavailable } from './deadline.ts'
import type {
  OpenedStore,
  Outcome,
  Revocation,
  RevocationPage,
  RotateResult,
  Rotation,
  Session,
} from './store.ts'

/** Takes an answer for what it should be; what cannot even be looked at is none. @throws {AuthError} */
export function demand<Answer>(answer: unknown, isAnswer: (answer: unknown) => answer is Answer): Answer {
  let isGood = false
  try {
    isGood = isAnswer(answer)
  } catch (cause) {
    throw unavailable(cause)
  }
  if (isGood) return answer as Answer
  throw unavailable(new Error('The store answered with something that its contract does not know'))
}

type Fields = Readonly<Record<string, unknown>>

export function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null
}

export function isList<Item>(
  value: unknown,
  isItem: (item: unknown) => item is Item,
): value is readonly Item[] {
  return Array.isArray(value) && value.every((item) => isItem(item))
}

const sessionNumbers = [
  'generation',
  'issuedAtSeconds',
  'authTimeSeconds',
  'createdAt',
  'lastSeenAt',
  'accessUntil',
  'idleExpiresAt',
  'expiresAt',
] as const satisfies readonly (keyof Session)[]

export function isSession(value: unknown, id?: string, subject?: string): value is Session {
  if (!isRecord(value)) return false
  return (
    typeof value['id'] === 'string' &&
    typeof value['subject'] === 'string' &&
    typeof value['salt'] === 'string' &&
    isRecord(value['metadata']) &&
    sessionNumbers.every((name) => Number.isSafeInteger(value[name])) &&
    ['rotatedAt', 'revokedAt'].every((name) => value[name] === null || Number.isSafeInteger(value[name])) &&
    (id === undefined || value['id'] === id) &&
    (subject === undefined || value['subject'] === subject)
  )
}

const kinds: ReadonlySet<unknown> = new Set<Revocation['kind']>(['session', 'token', 'subject'])

export function isRevocation(value: unknown): value is Revocation {
  return (
    isRecord(value) &&
    kinds.has(value['kind']) &&
    typeof value['id'] === 'string' &&
    Number.isSafeInteger(value['until']) &&
    (value['kind'] === 'subject' ? Number.isSafeInteger(value['cutSeconds']) : value['cutSeconds'] === null)
  )
}

/** By how many generations the answer lies ahead of the token; `null` where there is no token to be made. */
const distances: Readonly<Record<Outcome, number | null>> = {
  rotated: 1,
  kept: 0,
  grace: 1,
  reused: null,
  late: null,
  unknown: null,
  revoked: null,
  expired: null,
}

export function isRotateResult(value: unknown, rotation: Rotation): value is RotateResult {
  if (!isRecord(value) || !Object.hasOwn(distances, String(value['outcome']))) return false
  if (!Number.isSafeInteger(value['now']) || !isList(value['revoked'], isRevocation)) return false
  const { outcome, session } = value as { readonly outcome: Outcome; readonly session: unknown }
  const distance = distances[outcome]
  if (distance === null) return session === null || isSession(session, rotation.sid)
  if (!isSession(session, rotation.sid, rotation.subject) || session.revokedAt !== null) return false
  // What was only judged has not moved, and is behind the token only where the store has lost a write.
  if (rotation.successor === null && outcome === 'rotated') return session.generation <= rotation.generation
  return session.generation === rotation.generation + distance
}

function isState(value: unknown): value is Fields {
  return (
    isRecord(value) &&
    typeof value['feedId'] === 'string' &&
    Number.isSafeInteger(value['bornAt']) &&
    Number.isSafeInteger(value['now'])
  )
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

/** Takes what `open` gave. @throws {AuthError} `store_unavailable` for anything else */
export function demandOpened(value: unknown): OpenedStore {
  return demand(
    value,
    (answer): answer is OpenedStore => isState(answer) && isList(answer['warnings'], isText),
  )
}

/** Takes a page of the feed that begins at a cursor. @throws {AuthError} `store_unavailable` for anything else */
export function demandPage(value: unknown, cursor: string | null): RevocationPage {
  const isPage = (answer: unknown): answer is RevocationPage =>
    isState(answer) &&
    isText(answer['cursor']) &&
    typeof answer['more'] === 'boolean' &&
    isList(answer['entries'], isRevocation) &&
    // Who says that there is more, and does not move on, would be asked for ever.
    !(answer['more'] && answer['cursor'] === cursor)
  return demand(value, isPage)
}
