// The store in PostgreSQL over each driver: the contract, the ledger in memory as its model, and what is its own.

import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { memoryStore } from '../../src/stores/memory.ts'
import { postgresStore } from '../../src/stores/postgres.ts'
import type { PostgresClient } from '../../src/stores/postgres.ts'
import { storeContract } from '../../src/testing.ts'
import type { NewSession, Revocation, Rotation, Store } from '../../src/core/store.ts'
import {
  administer,
  cleanUp,
  isReachable,
  isWaiting,
  killListeners,
  newPglite,
  newPool,
  newPostgresJs,
  newSchema,
  newTransaction,
  until,
} from './_postgres.ts'

const isThere = await isReachable()
const day = 86_400_000
const accessLifetime = 900_000

afterAll(async () => {
  if (isThere) await cleanUp()
})

describe.runIf(isThere).each<[string, () => PostgresClient]>([
  ['a Pool of pg', newPool],
  ['postgres.js', newPostgresJs],
  ['PGlite', newPglite],
])('the contract over %s', (_driver, newClient) => {
  const client = newClient()
  const schemas = new Map<string, string>()
  const contract = storeContract(({ name, clock }) => {
    const schema = schemas.get(name) ?? newSchema()
    schemas.set(name, schema)
    return postgresStore(client, { schema, clock })
  })
  test.each(contract)(
    '$title',
    async ({ run }) => {
      await run()
      expect(schemas.size).toBeGreaterThan(0)
    },
    60_000,
  )
})

describe.runIf(isThere)('the schema', () => {
  test('ten processes that start at once make it once', async () => {
    const schema = newSchema()
    const stores = Array.from({ length: 10 }, () => postgresStore(newPool({ max: 1 }), { schema }))
    const opened = await Promise.all(stores.map((store) => store.open()))
    expect(new Set(opened.map(({ feedId }) => feedId)).size).toBe(1)
    expect(new Set(opened.map(({ bornAt }) => bornAt)).size).toBe(1)
    expect(opened.map(({ version }) => version)).toEqual(Array.from({ length: 10 }, () => 1))
  })

  test('data of a newer version is refused, by an old function and by the making of the schema', async () => {
    const schema = newSchema()
    const store = postgresStore(newPool(), { schema })
    await store.open()
    await administer(`update ${schema}.marker set version = 2`)
    await expect(store.open()).rejects.toThrow('needs a newer tallystick')
    await administer(`drop function ${schema}.open_v1`)
    await expect(store.open()).rejects.toThrow('needs a newer tallystick')
    await expect(postgresStore(newPool(), { schema }).get('x')).rejects.toThrow('needs a newer tallystick')
    expect(await administer(`select version from ${schema}.marker`)).toEqual([{ version: 2 }])
  })

  test('a store that nobody opened opens itself, and one that is there is opened in one round trip', async () => {
    const schema = newSchema()
    const { client, asked } = counted(newPool())
    expect(await postgresStore(client, { schema }).list('nobody')).toEqual([])
    asked.length = 0
    await postgresStore(client, { schema }).open()
    expect(asked).toHaveLength(1)
  })

  test('a word that SQL keeps for itself is a name like any other', async () => {
    const schema = 'select'
    await administer(`drop schema if exists "${schema}" cascade`)
    const store = postgresStore(newPool(), { schema })
    const woken = new Promise<void>((resolve) => {
      store.watch?.(resolve)
    })
    await store.revoke({ kind: 'token', jti: 'a', subject: 'b', until: inAWhile() })
    await woken
    await store.close()
    await administer(`drop schema "${schema}" cascade`)
    expect.hasAssertions()
    expect(() => postgresStore(newPool(), { schema: 'a"b' })).toThrow(TypeError)
  })

  test.each(['', 'A', '1a', 'a-b', 'a.b', 'a"', 'a b', 'ä', 'a'.repeat(42)])(
    'the name %j is refused',
    (schema) => {
      expect(() => postgresStore(newPool(), { schema })).toThrow(TypeError)
    },
  )

  test('an operator is told what should be put right', async () => {
    const pool = newPool()
    pool.removeAllListeners('error')
    const { warnings } = await postgresStore(pool, { schema: newSchema() }).open()
    expect(warnings).toEqual([
      expect.stringContaining('synchronous_commit'),
      expect.stringContaining('no listener for error'),
    ])
    const good = newPool({ options: '' })
    expect((await postgresStore(good, { schema: newSchema() }).open()).warnings).toEqual([])
  })

  test('transactions that would not see what was committed while they waited are refused', async () => {
    const schema = newSchema()
    await postgresStore(newPool(), { schema }).open()
    for (const level of ['repeatable\\ read', 'serializable']) {
      const pool = newPool({ options: `-c default_transaction_isolation=${level}` })
      const store = postgresStore(pool, { schema })
      await expect(store.get('x')).rejects.toThrow('must be read committed')
    }
  })
})

