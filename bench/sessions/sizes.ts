// How many bytes a session and a revocation take in each store: the constants of docs/scale.md.

import { stat } from 'node:fs/promises'
import { Redis } from 'ioredis'
import { Pool } from 'pg'
import { createPlace, openStore, removePlace, storeKinds } from './stores.ts'
import type { OpenStore, Place, StoreKind } from './stores.ts'
import type { Table } from '../report.ts'

const count = 20_000
const day = 86_400_000
const userAgent =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36'

export async function measureSizes(): Promise<Table> {
  const rows: [string, number, number][] = []
  for (const kind of storeKinds) rows.push([kind, ...(await measure(kind))])
  return {
    title: `Bytes in the store, of ${count.toLocaleString('en')} sessions`,
    columns: ['store', 'a session', 'more when it is revoked'],
    rows,
  }
}

async function measure(kind: StoreKind): Promise<[session: number, revoked: number]> {
  const place = await createPlace(kind)
  const open = await openStore(place)
  try {
    await open.store.open()
    const empty = await bytesOf(place, open)
    const sids = await createSessions(open)
    const filled = await bytesOf(place, open)
    for (let index = 0; index < count; index += 100) {
      await Promise.all(
        sids
          .slice(index, index + 100)
          .map((sid) => open.store.revoke({ kind: 'session', sid, accessLifetime: 1_260_000 })),
      )
    }
    const revoked = await bytesOf(place, open)
    return [Math.round((filled - empty) / count), Math.round((revoked - filled) / count)]
  } finally {
    await open.store.close()
    await open.end()
    await removePlace(place)
  }
}

async function createSessions({ store }: OpenStore): Promise<readonly string[]> {
  const sids: readonly string[] = Array.from({ length: count }, () => crypto.randomUUID())
  const issuedAtSeconds = Math.floor(Date.now() / 1000)
  const create = (id: string): Promise<unknown> =>
    store.create({
      id,
      // Two sessions a subject, as a phone and a computer.
      subject: `user-${id.slice(0, 3)}-${sids.indexOf(id) >> 1}`,
      salt: Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('base64url'),
      issuedAtSeconds,
      authTimeSeconds: issuedAtSeconds,
      accessLifetime: 1_260_000,
      idleLifetime: 30 * day,
      expiresAt: Date.now() + 90 * day,
      metadata: { userAgent, address: '2001:db8:85a3::8a2e:370:7334' },
    })
  for (let index = 0; index < count; index += 100) {
    await Promise.all(sids.slice(index, index + 100).map((sid) => create(sid)))
  }
  return sids
}

/** What the data takes where it lies; a Redis must have nothing else to do meanwhile. */
async function bytesOf({ kind, name }: Place, { store }: OpenStore): Promise<number> {
  await store.sweep(1)
  if (kind === 'sqlite') return (await stat(name)).size + (await stat(`${name}-wal`)).size
  if (kind === 'redis') return redisBytes()
  const pool = new Pool({ connectionString: process.env['POSTGRES_URL'] ?? defaultPostgres, max: 1 })
  const { rows } = await pool.query(
    `select sum(pg_total_relation_size(c.oid))::float8 as bytes from pg_class c
     where c.relnamespace = $1::regnamespace and c.relkind = 'r'`,
    [name],
  )
  await pool.end()
  return Number(rows[0]?.bytes)
}

const defaultPostgres = 'postgres://postgres@127.0.0.1:5432/postgres'

async function redisBytes(): Promise<number> {
  const redis = new Redis(process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379')
  const info = await redis.info('memory')
  redis.disconnect()
  return Number(/used_memory_dataset:(\d+)/.exec(info)?.[1])
}
