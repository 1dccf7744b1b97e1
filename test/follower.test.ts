// The follower of revocations: when guards need the store, what becomes of its answers, and when it lets go.

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Auth, AuthOptions } from '../src/index.ts'
import { Follower } from '../src/core/follower.ts'
import { memoryStore } from '../src/stores/memory.ts'
import { altered, faults, faultyStore, held, lies, rejecting } from './_faulty-store.ts'
import type { Fault, FaultyStore, Method } from './_faulty-store.ts'
import { createClock, setup, startSeconds } from './_setup.ts'
import { createSite } from './_sessions.ts'
import type { Browser, Site } from './_sessions.ts'

const down = rejecting(new Error('away'))
const maxStaleness = 5
const ends: (() => Promise<void>)[] = []

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] })
  vi.spyOn(Math, 'random').mockReturnValue(0)
})

afterEach(async () => {
  for (const end of ends.splice(0)) await end()
  vi.restoreAllMocks()
  vi.useRealTimers()
})

interface World extends Site {
  readonly faulty: FaultyStore
  readonly user: Browser
  readonly sid: string
  /** A server of another process on the same data. */
  readonly beside: Auth
}

test.each(['strict', 'replicated'] as const)(
  'a process that only ever revokes forgets what is past its end, %s and closed too',
  async (revocation) => {
    const clock = createClock()
    const store = memoryStore({ clock })
    const { auth } = createSite({ store, revocation }, clock)
    const revoke = async (count: number): Promise<void> => {
      for (let index = 0; index < count; index++) {
        await auth.revokeToken(await auth.createAccessToken('test'))
      }
    }
    await auth.close()
    await revoke(20)
    const { set } = Follower.of(store)
    expect(set.size).toBe(20)
    clock.advance(3600)
    await revoke(1)
    expect(set.size).toBe(1)
  },
)

/** A replicated server that has signed somebody in; nothing of its follower has run before `ready()`. */
async function createWorld(options: AuthOptions = {}): Promise<World> {
  const clock = createClock()
  const inner = memoryStore({ clock })
  const { auth: beside } = createSite({ store: inner, revocation: 'strict' }, clock)
  const faulty = faultyStore(inner)
  const site = createSite({ maxStaleness, ...options, store: faulty.store }, clock)
  ends.push(async () => {
    faulty.heal()
    await site.auth.close()
  })
  const user = site.browser()
  await user.login()
  return { ...site, faulty, user, sid: String(user.claims()['sid']), beside }
}

async function readyWorld(options: AuthOptions = {}): Promise<World> {
  const world = await createWorld(options)
  await world.auth.ready()
  return world
}

/** Lets all but timers pass, as if the machine had slept. */
function suspend(seconds = maxStaleness): void {
  const monotonic = performance.now() + seconds * 1000
  vi.spyOn(performance, 'now').mockReturnValue(monotonic)
}

const codes = async (user: Browser, count: number): Promise<readonly string[]> => [
  ...new Set(await Promise.all(Array.from({ length: count }, async () => (await user.get()).code))),
]

/** How often each method was called while something happened; what was not is left out. */
async function counted(
  { faulty }: World,
  step: () => Promise<unknown>,
): Promise<Partial<Record<Method, number>>> {
  const before = { ...faulty.calls }
  await step()
  const differences = Object.entries(faulty.calls).map(([name, count]) => [
    name,
    count - before[name as Method],
  ])
  return Object.fromEntries(differences.filter(([, difference]) => difference !== 0))
}

const storeEvents = ({ events }: Site): readonly string[] =>
  events.map(({ type }) => type).filter((type) => type.startsWith('store.'))