describe.runIf(isThere)('data that was lost', () => {
  test.each([
    ['the schema', (schema: string) => `drop schema ${schema} cascade`],
    ['the table of revocations', (schema: string) => `drop table ${schema}.revocations cascade`],
    ['the table of sessions', (schema: string) => `drop table ${schema}.sessions cascade`],
    ['the table of the marker', (schema: string) => `drop table ${schema}.marker cascade`],
    ['the marker', (schema: string) => `delete from ${schema}.marker`],
  ])('is noticed, and begins anew: %s', async (_what, sqlOf) => {
    const schema = newSchema()
    const start = 1_800_000_000
    let seconds = start
    const store = postgresStore(newPool(), { schema, clock: () => seconds })
    const before = await store.open()
    const token = { subject: 'a', jti: 'b', sid: 'c', issuedAtSeconds: start }
    expect(await store.isRevoked(token)).toBe(false)
    const { cursor } = await read(store, null)
    await administer(sqlOf(schema))
    seconds += 10
    expect(await Promise.all([store.list('a'), store.list('a')])).toEqual([[], []])
    const answers = await Promise.all([store.isRevoked(token), store.isRevoked(token)])
    expect(answers).toEqual([true, true])
    const after = await read(store, cursor)
    expect(after.feedId).not.toBe(before.feedId)
    expect(after.bornAt).toBe(seconds * 1000)
    expect(await store.isRevoked({ ...token, issuedAtSeconds: seconds })).toBe(false)
    await create(store)
  })
})

