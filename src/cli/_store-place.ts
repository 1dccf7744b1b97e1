/** Opens the store that an address names, with the driver that is there; no message holds the address's password. */

import { statSync } from 'node:fs'
import type { Store } from '../index.ts'
import type { SqliteDatabase } from '../stores/sqlite.ts'
import { postgresStore } from '../stores/postgres.ts'
import { redisStore } from '../stores/redis.ts'
import { sqliteStore } from '../stores/sqlite.ts'
import { Failure, misuse, reasonOf, unable } from './_failure.ts'
import { visible } from './_visible.ts'

/** A store, and what ends the client below it. */
export interface OpenPlace {
  readonly store: Store
  /** Where it is, without user and password. */
  readonly name: string
  /** What no message may hold. */
  readonly secrets: readonly string[]
  end(): Promise<void>
}

export interface PlaceOptions {
  /** Of keys, of tables, or the schema. */
  readonly prefix: string | undefined
  readonly partitions: number | undefined
}

const connectMilliseconds = 5000

/** @throws {Failure} */
export async function openPlace(address: string, options: PlaceOptions): Promise<OpenPlace> {
  const [, scheme = '', rest = ''] = /^([a-z]+):(.*)$/s.exec(address) ?? []
  if (scheme === 'sqlite' && rest !== '') return openSqlite(rest.replace(/^\/\/(?=\/)/, ''), options)
  const isServer = ['redis', 'rediss', 'postgres', 'postgresql'].includes(scheme)
  if (!isServer || !/^\/\/./s.test(rest) || !URL.canParse(address))
    throw misuse(
      'The store must be redis://…, rediss://…, postgres://… or sqlite:<file>, in TALLYSTICK_STORE or --store-file',
    )
  const url = new URL(address)
  const name = visible(`${url.protocol}//${url.host}${url.pathname}`)
  const secrets = [address, url.password, decode(url.password)].filter((secret) => secret !== '')
  const open = scheme.startsWith('redis') ? openRedis : openPostgres
  try {
    const { store, end } = await open(address, options)
    return { store, name, secrets, end }
  } catch (error) {
    if (error instanceof TypeError) throw misuse(reasonOf(error, secrets))
    if (error instanceof Failure) throw error
    throw unable(`The store at ${name} cannot be opened: ${reasonOf(error, secrets)}`)
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    // Then it stands for itself.
    return text
  }
}

type Opened = Pick<OpenPlace, 'store' | 'end'>

async function openRedis(address: string, { prefix, partitions }: PlaceOptions): Promise<Opened> {
  const ioredis = await load(() => import('ioredis'))
  if (ioredis === undefined) return openNodeRedis(address, { prefix, partitions })
  const client = new ioredis.Redis(address, {
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    lazyConnect: true,
    retryStrategy: () => null,
  })
  const errors: unknown[] = []
  client.on('error', (error) => errors.push(error))
  try {
    await inTime(client.connect())
    // A database that the server does not have is told as an error of a client that is connected.
    if (errors.length > 0) throw errors[0]
  } catch (error) {
    client.disconnect()
    throw errors[0] ?? error
  }
  return { store: redisStore(client, { prefix, partitions }), end: async () => client.disconnect() }
}

async function openNodeRedis(address: string, { prefix, partitions }: PlaceOptions): Promise<Opened> {
  const redis = await load(() => import('redis'))
  if (redis === undefined) throw missing('ioredis (or redis)', 'ioredis')
  const client = redis.createClient({
    url: address,
    disableOfflineQueue: true,
    socket: { reconnectStrategy: false },
  })
  client.on('error', () => undefined)
  await inTime(client.connect())
  return { store: redisStore(client, { prefix, partitions }), end: async () => client.destroy() }
}

async function openPostgres(address: string, { prefix }: PlaceOptions): Promise<Opened> {
  const pg = await load(() => import('pg'))
  if (pg === undefined) return openPostgresJs(address, prefix)
  const pool = new pg.default.Pool({
    connectionString: address,
    connectionTimeoutMillis: connectMilliseconds,
    max: 1,
  })
  // An idle connection that breaks is replaced by the next call.
  pool.on('error', () => undefined)
  const store = postgresStore(pool, { schema: prefix })
  await pool.query('SELECT 1')
  return { store, end: () => pool.end() }
}

async function openPostgresJs(address: string, schema: string | undefined): Promise<Opened> {
  const postgres = await load(() => import('postgres'))
  if (postgres === undefined) throw missing('pg (or postgres)', 'pg')
  const sql = postgres.default(address, {
    max: 1,
    connect_timeout: connectMilliseconds / 1000,
    onnotice: () => undefined,
  })
  const store = postgresStore(sql, { schema })
  await inTime(sql`SELECT 1`)
  return { store, end: () => sql.end() }
}

async function openSqlite(file: string, { prefix }: PlaceOptions): Promise<OpenPlace> {
  const name = visible(file)
  try {
    // SQLite would make the file, and nobody would ever look into that one.
    if (!statSync(file).isFile()) throw unable(`${name} is no file`)
    const database = await openDatabase(file)
    const store = sqliteStore(database, { prefix })
    return { store, name, secrets: [], end: async () => database.close() }
  } catch (error) {
    if (error instanceof TypeError) throw misuse(reasonOf(error))
    if (error instanceof Failure) throw error
    throw unable(`The store in ${name} cannot be opened: ${reasonOf(error)}`)
  }
}

type ClosableDatabase = SqliteDatabase & { close(): void }
type DatabaseClass = new (file: string) => ClosableDatabase

/** Node's own from 22.5 on; before that what is installed. */
async function openDatabase(file: string): Promise<ClosableDatabase> {
  const builtin: { readonly DatabaseSync?: DatabaseClass } | undefined =
    process.getBuiltinModule('node:sqlite')
  if (builtin?.DatabaseSync !== undefined) return new builtin.DatabaseSync(file)
  const libsql = await load(() => import('libsql'))
  if (libsql === undefined) throw missing('libsql (or Node 22.5)', 'libsql')
  return new libsql.default(file)
}

function missing(names: string, install: string): Failure {
  return unable(`This store needs the package ${names}: npm install ${install}`)
}

/** A driver, or `undefined` where it is not installed. */
async function load<Driver>(importDriver: () => Promise<Driver>): Promise<Driver | undefined> {
  try {
    return await importDriver()
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}

function isNotFound(error: unknown): boolean {
  const { code } = Object(error) as { readonly code?: unknown }
  return code === 'ERR_MODULE_NOT_FOUND'
}

/** A server that takes connections may still say nothing. */
async function inTime<Value>(step: PromiseLike<Value>): Promise<Value> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    const error = new Error(`there was no answer in ${connectMilliseconds / 1000} seconds`)
    timer = setTimeout(() => reject(error), connectMilliseconds)
  })
  return Promise.race([step, late]).finally(() => clearTimeout(timer))
}
