// Redis that stops, stands still, answers late or not at all, or loses everything: nobody gets in, and all recovers.

import { afterAll, describe, test } from 'vitest'
import {
  expectAnyFeedUnderstood,
  expectFeedRestored,
  expectLostAnswerHarmless,
  expectNobodyRevived,
} from './faults/_feed.ts'
import { redisDrivers } from './faults/_lines.ts'
import { expectSurvivalOfNetwork, expectSurvivalOfServer, networks } from './faults/_networks.ts'
import { OwnRedis, isInstalled } from './faults/_servers.ts'

const isThere = await isInstalled('redis-server')
const server = isThere ? await OwnRedis.start() : undefined
const port = server?.port ?? 0
const timeout = 60_000

afterAll(() => server?.remove())

describe.skipIf(!isThere).each(redisDrivers)('Redis over $name', (driver) => {
  test.concurrent.each(networks)(
    'survives a network that %s',
    { timeout },
    async (_name, fail, isForgetful) => expectSurvivalOfNetwork(driver, port, fail, isForgetful),
  )

  test.concurrent.each([
    ['is killed and started again', 'SIGKILL'],
    ['is ended and started again', 'SIGTERM'],
    ['stands still for a while', 'SIGSTOP'],
  ] as const)('survives a server that %s', { timeout }, async (_name, fault) =>
    expectSurvivalOfServer(driver, await OwnRedis.start(), fault),
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
        async ({ place }) =>
          Number(/\d+$/m.exec((await server?.command('pubsub', 'numsub', `${place}:wake`)) ?? '')?.[0]),
        async () => server?.command('client', 'kill', 'type', 'pubsub'),
      ),
  )

  test.concurrent('takes news that are lost, repeated and out of order', { timeout }, async () =>
    expectAnyFeedUnderstood(driver, port),
  )

  test.concurrent('revives nobody after everything was flushed', { timeout }, async () => {
    const own = await OwnRedis.start()
    try {
      await expectNobodyRevived(driver, own.port, () => own.command('flushall'))
    } finally {
      await own.remove()
    }
  })
})
