/** The rows on a store that is behind: it answers late, or one server no longer hears what another was told. */

/* oxlint-disable vitest/no-standalone-expect -- the proofs of these tables run inside tests */

import { expect, vi } from 'vitest'
import type { AuthOptions } from '../src/index.ts'
import { memoryStore } from '../src/stores/memory.ts'
import { createSite } from './_sessions.ts'
import type { Site } from './_sessions.ts'
import { createClock } from './_setup.ts'
import { expectOutage, faulty, faultyStore } from './attacks-session-outage.ts'
import type { Fault, Faulty, Method } from './attacks-session-outage.ts'
import type { SessionRow } from './attacks-session-world.ts'
import {
  at,
  expectAlive,
  expectDead,
  expectUnavailable,
  grace,
  sidOf,
  signedIn,
  storeWith,
  withTimers,
} from './attacks-session-world.ts'

/** Answers that are given when the test says so. */
function delayed(): { readonly fault: Fault; readonly answer: (index: number, value: unknown) => void } {
  const waiting: ((value: unknown) => void)[] = []
  return {
    fault: () => new Promise((resolve) => waiting.push(resolve)),
    answer: (index, value) => waiting[index]?.(value),
  }
}

const late: SessionRow = {
  id: 202,
  input: 'a store that answers after the deadline',
  proved: [
    {
      note: 'is not waited for, whatever was asked, and what it says then is not heard',
      prove: () =>
        withTimers(() =>
          expectOutage(
            (right) =>
              new Promise((resolve) => {
                setTimeout(() => resolve(right()), 1500)
              }),
            () => vi.advanceTimersByTimeAsync(1000),
            // What was done late was done: its answer is still to be had within the grace.
            grace - 1,
          ),
        ),
    },
    {
      note: 'is not waited for before the deadline has passed, and heard until then',
      prove: () =>
        withTimers(async () => {
          const { user, faults } = await faulty()
          faults.set(
            'isRevoked',
            (right) => new Promise((resolve) => setTimeout(() => resolve(right()), 999)),
          )
          const answer = user.get()
          await vi.advanceTimersByTimeAsync(999)
          expect(await answer).toMatchObject({ code: 'ok' })
        }),
    },
    {
      note: 'a late no to one question is no answer to the next',
      prove: () =>
        withTimers(async () => {
          const { user, faults } = await faulty()
          const { fault, answer } = delayed()
          faults.set('isRevoked', fault)
          const first = user.get()
          await vi.advanceTimersByTimeAsync(1000)
          expectUnavailable(await first)
          const second = user.get()
          await vi.advanceTimersByTimeAsync(10)
          answer(0, false)
          await vi.advanceTimersByTimeAsync(10)
          answer(1, true)
          expect(await second).toMatchObject({ code: 'token_revoked' })
        }),
    },
    {
      note: 'a late rotation was one: the same client gets its successor when it comes again',
      prove: () =>
        withTimers(async () => {
          const { user, faults } = await faulty()
          faults.set('rotate', async (right) => {
            const result = await right()
            await new Promise((resolve) => setTimeout(resolve, 5000))
            return result
          })
          const first = user.refresh()
          await vi.advanceTimersByTimeAsync(1000)
          expectUnavailable(await first)
          faults.clear()
          expect(await user.refresh()).toMatchObject({ code: 'ok' })
          expect(user.claims()).toMatchObject({ gen: 1 })
          await vi.advanceTimersByTimeAsync(5000)
          await expectAlive(user)
        }),
    },
  ],
}

/** Two servers on one data; the feed of the second can be cut. */
async function partitioned(options: AuthOptions = {}): Promise<Faulty & { readonly there: Site }> {
  const clock = createClock()
  const data = memoryStore({ clock })
  const here = createSite({ ...options, store: storeWith(data, {}) }, clock)
  const faults = new Map<Method, Fault>()
  const store = storeWith(faultyStore(data, faults), { watch: () => () => undefined })
  const there = createSite({ ...options, store }, clock)
  await Promise.all([here.auth.ready(), there.auth.ready()])
  return { ...(await signedIn(here)), faults, there }
}

const cuts: Readonly<Record<string, Fault>> = {
  'is not answered': () => new Promise(() => undefined),
  'is refused': () => Promise.reject(new Error('no route to host')),
}

const partition: SessionRow = {
  // Servers that really lose the way to a store are in test/faults-*.
  id: 206,
  input: 'a revocation on one side of a broken network, a request on the other',
  proved: [
    ...Object.entries(cuts).map(([name, fault]) => ({
      note: `a feed that ${name}: the other server serves for maxStaleness, then 503, and refuses once it is back`,
      prove: () =>
        withTimers(async () => {
          const { user, auth, faults, there } = await partitioned({ maxStaleness: 3 })
          const remote = at(there, user)
          faults.set('revocations', fault)
          await auth.sessions.revoke(sidOf(user))
          await expectDead(user)
          expect(await remote.get()).toMatchObject({ code: 'ok' })
          for (let second = 0; second < 10; second++) {
            await vi.advanceTimersByTimeAsync(3000)
            const answer = remote.get()
            await vi.advanceTimersByTimeAsync(1000)
            expectUnavailable(await answer)
          }
          faults.clear()
          await vi.advanceTimersByTimeAsync(1500)
          expect(await remote.get()).toMatchObject({ code: 'token_revoked' })
          await Promise.all([auth.close(), there.auth.close()])
        }),
    })),
    {
      note: 'without any hint of news the other server knows within a second',
      prove: () =>
        withTimers(async () => {
          const { user, auth, there } = await partitioned()
          await auth.sessions.revoke(sidOf(user))
          await vi.advanceTimersByTimeAsync(1000)
          expect(await at(there, user).get()).toMatchObject({ code: 'token_revoked' })
          await Promise.all([auth.close(), there.auth.close()])
        }),
    },
    {
      note: 'a refresh is judged by the data itself: there is no window in which it works',
      prove: async () => {
        const { user, auth, faults, there } = await partitioned()
        faults.set('revocations', () => new Promise(() => undefined))
        await auth.sessions.revoke(sidOf(user))
        expect(await at(there, user).refresh()).toMatchObject({ code: 'token_revoked' })
      },
    },
    {
      note: 'nor is there one for guards that ask each time',
      prove: async () => {
        const { user, auth, there } = await partitioned({ revocation: 'strict' })
        await auth.sessions.revoke(sidOf(user))
        await expectDead(at(there, user))
      },
    },
  ],
}

export const lateRows: readonly SessionRow[] = [late, partition]
