// Listens while every table of hostile input is run: nothing that is said holds a token, a key, a CSRF value or a claim.

import { once } from 'node:events'
import { channel, subscribe } from 'node:diagnostics_channel'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { AuthError, createAuth } from '../src/index.ts'
import type { Authorize, Store } from '../src/index.ts'
import type { WebMiddleware } from '../src/adapters/web.ts'
import { memoryStore } from '../src/stores/memory.ts'
import { postgresStore } from '../src/stores/postgres.ts'
import { redisStore } from '../src/stores/redis.ts'
import { faultyStore } from './_faulty-store.ts'
import { pairs } from './_keys.ts'
import { createSite } from './_sessions.ts'
import { codeOf, createClock, secretKey, setup } from './_setup.ts'
import { leakLength, textsIn } from './_silence.ts'
import { act, errorOf, site } from './_wire.ts'
import { cleanUp, isReachable as postgresIsReachable, newPool, newSchema } from './stores/_postgres.ts'
import { isReachable as redisIsReachable } from './stores/_redis.ts'

/** Before anything of the library is loaded: its error class inherits from what stands here. */
const { silence, said } = await vi.hoisted(async () => {
  const { Silence, watchErrors } = await import('./_silence.ts')
  const words = [
    'access_token_cookie refresh_token_cookie csrf_access_token csrf_refresh_token access_token refresh_token',
    'https://app.example http://localhost https://evil.example',
  ]
  const listener = new Silence(words)
  const errors = new Map<string, Error>()
  watchErrors((error) => {
    const cause = typeof error.cause === 'string' ? error.cause : ''
    // The same refusal thousands of times is looked at once.
    const key = error.cause instanceof Error ? `${errors.size}` : `${error.message}\n${cause}`
    if (errors.size < 5000 && !errors.has(key)) errors.set(key, error)
  })
  return { silence: listener, said: errors }
})

vi.mock('../src/core/resolve.ts', async (original) => {
  const module = await original<typeof import('../src/core/resolve.ts')>()
  const resolveOptions = (input: unknown): ReturnType<typeof module.resolveOptions> => {
    const { secretKey, privateKey, keys, encryption } = Object(input) as Record<string, unknown>
    for (const material of [secretKey, privateKey, (encryption as { key?: unknown } | undefined)?.key]) {
      silence.learnKey(material)
    }
    for (const key of Array.isArray(keys) ? (keys as unknown[]) : []) {
      const ring = Object(key) as Record<string, unknown>
      silence.learnKey(ring['secretKey'])
      silence.learnKey(ring['privateKey'])
    }
    return module.resolveOptions(input)
  }
  return { ...module, resolveOptions }
})

vi.mock('../src/core/token.ts', async (original) => {
  const module = await original<typeof import('../src/core/token.ts')>()
  class Tokens extends module.Tokens {
    override verify(...parameters: Parameters<InstanceType<typeof module.Tokens>['verify']>) {
      silence.learnToken(parameters[0])
      return super.verify(...parameters)
    }
    override make(...parameters: Parameters<InstanceType<typeof module.Tokens>['make']>) {
      silence.learn('claim', parameters[1])
      silence.learn(
        'claim',
        Object.values(Object((parameters[2] as { userClaims?: unknown } | null)?.userClaims)),
      )
      const made = super.make(...parameters)
      const note = ({ token }: { token: string }): void => silence.learnToken(token)
      if (made instanceof Promise) void made.then(note, () => undefined)
      else note(made)
      return made
    }
  }
  return { ...module, Tokens }
})

vi.mock('../src/core/exchange.ts', async (original) => {
  const module = await original<typeof import('../src/core/exchange.ts')>()
  class Exchange extends module.Exchange {
    constructor(...parameters: ConstructorParameters<typeof module.Exchange>) {
      super(...parameters)
      const [, , request] = parameters
      try {
        const pairs = (request.header('cookie') ?? '').split(';')
        for (const pair of pairs) silence.learnToken(pair.slice(pair.indexOf('=') + 1).trim())
        silence.learnToken(request.header('authorization')?.split(' ').at(-1))
        silence.learnToken(request.header('x-csrf-token'))
      } catch {
        // What fails is the test's own doing.
      }
    }
  }
  return { ...module, Exchange }
})

