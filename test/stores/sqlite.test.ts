import { afterAll, afterEach, describe, expect, test } from 'vitest'
import fc from 'fast-check'
import type { Revocation, RevocationPage, RevokeTarget, Rotation, Store } from '../../src/core/store.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { sqliteStore } from '../../src/stores/sqlite.ts'
import { storeContract } from '../../src/testing.ts'
import { createClock, startSeconds } from '../_setup.ts'
import { Child, drivers, Folder, newRotation, newSession } from './_sqlite.ts'
import type { ClosableDatabase } from './_sqlite.ts'

const folder = new Folder()
afterAll(() => folder.remove())

const { signal } = new AbortController()
const accessLifetime = 1_260_000
const day = 86_400_000
/** Longer than any pause between two looks. */
const soon = { timeout: 2000, interval: 10 }

/** Every method, with arguments that are good. */
const methods: readonly (readonly [name: string, call: (store: Store) => Promise<unknown>])[] = [
  ['open', (store) => store.open()],
  ['create', (store) => store.create(newSession())],
  ['rotate', (store) => store.rotate(newRotation('s'))],
  ['rotate, judging only', (store) => store.rotate(newRotation('s', { successor: null }))],
  ['get', (store) => store.get('s')],
  ['list', (store) => store.list('test')],
  ['revoke', (store) => store.revoke({ kind: 'token', jti: 'j', subject: 'test', until: 1 })],
  ['isRevoked', (store) => store.isRevoked({ subject: 'test', jti: 'j', issuedAtSeconds: startSeconds })],
  ['revocations', (store) => store.revocations(null, signal)],
  ['sweep', (store) => store.sweep(1)],
]

function valueOf(database: ClosableDatabase, sql: string): unknown {
  const [value] = Object.values(database.prepare(sql).get() as object)
  return value
}

function wait(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}

