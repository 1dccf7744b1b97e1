/** What has to hold when parts of what a process is told get lost, come twice, or are gone for good; holds no test itself. */

import { expect } from 'vitest'
import type { Store } from '../../src/index.ts'
import type { Driver } from './_lines.ts'
import { at, changed, sidOf, signedIn, until, withWorld } from './_world.ts'
import type { World } from './_world.ts'

/** A refresh that was done, but whose answer broke off: the browser tries again and gets what it would have got. */
export async function expectLostAnswerHarmless(driver: Driver, port: number): Promise<void> {
  await withWorld(driver, port, async ({ here, there, relay }) => {
    const user = await signedIn(here, 'test')
    // The server knows the script from now on.
    await (await signedIn(here, 'other')).refresh()
    const [tab, elsewhere] = [user.copy(), at(there, user)]
    const cut = relay.cutAnswerTo(driver.rotation)
    expect(await user.refresh()).toMatchObject({ status: 503, code: 'store_unavailable', setCookies: [] })
    await cut
    const generation = async (): Promise<number | undefined> =>
      (await there.store.get(sidOf(user)))?.generation
    await until('it was done', async () => (await generation()) === 1)
    await until('the next try works', async () => (await user.refresh()).code === 'ok')
    for (const other of [tab, elsewhere]) {
      await until('the other tabs get theirs', async () => (await other.refresh()).code === 'ok')
      expect([other.claims(), other.claims('access')]).toEqual([user.claims(), user.claims('access')])
    }
    expect(await generation()).toBe(1)
  })
}

/** Listeners that are killed: what is revoked arrives all the same, and they come back. */
export async function expectFeedRestored(
  driver: Driver,
  port: number,
  countListeners: (world: World) => Promise<number>,
  killListeners: (world: World) => Promise<unknown>,
): Promise<void> {
  await withWorld(driver, port, async (world) => {
    const { here, there } = world
    const user = await signedIn(here, 'test')
    await until('both listen', async () => (await countListeners(world)) === 2)
    await killListeners(world)
    await there.auth.sessions.revoke(sidOf(user))
    await until('it is heard of', async () => (await user.get()).code === 'token_revoked')
    await until('both listen again', async () => (await countListeners(world)) === 2)
    const next = await signedIn(here, 'next')
    await there.auth.sessions.revoke(sidOf(next))
    await until('it is heard of again', async () => (await next.get()).code === 'token_revoked')
  })
}

/** News that are never told, or too often, and pages that come twice and in reverse. */
export async function expectAnyFeedUnderstood(driver: Driver, port: number): Promise<void> {
  for (const wrap of [deaf, stuttering]) {
    await withWorld(
      driver,
      port,
      async ({ here, there }) => {
        const users = await Promise.all(['a', 'b', 'c'].map((subject) => signedIn(here, subject)))
        for (const user of users) await there.auth.sessions.revoke(sidOf(user))
        for (const user of users) {
          await until('it is heard of', async () => (await user.get()).code === 'token_revoked')
        }
        const living = await signedIn(there, 'd')
        expect(await at(here, living).get()).toMatchObject({ code: 'ok' })
        for (const user of users) expect(await user.get()).toMatchObject({ code: 'token_revoked' })
      },
      wrap,
    )
  }
}

function deaf(store: Store): Store {
  return changed(store, { watch: () => () => undefined })
}

function stuttering(store: Store): Store {
  let previous: string | null = null
  return changed(store, {
    async revocations(cursor, signal) {
      const again = await store.revocations(previous, signal)
      previous = cursor
      const page = await store.revocations(cursor, signal)
      return { ...page, entries: [...page.entries, ...again.entries, ...page.entries].toReversed() }
    },
    watch: (wake) => {
      const timer = setInterval(() => Array.from({ length: 5 }, wake), 30)
      return () => clearInterval(timer)
    },
  })
}

/** Everything is gone: nobody who was signed in is taken for signed in, and whoever signs in is. */
export async function expectNobodyRevived(
  driver: Driver,
  port: number,
  destroy: (world: World) => Promise<unknown>,
): Promise<void> {
  await withWorld(driver, port, async (world) => {
    const { here, there } = world
    const old = await signedIn(here, 'old')
    const revoked = await signedIn(here, 'revoked')
    await there.auth.sessions.revoke(sidOf(revoked))
    const issuedAt = Number(revoked.claims()['iat'])
    // Tokens of the very second in which the new data begins cannot be told from new ones.
    await until('the next second', () => Math.floor(Date.now() / 1000) > issuedAt)
    await destroy(world)
    for (const site of [here, there]) {
      await until('old tokens are refused', async () => (await at(site, old).get()).code === 'token_revoked')
    }
    const fresh = await signedIn(there, 'old')
    for (const site of [here, there]) {
      for (const user of [old, revoked]) {
        expect(await at(site, user).get()).toMatchObject({ code: 'token_revoked' })
        expect(await at(site, user).refresh()).toMatchObject({ code: 'token_revoked' })
      }
      expect(await at(site, fresh).get()).toMatchObject({ code: 'ok' })
      expect(await at(site, fresh).refresh()).toMatchObject({ code: 'ok' })
    }
  })
}
