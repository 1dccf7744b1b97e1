// The demo without a browser: its routes for sessions, where it keeps them, and what it says when it cannot.

import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { once } from 'node:events'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createAuth } from 'tallystick'
import { memoryStore } from 'tallystick/stores/memory'
import { createDemo } from '../demo/app.ts'
import { readSettings, secretFileOf } from '../demo/settings.ts'
import { keepSecret } from '../demo/storage.ts'
import { createClient, endDemos, refusalOf, startDemo } from './_demo.ts'
import type { Client, Demo } from './_demo.ts'
import { secretKey } from './_setup.ts'
import * as postgres from './stores/_postgres.ts'
import * as redis from './stores/_redis.ts'

const hasRedis = await redis.isReachable()
const hasPostgres = await postgres.isReachable()

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tallystick-demo-'))
})
afterEach(endDemos)
afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})

describe('the routes of sessions', () => {
  const auth = createAuth({ secretKey, store: memoryStore() })
  const app = createDemo(auth)
  const open = (): Client => createClient((path, init) => app.request(path, init))

  afterAll(() => auth.close())
  afterEach(() => auth.sessions.revokeAll('test'))

  async function signedIn(): Promise<Client> {
    const client = open()
    expect((await client.send('POST', '/login')).status).toBe(200)
    return client
  }

  test('list every sign-in, newest first, and say which one asks', async () => {
    await signedIn()
    const client = await signedIn()
    const response = await client.send('GET', '/sessions')
    expect(response.headers.get('cache-control')).toBe('no-store')
    const { sessions } = await sessionsOf(response)
    expect(sessions).toHaveLength(2)
    expect(sessions.filter(({ current }) => current)).toHaveLength(1)
    expect(sessions[0]).toMatchObject({ subject: 'test', userAgent: 'curl/8.0' })
    expect(JSON.stringify(sessions)).not.toContain('salt')
  })

  test('end another one, and not one that is not there', async () => {
    const other = await signedIn()
    const client = await signedIn()
    const { sessions } = await sessionsOf(await client.send('GET', '/sessions'))
    const id = sessions.find(({ current }) => !current)?.id
    const response = await client.send('DELETE', `/sessions/${id}`)
    expect([response.status, response.headers.getSetCookie()]).toEqual([200, []])
    expect((await other.send('GET', '/protected')).status).toBe(401)
    expect((await client.send('GET', '/protected')).status).toBe(200)
    const unknown = await client.send('DELETE', '/sessions/nobody')
    expect([unknown.status, await unknown.json()]).toEqual([404, { detail: 'No such session' }])
  })

  test('end their own, with its cookies', async () => {
    const client = await signedIn()
    const { sessions } = await sessionsOf(await client.send('GET', '/sessions'))
    const response = await client.send('DELETE', `/sessions/${sessions[0]?.id}`)
    expect(response.status).toBe(200)
    expect(response.headers.getSetCookie()).toHaveLength(4)
    expect((await client.send('GET', '/protected')).status).toBe(401)
  })

  test('end all of them', async () => {
    const other = await signedIn()
    const client = await signedIn()
    const response = await client.send('DELETE', '/sessions')
    expect(await response.json()).toEqual({ msg: 'Signed out everywhere' })
    expect(response.headers.getSetCookie()).toHaveLength(4)
    expect((await other.send('POST', '/refresh')).status).toBe(401)
    expect(await (await open().send('DELETE', '/sessions')).json()).toEqual({ msg: 'Signed out here' })
  })

  test.each(['/sessions', '/sessions/some'])('DELETE %s wants the CSRF value', async (path) => {
    const client = open()
    const cookie = (await client.send('POST', '/login')).headers
      .getSetCookie()
      .map((line) => line.split(';')[0])
      .join('; ')
    const response = await app.request(path, { method: 'DELETE', headers: { cookie } })
    expect([response.status, await response.json()]).toMatchObject([401, { code: 'csrf_missing' }])
    expect((await client.send('GET', '/protected')).status).toBe(200)
  })

  test.each([
    ['PUT', '/sessions', 'GET, DELETE'],
    ['GET', '/sessions/some', 'DELETE'],
  ])('%s %s is not allowed', async (method, path, allowed) => {
    const response = await app.request(path, { method })
    expect([response.status, response.headers.get('allow')]).toEqual([405, allowed])
  })
})

