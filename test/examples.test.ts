// Runs each program of examples/ as a process of its own, as its reader would, and goes through it by HTTP.

import { execFile, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createTRPCClient, httpBatchLink, TRPCClientError } from '@trpc/client'
import { io as connectSocketIo } from 'socket.io-client'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import type { AppRouter } from '../examples/trpc.ts'
import { cookieHeader, cookiesOf, secretKey } from './_setup.ts'
import { startNext } from './adapters/_next.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const names = [
  'hono',
  'express',
  'fastify',
  'koa',
  'nest',
  'elysia',
  'h3',
  'web',
  'ws',
  'socket-io',
  'opentelemetry',
  'pino',
]
/** What the examples import; a scope stands for its packages. */
const packageNames = [
  '@hono',
  '@nestjs',
  '@koa',
  'hono',
  'express',
  'fastify',
  'koa',
  'h3',
  '@elysiajs',
  'elysia',
  '@trpc',
  'zod',
  'ws',
  'socket.io',
  '@opentelemetry',
  'pino',
]

let folder: string

/** Compiles the examples into a folder where the packages lie as they do for a user. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tallystick-examples-'))
  const packages = {
    tallystick: root,
    ...Object.fromEntries(packageNames.map(inRoot)),
  }
  await mkdir(join(folder, 'node_modules'))
  for (const [name, target] of Object.entries(packages)) {
    await symlink(target, join(folder, 'node_modules', name), 'junction')
  }
  const compilerOptions = {
    noEmit: false,
    allowImportingTsExtensions: false,
    rootDir: join(root, 'examples'),
    outDir: folder,
    typeRoots: [join(root, 'node_modules/@types')],
  }
  const config = {
    extends: join(root, 'tsconfig.json'),
    compilerOptions,
    include: [join(root, 'examples/*.ts')],
  }
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config))
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  await promisify(execFile)(process.execPath, [tsc, '-p', folder])
})

afterAll(async () => rm(folder, { recursive: true, force: true }))

function inRoot(name: string): [string, string] {
  return [name, join(root, 'node_modules', name)]
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

function start(name: string, env: Record<string, string>): ChildProcess {
  return spawn(process.execPath, [join(folder, `${name}.js`)], {
    env: { NODE_ENV: 'production', PATH: process.env['PATH'], ...env },
  })
}

/** An SDK as a service loads it before its program; it tells on stdout what it would export, when it is ended. */
const instrumentation = `
import { metrics, trace, context } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { AggregationTemporality, InMemoryMetricExporter, MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'

const spans = new InMemorySpanExporter()
const points = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
const reader = new PeriodicExportingMetricReader({ exporter: points })
context.setGlobalContextManager(new AsyncLocalStorageContextManager())
trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] }))
metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }))
process.on('SIGTERM', async () => {
  await reader.forceFlush()
  const counted = points.getMetrics().at(-1)?.scopeMetrics.flatMap(({ metrics }) => metrics) ?? []
  const ended = spans.getFinishedSpans().map(({ name, events }) => ({ name, events }))
  process.stdout.write(JSON.stringify({ counted, ended }), () => process.exit())
})
`

/** Waits until somebody answers. */
async function untilUp(origin: string, child: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < 200 && child.exitCode === null; attempt++) {
    try {
      await fetch(origin)
      return
    } catch {
      // Nobody listens yet.
      await wait(25)
    }
  }
  throw new Error('The example does not listen')
}