describe('guards', () => {
  test('ask nothing while what is known is fresh', async () => {
    const world = await readyWorld()
    expect(await counted(world, () => codes(world.user, 100))).toEqual({})
    suspend(maxStaleness - 0.001)
    expect(await counted(world, () => codes(world.user, 100))).toEqual({})
    expect(await codes(world.user, 1)).toEqual(['ok'])
  })

  test('ask the store one by one until the first read was answered', async () => {
    const world = await createWorld()
    expect(await counted(world, () => codes(world.user, 7))).toEqual({ isRevoked: 7 })
  })

  test('wait for one read together when it is stale, and see what it brings', async () => {
    const world = await readyWorld()
    const other = world.browser()
    await other.login()
    await world.beside.sessions.revoke(world.sid)
    expect(await codes(world.user, 1)).toEqual(['ok'])
    suspend()
    const asked = async (): Promise<void> => {
      expect(await Promise.all([codes(world.user, 50), codes(other, 50)])).toEqual([
        ['token_revoked'],
        ['ok'],
      ])
    }
    expect(await counted(world, asked)).toEqual({ revocations: 1 })
    expect(await counted(world, asked)).toEqual({})
  })

  const pauses = [
    ['a quarter of a second', 0, 249, 250],
    ['half a second', 0.9999, 499, 500],
  ] as const

  test.each(pauses)(
    'are refused at once for %s after a read that failed',
    async (_what, random, before, after) => {
      const world = await readyWorld()
      const start = performance.now() + maxStaleness * 1000
      const now = vi.spyOn(performance, 'now').mockReturnValue(start)
      vi.mocked(Math.random).mockReturnValue(random)
      world.faulty.fail(down, 'revocations')
      const refused = async (): Promise<void> =>
        expect(await codes(world.user, 100)).toEqual(['store_unavailable'])
      expect(await counted(world, refused)).toEqual({ revocations: 1 })
      expect(await counted(world, refused)).toEqual({})
      now.mockReturnValue(start + before)
      expect(await counted(world, refused)).toEqual({})
      now.mockReturnValue(start + after)
      expect(await counted(world, refused)).toEqual({ revocations: 1 })
      expect(await counted(world, refused)).toEqual({})
      expect(storeEvents(world)).toEqual(['store.unavailable'])
    },
  )

  test('serve for as long as was said while the store is away, and again by themselves after it', async () => {
    const world = await readyWorld()
    world.faulty.fail(down, 'revocations')
    await vi.advanceTimersByTimeAsync(maxStaleness * 1000 - 1)
    expect(await codes(world.user, 10)).toEqual(['ok'])
    await vi.advanceTimersByTimeAsync(1)
    expect(await codes(world.user, 10)).toEqual(['store_unavailable'])
    world.faulty.heal()
    await vi.advanceTimersByTimeAsync(1000)
    expect(await counted(world, async () => expect(await codes(world.user, 10)).toEqual(['ok']))).toEqual({})
    expect(storeEvents(world)).toEqual(['store.unavailable', 'store.recovered'])
  })

  test('are refused when the read does not come in time, and one read is all that was sent', async () => {
    const world = await readyWorld()
    vi.setSystemTime(Date.now() + maxStaleness * 1000)
    world.faulty.fail(held().fault, 'revocations')
    const asked = async (): Promise<void> => {
      const [seen] = await Promise.all([codes(world.user, 50), vi.advanceTimersByTimeAsync(1000)])
      expect(seen).toEqual(['store_unavailable'])
    }
    expect(await counted(world, asked)).toEqual({ revocations: 1 })
    expect(storeEvents(world)).toEqual(['store.unavailable'])
  })

  test('are refused when what the read brought is stale already', async () => {
    const world = await readyWorld({ maxStaleness: 1, storeTimeout: 3 })
    const { fault, release } = held()
    world.faulty.fail(fault, 'revocations')
    vi.setSystemTime(Date.now() + 1000)
    const asked = codes(world.user, 10)
    await vi.advanceTimersByTimeAsync(1001)
    release()
    expect(await asked).toEqual(['store_unavailable'])
    await vi.advanceTimersByTimeAsync(1000)
    expect(await codes(world.user, 10)).toEqual(['ok'])
  })

  const nonsense = [
    ...faults,
    ...(lies.revocations ?? []).map(([what, change]) => [what, altered(change)] as const),
  ]

  test.each(nonsense)('are refused when the feed %s', async (_what, fault) => {
    const world = await readyWorld()
    world.faulty.fail(fault, 'revocations')
    suspend()
    expect(await codes(world.user, 10)).toEqual(['store_unavailable'])
    expect(storeEvents(world)).toEqual(['store.unavailable'])
  })

  test('count a read from when it was sent', async () => {
    const world = await readyWorld()
    const { fault, release } = held()
    world.faulty.fail(fault, 'revocations')
    await vi.advanceTimersByTimeAsync(900)
    const sent = performance.now()
    await vi.advanceTimersByTimeAsync(800)
    release()
    await vi.advanceTimersByTimeAsync(0)
    world.faulty.fail(down, 'revocations')
    vi.spyOn(performance, 'now').mockReturnValue(sent + maxStaleness * 1000 - 1)
    expect(await codes(world.user, 1)).toEqual(['ok'])
    vi.mocked(performance.now).mockReturnValue(sent + maxStaleness * 1000)
    expect(await codes(world.user, 1)).toEqual(['store_unavailable'])
  })
})

