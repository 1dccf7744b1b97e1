/** The contract of stores: what becomes of a refresh token that is presented. */

import { deepEqual, equal, ok } from 'node:assert/strict'
import type { Outcome, Rotation, Session, Store } from '../core/store.ts'
import { accessLifetime, assertEnded, day, grace, idsOf, readAll, second, sid } from './_store.ts'
import type { StoreCase, StoreWorld } from './_store.ts'

/** A session whose third token is the newest, rotated this moment. */
async function rotatedTwice(world: StoreWorld, store: Store): Promise<Session> {
  const session = await world.create(store)
  await store.rotate(world.rotation(session, 0))
  world.advance(grace + second)
  const { session: rotated } = await store.rotate(world.rotation(session, 1))
  ok(rotated !== null)
  return rotated
}

/** Every line of the table: the generation presented to a session of generation 2, so long after its rotation. */
const table: readonly {
  readonly title: string
  readonly generation: number
  readonly age: number
  readonly outcome: Outcome
  readonly lateReplay?: Rotation['lateReplay']
}[] = [
  { title: 'the newest token rotates', generation: 2, age: grace + 1, outcome: 'rotated' },
  { title: 'the newest token is kept within the grace', generation: 2, age: grace, outcome: 'kept' },
  { title: 'the newest token is kept in the same moment', generation: 2, age: 0, outcome: 'kept' },
  {
    title: 'the token before it gets the newest within the grace',
    generation: 1,
    age: 0,
    outcome: 'grace',
  },
  {
    title: 'the token before it does so to the end of the grace',
    generation: 1,
    age: grace,
    outcome: 'grace',
  },
  {
    title: 'the token before it ends the session after it',
    generation: 1,
    age: grace + 1,
    outcome: 'reused',
  },
  {
    title: 'with `lateReplay: refuse` the token before it is refused after the grace and the session lives',
    generation: 1,
    age: grace + 1,
    lateReplay: 'refuse',
    outcome: 'late',
  },
  {
    title: 'an older token ends the session even within the grace',
    generation: 0,
    age: 1,
    outcome: 'reused',
  },
  {
    title: 'an older token ends the session with `lateReplay: refuse` too',
    generation: 0,
    age: 1,
    lateReplay: 'refuse',
    outcome: 'reused',
  },
  { title: 'a token of a lost write rotates', generation: 7, age: 1, outcome: 'rotated' },
  {
    title: 'a clock that stepped back lets the newest rotate',
    generation: 2,
    age: -3600 * second,
    outcome: 'rotated',
  },
  {
    title: 'a clock that stepped back refuses the token before it without ending anything',
    generation: 1,
    age: -3600 * second,
    outcome: 'late',
  },
  {
    title: 'a clock that stepped back a little is forgiven',
    generation: 1,
    age: -second,
    outcome: 'grace',
  },
]

const tableCases: readonly StoreCase[] = table.flatMap(
  ({ title, generation, age, outcome, lateReplay = 'revoke' }) => [
    {
      title: `a session of generation 2, token of generation ${generation}: ${title}`,
      async run(world) {
        const store = await world.open()
        const session = await rotatedTwice(world, store)
        world.advance(age)
        const rotation = world.rotation(session, generation, { lateReplay })
        const result = await store.rotate(rotation)
        equal(result.outcome, outcome)
        equal(result.now, world.now)
        equal(result.session?.generation, outcome === 'rotated' ? generation + 1 : 2)
        deepEqual(result.session, await store.get(session.id))
        equal(result.session?.salt === rotation.successor?.salt, outcome === 'rotated')
        if (outcome === 'reused') assertEnded(result.session, world.now)
        else if (outcome !== 'rotated') deepEqual(result.session, session)
        deepEqual(idsOf(result.revoked), outcome === 'reused' ? [session.id] : [])
        deepEqual(idsOf((await readAll(store)).entries), idsOf(result.revoked))
      },
    },
    {
      title: `the same, only judged, writes nothing: ${title}, generation ${generation}`,
      async run(world) {
        const store = await world.open()
        const session = await rotatedTwice(world, store)
        world.advance(age)
        const rotation = world.rotation(session, generation, { lateReplay, successor: null })
        const result = await store.rotate(rotation)
        equal(result.outcome, outcome)
        deepEqual(result.revoked, [])
        deepEqual(await store.get(session.id), session)
        deepEqual((await readAll(store)).entries, [])
      },
    },
  ],
)