describe.runIf(isThere)('the feed', () => {
  test('an entry arrives whose transaction began before those that were read and ended after them', async () => {
    const { pool, schema, store: reader } = await opened()
    const transaction = await newTransaction()
    const slow = postgresStore(transaction, { schema })
    await revokeToken(slow, 'slow', 'b')
    const cursors = [(await read(reader, null)).cursor]
    for (const jti of ['first', 'second']) {
      await revokeToken(postgresStore(pool, { schema }), jti)
      const page = await read(reader, cursors.at(-1) ?? null)
      expect(idsOf(page.entries)).toEqual([jti])
      cursors.push(page.cursor)
    }
    await transaction.query('commit')
    expect(idsOf((await read(reader, cursors[2] ?? null)).entries)).toEqual(['slow'])
    expect(idsOf((await read(reader, cursors[1] ?? null)).entries)).toEqual(['second', 'slow'])
    expect(idsOf((await read(reader, cursors[0] ?? null)).entries)).toEqual(['first', 'second', 'slow'])
  })

  test('the same holds for a set of several pages, also for what is extended between them', async () => {
    const { schema, store } = await opened()
    const transaction = await newTransaction()
    await revokeToken(postgresStore(transaction, { schema }), 'slow', 'b')
    await administer(
      `select ${schema}.publish_v1('token', to_json('bulk ' || n), null, ${inAWhile()})
        from generate_series(1, 25000) n`,
    )
    const seen = new Set<string>()
    const first = await read(store, null)
    expect(first.entries).toHaveLength(10_000)
    expect(first.more).toBe(true)
    await transaction.query('commit')
    await revokeToken(store, 'bulk 7')
    await revokeToken(store, 'bulk 24999')
    await revokeToken(store, 'late')
    let page = first
    for (const { id } of first.entries) seen.add(id)
    const pages = [first]
    while (page.more || pages.length < 4) {
      page = await read(store, page.cursor)
      pages.push(page)
      for (const { id } of page.entries) seen.add(id)
    }
    expect(pages.length).toBe(4)
    expect(seen.size).toBe(25_002)
    expect(idsOf((await read(store, page.cursor)).entries)).toEqual([])
  })

  test('an entry that was extended is told again', async () => {
    const { store } = await opened()
    const target = { kind: 'token', jti: 'a', subject: 'a' } as const
    await store.revoke({ ...target, until: inAWhile() })
    const { cursor } = await read(store, null)
    const extended = await store.revoke({ ...target, until: inAWhile() + day })
    expect((await read(store, cursor)).entries).toEqual(extended)
  })

  test('a transaction that stays open does not make every read begin with it', async () => {
    const { store } = await opened()
    const transaction = await newTransaction()
    await transaction.query('select pg_current_xact_id()')
    await revokeToken(store, 'a')
    const { cursor, entries } = await read(store, null)
    expect(idsOf(entries)).toEqual(['a'])
    expect(idsOf((await read(store, cursor)).entries)).toEqual([])
    await transaction.query('rollback')
  })

  test('a cursor of a server that started at another time gives the whole set', async () => {
    const { store } = await opened()
    await revokeToken(store, 'a')
    const { cursor } = await read(store, null)
    const [feed, started = '', ...rest] = cursor.split(' ')
    const other = [feed, `${Number(started) + 1}`, ...rest].join(' ')
    expect(idsOf((await read(store, cursor)).entries)).toEqual([])
    expect(idsOf((await read(store, other)).entries)).toEqual(['a'])
  })

  test('a reader that was told to stop reads nothing', async () => {
    const { store } = await opened()
    await expect(store.revocations(null, AbortSignal.abort())).rejects.toThrow('aborted')
    const controller = new AbortController()
    const reading = store.revocations(null, controller.signal)
    controller.abort(new Error('no longer'))
    await expect(reading).rejects.toThrow('no longer')
  })
})