describe('clocks', () => {
  test.each([
    ['the monotonic one jumps ahead', () => suspend()],
    ['the wall clock jumps ahead', () => vi.setSystemTime(Date.now() + maxStaleness * 1000)],
    ['the wall clock steps back an hour', () => vi.setSystemTime(Date.now() - 3_600_000)],
  ])('one read catches up when %s', async (_what, jump) => {
    const world = await readyWorld()
    world.faulty.fail(down, 'isRevoked')
    jump()
    const asked = async (): Promise<void> => expect(await codes(world.user, 100)).toEqual(['ok'])
    expect(await counted(world, asked)).toEqual({ revocations: 1 })
    expect(await counted(world, asked)).toEqual({})
  })
})

describe('the feed', () => {
  const poll = async (): Promise<unknown> => vi.advanceTimersByTimeAsync(1000)
  const code = async (user: Browser): Promise<string> => (await user.get()).code
  const page = (changes: Record<string, unknown>): Fault => altered((answer) => ({ ...answer, ...changes }))

  test('is read once a second at least, where all wake-ups are lost', async () => {
    const world = await readyWorld()
    await world.beside.sessions.revoke(world.sid)
    expect(await counted(world, poll)).toEqual({ revocations: 1 })
    expect(await code(world.user)).toBe('token_revoked')
    expect(await counted(world, () => vi.advanceTimersByTimeAsync(9000))).toEqual({ revocations: 10 })
  })

  test('is read soon after a wake-up, and a few times in a second where they do not end', async () => {
    const world = await readyWorld()
    expect(world.faulty.watchers()).toBe(1)
    await vi.advanceTimersByTimeAsync(200)
    await world.beside.sessions.revoke(world.sid)
    for (let count = 0; count < 100; count++) world.faulty.wake()
    expect(await counted(world, () => vi.advanceTimersByTimeAsync(100))).toEqual({ revocations: 1 })
    expect(await code(world.user)).toBe('token_revoked')
    expect(await counted(world, () => vi.advanceTimersByTimeAsync(9000))).toEqual({ revocations: 10 })
    const { revocations = 0 } = await counted(world, async () => {
      for (let count = 0; count < 1000; count++) {
        world.faulty.wake()
        await vi.advanceTimersByTimeAsync(1)
      }
    })
    expect(revocations).toBeGreaterThanOrEqual(9)
    expect(revocations).toBeLessThanOrEqual(11)
  })

  test('is read again after a wake-up that came during a read', async () => {
    const world = await readyWorld()
    const { fault, release } = held()
    const late = world.faulty
    late.fail(async (honest) => {
      const answer = await honest()
      await fault(async () => undefined)
      return answer
    }, 'revocations')
    await vi.advanceTimersByTimeAsync(900)
    await world.beside.sessions.revoke(world.sid)
    late.wake()
    late.heal()
    release()
    await vi.advanceTimersByTimeAsync(100)
    expect(await code(world.user)).toBe('token_revoked')
  })

  const until = (startSeconds + 1000) * 1000
  const kinds = [
    ['a session', (world: World) => ({ kind: 'session', id: world.sid, cutSeconds: null })],
    ['a token', ({ user }: World) => ({ kind: 'token', id: user.claims('access')['jti'], cutSeconds: null })],
    ['a subject', () => ({ kind: 'subject', id: 'test', cutSeconds: startSeconds })],
  ] as const

  /** A world whose user holds what an entry of this kind means: tokens without a session, for a subject. */
  async function holder(what: string): Promise<World> {
    const world = await readyWorld()
    if (what === 'a subject') {
      world.user.jar = {
        access_token_cookie: await setup({ clock: world.clock }).auth.createAccessToken('test'),
      }
    }
    return world
  }

  test.each(kinds)(
    'has the entry of %s kept to its latest end, however often it comes',
    async (what, make) => {
      const world = await holder(what)
      const entry = { ...make(world), until }
      const shorter = {
        ...entry,
        until: startSeconds * 1000 + 1,
        ...(what === 'a subject' && { cutSeconds: 1 }),
      }
      for (const entries of [[shorter], [entry, shorter, entry], [shorter], []]) {
        world.faulty.fail(page({ entries, now: until - 1000 }), 'revocations')
        await poll()
      }
      expect(await code(world.user)).toBe('token_revoked')
      world.faulty.fail(page({ entries: [], now: until }), 'revocations')
      await poll()
      expect(await code(world.user)).toBe('ok')
    },
  )

  test('is asked for on from where it ended, and wholly read before it counts', async () => {
    const world = await createWorld()
    const second = held()
    const pages: Fault[] = [
      page({ cursor: 'one', more: true, entries: [] }),
      async (honest) => second.fault(async () => page({ cursor: 'two', more: true })(honest)),
      page({ cursor: 'three', more: false }),
    ]
    await world.beside.sessions.revoke(world.sid)
    world.faulty.fail((honest) => (pages.shift() ?? page({ cursor: 'four' }))(honest), 'revocations')
    const ready = world.auth.ready()
    await vi.advanceTimersByTimeAsync(500)
    expect(await counted(world, () => code(world.user))).toEqual({ isRevoked: 1 })
    second.release()
    await ready
    expect(await counted(world, async () => expect(await code(world.user)).toBe('token_revoked'))).toEqual({})
    await poll()
    expect(world.faulty.cursors).toEqual([null, 'one', 'two', 'three'])
  })

  test('is read again after a wake-up that came soon after a failure', async () => {
    const world = await readyWorld()
    world.faulty.fail(down, 'revocations')
    await vi.advanceTimersByTimeAsync(900)
    world.faulty.heal()
    world.faulty.wake()
    expect(await counted(world, () => vi.advanceTimersByTimeAsync(249))).toEqual({})
    expect(await counted(world, () => vi.advanceTimersByTimeAsync(1))).toEqual({ revocations: 1 })
    expect(await counted(world, poll)).toEqual({ revocations: 1 })
  })

  test('goes on from the same place after a read that failed halfway', async () => {
    const world = await readyWorld()
    const pages: Fault[] = [page({ cursor: 'half', more: true }), down]
    world.faulty.fail((honest) => (pages.shift() ?? page({ cursor: 'end' }))(honest), 'revocations')
    await vi.advanceTimersByTimeAsync(2000)
    expect(world.faulty.cursors.slice(2)).toEqual(['half', 'half'])
  })

  test('of other data forgets nothing that was known, and revives nobody', async () => {
    const world = await readyWorld()
    const old = await setup({ clock: world.clock }).auth.createAccessToken('test')
    await world.beside.sessions.revoke(world.sid)
    await poll()
    const other = world.browser()
    await other.login()
    const lost = { feedId: 'other', cursor: 'other 0', entries: [], bornAt: (startSeconds + 10) * 1000 + 1 }
    world.clock.advance(10)
    world.faulty.fail(page({ ...lost, bornAt: startSeconds * 1000 }), 'revocations')
    await poll()
    expect([await code(world.user), await code(other)]).toEqual(['token_revoked', 'ok'])
    world.faulty.fail(page(lost), 'revocations')
    await poll()
    expect([await code(world.user), await code(other)]).toEqual(['token_revoked', 'token_revoked'])
    expect(await world.auth.verify(old)).toMatchObject({ sub: 'test' })
    world.faulty.fail(page({ ...lost, bornAt: 0 }), 'revocations')
    await poll()
    expect(await code(other)).toBe('token_revoked')
    expect(await other.login()).toMatchObject({ code: 'ok' })
    expect(other.claims('access')['iat']).toBe(startSeconds + 11)
  })
})