describe.each(drivers)('over %s', (_, driver) => {
  afterEach(() => folder.disconnect())

  function setup(file?: string) {
    const clock = createClock()
    const database = folder.connect(driver, file)
    return { clock, database, store: sqliteStore(database, { clock }) }
  }

  describe('the contract', () => {
    const contract = storeContract(({ name, clock }) =>
      sqliteStore(folder.connect(driver, folder.file(name)), { clock }),
    )
    test.each(contract)('$title', { timeout: 60_000 }, async ({ run }) => {
      expect.hasAssertions()
      await run()
      expect(contract.length).toBeGreaterThan(0)
    })
  })

  test('it does whatever the store in memory does', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyStep, { maxLength: 40 }), async (steps) => {
        const { clock, store } = setup(':memory:')
        await expectSame(store, memoryStore({ clock }), clock, steps)
      }),
      { numRuns: 60 },
    )
  })

  describe('opening', () => {
    test('the file is written ahead, and waits for the disk', async () => {
      const { database, store } = setup()
      database.exec('PRAGMA synchronous = OFF')
      expect(await store.open()).toMatchObject({ version: 1, bornAt: startSeconds * 1000, warnings: [] })
      expect(valueOf(database, 'PRAGMA journal_mode')).toBe('wal')
      expect(valueOf(database, 'PRAGMA synchronous')).toBe(2)
    })

    test('what the data says of itself is made once', async () => {
      const file = folder.file()
      const first = setup(file)
      const { feedId, bornAt } = await first.store.open()
      const second = setup(file)
      second.clock.advance(3600)
      expect(await second.store.open()).toMatchObject({ feedId, bornAt, now: bornAt + 3_600_000 })
      expect(await first.store.open()).toMatchObject({ feedId, bornAt })
    })

    test.each(methods)('%s is good as the first call', async (_, call) => {
      await expect(call(setup().store)).resolves.not.toThrow()
    })

    test('a database in memory works, with a warning', async () => {
      const { store } = setup(':memory:')
      expect((await store.open()).warnings).toEqual([expect.stringContaining('in memory')])
      const made = newSession()
      const { session } = await store.create(made)
      expect(await store.get(made.id)).toEqual(session)
    })

    test.each(methods)('%s refuses data of a newer version', async (_, call) => {
      const { database, store } = setup()
      await store.open()
      const rename = (from: string, to: string): unknown =>
        database.exec(`ALTER TABLE tallystick_sessions RENAME COLUMN ${from} TO ${to}`)
      database.exec('UPDATE tallystick_marker SET version = 2')
      rename('salt', 'pepper')
      await expect(call(store)).rejects.toThrow('newer tallystick')
      await expect(call(sqliteStore(database))).rejects.toThrow('newer tallystick')
      database.exec('UPDATE tallystick_marker SET version = 1')
      rename('pepper', 'salt')
      await expect(call(store)).resolves.not.toThrow()
    })

    test('a file that others write to opens all the same', async () => {
      const file = folder.file()
      await setup(file).store.open()
      setup(file).database.exec('BEGIN IMMEDIATE')
      await expect(setup(file).store.open()).resolves.toMatchObject({ version: 1 })
    })

    test('two prefixes are two stores, and other tables are left alone', async () => {
      const { database, store } = setup()
      database.exec("CREATE TABLE sessions (id TEXT); INSERT INTO sessions VALUES ('mine')")
      const other = sqliteStore(database, { prefix: 'other_' })
      const made = newSession()
      await store.create(made)
      expect(await other.get(made.id)).toBeNull()
      expect((await other.open()).feedId).not.toBe((await store.open()).feedId)
      await store.close()
      expect(valueOf(database, 'SELECT id FROM sessions')).toBe('mine')
    })
  })

  describe('failing', () => {
    test.each(methods)('%s rejects inside a transaction of the user’s, which stays', async (_, call) => {
      const { database, store } = setup()
      database.exec('CREATE TABLE mine (id TEXT); BEGIN')
      await expect(call(store)).rejects.toThrow('transaction')
      database.exec("ROLLBACK; BEGIN; INSERT INTO mine VALUES ('a')")
      await expect(call(store)).rejects.toThrow('transaction')
      database.exec('COMMIT')
      await store.open()
      database.exec("BEGIN; INSERT INTO mine VALUES ('b')")
      await expect(call(store)).rejects.toThrow('transaction')
      database.exec('COMMIT')
      expect(valueOf(database, 'SELECT count(*) FROM mine')).toBe(2)
      await expect(call(store)).resolves.not.toThrow()
    })

    test.each(methods)('%s rejects once the database is closed', async (_, call) => {
      const database = new driver(folder.file())
      const store = sqliteStore(database)
      await store.open()
      database.close()
      await expect(call(store)).rejects.toThrow(/not open|finalized/)
      await expect(call(store)).rejects.toThrow(/not open|finalized/)
    })

    test('a full disk rejects what cannot be kept, and nothing else', async () => {
      const { database, store } = setup()
      const made = newSession({ metadata: { userAgent: 'a'.repeat(250) } })
      await store.create(made)
      const pages = Number(valueOf(database, 'PRAGMA page_count'))
      database.prepare(`PRAGMA max_page_count = ${pages + 2}`).get()
      const kept: string[] = []
      const fill = async (): Promise<void> => {
        for (;;) {
          const { session } = await store.create({ ...made, id: crypto.randomUUID() })
          kept.push(session.id)
        }
      }
      await expect(fill()).rejects.toThrow('full')
      await expect(fill()).rejects.toThrow('full')
      expect((await store.list('test')).map(({ id }) => id)).toEqual([made.id, ...kept])
      database.prepare('PRAGMA max_page_count = 100000').get()
      expect((await store.create(newSession())).revoked).toEqual([])
    })

    test('a file that cannot be written to is read, and rejects what would change it', async () => {
      const { database, store } = setup()
      const made = newSession()
      await store.create(made)
      database.exec('PRAGMA query_only = 1')
      for (const one of [store, sqliteStore(database)]) {
        await expect(one.revoke({ kind: 'session', sid: made.id, accessLifetime })).rejects.toThrow(
          'readonly',
        )
        expect((await one.get(made.id))?.revokedAt).toBeNull()
      }
      database.exec('PRAGMA query_only = 0')
      expect(await store.revoke({ kind: 'session', sid: made.id, accessLifetime })).toHaveLength(1)
    })

    test('a file without tables that cannot be written to does not open', async () => {
      const { database, store } = setup()
      database.exec('PRAGMA query_only = 1')
      for (const [, call] of methods) await expect(call(store)).rejects.toThrow('readonly')
    })

    test('a session that is not understood rejects', async () => {
      const changes = [
        "metadata = '{'",
        "metadata = '[]'",
        "subject = '\"'",
        'generation = 9223372036854775807',
      ]
      for (const change of changes) {
        const { database, store } = setup()
        await store.create(newSession({ id: 's' }))
        database.exec(`UPDATE tallystick_sessions SET ${change}`)
        await expect(store.get('s'), change).rejects.toThrow(/no tallystick has written|too large/)
        await expect(store.rotate(newRotation('s')), change).rejects.toThrow()
        await expect(store.revoke({ kind: 'session', sid: 's', accessLifetime })).rejects.toThrow()
      }
    })

    test('an entry that is not understood rejects, and is not taken for none', async () => {
      const { database, store } = setup()
      await store.revoke({ kind: 'token', jti: 'j', subject: 'test', until: startSeconds * 1000 + day })
      database.exec('UPDATE tallystick_revocations SET until = 9223372036854775807')
      await expect(
        store.isRevoked({ subject: 'test', jti: 'j', issuedAtSeconds: startSeconds }),
      ).rejects.toThrow(/no tallystick has written|too large/)
      await expect(store.revocations(null, signal)).rejects.toThrow(/no tallystick has written|too large/)
      expect(() => database.exec("UPDATE tallystick_revocations SET kind = 'other'")).toThrow('CHECK')
    })

    test('an error tells nothing of what was stored', async () => {
      const { database, store } = setup()
      await store.create(newSession({ id: 's' }))
      database.exec("UPDATE tallystick_sessions SET metadata = 'private'")
      await expect(store.get('s')).rejects.toThrow(/^(?![^]*private)/)
    })

    test('tables that are gone reject, and begin anew as another feed', async () => {
      const { database, clock, store } = setup()
      const { feedId, bornAt } = await store.open()
      const { cursor } = await store.revocations(null, signal)
      database.exec('DROP TABLE tallystick_revocations')
      const ask = (): Promise<boolean> =>
        store.isRevoked({ subject: 'test', jti: 'j', sid: 's', issuedAtSeconds: startSeconds })
      await expect(ask()).rejects.toThrow('no such table')
      await expect(ask()).rejects.toThrow('no such table')
      database.exec('DROP TABLE tallystick_sessions; DROP TABLE tallystick_marker')
      clock.advance(60)
      expect(await ask(), 'the session is older than the data').toBe(true)
      const page = await store.revocations(cursor, signal)
      expect(page).toMatchObject({ bornAt: bornAt + 60_000, entries: [] })
      expect(page.feedId).not.toBe(feedId)
    })

    test('what another connection has locked is waited for, and nothing else waits meanwhile', async () => {
      const file = folder.file()
      const { database, store } = setup(file)
      await store.open()
      database.exec('PRAGMA busy_timeout = 1234')
      const other = setup(file).database
      other.exec('BEGIN IMMEDIATE')
      let ticks = 0
      const timer = setInterval(() => ticks++, 5)
      const freed = wait(100).then(() => other.exec('COMMIT'))
      await expect(store.create(newSession())).resolves.toMatchObject({ revoked: [] })
      await freed
      expect(ticks).toBeGreaterThan(2)
      other.exec('BEGIN IMMEDIATE')
      const begin = performance.now()
      await expect(store.create(newSession())).rejects.toThrow('locked')
      expect(performance.now() - begin).toBeGreaterThan(400)
      expect(await store.list('test'), 'readers are not kept out').toHaveLength(1)
      clearInterval(timer)
      other.exec('COMMIT')
      await expect(store.create(newSession())).resolves.toMatchObject({ revoked: [] })
      expect(valueOf(database, 'PRAGMA busy_timeout')).toBe(1234)
    })
  })

  describe('texts', () => {
    const hostile = [
      '',
      'a',
      'A',
      'a ',
      'a\0',
      'a\0b',
      '\0',
      '"',
      '""',
      '"a"',
      String.raw`"a\u0000"`,
      String.raw`a\u0000`,
      '\uD800',
      '\uDC00',
      '\uFFFD',
      'a\uD800b',
      'a\uFFFDb',
      '\uFEFFa',
      '\uFFFE',
      'é',
      'e\u0301',
      '\u{1F980}',
      'a:b',
      'a*',
      'a%',
      'a_',
      'a\nb',
      'a\r\nb',
      "'; DROP TABLE tallystick_sessions; --",
      '1',
      '1.0',
      '01',
      'null',
      'x'.repeat(8192),
      `${'x'.repeat(8191)}y`,
    ]

    test('subjects and ids come back unchanged, and none is taken for another', async () => {
      const { store } = setup()
      for (const [index, text] of hostile.entries()) {
        const metadata = { userAgent: text, address: text }
        const { session } = await store.create(
          newSession({ id: text, subject: text, metadata, salt: `${index}` }),
        )
        expect(session).toMatchObject({ id: text, subject: text, metadata, salt: `${index}` })
      }
      for (const [index, text] of hostile.entries()) {
        expect(await store.get(text)).toMatchObject({ id: text, subject: text, salt: `${index}` })
        expect((await store.list(text)).map(({ id }) => id)).toEqual([text])
      }
    })

    test.each(['subject', 'token'] as const)('a revocation of a %s concerns no other', async (kind) => {
      for (const text of hostile) {
        const { store } = setup(':memory:')
        await store.revoke(
          kind === 'token'
            ? { kind, jti: text, subject: 'test', until: startSeconds * 1000 + day }
            : { kind, subject: text, accessLifetime, tokenLifetime: day },
        )
        expect((await store.revocations(null, signal)).entries.map(({ id }) => id)).toEqual([text])
        for (const other of hostile) {
          const [subject, jti] = kind === 'token' ? ['test', other] : [other, 'j']
          const isRevoked = await store.isRevoked({ subject, jti, issuedAtSeconds: startSeconds })
          expect(isRevoked, JSON.stringify([text, other]).slice(0, 60)).toBe(text === other)
        }
        folder.disconnect()
      }
    })

    test('any text comes back', async () => {
      const { store } = setup(':memory:')
      await fc.assert(
        fc.asyncProperty(fc.string({ unit: 'binary', minLength: 1 }), fc.nat(0xffff), async (text, unit) => {
          const id = `${crypto.randomUUID()}${text}${String.fromCharCode(unit)}`
          await store.create(newSession({ id, subject: id }))
          expect(await store.get(id)).toMatchObject({ id, subject: id })
        }),
      )
    })
  })

  describe('the feed', () => {
    const until = startSeconds * 1000 + day
    const revokeToken = (store: Store, jti: string): Promise<unknown> =>
      store.revoke({ kind: 'token', jti, subject: 'test', until })

    test('pages hold ten thousand entries, and lose none', async () => {
      const { database, store } = setup()
      await store.open()
      database.exec(`
        WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 20001)
        INSERT INTO tallystick_revocations (kind, id, until) SELECT 'token', 'j' || n, ${until} FROM numbers`)
      const ids = new Set<string>()
      const sizes: number[] = []
      let cursor: string | null = null
      for (let more = true; more;) {
        const page = await store.revocations(cursor, signal)
        for (const { id } of page.entries) ids.add(id)
        sizes.push(page.entries.length)
        ;({ cursor, more } = page)
      }
      expect(ids.size).toBe(20_001)
      expect(sizes).toEqual([10_000, 10_000, 1])
    })

    test('a cursor of a later state of the file gives all of it', async () => {
      const { store } = setup()
      await revokeToken(store, 'a')
      const { cursor, feedId } = await store.revocations(null, signal)
      expect((await store.revocations(cursor, signal)).entries).toEqual([])
      for (const useless of [`${feedId} 2`, `${feedId} -1`, `${feedId} `, 'x 1', '', feedId, `${feedId} 1 `])
        expect((await store.revocations(useless, signal)).entries, useless).toHaveLength(1)
    })

    test('all of it is what is live, and the news are everything', async () => {
      const { clock, store } = setup()
      const { cursor } = await store.revocations(null, signal)
      await revokeToken(store, 'a')
      clock.advance(2 * 86_400)
      expect((await store.revocations(null, signal)).entries).toEqual([])
      expect((await store.revocations(cursor, signal)).entries).toHaveLength(1)
    })

    test('numbers are not given twice after a sweep', async () => {
      const { clock, store } = setup()
      await revokeToken(store, 'a')
      const { cursor } = await store.revocations(null, signal)
      clock.advance(2 * 86_400)
      expect(await store.sweep(10)).toBe(1)
      await store.revoke({ kind: 'token', jti: 'b', subject: 'test', until: until + 9 * day })
      expect((await store.revocations(cursor, signal)).entries.map(({ id }) => id)).toEqual(['b'])
    })

    test('a reader that was told to stop is given nothing', async () => {
      await expect(setup().store.revocations(null, AbortSignal.abort())).rejects.toThrow('abort')
    })

    test('another connection’s revocation wakes all who watch, until they stop', async () => {
      const file = folder.file()
      const [watching, writing] = [setup(file).store, setup(file).store]
      await watching.open()
      const woken = { first: 0, second: 0 }
      const stop = watching.watch?.(() => woken.first++)
      watching.watch?.(() => woken.second++)
      await expect.poll(() => woken.second, soon).toBe(1)
      await writing.create(newSession())
      await wait(250)
      expect(woken, 'a session is no news').toEqual({ first: 1, second: 1 })
      await revokeToken(writing, 'a')
      await expect.poll(() => woken, soon).toEqual({ first: 2, second: 2 })
      stop?.()
      await revokeToken(writing, 'b')
      await expect.poll(() => woken, soon).toEqual({ first: 2, second: 3 })
      await watching.close()
      await revokeToken(writing, 'c')
      await wait(250)
      expect(woken).toEqual({ first: 2, second: 3 })
    })

    test('to look in a transaction of the user’s harms nobody', async () => {
      const { database, store } = setup()
      await store.open()
      let woken = 0
      store.watch?.(() => woken++)
      database.exec('CREATE TABLE mine (id TEXT); BEGIN')
      await wait(250)
      database.exec("INSERT INTO mine VALUES ('a'); COMMIT")
      await expect.poll(() => woken, soon).toBe(1)
      await store.close()
    })
  })
})

