/** What the functions of the PostgreSQL store are asked and reply; must never let through what it does not understand. */

import type {
  OpenedStore,
  Outcome,
  Revocation,
  RevocationPage,
  RotateResult,
  Session,
} from '../core/store.ts'

/** What tells a value of a kind from all others. */
export type Is<Value> = (value: unknown) => value is Value
type Shape<Value> = { readonly [Name in keyof Value]: Is<Value[Name]> }

const isText: Is<string> = (value) => typeof value === 'string'
const isNumber: Is<number> = (value) => typeof value === 'number'
export const isBoolean: Is<boolean> = (value) => typeof value === 'boolean'
export const isCount: Is<number> = (value): value is number => Number.isSafeInteger(value)

const isSession: Is<Session> = shapeOf<Session>({
  id: isText,
  subject: isText,
  generation: isNumber,
  salt: isText,
  issuedAtSeconds: isNumber,
  authTimeSeconds: isNumber,
  createdAt: isNumber,
  lastSeenAt: isNumber,
  rotatedAt: orNull(isNumber),
  accessUntil: isNumber,
  idleExpiresAt: isNumber,
  expiresAt: isNumber,
  revokedAt: orNull(isNumber),
  metadata: (value): value is Session['metadata'] => isRecord(value),
})
export const isSessionOrNull: Is<Session | null> = orNull(isSession)
export const isSessions: Is<readonly Session[]> = listOf(isSession)

const isRevocation = shapeOf<Revocation>({
  kind: oneOf('session', 'token', 'subject'),
  id: isText,
  cutSeconds: orNull(isNumber),
  until: isNumber,
})
export const isRevocations: Is<readonly Revocation[]> = listOf(isRevocation)

/** What `create` gives. */
export interface Created {
  readonly session: Session
  readonly revoked: readonly Revocation[]
}

export const isCreated: Is<Created> = shapeOf<Created>({ session: isSession, revoked: isRevocations })

export const isRotateResult: Is<RotateResult> = shapeOf<RotateResult>({
  outcome: oneOf<Outcome>('rotated', 'kept', 'grace', 'reused', 'late', 'unknown', 'revoked', 'expired'),
  session: isSessionOrNull,
  revoked: isRevocations,
  now: isNumber,
})

const state = { feedId: isText, bornAt: isNumber, now: isNumber }

export const isOpenedStore: Is<OpenedStore> = shapeOf<OpenedStore>({
  ...state,
  version: isNumber,
  warnings: listOf(isText),
})

export const isRevocationPage: Is<RevocationPage> = shapeOf<RevocationPage>({
  ...state,
  entries: isRevocations,
  cursor: isText,
  more: isBoolean,
})

/**
 * Writes what a function is asked: JSON in which every backslash stands twice, and that is ASCII without `\"`.
 *
 * The functions of JSON in PostgreSQL refuse U+0000 and half a surrogate pair even where they only step over them. So
 * they get to see a string that spells the escape out, one for each string of ours, and no encoding can change it.
 */
export function writeRequest(request: object): string {
  return JSON.stringify(request).replaceAll(/\\(.)|[\u007f-\uffff]/g, (character, escaped?: string) =>
    escaped === undefined || escaped === '"'
      ? `\\\\u${(escaped ?? character).charCodeAt(0).toString(16).padStart(4, '0')}`
      : `\\\\${escaped === '\\' ? '\\\\' : escaped}`,
  )
}

/** Takes the one column of the one row. */
export function readReply<Value>(rows: readonly unknown[], isMeant: Is<Value>): Value {
  const [row] = rows
  const text = isRecord(row) ? row['reply'] : undefined
  const isReply = isText(text) && rows.length === 1
  const reply: unknown = isReply ? JSON.parse(text.replaceAll('\\\\', '\\')) : undefined
  if (isMeant(reply)) return reply
  throw new TypeError('PostgreSQL replied with something that the store does not understand')
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function shapeOf<Value>(shape: Shape<Value>): Is<Value> {
  const members = Object.entries<Is<unknown>>(shape)
  return (value): value is Value =>
    isRecord(value) &&
    members.every(([name, isMember]) => Object.hasOwn(value, name) && isMember(value[name]))
}

function listOf<Item>(isItem: Is<Item>): Is<readonly Item[]> {
  return (value): value is readonly Item[] => Array.isArray(value) && value.every((item) => isItem(item))
}

function orNull<Value>(isValue: Is<Value>): Is<Value | null> {
  return (value): value is Value | null => value === null || isValue(value)
}

function oneOf<Value extends string>(...values: readonly Value[]): Is<Value> {
  return (value): value is Value => values.some((each) => each === value)
}