describe.runIf(isThere)('steps at the same time', () => {
  test('who adopts a token while everything of its subject ends gets nothing', async () => {
    const { schema, store } = await opened()
    const transaction = await newTransaction()
    await revokeAll(postgresStore(transaction, { schema }), 'a')
    const adopting = store.rotate(adoption('a', 'orphan'))
    await until(() => isWaiting(schema))
    await transaction.query('commit')
    expect((await adopting).outcome).toBe('revoked')
    expect(await store.list('a')).toEqual([])
  })

  test('who ends everything of a subject while a token is adopted ends that session too', async () => {
    const { schema, store } = await opened()
    const transaction = await newTransaction()
    const adopted = await postgresStore(transaction, { schema }).rotate(adoption('a', 'orphan'))
    expect(adopted.outcome).toBe('rotated')
    const ending = revokeAll(store, 'a')
    await until(() => isWaiting(schema))
    await transaction.query('commit')
    expect((await ending).map(({ kind }) => kind)).toEqual(['subject', 'session'])
    expect(await store.list('a')).toEqual([])
  })

  test('who revokes a token while it is adopted, or adopts it while it is revoked, waits', async () => {
    const { schema, store } = await opened()
    const transaction = await newTransaction()
    await revokeToken(postgresStore(transaction, { schema }), 'orphan', 'a')
    const adopting = store.rotate(adoption('a', 'orphan'))
    await until(() => isWaiting(schema))
    await transaction.query('commit')
    expect((await adopting).outcome).toBe('revoked')
  })

  test('who ends everything of a subject while it signs in or is rotated ends those sessions too', async () => {
    const { schema, store } = await opened()
    const { session } = await create(store, { subject: 'a' })
    const transaction = await newTransaction()
    const held = postgresStore(transaction, { schema })
    await held.rotate(rotation(session.id, 'a', 0))
    const other = (await create(held, { subject: 'a' })).session
    const ending = revokeAll(store, 'a')
    await until(() => isWaiting(schema))
    await transaction.query('commit')
    const ids = (await ending).filter(({ kind }) => kind === 'session').map(({ id }) => id)
    expect(ids.toSorted()).toEqual([session.id, other.id].toSorted())
    expect((await store.get(session.id))?.generation).toBe(1)
  })

  test('a rotation that waits for the end of its session is refused', async () => {
    const { schema, store } = await opened()
    const { session } = await create(store)
    const transaction = await newTransaction()
    await postgresStore(transaction, { schema }).revoke({ kind: 'session', sid: session.id, accessLifetime })
    const rotating = store.rotate(rotation(session.id, session.subject, 0))
    await until(() => isWaiting(schema))
    await transaction.query('commit')
    expect((await rotating).outcome).toBe('revoked')
  })

  test('a rotation that waits for another sees what that one made', async () => {
    const { schema, store } = await opened()
    const { session } = await create(store)
    const transaction = await newTransaction()
    const one = rotation(session.id, session.subject, 0)
    const first = await postgresStore(transaction, { schema }).rotate(one)
    const rotating = store.rotate(one)
    await until(() => isWaiting(schema))
    await transaction.query('commit')
    expect(await rotating).toEqual({ ...first, outcome: 'grace', now: expect.any(Number) })
  })

  test('two that adopt one token make one session', async () => {
    const { schema, store } = await opened()
    const transaction = await newTransaction()
    const one = adoption('a', 'orphan')
    const first = await postgresStore(transaction, { schema }).rotate(one)
    const rotating = store.rotate(one)
    await until(() => isWaiting(schema))
    await transaction.query('commit')
    expect(await rotating).toEqual({ ...first, outcome: 'grace', now: expect.any(Number) })
  })

  test('a sign-in that waits for the end of another session does not end one more', async () => {
    const { schema, store } = await opened()
    const ending = (await create(store)).session
    const staying = (await create(store)).session
    const transaction = await newTransaction()
    const held = postgresStore(transaction, { schema })
    await held.revoke({ kind: 'session', sid: ending.id, accessLifetime })
    const creating = create(store, {}, 2)
    await until(() => isWaiting(schema))
    await transaction.query('commit')
    expect((await creating).revoked).toEqual([])
    expect((await store.get(staying.id))?.revokedAt).toBe(null)
  })

  test.each([
    ['the session finds its end, and the entry that was made for it', true],
    ['everything of its subject leaves what has ended meanwhile as it is', false],
  ])('who waits to end %s', async (_title, isSession) => {
    const { schema, store } = await opened()
    const { session } = await create(store)
    const transaction = await newTransaction()
    const held = postgresStore(transaction, { schema })
    const target = { kind: 'session', sid: session.id, accessLifetime } as const
    const entries = await held.revoke(target)
    const ending = isSession ? store.revoke(target) : revokeAll(store, session.subject)
    await until(() => isWaiting(schema))
    await transaction.query('commit')
    const again = (await ending).filter(({ kind }) => kind === 'session')
    expect(again).toEqual(isSession ? entries : [])
  })

  test('the clock is read after the wait', async () => {
    const { schema, store } = await opened()
    const { session } = await create(store)
    const transaction = await newTransaction()
    await postgresStore(transaction, { schema }).rotate(rotation(session.id, session.subject, 0))
    const rotating = store.rotate({ ...rotation(session.id, session.subject, 1), grace: 50 })
    await until(() => isWaiting(schema))
    await new Promise((resolve) => setTimeout(resolve, 100))
    await transaction.query('commit')
    expect((await rotating).outcome).toBe('rotated')
  })

  test('of a hundred callers over ten connections exactly one rotates', async () => {
    const { store } = await opened()
    const { session } = await create(store)
    const one = rotation(session.id, session.subject, 0)
    const results = await Promise.all(Array.from({ length: 100 }, () => store.rotate(one)))
    const outcomes = results.map(({ outcome }) => outcome)
    expect(outcomes.filter((outcome) => outcome === 'rotated')).toHaveLength(1)
    expect(outcomes.filter((outcome) => outcome === 'grace')).toHaveLength(99)
  })

  test('thirty sign-ins at once keep within the limit', async () => {
    const { store } = await opened()
    await Promise.all(Array.from({ length: 30 }, () => create(store, { subject: 'a' }, 3)))
    expect(await store.list('a')).toHaveLength(3)
  })

  test('no two steps wait for each other, whatever is mixed', async () => {
    const { store } = await opened()
    const sids = Array.from({ length: 6 }, (_, index) => `sid ${index}`)
    const steps = Array.from({ length: 1500 }, async (_, index) => {
      const subject = `subject ${index % 2}`
      const sid = sids[(index * 7) % 6] ?? ''
      const all: readonly (() => Promise<unknown>)[] = [
        () => create(store, { id: sid, subject, expiresAt: Date.now() + 50 + (index % 100) }, 2),
        () => store.rotate(rotation(sid, subject, index % 5)),
        () => store.rotate(adoption(subject, sid)),
        () => store.revoke({ kind: 'session', sid, accessLifetime: 10 }),
        () => store.revoke({ kind: 'subject', subject, accessLifetime: 10, tokenLifetime: 10 }),
        () => store.sweep(3),
      ]
      await all[(index * 11 + Math.floor(index / 6)) % 6]?.()
    })
    const failures = (await Promise.allSettled(steps)).filter(({ status }) => status === 'rejected')
    expect(
      failures.filter((one) => one.status === 'rejected' && !/at the same time/.test(String(one.reason))),
    ).toEqual([])
  })

  test('who sweeps does not wait for others who do', async () => {
    const { schema, store } = await opened()
    const { session } = await create(store, { expiresAt: 1 })
    await administer(
      `select ${schema}.publish_v1('token', to_json('dead ' || n), null, 1) from generate_series(1, 7) n`,
    )
    const transaction = await newTransaction()
    const held = postgresStore(transaction, { schema })
    expect([await held.sweep(1), await held.sweep(2)]).toEqual([1, 2])
    expect(await store.sweep(100)).toBe(5)
    await transaction.query('rollback')
    expect(await store.sweep(100)).toBe(3)
    expect(await store.get(session.id)).toBe(null)
  })

  test('sweeping from several sides deletes each row once, and nobody more than was asked', async () => {
    const { schema, store } = await opened()
    await administer(
      `select ${schema}.publish_v1('token', to_json('dead ' || n), null, 1) from generate_series(1, 700) n`,
    )
    const counts = await Promise.all(Array.from({ length: 20 }, () => store.sweep(50)))
    expect(counts.every((count) => count <= 50)).toBe(true)
    for (let count = -1; count !== 0;) counts.push((count = await store.sweep(50)))
    expect(counts.reduce((sum, count) => sum + count)).toBe(700)
  })
})