test.runIf(process.getBuiltinModule?.('node:sqlite'))('the driver of Node is among them', () => {
  expect(drivers.map(([name]) => name)).toContain('node:sqlite')
})

test.each([
  { code: 'SQLITE_BUSY' },
  { code: 'SQLITE_BUSY_RECOVERY' },
  { errcode: 5 },
  { errcode: 261 },
  { rawCode: 517 },
])('a lock that a driver calls %j is waited for', async (words) => {
  const database = folder.connect()
  let refusals = 3
  const store = sqliteStore({
    prepare: (sql) => database.prepare(sql),
    exec(sql) {
      if (sql === 'BEGIN IMMEDIATE' && refusals-- > 0) throw Object.assign(new Error('no'), words)
      database.exec(sql)
    },
  })
  expect(await store.create(newSession())).toMatchObject({ revoked: [] })
  expect(refusals).toBeLessThan(0)
  folder.disconnect()
})

test('a prefix that could be anything else is refused', () => {
  const database = folder.connect(undefined, ':memory:')
  for (const prefix of ['', '1a', 'A', 'a-b', 'a"b', 'a b', 'sqlite_a', 'é', 'a'.repeat(42), 'a\n'])
    expect(() => sqliteStore(database, { prefix }), prefix).toThrow(TypeError)
  for (const prefix of ['a', '_', 'a'.repeat(41), 'tallystick_2_'])
    expect(() => sqliteStore(database, { prefix }), prefix).not.toThrow()
})

