/** What has to hold while one server has lost its store and when it is back, whatever the reason; holds no test itself. */

import { expect } from 'vitest'
import type { Answer, Browser, Site } from '../_sessions.ts'
import { at, sidOf, signedIn, until, visit } from './_world.ts'
import type { World } from './_world.ts'

export interface Outage {
  begin(): void | Promise<void>
  end(): void | Promise<void>
  /** Whether the other server has the store meanwhile. */
  readonly isElsewhereUp: boolean
}

/** Far beyond the second that an answer may take, and before anybody would say that there is none. */
const answerMilliseconds = 5000

interface Users {
  readonly living: Browser
  readonly doomed: Browser
  readonly leaving: Browser
}

/** Everything from sign-in to recovery. */
export async function expectSurvival(world: World, outage: Outage): Promise<void> {
  const { here, there } = world
  const users: Users = {
    living: await signedIn(here, 'living'),
    doomed: await signedIn(here, 'doomed'),
    leaving: await signedIn(here, 'leaving'),
  }
  for (const user of Object.values(users)) expect(await at(there, user).get()).toMatchObject({ code: 'ok' })
  await world.read()
  await outage.begin()
  const left = users.leaving.copy()
  try {
    await expectFreshness(world, users)
    await expectRefusals(here, users)
    if (outage.isElsewhereUp) await there.auth.sessions.revoke(sidOf(users.doomed))
    expect(await left.get()).toMatchObject({ code: 'token_revoked' })
  } finally {
    await outage.end()
  }
  await expectRecovery(world, { ...users, leaving: left }, outage.isElsewhereUp)
}

/** While it is known to be fresh it serves, and then no more. */
async function expectFreshness(world: World, { living }: Users): Promise<void> {
  const { here } = world
  await until('guards answer 503', async () => {
    const { code } = await living.get()
    if (code === 'ok') return false
    expect(code).toBe('store_unavailable')
    // The follower counts from a moment earlier than it can be noted here.
    expect(world.age()).toBeGreaterThanOrEqual(900)
    return true
  })
  const response = await visit(here, living)
  expect(response.status).toBe(503)
  expect(response.headers.get('retry-after')).toMatch(/^[123]$/)
  expect(response.headers.getSetCookie()).toEqual([])
}

/** Nobody is let through, and nobody loses a cookie but who signs out. */
async function expectRefusals(here: Site, { living, leaving }: Users): Promise<void> {
  const refused = { status: 503, code: 'store_unavailable', setCookies: [] }
  const [visited, refreshed, begun, ended] = await Promise.all([
    answered(living.get()),
    answered(living.refresh()),
    answered(here.browser().login('late')),
    answered(leaving.logout()),
  ])
  for (const answer of [visited, refreshed, begun]) expect(answer).toMatchObject(refused)
  expect(ended).toMatchObject({ status: 503, code: 'store_unavailable' })
  expect(ended.setCookies.filter((line) => /; Max-Age=0;/.test(line))).toHaveLength(4)
  expect(leaving.jar).toEqual({})
  expect(here.events).toContainEqual({ type: 'store.unavailable' })
  expect(here.events).not.toContainEqual({ type: 'store.recovered' })
}

async function answered(asked: Promise<Answer>): Promise<Answer> {
  const start = performance.now()
  const answer = await asked
  expect(performance.now() - start).toBeLessThan(answerMilliseconds)
  return answer
}

async function expectRecovery({ here, there }: World, users: Users, isDoomed: boolean): Promise<void> {
  const { living, doomed, leaving: left } = users
  await until('guards say yes again', async () => {
    const { code } = await living.get()
    expect(['ok', 'store_unavailable']).toContain(code)
    return code === 'ok'
  })
  // The read that lets the living pass has brought what was revoked meanwhile.
  expect(await doomed.get()).toMatchObject({ code: isDoomed ? 'token_revoked' : 'ok' })
  await until('the sign-out reaches the store', async () => {
    const session = await there.auth.sessions.get(sidOf(left)).catch(() => null)
    return session !== null && session.revokedAt !== null
  })
  await until(
    'the other server refuses it',
    async () => (await at(there, left).get()).code === 'token_revoked',
  )
  await until('refresh works again', async () => {
    const { code } = await living.refresh()
    expect(['ok', 'store_unavailable']).toContain(code)
    return code === 'ok'
  })
  expect(living.claims()).toMatchObject({ gen: 1 })
  // Told when all parts work again: a read of the feed may fail once more after the one that let the living pass.
  await until('the recovery is told', async () => here.events.some(({ type }) => type === 'store.recovered'))
  await until('the other server says yes', async () => (await at(there, living).get()).code === 'ok')
  expect(await at(there, living).refresh()).toMatchObject({ code: 'ok' })
  expect(await signedIn(here, 'new')).toBeDefined()
}
