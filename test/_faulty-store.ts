/** A store that fails as it is told, and counts what it is asked; holds no test itself. */

import type { Store } from '../src/index.ts'

const methods = [
  'open',
  'create',
  'rotate',
  'get',
  'list',
  'revoke',
  'isRevoked',
  'revocations',
  'sweep',
  'close',
] as const

/** What a store can be asked; `watch` is a hint, and in the test's own hands. */
export type Method = (typeof methods)[number]

/** Answers in the place of a method, which it may still ask. */
export type Fault = (honest: () => Promise<unknown>) => unknown

/** A store and the strings it hangs on. */
export interface FaultyStore {
  readonly store: Store
  /** How often each method was called. */
  readonly calls: Readonly<Record<Method, number>>
  /** What the feed was asked for, in order. */
  readonly cursors: readonly unknown[]
  /** Has some methods answer otherwise from now on. */
  fail(fault: Fault, ...names: readonly Method[]): void
  /** Has all of them answer honestly again. */
  heal(): void
  /** Tells whoever watches that there may be news. */
  wake(): void
  /** How many watch. */
  watchers(): number
}

/** Puts faults between a store and whoever asks it. Its own hints are lost. */
export function faultyStore(inner: Store): FaultyStore {
  const calls = Object.fromEntries(methods.map((name) => [name, 0])) as Record<Method, number>
  const faults = new Map<Method, Fault>()
  const cursors: unknown[] = []
  const wakers = new Set<() => void>()
  const replaced = methods.map((name) => [
    name,
    (...parameters: readonly unknown[]): unknown => {
      calls[name]++
      if (name === 'revocations') cursors.push(parameters[0])
      const honest = async (): Promise<unknown> => Reflect.apply(inner[name], inner, parameters)
      return (faults.get(name) ?? ((ask) => ask()))(honest)
    },
  ])
  const watch = (wake: () => void): (() => void) => {
    wakers.add(wake)
    return () => wakers.delete(wake)
  }
  return {
    store: { ...(Object.fromEntries(replaced) as unknown as Store), watch },
    calls,
    cursors,
    fail(fault, ...names) {
      for (const name of names) faults.set(name, fault)
    },
    heal: () => faults.clear(),
    wake() {
      for (const wake of wakers) wake()
    },
    watchers: () => wakers.size,
  }
}

/** Has a method do its work and say something else of it. */
export function altered(change: (answer: Record<string, unknown>) => unknown): Fault {
  return async (honest) => change((await honest()) as Record<string, unknown>)
}

/** Rejects with anything, also with what is no error. */
export function rejecting(reason: unknown): Fault {
  return () => Reflect.apply(Promise.reject, Promise, [reason])
}

/** Has a method wait until it is let go; then it does its work. */
export function held(): { readonly fault: Fault; readonly release: () => void } {
  let release = (): void => undefined
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  return { fault: async (honest) => released.then(honest), release: () => release() }
}

/** What an error of a store may say, and nobody else may hear. */
export const confidential = 'connection to db.internal as root'

const throwing = new Proxy(
  {},
  {
    get(_target, name) {
      // Whatever has a `then` is waited for; the fault is in what it holds.
      if (name === 'then') return undefined
      throw new Error(confidential)
    },
  },
)

/** How any method can fail. */
export const faults: readonly (readonly [string, Fault])[] = [
  [
    'throws',
    () => {
      throw new Error(confidential)
    },
  ],
  ['rejects with an Error', rejecting(new Error(confidential))],
  ['rejects with a text', rejecting(confidential)],
  ['rejects with undefined', rejecting(undefined)],
  ['rejects with null', rejecting(null)],
  ['rejects with an object whose getters throw', rejecting(throwing)],
  ['is a thenable that rejects', () => Object.assign(Object.create(null), { then: refuse })],
  ['answers at once, without a promise, with nothing', () => undefined],
  ...[undefined, null, '0', 1, true, {}, [], [undefined], [{}]].map(
    (answer) => [`answers ${JSON.stringify(answer) ?? 'undefined'}`, async () => answer] as const,
  ),
  ['answers an object whose getters throw', async () => throwing],
]

function refuse(_resolve: unknown, reject: (reason: unknown) => void): void {
  reject(new Error(confidential))
}