describe('processes on one file', () => {
  const children: Child[] = []
  afterEach(async () => {
    await Promise.all(children.splice(0).map((child) => child.kill()))
  })

  function start(file: string, count: number): readonly Child[] {
    const started = Array.from({ length: count }, () => new Child(file))
    children.push(...started)
    return started
  }

  test('ten that open at once make one feed', async () => {
    const opened = await Promise.all(start(folder.file(), 10).map((child) => child.ask('call', 'open')))
    expect(new Set(opened.map((state) => (state as { feedId: string }).feedId)).size).toBe(1)
  }, 30_000)

  test('of those that rotate one token at once, one rotates it', async () => {
    const processes = start(folder.file(), 4)
    for (let round = 0; round < 5; round++) {
      const id = crypto.randomUUID()
      await processes[0]?.ask('call', 'create', newSession({ id }))
      const results = await Promise.all(
        processes.flatMap((child) =>
          Array.from({ length: 5 }, () => child.ask('call', 'rotate', newRotation(id))),
        ),
      )
      const outcomes = results.map((result) => (result as { outcome: string }).outcome).toSorted()
      expect(outcomes).toEqual([...Array.from({ length: 19 }, () => 'grace'), 'rotated'])
    }
  }, 30_000)

  test('a revocation of one is known to the other well within a second', async () => {
    const [first, second] = start(folder.file(), 2)
    const made = newSession()
    await first?.ask('call', 'create', made)
    await second?.ask('call', 'open')
    const seen = second?.ask('follow', made.id)
    await wait(300)
    await first?.ask('call', 'revoke', { kind: 'session', sid: made.id, accessLifetime })
    const revokedAt = Date.now()
    expect(Number(await seen) - revokedAt).toBeLessThan(900)
    expect(await second?.ask('call', 'isRevoked', factsOf(made.id))).toBe(true)
  }, 30_000)

  test('one that is killed in the midst of it leaves whole steps behind', async () => {
    const file = folder.file()
    const [other] = start(file, 1)
    for (let round = 0; round < 4; round++) {
      const made = newSession()
      const [killed] = start(file, 1)
      await killed?.churn(made)
      await killed?.kill()
      expect(await other?.ask('call', 'get', `${made.id}-0`)).toMatchObject({ subject: 'test' })
      const sessions = (await other?.ask('call', 'list', 'test')) as readonly unknown[]
      // At most the last one was not ended yet; each round before left at most one, too.
      expect(sessions.length).toBeLessThanOrEqual(round + 1)
      expect(await other?.ask('call', 'isRevoked', factsOf(`${made.id}-19`))).toBe(true)
    }
    const database = folder.connect(undefined, file)
    expect(valueOf(database, 'PRAGMA integrity_check')).toBe('ok')
    expect(
      valueOf(
        database,
        `SELECT count(*) FROM tallystick_sessions AS ended WHERE (revoked_at IS NULL) =
           (SELECT count(*) FROM tallystick_revocations WHERE kind = 'session' AND id = ended.id)`,
      ),
      'each session that has ended has its entry, and no other has',
    ).toBe(0)
  }, 30_000)

  test('one that only watches may end', async () => {
    const [child] = start(folder.file(), 1)
    await child?.ask('call', 'open')
    await child?.ask('leave')
    expect(await child?.ended).toBe(0)
  }, 30_000)

  function factsOf(sid: string): object {
    return { subject: 'test', jti: 'j', sid, issuedAtSeconds: Math.ceil(Date.now() / 1000) }
  }
})

