/** The tables of one store, made when they are first asked for; must run every step in one transaction. */

import { Connection } from './_sqlite-connection.ts'
import type { Begin, SqliteDatabase } from './_sqlite-connection.ts'
import { SqliteRows } from './_sqlite-rows.ts'
import { createSchema, hasSchema } from './_sqlite-schema.ts'
import { prepareStatements } from './_sqlite-statements.ts'
import type { Statements } from './_sqlite-statements.ts'

export class Tables {
  readonly #connection: Connection
  readonly #prefix: string
  readonly #now: () => number
  #statements: Statements | undefined

  constructor(database: SqliteDatabase, prefix: string, now: () => number) {
    this.#connection = new Connection(database)
    this.#prefix = prefix
    this.#now = now
  }

  /** Makes what is missing, and gives the mode of the journal. @throws {Error} for data of a newer version */
  async open(): Promise<unknown> {
    return this.#connection.insist(() => this.#prepare().journalMode, true)
  }

  #prepare(): { readonly journalMode: unknown; readonly statements: Statements } {
    const { database } = this.#connection
    this.#connection.demandSameFile()
    const journalMode = this.#connection.configure()
    const prepare = (): Statements => prepareStatements(database, this.#prefix)
    // Most often they are there; to find that out must not wait for one that writes.
    const found = this.#connection.transaction('BEGIN', () => this.#hasSchema() && prepare())
    const statements =
      found ||
      this.#connection.transaction('BEGIN IMMEDIATE', () => {
        if (!this.#hasSchema()) createSchema(database, this.#prefix, this.#now())
        return prepare()
      })
    this.#statements = statements
    return { journalMode, statements }
  }

  #hasSchema(): boolean {
    return hasSchema(this.#connection.database, this.#prefix)
  }

  async read<Result>(step: (rows: SqliteRows) => Result): Promise<Result> {
    return this.#transact('BEGIN', step)
  }

  async write<Result>(step: (rows: SqliteRows) => Result): Promise<Result> {
    return this.#transact('BEGIN IMMEDIATE', step)
  }

  async #transact<Result>(begin: Begin, step: (rows: SqliteRows) => Result): Promise<Result> {
    try {
      return await this.#connection.insist(() =>
        this.#attempt(begin, this.#statements ?? this.#prepare().statements, step),
      )
    } catch (error) {
      this.forget()
      throw error
    }
  }

  #attempt<Result>(begin: Begin, statements: Statements, step: (rows: SqliteRows) => Result): Result {
    this.#connection.demandSameFile()
    return this.#connection.transaction(begin, () => step(new SqliteRows(statements, this.#now())))
  }

  /** The greatest number that a revocation has; none where that cannot be told at the moment. */
  last(): number | null {
    try {
      return this.#statements ? this.#attempt('BEGIN', this.#statements, (rows) => rows.last()) : null
    } catch {
      // This is for a hint only: who reads the feed meets the error, and rejects.
      return null
    }
  }

  /** The next step opens anew: it may be that the tables are gone, and then there is a new feed. */
  forget(): void {
    this.#statements = undefined
  }
}
