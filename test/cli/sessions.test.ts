// `tallystick sessions` against real stores: what it ends is refused by a process that runs.

import { cp, mkdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import Database from 'libsql'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { createAuth } from '../../src/index.ts'
import type { Auth, Store } from '../../src/index.ts'
import { webAuth } from '../../src/adapters/web.ts'
import { postgresStore } from '../../src/stores/postgres.ts'
import { redisStore } from '../../src/stores/redis.ts'
import { sqliteStore } from '../../src/stores/sqlite.ts'
import * as postgres from '../stores/_postgres.ts'
import * as redis from '../stores/_redis.ts'
import { cli, newFolder, stackTrace } from './_cli.ts'

const path = await newFolder()
const redisUrl = process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379'
const postgresUrl = process.env['POSTGRES_URL'] ?? 'postgres://postgres@127.0.0.1:5432/postgres'
const hasRedis = await redis.isReachable()
const hasPostgres = await postgres.isReachable()

const byText = (left: string, right: string): number => left.localeCompare(right)

/** A site's own client and store, and how the command is told of them. */
interface Site {
  readonly store: Store
  readonly address: string
  readonly parameters: readonly string[]
  end(): Promise<unknown>
}

const sites: Readonly<Record<string, () => Promise<Site>>> = {
  sqlite: async () => {
    const database = new Database(path('sessions.sqlite'))
    return {
      store: sqliteStore(database),
      address: `sqlite:${path('sessions.sqlite')}`,
      parameters: [],
      end: async () => database.close(),
    }
  },
  ...(hasRedis && {
    redis: async () => {
      const prefix = `tallystick-cli-${crypto.randomUUID()}`
      const client = new Redis(redisUrl, {
        enableOfflineQueue: false,
        autoResendUnfulfilledCommands: false,
        maxRetriesPerRequest: 0,
        lazyConnect: true,
      })
      await client.connect()
      return {
        store: redisStore(client, { prefix }),
        address: redisUrl,
        parameters: ['--prefix', prefix],
        end: async () => {
          const keys = await client.keys(`{${prefix}*`)
          if (keys.length > 0) await client.del(...keys)
          client.disconnect()
        },
      }
    },
  }),
  ...(hasPostgres && {
    postgres: async () => {
      const schema = postgres.newSchema()
      return {
        store: postgresStore(postgres.newPool(), { schema }),
        address: postgresUrl,
        parameters: ['--prefix', schema],
        end: postgres.cleanUp,
      }
    },
  }),
}

describe.each(Object.keys(sites))('a site with %s', (name) => {
  let site: Site
  let auth: Auth
  let signIn: (subject: string) => Promise<string>

  beforeAll(async () => {
    const open = sites[name]
    if (open === undefined) throw new Error(`no site ${name}`)
    site = await open()
    auth = createAuth({ secretKey: crypto.getRandomValues(new Uint8Array(32)), store: site.store })
    await auth.ready()
    const { authErrors, authorize } = webAuth(auth)
    const login = authErrors(async (request: Request) => {
      await authorize(request).login(request.headers.get('x-user') ?? '')
      return new Response('')
    })
    signIn = async (subject) => {
      const headers = { 'x-user': subject, 'user-agent': 'Browser\u{9b}31m' }
      const answer = await login(new Request('https://site.example/login', { method: 'POST', headers }))
      const cookies = answer.headers.getSetCookie().join('\n')
      return /^access_token_cookie=([^;]+)/m.exec(cookies)?.[1] ?? ''
    }
  })
  afterAll(async () => {
    await auth.close()
    await site.end()
  })

  const sidOf = (token: string): string => {
    const { sid } = auth.getUnverifiedJwtClaims(token)
    return typeof sid === 'string' ? sid : ''
  }

  const run = (...parameters: readonly string[]) =>
    cli(['sessions', ...parameters, ...site.parameters], { env: { TALLYSTICK_STORE: site.address } })

  /** As the store's news come: within a second, of which a busy machine makes several. */
  const expectRevoked = (token: string) =>
    vi.waitFor(() => expect(auth.verify(token)).rejects.toMatchObject({ code: 'token_revoked' }), {
      timeout: 20_000,
      interval: 50,
    })

  test('lists the live sessions of a user, and none of another', async () => {
    const tokens = [await signIn('alice'), await signIn('alice')]
    await signIn('bob')
    const { code, stdout, stderr } = await run('list', 'alice', '--json')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const { sessions } = JSON.parse(stdout) as { readonly sessions: { readonly id: string }[] }
    const sids = tokens.map(sidOf)
    expect(sessions.map(({ id }) => id).toSorted(byText)).toEqual(sids.toSorted(byText))
    const text = await run('list', 'alice')
    for (const sid of sids) expect(text.stdout).toContain(sid)
    expect(text.stdout).toMatch(/^[\n\x20-\x7e]*$/)
    expect((await run('list', 'nobody')).stdout).toBe('There are no live sessions.\n')
  })

  test('revoke ends one session in the process that runs, and no other', async () => {
    const [gone, kept] = [await signIn('carol'), await signIn('carol')]
    const sid = sidOf(gone)
    expect(await run('revoke', sid, '--subject', 'mallory')).toMatchObject({ code: 1 })
    await expect(auth.verify(gone)).resolves.toMatchObject({ sub: 'carol' })
    expect(await run('revoke', sid)).toEqual({ code: 0, stdout: 'The session has ended.\n', stderr: '' })
    await expectRevoked(gone)
    await expect(auth.verify(kept)).resolves.toMatchObject({ sub: 'carol' })
    // Ended once is ended.
    expect(await run('revoke', sid, '--json')).toMatchObject({ code: 0 })
  })

  test('a session that there is not is told with exit code 1', async () => {
    const { code, stdout } = await run('revoke', crypto.randomUUID(), '--json')
    expect(code).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({ revoked: false })
  })

  test('revoke-all ends all sessions of a user, and tokens of none, but the one that stays', async () => {
    const [gone, kept, other] = [await signIn('dave'), await signIn('dave'), await signIn('erin')]
    const stateless = await auth.createAccessToken('dave')
    const sid = sidOf(kept)
    expect(await run('revoke-all', 'dave', '--except', sid)).toMatchObject({ code: 0, stderr: '' })
    await expectRevoked(gone)
    await expectRevoked(stateless)
    await expect(auth.verify(kept)).resolves.toMatchObject({ sub: 'dave' })
    await expect(auth.verify(other)).resolves.toMatchObject({ sub: 'erin' })
  })

  test('the subject can come on standard input, and the address in a file', async () => {
    await writeFile(path(`${name}.address`), `${site.address}\n`)
    const parameters = ['sessions', 'list', '-', '--store-file', path(`${name}.address`), ...site.parameters]
    const { code, stdout } = await cli([...parameters, '--json'], { input: 'bob\n' })
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ subject: 'bob', sessions: [{ subject: 'bob' }] })
  })

  test('a prefix that nothing lies under is an error, also for scripts: nobody has been signed out', async () => {
    const env = { TALLYSTICK_STORE: site.address }
    // What a run leaves in Redis is removed with the site's own keys, which begin alike.
    const besides = { redis: `${site.parameters[1]}-empty`, sqlite: 'empty_' } as const
    const prefix = name === 'postgres' ? postgres.newSchema() : besides[name as keyof typeof besides]
    const parameters = ['sessions', 'revoke-all', 'alice', '--prefix', prefix, '--json']
    const { code, stdout, stderr } = await cli(parameters, { env })
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' })
    expect(JSON.parse(stderr)).toMatchObject({
      error: { message: expect.stringContaining('is the prefix right?') as unknown },
    })
  })
})

