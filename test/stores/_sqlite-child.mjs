// One process of several on a file: does with its store what its parent says, and answers. Loads dist/, as users do.

import Database from 'libsql'
import { sqliteStore } from 'tallystick/stores/sqlite'

const [, , file] = process.argv
const store = sqliteStore(new Database(file))
const { signal } = new AbortController()

const deeds = {
  /** Any method of the store. */
  call: async (method, ...args) => store[method](...args),
  /** Reads the feed whenever it is woken, until an entry of that id is there; gives the time. */
  async follow(id) {
    let { cursor } = await store.revocations(null, signal)
    let wake = () => undefined
    store.watch(() => wake())
    for (;;) {
      await new Promise((resolve) => {
        wake = resolve
      })
      const page = await store.revocations(cursor, signal)
      cursor = page.cursor
      if (page.entries.some((entry) => entry.id === id)) return Date.now()
    }
  },
  /** Creates sessions and ends them, until somebody ends the process. */
  async churn(session) {
    for (let count = 0; ; count++) {
      const id = `${session.id}-${count}`
      await store.create({ ...session, id })
      await store.revoke({ kind: 'session', sid: id, accessLifetime: 60_000 })
      if (count === 20) process.send({ number: -1, value: 'churning' })
    }
  },
  /** Lets go of the parent: what is left must not keep the process alive. */
  async leave() {
    store.watch(() => undefined)
    setTimeout(() => process.disconnect())
  },
}

process.on('message', ({ number, deed, args }) => {
  deeds[deed](...args).then(
    (value) => process.send({ number, value }),
    (error) => process.send({ number, error: String(error) }),
  )
})
