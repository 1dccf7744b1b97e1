/** The rows on a store that is away, or out of its mind: never a yes from it, and no cookie lost. */

/* oxlint-disable vitest/no-standalone-expect -- the proofs of these tables run inside tests */

import { expect, vi } from 'vitest'
import { createSite } from './_sessions.ts'
import {
  expectHonestSignOut,
  expectNoAnswers,
  expectOutage,
  faulty,
  faultyStore,
} from './attacks-session-outage.ts'
import type { Fault, Method } from './attacks-session-outage.ts'
import type { SessionRow } from './attacks-session-world.ts'
import { at, expectAlive, expectUnavailable, signedIn, withTimers } from './attacks-session-world.ts'

/** What is no answer to any question. */
const nonsense: Readonly<Record<string, unknown>> = {
  null: null,
  undefined,
  zero: 0,
  one: 1,
  NaN: Number.NaN,
  'an empty text': '',
  'the text 0': '0',
  'the text false': 'false',
  OK: 'OK',
  'an empty object': {},
  'an object that says no': { revoked: false },
  'an empty list': [],
  'a list of no': [false],
  'a function': () => false,
  'a boxed no': Object(false) as unknown,
  bytes: new Uint8Array([0]),
  'cut JSON': '{"outcome":"rotated","sess',
}

const failures: Readonly<Record<string, Fault>> = {
  'throws at once': () => {
    throw new Error('broken')
  },
  'throws no error': () => {
    throw 'broken'
  },
  'throws nothing': () => {
    throw undefined
  },
  'rejects with an error': () => Promise.reject(new Error('broken')),
  'rejects with a text': () => Promise.reject('broken'),
  'rejects with nothing': () => Promise.reject(undefined),
  'rejects with false': () => Promise.reject(false),
  'is no promise, and fails when it is waited for': () => ({
    then: (_: unknown, reject: (reason: unknown) => void) => reject(new Error('broken')),
  }),
  'reads cut JSON': async () => JSON.parse('{"outcome":"rotated","sess') as unknown,
}

/** Right answers with one thing wrong. */
const bent: Readonly<Record<string, (session: Record<string, unknown>) => Record<string, unknown>>> = {
  'of another session': (session) => ({ ...session, id: 'other' }),
  'of another user': (session) => ({ ...session, subject: 'other' }),
  'of another generation': (session) => ({ ...session, generation: 7 }),
  'with a generation that is a text': (session) => ({ ...session, generation: '1' }),
  'without salt': (session) => ({ ...session, salt: undefined }),
  'that has ended': (session) => ({ ...session, revokedAt: 1 }),
  'with a broken time': (session) => ({ ...session, expiresAt: Number.NaN }),
}

const wrong: SessionRow = {
  id: 203,
  input: 'a store that answers with something else',
  proved: [
    ...Object.entries(nonsense).map(([name, value]) => ({
      note: `${name} is never taken for "not revoked", nor for any other answer`,
      prove: async () => {
        await expectOutage(() => value)
        await expectOutage(async () => value)
      },
    })),
    {
      note: 'nothing of the kind is taken for what an operator asked',
      prove: async () => {
        const { '': _, 'an empty list': __, ...others } = nonsense
        for (const value of Object.values(others)) await expectNoAnswers(() => value)
      },
    },
    ...Object.entries(bent).map(([name, bend]) => ({
      note: `the row of a session ${name} gives nobody tokens`,
      prove: async () => {
        const { user, faults } = await faulty()
        faults.set('rotate', async (right) => {
          const result = (await right()) as { readonly session: Record<string, unknown> }
          return { ...result, session: bend(result.session) }
        })
        expectUnavailable(await user.refresh())
        faults.clear()
        expect(await user.refresh()).toMatchObject({ code: 'ok' })
      },
    })),
    {
      note: 'an outcome that the contract does not know gives nobody tokens',
      prove: async () => {
        const { user, faults } = await faulty()
        for (const outcome of ['ROTATED', 'ok', '', true, null, 'toString', '__proto__', ['rotated', 'x']]) {
          faults.set('rotate', async (right) => ({ ...((await right()) as object), outcome }))
          expectUnavailable(await user.refresh())
        }
      },
    },
    {
      note: 'a feed of nonsense is no news: guards answer 503 as soon as what they know is too old',
      prove: () =>
        withTimers(async () => {
          for (const value of [...Object.values(nonsense), { entries: [], cursor: 1, more: false }]) {
            const { user, faults, auth } = await faulty({ maxStaleness: 2 })
            faults.set('revocations', () => value)
            await vi.advanceTimersByTimeAsync(2500)
            expectUnavailable(await user.get())
            faults.clear()
            await vi.advanceTimersByTimeAsync(1000)
            expect(await user.get()).toMatchObject({ code: 'ok' })
            await auth.close()
          }
        }),
    },
  ],
}

const failing: SessionRow = {
  id: 204,
  input: 'a store that fails in any manner, or never answers',
  proved: [
    ...Object.entries(failures).map(([name, fault]) => ({
      note: `${name}: 503 to everything, no cookie lost, and all is well afterwards`,
      prove: async () => {
        await expectOutage(fault)
        await expectNoAnswers(fault)
        await expectHonestSignOut(fault)
      },
    })),
    {
      note: 'never answers: 503 at the deadline',
      prove: () =>
        withTimers(() =>
          expectOutage(
            () => new Promise(() => undefined),
            () => vi.advanceTimersByTimeAsync(1000),
          ),
        ),
    },
    {
      note: 'cannot be opened: 503 to everything until it can',
      prove: async () => {
        const { store, clock, user } = await signedIn()
        const faults = new Map<Method, Fault>([['open', () => Promise.reject(new Error('away'))]])
        const site = createSite({ store: faultyStore(store, faults) }, clock)
        await expect(site.auth.ready()).rejects.toMatchObject({ code: 'store_unavailable' })
        expectUnavailable(await at(site, user).refresh())
        expectUnavailable(await site.browser().login())
        faults.clear()
        await expectAlive(at(site, user))
      },
    },
  ],
}

export const faultRows: readonly SessionRow[] = [wrong, failing]
