/** Sessions in the memory of one process, for development and tests: a restart forgets all of them. */

import { maxPageEntries } from '../core/store.ts'
import type { CreateOptions, NewSession, OpenedStore, Revocation, RevocationPage } from '../core/store.ts'
import type { RevokeTarget, RotateResult, Rotation, Session, Store, TokenFacts } from '../core/store.ts'
import * as ledger from './_ledger.ts'
import type { Rows } from './_ledger.ts'
import { MemoryFeed } from './_memory-feed.ts'
import { MemorySessions } from './_memory-sessions.ts'
import { Wakers } from './_wakers.ts'

/** What `memoryStore` can be told. */
export interface MemoryStoreOptions {
  /** The most sessions that are kept; beyond it one that has ended is forgotten, or the first one ends. @default 100_000 */
  readonly maxSessions?: number | undefined
  /** Seconds since 1970, for tests. @default the system's */
  readonly clock?: (() => number) | undefined
}

class MemoryStore implements Store, Rows {
  readonly #maxSessions: number
  readonly #clock: () => number
  readonly #sessions = new MemorySessions()
  readonly #feed = new MemoryFeed()
  readonly #wakers = new Wakers()
  readonly #feedId = crypto.randomUUID()
  readonly bornAt: number
  /** The last time that a row was forgotten before its end. */
  adoptsSince = 0

  constructor({ maxSessions = 100_000, clock = () => Date.now() / 1000 }: MemoryStoreOptions) {
    if (!Number.isSafeInteger(maxSessions) || maxSessions < 1)
      throw new TypeError('maxSessions must be a whole number above 0')
    this.#maxSessions = maxSessions
    this.#clock = clock
    this.bornAt = this.#now()
  }

  #now(): number {
    return Math.floor(this.#clock() * 1000)
  }

  #state(): { readonly feedId: string; readonly bornAt: number; readonly now: number } {
    return { feedId: this.#feedId, bornAt: this.bornAt, now: this.#now() }
  }

  async open(): Promise<OpenedStore> {
    return { ...this.#state(), version: 1, warnings: [] }
  }

  async create(
    session: NewSession,
    options?: CreateOptions,
  ): Promise<{ session: Session; revoked: readonly Revocation[] }> {
    const made = ledger.create(this, this.#now(), session, options)
    const { accessLifetime } = session
    const evicted = this.#sessions.size > this.#maxSessions ? this.#dispensable() : undefined
    if (evicted === undefined) return made
    const target = { kind: 'session', sid: evicted.id, accessLifetime } as const
    const revoked = ledger.revoke(this, this.#now(), target)
    this.#sessions.forget(evicted)
    this.adoptsSince = this.#now()
    return { ...made, revoked: [...made.revoked, ...revoked] }
  }

  #dispensable(): Session | undefined {
    const sessions = this.#sessions.all()
    return sessions.find(({ revokedAt }) => revokedAt !== null) ?? sessions[0]
  }

  async rotate(rotation: Rotation): Promise<RotateResult> {
    return ledger.rotate(this, this.#now(), rotation)
  }

  async get(sid: string): Promise<Session | null> {
    return this.session(sid)
  }

  async list(subject: string): Promise<readonly Session[]> {
    return ledger.list(this, this.#now(), subject)
  }

  async revoke(target: RevokeTarget): Promise<readonly Revocation[]> {
    return ledger.revoke(this, this.#now(), target)
  }

  async isRevoked(token: TokenFacts): Promise<boolean> {
    return ledger.isRevoked(this, this.#now(), token)
  }

  async revocations(cursor: string | null): Promise<RevocationPage> {
    const [feedId, number] = (cursor ?? '').split(' ')
    const after = feedId === this.#feedId ? Number(number) : 0
    const { entries, last, more } = this.#feed.pageAfter(after, maxPageEntries)
    return { ...this.#state(), entries, cursor: `${this.#feedId} ${last}`, more }
  }

  watch(wake: () => void): () => void {
    return this.#wakers.add(wake)
  }

  async sweep(limit: number): Promise<number> {
    const now = this.#now()
    const sessions = this.#sessions
      .all()
      .filter(({ expiresAt }) => expiresAt <= now)
      .slice(0, limit)
    for (const session of sessions) this.#sessions.forget(session)
    return sessions.length + this.#feed.sweep(now, limit - sessions.length)
  }

  async close(): Promise<void> {
    this.#wakers.clear()
  }

  session(sid: string): Session | null {
    const session = this.#sessions.get(sid)
    return session === undefined || session.expiresAt <= this.#now() ? null : session
  }

  sessionsOf(subject: string): readonly Session[] {
    const ids = this.#sessions.idsOf(subject)
    return ids.map((sid) => this.session(sid)).filter((session) => session !== null)
  }

  put(session: Session): void {
    this.#sessions.put(session)
  }

  entry(kind: Revocation['kind'], id: string): Revocation | null {
    return this.#feed.entry(kind, id)
  }

  publish(entry: Revocation): void {
    this.#feed.publish(entry)
    this.#wakers.wakeAll()
  }
}

/**
 * Makes a store for one process. It loses everything when the process ends: all sessions with it, and every
 * revocation, though tokens of lost sessions stay refused. For production take one of the others.
 *
 * @throws {TypeError} for a wrong option
 */
export function memoryStore(options: MemoryStoreOptions = {}): Store {
  return new MemoryStore(options)
}
