/** The rows on what surrounds a rotation: CSRF, restarts, sign-outs, other issuers, claims. */

/* oxlint-disable vitest/no-standalone-expect -- the proofs of these tables run inside tests */

import { expect } from 'vitest'
import { memoryStore } from '../src/stores/memory.ts'
import { createSite } from './_sessions.ts'
import type { Browser, Site } from './_sessions.ts'
import { createClock, forge, startSeconds } from './_setup.ts'
import type { SessionRow } from './attacks-session-world.ts'
import {
  at,
  csrfOf,
  expectDead,
  grace,
  hs256,
  sent,
  sidOf,
  signedIn,
  siteAt,
  tokenOf,
} from './attacks-session-world.ts'

/** Long after the grace the token is still the newest one: what came before has used nothing up. */
async function expectUnspent(site: Site, user: Browser): Promise<void> {
  site.clock.advance(grace + 1)
  expect(await user.refresh()).toMatchObject({ code: 'ok' })
  expect(user.claims()).toMatchObject({ gen: 1 })
}

/** What another site, or a page that knows no CSRF value, can send along. */
const foreignHeaders: Readonly<Record<string, (user: Browser) => Record<string, string>>> = {
  csrf_missing: () => ({}),
  'csrf_missing for an empty value': () => ({ 'x-csrf-token': '' }),
  csrf_mismatch: () => ({ 'x-csrf-token': crypto.randomUUID() }),
  'csrf_mismatch for the value of the access token': (user) => ({ 'x-csrf-token': csrfOf(user, 'access') }),
  origin_forbidden: (user) => ({ 'x-csrf-token': csrfOf(user), origin: 'https://evil.example' }),
  'origin_forbidden for null': (user) => ({ 'x-csrf-token': csrfOf(user), origin: 'null' }),
  'origin_forbidden for a cross-site fetch': (user) => ({
    'x-csrf-token': csrfOf(user),
    'sec-fetch-site': 'cross-site',
  }),
}

const ways: Readonly<Record<string, (site: Site, user: Browser) => Promise<unknown>>> = {
  'a sign-out': (_, user) => user.copy().logout(),
  'a sign-out everywhere, on another device': async (site) =>
    (await signedIn(site)).user.logout({ everywhere: true }),
  'a new password': ({ auth }) => auth.sessions.revokeAll('test'),
  'an operator': ({ auth }, user) => auth.sessions.revoke(sidOf(user)),
  'a revoked refresh token': ({ auth }, user) => auth.revokeToken(tokenOf(user, 'refresh')),
}