describe.each([...names, 'next'])('examples/%s', { timeout: 30_000 }, (name) => {
  let stop: () => Promise<void>
  let origin: string

  beforeAll(async () => {
    if (name === 'next') {
      const app = await startNext('examples/next', { AUTHJWT_SECRET_KEY: secretKey })
      origin = app.origin
      stop = async () => app.close()
      return
    }
    const port = await freePort()
    origin = `http://localhost:${port}`
    const child = start(name, { AUTHJWT_SECRET_KEY: secretKey, PORT: String(port) })
    stop = async () => {
      child.kill()
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    }
    await untilUp(origin, child)
  })

  afterAll(async () => stop())

  async function call(method: string, path: string, headers = {}, body?: object): Promise<Response> {
    const type = body === undefined ? {} : { 'content-type': 'application/json' }
    const init = { method, headers: { ...type, ...headers } }
    return fetch(origin + path, body === undefined ? init : { ...init, body: JSON.stringify(body) })
  }

  const user = { username: 'test', password: 'test' }

  test('signs in, answers, refreshes and signs out', async () => {
    const signedIn = await call('POST', '/login', {}, user)
    expect([signedIn.status, await signedIn.json()]).toEqual([200, { msg: 'Successfully login' }])
    const jar = cookiesOf(signedIn)
    expect(Object.keys(jar)).toHaveLength(4)

    const answer = await call('GET', '/protected', { cookie: cookieHeader(jar) })
    expect([answer.status, await answer.json()]).toEqual([200, { user: 'test' }])

    const refreshing = { cookie: cookieHeader(jar), 'x-csrf-token': jar['csrf_refresh_token'] }
    const refreshed = await call('POST', '/refresh', refreshing)
    expect([refreshed.status, await refreshed.json()]).toEqual([200, { msg: 'The token has been refresh' }])
    const renewed = { ...jar, ...cookiesOf(refreshed) }
    expect(renewed['access_token_cookie']).not.toBe(jar['access_token_cookie'])
    const again = await call('GET', '/protected', { cookie: cookieHeader(renewed) })
    expect(await again.json()).toEqual({ user: 'test' })

    const leaving = { cookie: cookieHeader(renewed), 'x-csrf-token': renewed['csrf_access_token'] }
    const signedOut = await call('DELETE', '/logout', leaving)
    expect([signedOut.status, await signedOut.json()]).toEqual([200, { msg: 'Successfully logout' }])
    expect(signedOut.headers.getSetCookie().filter((line) => line.includes('Max-Age=0'))).toHaveLength(4)
  })

  /** What a page that is signed in would send with its handshake. */
  async function signIn(): Promise<{ headers: Record<string, string>; csrf: string }> {
    const jar = cookiesOf(await call('POST', '/login', {}, user))
    const csrf = jar['csrf_access_token'] ?? ''
    return { headers: { cookie: cookieHeader(jar), origin }, csrf }
  }

  test.runIf(name === 'ws')('opens a socket for its own pages and for nobody else', async () => {
    const { headers, csrf } = await signIn()
    const url = origin.replace('http', 'ws')
    const protocols = ['chat', `tallystick.csrf.${csrf}`]
    const socket = new WebSocket(url, protocols, { headers })
    await once(socket, 'open')
    expect(socket.protocol).toBe('chat')
    socket.send('hello')
    const [data] = (await once(socket, 'message')) as [Buffer]
    expect(data.toString()).toBe('test: hello')
    socket.terminate()
    const foreign = new WebSocket(url, protocols, { headers: { ...headers, origin: 'https://evil.example' } })
    await expect(once(foreign, 'open')).rejects.toThrow('403')
    await expect(once(new WebSocket(url, 'chat', { headers }), 'open')).rejects.toThrow('401')
  })

  test.runIf(name === 'socket-io')('opens a socket for its own pages and for nobody else', async () => {
    const { headers, csrf } = await signIn()
    const outcomeOf = async (auth: object, changes: Record<string, string> = {}): Promise<unknown> => {
      const extraHeaders = { ...headers, ...changes }
      const socket = connectSocketIo(origin, {
        transports: ['websocket'],
        auth,
        extraHeaders,
        forceNew: true,
      })
      const answered = new Promise((resolve) => {
        socket.on('connect_error', ({ message }) => resolve(message))
        socket.on('text', resolve)
      })
      socket.emit('text', 'hello')
      const answer = await answered
      socket.disconnect()
      return answer
    }
    expect(await outcomeOf({ csrf })).toBe('test: hello')
    expect(await outcomeOf({ csrf: 'x' })).toBe('CSRF double submit tokens do not match')
    expect(await outcomeOf({})).toBe('Missing CSRF Token')
    expect(await outcomeOf({ csrf }, { origin: 'https://evil.example' })).toMatch(
      /^Cross-site request refused/,
    )
    expect(await outcomeOf({ csrf }, { cookie: 'a=b' })).toBe('Missing cookie access_token_cookie')
  })

  test('refuses a wrong password and sets no cookie', async () => {
    const refused = await call('POST', '/login', {}, { ...user, password: 'wrong' })
    expect([refused.status, await refused.json()]).toEqual([401, { detail: 'Bad username or password' }])
    expect(refused.headers.getSetCookie()).toEqual([])
  })

  test.each(['', '{', 'null', '[]', '"x"', '{"username":1}'])(
    'refuses the broken body %j with a 4xx',
    async (body) => {
      const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body }
      const refused = await fetch(`${origin}/login`, init)
      expect(Math.floor(refused.status / 100)).toBe(4)
      expect(refused.headers.getSetCookie()).toEqual([])
    },
  )

  test.each([
    ['GET', '/protected', 'token_missing'],
    ['POST', '/refresh', 'token_missing'],
  ])('refuses %s %s without a token', async (method, path, code) => {
    const refused = await call(method, path)
    expect(refused.headers.get('content-type')).toBe('application/problem+json')
    expect([refused.status, await refused.json()]).toMatchObject([401, { code }])
  })

  test('refuses to refresh and to sign out without the CSRF value', async () => {
    const cookie = cookieHeader(cookiesOf(await call('POST', '/login', {}, user)))
    for (const [method, path] of [
      ['POST', '/refresh'],
      ['DELETE', '/logout'],
    ] as const) {
      const refused = await call(method, path, { cookie })
      expect([refused.status, await refused.json()]).toMatchObject([401, { code: 'csrf_missing' }])
      expect(refused.headers.getSetCookie()).toEqual([])
    }
  })
})