/** One call to both stores. */
type Step =
  | { readonly do: 'create'; readonly sid: string; readonly replaces?: string; readonly limit?: number }
  | { readonly do: 'rotate'; readonly rotation: Rotation }
  | { readonly do: 'revoke'; readonly target: RevokeTarget }
  | { readonly do: 'pass'; readonly seconds: number }
  | { readonly do: 'sweep' }

const subjects = ['a', 'b\0', '"c']
const anySubject = fc.constantFrom(...subjects)
/** A session's subject is the first part of its id. */
const anySid = fc.tuple(anySubject, fc.nat(2)).map(([subject, number]) => `${subject} ${number}`)
const anyLifetime = fc.constantFrom(1000, 60_000, accessLifetime)
const anyAdoption = fc.option(
  fc.record({
    jti: fc.constantFrom('j', 'k'),
    issuedAtSeconds: fc.constant(startSeconds),
    authTimeSeconds: fc.constant(startSeconds),
    expiresAt: fc.nat(10_000).map((seconds) => (startSeconds + seconds) * 1000),
    metadata: fc.constant({ maxAge: 5 }),
  }),
)
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  fc.record(
    {
      do: fc.constant('create' as const),
      sid: anySid,
      replaces: anySid,
      limit: fc.integer({ min: 1, max: 3 }),
    },
    { requiredKeys: ['do', 'sid'] },
  ),
  fc.record({
    do: fc.constant('rotate' as const),
    rotation: fc
      .record({
        sid: anySid,
        generation: fc.nat(4),
        lateReplay: fc.constantFrom('revoke' as const, 'refuse' as const),
        accessLifetime: anyLifetime,
        adoption: anyAdoption,
        isJudged: fc.boolean(),
      })
      .map(({ isJudged, ...rest }) =>
        newRotation(rest.sid, {
          ...rest,
          subject: rest.sid.split(' ')[0] ?? '',
          ...(isJudged ? { successor: null } : {}),
        }),
      ),
  }),
  fc.record({
    do: fc.constant('revoke' as const),
    target: fc.oneof(
      fc.record({ kind: fc.constant('session' as const), sid: anySid, accessLifetime: anyLifetime }),
      fc.record(
        {
          kind: fc.constant('subject' as const),
          subject: anySubject,
          except: anySid,
          accessLifetime: anyLifetime,
          tokenLifetime: anyLifetime,
        },
        { requiredKeys: ['kind', 'subject', 'accessLifetime', 'tokenLifetime'] },
      ),
      fc.record({
        kind: fc.constant('token' as const),
        jti: fc.constantFrom('j', 'k'),
        subject: anySubject,
        until: fc.nat(10_000).map((seconds) => (startSeconds + seconds) * 1000),
      }),
    ),
  }),
  fc.record({ do: fc.constant('pass' as const), seconds: fc.constantFrom(1, 20, 40, 5000) }),
  fc.record({ do: fc.constant('sweep' as const) }),
)

