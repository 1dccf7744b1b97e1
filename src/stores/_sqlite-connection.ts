/** Runs transactions on the user's connection; must never leave one open, nor end one that it did not begin. */

import { statSync } from 'node:fs'
import { fieldsOf, numberOf } from './_sqlite-wire.ts'

/** What is used of a prepared statement. */
export interface SqliteStatement {
  run(...values: (string | number | null)[]): { readonly changes: number | bigint }
  get(...values: (string | number | null)[]): unknown
  all(...values: (string | number | null)[]): unknown[]
}

/** What is used of `DatabaseSync` of `node:sqlite`, and of `Database` of better-sqlite3, libsql and `bun:sqlite`. */
export interface SqliteDatabase {
  exec(sql: string): unknown
  prepare(sql: string): SqliteStatement
}

/** What a transaction begins with: one that writes takes its turn at once, since one that read first may not write. */
export type Begin = 'BEGIN' | 'BEGIN IMMEDIATE'

/** How often a step finds the file locked before it gives up: 0.7 s, under the second that an `Auth` waits. */
const stepTries = 120
/** How often the opening does, behind others that open: 5 s. */
const openTries = 900
/** Others hold the lock for about a millisecond; who came late must not find it taken each time. */
const maxPauseMilliseconds = 5

export class Connection {
  readonly database: SqliteDatabase
  #timeout: SqliteStatement | undefined
  #file: { readonly path: string; readonly identity: string } | undefined

  constructor(database: SqliteDatabase) {
    this.database = database
  }

  /**
   * Sees whether the path still leads to the file that is open: SQLite goes on with one that was removed or replaced,
   * and nothing that others revoke would ever be seen.
   *
   * @throws {Error} when it does not
   */
  demandSameFile(): void {
    this.#file ??= this.#findFile()
    const { path, identity } = this.#file
    if (path !== '' && identityOf(path) !== identity)
      throw new Error('The file of the database was removed or replaced: open the database again')
  }

  #findFile(): { readonly path: string; readonly identity: string } {
    const main = this.database
      .prepare('PRAGMA database_list')
      .all()
      .map(fieldsOf)
      .find(({ name }) => name === 'main')
    const path = typeof main?.['file'] === 'string' ? main['file'] : ''
    return { path, identity: path === '' ? '' : identityOf(path) }
  }

  /**
   * Tries until no other connection has the file locked. SQLite would wait just as long and often, but in a call that
   * lets nothing else in this process happen meanwhile.
   */
  async insist<Result>(step: () => Result, isOpening = false): Promise<Result> {
    const tries = isOpening ? openTries : stepTries
    for (let tried = 1; ; tried++) {
      try {
        return step()
      } catch (error) {
        if (tried === tries || !isBusy(error)) throw error
      }
      const pauseMilliseconds = Math.min(maxPauseMilliseconds, 2 ** (tried - 1))
      await new Promise((resolve) => setTimeout(resolve, pauseMilliseconds))
    }
  }

  /** Readers beside a writer, and what was committed stays so when the power goes. Gives the mode of the journal. */
  configure(): unknown {
    return this.#withoutWaiting(() => {
      const row = this.database.prepare('PRAGMA journal_mode = WAL').get()
      this.database.exec('PRAGMA synchronous = FULL')
      return fieldsOf(row)['journal_mode']
    })
  }

  /** All of a step, or nothing of it. In a transaction of the user's it throws, and leaves that as it is. */
  transaction<Result>(begin: Begin, step: () => Result): Result {
    return this.#withoutWaiting(() => {
      this.database.exec(begin)
      try {
        const result = step()
        this.database.exec('COMMIT')
        return result
      } catch (error) {
        this.#rollBack()
        throw error
      }
    })
  }

  #rollBack(): void {
    try {
      this.database.exec('ROLLBACK')
    } catch {
      // SQLite did so itself, as it does when the disk is full; or the database was closed, which does so too.
    }
  }

  /** How long the user's own statements wait is for the user to say, so it is put back. */
  #withoutWaiting<Result>(step: () => Result): Result {
    this.#timeout ??= this.database.prepare('PRAGMA busy_timeout')
    const timeout = numberOf(fieldsOf(this.#timeout.get())['timeout'])
    if (timeout === 0) return step()
    this.database.exec('PRAGMA busy_timeout = 0')
    try {
      return step()
    } finally {
      this.database.exec(`PRAGMA busy_timeout = ${timeout}`)
    }
  }
}

/** What stays the same as long as it is the same file; of none, nothing. */
function identityOf(path: string): string {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false })
  return found === undefined ? '' : `${found.dev} ${found.ino}`
}

/** Whether another connection has the file locked; each driver says it in its own words. */
function isBusy(error: unknown): boolean {
  const { code, errcode, rawCode }: Readonly<Record<string, unknown>> = Object(error)
  // The low byte is the error; what is above says more about it.
  const isBusyNumber = [errcode, rawCode].some((number) => typeof number === 'number' && number % 256 === 5)
  return isBusyNumber || (typeof code === 'string' && code.startsWith('SQLITE_BUSY'))
}
