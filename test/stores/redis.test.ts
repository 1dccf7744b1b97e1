// Runs `redisStore` against real servers, alone and as a Cluster, over both of the clients it takes.

import { createHash, randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { Cluster, Redis } from 'ioredis'
import { createClient, createCluster } from 'redis'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { NewSession, Rotation, Store, TokenFacts } from '../../src/core/store.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { redisStore } from '../../src/stores/redis.ts'
import type { IoredisClient, NodeRedisClient, RedisStoreOptions } from '../../src/stores/redis.ts'
import { storeContract } from '../../src/testing.ts'
import type { MakeStore } from '../../src/testing.ts'
import { startSeconds } from '../_setup.ts'
import {
  connectIoredis,
  connectIoredisCluster,
  connectNodeRedis,
  connectNodeRedisCluster,
  isReachable,
  removeKeys,
  startCluster,
  startServer,
  until,
} from './_redis.ts'
import type { OwnServer } from './_redis.ts'

const hasRedis = await isReachable()
const accessLifetime = 1_260_000
const day = 86_400_000
const never = new AbortController().signal

type Client = IoredisClient | NodeRedisClient

/** What every key of this run begins with. */
const ours = `test-${randomUUID()}:`

/** What a test opened, to be ended after it. */
const endings: (() => unknown)[] = []

afterAll(async () => {
  for (const end of endings.toReversed()) await end()
  if (hasRedis) await removeKeys(`*{${ours}*`)
}, 60_000)

function ended<Ended extends { disconnect(): unknown }>(client: Ended): Ended {
  endings.push(() => client.disconnect())
  return client
}

function destroyed<Ended extends { destroy(): unknown }>(client: Ended): Ended {
  endings.push(() => client.destroy())
  return client
}

function sidOf(subject: string): string {
  return createHash('sha256').update(subject).digest('hex').slice(0, 2) + randomUUID().slice(2)
}

function newSession(subject: string, changes: Partial<NewSession> = {}): NewSession {
  const nowSeconds = Math.floor(Date.now() / 1000)
  return {
    id: sidOf(subject),
    subject,
    salt: 'AAAAAAAAAAAAAAAAAAAAAA',
    issuedAtSeconds: nowSeconds,
    authTimeSeconds: nowSeconds,
    accessLifetime,
    idleLifetime: 30 * day,
    expiresAt: Date.now() + 90 * day,
    metadata: {},
    ...changes,
  }
}

function rotationOf({ id, subject }: { readonly id: string; readonly subject: string }): Rotation {
  const successor = { salt: randomUUID(), issuedAtSeconds: Math.floor(Date.now() / 1000), idleLifetime: day }
  return {
    sid: id,
    subject,
    generation: 0,
    grace: 30_000,
    lateReplay: 'revoke',
    accessLifetime,
    successor,
    adoption: null,
  }
}

function factsOf(changes: Partial<TokenFacts> = {}): TokenFacts {
  return { subject: 'test', jti: randomUUID(), issuedAtSeconds: Math.floor(Date.now() / 1000), ...changes }
}

async function idsIn(store: Store, cursor: string | null = null): Promise<string[]> {
  const page = await store.revocations(cursor, never)
  const rest = page.more ? await idsIn(store, page.cursor) : []
  return [...page.entries.map(({ id }) => id), ...rest].toSorted()
}

/** A store whose keys no other test has. */
async function openStore(client: Client, options: RedisStoreOptions = {}): Promise<Store> {
  const store = redisStore(client, { prefix: ours + randomUUID(), ...options })
  endings.push(() => store.close())
  await store.open()
  return store
}

function proveContract(make: MakeStore): void {
  for (const { title, run } of storeContract(make)) test(title, () => assertHolds(run))
}

async function assertHolds(run: () => Promise<void>): Promise<void> {
  await run()
}

describe.skipIf(!hasRedis)('over ioredis', () => {
  let client: Redis
  beforeAll(async () => {
    client = ended(await connectIoredis())
  })
  proveContract(({ name, clock }) => redisStore(client, { prefix: ours + name, clock }))
})

describe.skipIf(!hasRedis)('over ioredis with RESP2, a prefix of its own and several partitions', () => {
  let client: Redis
  beforeAll(async () => {
    client = ended(await connectIoredis(undefined, { protocol: 2, keyPrefix: 'app:' }))
  })
  proveContract(({ name, clock }) => redisStore(client, { prefix: ours + name, clock, partitions: 3 }))
})

describe.skipIf(!hasRedis).each([2, 3] as const)('over node-redis with RESP%i', (protocol) => {
  let client: Awaited<ReturnType<typeof connectNodeRedis>>
  beforeAll(async () => {
    client = destroyed(await connectNodeRedis(undefined, protocol))
  })
  proveContract(({ name, clock }) => redisStore(client, { prefix: ours + name, clock }))
})

describe.skipIf(!hasRedis)('over a Cluster', () => {
  let ports: readonly number[] = []
  let ioredis: Cluster
  let nodeRedis: Awaited<ReturnType<typeof connectNodeRedisCluster>>
  beforeAll(async () => {
    const cluster = await startCluster()
    endings.push(() => cluster.stop())
    ports = cluster.ports
    ioredis = ended(await connectIoredisCluster(ports))
    nodeRedis = destroyed(await connectNodeRedisCluster(ports))
  })

  for (const driver of ['ioredis', 'node-redis']) {
    const make = (options: RedisStoreOptions): Store =>
      driver === 'ioredis' ? redisStore(ioredis, options) : redisStore(nodeRedis, options)

    describe(`with ${driver}`, () => {
      proveContract(({ name, clock }) => make({ prefix: name, clock }))

      test('the subjects are spread over the nodes, and all of one lies in one slot', async () => {
        const prefix = `spread${randomUUID()}`
        const store = make({ prefix })
        await store.open()
        const subjects = Array.from({ length: 100 }, (_, index) => `subject ${index}`)
        for (const subject of subjects) {
          const { session } = await store.create(newSession(subject))
          expect((await store.rotate(rotationOf(session))).outcome).toBe('rotated')
          expect((await store.get(session.id))?.generation).toBe(1)
          expect(await store.list(subject)).toHaveLength(1)
          await store.revoke({ kind: 'subject', subject, accessLifetime, tokenLifetime: day })
          expect(await store.isRevoked(factsOf({ subject, sid: session.id }))).toBe(true)
        }
        expect(await idsIn(store)).toHaveLength(200)
        const keys = await Promise.all(ioredis.nodes('master').map((node) => node.keys(`{${prefix}:*`)))
        expect(keys.filter((ofNode) => ofNode.length > 0).length).toBeGreaterThan(1)
        const slots = await Promise.all(keys.flat().map((key) => ioredis.cluster('KEYSLOT', key)))
        expect(new Set(slots).size).toBe(16)
      })

      test('many stores open at once on connections that are not up yet', async () => {
        const fresh =
          driver === 'ioredis'
            ? ended(await connectIoredisCluster(ports))
            : destroyed(await connectNodeRedisCluster(ports))
        const prefix = `fresh${randomUUID()}`
        const opened = await Promise.all(
          Array.from({ length: 10 }, () => redisStore(fresh, { prefix }).open()),
        )
        expect(new Set(opened.map(({ feedId }) => feedId)).size).toBe(1)
      })
    })
  }
})

describe.skipIf(!hasRedis)('beside the store in memory', () => {
  const subjects = ['test', 'other']
  const pick = fc.nat({ max: 5 })
  const subject = fc.constantFrom(...subjects)
  const lifetime = fc.constantFrom(0, 900_000, 40 * day)
  const step = fc.oneof(
    fc.record({
      kind: fc.constant('create' as const),
      subject,
      isNew: fc.boolean(),
      pick,
      lifetime,
      limit: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
    }),
    fc.record({
      kind: fc.constant('rotate' as const),
      subject,
      pick,
      lifetime,
      generation: fc.nat({ max: 3 }),
      lateReplay: fc.constantFrom('revoke' as const, 'refuse' as const),
      isJudged: fc.boolean(),
      isAdopted: fc.boolean(),
    }),
    fc.record({ kind: fc.constant('end' as const), subject, pick, isOwn: fc.boolean(), lifetime }),
    fc.record({ kind: fc.constant('end all' as const), subject, pick, isOwn: fc.boolean(), lifetime }),
    fc.record({ kind: fc.constant('end token' as const), subject, pick, lifetime }),
    fc.record({
      kind: fc.constant('wait' as const),
      seconds: fc.constantFrom(1, 29, 31, 1000, 86_400, 40 * 86_400, -5, -3600),
    }),
    fc.record({ kind: fc.constant('sweep' as const) }),
  )
  type Step = (typeof step extends fc.Arbitrary<infer Value> ? Value : never) & object

  /** The ids are the same for both stores; a sid and a jti belong to one subject. */
  const sids = subjects.map((each) => Array.from({ length: 6 }, () => sidOf(each)))
  const sidAt = (of: string, index: number): string => sids[subjects.indexOf(of)]?.[index] ?? ''

  async function take(store: Store, nowSeconds: number, given: Step): Promise<unknown> {
    const now = nowSeconds * 1000
    const issuedAtSeconds = nowSeconds
    if (given.kind === 'create') {
      const { limit, pick: index, lifetime: idleLifetime } = given
      const replaces = given.isNew ? undefined : sidAt(given.subject, (index + 1) % 6)
      const times = { issuedAtSeconds, authTimeSeconds: issuedAtSeconds, idleLifetime }
      const changes = {
        ...times,
        id: sidAt(given.subject, index),
        expiresAt: (startSeconds + 7_776_000) * 1000,
      }
      return store.create(newSession(given.subject, changes), { replaces, limit })
    }
    if (given.kind === 'rotate') {
      const { generation, lateReplay, pick: index } = given
      const id = sidAt(given.subject, index)
      const adoption = {
        jti: `${given.subject} ${index}`,
        authTimeSeconds: 1,
        issuedAtSeconds: nowSeconds - 1000,
      }
      return store.rotate({
        ...rotationOf({ id, subject: given.subject }),
        generation,
        lateReplay,
        successor: given.isJudged ? null : { salt: 'salt', issuedAtSeconds, idleLifetime: given.lifetime },
        adoption: given.isAdopted ? { ...adoption, expiresAt: now + given.lifetime, metadata: {} } : null,
      })
    }
    if (given.kind === 'end' || given.kind === 'end all') {
      const sid = sidAt(given.subject, given.pick)
      const own = given.isOwn ? given.subject : undefined
      if (given.kind === 'end') return store.revoke({ kind: 'session', sid, subject: own, accessLifetime })
      const except = given.isOwn ? sid : undefined
      const lifetimes = { accessLifetime, tokenLifetime: given.lifetime }
      return store.revoke({ kind: 'subject', subject: given.subject, except, ...lifetimes })
    }
    if (given.kind !== 'end token') return given.kind === 'sweep' ? sweepAll(store) : null
    const { pick: index, lifetime: lasts } = given
    return store.revoke({
      kind: 'token',
      jti: `${given.subject} ${index}`,
      subject: given.subject,
      until: now + lasts,
    })
  }

  async function sweepAll(store: Store): Promise<void> {
    while ((await store.sweep(2)) > 0);
  }

  /** All that can be asked of a store. */
  async function look(store: Store, nowSeconds: number): Promise<unknown> {
    const { entries } = await store.revocations(null, never)
    const live = new Map(
      entries
        .filter((entry) => entry.until > nowSeconds * 1000)
        .map((entry) => [`${entry.kind} ${entry.id}`, entry]),
    )
    const facts = subjects.flatMap((each) =>
      [0, 1, 2].flatMap((index) => [
        factsOf({ subject: each, jti: `${each} ${index}`, issuedAtSeconds: nowSeconds - index }),
        factsOf({ subject: each, jti: 'x', sid: sidAt(each, index), issuedAtSeconds: nowSeconds }),
      ]),
    )
    return {
      entries: [...live].toSorted(([left], [right]) => (left < right ? -1 : 1)),
      lists: await Promise.all(subjects.map((each) => store.list(each))),
      sessions: await Promise.all(sids.flat().map((sid) => store.get(sid))),
      answers: await Promise.all(facts.map((each) => store.isRevoked(each))),
    }
  }

  test('it answers every question alike, whatever has happened', async () => {
    const client = ended(await connectIoredis())
    const history = fc.array(step, { minLength: 5, maxLength: 25 })
    await fc.assert(
      fc.asyncProperty(history, fc.constantFrom(1, 7), async (steps, partitions) => {
        let nowSeconds = startSeconds
        // What was swept has expired: a clock that goes back before that may see it again, or not.
        let sweptAtSeconds = 0
        const clock = (): number => nowSeconds
        const theirs = memoryStore({ clock })
        const mine = redisStore(client, { prefix: ours + randomUUID(), partitions, clock })
        await mine.open()
        // Both begin now: the age of the data is asked elsewhere.
        for (const each of steps) {
          if (each.kind === 'wait') nowSeconds = Math.max(sweptAtSeconds, nowSeconds + each.seconds)
          if (each.kind === 'sweep') sweptAtSeconds = nowSeconds
          expect(await take(mine, nowSeconds, each)).toEqual(await take(theirs, nowSeconds, each))
          expect(await look(mine, nowSeconds)).toEqual(await look(theirs, nowSeconds))
        }
      }),
      { numRuns: 150 },
    )
  }, 60_000)
})

describe('clients that are refused', () => {
  const lazy = { lazyConnect: true, autoResendUnfulfilledCommands: false, maxRetriesPerRequest: 0 }
  const node = { host: '127.0.0.1', port: 1 }
  const cluster = { lazyConnect: true, enableOfflineQueue: false, retryDelayOnFailover: 0 }
  const rootNodes = [{ url: 'redis://127.0.0.1:1' }]
  const refused: readonly (readonly [title: string, make: () => unknown, names: RegExp])[] = [
    ['ioredis as it comes', () => new Redis({ lazyConnect: true }), /enableOfflineQueue: false, autoResend/],
    ['ioredis with an offline queue', () => new Redis(lazy), /with enableOfflineQueue: false$/],
    [
      'ioredis that sends again',
      () => new Redis({ ...lazy, enableOfflineQueue: false, autoResendUnfulfilledCommands: true }),
      /with autoResendUnfulfilledCommands: false$/,
    ],
    [
      'ioredis that keeps what was lost',
      () => new Redis({ ...lazy, enableOfflineQueue: false, maxRetriesPerRequest: 20 }),
      /with maxRetriesPerRequest: 0$/,
    ],
    [
      'ioredis on a replica',
      () => new Redis({ ...lazy, enableOfflineQueue: false, role: 'slave' }),
      /role: 'master'/,
    ],
    ['a Cluster of ioredis as it comes', () => new Cluster([node], { lazyConnect: true }), /retryDelay/],
    [
      'a Cluster of ioredis that reads from replicas',
      () => new Cluster([node], { ...cluster, scaleReads: 'slave' }),
      /scaleReads: 'master'/,
    ],
    [
      'a Cluster of ioredis whose nodes have queues',
      () => new Cluster([node], { ...cluster, clusterNodeRetryStrategy: () => 1 }),
      /clusterNodeRetryStrategy: null/,
    ],
    ['node-redis as it comes', () => createClient(), /disableOfflineQueue: true/],
    ['a cluster of node-redis as it comes', () => createCluster({ rootNodes }), /defaults: \{ disableOff/],
    [
      'a cluster of node-redis that reads from replicas',
      () => createCluster({ rootNodes, useReplicas: true, defaults: { disableOfflineQueue: true } }),
      /useReplicas: false/,
    ],
    ['nothing', () => undefined, /needs a client/],
    ['null', () => null, /needs a client/],
    ['an address', () => 'redis://127.0.0.1', /needs a client/],
    ['an object', () => ({}), /needs a client/],
    ['a Map', () => new Map(), /needs a client/],
    ['half a client', () => ({ evalsha: () => null, isCluster: false }), /needs a client/],
  ]
  test.each(refused)('%s', (_title, make, names) => {
    const refusal = (): unknown => redisStore(make() as Client)
    expect(refusal).toThrow(TypeError)
    expect(refusal).toThrow(names)
  })

  test.each([
    ['an empty prefix', { prefix: '' }],
    ['a prefix with braces', { prefix: 'a{b}' }],
    ['a prefix with a space', { prefix: 'a b' }],
    ['no partition', { partitions: 0 }],
    ['half a partition', { partitions: 1.5 }],
    ['too many partitions', { partitions: 257 }],
  ])('are no worse than %s', (_title, options) => {
    const client = new Redis({ ...lazy, enableOfflineQueue: false })
    expect(() => redisStore(client, options)).toThrow(TypeError)
  })
})

describe.skipIf(!hasRedis)('on a server of its own', () => {
  let server: OwnServer
  let client: Redis
  beforeAll(async () => {
    server = await startServer()
    endings.push(() => server.stop())
    client = ended(await connectIoredis(server.url))
  })

  test('what was lost revives nobody: older tokens of sessions are revoked, and the feed begins anew', async () => {
    let nowSeconds = startSeconds
    const store = await openStore(client, { clock: () => nowSeconds })
    const facts = factsOf({ sid: sidOf('test'), issuedAtSeconds: startSeconds })
    const before = await store.revocations(null, never)
    await store.revoke({ kind: 'token', jti: 'lost', subject: 'test', until: startSeconds * 1000 + day })
    expect(await store.isRevoked(facts)).toBe(false)
    await client.flushall()
    nowSeconds += 10
    expect(await store.isRevoked(facts)).toBe(true)
    expect(await store.isRevoked({ ...facts, issuedAtSeconds: nowSeconds })).toBe(false)
    const after = await store.revocations(before.cursor, never)
    expect(after.feedId).not.toBe(before.feedId)
    expect(after.bornAt).toBe(nowSeconds * 1000)
    expect(after.entries).toEqual([])
  })

  test.each(['m', 'r', 'c', 'f'])('losing only the key :%s is losing data, too', async (name) => {
    let nowSeconds = startSeconds
    const prefix = `part${randomUUID()}`
    const store = await openStore(client, { prefix, clock: () => nowSeconds })
    const facts = factsOf({ sid: sidOf('test'), issuedAtSeconds: startSeconds })
    const { feedId } = await store.open()
    await store.revoke({ kind: 'token', jti: 'a', subject: 'test', until: startSeconds * 1000 + day })
    expect(await client.del(`{${prefix}:0}:${name}`)).toBe(1)
    nowSeconds += 10
    expect(await store.isRevoked(facts)).toBe(true)
    expect((await store.open()).feedId).not.toBe(feedId)
  })

  test('the loss of one partition is a loss for all of the feed', async () => {
    let nowSeconds = startSeconds
    const prefix = `one${randomUUID()}`
    const store = await openStore(client, { prefix, partitions: 4, clock: () => nowSeconds })
    const { cursor, feedId, bornAt } = await store.revocations(null, never)
    expect(bornAt).toBe(startSeconds * 1000)
    await client.del(`{${prefix}:2}:m`)
    nowSeconds += 10
    const page = await store.revocations(cursor, never)
    expect(page.bornAt).toBe(nowSeconds * 1000)
    expect(page.feedId).not.toBe(feedId)
  })

  test('a reader who was away while the feed was trimmed gets the whole set, and others only what is new', async () => {
    const prefix = `trim${randomUUID()}`
    const store = await openStore(client, { prefix })
    const until = Date.now() + day
    const { cursor: early } = await store.revocations(null, never)
    await store.revoke({ kind: 'token', jti: 'first', subject: 'test', until })
    const { cursor } = await store.revocations(early, never)
    // The feed as it is eleven minutes later.
    const feed = `{${prefix}:0}:f`
    const aged = (text: string): string =>
      text.replace(/\d{13}(?=-\d+)/, (time) => `${Number(time) - 660_000}`)
    const items = await client.xrange(feed, '-', '+')
    expect(items).toHaveLength(2)
    await client.del(feed)
    for (const [id, fields] of items) await client.xadd(feed, aged(id), ...fields)
    expect(await idsIn(store, aged(cursor))).toEqual([])
    await store.revoke({ kind: 'token', jti: 'second', subject: 'test', until })
    expect(await idsIn(store, aged(cursor))).toEqual(['second'])
    expect(await idsIn(store, aged(early))).toEqual(['first', 'second'])
  })

  test('a cursor from ahead of the feed, as after a failover that lost writes, gives the whole set', async () => {
    const store = await openStore(client)
    const { cursor } = await store.revocations(null, never)
    await store.revoke({ kind: 'token', jti: 'a', subject: 'test', until: Date.now() + day })
    expect(await idsIn(store, cursor)).toEqual(['a'])
    const ahead = cursor.replace(/\d{13}-\d+/, '999999999999999-0')
    expect(await idsIn(store, ahead)).toEqual(['a'])
  })

  test('an entry whose end moves while the set is read hides no other', async () => {
    // So many partitions that a page holds 39 of one.
    const store = await openStore(client, { partitions: 256 })
    const until = Date.now() + day
    const jtis = Array.from({ length: 100 }, (_, index) => `jti ${100 + index}`)
    for (const jti of jtis) await store.revoke({ kind: 'token', jti, subject: 'test', until })
    const first = await store.revocations(null, never)
    expect(first.entries).toHaveLength(39)
    expect(first.more).toBe(true)
    const last = first.entries.at(-1)?.id ?? ''
    await store.revoke({ kind: 'token', jti: last, subject: 'test', until: until + day })
    const rest = await idsIn(store, first.cursor)
    expect(new Set([...first.entries.map(({ id }) => id), ...rest])).toEqual(new Set(jtis))
    expect(rest.filter((id) => id === last).length).toBeGreaterThan(0)
  })

  test.each([
    ['nothing', ''],
    ['a colon', 'a:b'],
    ['a star', '*'],
    ['a line', 'a\nb'],
    ['a NUL', 'a\0b'],
    ['braces', '}{a}'],
    ['quotes', '"a"'],
    ['a kind', 'subject a'],
    ['a crab', '\u{1F980}'],
    ['half a pair', '\uD800'],
    ['another half', '\uD801'],
    ['a mark of byte order', '\uFEFFa'],
    ['eight kilobytes', 'x'.repeat(8192)],
  ])('a name may hold %s, whichever partition it falls into', async (_title, name) => {
    const store = await openStore(client, { partitions: 16 })
    const { session } = await store.create(newSession(name, { metadata: { userAgent: name } }))
    expect(session).toMatchObject({ subject: name, metadata: { userAgent: name } })
    expect(await store.get(session.id)).toEqual(session)
    expect(await store.list(name)).toEqual([session])
    expect(await store.list(`${name} `)).toEqual([])
    await store.revoke({ kind: 'subject', subject: name, accessLifetime, tokenLifetime: day })
    await store.revoke({ kind: 'token', jti: name, subject: name, until: Date.now() + day })
    expect(await store.isRevoked(factsOf({ subject: name }))).toBe(true)
    expect(await store.isRevoked(factsOf({ subject: name, sid: session.id }))).toBe(true)
    expect(await store.isRevoked(factsOf({ subject: name, jti: name, issuedAtSeconds: 2 ** 40 }))).toBe(true)
    expect(await store.isRevoked(factsOf({ subject: `${name} ` }))).toBe(false)
    expect(await idsIn(store)).toEqual([name, name, session.id].toSorted())
  })

  test('a server that may evict is warned about', async () => {
    const { warnings } = await (await openStore(client)).open()
    expect(warnings).toEqual([])
    await client.config('SET', 'maxmemory-policy', 'allkeys-lru')
    const evicting = await (await openStore(client)).open()
    await client.config('SET', 'maxmemory-policy', 'noeviction')
    expect(evicting.warnings).toEqual([expect.stringContaining('allkeys-lru')])
  })

  test('a server whose memory is full begins no session, and still renews and ends those it has', async () => {
    const store = await openStore(client)
    const { session } = await store.create(newSession('test'))
    const adoption = {
      jti: 'a',
      issuedAtSeconds: 1,
      authTimeSeconds: 1,
      expiresAt: Date.now() + day,
      metadata: {},
    }
    const adopted = { ...rotationOf({ id: sidOf('test'), subject: 'test' }), adoption }
    await client.config('SET', 'maxmemory', '1mb')
    try {
      await expect(store.create(newSession('test'))).rejects.toThrow(/OOM/)
      await expect(store.rotate(adopted)).rejects.toThrow(/OOM/)
      expect((await store.rotate(rotationOf(session))).outcome).toBe('rotated')
      expect(await store.revoke({ kind: 'session', sid: session.id, accessLifetime })).toHaveLength(1)
      await store.revoke({ kind: 'token', jti: 'a', subject: 'test', until: Date.now() + day })
      expect(await idsIn(store)).toEqual(['a', session.id].toSorted())
    } finally {
      await client.config('SET', 'maxmemory', '0')
    }
    expect((await store.create(newSession('test'))).session.subject).toBe('test')
  })

  test('a client of ioredis that is only just connecting is waited for', async () => {
    const options = {
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
    }
    const connecting = ended(new Redis(client.options.port ?? 0, options))
    const { warnings } = await redisStore(connecting, { prefix: `soon${randomUUID()}` }).open()
    expect(warnings).toEqual([])
    expect(connecting.listenerCount('ready') + connecting.listenerCount('close')).toBe(0)
  })

  test('and one that finds no server is not waited for longer than its attempt', async () => {
    const options = {
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
    }
    const lost = ended(new Redis(1, options))
    lost.on('error', () => undefined)
    await expect(redisStore(lost).open()).rejects.toThrow(/writeable/)
  })

  test('a server that forgot the scripts is told them again', async () => {
    const store = await openStore(client)
    const { session } = await store.create(newSession('test'))
    await client.script('FLUSH')
    expect((await store.rotate(rotationOf(session))).outcome).toBe('rotated')
    expect(await store.get(session.id)).not.toBeNull()
  })

  test('data of another number of partitions does not open', async () => {
    const prefix = `count${randomUUID()}`
    await openStore(client, { prefix, partitions: 4 })
    const wrong = redisStore(client, { prefix, partitions: 8 })
    await expect(wrong.open()).rejects.toThrow(TypeError)
    await expect(wrong.open()).rejects.toThrow(/partitions: 4/)
    await expect(wrong.isRevoked(factsOf())).rejects.toThrow(/partitions: 4/)
    expect(await client.keys(`{${prefix}:7}*`)).toEqual([])
  })

  test('data of a newer version does not open', async () => {
    const prefix = `newer${randomUUID()}`
    const store = await openStore(client, { prefix })
    await client.hset(`{${prefix}:0}:m`, 'version', '2')
    await expect(store.open()).rejects.toThrow(/newer tallystick/)
    await expect(store.isRevoked(factsOf())).rejects.toThrow(/newer tallystick/)
  })

  test('what cannot be understood is never taken for a token that was not revoked', async () => {
    const prefix = `broken${randomUUID()}`
    const store = await openStore(client, { prefix })
    const { session } = await store.create(newSession('test'))
    await client.hdel(`{${prefix}:0}:s:${session.id}`, 'revokedAt')
    await expect(store.get(session.id)).rejects.toThrow()
    await expect(store.rotate(rotationOf(session))).rejects.toThrow()
    await store.revoke({ kind: 'subject', subject: 'other', accessLifetime, tokenLifetime: day })
    await client.hdel(`{${prefix}:0}:c`, 'subject other')
    await expect(store.isRevoked(factsOf({ subject: 'other' }))).rejects.toThrow()
    await expect(store.revocations(null, never)).rejects.toThrow()
    for (const reply of [
      null,
      1,
      'OK',
      [],
      ['ok'],
      ['ok', 'x', '1', '1', []],
      ['ok', 'x', '1', '1', ['0']],
    ]) {
      const spy = vi.spyOn(client, 'evalsha').mockResolvedValueOnce(reply)
      await expect(store.isRevoked(factsOf())).rejects.toThrow()
      spy.mockRestore()
    }
  })

  test('a server that was made a replica answers nothing', async () => {
    const replica = await startServer('--replicaof', '127.0.0.1', `${server.port}`)
    endings.push(() => replica.stop())
    const prefix = `replica${randomUUID()}`
    await openStore(client, { prefix })
    const onReplica = ended(await connectIoredis(replica.url))
    await until(async () => (await onReplica.exists(`{${prefix}:0}:m`)) === 1)
    const store = redisStore(onReplica, { prefix })
    await expect(store.isRevoked(factsOf())).rejects.toThrow(/READONLY/)
    await expect(store.get('00ff')).rejects.toThrow(/READONLY/)
    await expect(store.revocations(null, never)).rejects.toThrow(/READONLY/)
  })

  test('an error of the client does not carry what was sent', async () => {
    const prefix = `error${randomUUID()}`
    const store = await openStore(client, { prefix })
    await client.set(`{${prefix}:0}:s:00ff`, 'not a row')
    const error: unknown = await store.get('00ff').catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(Error)
    expect(error).not.toHaveProperty('command')
  })

  test('an aborted read sends nothing', async () => {
    const store = await openStore(client)
    const spy = vi.spyOn(client, 'sendCommand')
    await expect(store.revocations(null, AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough')
    expect(spy).not.toHaveBeenCalled()
    spy.mockRestore()
  })

  test('every method is one round trip', async () => {
    const store = await openStore(client)
    const subject = 'test'
    const steps: readonly (() => Promise<unknown>)[] = [
      () => store.open(),
      () => store.create(newSession(subject), { limit: 2, replaces: sidOf(subject) }),
      () => store.rotate(rotationOf({ id: sidOf(subject), subject })),
      () => store.get(sidOf(subject)),
      () => store.list(subject),
      () => store.revoke({ kind: 'session', sid: sidOf(subject), accessLifetime }),
      () => store.revoke({ kind: 'subject', subject, accessLifetime, tokenLifetime: day }),
      () => store.revoke({ kind: 'token', jti: 'a', subject, until: Date.now() + day }),
      () => store.isRevoked(factsOf()),
      () => store.revocations(null, never),
      () => store.sweep(100),
    ]
    for (const step of steps) await step()
    for (const step of steps) {
      const spy = vi.spyOn(client, 'sendCommand')
      await step()
      expect(spy.mock.calls, step.toString()).toHaveLength(1)
      spy.mockRestore()
    }
  })

  test('no name of a key holds a subject, and no row outlives its session', async () => {
    const prefix = `names${randomUUID()}`
    const store = await openStore(client, { prefix })
    await store.create(newSession('zoe@example.org'))
    const keys = await client.keys(`{${prefix}:*`)
    expect(keys.filter((key) => key.includes('zoe'))).toEqual([])
    for (const key of keys.filter((key) => /:[su]:/.test(key))) {
      expect(await client.pttl(key)).toBeGreaterThan(89 * day)
      expect(await client.pttl(key)).toBeLessThanOrEqual(90 * day)
    }
  })

  test('of a hundred that rotate at once over several connections one does, and the rest are given the same', async () => {
    const prefix = `race${randomUUID()}`
    const clients = [
      client,
      ended(await connectIoredis(server.url)),
      destroyed(await connectNodeRedis(server.url)),
      destroyed(await connectNodeRedis(server.url, 2)),
    ]
    const stores = await Promise.all(clients.map((each) => openStore(each, { prefix })))
    for (let round = 0; round < 5; round++) {
      const [first] = stores
      const { session } = (await first?.create(newSession('test'))) ?? {}
      if (session === undefined) throw new Error('no session')
      const results = await Promise.all(
        Array.from({ length: 25 }, () => stores.map((store) => store.rotate(rotationOf(session)))).flat(),
      )
      const outcomes = results.map(({ outcome }) => outcome)
      expect(outcomes.filter((outcome) => outcome === 'rotated')).toHaveLength(1)
      expect(outcomes.filter((outcome) => outcome === 'grace')).toHaveLength(99)
      expect(new Set(results.map((result) => result.session?.salt)).size).toBe(1)
    }
  })

  test('ten processes that open at once agree', async () => {
    const prefix = `ten${randomUUID()}`
    const clients = await Promise.all(
      Array.from({ length: 10 }, async () => ended(await connectIoredis(server.url))),
    )
    const opened = await Promise.all(
      clients.map((each) => redisStore(each, { prefix, partitions: 5 }).open()),
    )
    expect(new Set(opened.map(({ feedId }) => feedId)).size).toBe(1)
    expect(new Set(opened.map(({ bornAt }) => bornAt)).size).toBe(1)
  })

  test('a command whose connection breaks is rejected at once, and so is one before it is back', async () => {
    const own = ended(await connectIoredis(server.url))
    const store = await openStore(own)
    const { session } = await store.create(newSession('test'))
    await client.client('PAUSE', 300)
    const rotation = store.rotate(rotationOf(session))
    own.stream.destroy()
    await expect(rotation).rejects.toThrow()
    await expect(store.get(session.id)).rejects.toThrow()
    await until(async () => (await store.get(session.id)) !== null)
  })
})

describe.skipIf(!hasRedis)('wake-ups', () => {
  let server: OwnServer
  beforeAll(async () => {
    server = await startServer()
    endings.push(() => server.stop())
  })

  for (const driver of ['ioredis', 'node-redis']) {
    const connect = async (): Promise<Client> =>
      driver === 'ioredis'
        ? ended(await connectIoredis(server.url, { keyPrefix: 'app:' }))
        : destroyed(await connectNodeRedis(server.url))

    test(`come back over ${driver} when their connection breaks, and leave nothing open`, async () => {
      const admin = ended(await connectIoredis(server.url))
      const prefix = `wake${randomUUID()}`
      const [mine, theirs] = [
        await openStore(await connect(), { prefix }),
        await openStore(await connect(), { prefix }),
      ]
      const before = await admin.client('LIST')
      let count = 0
      const stop = theirs.watch?.(() => void count++)
      const stopOther = theirs.watch?.(() => undefined)
      const isWoken = async (): Promise<boolean> => {
        const seen = count
        await mine.revoke({ kind: 'token', jti: randomUUID(), subject: 'test', until: Date.now() + day })
        await new Promise((resolve) => setTimeout(resolve, 50))
        return count > seen
      }
      await until(isWoken)
      await admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
      await until(isWoken)
      stop?.()
      expect(await isWoken()).toBe(false)
      stopOther?.()
      await theirs.close()
      await theirs.close()
      const connections = (list: unknown): number => String(list).trim().split('\n').length
      await until(async () => connections(await admin.client('LIST')) === connections(before))
      expect(await theirs.list('test')).toEqual([])
    })

    test(`are ended over ${driver} even while they still connect`, async () => {
      const admin = ended(await connectIoredis(server.url))
      const store = await openStore(await connect())
      store.watch?.(() => undefined)
      await store.close()
      await new Promise((resolve) => setTimeout(resolve, 500))
      expect(String(await admin.client('LIST'))).not.toContain('cmd=subscribe')
    })
  }
})
