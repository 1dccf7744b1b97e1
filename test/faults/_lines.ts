/** The clients of the databases, with the options that the documentation asks for; holds no test itself. */

import { Redis } from 'ioredis'
import pg from 'pg'
import postgres from 'postgres'
import { createClient } from 'redis'
import { rotate } from '../../src/stores/_redis-scripts.ts'
import { postgresStore } from '../../src/stores/postgres.ts'
import { redisStore } from '../../src/stores/redis.ts'
import type { Store } from '../../src/index.ts'

/** A store over a client of its own. */
export interface Line {
  readonly store: Store
  end(): Promise<unknown>
}

export interface Driver {
  readonly name: string
  /** What is in the request of a rotation, and of no other step. */
  readonly rotation: string
  /** @param place The prefix or schema. */
  connect(port: number, place: string): Promise<Line>
}

const host = '127.0.0.1'
const account = { user: 'postgres', database: 'postgres' }

export const redisDrivers: readonly Driver[] = [
  {
    name: 'ioredis',
    rotation: rotate.sha1,
    async connect(port, prefix) {
      const client = new Redis({
        port,
        host,
        enableOfflineQueue: false,
        autoResendUnfulfilledCommands: false,
        maxRetriesPerRequest: 0,
        // The connection that has died without a word.
        socketTimeout: 3000,
      })
      client.on('error', () => undefined)
      await new Promise((resolve) => client.once('ready', resolve))
      return { store: redisStore(client, { prefix }), end: async () => client.disconnect() }
    },
  },
  {
    name: 'node-redis',
    rotation: rotate.sha1,
    async connect(port, prefix) {
      const client = createClient({ socket: { port, host }, disableOfflineQueue: true })
      client.on('error', () => undefined)
      await client.connect()
      const unwatch = watch(client)
      const end = async (): Promise<void> => {
        unwatch()
        client.destroy()
      }
      return { store: redisStore(client, { prefix }), end }
    },
  },
]

interface Watched {
  readonly isOpen: boolean
  on(event: 'ready', listener: () => void): unknown
  ping(): Promise<unknown>
  connect(): Promise<unknown>
  destroy(): void
}

/** It has no time-out for a connection that has died without a word: this is the application's to find out. */
function watch(client: Watched): () => void {
  let answeredAt = performance.now()
  const noteAnswer = (): void => {
    answeredAt = performance.now()
  }
  // One that has only just come back by itself must not be ended for its silence before.
  client.on('ready', noteAnswer)
  const timer = setInterval(() => {
    client.ping().then(noteAnswer, () => undefined)
    if (performance.now() - answeredAt < 3000) return
    noteAnswer()
    if (client.isOpen) client.destroy()
    client.connect().catch(() => undefined)
  }, 1000)
  return () => clearInterval(timer)
}

export const postgresDrivers: readonly Driver[] = [
  {
    name: 'pg',
    rotation: 'lateReplay',
    async connect(port, schema) {
      const limits = { connectionTimeoutMillis: 3000, query_timeout: 3000 }
      const pool = new pg.Pool({ port, host, ...account, ...limits })
      pool.on('error', () => undefined)
      return { store: postgresStore(pool, { schema }), end: () => pool.end() }
    },
  },
  {
    name: 'postgres.js',
    rotation: 'lateReplay',
    async connect(port, schema) {
      const sql = postgres({ port, host, ...account, connect_timeout: 3 })
      return { store: postgresStore(sql, { schema }), end: () => sql.end({ timeout: 1 }) }
    },
  },
]