interface Listed {
  readonly id: string
  readonly current: boolean
  readonly userAgent?: string
  readonly address?: string
}

async function sessionsOf(response: Response): Promise<{ readonly sessions: readonly Listed[] }> {
  return (await response.json()) as { readonly sessions: readonly Listed[] }
}

describe('settings', () => {
  const placeOf = (STORE: string) => readSettings({ STORE }).place

  test('name a place for sessions', () => {
    expect(placeOf('memory:')).toEqual({ kind: 'memory' })
    expect(placeOf('sqlite:/var/lib/a b.sqlite')).toEqual({ kind: 'sqlite', file: '/var/lib/a b.sqlite' })
    expect(placeOf('sqlite:here.sqlite')).toEqual({
      kind: 'sqlite',
      file: join(process.cwd(), 'here.sqlite'),
    })
    for (const url of ['redis://localhost', 'rediss://:word@cache.example:6380/2'])
      expect(placeOf(url)).toEqual({ kind: 'redis', url })
    for (const url of ['postgres://user:word@localhost/x', 'postgresql:///x?host=/run/postgresql'])
      expect(placeOf(url)).toEqual({ kind: 'postgres', url })
  })

  test('without STORE keep sessions, and the secret beside them, in the folder of the demo', () => {
    const { place } = readSettings({})
    expect(place).toMatchObject({ kind: 'sqlite' })
    expect(secretFileOf(place)).toMatch(/demo[\\/]\.data[\\/]sessions\.sqlite\.secret$/)
    expect(secretFileOf(placeOf('redis://localhost'))).toBe(secretFileOf(place))
    expect(secretFileOf(placeOf('sqlite:/else/where.sqlite'))).toBe('/else/where.sqlite.secret')
  })

  test.each([
    '',
    'nonsense',
    'sqlite:',
    'memory:x',
    'redis:',
    'redis://',
    'redis:6379',
    'postgres:',
    'https://x',
  ])('refuse STORE=%s', (STORE) => {
    expect(() => readSettings({ STORE })).toThrow(/^STORE must be 'redis:/)
  })
})

describe('the secret', () => {
  test('is one for all who start at once, and for their user alone to read', async () => {
    const file = join(folder, 'secrets', 'sessions.sqlite.secret')
    const secrets = await Promise.all(Array.from({ length: 10 }, () => keepSecret(file)))
    expect(new Set(secrets).size).toBe(1)
    expect(await readFile(file, 'utf8')).toBe(secrets[0])
    expect((await stat(file)).mode & 0o777).toBe(0o600)
  })

  test('is not made of what somebody else has put there', async () => {
    const file = join(folder, 'strange.secret')
    await writeFile(file, 'password')
    await expect(keepSecret(file)).rejects.toThrow(`${file} holds no secret of this demo.`)
  })

  test('that cannot be kept is told in one line', async () => {
    await expect(keepSecret('/dev/null/secret')).rejects.toThrow(
      /^The secret cannot be kept in \/dev\/null\/secret: \w+: .+\. Set AUTHJWT_SECRET_KEY\.$/,
    )
  })
})

describe('the demo as a process', { timeout: 30_000 }, () => {
  /** Signs in, restarts the demo, and finds everything as it was. */
  async function expectToOutliveRestart(environment: Readonly<Record<string, string>>): Promise<Demo> {
    const before = await startDemo({ ...environment, PORT: '0' })
    const client = createClient((path, init) => fetch(`${before.origin}${path}`, init))
    expect((await client.send('POST', '/login')).status).toBe(200)
    expect(await before.stop()).toBe(0)
    const after = await startDemo({ ...environment, PORT: new URL(before.origin).port })
    expect((await client.send('GET', '/protected')).status).toBe(200)
    expect((await client.send('POST', '/refresh')).status).toBe(200)
    const { sessions } = await sessionsOf(await client.send('GET', '/sessions'))
    expect(sessions).toMatchObject([{ current: true, userAgent: 'curl/8.0', address: expect.any(String) }])
    expect(['127.0.0.1', '::1']).toContain(sessions[0]?.address)
    return after
  }

  test('keeps sign-ins in a file, with a secret of its own beside it', async () => {
    const file = join(folder, 'restart', 'sessions.sqlite')
    const demo = await expectToOutliveRestart({ STORE: `sqlite:${file}` })
    expect(demo.greeting).toContain(`Sessions: in ${file}.`)
    expect(demo.greeting).toContain(`Secret: in ${file}.secret.`)
    expect(demo.greeting).not.toContain(await readFile(`${file}.secret`, 'utf8'))
    expect(await demo.stop()).toBe(0)
  })

  test.runIf(hasRedis)('keeps sign-ins in Redis, and ends also when Redis has gone', async () => {
    const server = await redis.startServer()
    const demo = await expectToOutliveRestart({
      STORE: server.url,
      AUTHJWT_SECRET_KEY: secretKey,
    }).finally(() => server.stop())
    expect(demo.greeting).toContain('Secret: from AUTHJWT_SECRET_KEY.')
    expect((await fetch(`${demo.origin}/`)).status).toBe(200)
    expect(await demo.stop()).toBe(0)
  })

  test.runIf(hasPostgres)('keeps sign-ins in PostgreSQL', async () => {
    const url = new URL(process.env['POSTGRES_URL'] ?? 'postgres://postgres@127.0.0.1:5432/postgres')
    const name = `tallystick_demo_${crypto.randomUUID().slice(0, 8)}`
    const client = new pg.Client({ connectionString: url.href })
    await client.connect()
    try {
      await client.query(`CREATE DATABASE ${name}`)
      url.pathname = name
      const demo = await expectToOutliveRestart({ STORE: url.href, AUTHJWT_SECRET_KEY: secretKey })
      expect(await demo.stop()).toBe(0)
    } finally {
      await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
      await client.end()
    }
  })

  test('in memory says that a restart signs everybody out', async () => {
    const demo = await startDemo({ STORE: 'memory:', PORT: '0' })
    expect(demo.greeting).toContain('Sessions: in memory, so a restart signs everybody out.')
    expect(demo.greeting).toContain('a random one for this run')
    expect(await demo.stop()).toBe(0)
  })

  test('with --development says where a sibling host attacks it, and tells its own page alone', async () => {
    const demo = await startDemo({ STORE: 'memory:', PORT: '0' }, ['--development'])
    expect(demo.greeting).toContain(`http://app.demo.localhost:${new URL(demo.origin).port} `)
    const path = `${demo.origin}/demo/timeline`
    expect((await fetch(path)).status).toBe(403)
    expect((await fetch(path, { headers: { 'sec-fetch-site': 'same-origin' } })).status).toBe(200)
    expect(await demo.stop()).toBe(0)
  })

  test.each([
    ['nonsense', /^STORE must be 'redis:/],
    ['sqlite:/dev/null/sessions.sqlite', /^Sessions cannot be kept in \/dev\/null\/sessions\.sqlite: \w+: /],
    ['redis://:secretword@127.0.0.1:1', /^Sessions cannot be kept in redis:.*ECONNREFUSED 127\.0\.0\.1:1/],
    ['postgres://user:secretword@127.0.0.1:1/x', /^Sessions cannot be kept in postgres:.*ECONNREFUSED/],
  ])('refuses STORE=%s in one line', async (STORE, expected) => {
    await expectRefusal(STORE, expected)
  })

  test.each(['redis', 'postgres'])('does not wait for ever for a silent server of %s:', async (scheme) => {
    const silent = createServer(() => undefined).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const { port } = silent.address() as AddressInfo
    await expectRefusal(`${scheme}://127.0.0.1:${port}`, /no answer in 5 seconds|timeout/)
    silent.close()
  })

  test.runIf(hasRedis)('refuses a database that Redis does not have', async () => {
    const url = new URL(process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379')
    url.pathname = '/9999'
    await expectRefusal(url.href, /DB index is out of range/)
  })

  async function expectRefusal(STORE: string, expected: RegExp): Promise<void> {
    const { text, code } = await refusalOf({ STORE, AUTHJWT_SECRET_KEY: secretKey })
    expect(text).toMatch(expected)
    expect(text.trim().split('\n')).toHaveLength(1)
    expect(text).not.toContain('secretword')
    expect(code).toBe(1)
  }
})
