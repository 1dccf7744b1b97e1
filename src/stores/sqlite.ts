/** Sessions in a file of SQLite, for the processes of one machine; must never answer from what is not committed. */

import { maxPageEntries } from '../core/store.ts'
import type {
  CreateOptions,
  NewSession,
  OpenedStore,
  Revocation,
  RevocationPage,
  RevokeTarget,
  RotateResult,
  Rotation,
  Session,
  Store,
  TokenFacts,
} from '../core/store.ts'
import * as ledger from './_ledger.ts'
import type { SqliteDatabase } from './_sqlite-connection.ts'
import type { SqliteRows } from './_sqlite-rows.ts'
import { Tables } from './_sqlite-tables.ts'
import { Watch } from './_sqlite-watch.ts'

export type { SqliteDatabase, SqliteStatement } from './_sqlite-connection.ts'

/** What `sqliteStore` can be told. */
export interface SqliteStoreOptions {
  /** What the name of every table begins with: lower-case letters, digits and `_`. @default 'tallystick_' */
  readonly prefix?: string | undefined
  /** Seconds since 1970, for tests. @default the system's */
  readonly clock?: (() => number) | undefined
}

class SqliteStore implements Store {
  readonly #tables: Tables
  readonly #watch: Watch

  constructor(tables: Tables) {
    this.#tables = tables
    this.#watch = new Watch(() => tables.last())
  }

  async open(): Promise<OpenedStore> {
    const journalMode = await this.#tables.open()
    const state = await this.#tables.read(({ marker, now }) => ({ ...marker, now }))
    return { ...state, warnings: journalMode === 'wal' ? [] : [warningOf(journalMode)] }
  }

  async create(
    session: NewSession,
    options?: CreateOptions,
  ): Promise<{ readonly session: Session; readonly revoked: readonly Revocation[] }> {
    return this.#tables.write((rows) => ledger.create(rows, rows.now, session, options))
  }

  async rotate(rotation: Rotation): Promise<RotateResult> {
    const step = (rows: SqliteRows): RotateResult => ledger.rotate(rows, rows.now, rotation)
    return rotation.successor === null ? this.#tables.read(step) : this.#tables.write(step)
  }

  async get(sid: string): Promise<Session | null> {
    return this.#tables.read((rows) => rows.session(sid))
  }

  async list(subject: string): Promise<readonly Session[]> {
    return this.#tables.read((rows) => ledger.list(rows, rows.now, subject))
  }

  async revoke(target: RevokeTarget): Promise<readonly Revocation[]> {
    return this.#tables.write((rows) => ledger.revoke(rows, rows.now, target))
  }

  async isRevoked(token: TokenFacts): Promise<boolean> {
    return this.#tables.read((rows) => ledger.isRevoked(rows, rows.now, token))
  }

  async revocations(cursor: string | null, signal: AbortSignal): Promise<RevocationPage> {
    signal.throwIfAborted()
    return this.#tables.read((rows) => {
      const { feedId, bornAt } = rows.marker
      const last = rows.last()
      const after = numberAfter(cursor, feedId, last)
      const page = rows.page(after ?? 0, after === null ? rows.now : 0, maxPageEntries)
      const end = page.length < maxPageEntries ? last : (page.at(-1)?.number ?? last)
      const entries = page.map(({ entry }) => entry)
      return { feedId, bornAt, now: rows.now, entries, cursor: `${feedId} ${end}`, more: end < last }
    })
  }

  watch(wake: () => void): () => void {
    return this.#watch.add(wake)
  }

  async sweep(limit: number): Promise<number> {
    return this.#tables.write((rows) => rows.sweep(limit))
  }

  async close(): Promise<void> {
    this.#watch.stop()
    this.#tables.forget()
  }
}

/** Where to read on; `null` for all of it, as for a cursor of other data, or of a later state of the same. */
function numberAfter(cursor: string | null, feedId: string, last: number): number | null {
  const [, of, digits] = /^(\S+) (\d{1,16})$/.exec(cursor ?? '') ?? []
  return of === feedId && Number(digits) <= last ? Number(digits) : null
}

function warningOf(journalMode: unknown): string {
  return journalMode === 'memory'
    ? 'The database is in memory: all sessions end with this process, and no other can see them'
    : `SQLite cannot write ahead here (its journal_mode is ${String(journalMode)}): readers and writers wait for each other`
}

/**
 * Makes a store in a file of SQLite for one process, or several of one machine; never on a network's file system.
 *
 * The database stays the caller's: `close()` does not end it, and other tables in it are left alone. It is switched to
 * `journal_mode = WAL` and `synchronous = FULL`, so that what was revoked stays so when the power goes. Give the store a
 * connection of its own: while a transaction of yours is open on it, every method rejects. What another connection has
 * locked is waited for, up to 0.7 s, without holding up this process.
 *
 * @example
 * const store = sqliteStore(new DatabaseSync('sessions.db'))
 *
 * @throws {TypeError} for a wrong prefix
 */
export function sqliteStore(
  database: SqliteDatabase,
  { prefix = 'tallystick_', clock = () => Date.now() / 1000 }: SqliteStoreOptions = {},
): Store {
  if (!/^(?!sqlite_)[a-z_][a-z0-9_]{0,40}$/.test(prefix))
    throw new TypeError(
      'prefix must be lower-case letters, digits and _, at most 41, and not begin with sqlite_',
    )
  return new SqliteStore(new Tables(database, prefix, () => Math.floor(clock() * 1000)))
}
