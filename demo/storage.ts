// Opens the store that the settings name with the driver that is there, and keeps the secret beside it.

import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type Database from 'libsql'
import { AuthError, type Store } from 'tallystick'
import { memoryStore } from 'tallystick/stores/memory'
import { postgresStore } from 'tallystick/stores/postgres'
import { redisStore } from 'tallystick/stores/redis'
import { sqliteStore } from 'tallystick/stores/sqlite'
import { describePlace, type Place } from './settings.ts'

const connectMs = 5000

export type Storage = {
  store: Store
  /** Ends what was opened here; the store has been closed before. */
  end: () => Promise<void>
}

/** What a person can put right: a server that is away, a file that is in the way. It says so in one line. */
export class Unusable extends Error {}

/** @throws {Unusable} */
export async function openStorage(place: Place): Promise<Storage> {
  try {
    return await open(place)
  } catch (error) {
    throw unusablePlace(place, error)
  }
}

export function unusablePlace(place: Place, error: unknown): Unusable {
  const problem = `Sessions cannot be kept in ${describePlace(place)}: ${reasonOf(error)}`
  return new Unusable(`${problem}. Choose another place with STORE.`)
}

/** The driver's own word, in one line. It names hosts and users, and no password. */
function reasonOf(error: unknown): string {
  if (AuthError.is(error) && error.cause !== undefined) return reasonOf(error.cause)
  // A host with several addresses, none of which answers.
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join(', ')
  return String(Object(error).message || Object(error).code || error)
    .replace(/\s+/g, ' ')
    .replace(/\.$/, '')
}

async function open(place: Place): Promise<Storage> {
  if (place.kind === 'sqlite') return openSqlite(place.file)
  if (place.kind === 'redis') return openRedis(place.url)
  if (place.kind === 'postgres') return openPostgres(place.url)
  return { store: memoryStore(), end: async () => {} }
}

async function openSqlite(file: string): Promise<Storage> {
  await mkdir(dirname(file), { recursive: true })
  const Driver = await findSqlite()
  const database = new Driver(file)
  return { store: sqliteStore(database), end: async () => void database.close() }
}

/** Node's own since 22.5; before that, libsql. */
async function findSqlite(): Promise<typeof Database> {
  const { DatabaseSync } = Object(process.getBuiltinModule('node:sqlite')) as {
    DatabaseSync?: typeof Database
  }
  return DatabaseSync ?? (await import('libsql')).default
}

async function openRedis(url: string): Promise<Storage> {
  const { Redis } = await import('ioredis')
  const client = new Redis(url, {
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    lazyConnect: true,
  })
  // Each failing call says so itself; without a listener the process would end.
  const errors: unknown[] = []
  client.on('error', (error) => void (errors[0] = error))
  try {
    await inTime(client.connect())
  } catch (error) {
    errors[0] ??= error
  }
  // A database that the server does not have is told as an error of a client that is connected.
  if (errors.length > 0) {
    client.disconnect()
    throw errors[0]
  }
  return { store: redisStore(client), end: async () => client.disconnect() }
}

/** A server that takes connections may still say nothing. */
async function inTime(step: Promise<void>): Promise<void> {
  const late = async (): Promise<never> => {
    await sleep(connectMs, undefined, { ref: false })
    throw new Error(`no answer in ${connectMs / 1000} seconds`)
  }
  return Promise.race([step, late()])
}

async function openPostgres(url: string): Promise<Storage> {
  const { default: pg } = await import('pg')
  const pool = new pg.Pool({ connectionString: url, connectionTimeoutMillis: connectMs })
  // As above: an idle connection that breaks is replaced by the next call.
  pool.on('error', () => {})
  return { store: postgresStore(pool), end: () => pool.end() }
}

/**
 * The secret of earlier runs, or a new one for them all: sign-ins outlive a restart only if it does.
 *
 * @throws {Unusable}
 */
export async function keepSecret(file: string): Promise<string> {
  const secret = await findOrMake(file).catch((error: unknown) => {
    throw new Unusable(`The secret cannot be kept in ${file}: ${reasonOf(error)}. Set AUTHJWT_SECRET_KEY.`)
  })
  if (/^[\w-]{64}$/.test(secret)) return secret
  throw new Unusable(`${file} holds no secret of this demo. Delete it, or set AUTHJWT_SECRET_KEY.`)
}

async function findOrMake(file: string): Promise<string> {
  const made = `${file}.${crypto.randomUUID()}`
  const secret = Buffer.from(crypto.getRandomValues(new Uint8Array(48))).toString('base64url')
  await mkdir(dirname(file), { recursive: true })
  try {
    await writeFile(made, secret, { mode: 0o600, flag: 'wx' })
    // Whole or not at all, and only where there is none: several processes may start at once.
    await link(made, file)
  } catch (error) {
    if (Object(error).code !== 'EEXIST') throw error
  } finally {
    await rm(made, { force: true })
  }
  return readFile(file, 'utf8')
}