export const refreshRows: readonly SessionRow[] = [
  {
    id: 176,
    input: 'a refresh that another site sends, or that has no CSRF value',
    proved: Object.entries(foreignHeaders).map(([name, headersFor]) => ({
      note: `${name}: nothing is used up, and no cookie is touched`,
      prove: async () => {
        const site = await signedIn()
        const answer = await sent(site, site.user, headersFor(site.user))
        expect(answer).toMatchObject({ code: name.split(' ')[0], setCookies: [] })
        expect([401, 403]).toContain(answer.status)
        await expectUnspent(site, site.user)
      },
    })),
  },
  {
    // A restart of real processes on real stores is in test/stores/ and test/faults-*.
    id: 186,
    input: 'the server restarts between a rotation and the replay',
    proved: [
      {
        note: 'the replay is found out all the same: what counts is in the store',
        prove: async () => {
          const { user, clock, store, auth } = await signedIn()
          const thief = user.copy()
          await user.refresh()
          clock.advance(grace + 1)
          await auth.close()
          const restarted = siteAt(store, clock)
          await restarted.auth.ready()
          expect(await at(restarted, thief).refresh()).toMatchObject({ code: 'refresh_reused' })
          await expectDead(at(restarted, user))
        },
      },
      {
        note: 'a restart that loses the store refuses both tokens, and takes up neither',
        prove: async () => {
          const { user, clock } = await signedIn()
          const thief = user.copy()
          await user.refresh()
          clock.advance(grace + 1)
          const restarted = siteAt(memoryStore({ clock }), clock)
          for (const holder of [thief, user]) await expectDead(at(restarted, holder))
          expect(await restarted.auth.sessions.list('test')).toEqual([])
        },
      },
    ],
  },
  {
    id: 187,
    input: 'a refresh after the session has ended',
    proved: Object.entries(ways).map(([name, end]) => ({
      note: `${name} leaves neither token of any generation alive`,
      prove: async () => {
        const site = await signedIn()
        const { user } = site
        const before = user.copy()
        await user.refresh()
        await end(site, user)
        await expectDead(user)
        await expectDead(before)
        site.clock.advance(grace + 1)
        expect(await before.refresh()).toMatchObject({ code: 'token_revoked' })
        expect(await site.auth.sessions.list('test')).toEqual([])
      },
    })),
  },
  {
    id: 191,
    input: 'a refresh token of another issuer, audience, tenant, or key',
    proved: [
      ...(
        [
          ['issuer', { encodeIssuer: 'b', decodeIssuer: 'b' }, { encodeIssuer: 'a', decodeIssuer: 'a' }],
          [
            'audience',
            { encodeAudience: 'b', decodeAudience: 'b' },
            { encodeAudience: 'a', decodeAudience: 'a' },
          ],
          ['key', { secretKey: 'Qw8rT2yU6iO0pA4sD1fG5hJ9kL3zX7cV-bN2mQ6wE0rT4yU8iO1pA5sD9fG3hJ7k' }, {}],
        ] as const
      ).map(([name, others, ours]) => ({
        note: `another ${name} on the same store is refused, and the token not used up`,
        prove: async () => {
          const clock = createClock()
          const store = memoryStore({ clock })
          const other = await signedIn(siteAt(store, clock, others))
          const answer = await at(siteAt(store, clock, ours), other.user).refresh()
          expect(answer).toMatchObject({ status: 401, code: 'token_invalid', setCookies: [] })
          await expectUnspent(other, other.user)
        },
      })),
      {
        note: 'a tenant with the same key and a store of its own does not know the session, and makes none',
        prove: async () => {
          const clock = createClock()
          const other = await signedIn(createSite({}, clock))
          const ours = createSite({}, clock)
          expect(await at(ours, other.user).refresh()).toMatchObject({ status: 401, code: 'token_revoked' })
          expect(await ours.auth.sessions.list('test')).toEqual([])
          await expectUnspent(other, other.user)
        },
      },
      {
        note: 'a token whose subject is another user’s does not get that user’s session',
        prove: async () => {
          const site = await signedIn()
          const mallory = at(site, site.user)
          mallory.jar['refresh_token_cookie'] = forge(hs256, { ...site.user.claims(), sub: 'mallory' })
          expect(await mallory.refresh()).toMatchObject({ status: 401, code: 'token_revoked' })
          await expectUnspent(site, site.user)
        },
      },
    ],
  },
  {
    id: 192,
    input: 'a successor that has more rights than its session',
    proved: [
      {
        note: 'what a client asks for in its request counts for nothing',
        prove: async () => {
          const site = createSite({ tokenLocation: ['cookies', 'headers', 'query', 'json'] })
          const user = site.browser()
          await user.login('test', { userClaims: { role: 'reader' } })
          const wishes = { role: 'admin', scope: 'admin', userClaims: { role: 'admin' }, audience: 'admin' }
          const headers = { 'x-csrf-token': csrfOf(user), 'content-type': 'application/json' }
          const answer = await sent(site, user, headers, undefined, { body: JSON.stringify(wishes) })
          expect(answer).toMatchObject({ code: 'ok' })
          // The answer went elsewhere; the same tokens come again.
          await user.refresh()
          for (const type of ['access', 'refresh'] as const) {
            expect(user.claims(type)).toMatchObject({ sub: 'test', role: 'reader' })
            for (const name of ['scope', 'userClaims', 'aud'])
              expect(user.claims(type)).not.toHaveProperty(name)
          }
        },
      },
      {
        note: 'what the application adds once is not inherited by the next',
        prove: async () => {
          const site = createSite()
          const user = site.browser()
          await user.login('test', { userClaims: { role: 'reader' } })
          await user.refresh({ userClaims: { role: 'admin' } })
          expect(user.claims('access')).toMatchObject({ role: 'admin', fresh: false })
          expect(user.claims()).toMatchObject({ role: 'reader' })
          site.clock.advance(grace + 1)
          await user.refresh()
          expect(user.claims('access')).toMatchObject({ role: 'reader', fresh: false })
        },
      },
      {
        note: 'the application that asks its own records takes rights away at the next refresh',
        prove: async () => {
          const site = createSite()
          const user = site.browser()
          await user.login('test', { userClaims: { role: 'admin' } })
          const asked: unknown[] = []
          await user.refresh({ userClaims: (old) => (asked.push(old), { role: 'reader' }) })
          expect(asked).toEqual([{ role: 'admin' }])
          expect(user.claims('access')).toMatchObject({ role: 'reader' })
        },
      },
      {
        note: 'no refresh makes a token fresh, or its sign-in younger',
        prove: async () => {
          const { user, clock } = await signedIn()
          clock.advance(1000)
          await user.refresh()
          expect(user.claims('access')).toMatchObject({ fresh: false, auth_time: startSeconds })
          const fresh = await user.send('GET', (authorize) => authorize.freshJwtRequired())
          expect(fresh).toMatchObject({ code: 'fresh_token_required' })
        },
      },
    ],
  },
]