vi.mock('../src/adapters/web.ts', async (original) => {
  const module = await original<typeof import('../src/adapters/web.ts')>()
  const listening =
    (middleware: WebMiddleware): WebMiddleware =>
    (handler) => {
      const wrapped = middleware(handler)
      return async (...parameters) => {
        try {
          const response = await wrapped(...parameters)
          await hearResponse(response)
          return response
        } catch (error) {
          silence.hear('thrown by a route', error)
          throw error
        }
      }
    }
  const webAuth: typeof module.webAuth = (auth) => {
    const bound = module.webAuth(auth)
    const guards = ['jwtRequired', 'jwtOptional', 'jwtRefreshTokenRequired', 'freshJwtRequired'] as const
    const made = guards.map((name) => [name, (...options: []) => listening(bound[name](...options))])
    return { ...bound, ...Object.fromEntries(made), authErrors: listening(bound.authErrors) }
  }
  return { ...module, webAuth }
})

async function hearResponse(response: Response): Promise<void> {
  for (const [name, value] of response.headers) {
    if (name === 'set-cookie') silence.learnToken(/^[^=]*=([^;]*)/.exec(value)?.[1])
    else silence.hear(`header ${name}`, value)
  }
  // What a route answers with 200 is the application's own.
  if (response.status >= 400) silence.hear('body', await response.clone().text())
}

/** Whether an error is the library's: by its class, or by the file that made it. */
function isOurs(error: Error): boolean {
  if ('code' in error && 'toJSON' in error) return true
  const frame = String(error.stack)
    .split('\n')
    .find((line) => /^\s+at /.test(line) && !line.includes('_silence'))
  return /\/src\/(?!contract|testing)/.test(frame ?? '')
}

subscribe('tallystick', (event) => silence.hear('event', event))

const emitWarning = process.emitWarning.bind(process)
process.emitWarning = (warning: string | Error, ...parameters: never[]) => {
  silence.hear('warning', warning)
  emitWarning(warning, ...parameters)
}
for (const level of ['log', 'info', 'warn', 'error', 'debug'] as const) {
  const original = console[level].bind(console)
  console[level] = (...parameters: unknown[]) => {
    silence.hear('console', parameters)
    original(...parameters)
  }
}

function leaks(): string[] {
  for (const error of said.values()) if (isOurs(error)) silence.hear('error', error)
  said.clear()
  return silence.leaks()
}

/** Every table of hostile input, and what else is sent to be refused: keys, secrets, sockets, services that fail. */
const tables = {
  'attacks-request': () => import('./attacks-request.test.ts'),
  'attacks-session': () => import('./attacks-session.test.ts'),
  'attacks-token': () => import('./attacks-token.test.ts'),
  'adapters/ws': () => import('./adapters/ws.test.ts'),
  encryption: () => import('./encryption.test.ts'),
  'jwks-uri': () => import('./jwks-uri.test.ts'),
  keys: () => import('./keys.test.ts'),
  mistakes: () => import('./mistakes.test.ts'),
  'sessions-mistakes': () => import('./sessions-mistakes.test.ts'),
  signers: () => import('./signers.test.ts'),
  'weak-secrets': () => import('./weak-secrets.test.ts'),
}

vi.setConfig({ testTimeout: 60_000 })

let heard = 0

describe.each(Object.entries(tables))('nothing is told by test/%s.test.ts:', async (_, load) => {
  afterEach(() => {
    heard += silence.heard + said.size
    // oxlint-disable-next-line vitest/no-standalone-expect -- each test of a table is followed by this one
    expect(leaks()).toEqual([])
  })
  await load()
})

test('something was heard at all', () => {
  expect(heard).toBeGreaterThan(1000)
})

const [hasRedis, hasPostgres] = await Promise.all([redisIsReachable(), postgresIsReachable()])

const subject = 'subject-marker-4711'
const userClaims = { note: 'claim-marker-0815' }

/** The longest story that an error can tell: all that was asked, in every property and in another error. */
function tellingAll(...asked: unknown[]): never {
  const text = JSON.stringify(asked)
  const cause = Object.assign(new AggregateError([new Error(text)], encodeURIComponent(text)), { asked })
  throw Object.assign(new Error(`failed: ${text}`, { cause }), { command: { args: asked }, detail: text })
}

