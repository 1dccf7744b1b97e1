// A store that fails in any way: nobody gets in for it, nothing of its error gets out, and all works again after it.

import { describe, expect, test, vi } from 'vitest'
import { webAuth } from '../src/adapters/web.ts'
import type { AuthOptions, Authorize } from '../src/index.ts'
import { memoryStore } from '../src/stores/memory.ts'
import {
  altered,
  confidential,
  faults,
  faultyStore,
  honestAnswers,
  lies,
  ofSession,
  rejecting,
} from './_faulty-store.ts'
import type { Fault, FaultyStore, Method } from './_faulty-store.ts'
import { cookieHeader, createClock } from './_setup.ts'
import { createSite } from './_sessions.ts'
import type { Browser, Site } from './_sessions.ts'

/** A server whose store can fail, and one beside it that signs people in. */
interface World extends Site {
  readonly faulty: FaultyStore
  readonly user: Browser
  readonly sid: string
  /** The server that has signed the user in. */
  readonly beside: Site['auth']
}

/** Plays with a server over a store of its own, and closes it. */
async function withWorld(options: AuthOptions, play: (world: World) => Promise<void>): Promise<void> {
  const clock = createClock()
  const honest = memoryStore({ clock })
  const { auth: beside, browser } = createSite({ store: honest, ...strict }, clock)
  const signedIn = browser()
  await signedIn.login()
  clock.advance(60)
  const faulty = faultyStore(honest)
  const site = createSite({ ...options, store: faulty.store }, clock)
  const user = site.browser()
  user.jar = { ...signedIn.jar }
  try {
    await play({ ...site, faulty, user, sid: String(user.claims()['sid']), beside })
  } finally {
    faulty.heal()
    await site.auth.close()
  }
}

const strict: AuthOptions = { revocation: 'strict' }

/** Something that needs the store, as one request. */
interface Operation {
  readonly name: string
  /** What it asks. */
  readonly methods: readonly Method[]
  readonly options?: AuthOptions
  /** What has to fail besides, so that it asks at all. */
  readonly besides?: readonly Method[]
  readonly csrf?: string
  readonly run: (world: World, authorize: Authorize) => unknown
}

const operations: readonly Operation[] = [
  { name: 'login', methods: ['open', 'create'], run: (_world, authorize) => authorize.login('other') },
  {
    name: 'refresh',
    methods: ['open', 'rotate'],
    csrf: 'csrf_refresh_token',
    run: (_world, authorize) => authorize.refresh(),
  },
  { name: 'a strict guard', methods: ['isRevoked'], run: (_world, authorize) => authorize.jwtRequired() },
  {
    name: 'a guard before the first read',
    methods: ['isRevoked'],
    besides: ['open'],
    options: { revocation: 'replicated' },
    run: (_world, authorize) => authorize.jwtRequired(),
  },
  {
    name: 'a guard of refresh tokens',
    methods: ['rotate'],
    csrf: 'csrf_refresh_token',
    run: (_world, authorize) => authorize.jwtRefreshTokenRequired(),
  },
  { name: 'sessions.list', methods: ['list'], run: ({ auth }) => auth.sessions.list('test') },
  { name: 'sessions.get', methods: ['get'], run: ({ auth, sid }) => auth.sessions.get(sid) },
  { name: 'sessions.revoke', methods: ['revoke'], run: ({ auth, sid }) => auth.sessions.revoke(sid) },
  { name: 'sessions.revokeAll', methods: ['revoke'], run: ({ auth }) => auth.sessions.revokeAll('test') },
  {
    name: 'revokeToken of an access token',
    methods: ['revoke'],
    run: ({ auth, user }) => auth.revokeToken(String(user.jar['access_token_cookie'])),
  },
  {
    name: 'revokeToken of a refresh token',
    methods: ['revoke'],
    run: ({ auth, user }) => auth.revokeToken(String(user.jar['refresh_token_cookie'])),
  },
  { name: 'ready of a strict one', methods: ['open'], run: ({ auth }) => auth.ready() },
  {
    name: 'ready of a replicated one',
    methods: ['open', 'revocations'],
    options: { revocation: 'replicated' },
    run: ({ auth }) => auth.ready(),
  },
]

