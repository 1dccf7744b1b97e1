/** The rows on a rotation that fails half-way, a row that is gone, and a session of very many rotations. */

/* oxlint-disable vitest/no-standalone-expect -- the proofs of these tables run inside tests */

import { expect } from 'vitest'
import type { Authorize, Store } from '../src/index.ts'
import { memoryStore } from '../src/stores/memory.ts'
import { createSite } from './_sessions.ts'
import type { Browser, Site } from './_sessions.ts'
import { cookieHeader, createClock, forge } from './_setup.ts'
import type { SessionRow } from './attacks-session-world.ts'
import {
  at,
  csrfOf,
  expectAlive,
  expectDead,
  expectUnavailable,
  grace,
  hs256,
  sidOf,
  signedIn,
  siteAt,
  storeWith,
  tokenOf,
} from './attacks-session-world.ts'

/** Somebody whose refresh token says another generation than it has. */
async function agedTo(generation: number): Promise<Site & { readonly user: Browser }> {
  const site = await signedIn()
  const { user } = site
  user.jar['refresh_token_cookie'] = forge(hs256, { ...user.claims(), gen: generation })
  return site
}

async function expectThousandFrom(generation: number, rounds = 1000): Promise<void> {
  const { user, clock } = await agedTo(generation)
  for (let round = 1; round <= rounds; round++) {
    clock.advance(grace + 1)
    const old = user.copy()
    expect(await user.refresh()).toMatchObject({ code: 'ok' })
    expect(user.claims()).toMatchObject({ gen: generation + round })
    if (round % 100 === 1) expect(await old.refresh()).toMatchObject({ code: 'ok' })
  }
  expect(await user.get()).toMatchObject({ code: 'ok' })
  const old = user.copy()
  clock.advance(grace + 1)
  await user.refresh()
  clock.advance(grace + 1)
  expect(await old.refresh()).toMatchObject({ code: 'refresh_reused' })
  await expectDead(user)
}

/** A client that goes away while the answer is written. */
async function refreshWithoutAnswer({ auth }: Site, user: Browser): Promise<void> {
  const headers: Readonly<Record<string, string>> = {
    cookie: cookieHeader(user.jar),
    'x-csrf-token': csrfOf(user),
  }
  const gone = (): never => {
    throw new Error('the client has gone away')
  }
  const request = { method: 'POST', header: (name: string) => headers[name] }
  const authorize: Authorize = auth.authorize(request, { append: gone, set: gone, sent: false })
  await expect(authorize.refresh()).rejects.toThrow('the client has gone away')
}

/** A store that fails one rotation, before or after it is done. */
function failingOnce(store: Store, when: 'before' | 'after'): Store {
  let isDue = true
  return storeWith(store, {
    rotate: async (rotation) => {
      const isFailing = isDue
      isDue = false
      if (isFailing && when === 'before') throw new Error('the disk is full')
      const result = await store.rotate(rotation)
      if (isFailing) throw new Error('the connection broke')
      return result
    },
  })
}

export const failureRows: readonly SessionRow[] = [
  {
    id: 194,
    input: 'the rotation is stored, and its answer never arrives',
    proved: [
      {
        note: 'the client comes again within the grace and gets what was lost',
        prove: async () => {
          const site = await signedIn()
          const { user } = site
          await refreshWithoutAnswer(site, user)
          expect(user.claims()).toMatchObject({ gen: 0 })
          site.clock.advance(grace)
          expect(await user.refresh()).toMatchObject({ code: 'ok' })
          expect(user.claims()).toMatchObject({ gen: 1 })
          site.clock.advance(grace + 1)
          await expectAlive(user)
        },
      },
    ],
  },
  {
    id: 195,
    input: 'the store fails after the tokens were signed',
    proved: (['before', 'after'] as const).map((when) => ({
      note: `503 without a cookie when it fails ${when} it wrote, and the old token still works`,
      prove: async () => {
        const clock = createClock()
        const site = await signedIn(siteAt(failingOnce(memoryStore({ clock }), when), clock))
        const { user, events } = site
        expectUnavailable(await user.refresh())
        expect(events).toContainEqual({ type: 'store.unavailable' })
        if (when === 'before') clock.advance(grace + 1)
        expect(await user.refresh()).toMatchObject({ code: 'ok' })
        expect(user.claims()).toMatchObject({ gen: 1 })
        expect(events).toContainEqual({ type: 'store.recovered' })
        await expectAlive(user)
      },
    })),
  },
  {
    // What a server does at the end of its memory is in test/stores/redis.test.ts.
    id: 196,
    input: 'the row of a session is gone',
    proved: [
      {
        note: 'evicted by sign-ins of others: both tokens are refused, and the session is not made anew',
        prove: async () => {
          const clock = createClock()
          const site = siteAt(memoryStore({ clock, maxSessions: 1 }), clock)
          const { user } = await signedIn(site)
          await signedIn(site, 'other')
          await expectDead(user)
          expect(await site.auth.sessions.get(sidOf(user))).toBeNull()
        },
      },
      {
        note: 'lost without a trace: the refresh token is refused, by every guard that lets one pass',
        prove: async () => {
          const clock = createClock()
          const { user } = await signedIn(createSite({}, clock))
          const site = siteAt(memoryStore({ clock }), clock)
          const there = at(site, user)
          const guarded = await there.send('GET', (authorize) => authorize.jwtRefreshTokenRequired())
          expect(guarded).toMatchObject({ status: 401, code: 'token_revoked' })
          const byHand = site.auth.verify(tokenOf(user, 'refresh'), { type: 'refresh' })
          await expect(byHand).rejects.toMatchObject({ code: 'token_revoked' })
          expect(await there.refresh()).toMatchObject({ status: 401, code: 'token_revoked' })
        },
      },
    ],
  },
  {
    id: 198,
    input: 'a session that has been refreshed very often',
    proved: [
      { note: 'a thousand times from the first token', prove: () => expectThousandFrom(0) },
      { note: 'over the millionth time', prove: () => expectThousandFrom(999_950, 100) },
      { note: 'over what 32 bits can count', prove: () => expectThousandFrom(2 ** 32 - 50, 100) },
      { note: 'to the last number', prove: () => expectThousandFrom(Number.MAX_SAFE_INTEGER - 102, 100) },
      {
        note: 'beyond it nothing is given out, and no earlier token comes to life',
        prove: async () => {
          const { user, clock } = await agedTo(Number.MAX_SAFE_INTEGER - 1)
          const old = user.copy()
          expect(await user.refresh()).toMatchObject({ code: 'ok' })
          expect(user.claims()).toMatchObject({ gen: Number.MAX_SAFE_INTEGER })
          clock.advance(grace + 1)
          expectUnavailable(await user.copy().refresh())
          clock.advance(grace + 1)
          expect((await user.copy().refresh()).status).toBeGreaterThanOrEqual(401)
          expect((await old.refresh()).status).toBeGreaterThanOrEqual(401)
          user.jar['refresh_token_cookie'] = forge(hs256, { ...user.claims(), gen: 2 ** 53 })
          expect(await user.refresh()).toMatchObject({ code: 'token_invalid' })
        },
      },
    ],
  },
]