describe.runIf(isThere)('wake-ups', () => {
  test.each<[string, () => PostgresClient]>([
    ['a Pool of pg', newPool],
    ['postgres.js', newPostgresJs],
  ])('reach another store, also after its connection was killed: %s', async (_driver, newClient) => {
    const { schema, store } = await opened()
    const listener = postgresStore(newClient(), { schema })
    let count = 0
    const stop = listener.watch?.(() => count++)
    const wakesUp = async (): Promise<void> => {
      const before = count
      await until(async () => {
        await revokeToken(store, crypto.randomUUID())
        return count > before
      })
    }
    await wakesUp()
    expect(await killListeners(schema)).toBe(1)
    await wakesUp()
    expect(await killListeners(schema)).toBe(1)
    stop?.()
    await listener.close()
  })

  test('closing gives the connection back, and leaves the pool as it was', async () => {
    const { pool, store } = await opened()
    const stops = [store.watch?.(() => undefined), store.watch?.(() => undefined)]
    await until(() => pool.totalCount - pool.idleCount === 1)
    stops[0]?.()
    stops[0]?.()
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(pool.totalCount - pool.idleCount).toBe(1)
    await store.close()
    await store.close()
    await until(() => pool.totalCount - pool.idleCount === 0)
    expect(await store.list('nobody')).toEqual([])
    store.watch?.(() => undefined)
    await store.close()
    await until(() => pool.totalCount - pool.idleCount === 0)
  })

  test('a pool of one connection keeps it for answers', async () => {
    const store = postgresStore(newPool({ max: 1 }), { schema: newSchema() })
    const stop = store.watch?.(() => undefined)
    expect(await store.list('nobody')).toEqual([])
    stop?.()
  })

  test('a pool that cannot connect neither throws nor rejects', async () => {
    const pool = newPool({ connectionString: 'postgres://127.0.0.1:1/none' })
    const store = postgresStore(pool, { schema: newSchema() })
    const stop = store.watch?.(() => undefined)
    await expect(store.open()).rejects.toThrow('ECONNREFUSED')
    stop?.()
    await store.close()
  })

  test('only what publishes something notifies', async () => {
    const { schema, store } = await opened()
    const listener = await newTransaction()
    let count = 0
    listener.on('notification', () => count++)
    await listener.query(`listen "${schema}_news"`)
    await listener.query('commit')
    const { session } = await create(store)
    await store.rotate(rotation(session.id, session.subject, 0))
    await store.rotate(adoption('a', 'orphan'))
    await store.list('a')
    await store.isRevoked({ subject: 'a', jti: 'b', issuedAtSeconds: 1 })
    await read(store, null)
    await store.sweep(10)
    // Notifications arrive in the order of the commits: one of the steps before would have come before this one.
    await revokeToken(store, 'b')
    await until(() => count > 0)
    expect(count).toBe(1)
  })
})

