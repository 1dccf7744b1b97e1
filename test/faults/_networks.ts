/** What can happen between a process and a store that is well, or to the store itself; holds no test itself. */

import type { Driver } from './_lines.ts'
import { expectSurvival } from './_outage.ts'
import type { Relay } from './_relay.ts'
import type { OwnServer } from './_servers.ts'
import { withWorld } from './_world.ts'

export const networks: readonly (readonly [
  name: string,
  fail: (relay: Relay) => void,
  isForgetful: boolean,
])[] = [
  ['refuses connections', (relay) => relay.set('refuse'), false],
  ['swallows everything', (relay) => relay.set('hole'), false],
  ['answers three seconds late', (relay) => relay.set(3000), false],
  ['forgets the connections that were open', (relay) => relay.set('hole'), true],
]

export async function expectSurvivalOfNetwork(
  driver: Driver,
  port: number,
  fail: (relay: Relay) => void,
  isForgetful: boolean,
): Promise<void> {
  await withWorld(driver, port, async (world) => {
    const { relay } = world
    const outage = {
      begin: () => fail(relay),
      end: () => relay.set('pass', isForgetful),
      isElsewhereUp: true,
    }
    await expectSurvival(world, outage)
  })
}

export type ServerFault = 'SIGKILL' | 'SIGTERM' | 'SIGINT' | 'SIGSTOP'

/** @param server One of the test's own, which is removed afterwards. */
export async function expectSurvivalOfServer(
  driver: Driver,
  server: OwnServer,
  fault: ServerFault,
): Promise<void> {
  const outage =
    fault === 'SIGSTOP'
      ? { begin: () => server.signal(fault), end: () => server.signal('SIGCONT'), isElsewhereUp: false }
      : { begin: () => server.stop(fault), end: () => server.start(), isElsewhereUp: false }
  try {
    await withWorld(driver, server.port, (world) => expectSurvival(world, outage))
  } finally {
    await server.remove()
  }
}
