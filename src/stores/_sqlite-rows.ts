/** The rows of one transaction; must outlive it in no way, since what it read is true only inside. */

import type { Revocation, Session } from '../core/store.ts'
import type { Rows } from './_ledger.ts'
import { markerOf } from './_sqlite-schema.ts'
import type { Marker } from './_sqlite-schema.ts'
import type { Statements } from './_sqlite-statements.ts'
import { encoded, fieldsOf, isNoRow, numberOf, revocationOf, sessionOf, valuesOf } from './_sqlite-wire.ts'

/** An entry, and its place in the feed. */
export interface Numbered {
  readonly number: number
  readonly entry: Revocation
}

export class SqliteRows implements Rows {
  readonly now: number
  readonly marker: Marker
  readonly #statements: Statements

  /** @throws {Error} for data of a newer version, and for none */
  constructor(statements: Statements, now: number) {
    this.#statements = statements
    this.now = now
    this.marker = markerOf(statements.marker.get())
  }

  /** Nothing is forgotten before its end. */
  readonly adoptsSince = 0

  get bornAt(): number {
    return this.marker.bornAt
  }

  session(sid: string): Session | null {
    const row = this.#statements.session.get(encoded(sid), this.now)
    return isNoRow(row) ? null : sessionOf(row)
  }

  sessionsOf(subject: string): readonly Session[] {
    return this.#statements.sessionsOf.all(encoded(subject), this.now).map((row) => sessionOf(row))
  }

  put(session: Session): void {
    this.#statements.put.run(...valuesOf(session))
  }

  entry(kind: Revocation['kind'], id: string): Revocation | null {
    const row = this.#statements.entry.get(kind, encoded(id))
    return isNoRow(row) ? null : revocationOf(row)
  }

  publish({ kind, id, cutSeconds, until }: Revocation): void {
    this.#statements.publish.run(kind, encoded(id), cutSeconds, until)
  }

  /** The greatest number that was ever given, though its entry may be gone. */
  last(): number {
    const row = this.#statements.last.get()
    return isNoRow(row) ? 0 : numberOf(fieldsOf(row)['seq'])
  }

  /** Entries after a number that end after a time, in the order of their numbers. */
  page(after: number, untilAfter: number, limit: number): readonly Numbered[] {
    const rows = this.#statements.page.all(after, untilAfter, limit)
    return rows.map((row) => ({ number: numberOf(fieldsOf(row)['number']), entry: revocationOf(row) }))
  }

  sweep(limit: number): number {
    const { sweepSessions, sweepRevocations } = this.#statements
    // A limit below 0 would be none.
    const most = Math.min(Math.max(0, limit), Number.MAX_SAFE_INTEGER)
    const sessions = Number(sweepSessions.run(this.now, most).changes)
    return sessions + Number(sweepRevocations.run(this.now, most - sessions).changes)
  }
}