describe('examples/trpc.ts', () => {
  let child: ChildProcess
  let origin: string
  let jar: Record<string, string>
  let csrf: string | undefined

  beforeAll(async () => {
    const port = await freePort()
    origin = `http://localhost:${port}`
    child = start('trpc', { AUTHJWT_SECRET_KEY: secretKey, PORT: String(port) })
    await untilUp(origin, child)
  })

  beforeEach(() => {
    jar = {}
    csrf = undefined
  })

  afterAll(async () => {
    child.kill()
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  })

  /** A client that keeps cookies, as a browser would. */
  function client() {
    return createTRPCClient<AppRouter>({
      links: [
        httpBatchLink({
          url: `${origin}/trpc`,
          headers: () => ({ cookie: cookieHeader(jar), ...(csrf !== undefined && { 'x-csrf-token': csrf }) }),
          async fetch(url, init) {
            const response = await fetch(url, init as RequestInit)
            for (const line of response.headers.getSetCookie()) {
              const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
              if (line.includes('Max-Age=0')) delete jar[name]
              else jar[name] = value
            }
            return response
          },
        }),
      ],
    })
  }

  async function refusalOf(step: Promise<unknown>): Promise<unknown> {
    const error: unknown = await step.then(
      () => undefined,
      (reason: unknown) => reason,
    )
    if (!(error instanceof TRPCClientError)) throw new TypeError('no refusal of tRPC', { cause: error })
    const { data } = error as { readonly data?: { readonly code: string; readonly httpStatus: number } }
    return [data?.httpStatus, data?.code, error.message]
  }

  const user = { username: 'test', password: 'test' }

  test('signs in, answers, changes, refreshes and signs out', async () => {
    const { login, whoami, setMotto, refresh, logout } = client()
    expect(await login.mutate(user)).toEqual({ msg: 'Successfully login' })
    expect(Object.keys(jar)).toHaveLength(4)
    csrf = jar['csrf_access_token']
    await setMotto.mutate('half')
    expect(await whoami.query()).toEqual({ user: 'test', motto: 'half' })

    csrf = jar['csrf_refresh_token']
    const old = jar['access_token_cookie']
    expect(await refresh.mutate()).toEqual({ msg: 'The token has been refresh' })
    expect(jar['access_token_cookie']).not.toBe(old)
    expect(await whoami.query()).toMatchObject({ user: 'test' })

    csrf = jar['csrf_access_token']
    expect(await logout.mutate()).toEqual({ msg: 'Successfully logout' })
    expect(jar).toEqual({})
  })

  test('refuses without a token, without the CSRF value, and a wrong password', async () => {
    const { login, whoami, setMotto, refresh } = client()
    expect(await refusalOf(whoami.query())).toEqual([401, 'UNAUTHORIZED', 'token_missing'])
    const wrong = login.mutate({ ...user, password: 'wrong' })
    expect(await refusalOf(wrong)).toEqual([401, 'UNAUTHORIZED', 'Bad username or password'])
    expect(jar).toEqual({})
    await login.mutate(user)
    expect(await whoami.query()).toMatchObject({ user: 'test' })
    expect(await refusalOf(setMotto.mutate('stolen'))).toEqual([401, 'UNAUTHORIZED', 'csrf_missing'])
    expect(await refusalOf(refresh.mutate())).toEqual([401, 'UNAUTHORIZED', 'csrf_missing'])
    csrf = jar['csrf_refresh_token']
    expect(await refusalOf(setMotto.mutate('stolen'))).toEqual([401, 'UNAUTHORIZED', 'csrf_mismatch'])
    expect(await whoami.query()).not.toMatchObject({ motto: 'stolen' })
  })

  test('answers all calls of a batch as one user, and refuses one without the others', async () => {
    const { login, whoami, setMotto } = client()
    await login.mutate(user)
    const two = await Promise.all([whoami.query(), whoami.query()])
    expect(two.map((answer) => answer.user)).toEqual(['test', 'test'])
    csrf = jar['csrf_access_token']
    const calls = await Promise.allSettled([setMotto.mutate('ours'), setMotto.mutate(1 as never)])
    expect(calls.map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
  })

  test('refuses what another site sends', async () => {
    const { login } = client()
    await login.mutate(user)
    const headers = {
      'content-type': 'application/json',
      cookie: cookieHeader(jar),
      'x-csrf-token': jar['csrf_access_token'] ?? '',
      'sec-fetch-site': 'cross-site',
    }
    const init = { method: 'POST', headers, body: '"stolen"' }
    const refused = await fetch(`${origin}/trpc/setMotto`, init)
    expect(refused.status).toBe(403)
    expect(await refused.text()).toContain('origin_forbidden')
  })
})

describe('observed', () => {
  /** Runs a program through a sign-in, two refusals and a sign-out; gives what it said, and what nobody may say. */
  async function observe(
    name: string,
    nodeOptions: string,
    lineCount: number,
  ): Promise<{ said: string; secrets: string[] }> {
    const origin = `http://localhost:${await freePort()}`
    const child = start(name, {
      AUTHJWT_SECRET_KEY: secretKey,
      PORT: new URL(origin).port,
      NODE_OPTIONS: nodeOptions,
    })
    let said = ''
    child.stdout?.setEncoding('utf8').on('data', (text) => (said += String(text)))
    await untilUp(origin, child)
    const signIn = { method: 'POST', body: '{"username":"test","password":"test"}' }
    const jar = cookiesOf(await fetch(`${origin}/login`, signIn))
    const cookie = cookieHeader(jar)
    await fetch(`${origin}/protected`, { headers: { cookie } })
    await fetch(`${origin}/protected`, { headers: { cookie: 'access_token_cookie=a.b.c' } })
    await fetch(`${origin}/refresh`, { method: 'POST', headers: { cookie, origin: 'https://evil.example' } })
    await fetch(`${origin}/refresh`, { method: 'POST', headers: { cookie, 'x-csrf-token': 'guessed-value' } })
    // Lines are written behind the answers.
    for (let attempt = 0; attempt < 200 && said.split('\n').length <= lineCount; attempt++) await wait(25)
    child.kill()
    await once(child, 'close')
    const parts = Object.values(jar).flatMap((value) => value.split('.'))
    return { said, secrets: [...parts, secretKey, 'guessed-value'] }
  }

  const refused = { type: 'rejected', code: 'token_invalid', reason: 'malformed', location: 'cookies' }
  const foreign = { type: 'rejected', code: 'origin_forbidden', location: 'cookies' }
  const guessed = { type: 'rejected', code: 'csrf_mismatch', location: 'cookies' }
  const origin = 'https://evil.example'

  test('examples/opentelemetry.ts counts what was decided, and marks it on the span of its request', async () => {
    await writeFile(join(folder, 'instrumentation.js'), instrumentation)
    const options = `--import ${join(folder, 'instrumentation.js')}`
    const { said, secrets } = await observe('opentelemetry', options, 0)
    const { counted, ended } = JSON.parse(said) as {
      counted: { descriptor: { name: string }; dataPoints: { value: number; attributes: object }[] }[]
      ended: { name: string; events: { name: string; attributes: object }[] }[]
    }
    expect(counted.map(({ descriptor }) => descriptor.name)).toEqual(['tallystick.events'])
    const points = counted.flatMap(({ dataPoints }) => dataPoints)
    expect(points.map(({ value, attributes }) => [value, attributes])).toEqual([
      [1, refused],
      [1, foreign],
      [1, guessed],
    ])
    // The first asks whether anybody listens.
    const spans = ended.slice(-5).map(({ name, events }) => [name, ...events.map((event) => event)])
    expect(spans).toMatchObject([
      ['POST'],
      ['GET'],
      ['GET', { name: 'tallystick.rejected', attributes: { code: 'token_invalid', reason: 'malformed' } }],
      ['POST', { name: 'tallystick.rejected', attributes: { code: 'origin_forbidden', origin } }],
      ['POST', { name: 'tallystick.rejected', attributes: { code: 'csrf_mismatch' } }],
    ])
    expect(spans.map(({ length }) => length)).toEqual([1, 1, 2, 2, 2])
    expect(secrets.filter((secret) => said.includes(secret))).toEqual([])
  })

  test('examples/pino.ts writes a line for what was decided, and one for what a handler threw', async () => {
    const { said, secrets } = await observe('pino', '', 5)
    const lines = said.trim().split('\n')
    const { type, ...facts } = refused
    const failed = (code: string): object => ({
      level: 40,
      path: '/refresh',
      err: { type: 'AuthError', code },
    })
    expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
      { level: 30, event: type, ...facts },
      { level: 30, event: type, code: 'origin_forbidden', origin },
      failed('origin_forbidden'),
      { level: 30, event: type, code: 'csrf_mismatch' },
      failed('csrf_mismatch'),
    ])
    expect(secrets.filter((secret) => said.includes(secret))).toEqual([])
  })
})

test.each([...names, 'trpc'])(
  'examples/%s.ts does not start without a secret, and says why',
  async (name) => {
    const child = start(name, {})
    let said = ''
    child.stderr?.setEncoding('utf8').on('data', (text) => (said += String(text)))
    const [code] = await once(child, 'close')
    expect(code).toBe(1)
    expect(said).toMatch(/TypeError: [^]*secretKey/)
  },
)

test.each(names)(
  'examples/%s.ts has at most 40 lines, and its routes stand in the order of the others',
  async (name) => {
    const source = await readFile(join(root, 'examples', `${name}.ts`), 'utf8')
    const places = [
      /Successfully login/,
      /The token has been refresh/,
      /Successfully logout/,
      /[.@]subject\(\)/i,
    ]
    expect(source.trimEnd().split('\n').length).toBeLessThanOrEqual(40)
    expect(
      places.map((place) => source.search(place)).every((at, index, all) => at > (all[index - 1] ?? 0)),
    ).toBe(true)
  },
)