describe('ready', () => {
  test('rejects while the store is away, and resolves when it is called again later', async () => {
    const world = await createWorld()
    world.faulty.fail(down, 'revocations')
    for (let count = 0; count < 2; count++) {
      await expect(world.auth.ready()).rejects.toMatchObject({ code: 'store_unavailable', status: 503 })
    }
    world.faulty.heal()
    await vi.advanceTimersByTimeAsync(250)
    await world.auth.ready()
    const guards = async (): Promise<void> => expect(await codes(world.user, 10)).toEqual(['ok'])
    expect(await counted(world, guards)).toEqual({})
  })

  test('opens the store again after it could not be opened', async () => {
    const faulty = faultyStore(memoryStore())
    const { auth } = createSite({ store: faulty.store })
    faulty.fail(down, 'open')
    await expect(auth.ready()).rejects.toMatchObject({ code: 'store_unavailable' })
    faulty.heal()
    await auth.ready()
    expect(faulty.calls.open).toBe(2)
    await auth.close()
  })

  test.each(['replicated', 'strict'] as const)(
    'gives a mistake of the developer as the cause, %s',
    async (revocation) => {
      const mistake = new TypeError('this client queues')
      const faulty = faultyStore(memoryStore())
      faulty.fail(rejecting(mistake), 'open')
      const { auth } = createSite({ store: faulty.store, revocation })
      await expect(auth.ready()).rejects.toMatchObject({ code: 'store_unavailable', cause: mistake })
      await auth.close()
    },
  )

  test('need not be called: the follower opens the store, and does not wait for ever', async () => {
    const faulty = faultyStore(memoryStore())
    const { auth } = createSite({ store: faulty.store })
    faulty.fail(held().fault, 'open')
    const settled = vi.fn<() => void>()
    auth.ready().catch(settled)
    await vi.advanceTimersByTimeAsync(9999)
    expect(settled).not.toHaveBeenCalled()
    faulty.heal()
    await vi.advanceTimersByTimeAsync(1)
    expect(settled).toHaveBeenCalledOnce()
    await vi.advanceTimersByTimeAsync(1000)
    expect(faulty.calls).toMatchObject({ open: 2, revocations: 1 })
    await auth.close()
  })

  test.each(lies.open ?? [])('lets nobody sign in at a store that %s', async (_what, change) => {
    const faulty = faultyStore(memoryStore())
    faulty.fail(altered(change), 'open')
    const { auth, browser } = createSite({ store: faulty.store, revocation: 'strict' })
    expect(await browser().login()).toMatchObject({ status: 503, code: 'store_unavailable', setCookies: [] })
    await auth.close()
  })

  test('knows since when there are data, and no sign-in is older', async () => {
    const clock = createClock()
    const faulty = faultyStore(memoryStore({ clock }))
    faulty.fail(
      altered((answer) => ({ ...answer, bornAt: startSeconds * 1000 + 1 })),
      'open',
    )
    const site = createSite({ store: faulty.store, revocation: 'strict' }, clock)
    const user = site.browser()
    await user.login()
    expect(user.claims('access')['iat']).toBe(startSeconds + 1)
    await site.auth.close()
  })

  test('tells every observer what an operator should put right', async () => {
    const clock = createClock()
    const faulty = faultyStore(memoryStore({ clock }))
    faulty.fail(
      altered((answer) => ({ ...answer, warnings: ['set one thing', 'and another'] })),
      'open',
    )
    const sites = (['replicated', 'strict'] as const).map((revocation) =>
      createSite({ store: faulty.store, revocation }, clock),
    )
    await Promise.all(sites.map(async ({ auth }) => auth.ready()))
    for (const { events } of sites) {
      expect(events).toEqual([
        { type: 'store.warning', remedy: 'set one thing' },
        { type: 'store.warning', remedy: 'and another' },
      ])
    }
    await Promise.all(sites.map(async ({ auth }) => auth.close()))
  })
})

