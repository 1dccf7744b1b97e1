/** What the contract of stores and a store's own test agree on, and what its cases are made with. */

import { equal, ok } from 'node:assert/strict'
import { createSalt, createSessionId } from '../core/generation.ts'
import type {
  Adoption,
  NewSession,
  Revocation,
  RevocationPage,
  Rotation,
  Session,
  Store,
  Successor,
} from '../core/store.ts'

/** What a store is to be made with. */
export interface StoreSetup {
  /** Stores of one name share their data, as those of two processes do; stores of two names never. */
  readonly name: string
  /** Seconds since 1970: what the store is to take for its clock. */
  readonly clock: () => number
}

/** Makes a store on the real thing. */
export type MakeStore = (setup: StoreSetup) => Store | Promise<Store>

/** One thing that every store does. */
export interface StoreCase {
  readonly title: string
  readonly run: (world: StoreWorld) => Promise<void>
}

export const second: number = 1000
export const day: number = 86_400 * second
export const accessLifetime: number = 1260 * second
export const grace: number = 30 * second
/** 2026-01-01T00:00:00Z in seconds. */
const start = 1_767_225_600

/** A clock that moves when told, and stores of one name that live by it. */
export class StoreWorld {
  readonly #make: MakeStore
  readonly #name: string
  readonly #stores: Store[] = []
  #now = start

  constructor(make: MakeStore, name: string) {
    this.#make = make
    this.#name = name
  }

  /** The store's clock, in milliseconds. */
  get now(): number {
    return this.#now * second
  }

  advance(milliseconds: number): void {
    this.#now += milliseconds / second
  }

  /** Another store on the same data, opened; of another name, on data of its own. */
  async open(name: string = this.#name): Promise<Store> {
    const store = await this.#make({ name, clock: () => this.#now })
    this.#stores.push(store)
    const { version, warnings } = await store.open()
    ok(Number.isSafeInteger(version) && Array.isArray(warnings))
    return store
  }

  async close(): Promise<void> {
    for (const store of this.#stores) await store.close()
  }

  /** A sign-in of now. */
  newSession(changes: Partial<NewSession> = {}): NewSession {
    const issuedAtSeconds = Math.floor(this.#now)
    return {
      id: createSessionId(changes.subject ?? 'test'),
      subject: 'test',
      salt: createSalt(),
      issuedAtSeconds,
      authTimeSeconds: issuedAtSeconds,
      accessLifetime,
      idleLifetime: 30 * day,
      expiresAt: this.now + 90 * day,
      metadata: { userAgent: 'contract', address: '127.0.0.1' },
      ...changes,
    }
  }

  async create(store: Store, changes: Partial<NewSession> = {}): Promise<Session> {
    return (await store.create(this.newSession(changes))).session
  }

  /** A rotation of a session by the token of a generation. */
  rotation(
    session: Pick<Session, 'id' | 'subject'>,
    generation: number,
    changes: RotationChanges = {},
  ): Rotation {
    return {
      sid: session.id,
      subject: session.subject,
      generation,
      grace,
      lateReplay: 'revoke',
      accessLifetime,
      successor: this.successor(),
      adoption: null,
      ...changes,
    }
  }

  successor(): Successor {
    return { salt: createSalt(), issuedAtSeconds: Math.floor(this.#now), idleLifetime: 30 * day }
  }

  /** A refresh token from before there was a store. */
  adoption(changes: Partial<Adoption> = {}): Adoption {
    const issuedAtSeconds = Math.floor(this.#now) - 60
    return {
      jti: crypto.randomUUID(),
      issuedAtSeconds,
      authTimeSeconds: issuedAtSeconds,
      expiresAt: this.now + 90 * day,
      metadata: {},
      ...changes,
    }
  }
}

type RotationChanges = Partial<Rotation>

/** The id of a session of the subject, as tallystick makes them. */
export function sid(subject = 'test'): string {
  return createSessionId(subject)
}

/** All entries since a cursor, page by page, until there are no more. */
export async function readAll(
  store: Store,
  cursor: string | null = null,
): Promise<{ readonly entries: readonly Revocation[]; readonly cursor: string }> {
  const entries: Revocation[] = []
  let next = cursor
  let page: RevocationPage
  do {
    page = await store.revocations(next, new AbortController().signal)
    entries.push(...page.entries)
    next = page.cursor
  } while (page.more)
  return { entries, cursor: page.cursor }
}

export function idsOf(entries: readonly Pick<Revocation, 'id'>[]): string[] {
  return [...new Set(entries.map(({ id }) => id))].toSorted()
}

/** Demands an ended session. */
export function assertEnded(session: Session | null, now: number): void {
  ok(session !== null, 'an ended session is kept until its absolute end')
  equal(session.revokedAt, now)
}
