// Opens the stores that are measured: a file of SQLite, and the servers that REDIS_URL and POSTGRES_URL name.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import Database from 'libsql'
import { Pool } from 'pg'
import type { Store } from 'tallystick'
import { postgresStore } from 'tallystick/stores/postgres'
import { redisStore } from 'tallystick/stores/redis'
import { sqliteStore } from 'tallystick/stores/sqlite'

export type StoreKind = 'sqlite' | 'redis' | 'postgres'

export const storeKinds: readonly StoreKind[] = ['sqlite', 'redis', 'postgres']

/** A store of one process; `place` is what its processes share. */
export interface OpenStore {
  readonly store: Store
  /** Calls that have gone to the server; `null` where there is none. */
  roundTrips(): number | null
  /** Ends the client. */
  end(): Promise<void>
}

/** Somewhere for data of one measurement, and how to remove it. */
export interface Place {
  readonly kind: StoreKind
  readonly name: string
}

export async function createPlace(kind: StoreKind): Promise<Place> {
  const name = `bench_${crypto.randomUUID().slice(0, 8)}`
  if (kind !== 'sqlite') return { kind, name }
  return { kind, name: join(await mkdtemp(join(tmpdir(), 'tallystick-')), 'sessions.sqlite') }
}

export async function removePlace({ kind, name }: Place): Promise<void> {
  if (kind === 'sqlite') return rm(join(name, '..'), { recursive: true, force: true })
  if (kind === 'postgres') {
    const pool = createPool(1)
    await pool.query(`drop schema if exists ${name} cascade`)
    return pool.end()
  }
  const redis = createRedis()
  await redis.connect()
  for (let cursor = '0', isDone = false; !isDone; isDone = cursor === '0') {
    const [next, keys] = await redis.scan(cursor, 'MATCH', `{${name}:*`, 'COUNT', 1000)
    if (keys.length > 0) await redis.del(...keys)
    cursor = next
  }
  redis.disconnect()
}

export async function openStore({ kind, name }: Place): Promise<OpenStore> {
  if (kind === 'sqlite') return openSqlite(name)
  return kind === 'redis' ? openRedis(name) : openPostgres(name)
}

function openSqlite(file: string): OpenStore {
  const database = new Database(file)
  return {
    store: sqliteStore(database),
    roundTrips: () => null,
    end: async () => void database.close(),
  }
}

function createRedis(): Redis {
  return new Redis(process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379', {
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    lazyConnect: true,
  })
}

async function openRedis(prefix: string): Promise<OpenStore> {
  const redis = createRedis()
  await redis.connect()
  let count = 0
  const send = redis.sendCommand.bind(redis)
  redis.sendCommand = (...parameters) => {
    count++
    return send(...parameters)
  }
  return {
    store: redisStore(redis, { prefix }),
    roundTrips: () => count,
    end: async () => redis.disconnect(),
  }
}

function createPool(max: number): Pool {
  const url = process.env['POSTGRES_URL'] ?? 'postgres://postgres@127.0.0.1:5432/postgres'
  return new Pool({ connectionString: url, max })
}

function openPostgres(schema: string): OpenStore {
  const pool = createPool(10)
  let count = 0
  const query = pool.query.bind(pool)
  Object.assign(pool, {
    query: (...parameters: Parameters<typeof query>) => {
      count++
      return query(...parameters)
    },
  })
  return { store: postgresStore(pool, { schema }), roundTrips: () => count, end: () => pool.end() }
}
