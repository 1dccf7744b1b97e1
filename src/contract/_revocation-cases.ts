/** The contract of stores: what is revoked, how others learn of it, and when it may be forgotten. */

import { deepEqual, equal, ok } from 'node:assert/strict'
import type { Revocation, Store, TokenFacts } from '../core/store.ts'
import { accessLifetime, assertEnded, day, idsOf, readAll, second, sid } from './_store.ts'
import type { StoreCase, StoreWorld } from './_store.ts'

function factsOf(world: StoreWorld, changes: Partial<TokenFacts> = {}): TokenFacts {
  const issuedAtSeconds = Math.floor(world.now / 1000)
  return { subject: 'test', jti: crypto.randomUUID(), issuedAtSeconds, ...changes }
}

/** Strings that break what glues names together, or reads patterns. */
const hostile: readonly string[] = [
  'a:b',
  'a',
  'b',
  '*',
  '?',
  '[a]',
  'a\nb',
  'a\r\n',
  "'; drop table sessions --",
  '{a}',
  '}{',
  ' ',
  '%',
  '_',
  'ä',
  'a\u0308',
  'A',
  '\u0000',
  'a\u0000b',
  '\ud800',
  '\u{1F980}',
  '__proto__',
  'constructor',
  '1e3',
  '1000',
  'null',
  'x'.repeat(6000),
  `${'x'.repeat(5999)}y`,
]

async function endsExactly(store: Store, ended: TokenFacts, alive: readonly TokenFacts[]): Promise<void> {
  equal(await store.isRevoked(ended), true)
  for (const facts of alive) equal(await store.isRevoked(facts), false)
}