/** What each method may well answer. */
export const honestAnswers: Partial<Record<Method, readonly string[]>> = {
  get: ['answers null'],
  list: ['answers []'],
  revoke: ['answers []'],
  isRevoked: ['answers true'],
}

type Fields = Record<string, unknown>
type Change = (answer: Fields) => unknown

export const ofSession =
  (changes: Fields): Change =>
  (answer) => ({ ...answer, session: { ...(answer['session'] as Fields), ...changes } })

const entry = { kind: 'session', id: 'a', cutSeconds: null, until: 1 }

const badEntries: readonly (readonly [string, Fields])[] = [
  ['without end', { ...entry, until: Infinity }],
  ['with an end that is none', { ...entry, until: undefined }],
  ['with an end in text', { ...entry, until: '1' }],
  ['of another kind', { ...entry, kind: 'user' }],
  ['of nobody', { ...entry, id: undefined }],
  ['of a session with a cut', { ...entry, cutSeconds: 1 }],
  ['of a subject without a cut', { ...entry, kind: 'subject' }],
]

const entries = (name: string): readonly (readonly [string, Change])[] =>
  badEntries.map(([what, bad]) => [`gives an entry ${what}`, (answer) => ({ ...answer, [name]: [bad] })])

const sessions: readonly (readonly [string, Change])[] = [
  ['gives a session of another id', ofSession({ id: 'b' })],
  ['gives a session of another subject', ofSession({ subject: 'stranger' })],
  ['gives a session without salt', ofSession({ salt: undefined })],
  ['gives a session without metadata', ofSession({ metadata: null })],
  ['gives a session with a number in text', ofSession({ generation: '1' })],
  ['gives a session with an end that is no number', ofSession({ expiresAt: Number.NaN })],
  ['gives a session that was revoked at no time', ofSession({ revokedAt: undefined })],
  ['gives no session', (answer) => ({ ...answer, session: null })],
  ...entries('revoked'),
]

const alone =
  (change: Change): Change =>
  (session) =>
    (change({ session }) as { readonly session: unknown }).session

/** What a method says of a step that it has made, and should not. */
export const lies: Partial<Record<Method, readonly (readonly [string, Change])[]>> = {
  create: [...sessions, ['gives a session that has ended', ofSession({ revokedAt: 1 })]],
  rotate: [
    ...sessions,
    ['calls a revoked session rotated', ofSession({ revokedAt: 1 })],
    ['calls no session reused', (answer) => ({ ...answer, outcome: 'reused', session: {} })],
    ['knows another outcome', (answer) => ({ ...answer, outcome: 'fine' })],
    ['knows an outcome of Object', (answer) => ({ ...answer, outcome: 'constructor' })],
    ['knows no time', (answer) => ({ ...answer, now: Number.NaN })],
  ],
  get: [
    ['gives another session', alone(ofSession({ id: 'b' }))],
    ['gives a session without salt', alone(ofSession({ salt: undefined }))],
    ['gives a session with a time in text', alone(ofSession({ createdAt: '1' }))],
  ],
  list: [['gives a session of another subject', (list) => withStranger(list)]],
  revoke: entries('0').map(([what, change]) => [
    what,
    (list) => Object.values(change({ ...list }) as Fields)[0],
  ]),
  open: [
    ['gives no warnings', (answer) => ({ ...answer, warnings: undefined })],
    ['gives a warning that is no text', (answer) => ({ ...answer, warnings: [1] })],
    ['does not know when its data began', (answer) => ({ ...answer, bornAt: null })],
    ['does not know its feed', (answer) => ({ ...answer, feedId: 1 })],
  ],
  revocations: [
    ...entries('entries'),
    ['gives a page without cursor', ({ cursor: _cursor, ...answer }) => answer],
    ['does not say whether there is more', ({ more: _more, ...answer }) => answer],
    ['gives a page without entries', ({ entries: _entries, ...answer }) => answer],
    ['knows no time', (answer) => ({ ...answer, now: undefined })],
    ['does not know when its data began', (answer) => ({ ...answer, bornAt: Number.NaN })],
  ],
}

function withStranger(list: unknown): unknown {
  return (list as readonly Fields[]).map((session) => ({ ...session, subject: 'stranger' }))
}