describe('nothing is told of what failed by', () => {
  const ends: (() => unknown)[] = []
  beforeEach(() => {
    leaks()
  })
  afterEach(async () => {
    for (const end of ends.splice(0).toReversed()) await end()
    // oxlint-disable-next-line vitest/no-standalone-expect -- each test is followed by this one
    expect(leaks()).toEqual([])
  })

  /** Signs in, has the store fail, and goes on; gives the refusals, with their causes. */
  async function refusalsOf(store: Store, spoil: () => unknown): Promise<AuthError[]> {
    const { auth, browser } = createSite(
      { store, revocation: 'strict', storeTimeout: 10 },
      createClock(Date.now() / 1000),
    )
    ends.push(() => auth.close())
    await auth.ready()
    const user = browser()
    expect(await user.login(subject, { userClaims })).toMatchObject({ code: 'ok' })
    await spoil()
    const refused: AuthError[] = []
    const steps: ((authorize: Authorize) => Promise<unknown>)[] = [
      (authorize) => authorize.login(subject, { userClaims }),
      (authorize) => authorize.refresh(),
      (authorize) => authorize.jwtRequired(),
      (authorize) => authorize.logout(),
    ]
    for (const [index, step] of steps.entries()) {
      await user.copy().send(
        'POST',
        (authorize) =>
          step(authorize).catch((error: unknown) => {
            if (AuthError.is(error, 'store_unavailable')) refused.push(error)
            throw error
          }),
        index === 1 ? 'csrf_refresh_token' : 'csrf_access_token',
      )
    }
    return refused
  }

  test.skipIf(!hasRedis)('ioredis, whose errors hold the command', async () => {
    const url = process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379'
    const client = new Redis(url, {
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
    })
    await once(client, 'ready')
    const prefix = `tallystick-test-${crypto.randomUUID()}`
    const names = async (): Promise<string[]> => client.keys(`*${prefix}*`)
    ends.push(async () => {
      const left = await names()
      if (left.length > 0) await client.del(...left)
      client.disconnect()
    })
    const refused = await refusalsOf(redisStore(client, { prefix }), async () => {
      for (const name of await names()) await client.set(name, 'of another type')
    })
    const [first] = refused
    expect(refused.length).toBeGreaterThan(1)
    expect((first?.cause as Error | undefined)?.message).toContain('WRONGTYPE')
  })

  test.skipIf(!hasPostgres)('pg, whose errors hold the row', async () => {
    ends.push(cleanUp)
    const pool = newPool()
    const schema = newSchema()
    const refused = await refusalsOf(postgresStore(pool, { schema }), () =>
      pool.query(`alter table ${schema}.sessions add constraint never check (false) not valid`),
    )
    const [first] = refused
    expect(refused.length).toBeGreaterThan(1)
    expect(first?.cause).toMatchObject({ name: 'error', code: '23514' })
    expect((first?.cause as Error | undefined)?.message).toContain('violates check constraint')
  })

  test('a store that tells all it was asked', async () => {
    const faulty = faultyStore(memoryStore())
    const store: Store = { ...faulty.store }
    const refused = await refusalsOf(store, () => {
      for (const name of ['create', 'rotate', 'isRevoked', 'revoke'] as const) store[name] = tellingAll
    })
    expect(refused).toHaveLength(4)
    for (const { cause } of refused) {
      expect((cause as Error).message).toMatch(/^failed: /)
      expect((cause as Error).stack).toContain('tellingAll')
    }
  })

  test.each([subject, 'ada', 'a.b', '7'])('a denylist that tells all it was asked about %s', async (sub) => {
    const { auth } = setup({ denylist: tellingAll })
    const token = await auth.createAccessToken(sub, { userClaims })
    const error = (await errorOf(() => auth.verify(token))) as AuthError
    expect((error.cause as Error).message).toMatch(/^failed: /)
    expect(textsIn(error).join('\n')).not.toMatch(new RegExp(`"sub":"${sub}"`))
  })

  test('a key service that tells all it was asked', async () => {
    const { publicKey } = pairs.p256
    const sign = (input: Uint8Array): never => tellingAll(Buffer.from(input).toString())
    const auth = createAuth({ keys: [{ algorithm: 'ES256', kid: 'kms', sign, publicKey }] })
    const error = (await errorOf(() => auth.createAccessToken(subject, { userClaims }))) as AuthError
    expect(error.code).toBe('store_unavailable')
    expect((error.cause as Error).message).toBe('failed: ["….…"]')
  })

  test('an error whose getters throw, and one that is its own cause', async () => {
    for (const thrown of [
      new Proxy(new Error('x'), { get: () => tellingAll(subject) }),
      Object.defineProperty(new Error('round'), 'cause', { get: () => thrown as unknown }),
    ]) {
      const rejecting = async (): Promise<never> => Reflect.apply(Promise.reject, Promise, [thrown])
      const { auth } = setup({ denylist: rejecting })
      const token = await auth.createAccessToken(subject)
      expect(await codeOf(() => auth.verify(token))).toBe('store_unavailable')
    }
  })

  test('somebody who throws a refusal of ours with a reason of their own', async () => {
    const { auth, web, events } = setup({
      userLookup: ({ sub }) => {
        throw new AuthError('user_not_found', { cause: `nobody-like-${sub.length}` })
      },
    })
    const cookie = `access_token_cookie=${await auth.createAccessToken(subject)}`
    await act({ web }, { headers: { cookie } }, (authorize) => authorize.jwtRequired())
    expect(events).toEqual([{ type: 'rejected', code: 'user_not_found', location: 'cookies' }])
  })
})