export const revocationCases: readonly StoreCase[] = [
  {
    title: 'a session that is revoked has ended, and its entry outlives its access tokens',
    async run(world) {
      const store = await world.open()
      const session = await world.create(store)
      const other = await world.create(store)
      world.advance(60 * second)
      const revoked = await store.revoke({ kind: 'session', sid: session.id, accessLifetime })
      const until = world.now + accessLifetime
      deepEqual(revoked, [{ kind: 'session', id: session.id, cutSeconds: null, until }])
      assertEnded(await store.get(session.id), world.now)
      deepEqual((await readAll(store)).entries, revoked)
      const alive = [factsOf(world, { sid: other.id }), factsOf(world)]
      await endsExactly(store, factsOf(world, { sid: session.id }), alive)
      world.advance(accessLifetime - 1)
      equal(await store.isRevoked(factsOf(world, { sid: session.id })), true)
      deepEqual((await readAll(store)).entries, revoked)
      deepEqual(await store.list('test'), [other])
    },
  },
  {
    title: 'revoking a session twice gives its entry again; one that is unknown or a stranger’s gives none',
    async run(world) {
      const store = await world.open()
      const session = await world.create(store)
      const target = { kind: 'session', sid: session.id, accessLifetime } as const
      deepEqual(await store.revoke({ ...target, subject: 'other' }), [])
      equal((await store.get(session.id))?.revokedAt, null)
      const revoked = await store.revoke({ ...target, subject: 'test' })
      const diedAt = world.now
      world.advance(second)
      deepEqual(idsOf(await store.revoke(target)), idsOf(revoked))
      assertEnded(await store.get(session.id), diedAt)
      for (const unknown of [sid(), '', 'x', '*', `zz${sid().slice(2)}`]) {
        deepEqual(await store.revoke({ ...target, sid: unknown }), [])
      }
    },
  },
  {
    title: 'ending all of a subject ends no session anew that had ended before',
    async run(world) {
      const store = await world.open()
      const ended = [await world.create(store), await world.create(store)]
      for (const { id } of ended) await store.revoke({ kind: 'session', sid: id, accessLifetime })
      const diedAt = world.now
      const alive = await world.create(store)
      for (const wait of [second, 2 * accessLifetime]) {
        world.advance(wait)
        while ((await store.sweep(100)) > 0);
        const revoked = await store.revoke({
          kind: 'subject',
          subject: 'test',
          except: alive.id,
          accessLifetime,
          tokenLifetime: day,
        })
        deepEqual(idsOf(revoked), ['test'])
        for (const { id } of ended) assertEnded(await store.get(id), diedAt)
        deepEqual(await store.list('test'), [alive])
      }
    },
  },
  {
    title: 'a subject’s sessions all end but one, and its older tokens without a session with them',
    async run(world) {
      const store = await world.open()
      const sessions = [await world.create(store), await world.create(store)]
      const kept = await world.create(store)
      const strangers = await world.create(store, { subject: 'other' })
      const target = { kind: 'subject', subject: 'test', accessLifetime, tokenLifetime: 90 * day } as const
      const revoked = await store.revoke({ ...target, except: kept.id })
      const cutSeconds = Math.floor(world.now / 1000)
      deepEqual(idsOf(revoked), idsOf([...sessions, { id: 'test' }]))
      deepEqual(
        revoked.filter(({ kind }) => kind === 'subject'),
        [{ kind: 'subject', id: 'test', cutSeconds, until: world.now + 90 * day }],
      )
      deepEqual(await store.list('test'), [kept])
      deepEqual(await store.list('other'), [strangers])
      const alive = [
        factsOf(world, { sid: kept.id }),
        factsOf(world, { issuedAtSeconds: cutSeconds + 1 }),
        factsOf(world, { subject: 'other' }),
      ]
      await endsExactly(store, factsOf(world), alive)
      const later = await world.create(store)
      equal(await store.isRevoked(factsOf(world, { sid: later.id })), false)
      await store.revoke(target)
      deepEqual(await store.list('test'), [])
    },
  },
  {
    title: 'one token is revoked by its jti, also before anybody has seen it',
    async run(world) {
      const store = await world.open()
      const facts = factsOf(world)
      const until = world.now + day
      const target = { kind: 'token', jti: facts.jti, subject: 'test', until } as const
      const entry: Revocation = { kind: 'token', id: facts.jti, cutSeconds: null, until }
      deepEqual(await store.revoke(target), [entry])
      deepEqual(await store.revoke(target), [entry])
      await endsExactly(store, facts, [factsOf(world)])
      const session = await world.create(store)
      equal(await store.isRevoked({ ...facts, sid: session.id }), true)
      world.advance(day - 1)
      equal(await store.isRevoked(facts), true)
    },
  },
  {
    title: 'the end of an entry moves ahead and never back',
    async run(world) {
      const store = await world.open()
      const facts = factsOf(world)
      const target = { kind: 'token', jti: facts.jti, subject: 'test' } as const
      const { cursor } = await readAll(store)
      await store.revoke({ ...target, until: world.now + day })
      const [shorter] = await store.revoke({ ...target, until: world.now + second })
      equal(shorter?.until, world.now + day)
      const longer = await store.revoke({ ...target, until: world.now + 2 * day })
      deepEqual((await readAll(store)).entries, longer)
      equal((await readAll(store, cursor)).entries.at(-1)?.until, world.now + 2 * day)
      const subject = { kind: 'subject', subject: 'test', accessLifetime } as const
      await store.revoke({ ...subject, tokenLifetime: 2 * day })
      world.advance(2 * second)
      const [later] = await store.revoke({ ...subject, tokenLifetime: day })
      equal(later?.cutSeconds, Math.floor(world.now / 1000))
      equal(later?.until, world.now - 2 * second + 2 * day)
    },
  },
  {
    title: 'an entry is forgotten at its end, by itself or when it is swept away',
    async run(world) {
      const store = await world.open()
      const facts = factsOf(world)
      await store.revoke({ kind: 'token', jti: facts.jti, subject: 'test', until: world.now + second })
      await store.revoke({ kind: 'token', jti: 'stays', subject: 'test', until: world.now + day })
      world.advance(second)
      equal(await store.isRevoked(facts), false)
      let swept = 0
      do swept = await store.sweep(1)
      while (swept > 0)
      deepEqual(idsOf((await readAll(store)).entries), ['stays'])
      await store.revoke({ kind: 'token', jti: 'afterwards', subject: 'test', until: world.now + day })
      deepEqual(idsOf((await readAll(store)).entries), ['afterwards', 'stays'])
    },
  },
  {
    title: 'sweeping removes what is past its end, at most so much at a time, and nothing else',
    async run(world) {
      const store = await world.open()
      const session = await world.create(store)
      for (let count = 0; count < 5; count++) {
        await world.create(store, { expiresAt: world.now + second, idleLifetime: second })
        await store.revoke({ kind: 'token', jti: `${count}`, subject: 'test', until: world.now + second })
      }
      const ended = await world.create(store)
      await store.revoke({ kind: 'session', sid: ended.id, accessLifetime })
      world.advance(second)
      const counts = [await store.sweep(3), await store.sweep(100), await store.sweep(100)]
      ok((counts[0] ?? 0) <= 3)
      equal(counts[2], 0)
      deepEqual(await store.get(session.id), session)
      equal((await store.get(ended.id))?.revokedAt, world.now - second)
      equal((await store.rotate(world.rotation(ended, 0))).outcome, 'revoked')
      deepEqual(idsOf((await readAll(store)).entries), [ended.id])
    },
  },
  {
    title: 'a session’s token from before the data began is accepted no more',
    async run(world) {
      const store = await world.open()
      const { bornAt } = await store.open()
      const issuedAtSeconds = Math.floor(bornAt / 1000)
      equal(await store.isRevoked(factsOf(world, { sid: sid(), issuedAtSeconds })), false)
      equal(await store.isRevoked(factsOf(world, { sid: sid(), issuedAtSeconds: issuedAtSeconds - 1 })), true)
      equal(await store.isRevoked(factsOf(world, { issuedAtSeconds: issuedAtSeconds - 1 })), false)
    },
  },
  {
    title: 'no name of a subject or token is taken for another, whatever is in it',
    async run(world) {
      const store = await world.open()
      const until = world.now + day
      const isRevoked = (facts: Partial<TokenFacts>): Promise<boolean> =>
        store.isRevoked(factsOf(world, facts))
      for (const name of hostile) {
        for (const facts of [{ jti: name }, { subject: name }])
          equal(await isRevoked(facts), false, JSON.stringify(facts).slice(0, 80))
        const [token] = await store.revoke({ kind: 'token', jti: name, subject: name, until })
        equal(token?.id, name)
        const [subject] = await store.revoke({
          kind: 'subject',
          subject: name,
          accessLifetime,
          tokenLifetime: day,
        })
        equal(subject?.id, name)
        equal(await isRevoked({ jti: name, subject: name, issuedAtSeconds: 2 ** 40 }), true)
        equal(await isRevoked({ subject: name }), true)
        const session = await world.create(store, { subject: name })
        deepEqual(await store.get(session.id), session)
        deepEqual(await store.list(name), [session])
        equal((await store.rotate(world.rotation(session, 0))).outcome, 'rotated')
      }
      const { entries } = await readAll(store)
      for (const kind of ['token', 'subject']) {
        deepEqual(idsOf(entries.filter((entry) => entry.kind === kind)), hostile.toSorted())
      }
    },
  },
  {
    title: 'everything of a subject has ended once that was asked, whatever ran at the same time',
    async run(world) {
      const stores = [await world.open(), await world.open()] as const
      for (let round = 0; round < 10; round++) {
        const session = await world.create(stores[0])
        const adoption = world.adoption()
        const orphan = { id: sid(), subject: 'test' }
        await Promise.all([
          stores[1].rotate(world.rotation(session, 0)),
          stores[1].rotate(world.rotation(orphan, 0, { adoption })),
          stores[0].revoke({ kind: 'subject', subject: 'test', accessLifetime, tokenLifetime: 90 * day }),
          stores[1].rotate(world.rotation(session, 0)),
          stores[0].rotate(world.rotation(orphan, 0, { adoption })),
        ])
        deepEqual(await stores[0].list('test'), [])
        for (const one of [session, orphan]) {
          const again = world.rotation(one, 1, one === orphan ? { adoption, generation: 0 } : {})
          equal((await stores[1].rotate(again)).outcome, 'revoked')
        }
      }
    },
  },
]
