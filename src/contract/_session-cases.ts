/** The contract of stores: sessions as they are created, listed and limited. */

import { deepEqual, equal, ok } from 'node:assert/strict'
import type { Session } from '../core/store.ts'
import { accessLifetime, assertEnded, grace, idsOf, readAll, second, sid } from './_store.ts'
import type { StoreCase } from './_store.ts'

export const sessionCases: readonly StoreCase[] = [
  {
    title: 'a session that was created is found as it was made',
    async run(world) {
      const store = await world.open()
      const made = world.newSession({ metadata: { userAgent: 'Mozilla/5.0 (“X11”; \u{1F980})' } })
      const { session, revoked } = await store.create(made)
      deepEqual(session, {
        id: made.id,
        subject: made.subject,
        salt: made.salt,
        issuedAtSeconds: made.issuedAtSeconds,
        authTimeSeconds: made.authTimeSeconds,
        metadata: made.metadata,
        expiresAt: made.expiresAt,
        generation: 0,
        createdAt: world.now,
        lastSeenAt: world.now,
        rotatedAt: null,
        accessUntil: world.now + accessLifetime,
        idleExpiresAt: world.now + made.idleLifetime,
        revokedAt: null,
      })
      deepEqual(revoked, [])
      deepEqual(await store.get(made.id), session)
      deepEqual(await (await world.open()).get(made.id), session)
      equal(await store.get(sid()), null)
      equal(await (await world.open(`e${made.id.replaceAll('-', '')}`)).get(made.id), null)
    },
  },
  {
    title: 'creating a session again gives the one that is there',
    async run(world) {
      const store = await world.open()
      const made = world.newSession()
      const { session } = await store.create(made)
      world.advance(second)
      deepEqual(await store.create({ ...made, salt: 'another', subject: made.subject }), {
        session,
        revoked: [],
      })
    },
  },
  {
    title: 'a sign-in ends the session that it replaces, but never a stranger’s',
    async run(world) {
      const store = await world.open()
      const old = await world.create(store)
      const strangers = await world.create(store, { subject: 'other' })
      const first = await store.create(world.newSession(), { replaces: old.id })
      deepEqual(idsOf(first.revoked), [old.id])
      assertEnded(await store.get(old.id), world.now)
      deepEqual((await store.create(world.newSession(), { replaces: strangers.id })).revoked, [])
      deepEqual((await store.create(world.newSession(), { replaces: sid() })).revoked, [])
      deepEqual(await store.get(strangers.id), strangers)
      deepEqual(idsOf((await readAll(store)).entries), [old.id])
    },
  },
  {
    title: 'the longest idle sessions end when there are too many',
    async run(world) {
      const store = await world.open()
      const sessions: Session[] = []
      for (let count = 0; count < 3; count++) {
        sessions.push(await world.create(store))
        world.advance(grace + second)
      }
      const [first, idle, third] = sessions
      ok(first !== undefined && idle !== undefined && third !== undefined)
      await store.rotate(world.rotation(first, 0))
      await world.create(store, { subject: 'other' })
      const { session, revoked } = await store.create(world.newSession(), { limit: 3 })
      deepEqual(idsOf(revoked), [idle.id])
      deepEqual(idsOf(await store.list('test')), idsOf([first, third, session]))
      const { revoked: all } = await store.create(world.newSession(), { limit: 1 })
      equal(all.length, 3)
      equal((await store.list('test')).length, 1)
    },
  },
  {
    title: 'a session that makes way counts out of the limit',
    async run(world) {
      const store = await world.open()
      const one = await world.create(store)
      const two = await world.create(store)
      const { revoked } = await store.create(world.newSession(), { replaces: two.id, limit: 2 })
      deepEqual(idsOf(revoked), [two.id])
      equal((await store.get(one.id))?.revokedAt, null)
    },
  },
  {
    title: 'the live sessions of a subject are listed, newest first',
    async run(world) {
      const store = await world.open()
      const sessions: Session[] = []
      for (let count = 0; count < 4; count++) {
        sessions.push(await world.create(store, { ...(count === 1 && { idleLifetime: 5 * second }) }))
        world.advance(second)
      }
      await world.create(store, { subject: 'other' })
      const [oldest, idle, ended, newest] = sessions
      ok(oldest !== undefined && idle !== undefined && ended !== undefined && newest !== undefined)
      await store.revoke({ kind: 'session', sid: ended.id, accessLifetime })
      equal((await store.list('test')).length, 3)
      world.advance(10 * second)
      deepEqual(await store.list('test'), [newest, oldest])
      deepEqual(await store.list('nobody'), [])
    },
  },
]
