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
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { io as connectSocketIo } from 'socket.io-client'
import { WebSocket } from 'ws'
import { cookieHeader, cookiesOf, secretKey } from './_setup.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const names = ['hono', 'express', 'fastify', 'web', 'ws', 'socket-io']

let folder: string

/** Compiles the examples into a folder where the packages lie as they do for a user. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tallystick-examples-'))
  const packages = {
    tallystick: root,
    ...Object.fromEntries(['@hono', 'hono', 'express', 'fastify', 'ws', 'socket.io'].map(inRoot)),
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
  return spawn(process.execPath, [join(folder, `${name}.js`)], { env: { PATH: process.env['PATH'], ...env } })
}

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

describe.each(names)('examples/%s.ts', (name) => {
  let child: ChildProcess
  let origin: string

  beforeAll(async () => {
    const port = await freePort()
    origin = `http://localhost:${port}`
    child = start(name, { AUTHJWT_SECRET_KEY: secretKey, PORT: String(port) })
    await untilUp(origin, child)
  })

  afterAll(async () => {
    child.kill()
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  })

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

test.each(names)('examples/%s.ts does not start without a secret, and says why', async (name) => {
  const child = start(name, {})
  let said = ''
  child.stderr?.setEncoding('utf8').on('data', (text) => (said += String(text)))
  const [code] = await once(child, 'close')
  expect(code).toBe(1)
  expect(said).toMatch(/TypeError: [^]*secretKey/)
})

test.each(names)(
  'examples/%s.ts has at most 40 lines, and its routes stand in the order of the others',
  async (name) => {
    const source = await readFile(join(root, 'examples', `${name}.ts`), 'utf8')
    const places = ['Successfully login', 'The token has been refresh', 'Successfully logout', '.subject()']
    expect(source.trimEnd().split('\n').length).toBeLessThanOrEqual(40)
    expect(
      places.map((place) => source.indexOf(place)).every((at, index, all) => at > (all[index - 1] ?? 0)),
    ).toBe(true)
  },
)
