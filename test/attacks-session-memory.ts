/** The rows on what is remembered of a revocation: for how long, how much of it, and of what is not there. */

/* oxlint-disable vitest/no-standalone-expect -- the proofs of these tables run inside tests */

import { expect, vi } from 'vitest'
import type { Revocation, Store } from '../src/index.ts'
import { createSite } from './_sessions.ts'
import { forge, startSeconds } from './_setup.ts'
import type { SessionRow } from './attacks-session-world.ts'
import {
  at,
  cluster,
  expectAlive,
  expectDead,
  holderOf,
  hs256,
  isRefused,
  marginSeconds,
  sidOf,
  signedIn,
  storeWith,
  tokenOf,
  within,
  withTimers,
} from './attacks-session-world.ts'

/** All entries that a follower could still read. */
async function entriesOf(store: Store): Promise<readonly Revocation[]> {
  return (await store.revocations(null, new AbortController().signal)).entries
}

export const memoryRows: readonly SessionRow[] = [
  {
    id: 207,
    input: 'an entry at the end of the token that it means',
    proved: (['strict', 'replicated'] as const).map((revocation) => ({
      note: `is there for as long as the token is taken anywhere, leeway included (${revocation})`,
      prove: async () => {
        const site = createSite({ revocation, decodeLeeway: 300 })
        const { user, auth, clock, store } = await signedIn(site)
        const { user: other } = await signedIn(site, 'other')
        const control = (await signedIn(site, 'control')).user
        await auth.sessions.revoke(sidOf(user))
        await auth.revokeToken(tokenOf(other))
        clock.advance(900 + 300 - 1)
        await store.sweep(1000)
        expect(await control.get()).toMatchObject({ code: 'ok' })
        const restarted = createSite({ revocation, decodeLeeway: 300, store: storeWith(store, {}) }, clock)
        await restarted.auth.ready()
        for (const server of [site, restarted]) {
          for (const revoked of [user, other]) expect(await isRefused(at(server, revoked))).toBe(true)
        }
        clock.advance(1)
        for (const late of [user, other, control]) expect(await late.get()).toMatchObject({ status: 401 })
        for (const { until } of await entriesOf(store)) {
          expect(until).toBeGreaterThanOrEqual((startSeconds + 900 + 300) * 1000)
        }
      },
    })),
  },
  {
    id: 208,
    input: 'an end that lies in another age',
    proved: [
      {
        note: 'no entry is kept beyond the end of the longest sign-in, and no guard takes the token then',
        prove: async () => {
          for (const exp of [1e12, Number.MAX_SAFE_INTEGER, 1e300]) {
            const site = createSite({ sessionExpires: '60d' })
            const { auth, store, clock } = site
            const sessionEnd = startSeconds + 60 * 86_400
            const user = holderOf(site, { exp, jti: 'revoked' })
            const kept = holderOf(site, { exp, jti: 'kept' })
            await auth.revokeToken(tokenOf(user))
            const [entry] = await entriesOf(store)
            expect(entry).toMatchObject({ kind: 'token', id: 'revoked' })
            expect(entry?.until).toBeLessThanOrEqual((sessionEnd + marginSeconds) * 1000)
            clock.advance(sessionEnd - startSeconds - 1)
            expect(await isRefused(user)).toBe(true)
            expect(await kept.get()).toMatchObject({ code: 'ok' })
            clock.advance(1)
            for (const late of [user, kept]) expect(await late.get()).toMatchObject({ status: 401 })
            clock.advance(marginSeconds)
            expect(await store.sweep(1000)).toBe(1)
            expect(await entriesOf(store)).toEqual([])
          }
        },
      },
      {
        note: 'nor is one of a session’s token that says so of itself',
        prove: async () => {
          const site = await signedIn()
          const { user, auth, store } = site
          const far = forge(hs256, { ...user.claims('access'), exp: 1e12 })
          await auth.revokeToken(far)
          await auth.sessions.revoke(sidOf(user))
          const ends = (await entriesOf(store)).map(({ until }) => until)
          expect(ends).toHaveLength(2)
          expect(Math.max(...ends)).toBeLessThanOrEqual((startSeconds + 90 * 86_400 + marginSeconds) * 1000)
        },
      },
      {
        note: 'a sign-in that says to be of another age is kept no longer, and taken no longer',
        prove: async () => {
          for (const future of [startSeconds + 1e9, 1e12, 1e300]) {
            const site = createSite()
            const { auth, store, clock } = site
            const user = holderOf(site, { auth_time: future, exp: future })
            await auth.revokeToken(tokenOf(user)).catch(() => undefined)
            for (const { until } of await entriesOf(store)) {
              expect(until).toBeLessThanOrEqual((startSeconds + 90 * 86_400 + marginSeconds) * 1000)
            }
            const other = holderOf(
              { ...site, auth, store, clock },
              { auth_time: future, exp: future, jti: 'b' },
            )
            clock.advance(90 * 86_400)
            expect(await other.get()).toMatchObject({ status: 401 })
          }
        },
      },
      {
        note: 'its revocation does not stop the guards of everybody',
        prove: () =>
          withTimers(async () => {
            const site = createSite({ maxStaleness: 2 })
            await site.auth.ready()
            const { user } = await signedIn(site)
            const strange = holderOf(site, { auth_time: 1e300, exp: 1e300 })
            await site.auth.revokeToken(tokenOf(strange)).catch(() => undefined)
            await vi.advanceTimersByTimeAsync(3000)
            const answer = await user.get()
            await site.auth.close()
            expect(answer).toMatchObject({ code: 'ok' })
          }),
      },
    ],
  },
  {
    id: 210,
    input: 'so much that something has to be forgotten',
    proved: [
      {
        note: 'a revocation outlasts fifty thousand later ones, here and at a server that reads them all',
        prove: async () => {
          const sites = await cluster(2)
          const [here, there] = sites
          if (here === undefined || there === undefined) throw new Error('no servers')
          const { user } = await signedIn(here)
          await here.auth.sessions.revoke(sidOf(user))
          const until = (startSeconds + 1000) * 1000
          for (let number = 0; number < 50_000; number++) {
            await here.store.revoke({ kind: 'token', jti: String(number), subject: 'other', until })
          }
          expect(await within(10_000, () => isRefused(holderOf(there, { jti: '49999' })))).toBe(true)
          for (const site of sites) {
            expect(await isRefused(at(site, user))).toBe(true)
            for (const jti of ['0', '25000']) expect(await isRefused(holderOf(site, { jti }))).toBe(true)
            expect(await holderOf(site, { jti: 'unknown' }).get()).toMatchObject({ code: 'ok' })
          }
        },
      },
      {
        note: 'a token that leaves the cache of verified ones, or is in it, is as revoked as before',
        prove: async () => {
          for (const verifiedTokenCache of [0, 1, 2, 8]) {
            const site = await signedIn(createSite({ verifiedTokenCache }))
            const { user, auth } = site
            expect(await user.get()).toMatchObject({ code: 'ok' })
            await auth.revokeToken(tokenOf(user))
            expect(await isRefused(user)).toBe(true)
            for (let number = 0; number < 20; number++) {
              await holderOf(site, { jti: String(number) }).get()
              expect(await isRefused(user)).toBe(true)
            }
          }
        },
      },
    ],
  },
  {
    id: 212,
    input: 'a revocation of what is not there yet, was revoked already, or never was',
    proved: [
      {
        note: 'a token that is made later is refused from the beginning',
        prove: async () => {
          const site = createSite()
          await site.auth.revokeToken({ sub: 'test', jti: 'early', type: 'access', iat: startSeconds })
          expect(await isRefused(holderOf(site, { jti: 'early' }))).toBe(true)
          expect(await holderOf(site, { jti: 'other' }).get()).toMatchObject({ code: 'ok' })
        },
      },
      {
        note: 'doing it twice, or five times at once, does what once does',
        prove: async () => {
          const { user, auth, store, clock } = await signedIn()
          const end = async (): Promise<unknown> => {
            await auth.revokeToken(tokenOf(user))
            await auth.sessions.revokeAll('test')
            return auth.sessions.revoke(sidOf(user))
          }
          expect(await end()).toBe(true)
          const once = await entriesOf(store)
          const ended = await auth.sessions.get(sidOf(user))
          expect(await Promise.all(Array.from({ length: 5 }, end))).toEqual([true, true, true, true, true])
          expect(new Set(await entriesOf(store))).toEqual(new Set(once))
          clock.advance(10)
          await end()
          expect(await auth.sessions.get(sidOf(user))).toEqual(ended)
          await expectDead(user)
        },
      },
      {
        note: 'of what is unknown there is nothing to do, and nobody notices',
        prove: async () => {
          const { user, auth } = await signedIn()
          expect(await auth.sessions.revoke('nonsense')).toBe(false)
          await auth.sessions.revokeAll('nobody')
          await auth.revokeToken({ sub: 'nobody', jti: 'nothing', type: 'refresh', iat: startSeconds })
          await expectAlive(user)
        },
      },
      {
        note: 'who signs in after everything of theirs was ended is signed in',
        prove: async () => {
          const site = createSite()
          await site.auth.sessions.revokeAll('test')
          await expectAlive((await signedIn(site)).user)
        },
      },
    ],
  },
]