const logout: Operation = {
  name: 'logout',
  methods: ['revoke'],
  run: (_world, authorize) => authorize.logout(),
}

interface Refusal {
  readonly status: number
  readonly retryAfter: string | null
  readonly setCookies: readonly string[]
  readonly text: string
}

/** One request, with all that comes back. */
async function request(world: World, { run, csrf = 'csrf_access_token' }: Operation): Promise<Refusal> {
  const web = webAuth(world.auth)
  const bound = new Request('https://app.example/', {
    method: 'POST',
    headers: { cookie: cookieHeader(world.user.jar), 'x-csrf-token': world.user.jar[csrf] ?? '' },
  })
  const response = await web.authErrors(async (raw: Request) => {
    await run(world, web.authorize(raw))
    return new Response('done')
  })(bound)
  return {
    status: response.status,
    retryAfter: response.headers.get('retry-after'),
    setCookies: response.headers.getSetCookie(),
    text: `${await response.text()} ${JSON.stringify([...response.headers])}`,
  }
}

const generations = [-1, 0, 2, 7, 0.5, Number.NaN, 2 ** 60]

const named = ({ events }: Site, type: string): number => events.filter((event) => event.type === type).length

function expectRefusal(world: World, refusal: Refusal): void {
  expect(refusal).toMatchObject({ status: 503, retryAfter: expect.stringMatching(/^[1-3]$/) })
  expect(refusal.text).toContain('"code":"store_unavailable"')
  expect(refusal.text).not.toContain(confidential)
  expect(JSON.stringify(world.events)).not.toContain(confidential)
}

/** A step that fails in one way. */
interface Row {
  readonly method: Method
  readonly what: string
  readonly fault: Fault
}

/** Two requests while the store fails, and some after it. @returns what observers were told of the store */
async function outage(operation: Operation, { method, fault }: Row): Promise<readonly string[]> {
  const told: string[] = []
  await withWorld({ ...strict, ...operation.options }, async (world) => {
    const { faulty } = world
    faulty.fail(rejecting(new Error(confidential)), ...(operation.besides ?? []))
    faulty.fail(fault, method)
    for (let count = 0; count < 2; count++) {
      const refusal = await request(world, operation)
      expectRefusal(world, refusal)
      expect(refusal.setCookies).toEqual([])
    }
    expect(faulty.calls[method]).toBeGreaterThan(0)
    // A follower may notice later than who opens the store by hand.
    const patience = operation.options === undefined ? 50 : 5000
    await vi.waitFor(() => expect(named(world, 'store.unavailable')).toBe(1), patience)
    faulty.heal()
    // A feed is asked again after half a second at most.
    await vi.waitFor(async () => expect((await request(world, operation)).status).toBe(200), 5000)
    await vi.waitFor(() => expect(named(world, 'store.recovered')).toBe(1), 5000)
    told.push(...world.events.map(({ type }) => type).filter((type) => type.startsWith('store.')))
  })
  return told
}

const once = ['store.unavailable', 'store.recovered']

function rowsOf(method: Method): readonly Row[] {
  const told = faults.filter(([what]) => honestAnswers[method]?.includes(what) !== true)
  const lied = lies[method] ?? []
  return [
    ...told.map(([what, fault]) => ({ method, what, fault })),
    ...lied.map(([what, change]) => ({ method, what, fault: altered(change) })),
  ]
}

for (const operation of operations) {
  describe.concurrent(`${operation.name} is refused, and works again after it`, () => {
    test.each(operation.methods.flatMap(rowsOf))('when $method $what', async (row) => {
      expect(await outage(operation, row)).toEqual(once)
    })
  })
}

describe.concurrent('generations', () => {
  test.each(generations)('refresh takes no generation %d', async (generation) => {
    const row = { method: 'rotate', what: '', fault: altered(ofSession({ generation })) } as const
    for (const operation of operations.filter(({ name }) => name === 'refresh')) {
      expect(await outage(operation, row)).toEqual(once)
    }
  })

  test.each([1, 7])('a guard takes no generation %d', async (generation) => {
    const row = {
      method: 'rotate',
      what: '',
      fault: altered(ofSession({ generation })),
    } as const
    for (const operation of operations.filter(({ name }) => name === 'a guard of refresh tokens')) {
      expect(await outage(operation, row)).toEqual(once)
    }
  })
})