describe('what cannot be done', () => {
  const password = 'correct-horse-battery'
  test.each([
    ['no address', undefined, 2, 'Which store?'],
    ['an empty address', ' ', 2, 'Which store?'],
    ['another kind of store', 'mysql://127.0.0.1/x', 2, 'must be redis://'],
    ['an address that is none', `redis://user:${password}@[`, 2, 'must be redis://'],
    ['a Redis that is away', `redis://user:${password}@127.0.0.1:1/`, 3, 'nothing listens there'],
    ['a PostgreSQL that is away', `postgres://user:${password}@127.0.0.1:1/x`, 3, 'nothing listens there'],
    ['a file that is not there', 'sqlite:/no/such/file', 3, 'there is no such file'],
    ['a folder', 'sqlite:/', 3, 'is no file'],
  ])('%s is told, without the password', async (_, address, exitCode, message) => {
    const env = address === undefined ? {} : { TALLYSTICK_STORE: address }
    const { code, stdout, stderr } = await cli(['sessions', 'list', 'alice'], { env })
    expect({ code, stdout }).toEqual({ code: exitCode, stdout: '' })
    expect(stderr).toContain(message)
    expect(stderr).not.toContain(password)
    expect(stderr).not.toMatch(stackTrace)
  })

  test.runIf(hasRedis)('a password that the server refuses is not shown', async () => {
    const env = { TALLYSTICK_STORE: redisUrl.replace('://', `://nobody:${password}@`) }
    const { code, stderr } = await cli(['sessions', 'list', 'alice'], { env })
    expect(code).toBe(3)
    expect(stderr).not.toContain(password)
  })

  test('a server that says nothing is waited for, but not for ever', async () => {
    const server = createServer(() => undefined)
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const { port } = server.address() as AddressInfo
    const { code, stderr } = await cli(['sessions', 'list', 'alice'], {
      env: { TALLYSTICK_STORE: `redis://127.0.0.1:${port}` },
    })
    server.close()
    expect(code).toBe(3)
    expect(stderr).toContain('no answer in 5 seconds')
  })

  test('the address of a store is no argument', async () => {
    const address = `redis://:${password}@127.0.0.1/`
    for (const parameters of [['--store', address], ['--store-file', address], [address]]) {
      const { code, stderr } = await cli(['sessions', 'list', ...parameters])
      expect(code).toBe(2)
      expect(stderr).toContain('TALLYSTICK_STORE')
      expect(stderr).not.toContain(password)
    }
  })

  test('a driver that is missing is named, with what installs it', async () => {
    const root = fileURLToPath(new URL('../../', import.meta.url))
    await mkdir(path('alone'))
    await cp(`${root}dist`, path('alone/dist'), { recursive: true })
    await cp(`${root}package.json`, path('alone/package.json'))
    const { execFile } = await import('node:child_process')
    const messages = await Promise.all(
      ['redis://127.0.0.1:1', 'postgres://127.0.0.1:1/x'].map(
        (address) =>
          new Promise<string>((resolve) => {
            const env = { NODE_ENV: 'production', TALLYSTICK_STORE: address } as const
            const parameters = [path('alone/dist/cli.js'), 'sessions', 'list', 'alice']
            execFile(process.execPath, parameters, { env }, (error, _, stderr) => {
              resolve(`${error?.code}: ${stderr}`)
            })
          }),
      ),
    )
    expect(messages).toEqual([
      '3: tallystick: This store needs the package ioredis (or redis): npm install ioredis\n',
      '3: tallystick: This store needs the package pg (or postgres): npm install pg\n',
    ])
  })
})
