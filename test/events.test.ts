// Each event is told where it belongs, once, whatever its observers do; and costs nothing where there are none.

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { createAuth } from '../src/index.ts'
import type { AuthEvent, AuthOptions } from '../src/index.ts'
import { memoryStore } from '../src/stores/memory.ts'
import { faultyStore, rejecting } from './_faulty-store.ts'
import { createSite } from './_sessions.ts'
import type { Site } from './_sessions.ts'
import { createClock, secretKey } from './_setup.ts'
import type { TestClock } from './_setup.ts'
import { act, notedResponse, portOf, signIn } from './_wire.ts'

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

/** What the channel is told. */
function listen(): AuthEvent[] {
  const told: AuthEvent[] = []
  const note = (event: unknown): unknown => told.push(event as AuthEvent)
  subscribe('tallystick', note)
  ends.push(() => unsubscribe('tallystick', note))
  return told
}

function open(options: AuthOptions = {}, clock: TestClock = createClock()): Site {
  const site = createSite(options, clock)
  ends.push(() => site.auth.close())
  return site
}

/** A course of events, and the types that it must tell, in order. */
const courses: Readonly<Record<string, { told: string[]; run: (options: AuthOptions) => Promise<unknown> }>> =
  {
    'a sign-in': {
      told: ['session.created'],
      run: (options) => open(options).browser().login(),
    },
    'a refresh': {
      told: ['session.created', 'session.rotated'],
      async run(options) {
        const user = open(options).browser()
        await user.login()
        await user.refresh()
      },
    },
    'two tabs that refresh': {
      told: ['session.created', 'session.rotated', 'session.grace'],
      async run(options) {
        const user = open(options).browser()
        await user.login()
        const tab = user.copy()
        await user.refresh()
        await tab.refresh()
      },
    },
    'a copied refresh token': {
      told: ['session.created', 'session.rotated', 'session.revoked', 'session.reused', 'rejected'],
      async run(options) {
        const { browser, clock } = open(options)
        const user = browser()
        await user.login()
        const thief = user.copy()
        await user.refresh()
        clock.advance(31)
        await thief.refresh()
      },
    },
    'a sign-out': {
      told: ['session.created', 'session.revoked'],
      async run(options) {
        const user = open(options).browser()
        await user.login()
        await user.logout()
      },
    },
    'a store that fails twice and comes back': {
      told: ['store.unavailable', 'rejected', 'rejected', 'session.created', 'store.recovered'],
      async run(options) {
        const clock = createClock()
        const faulty = faultyStore(memoryStore({ clock }))
        const user = open({ ...options, store: faulty.store, revocation: 'strict' }, clock).browser()
        faulty.fail(rejecting(new Error('away')), 'create')
        await user.login()
        await user.login()
        faulty.heal()
        await user.login()
      },
    },
    'a store that is set up badly': {
      told: ['store.warning'],
      async run(options) {
        const faulty = faultyStore(memoryStore())
        faulty.fail(async (honest) => ({ ...((await honest()) as object), warnings: ['do this'] }), 'open')
        await open({ ...options, store: faulty.store, revocation: 'strict' }).auth.ready()
      },
    },
    'a refused guard': {
      told: ['rejected'],
      run: (options) => open(options).browser().get(),
    },
    'a refused refresh': {
      told: ['rejected'],
      run: (options) => open(options).browser().refresh(),
    },
    'a refusal that is forgiven': {
      told: ['rejected'],
      async run(options) {
        const user = open({ ...options, optionalErrors: 'anonymous' }).browser()
        user.jar = { access_token_cookie: 'a.b.c' }
        await user.send('GET', async (authorize) => {
          await authorize.jwtOptional()
        })
      },
    },
    'a sign-in over plain http': {
      told: ['cookie.insecure_transport', 'session.created'],
      async run(options) {
        const { auth } = open(options)
        const port = portOf({ method: 'POST', headers: { host: 'app.example' } })
        const plain = { ...port, url: 'http://app.example/login' }
        await auth.authorize(plain, notedResponse()).login('test')
      },
    },
  }

const sorted = (types: readonly string[]): string[] => types.toSorted()

describe.each(Object.entries(courses))('%s', (_, { told, run }) => {
  test('tells each event once, to the channel and to onEvent', async () => {
    const heard = listen()
    const events: AuthEvent[] = []
    await run({ onEvent: (event) => events.push(event) })
    expect(sorted(events.map(({ type }) => type))).toEqual(sorted(told))
    expect(heard).toEqual(events)
  })

  test.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('observer')
      },
    ],
    ['returns a promise that rejects', async () => Promise.reject(new Error('observer'))],
    [
      'returns a thenable that rejects',
      () => ({ then: (_: unknown, reject: (reason: unknown) => void) => reject('observer') }),
    ],
  ])('is told on, once, where onEvent %s', async (_name, fail) => {
    const warnings = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
    ends.push(() => warnings.mockRestore())
    const heard = listen()
    const events: AuthEvent[] = []
    await run({
      onEvent(event) {
        events.push(event)
        return fail() as void
      },
    })
    await new Promise((resolve) => setImmediate(resolve))
    expect(sorted(events.map(({ type }) => type))).toEqual(sorted(told))
    expect(heard).toEqual(events)
    expect(warnings.mock.calls.map(([text]) => text)).toEqual(
      told.map(() => 'tallystick: onEvent threw an error, which was ignored'),
    )
  })
})

test('a refusal on an open socket is told once', async () => {
  const world = await signIn()
  await act(world, { headers: { cookie: world.cookie } }, async (authorize) => {
    await authorize.jwtRequired()
    const session = authorize.watch(() => undefined)
    await expect(session.renew('a.b.c')).rejects.toThrow('The token is invalid')
    session.stop()
  })
  expect(world.events).toEqual([{ type: 'rejected', code: 'token_invalid', reason: 'malformed' }])
})

test('a refusal costs nothing more where nobody listens, and an event where somebody does', async () => {
  const reads: string[] = []
  const auth = createAuth({ secretKey, clock: createClock() })
  const headers = { 'sec-fetch-site': 'cross-site', cookie: 'access_token_cookie=a.b.c' }
  const port = portOf({ method: 'POST', headers })
  const refuse = async (): Promise<number> => {
    reads.length = 0
    const counting = {
      ...port,
      header(name: string) {
        reads.push(name)
        return port.header(name)
      },
    }
    await expect(auth.authorize(counting, notedResponse()).jwtRequired()).rejects.toThrow('Cross-site')
    return reads.filter((name) => name === 'origin').length
  }
  const before = await refuse()
  expect(await refuse()).toBe(before)
  const heard = listen()
  expect(await refuse()).toBe(before + 1)
  expect(heard).toMatchObject([{ type: 'rejected', code: 'origin_forbidden' }])
})
