/** Every statement on the rows, prepared once; must only run inside a transaction. */

import type { SqliteDatabase, SqliteStatement } from './_sqlite-connection.ts'
import { sessionColumns } from './_sqlite-wire.ts'

export type Statements = Readonly<
  Record<
    | 'marker'
    | 'session'
    | 'sessionsOf'
    | 'put'
    | 'entry'
    | 'publish'
    | 'last'
    | 'page'
    | 'sweepSessions'
    | 'sweepRevocations',
    SqliteStatement
  >
>

const entryColumns = 'kind, id, cut_seconds AS cutSeconds, until'

/** @throws for tables that are missing, or are others than ours */
export function prepareStatements(database: SqliteDatabase, prefix: string): Statements {
  const sessions = `${prefix}sessions`
  const revocations = `${prefix}revocations`
  const columns = Object.values(sessionColumns)
  const fields = Object.entries(sessionColumns)
    .map(([field, column]) => `${column} AS ${field}`)
    .join()
  const changes = columns.map((column) => `${column} = excluded.${column}`).join()
  const values = columns.map(() => '?').join()
  const prepare = (sql: string): SqliteStatement => database.prepare(sql)
  return {
    marker: prepare(`SELECT version, feed_id AS feedId, born_at AS bornAt FROM ${prefix}marker`),
    session: prepare(`SELECT ${fields} FROM ${sessions} WHERE id = ? AND expires_at > ?`),
    sessionsOf: prepare(
      `SELECT ${fields} FROM ${sessions} WHERE subject = ? AND revoked_at IS NULL AND expires_at > ? ORDER BY rowid`,
    ),
    put: prepare(
      `INSERT INTO ${sessions} (${columns.join()}) VALUES (${values}) ON CONFLICT (id) DO UPDATE SET ${changes}`,
    ),
    entry: prepare(`SELECT ${entryColumns} FROM ${revocations} WHERE kind = ? AND id = ?`),
    // Replaced, not updated: it gets the next number.
    publish: prepare(`REPLACE INTO ${revocations} (kind, id, cut_seconds, until) VALUES (?, ?, ?, ?)`),
    last: prepare(`SELECT seq FROM sqlite_sequence WHERE name = '${revocations}'`),
    page: prepare(
      `SELECT number, ${entryColumns} FROM ${revocations} WHERE number > ? AND until > ? ORDER BY number LIMIT ?`,
    ),
    sweepSessions: prepare(
      `DELETE FROM ${sessions} WHERE rowid IN (SELECT rowid FROM ${sessions} WHERE expires_at <= ? LIMIT ?)`,
    ),
    sweepRevocations: prepare(
      `DELETE FROM ${revocations} WHERE number IN (SELECT number FROM ${revocations} WHERE until <= ? LIMIT ?)`,
    ),
  }
}