test('nobody waits longer for an answer that does not come than was said', async () => {
  const pairs = [...operations, logout].flatMap((operation) =>
    operation.methods.map((method) => ({ operation, method })),
  )
  // Whoever opens a store by hand waits longer.
  const asked = pairs.filter(
    ({ operation, method }) => method !== 'open' || !operation.name.includes('ready'),
  )
  await Promise.all(
    asked.map(async ({ operation, method }) =>
      withWorld({ ...strict, ...operation.options, storeTimeout: 1 }, async (world) => {
        world.faulty.fail(() => new Promise(() => undefined), method, ...(operation.besides ?? []))
        expectRefusal(world, await request(world, operation))
      }),
    ),
  )
})

describe.concurrent('logout', () => {
  async function signOut({ fault }: Row): Promise<void> {
    await withWorld(strict, async (world) => {
      const { auth, faulty, sid, user } = world
      const copy = user.copy()
      faulty.fail(fault, 'revoke')
      const refusal = await request(world, logout)
      expectRefusal(world, refusal)
      expect(refusal.setCookies).toHaveLength(4)
      for (const line of refusal.setCookies) expect(line).toContain('; Max-Age=0;')
      const { isRevoked, rotate } = faulty.calls
      expect(await copy.get()).toMatchObject({ code: 'token_revoked' })
      expect(await copy.refresh()).toMatchObject({ code: 'token_revoked' })
      expect(faulty.calls).toMatchObject({ isRevoked, rotate })
      const told = faulty.calls.revoke
      faulty.heal()
      await vi.waitFor(() => expect(named(world, 'session.revoked')).toBe(1), 5000)
      expect(faulty.calls.revoke).toBe(told + 1)
      expect(await auth.sessions.get(sid)).toMatchObject({ revokedAt: expect.any(Number) })
      expect([named(world, 'store.unavailable'), named(world, 'store.recovered')]).toEqual([1, 1])
    })
  }

  test.each(rowsOf('revoke'))('unsets cookies and tells the store later when it $what', signOut)

  test('tells the store of all who signed out, once each', async () => {
    await withWorld(strict, async (world) => {
      const { faulty, user } = world
      const people = [user, world.browser(), world.browser()]
      for (const person of people.slice(1)) await person.login()
      faulty.fail(rejecting(undefined), 'revoke')
      for (const person of people) expect(await person.logout()).toMatchObject({ status: 503 })
      faulty.heal()
      const told = faulty.calls.revoke
      await vi.waitFor(() => expect(named(world, 'session.revoked')).toBe(3), 5000)
      expect(faulty.calls.revoke).toBe(told + 3)
      expect(await world.auth.sessions.list('test')).toEqual([])
    })
  })
})

const silent: readonly [string, Fault] = ['never answers', () => new Promise(() => undefined)]

describe('what nobody waits for', () => {
  test.each([...faults, silent])('a store that %s when it is swept is asked once', async (_what, fault) => {
    await withWorld(strict, async (world) => {
      world.faulty.fail(fault, 'sweep')
      const codes = new Set<string>()
      for (let number = 0; number < 100; number++) {
        codes.add((await world.browser().login(`user ${number}`)).code)
      }
      expect(world.faulty.calls.sweep).toBe(1)
      expect(codes).toEqual(new Set(['ok']))
      expect([named(world, 'store.unavailable'), named(world, 'store.recovered')]).toEqual([0, 0])
    })
  })
})

