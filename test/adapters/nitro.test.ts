// Builds the app of examples/nitro with Nitro 3, as its reader would, and goes through it by HTTP.

import { execFile, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { cookieHeader, cookiesOf, secretKey } from '../_setup.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

let folder: string
let server: ChildProcess
let origin: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tallystick-nitro-'))
  await cp(join(root, 'examples/nitro'), folder, { recursive: true })
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
  await mkdir(join(folder, 'node_modules'))
  for (const [name, target] of [
    ['tallystick', root],
    ['nitro', join(root, 'node_modules/nitro')],
  ] as const) {
    await symlink(target, join(folder, 'node_modules', name), 'junction')
  }
  const command = join(root, 'node_modules/nitro/dist/cli/index.mjs')
  await promisify(execFile)(process.execPath, [command, 'build'], { cwd: folder, env: environment({}) })
  server = spawn(process.execPath, [join(folder, '.output/server/index.mjs')], {
    cwd: folder,
    env: environment({ AUTHJWT_SECRET_KEY: secretKey, PORT: '0', HOST: '127.0.0.1' }),
  })
  origin = await originSaid(server)
}, 60_000)

afterAll(async () => {
  server.kill('SIGKILL')
  if (server.exitCode === null && server.signalCode === null) await once(server, 'exit')
  await rm(folder, { recursive: true, force: true })
})

/** Without what the test runner sets for its own children. */
function environment(own: Record<string, string>): NodeJS.ProcessEnv {
  return { NODE_ENV: 'production', PATH: process.env['PATH'], HOME: process.env['HOME'], ...own }
}

/** The address that the server writes to its output once it listens. */
async function originSaid({ stdout }: ChildProcess): Promise<string> {
  let said = ''
  for await (const text of stdout?.setEncoding('utf8').iterator({ destroyOnReturn: false }) ?? []) {
    said += String(text)
    const [address] = /http:\/\/[\w.[\]:]+:\d+/.exec(said) ?? []
    if (address !== undefined) return address
  }
  throw new Error(`Nitro does not listen: ${said}`)
}

async function call(method: string, path: string, headers = {}, body?: object): Promise<Response> {
  const all = { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers }
  return fetch(origin + path, { method, headers: all, ...(body && { body: JSON.stringify(body) }) })
}

const user = { username: 'test', password: 'test' }

test('a Nitro app signs in, answers, refreshes and signs out', async () => {
  const signedIn = await call('POST', '/login', {}, user)
  expect([signedIn.status, await signedIn.json()]).toEqual([200, { msg: 'Successfully login' }])
  expect(signedIn.headers.get('cache-control')).toBe('no-store')
  const jar = cookiesOf(signedIn)
  expect(Object.keys(jar)).toHaveLength(4)
  const cookie = cookieHeader(jar)

  const answer = await call('GET', '/protected', { cookie })
  expect([answer.status, await answer.json()]).toEqual([200, { user: 'test' }])

  const refreshed = await call('POST', '/refresh', { cookie, 'x-csrf-token': jar['csrf_refresh_token'] })
  expect([refreshed.status, await refreshed.json()]).toEqual([200, { msg: 'The token has been refresh' }])
  expect(Object.keys(cookiesOf(refreshed)).toSorted()).toEqual(['access_token_cookie', 'csrf_access_token'])

  const signedOut = await call('DELETE', '/logout', { cookie, 'x-csrf-token': jar['csrf_access_token'] })
  expect([signedOut.status, await signedOut.json()]).toEqual([200, { msg: 'Successfully logout' }])
  expect(signedOut.headers.getSetCookie().filter((line) => line.includes('Max-Age=0'))).toHaveLength(4)
})

test.each([
  ['GET', '/protected', 'token_missing'],
  ['POST', '/refresh', 'csrf_missing'],
  ['DELETE', '/logout', 'csrf_missing'],
])('a Nitro app refuses %s %s in full with %s', async (method, path, code) => {
  const jar = cookiesOf(await call('POST', '/login', {}, user))
  const refused = await call(method, path, code === 'token_missing' ? {} : { cookie: cookieHeader(jar) })
  expect(refused.headers.get('content-type')).toBe('application/problem+json')
  expect([refused.status, await refused.json()]).toMatchObject([401, { code }])
})

test('a Nitro app refuses a wrong password and sets no cookie', async () => {
  const refused = await call('POST', '/login', {}, { ...user, password: 'wrong' })
  expect([refused.status, await refused.json()]).toEqual([401, { detail: 'Bad username or password' }])
  expect(refused.headers.getSetCookie()).toEqual([])
})
