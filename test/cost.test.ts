// What requests cost, in counts and bytes: they do not change with the machine, so they can be held.

import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, test, vi } from 'vitest'
import type { AuthOptions, AuthRequest, Store } from '../src/index.ts'
import { memoryStore } from '../src/stores/memory.ts'
import { bundleSizes } from '../bench/bundles.ts'
import { cookieHeader, setup } from './_setup.ts'

const counted = vi.hoisted(() => ({ hashes: 0, asymmetric: 0, comparisons: 0 }))

vi.mock('node:crypto', async (importOriginal) => {
  const original = await importOriginal<typeof import('node:crypto')>()
  return {
    ...original,
    hash(...parameters: Parameters<typeof original.hash>) {
      counted.hashes++
      return original.hash(...parameters)
    },
    sign(...parameters: Parameters<typeof original.sign>) {
      counted.asymmetric++
      return original.sign(...parameters)
    },
    verify(...parameters: Parameters<typeof original.verify>) {
      counted.asymmetric++
      return original.verify(...parameters)
    },
    timingSafeEqual(...parameters: Parameters<typeof original.timingSafeEqual>) {
      counted.comparisons++
      return original.timingSafeEqual(...parameters)
    },
  }
})

/** What one step has cost. */
interface Cost {
  /** Signatures made or verified: an HMAC is two hashes. */
  readonly signatures: number
  readonly comparisons: number
  readonly storeCalls: readonly string[]
  readonly headersRead: readonly string[]
  readonly headersSet: readonly string[]
}

const followed = new Set(['open', 'revocations', 'watch', 'close', 'sweep'])

/** A store that tells which of its calls were made for a request; the feed goes its own way. */
function countingStore(calls: string[]): Store {
  return new Proxy(memoryStore(), {
    get(target, name: keyof Store) {
      const member = target[name]
      if (typeof member !== 'function') return member
      return (...parameters: never[]) => {
        if (!followed.has(name)) calls.push(name)
        return Reflect.apply(member, target, parameters)
      }
    },
  })
}

async function createWorld(kind: 'without a store' | 'with a store', options: AuthOptions = {}) {
  const storeCalls: string[] = []
  const store = kind === 'with a store' ? { store: countingStore(storeCalls) } : {}
  // A store lives by the clock of the machine.
  const { auth } = setup({ ...store, clock: () => Date.now() / 1000, ...options })
  await auth.ready()
  const read: string[] = []
  const set: string[] = []

  const bind = (method: string, headers: Readonly<Record<string, string>>) => {
    const request: AuthRequest = {
      method,
      url: '/',
      header(name) {
        read.push(name)
        return headers[name]
      },
    }
    const write = (name: string, line: string): void => {
      set.push(`${name}: ${line.slice(0, line.indexOf('='))}`)
    }
    return auth.authorize(request, { append: write, set: (name) => void set.push(name), sent: false })
  }

  async function costOf(step: () => Promise<unknown>): Promise<Cost> {
    Object.assign(counted, { hashes: 0, asymmetric: 0, comparisons: 0 })
    for (const list of [storeCalls, read, set]) list.length = 0
    await step()
    return {
      signatures: counted.hashes / 2 + counted.asymmetric,
      comparisons: counted.comparisons,
      storeCalls: [...storeCalls],
      headersRead: [...read],
      headersSet: [...set],
    }
  }

  const { accessToken, refreshToken } = await bind('POST', {}).login('ada')
  const csrfOf = (token: string): string => auth.getUnverifiedJwtClaims(token)['csrf'] as string
  const cookie = cookieHeader({ access_token_cookie: accessToken, refresh_token_cookie: refreshToken })
  const headers = {
    access: { cookie, 'x-csrf-token': csrfOf(accessToken) },
    refresh: { cookie, 'x-csrf-token': csrfOf(refreshToken) },
  }
  return { auth, bind, costOf, headers }
}

const fourCookies = [
  'access_token_cookie',
  'csrf_access_token',
  'refresh_token_cookie',
  'csrf_refresh_token',
].map((name) => `set-cookie: ${name}`)

