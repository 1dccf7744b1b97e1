/** The row on clocks that step: of one server, and of the store. */

/* oxlint-disable vitest/no-standalone-expect -- the proofs of these tables run inside tests */

import { expect, vi } from 'vitest'
import { memoryStore } from '../src/stores/memory.ts'
import { createSite } from './_sessions.ts'
import type { Browser, Site } from './_sessions.ts'
import { createClock } from './_setup.ts'
import type { TestClock } from './_setup.ts'
import type { SessionRow } from './attacks-session-world.ts'
import {
  at,
  count,
  expectAlive,
  expectDead,
  grace,
  signedIn,
  sidOf,
  storeWith,
  within,
  withTimers,
} from './attacks-session-world.ts'

const hour = 3600

interface Clocks {
  /** The store's. */
  readonly clock: TestClock
  /** The first server's. */
  readonly own: TestClock
  /** The second server's. */
  readonly other: TestClock
  readonly here: Site
  readonly there: Site
  readonly user: Browser
}

/** Two servers on one store, each with a clock of its own. */
async function twoClocks(revocation: 'replicated' | 'strict' = 'replicated'): Promise<Clocks> {
  const clock = createClock()
  const [own, other] = [createClock(), createClock()]
  const store = memoryStore({ clock })
  const here = createSite({ store: storeWith(store, {}), revocation }, own)
  const there = createSite({ store: storeWith(store, {}), revocation, decodeLeeway: 300 }, other)
  await Promise.all([here.auth.ready(), there.auth.ready()])
  const { user } = await signedIn(here)
  return { clock, own, other, here, there, user }
}

export const clockRows: readonly SessionRow[] = [
  {
    id: 190,
    input: 'clocks that step',
    proved: [
      ...(['replicated', 'strict'] as const).map((revocation) => ({
        note: `a server an hour behind revives no session that has ended (${revocation})`,
        prove: async () => {
          const { other, here, there, user } = await twoClocks(revocation)
          await here.auth.sessions.revoke(sidOf(user))
          await there.auth.sessions.revoke(sidOf(user))
          other.advance(-hour)
          const copy = at(there, user)
          expect(await copy.get()).toMatchObject({ status: 401 })
          expect(await copy.refresh()).toMatchObject({ status: 401 })
          other.advance(hour)
          await expectDead(at(there, user))
        },
      })),
      {
        note: 'a server an hour behind rotates by the store’s clock: a replay is found out there too',
        prove: async () => {
          const { clock, own, other, there, user } = await twoClocks()
          clock.advance(hour)
          own.advance(hour)
          const thief = at(there, user)
          await user.refresh()
          clock.advance(grace + 1)
          other.advance(grace + 1)
          expect(await thief.refresh()).toMatchObject({ code: 'refresh_reused' })
          expect(await user.refresh()).toMatchObject({ code: 'token_revoked' })
        },
      },
      {
        note: 'a server that is ahead by no more than the leeway signs nobody out',
        prove: async () => {
          const { other, there, user } = await twoClocks()
          other.advance(900 + 299)
          expect(await at(there, user).get()).toMatchObject({ code: 'ok' })
          expect(await at(there, user).refresh()).toMatchObject({ code: 'ok' })
          other.advance(1)
          expect(await at(there, user).get()).toMatchObject({ code: 'token_expired' })
          // The access token is over there, the sign-in is not.
          expect(await at(there, user).refresh()).toMatchObject({ code: 'ok' })
          expect(await there.auth.sessions.list('test')).toHaveLength(1)
        },
      },
      {
        note: 'a store whose clock jumps an hour ahead, and back, ends no session',
        prove: async () => {
          const { clock, here, user } = await twoClocks()
          clock.advance(hour)
          expect(await user.refresh()).toMatchObject({ code: 'ok' })
          clock.advance(-hour)
          // The age of the last rotation is unknown now: the newest rotates.
          expect(await user.refresh()).toMatchObject({ code: 'ok' })
          clock.advance(grace + 1)
          expect(await user.refresh()).toMatchObject({ code: 'ok' })
          expect(count(here, 'session.reused')).toBe(0)
          await expectAlive(user)
        },
      },
      ...(['replicated', 'strict'] as const).map((revocation) => ({
        note: `a server a minute behind takes nothing that was revoked, to the end of the token (${revocation})`,
        prove: async () => {
          const { clock, own, other, here, there, user } = await twoClocks(revocation)
          other.advance(-60)
          await here.auth.sessions.revoke(sidOf(user))
          expect(await within(5000, async () => (await at(there, user).get()).status === 401)).toBe(true)
          for (let second = 0; second < 900 + 300 + 60; second += 60) {
            for (const one of [clock, own, other]) one.advance(60)
            await there.store.sweep(1000)
            expect(await at(there, user).get()).toMatchObject({ status: 401 })
            expect(await at(there, user).refresh()).toMatchObject({ status: 401 })
          }
        },
      })),
      {
        note: 'a store whose clock jumps five minutes ahead, and back, forgets nothing that was revoked',
        prove: () =>
          withTimers(async () => {
            const { clock, here, there, user } = await twoClocks()
            clock.advance(890)
            await here.auth.sessions.revoke(sidOf(user))
            clock.advance(300)
            await vi.advanceTimersByTimeAsync(3000)
            await there.store.sweep(1000)
            clock.advance(-300)
            for (const site of [here, there]) await expectDead(at(site, user))
            await Promise.all([here.auth.close(), there.auth.close()])
          }),
      },
      {
        note: 'a store whose clock goes an hour back extends no grace, and signs nobody out',
        prove: async () => {
          const { clock, user } = await twoClocks()
          clock.advance(2 * hour)
          const thief = user.copy()
          await user.refresh()
          clock.advance(-hour)
          expect(await thief.refresh()).toMatchObject({ code: 'refresh_reused', setCookies: [] })
          expect(await user.refresh()).toMatchObject({ code: 'ok' })
          clock.advance(2 * 31)
          expect(await thief.refresh()).toMatchObject({ code: 'refresh_reused' })
          await expectDead(user)
        },
      },
      {
        note: 'a session that has ended stays so when the store’s clock goes an hour back',
        prove: async () => {
          const { clock, user, here } = await twoClocks('strict')
          clock.advance(2 * hour)
          await user.refresh()
          await here.auth.sessions.revoke(sidOf(user))
          clock.advance(-hour)
          const answers = [await user.copy().get(), await user.copy().refresh()]
          for (const { status } of answers) expect(status).toBe(401)
          clock.advance(hour)
          await expectDead(user)
        },
      },
    ],
  },
]
