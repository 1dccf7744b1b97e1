/** The row on a sign-out that meets a refresh, in every order of their steps. */

import { expect } from 'vitest'
import type { Store } from '../src/index.ts'
import { memoryStore } from '../src/stores/memory.ts'
import { createSite } from './_sessions.ts'
import { createClock } from './_setup.ts'
import type { SessionRow } from './attacks-session-world.ts'
import { expectDead, signedIn, storeWith } from './attacks-session-world.ts'

/** Lets those who wait pass in a given order only, and freely once it is at its end. */
class Turnstile {
  readonly #order: string[]
  readonly #waiting = new Map<string, () => void>()

  constructor(order: readonly string[]) {
    this.#order = [...order]
  }

  async pass(name: string): Promise<void> {
    if (!this.#order.includes(name)) return
    await new Promise<void>((resolve) => {
      this.#waiting.set(name, resolve)
      this.#release()
    })
  }

  #release(): void {
    const [first = ''] = this.#order
    const go = this.#waiting.get(first)
    if (go === undefined) return
    this.#waiting.delete(first)
    this.#order.shift()
    go()
    this.#release()
  }
}

/** All orders in which two courses of so many steps can be mixed. */
function mixtures(left: number, right: number): string[][] {
  if (left === 0) return [Array.from({ length: right }, () => 'revoke')]
  if (right === 0) return [Array.from({ length: left }, () => 'rotate')]
  return [
    ...mixtures(left - 1, right).map((rest) => ['rotate', ...rest]),
    ...mixtures(left, right - 1).map((rest) => ['revoke', ...rest]),
  ]
}

/** Holds every rotation and revocation before and after it is done. */
function gated(store: Store, order: readonly string[]): Store {
  const turnstile = new Turnstile(order)
  const hold = async <Answer>(name: string, step: () => Promise<Answer>): Promise<Answer> => {
    await turnstile.pass(name)
    const answer = await step()
    await turnstile.pass(name)
    return answer
  }
  return storeWith(store, {
    rotate: (rotation) => hold('rotate', () => store.rotate(rotation)),
    revoke: (target) => hold('revoke', () => store.revoke(target)),
  })
}

async function expectLogoutWins(order: readonly string[], everywhere: boolean): Promise<void> {
  const clock = createClock()
  const store = memoryStore({ clock })
  const { user, auth } = await signedIn(createSite({ store: gated(store, order) }, clock))
  const [tab, leaving] = [user.copy(), user.copy()]
  const [refreshed, left] = await Promise.all([tab.refresh(), leaving.logout({ everywhere })])
  expect(left).toMatchObject({ code: 'ok' })
  expect(['ok', 'token_revoked']).toContain(refreshed.code)
  // What the tab was left with, or what a thief has kept.
  tab.jar = { ...user.jar, ...tab.jar }
  await expectDead(tab)
  await expectDead(user)
  expect(await auth.sessions.list('test')).toEqual([])
}

export const logoutRows: readonly SessionRow[] = [
  {
    id: 188,
    input: 'a sign-out while a refresh is under way',
    proved: [
      ...mixtures(2, 2).map((order) => ({
        note: `leaves no token alive, in the order ${order.join(', ')}`,
        prove: () => expectLogoutWins(order, false),
      })),
      {
        note: 'everywhere does so as well, in all fifteen orders',
        prove: async () => {
          for (const order of mixtures(2, 4)) await expectLogoutWins(order, true)
        },
      },
    ],
  },
]