describe.runIf(isThere)('a round trip', () => {
  test('is all that a method takes', async () => {
    const { client, asked } = counted(newPool())
    const store = postgresStore(client, { schema: newSchema() })
    await store.open()
    const methods: readonly (() => Promise<unknown>)[] = [
      () => create(store, { id: 'a' }, 1),
      () => store.rotate(rotation('a', 'a', 0)),
      () => store.rotate(adoption('a', 'orphan')),
      () => store.get('a'),
      () => store.list('a'),
      () => store.isRevoked({ subject: 'a', jti: 'b', sid: 'c', issuedAtSeconds: 1 }),
      () => revokeAll(store, 'a'),
      () => revokeToken(store, 'b'),
      () => store.revocations(null, new AbortController().signal),
      () => store.sweep(10),
    ]
    for (const method of methods) {
      asked.length = 0
      await method()
      expect(asked).toHaveLength(1)
    }
  })

  test.each([
    ['nothing', []],
    ['two rows', [{ reply: 'null' }, { reply: 'null' }]],
    ['another column', [{ answer: 'null' }]],
    ['no text', [{ reply: null }]],
    ['parsed JSON', [{ reply: {} }]],
    ['no JSON', [{ reply: '{' }]],
    ['an empty object', [{ reply: '{}' }]],
    ['a number', [{ reply: '1.5' }]],
    ['a list', [{ reply: '[1]' }]],
    ['half a session', [{ reply: '{"session":{"id":"a"},"revoked":[],"outcome":"rotated","now":1}' }]],
    ['no list', [{ reply: '{"session":null,"revoked":null,"outcome":"rotated","now":1}' }]],
    ['an unknown outcome', [{ reply: '{"session":null,"revoked":[],"outcome":"fine","now":1}' }]],
  ])('that brings %s is rejected by every method', async (_what, rows) => {
    const { client } = counted(newPool())
    const schema = newSchema()
    let isBroken = false
    const broken: PostgresClient = {
      query: async (text, values) => (isBroken ? { rows } : client.query(text, values)),
    }
    const store = postgresStore(broken, { schema })
    await store.open()
    isBroken = true
    const methods: readonly (() => Promise<unknown>)[] = [
      () => store.open(),
      () => create(store),
      () => store.rotate(rotation('a', 'a', 0)),
      () => store.get('a'),
      () => store.list('a'),
      () => store.isRevoked({ subject: 'a', jti: 'b', issuedAtSeconds: 1 }),
      () => revokeAll(store, 'a'),
      () => store.revocations(null, new AbortController().signal),
      () => store.sweep(10),
    ]
    for (const method of methods) {
      await expect(method()).rejects.toThrow()
      // A store that did not open opens again.
      isBroken = false
      await store.open()
      isBroken = true
    }
  })
})

