/** The rows on rotation itself: reuse, races and the grace. */

/* oxlint-disable vitest/no-standalone-expect -- the proofs of these tables run inside tests */

import { expect } from 'vitest'
import { createAuth } from '../src/index.ts'
import type { AuthOptions } from '../src/index.ts'
import { memoryStore } from '../src/stores/memory.ts'
import { createSite } from './_sessions.ts'
import type { Browser, Site } from './_sessions.ts'
import { createClock, secretKey } from './_setup.ts'
import { errorOf } from './_wire.ts'
import type { SessionRow } from './attacks-session-world.ts'
import {
  at,
  cluster,
  count,
  expectAlive,
  expectDead,
  grace,
  signedIn,
  storeWith,
} from './attacks-session-world.ts'

/** A user whose first token was copied and then replaced. */
async function robbed(options: AuthOptions = {}): Promise<Site & { user: Browser; thief: Browser }> {
  const site = await signedIn(createSite(options))
  const thief = site.user.copy()
  expect(await site.user.refresh()).toMatchObject({ code: 'ok' })
  return { ...site, thief }
}

/** The claims of both tokens of each. */
const pairs = (browsers: readonly Browser[]): Set<string> =>
  new Set(browsers.map((browser) => JSON.stringify([browser.claims('access'), browser.claims()])))

/** Of any number who come with one token, by whatever servers, one line of tokens comes out, time after time. */
async function expectOneLineage(sites: readonly Site[], tabsOfEach: number): Promise<void> {
  const [first] = sites
  if (first === undefined) throw new Error('no server')
  const { user } = await signedIn(first)
  let tabs = sites.flatMap((site) => Array.from({ length: tabsOfEach }, () => at(site, user)))
  for (let round = 1; round <= 3; round++) {
    first.clock.advance(grace + 1)
    const answers = await Promise.all(tabs.map((tab) => tab.refresh()))
    expect(answers.filter(({ code }) => code !== 'ok')).toEqual([])
    expect(pairs(tabs).size).toBe(1)
    expect(tabs[0]?.claims()).toMatchObject({ gen: round })
    const rotated = sites.reduce((sum, site) => sum + count(site, 'session.rotated'), 0)
    expect(rotated).toBe(round)
    tabs = tabs.map((tab) => tab.copy())
  }
  expect(await first.auth.sessions.list('test')).toHaveLength(1)
}

