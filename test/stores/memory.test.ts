// The store in memory: the contract, and what is its own.

import { describe, expect, test } from 'vitest'
import { memoryStore } from '../../src/stores/memory.ts'
import { storeContract } from '../../src/testing.ts'
import { createClock } from '../_setup.ts'
import type { NewSession, Store } from '../../src/index.ts'

const stores = new Map<string, Store>()

describe('the contract', () => {
  const contract = storeContract(({ name, clock }) => {
    const store = stores.get(name) ?? memoryStore({ clock })
    stores.set(name, store)
    return store
  })
  test.each(contract)('$title', async ({ run }) => {
    expect.hasAssertions()
    await run()
    expect(stores.size).toBeGreaterThan(0)
  })
})

describe('the store in memory', () => {
  const clock = createClock()
  const made = (id: string, subject: string): NewSession => ({
    id,
    subject,
    salt: 'AAAAAAAAAAAAAAAAAAAAAA',
    issuedAtSeconds: clock(),
    authTimeSeconds: clock(),
    accessLifetime: 1_260_000,
    idleLifetime: 60_000,
    expiresAt: clock() * 1000 + 60_000,
    metadata: {},
  })

  test('ends the session that was made first when there are too many', async () => {
    const store = memoryStore({ clock, maxSessions: 2 })
    await store.create(made('a', 'one'))
    await store.create(made('b', 'two'))
    const { revoked } = await store.create(made('c', 'three'))
    expect(revoked).toMatchObject([{ kind: 'session', id: 'a' }])
    expect(await store.get('a')).toBeNull()
    expect(await store.list('two')).toHaveLength(1)
    const facts = { subject: 'one', jti: 'x', sid: 'a', issuedAtSeconds: clock() }
    expect(await store.isRevoked(facts)).toBe(true)
  })

  test('gives an id that has expired and comes again to its new subject alone', async () => {
    const store = memoryStore({ clock })
    await store.create(made('a', 'one'))
    clock.advance(61)
    await store.create(made('a', 'two'))
    expect(await store.list('one')).toEqual([])
    expect(await store.list('two')).toHaveLength(1)
  })

  test.each([0, -1, 1.5, '1', null])('takes no %o for a number of sessions', (maxSessions) => {
    expect(() => memoryStore({ maxSessions: maxSessions as never })).toThrow(TypeError)
  })
})