describe.runIf(isThere)('the ledger in memory', () => {
  const texts = [
    '',
    'a',
    'A',
    'a ',
    '\u0000',
    '\\u0000',
    '\ud800',
    '\udfff\ud800',
    '"',
    '\\',
    'é',
    'e\u0301',
    '💥',
  ]
  const text = fc.oneof(fc.constantFrom(...texts), fc.string({ unit: 'binary', maxLength: 4 }))
  const few = fc.constantFrom('a', '\u0000', '\ud800"\\')
  const span = fc.constantFrom(0, 1, 999, 30_000, 60_000, day)
  /** The store in memory does not expect that an id that is forgotten comes back as another subject's. */
  const ownerOf = (one: string): string => ({ '1': '\u0000', '2': '\ud800"\\' })[one] ?? 'a'
  const sid = fc.constantFrom('1', '2', '3', '\ud800')
  const commands = fc.array(
    fc.oneof(
      fc.record({
        do: fc.constant('wait' as const),
        span: fc.constantFrom(-1000, 0, 1, 500, 29_000, 60_000),
      }),
      fc.record({
        do: fc.constant('create' as const),
        sid,
        span,
        more: span,
        limit: fc.nat(3),
        salt: text,
        replaces: fc.option(sid),
      }),
      fc.record({
        do: fc.constant('rotate' as const),
        sid,
        subject: few,
        generation: fc.integer({ min: -2, max: 4 }),
        refuse: fc.boolean(),
        span,
        isJudging: fc.boolean(),
        adopts: fc.boolean(),
      }),
      fc.record({ do: fc.constant('end' as const), sid, subject: fc.option(few), span }),
      fc.record({
        do: fc.constant('endAll' as const),
        subject: few,
        except: fc.option(sid),
        span,
        more: span,
      }),
      fc.record({ do: fc.constant('deny' as const), jti: text, subject: few, span }),
      fc.record({ do: fc.constant('sweep' as const) }),
    ),
    { maxLength: 25 },
  )

  test('does exactly the same for all that is asked of both', async () => {
    const schema = newSchema()
    const start = 1_800_000_000_000
    let now = start
    const clock = (): number => now / 1000
    const store = postgresStore(newPool({ max: 1 }), { schema, clock })
    await store.open()
    await fc.assert(
      fc.asyncProperty(commands, async (list) => {
        now = start
        await administer(`truncate ${schema}.sessions, ${schema}.revocations, ${schema}.marker`)
        await store.open()
        const model = memoryStore({ clock })
        const both = async <Value>(ask: (one: Store) => Promise<Value>): Promise<void> => {
          expect(await ask(store)).toEqual(await ask(model))
        }
        const adopt = { jti: 'j', issuedAtSeconds: start / 1000 - 5, authTimeSeconds: 1, metadata: {} }
        for (const one of list) {
          if (one.do === 'wait') now += one.span
          else if (one.do === 'create') {
            const made = { id: one.sid, subject: ownerOf(one.sid), salt: one.salt, idleLifetime: one.span }
            const { replaces, limit } = one
            const options = { ...(replaces !== null && { replaces }), ...(limit > 0 && { limit }) }
            const session = { ...newSession(), ...made, expiresAt: now + one.more }
            await both((each) => each.create(session, options))
          } else if (one.do === 'rotate') {
            const asked: Rotation = {
              ...rotation(one.sid, one.adopts ? ownerOf(one.sid) : one.subject, one.generation),
              lateReplay: one.refuse ? 'refuse' : 'revoke',
              ...(one.isJudging && { successor: null }),
              ...(one.adopts && { adoption: { ...adopt, expiresAt: now + one.span } }),
            }
            await both((each) => each.rotate(asked))
          } else if (one.do === 'end') {
            const subject = one.subject ?? undefined
            await both((each) =>
              each.revoke({ kind: 'session', sid: one.sid, subject, accessLifetime: one.span }),
            )
          } else if (one.do === 'endAll') {
            const { subject, span: lifetime, more: tokenLifetime } = one
            const except = one.except ?? undefined
            await both((each) =>
              each.revoke({ kind: 'subject', subject, except, accessLifetime: lifetime, tokenLifetime }),
            )
          } else if (one.do === 'deny') {
            const { jti, subject } = one
            await both((each) => each.revoke({ kind: 'token', jti, subject, until: now + one.span }))
            await both((each) => each.isRevoked({ jti, subject, issuedAtSeconds: start / 1000 }))
          } else await both((each) => each.sweep(1000))
          for (const each of ['a', '\u0000', '\ud800"\\']) {
            await both((asked) => asked.list(each))
            const facts = { subject: each, jti: 'k', issuedAtSeconds: start / 1000 }
            await both((asked) => asked.isRevoked(facts))
          }
          for (const each of ['1', '2', '3', '\ud800']) {
            await both((asked) => asked.get(each))
            const facts = { subject: 'a', jti: 'k', sid: each, issuedAtSeconds: start / 1000 }
            await both((asked) => asked.isRevoked(facts))
          }
          await both(async (asked) => liveOf((await read(asked, null)).entries, now))
        }
      }),
      { numRuns: 40 },
    )
  }, 60_000)
})