async function expectSame(
  store: Store,
  model: Store,
  clock: ReturnType<typeof createClock>,
  steps: readonly Step[],
): Promise<void> {
  const same = async (call: (one: Store) => Promise<unknown>, what: string): Promise<void> => {
    expect(await call(store), what).toEqual(await call(model))
  }
  await store.open()
  let cursor: string | null = null
  let modelCursor: string | null = null
  for (const step of steps) {
    await same((one) => perform(one, step, clock), JSON.stringify(step))
    if (step.do === 'pass') clock.advance(step.seconds)
    for (const subject of subjects) await same((one) => one.list(subject), 'list')
    for (const jti of ['j', 'k']) {
      for (const subject of subjects)
        await same((one) => one.isRevoked({ subject, jti, issuedAtSeconds: startSeconds }), 'isRevoked')
    }
    const page: RevocationPage = await store.revocations(cursor, signal)
    const modelPage: RevocationPage = await model.revocations(modelCursor, signal)
    // The first page is of what is live; what a store gives beyond that is its own affair.
    const isMeant = cursor === null ? ({ until }: Revocation) => until > page.now : () => true
    expect(page.entries, JSON.stringify(step)).toEqual(modelPage.entries.filter(isMeant))
    ;({ cursor } = page)
    modelCursor = modelPage.cursor
  }
}

async function perform(store: Store, step: Step, clock: ReturnType<typeof createClock>): Promise<unknown> {
  switch (step.do) {
    case 'create': {
      const [subject = ''] = step.sid.split(' ')
      const expiresAt = clock() * 1000 + 9_000_000
      return store.create(newSession({ id: step.sid, subject, expiresAt, idleLifetime: 3_600_000 }), step)
    }
    case 'rotate':
      return store.rotate(step.rotation)
    case 'revoke':
      return store.revoke(step.target)
    case 'sweep':
      return store.sweep(1000)
    case 'pass':
      break
  }
  return null
}