describe('what this process has ended', () => {
  const steps = [
    ['sessions.revoke', ({ auth, sid }: World) => auth.sessions.revoke(sid)],
    ['sessions.revokeAll', ({ auth }: World) => auth.sessions.revokeAll('test')],
    ['logout', ({ user }: World) => user.copy().logout()],
    ['revokeToken', ({ auth, user }: World) => auth.revokeToken(String(user.jar['access_token_cookie']))],
  ] as const

  test.each(steps)('by %s is refused at once, though the feed never answers', async (_what, step) => {
    const world = await readyWorld()
    world.faulty.fail(held().fault, 'revocations')
    await step(world)
    const guards = async (): Promise<void> => expect(await codes(world.user, 10)).toEqual(['token_revoked'])
    expect(await counted(world, guards)).toEqual({})
    vi.setSystemTime(Date.now() + maxStaleness * 1000)
    expect(await counted(world, guards)).toEqual({})
  })
})

describe('close', () => {
  /** Two servers of one process on one store; both are ready. */
  async function twins(): Promise<World & { readonly twin: Site }> {
    const world = await readyWorld()
    const twin = createSite({ maxStaleness: 1, store: world.store }, world.clock)
    await twin.auth.ready()
    return { ...world, twin }
  }

  test('is one of several: those on one store share what one follower reads', async () => {
    const { twin, ...world } = await twins()
    expect(world.faulty.calls).toMatchObject({ open: 1, revocations: 1 })
    expect(await counted(world, () => vi.advanceTimersByTimeAsync(9000))).toEqual({ revocations: 10 })
    const strict = createSite({ store: world.store, revocation: 'strict' }, world.clock)
    const asking = strict.browser()
    asking.jar = { ...world.user.jar }
    expect(await counted(world, () => codes(asking, 3))).toEqual({ isRevoked: 3 })
    await Promise.all([strict.auth.close(), strict.auth.close()])
    const there = twin.browser()
    there.jar = { ...world.user.jar }
    await world.user.copy().logout()
    expect((await there.get()).code).toBe('token_revoked')
    expect(await counted(world, () => twin.auth.close())).toEqual({})
    expect(await counted(world, () => twin.auth.close())).toEqual({})
    expect(await counted(world, () => vi.advanceTimersByTimeAsync(900))).toEqual({ revocations: 1 })
    expect(world.faulty.watchers()).toBe(1)
    expect(await counted(world, () => world.auth.close())).toEqual({ close: 1 })
    expect(await counted(world, () => world.auth.close())).toEqual({})
  })

  test('leaves no timer, no watcher and no read behind', async () => {
    const world = await readyWorld()
    world.faulty.fail(down, 'revoke')
    await world.user.copy().logout()
    world.faulty.wake()
    expect(vi.getTimerCount()).toBeGreaterThan(0)
    await world.auth.close()
    expect(vi.getTimerCount()).toBe(0)
    expect(world.faulty.watchers()).toBe(0)
    expect(await counted(world, () => vi.advanceTimersByTimeAsync(60_000))).toEqual({})
  })

  test('need not be called for a process to end', async () => {
    const timers = vi.spyOn(globalThis, 'setTimeout')
    const world = await readyWorld()
    world.faulty.fail(down, 'revoke')
    await world.user.copy().logout()
    await vi.waitFor(() => expect(vi.getTimerCount()).toBe(2))
    const made = timers.mock.results.map(({ value }) => value as NodeJS.Timeout)
    // The opening, the first read and how long it may take, the next one, and what the store is told later.
    expect(made.filter((timer) => !timer.hasRef())).toHaveLength(5)
  })

  test('during a read leaves nothing behind either', async () => {
    const world = await readyWorld()
    const { fault, release } = held()
    const endless = altered((answer) => ({ ...answer, more: true }))
    world.faulty.fail(async (honest) => fault(async () => endless(honest)), 'revocations')
    await vi.advanceTimersByTimeAsync(900)
    await world.auth.close()
    release()
    expect(await counted(world, () => vi.advanceTimersByTimeAsync(0))).toEqual({})
    expect(vi.getTimerCount()).toBe(0)
    expect(world.faulty.watchers()).toBe(0)
    expect(await counted(world, () => codes(world.user, 3))).toEqual({ isRevoked: 3 })
  })

  test('has guards ask the store from then on', async () => {
    const world = await readyWorld()
    await world.auth.close()
    const guards = async (): Promise<void> => expect(await codes(world.user, 10)).toEqual(['ok'])
    expect(await counted(world, guards)).toEqual({ isRevoked: 10 })
    world.faulty.fail(down, 'isRevoked')
    expect(await codes(world.user, 10)).toEqual(['store_unavailable'])
  })

  test('is undone by the next one, which follows anew', async () => {
    const world = await readyWorld()
    await world.auth.close()
    const next = createSite({ store: world.store }, world.clock)
    expect(await counted(world, () => next.auth.ready())).toEqual({ open: 1, revocations: 1 })
    expect(world.faulty.cursors.at(-1)).toBeNull()
    expect(world.faulty.watchers()).toBe(1)
    const user = next.browser()
    user.jar = { ...world.user.jar }
    expect(await counted(world, () => codes(user, 10))).toEqual({})
    expect(await counted(world, () => vi.advanceTimersByTimeAsync(900))).toEqual({ revocations: 1 })
    await next.auth.close()
    expect(vi.getTimerCount()).toBe(0)
  })

  // The follower lets the next one wait for the read of the one before, which then counts for nobody.
  test('during a read does not leave the next one without its own', async () => {
    const world = await readyWorld()
    const { fault, release } = held()
    world.faulty.fail(fault, 'revocations')
    await vi.advanceTimersByTimeAsync(900)
    await world.auth.close()
    const next = createSite({ store: world.store }, world.clock)
    ends.push(() => next.auth.close())
    world.faulty.heal()
    const ready = next.auth.ready()
    release()
    await ready
    const user = next.browser()
    user.jar = { ...world.user.jar }
    expect(await counted(world, () => user.get())).toEqual({})
  })
})

describe('memory', () => {
  // Where the store is asked each time no feed is read, so a refresh does it.
  test('is given back by a strict one too', async () => {
    const world = await createWorld({ revocation: 'strict' })
    await world.user.copy().logout()
    const { set } = Follower.of(world.store)
    expect(set.size).toBe(1)
    world.clock.advance(100 * 86_400)
    const later = world.browser()
    await later.login('later')
    expect(await later.refresh()).toMatchObject({ code: 'ok' })
    expect(set.size).toBe(0)
  })
})

describe('hints', () => {
  // What a store says of hints is taken for what it says of the feed.
  test('are not needed: a watch that throws is no outage', async () => {
    const watch = (): never => {
      throw new Error('no more connections')
    }
    const clock = createClock()
    const site = createSite({ store: { ...faultyStore(memoryStore({ clock })).store, watch } }, clock)
    await site.auth.ready()
    await vi.advanceTimersByTimeAsync(5000)
    expect(storeEvents(site)).toEqual([])
    await site.auth.close()
  })
})
