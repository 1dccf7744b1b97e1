/** A store that does what it is told in place of what it should, and what has to hold meanwhile; holds no row itself. */

import { expect } from 'vitest'
import type { AuthOptions, Store } from '../src/index.ts'
import { memoryStore } from '../src/stores/memory.ts'
import { createSite } from './_sessions.ts'
import type { Answer, Browser, Site } from './_sessions.ts'
import { createClock } from './_setup.ts'
import {
  expectAlive,
  expectUnavailable,
  grace,
  sidOf,
  signedIn,
  storeWith,
  tokenOf,
} from './attacks-session-world.ts'

export type Method = 'open' | 'create' | 'rotate' | 'get' | 'list' | 'revoke' | 'isRevoked' | 'revocations'

/** What a store says in place of its answer, given as JavaScript would: of any type. */
export type Fault = (right: () => Promise<unknown>) => unknown

export interface Faulty extends Site {
  readonly user: Browser
  readonly store: Store
  /** What the methods do from now on. */
  readonly faults: Map<Method, Fault>
}

/** A store whose methods do what they are told, and what they should where they are told nothing. */
export function faultyStore(store: Store, faults: ReadonlyMap<Method, Fault>): Store {
  const through =
    (name: Method) =>
    (...values: unknown[]): unknown => {
      const right = async (): Promise<unknown> => Reflect.apply(store[name], store, values)
      const fault = faults.get(name)
      return fault === undefined ? right() : fault(right)
    }
  const names: Method[] = ['open', 'create', 'rotate', 'get', 'list', 'revoke', 'isRevoked', 'revocations']
  return storeWith(store, Object.fromEntries(names.map((name) => [name, through(name)])))
}

export async function faulty(options: AuthOptions = { revocation: 'strict' }): Promise<Faulty> {
  const clock = createClock()
  const faults = new Map<Method, Fault>()
  const store = faultyStore(memoryStore({ clock }), faults)
  const site = createSite({ ...options, store }, clock)
  await site.auth.ready()
  return { ...(await signedIn(site)), faults }
}

/** What a client does, by the method of the store that answers it. */
const deeds: Readonly<Record<string, (user: Browser) => Promise<Answer>>> = {
  isRevoked: (user) => user.get(),
  rotate: (user) => user.refresh(),
  create: (user) => user.login(),
}

/** Every deed ends in 503 while the store does this, takes nothing away, and works afterwards. */
export async function expectOutage(
  fault: Fault,
  wait: () => Promise<unknown> = async () => {},
  laterSeconds = grace + 1,
): Promise<void> {
  const world = await faulty()
  const { user, faults, events, clock } = world
  for (const [name, act] of Object.entries(deeds)) {
    faults.set(name as Method, fault)
    const before = { ...user.jar }
    const answer = act(user)
    await wait()
    expectUnavailable(await answer)
    expect(user.jar).toEqual(before)
    faults.clear()
  }
  expect(events).toContainEqual({ type: 'store.unavailable' })
  clock.advance(laterSeconds)
  await expectAlive(user)
  expect(events).toContainEqual({ type: 'store.recovered' })
}

/** What an operator asks ends in the same refusal. */
export async function expectNoAnswers(fault: Fault): Promise<void> {
  const { user, auth, faults } = await faulty()
  for (const name of ['get', 'list', 'revoke'] as const) faults.set(name, fault)
  const questions = [
    () => auth.sessions.list('test'),
    () => auth.sessions.revoke(sidOf(user)),
    () => auth.sessions.revokeAll('test'),
    () => auth.revokeToken(tokenOf(user)),
  ]
  for (const ask of questions) await expect(ask()).rejects.toMatchObject({ code: 'store_unavailable' })
}

/** A sign-out unsets the cookies whatever happens, says that the store was not told, and refuses here at once. */
export async function expectHonestSignOut(fault: Fault): Promise<void> {
  const { user, faults, auth } = await faulty({ revocation: 'replicated' })
  const thief = user.copy()
  faults.set('revoke', fault)
  const answer = await user.logout()
  expect(answer).toMatchObject({ status: 503, code: 'store_unavailable' })
  expect(user.jar).toEqual({})
  expect(await thief.get()).toMatchObject({ code: 'token_revoked' })
  faults.clear()
  await auth.close()
}