describe.each(['without a store', 'with a store'] as const)('%s', (kind) => {
  const hasStore = kind === 'with a store'

  test('the first sight of a token is one signature, every other none; the store is not asked', async () => {
    const { bind, costOf, headers } = await createWorld(kind)
    const guard = (): Promise<unknown> => bind('GET', headers.access).jwtRequired()
    // Its maker has not read it yet.
    expect((await costOf(guard)).signatures).toBe(1)
    const again = await costOf(guard)
    expect(again).toEqual({
      signatures: 0,
      comparisons: 0,
      storeCalls: [],
      headersRead: ['cookie', 'upgrade'],
      headersSet: [],
    })
  })

  test('the first sight of a token is one signature and one comparison more for CSRF on POST', async () => {
    const { bind, costOf, headers } = await createWorld(kind)
    const guard = (): Promise<unknown> => bind('POST', headers.access).jwtRequired()
    expect(await costOf(guard)).toMatchObject({ signatures: 1, comparisons: 2, storeCalls: [] })
    expect(await costOf(guard)).toEqual({
      signatures: 0,
      comparisons: 1,
      storeCalls: [],
      headersRead: ['cookie', 'origin', 'sec-fetch-site', 'host', 'x-csrf-token'].filter(
        (name) => name !== 'host',
      ),
      headersSet: [],
    })
  })

  test('a second guard of the same request asks the cookie once more, and nothing else', async () => {
    const { bind, costOf, headers } = await createWorld(kind)
    const bound = bind('GET', headers.access)
    await bound.jwtRequired()
    expect(await costOf(() => bound.jwtRequired())).toMatchObject({
      signatures: 0,
      storeCalls: [],
      headersRead: ['cookie', 'upgrade'],
    })
  })

  test('a sign-in is two signatures and four cookies, and one call of the store', async () => {
    const { bind, costOf } = await createWorld(kind)
    const cost = await costOf(() => bind('POST', {}).login('ada'))
    expect(cost).toMatchObject({ signatures: 2, comparisons: 0, storeCalls: hasStore ? ['create'] : [] })
    expect(cost.headersSet.filter((name) => name.startsWith('set-cookie')).toSorted()).toEqual(
      fourCookies.toSorted(),
    )
  })

  test('a refresh verifies one token and makes those it replaces, with one call of the store', async () => {
    const { bind, costOf, headers } = await createWorld(kind)
    const cost = await costOf(() => bind('POST', headers.refresh).refresh())
    expect(cost).toMatchObject({
      signatures: hasStore ? 3 : 2,
      storeCalls: hasStore ? ['rotate'] : [],
    })
  })
})

test.each(['fastapi-jwt-auth', 'flask-jwt-extended'] as const)(
  'in the place of %s a guard costs what it does without a preset',
  async (compat) => {
    const { bind, costOf, headers } = await createWorld('without a store', {
      compat,
      tokenLocation: ['cookies'],
    })
    const get = (): Promise<unknown> => bind('GET', headers.access).jwtRequired()
    const post = (): Promise<unknown> => bind('POST', headers.access).jwtRequired()
    expect(await costOf(get)).toMatchObject({ signatures: 1, comparisons: 1 })
    expect(await costOf(get)).toMatchObject({ signatures: 0, headersRead: ['cookie', 'upgrade'] })
    expect(await costOf(post)).toMatchObject({ signatures: 0, comparisons: 1 })
  },
)

test('asymmetric signatures are as many', async () => {
  const { privateKey } = generateKeyPairSync('ed25519')
  const options = { secretKey: undefined, privateKey, algorithm: 'EdDSA' } as const
  const { bind, costOf, headers } = await createWorld('without a store', options)
  const guard = (): Promise<unknown> => bind('GET', headers.access).jwtRequired()
  expect(await costOf(guard)).toMatchObject({ signatures: 1 })
  expect(await costOf(guard)).toMatchObject({ signatures: 0 })
  expect(await costOf(() => bind('POST', {}).login('ada'))).toMatchObject({ signatures: 2 })
})

test('with strict revocation a guard asks the store once, and with the cache off it verifies each time', async () => {
  const strict = await createWorld('with a store', { revocation: 'strict' })
  const guard = (): Promise<unknown> => strict.bind('GET', strict.headers.access).jwtRequired()
  await guard()
  expect(await strict.costOf(guard)).toMatchObject({ signatures: 0, storeCalls: ['isRevoked'] })
  const uncached = await createWorld('without a store', { verifiedTokenCache: 0 })
  const verify = (): Promise<unknown> => uncached.bind('GET', uncached.headers.access).jwtRequired()
  await verify()
  expect(await uncached.costOf(verify)).toMatchObject({ signatures: 1 })
})

test('more tokens than the cache holds cost a signature each', async () => {
  const { auth, costOf } = await createWorld('without a store', { verifiedTokenCache: 10 })
  const tokens = await Promise.all(
    Array.from({ length: 40 }, (_, index) => auth.createAccessToken(`user ${index}`)),
  )
  const verifyAll = async (): Promise<void> => {
    for (const token of tokens) await auth.verify(token)
  }
  await verifyAll()
  expect((await costOf(verifyAll)).signatures).toBe(tokens.length)
})

/** Bytes of each subpath, bundled with the core, minified and compressed; raise one only for what is worth it. */
const ceilings: Readonly<Record<string, number>> = {
  '.': 41_500,
  './client': 2000,
  './hono': 17_500,
  './express': 17_500,
  './fastify': 17_500,
  './koa': 17_500,
  './nest': 19_500,
  './elysia': 18_500,
  './h3': 18_000,
  './next': 19_500,
  './web': 17_500,
  './ws': 18_000,
  './openapi': 20_000,
  './stores/memory': 2700,
  './stores/sqlite': 5400,
  './stores/redis': 8200,
  './stores/postgres': 7700,
}

/** It is for tests, and never leaves a developer's machine. */
const unlimited = ['./testing']

describe('the bundle of', async () => {
  const sizes = await bundleSizes(new URL('../', import.meta.url))

  test('every subpath has its ceiling', () => {
    expect([...Object.keys(ceilings), ...unlimited].toSorted()).toEqual([...sizes.keys()].toSorted())
  })

  test.each(Object.entries(ceilings))('tallystick %s stays under %d bytes', (subpath, ceiling) => {
    const { gzip = Number.NaN } = sizes.get(subpath) ?? {}
    expect(gzip).toBeLessThan(ceiling)
    // One that has become far too high holds nothing any more.
    expect(gzip).toBeGreaterThan(ceiling * 0.8)
  })
})