export const rotationRows: readonly SessionRow[] = [
  {
    id: 175,
    input: 'a refresh, as it is meant',
    proved: [
      {
        note: 'makes new tokens and CSRF values of the same session, and the old ones are spent',
        prove: async () => {
          const { user, thief, clock } = await robbed()
          expect(user.claims()).toMatchObject({ sid: thief.claims()['sid'], gen: 1 })
          expect(user.claims('access')['sid']).toBe(thief.claims()['sid'])
          for (const name of ['access_token_cookie', 'refresh_token_cookie']) {
            expect(user.jar[name]).not.toBe(thief.jar[name])
          }
          for (const type of ['access', 'refresh'] as const) {
            expect(user.claims(type)['jti']).not.toBe(thief.claims(type)['jti'])
            expect(user.claims(type)['csrf']).not.toBe(thief.claims(type)['csrf'])
            expect(user.jar[`csrf_${type}_token`]).toBe(user.claims(type)['csrf'])
          }
          clock.advance(grace + 1)
          await expectAlive(user)
          expect(await thief.refresh()).toMatchObject({ status: 401 })
        },
      },
      {
        note: 'neither token stands in for the other, in either cookie',
        prove: async () => {
          const { user } = await signedIn()
          const [access = '', refresh = ''] = [
            user.jar['access_token_cookie'],
            user.jar['refresh_token_cookie'],
          ]
          user.jar = { ...user.jar, access_token_cookie: refresh, refresh_token_cookie: access }
          expect(await user.get()).toMatchObject({ code: 'wrong_token_type' })
          user.jar['csrf_refresh_token'] = String(user.jar['csrf_access_token'])
          expect(await user.refresh()).toMatchObject({ code: 'wrong_token_type', setCookies: [] })
        },
      },
    ],
  },
  {
    id: 178,
    input: 'a token that was replaced comes back after the grace',
    proved: [
      ...(['thief', 'owner'] as const).map((late) => ({
        note: `from the ${late}: the session ends for both, whoever was first, and observers hear of it`,
        prove: async () => {
          const { user, thief, clock, events } = await robbed()
          const [second, first] = late === 'thief' ? [thief, user] : [user, thief]
          // By now one of the two has the newer tokens; who that is makes no difference.
          if (late === 'owner') [first.jar, second.jar] = [second.jar, first.jar]
          clock.advance(grace + 1)
          const answer = await second.refresh()
          expect(answer).toMatchObject({ status: 401, code: 'refresh_reused' })
          expect(answer.setCookies).toHaveLength(4)
          for (const line of answer.setCookies) expect(line).toContain('=; Max-Age=0;')
          const reused = { type: 'session.reused', distance: 1, ageSeconds: grace + 1, hasEnded: true }
          expect(events).toContainEqual(reused)
          await expectDead(first)
        },
      })),
      {
        note: 'one that is two behind is found out even within the grace',
        prove: async () => {
          const { user, thief, clock } = await robbed()
          clock.advance(grace + 1)
          await user.refresh()
          expect(await thief.refresh()).toMatchObject({ code: 'refresh_reused' })
          await expectDead(user)
        },
      },
      {
        note: 'where late ones are only refused, one that is two behind ends the session all the same',
        prove: async () => {
          const { user, thief, clock } = await robbed({ lateReplay: 'refuse' })
          clock.advance(grace + 1)
          expect(await thief.copy().refresh()).toMatchObject({ code: 'refresh_reused' })
          await expectAlive(user)
          await user.refresh()
          expect(await thief.refresh()).toMatchObject({ code: 'refresh_reused' })
          await expectDead(user)
        },
      },
    ],
  },
  {
    id: 179,
    input: 'the newest token of a session that was ended by reuse',
    proved: [
      {
        note: 'is revoked like every other of it, and that does not pass',
        prove: async () => {
          const { user, thief, clock } = await robbed()
          clock.advance(grace + 1)
          await thief.copy().refresh()
          for (const holder of [user, thief, user]) await expectDead(holder)
          clock.advance(86_400)
          expect(await user.refresh()).toMatchObject({ code: 'token_revoked' })
        },
      },
    ],
  },
  {
    // Processes that share a server's store, at the same time, are in test/stores/ and test/faults-*.
    id: 180,
    input: 'a hundred refreshes at once with one token',
    proved: [
      {
        note: 'one server makes one successor, which all of them get',
        prove: () => expectOneLineage([createSite()], 100),
      },
      {
        note: 'five servers on one store do as well',
        prove: async () => expectOneLineage(await cluster(5), 20),
      },
      {
        note: 'also when the store answers each of them late and in another order',
        prove: () => {
          const clock = createClock()
          const store = memoryStore({ clock })
          const pause = async (): Promise<void> => {
            for (let left = Math.random() * 20; left > 0; left--) await Promise.resolve()
          }
          const slow = storeWith(store, {
            rotate: async (rotation) => {
              await pause()
              const result = await store.rotate(rotation)
              await pause()
              return result
            },
          })
          return expectOneLineage([createSite({ store: slow }, clock)], 100)
        },
      },
    ],
  },
  {
    id: 183,
    input: 'a grace of nothing, or of more than a minute',
    proved: [
      {
        note: 'createAuth refuses it and says which option it is',
        prove: async () => {
          for (const rotationGrace of [
            0,
            -1,
            61,
            0.5,
            Number.NaN,
            Infinity,
            '0s',
            '-1s',
            '61s',
            '2m',
            '',
            null,
          ]) {
            const options = { secretKey, store: memoryStore(), rotationGrace } as AuthOptions
            const error = await errorOf(() => createAuth(options))
            expect(error).toBeInstanceOf(TypeError)
            expect(error.message).toContain('\n- rotationGrace ')
          }
          for (const rotationGrace of [1, 60, '1m'] as const) {
            expect(() => createAuth({ secretKey, store: memoryStore(), rotationGrace })).not.toThrow()
          }
        },
      },
    ],
  },
  {
    id: 184,
    input: 'a replay at the last moment of the grace, and again',
    proved: [
      {
        note: 'the grace counts from the rotation, however often it is used',
        prove: async () => {
          const { user, thief, clock, events } = await robbed()
          clock.advance(grace - 1)
          expect(await thief.copy().refresh()).toMatchObject({ code: 'ok' })
          expect(await user.copy().refresh()).toMatchObject({ code: 'ok' })
          clock.advance(1)
          expect(await thief.copy().refresh()).toMatchObject({ code: 'ok' })
          clock.advance(1)
          expect(await thief.copy().refresh()).toMatchObject({ code: 'refresh_reused' })
          expect(events.filter(({ type }) => type === 'session.grace')).toHaveLength(2)
          await expectDead(user)
        },
      },
    ],
  },
]