function inAWhile(): number {
  return Date.now() + day
}

function liveOf(entries: readonly Revocation[], now: number): readonly Revocation[] {
  const keyOf = ({ kind, id }: Revocation): string => JSON.stringify([kind, id])
  return entries
    .filter((entry) => entry.until > now)
    .toSorted((left, right) => (keyOf(left) < keyOf(right) ? -1 : 1))
}

async function opened(): Promise<{ pool: ReturnType<typeof newPool>; schema: string; store: Store }> {
  const pool = newPool()
  const schema = newSchema()
  const store = postgresStore(pool, { schema })
  await store.open()
  return { pool, schema, store }
}

/** A client that notes what it is asked. */
function counted(pool: ReturnType<typeof newPool>): {
  client: { query: (text: string, values: string[]) => Promise<{ rows: unknown[] }> }
  asked: string[]
} {
  const asked: string[] = []
  const query = async (text: string, values: string[]): Promise<{ rows: unknown[] }> => {
    asked.push(text)
    return pool.query(text, values)
  }
  return { client: { query }, asked }
}

async function read(store: Store, cursor: string | null): ReturnType<Store['revocations']> {
  return store.revocations(cursor, new AbortController().signal)
}

function idsOf(entries: readonly Revocation[]): readonly string[] {
  return entries.map(({ id }) => id).toSorted()
}

function newSession(): NewSession {
  return {
    id: crypto.randomUUID(),
    subject: 'a',
    salt: 'salt',
    issuedAtSeconds: 1_800_000_000,
    authTimeSeconds: 1_800_000_000,
    accessLifetime,
    idleLifetime: day,
    expiresAt: inAWhile(),
    metadata: { userAgent: '\u0000"\\ud800\ud800' },
  }
}

async function create(
  store: Store,
  changes: Partial<NewSession> = {},
  limit?: number,
): ReturnType<Store['create']> {
  return store.create({ ...newSession(), ...changes }, { limit })
}

function rotation(sid: string, subject: string, generation: number): Rotation {
  return {
    sid,
    subject,
    generation,
    grace: 30_000,
    lateReplay: 'revoke',
    accessLifetime,
    successor: { salt: 'next', issuedAtSeconds: 1_800_000_001, idleLifetime: day },
    adoption: null,
  }
}

function adoption(subject: string, jti: string): Rotation {
  const issuedAtSeconds = Math.floor(Date.now() / 1000) - 10
  const facts = { jti, issuedAtSeconds, authTimeSeconds: issuedAtSeconds, metadata: {} }
  return { ...rotation(jti, subject, 0), adoption: { ...facts, expiresAt: inAWhile() } }
}

async function revokeAll(store: Store, subject: string): Promise<readonly Revocation[]> {
  return store.revoke({ kind: 'subject', subject, accessLifetime, tokenLifetime: day })
}

async function revokeToken(store: Store, jti: string, subject = 'a'): Promise<void> {
  await store.revoke({ kind: 'token', jti, subject, until: inAWhile() })
}
