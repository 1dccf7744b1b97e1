/** The tables and their version; must never touch data that a newer version made, nor any table of the user's. */

import type { SqliteDatabase } from './_sqlite-connection.ts'
import { fieldsOf, isNoRow, numberOf, textOf } from './_sqlite-wire.ts'

/** The version of the schema. */
const currentVersion = 1

/** What the data says of itself. */
export interface Marker {
  readonly version: number
  readonly feedId: string
  readonly bornAt: number
}

/** Whether the tables are there. @throws {Error} for data of a newer version */
export function hasSchema(database: SqliteDatabase, prefix: string): boolean {
  const found = database.prepare('SELECT 1 FROM sqlite_schema WHERE name = ?').get(`${prefix}marker`)
  if (isNoRow(found)) return false
  // Whatever a later version changes, it keeps this column.
  const row = database.prepare(`SELECT version FROM ${prefix}marker`).get()
  if (isNoRow(row)) return false
  demandVersion(numberOf(fieldsOf(row)['version']))
  return true
}

/** Makes the tables, and with them a new feed. */
export function createSchema(database: SqliteDatabase, prefix: string, now: number): void {
  database.exec(tables(prefix))
  database
    .prepare(`INSERT INTO ${prefix}marker (id, version, feed_id, born_at) VALUES (1, ?, ?, ?)`)
    .run(currentVersion, crypto.randomUUID(), now)
}

/** Numbers of revocations are never given twice, and become visible in their order: there is one writer at a time. */
function tables(prefix: string): string {
  return `
    CREATE TABLE IF NOT EXISTS ${prefix}marker (
      id INTEGER PRIMARY KEY CHECK (id = 1),
      version INTEGER NOT NULL,
      feed_id TEXT NOT NULL,
      born_at INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE IF NOT EXISTS ${prefix}sessions (
      id TEXT PRIMARY KEY NOT NULL,
      subject TEXT NOT NULL,
      generation INTEGER NOT NULL,
      salt TEXT NOT NULL,
      issued_at_seconds INTEGER NOT NULL,
      auth_time_seconds INTEGER NOT NULL,
      created_at INTEGER NOT NULL,
      last_seen_at INTEGER NOT NULL,
      rotated_at INTEGER,
      access_until INTEGER NOT NULL,
      idle_expires_at INTEGER NOT NULL,
      expires_at INTEGER NOT NULL,
      revoked_at INTEGER,
      metadata TEXT NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS ${prefix}sessions_subject ON ${prefix}sessions (subject) WHERE revoked_at IS NULL;
    CREATE INDEX IF NOT EXISTS ${prefix}sessions_end ON ${prefix}sessions (expires_at);
    CREATE TABLE IF NOT EXISTS ${prefix}revocations (
      number INTEGER PRIMARY KEY AUTOINCREMENT,
      kind TEXT NOT NULL CHECK (kind IN ('session', 'token', 'subject')),
      id TEXT NOT NULL,
      cut_seconds INTEGER CHECK ((cut_seconds IS NOT NULL) = (kind = 'subject')),
      until INTEGER NOT NULL,
      UNIQUE (kind, id)
    ) STRICT;
    CREATE INDEX IF NOT EXISTS ${prefix}revocations_end ON ${prefix}revocations (until);`
}

/** Reads the marker. @throws {Error} for data of a newer version */
export function markerOf(row: unknown): Marker {
  const fields = fieldsOf(row)
  const version = numberOf(fields['version'])
  demandVersion(version)
  return { version, feedId: textOf(fields['feedId']), bornAt: numberOf(fields['bornAt']) }
}

function demandVersion(version: number): void {
  if (version !== currentVersion)
    throw new Error(`The data has version ${version}, and needs a newer tallystick`)
}