describe('the listener finds a secret', () => {
  const secret = 'Zx9-secret/of+many letters~42'
  const half = secret.slice(3, 3 + leakLength)
  const base64 = (text: string): string => Buffer.from(text).toString('base64')
  const nested = (inner: unknown): Error => new Error('a', { cause: new TypeError('b', { cause: inner }) })

  beforeEach(() => {
    leaks()
    silence.learn('key', secret)
  })

  test.each<[string, unknown]>([
    ['in a message', new Error(`it was ${secret}`)],
    ['in the message of a cause', nested(new Error(secret))],
    ['in a text that is a cause', nested(secret)],
    ['in an object that is a cause', nested({ deep: [{ deeper: new Map([['x', secret]]) }] })],
    ['in the errors of an aggregate', new AggregateError([new Error(secret)])],
    ['in a property', Object.assign(new Error('x'), { command: { args: ['get', secret] } })],
    ['in a property that is not listed', Object.defineProperty(new Error('x'), 'hidden', { value: secret })],
    ['in a property under a symbol', Object.assign(new Error('x'), { [Symbol('x')]: secret })],
    ['in the name of a property', { [secret]: 1 }],
    ['in a name', Object.assign(new Error('x'), { name: secret })],
    ['in bytes', { bytes: Buffer.from(`it was ${secret}`) }],
    ['in headers', new Headers({ 'x-told': secret })],
    ['in a text', `it was ${secret}`],
    ['in part', `it was ${half}`],
    ['in JSON', JSON.stringify({ message: JSON.stringify(secret) })],
    ['percent-encoded', encodeURIComponent(`it was ${secret}`)],
    ['fully percent-encoded', [...secret].map((one) => `%${one.charCodeAt(0).toString(16)}`).join('')],
    ['in hex', Buffer.from(secret).toString('hex')],
    ['in base64', base64(secret)],
    ['in base64url of part', Buffer.from(`? ${half}`).toString('base64url')],
    ...[1, 2, 3].map((count): [string, string] => [
      `in base64 behind ${count} others`,
      base64(`${'?'.repeat(count)}${secret}`),
    ]),
  ])('%s', (_, value) => {
    silence.hear('here', value)
    expect(silence.leaks()).toHaveLength(1)
  })

  test('and nothing where there is less of it than can be told', () => {
    silence.hear('here', new Error(`it was ${half.slice(1)}`, { cause: { other: secret.slice(-11) } }))
    expect(silence.leaks()).toEqual([])
  })

  test('in what the library was given: keys, tokens, CSRF values, claims', async () => {
    const { auth } = createSite({ secretKey })
    const token = await auth.createAccessToken(subject, { userClaims })
    const { csrf, jti } = auth.getUnverifiedJwtClaims(token) as Record<string, string>
    for (const value of [secretKey, token.slice(40), csrf, jti, subject, userClaims.note]) {
      const plant = new Error(String(value).slice(-13))
      silence.learnKey(secretKey)
      silence.learnToken(token)
      silence.hear('here', plant)
      expect(silence.leaks(), String(value)).toHaveLength(1)
    }
    await auth.close()
  })

  test.each<[string, (token: string) => unknown]>([
    ['an event', (token) => channel('tallystick').publish({ type: 'rejected', token })],
    ['a warning', (token) => process.emitWarning(`tallystick: ${token}`)],
    ['a refusal', (token) => new AuthError('token_invalid', { message: token })],
    ['a cause', (token) => new AuthError('token_invalid', { cause: { token } })],
  ])('in %s that really happens', async (_, tell) => {
    process.once('warning', () => undefined)
    const { auth } = setup()
    tell(await auth.createAccessToken(subject))
    expect(leaks().length).toBeGreaterThan(0)
  })

  test('in the body and the headers of an answer that really happens', async () => {
    const { auth, web } = setup()
    const token = await auth.createAccessToken(subject)
    await web.authErrors((_request: Request) => new Response(token, { status: 400 }))(new Request(site))
    expect(leaks().length).toBeGreaterThan(0)
    await auth.createAccessToken(subject)
    await web.authErrors(
      (_request: Request) => new Response('', { headers: { location: `/?sub=${subject}` } }),
    )(new Request(site))
    expect(leaks().length).toBeGreaterThan(0)
  })
})