export const rotationCases: readonly StoreCase[] = [
  ...tableCases,
  {
    title: 'a rotation replaces what a generation is made of, and moves the idle end',
    async run(world) {
      const store = await world.open()
      const session = await world.create(store)
      world.advance(day)
      const rotation = world.rotation(session, 0)
      const { session: rotated, revoked } = await store.rotate(rotation)
      deepEqual(rotated, {
        ...session,
        generation: 1,
        salt: rotation.successor?.salt,
        issuedAtSeconds: rotation.successor?.issuedAtSeconds,
        rotatedAt: world.now,
        lastSeenAt: world.now,
        accessUntil: world.now + accessLifetime,
        idleExpiresAt: world.now + 30 * day,
      })
      deepEqual(revoked, [])
    },
  },
  {
    title: 'an access token that lives longer is not forgotten by a rotation with shorter ones',
    async run(world) {
      const store = await world.open()
      const session = await world.create(store, { accessLifetime: day })
      const { session: rotated } = await store.rotate(world.rotation(session, 0))
      equal(rotated?.accessUntil, session.accessUntil)
      const [entry] = await store.revoke({ kind: 'session', sid: session.id, accessLifetime })
      equal(entry?.until, session.accessUntil)
    },
  },
  {
    title: 'the grace runs from the rotation, however often it is used',
    async run(world) {
      const store = await world.open()
      const session = await world.create(store)
      await store.rotate(world.rotation(session, 0))
      world.advance(grace - second)
      equal((await store.rotate(world.rotation(session, 0))).outcome, 'grace')
      equal((await store.rotate(world.rotation(session, 1))).outcome, 'kept')
      world.advance(2 * second)
      equal((await store.rotate(world.rotation(session, 0))).outcome, 'reused')
    },
  },
  {
    title: 'a session that has ended answers every token alike',
    async run(world) {
      const store = await world.open()
      const session = await rotatedTwice(world, store)
      await store.rotate(world.rotation(session, 0))
      for (const generation of [0, 1, 2, 3, 9]) {
        const { outcome, revoked } = await store.rotate(world.rotation(session, generation))
        equal(outcome, 'revoked')
        deepEqual(revoked, [])
      }
    },
  },
  {
    title: 'a session that is not there, or is somebody else’s, is unknown',
    async run(world) {
      const store = await world.open()
      const session = await world.create(store)
      const strangers = await world.create(store, { subject: 'other' })
      for (const foreign of [
        { id: sid(), subject: 'test' },
        { id: strangers.id, subject: 'test' },
        { id: 'x', subject: 'test' },
      ]) {
        const { outcome, session: found } = await store.rotate(world.rotation(foreign, 0))
        equal(outcome, 'unknown')
        equal(found, null)
      }
      deepEqual(await store.get(session.id), session)
      deepEqual(await store.get(strangers.id), strangers)
    },
  },
  {
    title: 'a session expires at its idle end, which a rotation moves',
    async run(world) {
      const store = await world.open()
      const idle = await world.create(store)
      const used = await world.create(store)
      world.advance(29 * day)
      equal((await store.rotate(world.rotation(used, 0))).outcome, 'rotated')
      world.advance(day - 1)
      equal((await store.rotate(world.rotation(idle, 0, { successor: null }))).outcome, 'rotated')
      world.advance(1)
      equal((await store.rotate(world.rotation(idle, 0))).outcome, 'expired')
      equal((await store.rotate(world.rotation(used, 1))).outcome, 'rotated')
    },
  },
  {
    title: 'a session expires at its absolute end, however often it is used',
    async run(world) {
      const store = await world.open()
      const session = await world.create(store, { expiresAt: world.now + 31 * day })
      world.advance(30 * day - second)
      equal((await store.rotate(world.rotation(session, 0))).outcome, 'rotated')
      world.advance(day + second)
      ok(['expired', 'unknown'].includes((await store.rotate(world.rotation(session, 1))).outcome))
      deepEqual(await store.list('test'), [])
      equal(await store.get(session.id), null)
    },
  },
  {
    title: 'of a hundred callers with one token exactly one rotates, and all get the same session',
    async run(world) {
      const [store, other] = [await world.open(), await world.open()]
      const session = await world.create(store)
      const callers = Array.from({ length: 100 }, (_, index) => (index % 2 === 0 ? store : other))
      const results = await Promise.all(callers.map((one) => one.rotate(world.rotation(session, 0))))
      const outcomes = results.map(({ outcome }) => outcome)
      equal(outcomes.filter((outcome) => outcome === 'rotated').length, 1)
      equal(outcomes.filter((outcome) => outcome === 'grace').length, 99)
      const now = await store.get(session.id)
      equal(now?.generation, 1)
      for (const result of results) deepEqual(result.session, now)
    },
  },
  {
    title: 'a token without a session is adopted once, and from then on judged like any other',
    async run(world) {
      const store = await world.open()
      const adoption = world.adoption()
      const orphan = { id: sid(), subject: 'test' }
      const rotation = (): Rotation => world.rotation(orphan, 0, { adoption })
      const looked = await store.rotate({ ...rotation(), successor: null })
      equal(looked.outcome, 'rotated')
      equal(await store.get(orphan.id), null)
      const results = await Promise.all(Array.from({ length: 20 }, async () => store.rotate(rotation())))
      const outcomes = results.map(({ outcome }) => outcome)
      equal(outcomes.filter((outcome) => outcome === 'rotated').length, 1)
      equal(outcomes.filter((outcome) => outcome === 'grace').length, 19)
      const session = await store.get(orphan.id)
      equal(session?.generation, 1)
      equal(session?.createdAt, world.now)
      equal(session?.rotatedAt, world.now)
      equal(session?.authTimeSeconds, adoption.authTimeSeconds)
      equal(session?.expiresAt, adoption.expiresAt)
      deepEqual(await store.list('test'), [session])
      world.advance(grace + second)
      equal((await store.rotate(rotation())).outcome, 'reused')
      equal((await store.rotate(rotation())).outcome, 'revoked')
    },
  },
  {
    title: 'a token that was revoked, or whose subject was, or whose end has passed, is not adopted',
    async run(world) {
      const store = await world.open()
      const adoption = world.adoption()
      const until = world.now + day
      await store.revoke({ kind: 'token', jti: adoption.jti, subject: 'test', until })
      const attempt = async (changes: Partial<Rotation>): Promise<Outcome> => {
        const given = world.rotation({ id: sid(), subject: 'test' }, 0, { adoption, ...changes })
        const judged = await store.rotate({ ...given, successor: null })
        const { outcome, session, revoked } = await store.rotate(given)
        equal(judged.outcome, outcome)
        if (outcome !== 'rotated') equal(session, null)
        deepEqual(revoked, [])
        equal((await store.get(given.sid)) === null, outcome !== 'rotated')
        return outcome
      }
      equal(await attempt({}), 'revoked')
      equal(await attempt({ adoption: world.adoption({ expiresAt: world.now }) }), 'expired')
      equal(await attempt({ adoption: world.adoption() }), 'rotated')
      await store.revoke({ kind: 'subject', subject: 'test', accessLifetime, tokenLifetime: 90 * day })
      const nowSeconds = Math.floor(world.now / 1000)
      equal(await attempt({ adoption: world.adoption({ issuedAtSeconds: nowSeconds }) }), 'revoked')
      equal(await attempt({ adoption: world.adoption({ issuedAtSeconds: nowSeconds + 1 }) }), 'rotated')
      equal(await attempt({ adoption: world.adoption(), subject: 'other', sid: sid('other') }), 'rotated')
    },
  },
]
