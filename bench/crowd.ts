// A store whose feed begins with so many revocations, which are made as they are read.

import type { Revocation, RevocationPage, Store } from 'tallystick'
import { memoryStore } from 'tallystick/stores/memory'

const pageSize = 10_000

export function crowdedStore(count: number): Store {
  const store = memoryStore()
  const until = Date.now() + 1_260_000
  const entry = (): Revocation => ({ kind: 'session', id: crypto.randomUUID(), cutSeconds: null, until })
  let left = count
  const revocations = async (cursor: string | null, signal: AbortSignal): Promise<RevocationPage> => {
    const page = await store.revocations(cursor, signal)
    const entries = Array.from({ length: Math.min(left, pageSize) }, entry)
    left -= entries.length
    // As text and back, as from a server: strings put together in this process weigh several times as much.
    const next = { cursor: left > 0 ? `crowd ${left}` : page.cursor, more: left > 0 }
    return JSON.parse(JSON.stringify({ ...page, ...next, entries: [...entries, ...page.entries] }))
  }
  return {
    open: () => store.open(),
    create: (session, options) => store.create(session, options),
    rotate: (rotation) => store.rotate(rotation),
    get: (sid) => store.get(sid),
    list: (subject) => store.list(subject),
    revoke: (target) => store.revoke(target),
    isRevoked: (token) => store.isRevoked(token),
    revocations,
    sweep: (limit) => store.sweep(limit),
    close: () => store.close(),
  }
}
