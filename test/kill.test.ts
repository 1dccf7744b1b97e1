// Processes that are killed between any two calls of their store: a session works or has ended, and never twice.

import { afterAll, describe, expect, test } from 'vitest'
import { Redis } from 'ioredis'
import pg from 'pg'
import { postgresStore } from '../src/stores/postgres.ts'
import { redisStore } from '../src/stores/redis.ts'
import { sqliteStore } from '../src/stores/sqlite.ts'
import { expectSurvivalOfKills } from './faults/_kill.ts'
import type { Deed, Place } from './faults/_kill.ts'
import { OwnPostgres, OwnRedis, isInstalled } from './faults/_servers.ts'
import { Folder } from './stores/_sqlite.ts'

const ends: (() => Promise<unknown>)[] = []
const timeout = 90_000

afterAll(async () => {
  for (const end of ends.toReversed()) await end()
})

async function redisPlace(): Promise<Place> {
  const server = await OwnRedis.start()
  const client = new Redis({
    port: server.port,
    host: '127.0.0.1',
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
  })
  client.on('error', () => undefined)
  await new Promise((resolve) => client.once('ready', resolve))
  ends.push(
    () => server.remove(),
    async () => client.disconnect(),
  )
  const prefix = 'kill'
  return {
    kind: 'redis',
    port: server.port,
    place: prefix,
    open: (clock) => redisStore(client, { prefix, clock }),
  }
}

async function postgresPlace(): Promise<Place> {
  const server = await OwnPostgres.start()
  const { port } = server
  const pool = new pg.Pool({ port, host: '127.0.0.1', user: 'postgres', database: 'postgres', max: 20 })
  pool.on('error', () => undefined)
  ends.push(
    () => server.remove(),
    () => pool.end(),
  )
  const schema = 'kill'
  return { kind: 'postgres', port, place: schema, open: (clock) => postgresStore(pool, { schema, clock }) }
}

async function sqlitePlace(): Promise<Place> {
  const folder = new Folder()
  const file = folder.file()
  ends.push(async () => folder.remove())
  return {
    kind: 'sqlite',
    port: 0,
    place: file,
    open: (clock) => sqliteStore(folder.connect(undefined, file), { clock }),
  }
}

/** What is done, and how many calls that takes. */
const deeds: readonly (readonly [title: string, ...Deed, calls: number])[] = [
  ['a sign-in', 'login', 'nobody', 1],
  ['a sign-in over a session of the same user', 'login', 'subject', 1],
  ['a sign-in over a session of somebody else', 'login', 'other', 2],
  ['a refresh', 'refresh', 'subject', 1],
  ['the adoption of a token without a session', 'refresh', 'stateless', 1],
  ['a sign-out', 'logout', 'subject', 1],
  ['a sign-out without a session', 'logout', 'stateless', 3],
  ['a sign-out everywhere', 'logoutEverywhere', 'subject', 2],
  ['the end of all sessions', 'revokeAll', 'subject', 1],
]

const places = [
  ['SQLite', sqlitePlace, true],
  ['Redis', redisPlace, await isInstalled('redis-server')],
  ['PostgreSQL', postgresPlace, await isInstalled('postgres')],
] as const

describe.each(places)('%s', (_name, open, isThere) => {
  let place: Promise<Place> | undefined

  test.skipIf(!isThere).concurrent.each(deeds)(
    'survives %s that is killed at any of its calls',
    { timeout },
    async (_title, deed, from, calls) => {
      place ??= open()
      expect(await expectSurvivalOfKills(await place, [deed, from])).toBe(calls)
    },
  )
})