describe('close', () => {
  const refusals = faults.filter(([what]) => !what.startsWith('answers'))

  test.each(refusals)(
    'says so when the store %s, and has let go of it all the same',
    async (_what, fault) => {
      await withWorld({ revocation: 'replicated' }, async ({ auth, faulty, user }) => {
        await auth.ready()
        faulty.fail(fault, 'close')
        await expect(auth.close()).rejects.toMatchObject({ code: 'store_unavailable' })
        expect(faulty.watchers()).toBe(0)
        await auth.close()
        expect(faulty.calls.close).toBe(1)
        const { isRevoked } = faulty.calls
        expect(await user.get()).toMatchObject({ code: 'ok' })
        expect(faulty.calls.isRevoked).toBe(isRevoked + 1)
      })
    },
  )

  test('does not wait for ever', async () => {
    await withWorld(strict, async ({ auth, faulty }) => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
      try {
        faulty.fail(silent[1], 'close')
        const [closed] = await Promise.allSettled([auth.close(), vi.advanceTimersByTimeAsync(10_000)])
        expect(closed).toMatchObject({ status: 'rejected', reason: { code: 'store_unavailable' } })
        expect(vi.getTimerCount()).toBe(0)
      } finally {
        vi.useRealTimers()
      }
    })
  })
})

test('a feed that says there is more, and does not move on, is asked twice', async () => {
  await withWorld({ revocation: 'replicated' }, async ({ auth, faulty }) => {
    // It gives in after a while, so that whoever believes it is found out.
    const stuck = altered((page) => ({ ...page, cursor: 'here', more: faulty.calls.revocations < 50 }))
    faulty.fail(stuck, 'revocations')
    await expect(auth.ready()).rejects.toMatchObject({ code: 'store_unavailable' })
    expect(faulty.calls.revocations).toBe(2)
  })
})

// The refresh token of the same session is left out before anybody is asked, so nobody speaks for the user.
test('a good refresh token signs out everywhere beside an access token that was revoked', async () => {
  await withWorld(strict, async ({ auth, user, browser }) => {
    const phone = browser()
    await phone.login()
    await auth.revokeToken(String(user.jar['access_token_cookie']))
    expect(await user.logout({ everywhere: true })).toMatchObject({ code: 'ok', body: { revoked: true } })
    expect(await phone.get()).toMatchObject({ code: 'token_revoked' })
  })
})

describe('a sign-out everywhere while the store is away', () => {
  const down = rejecting(new Error('away'))
  const asked: readonly Method[] = ['revoke', 'isRevoked', 'rotate']

  test.each([
    ['both tokens', [] as readonly string[]],
    ['the refresh token alone', ['access_token_cookie']],
    ['the access token alone', ['refresh_token_cookie']],
  ])('with %s ends all other sessions when the store is back', async (_title, missing) => {
    await withWorld(strict, async ({ faulty, user, browser }) => {
      const phone = browser()
      await phone.login()
      for (const name of missing) Reflect.deleteProperty(user.jar, name)
      faulty.fail(down, ...asked)
      expect(await user.logout({ everywhere: true })).toMatchObject({ code: 'store_unavailable' })
      expect(user.jar).toEqual({})
      faulty.heal()
      await vi.waitFor(async () => expect(await phone.get()).toMatchObject({ code: 'token_revoked' }), 3000)
    })
  })

  test('ends only what the token names if the store says that it was revoked before', async () => {
    await withWorld(strict, async ({ faulty, user, sid, browser, beside }) => {
      const phone = browser()
      await phone.login()
      await beside.sessions.revoke(sid)
      faulty.fail(down, ...asked)
      expect(await user.logout({ everywhere: true })).toMatchObject({ code: 'store_unavailable' })
      const before = faulty.calls.revoke
      faulty.heal()
      await vi.waitFor(() => expect(faulty.calls.revoke).toBeGreaterThan(before), 3000)
      expect(await phone.get()).toMatchObject({ code: 'ok' })
    })
  })
})

test('a sign-out whose session the store has lost denies the access token itself', async () => {
  await withWorld(strict, async ({ faulty, user }) => {
    const thief = user.copy()
    let isLost = true
    faulty.fail(async (honest) => {
      if (!isLost) return honest()
      isLost = false
      return []
    }, 'revoke')
    expect(await user.logout()).toMatchObject({ code: 'ok' })
    expect(await thief.get()).toMatchObject({ code: 'token_revoked' })
  })
})
