/** The contract of stores: how other processes learn of what was revoked. */

import { deepEqual, equal, ok } from 'node:assert/strict'
import { maxPageEntries } from '../core/store.ts'
import { accessLifetime, day, idsOf, readAll, sid } from './_store.ts'
import type { StoreCase } from './_store.ts'

export const feedCases: readonly StoreCase[] = [
  {
    title: 'others read what is new since their cursor, and an empty page is an answer too',
    async run(world) {
      const [mine, theirs] = [await world.open(), await world.open()]
      const first = await theirs.revocations(null, new AbortController().signal)
      deepEqual(first.entries, [])
      equal(first.more, false)
      equal(first.now, world.now)
      ok(first.bornAt <= world.now)
      let { cursor } = first
      for (let count = 0; count < 3; count++) {
        const session = await world.create(mine)
        await mine.revoke({ kind: 'session', sid: session.id, accessLifetime })
        const page = await readAll(theirs, cursor)
        ok(idsOf(page.entries).includes(session.id))
        cursor = page.cursor
      }
      equal(idsOf((await readAll(theirs)).entries).length, 3)
      const { feedId, bornAt } = await theirs.revocations(cursor, new AbortController().signal)
      deepEqual({ feedId, bornAt }, { feedId: first.feedId, bornAt: first.bornAt })
    },
  },
  {
    title: 'what is revoked while a reader reads is in its next page at the latest',
    async run(world) {
      const [mine, theirs] = [await world.open(), await world.open()]
      const revoked: string[] = []
      const seen = new Set<string>()
      let isDone = false
      const write = async (): Promise<void> => {
        for (let count = 0; count < 200; count++) {
          const jti = crypto.randomUUID()
          await mine.revoke({ kind: 'token', jti, subject: `subject ${count % 7}`, until: world.now + day })
          revoked.push(jti)
        }
        isDone = true
      }
      const read = async (): Promise<void> => {
        for (let cursor: string | null = null, isLast = false; !isLast;) {
          isLast = isDone
          const page = await readAll(theirs, cursor)
          for (const { id } of page.entries) seen.add(id)
          cursor = page.cursor
        }
      }
      await Promise.all([write(), read()])
      deepEqual([...seen].toSorted(), revoked.toSorted())
    },
  },
  {
    title: 'a set that is larger than a page is read page by page, without a gap',
    async run(world) {
      const store = await world.open()
      const jtis = Array.from({ length: maxPageEntries + 500 }, (_, index) => `jti ${index}`)
      const until = world.now + day
      for (let index = 0; index < jtis.length; index += 500) {
        const part = jtis.slice(index, index + 500)
        await Promise.all(part.map((jti) => store.revoke({ kind: 'token', jti, subject: 'test', until })))
      }
      const first = await store.revocations(null, new AbortController().signal)
      ok(first.more && first.entries.length > 0 && first.entries.length <= maxPageEntries)
      const during = 'revoked between two pages'
      await store.revoke({ kind: 'token', jti: during, subject: 'test', until })
      const rest = await readAll(store, first.cursor)
      const { entries } = await readAll(store, rest.cursor)
      deepEqual(idsOf([...first.entries, ...rest.entries, ...entries]), [...jtis, during].toSorted())
    },
  },
  {
    title: 'a cursor that is of no use gives the whole live set',
    async run(world) {
      const [store, elsewhere] = [await world.open(), await world.open(`e${sid().replaceAll('-', '')}`)]
      const session = await world.create(store)
      const revoked = await store.revoke({ kind: 'session', sid: session.id, accessLifetime })
      const { cursor: foreign } = await readAll(elsewhere)
      for (const cursor of ['', 'nonsense', foreign, '0', ' ', ' 9', '💥']) {
        deepEqual((await readAll(store, cursor)).entries, revoked)
      }
    },
  },
  {
    title: 'a wake-up that was asked for comes, and stops when it is no longer wanted',
    async run(world) {
      const [mine, theirs] = [await world.open(), await world.open()]
      if (theirs.watch === undefined) return
      let count = 0
      let wake = (): void => undefined
      const woken = new Promise<void>((resolve) => {
        wake = resolve
      })
      const stop = theirs.watch(() => {
        count++
        wake()
      })
      const timer = setInterval(() => {
        void mine.revoke({ kind: 'token', jti: crypto.randomUUID(), subject: 'test', until: world.now + day })
      }, 50)
      await woken
      clearInterval(timer)
      stop()
      stop()
      await new Promise((resolve) => setTimeout(resolve, 300))
      const before = count
      await mine.revoke({ kind: 'token', jti: 'later', subject: 'test', until: world.now + day })
      await new Promise((resolve) => setTimeout(resolve, 300))
      equal(count, before)
    },
  },
  {
    title: 'closing twice is closing once',
    async run(world) {
      const store = await world.open()
      await store.close()
      await store.close()
    },
  },
]
