// PostgreSQL for the tests of its store: schemas of their own, dropped afterwards, over every driver.

import { PGlite } from '@electric-sql/pglite'
import pg from 'pg'
import postgres from 'postgres'

const url = process.env['POSTGRES_URL'] ?? 'postgres://postgres@127.0.0.1:5432/postgres'
/** A commit need not reach the disk here. */
const settings = '-c synchronous_commit=off'
const suffix = crypto.randomUUID().replaceAll('-', '').slice(0, 8)
const ends: (() => Promise<unknown>)[] = []
let count = 0

/** Whether there is a server; where there must be one and is none, this rejects. */
export async function isReachable(): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 3000 })
  try {
    await client.connect()
    await client.end()
    return true
  } catch (error) {
    if (process.env['CI'] === 'true') throw error
    process.stderr.write('PostgreSQL cannot be reached at POSTGRES_URL: its tests are skipped\n')
    return false
  }
}

export function newSchema(): string {
  return `tallystick_test_${suffix}_${count++}`
}

export function newPool(options: pg.PoolConfig = {}): pg.Pool {
  const pool = new pg.Pool({ connectionString: url, options: settings, idleTimeoutMillis: 300, ...options })
  // A connection that is killed while it is idle.
  pool.on('error', () => undefined)
  ends.push(() => pool.end())
  return pool
}

export function newPostgresJs(): postgres.Sql {
  const sql = postgres(url, { connection: { options: settings }, idle_timeout: 1, onnotice: failOnNotice })
  ends.push(() => sql.end())
  return sql
}

function failOnNotice(notice: postgres.Notice): void {
  throw new Error(`a notice, which postgres.js writes to the console: ${notice['message']}`)
}

export function newPglite(): PGlite {
  const database = new PGlite()
  ends.push(() => database.close())
  return database
}

/** Ends the clients of the tests, then drops what they made. */
export async function cleanUp(): Promise<void> {
  await Promise.all(ends.map((end) => end()))
  const client = new pg.Client({ connectionString: url, options: '-c client_min_messages=warning' })
  await client.connect()
  const made = await client.query<{ name: string }>(
    'select nspname as name from pg_namespace where starts_with(nspname, $1)',
    [`tallystick_test_${suffix}`],
  )
  for (const { name } of made.rows) await client.query(`drop schema "${name}" cascade`)
  await client.end()
}

/** One connection, within a transaction that ends when it is told. */
export async function newTransaction(): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, options: settings })
  await client.connect()
  ends.push(() => client.end())
  await client.query('begin')
  return client
}

/** Runs statements as an operator would. */
export async function administer<Row extends pg.QueryResultRow>(sql: string): Promise<readonly Row[]> {
  const client = new pg.Client({ connectionString: url, options: '-c client_min_messages=warning' })
  await client.connect()
  try {
    const { rows } = await client.query<Row>(sql)
    return rows
  } finally {
    await client.end()
  }
}

/** Waits until something is so. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + 8000
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error('it never came to that')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** Whether a statement that names this schema waits for a lock. */
export async function isWaiting(schema: string): Promise<boolean> {
  const waiting = await administer(
    `select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like '%"${schema}"%'`,
  )
  return waiting.length > 0
}

/** Ends every connection that listens for news of this schema; returns how many there were. */
export async function killListeners(schema: string): Promise<number> {
  const killed = await administer(
    `select pg_terminate_backend(pid) from pg_stat_activity where query ilike 'listen %${schema}_news%'
      and pid <> pg_backend_pid()`,
  )
  return killed.length
}
