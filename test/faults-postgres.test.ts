// PostgreSQL that stops, stands still, answers late or not at all, or loses everything: nobody gets in, all recovers.

import { afterAll, describe, expect, test } from 'vitest'
import type { Store } from '../src/index.ts'
import { memoryStore } from '../src/stores/memory.ts'
import { createSite } from './_sessions.ts'
import {
  expectAnyFeedUnderstood,
  expectFeedRestored,
  expectLostAnswerHarmless,
  expectNobodyRevived,
} from './faults/_feed.ts'
import { postgresDrivers } from './faults/_lines.ts'
import { expectSurvivalOfNetwork, expectSurvivalOfServer, networks } from './faults/_networks.ts'
import { OwnPostgres, isInstalled } from './faults/_servers.ts'
import { changed, until } from './faults/_world.ts'

const isThere = await isInstalled('postgres')
const server = isThere ? await OwnPostgres.start() : undefined
const port = server?.port ?? 0
const timeout = 60_000

afterAll(() => server?.remove())

const listeners = (place: string): string =>
  `from pg_stat_activity where query ilike 'listen %${place}%' and pid <> pg_backend_pid()`

describe.skipIf(!isThere).each(postgresDrivers)('PostgreSQL over $name', (driver) => {
  test.concurrent.each(networks)(
    'survives a network that %s',
    { timeout },
    async (_name, fail, isForgetful) => expectSurvivalOfNetwork(driver, port, fail, isForgetful),
  )

  test.concurrent.each([
    ['is killed and started again', 'SIGKILL'],
    ['is ended and started again', 'SIGINT'],
    ['stands still for a while', 'SIGSTOP'],
  ] as const)('survives a server that %s', { timeout }, async (_name, fault) =>
    expectSurvivalOfServer(driver, await OwnPostgres.start(), fault),
  )

  test.concurrent('gives a browser the tokens whose answer broke off', { timeout }, async () =>
    expectLostAnswerHarmless(driver, port),
  )

  test.concurrent(
    'hears of revocations although its listeners are killed, and listens again',
    { timeout },
    async () =>
      expectFeedRestored(
        driver,
        port,
        async ({ place }) => (await server?.query(`select pid ${listeners(place)}`))?.length ?? 0,
        async ({ place }) => server?.query(`select pg_terminate_backend(pid) ${listeners(place)}`),
      ),
  )

  test.concurrent('takes news that are lost, repeated and out of order', { timeout }, async () =>
    expectAnyFeedUnderstood(driver, port),
  )

  test.concurrent('revives nobody after its schema was dropped', { timeout }, async () =>
    expectNobodyRevived(driver, port, async ({ place }) => server?.query(`drop schema "${place}" cascade`)),
  )
})

// Each one that never ends leaves a listener on the signal that all of them share.
test('a read of the feed that was given up is told so', { timeout }, async () => {
  const signals: AbortSignal[] = []
  const revocations: Store['revocations'] = async (_cursor, signal) => {
    signals.push(signal)
    return new Promise(() => undefined)
  }
  const { auth } = createSite({ store: changed(memoryStore(), { revocations }), storeTimeout: 1 })
  try {
    await until('there was another', () => signals.length > 1)
    expect(signals[0]?.aborted).toBe(true)
  } finally {
    await auth.close()
  }
})
