// What the apps of examples/nitro and examples/nuxt share: how a built one is started, and what it must do by HTTP.

import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { cookieHeader, cookiesOf, secretKey } from '../_setup.ts'

export interface BuiltApp {
  readonly origin: string
  stop(): Promise<void>
}

/** Starts what was built in a folder; `node` is the binary to run it with. */
export async function startBuilt(folder: string, node: string): Promise<BuiltApp> {
  const server = spawn(node, [join(folder, '.output/server/index.mjs')], {
    cwd: folder,
    env: environment({ AUTHJWT_SECRET_KEY: secretKey, PORT: '0', HOST: '127.0.0.1' }),
  })
  return {
    origin: await originSaid(server),
    async stop() {
      server.kill('SIGKILL')
      if (server.exitCode === null && server.signalCode === null) await once(server, 'exit')
    },
  }
}

/** Without what the test runner sets for its own children. */
export function environment(own: Record<string, string>): NodeJS.ProcessEnv {
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
  throw new Error(`The app does not listen: ${said}`)
}

async function call(
  { origin }: BuiltApp,
  method: string,
  path: string,
  headers = {},
  body?: object,
): Promise<Response> {
  const all = { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers }
  return fetch(origin + path, { method, headers: all, ...(body && { body: JSON.stringify(body) }) })
}

const user = { username: 'test', password: 'test' }

/** The tests of one app; the routes are those of every example. */
export function testApp(app: () => BuiltApp): void {
  test('signs in, answers, refreshes and signs out', async () => {
    const signedIn = await call(app(), 'POST', '/login', {}, user)
    expect([signedIn.status, await signedIn.json()]).toEqual([200, { msg: 'Successfully login' }])
    expect(signedIn.headers.get('cache-control')).toBe('no-store')
    const jar = cookiesOf(signedIn)
    expect(Object.keys(jar)).toHaveLength(4)
    const cookie = cookieHeader(jar)

    const answer = await call(app(), 'GET', '/protected', { cookie })
    expect([answer.status, await answer.json()]).toEqual([200, { user: 'test' }])

    const refreshed = await call(app(), 'POST', '/refresh', {
      cookie,
      'x-csrf-token': jar['csrf_refresh_token'],
    })
    expect([refreshed.status, await refreshed.json()]).toEqual([200, { msg: 'The token has been refresh' }])
    expect(Object.keys(cookiesOf(refreshed)).toSorted()).toEqual(['access_token_cookie', 'csrf_access_token'])

    const signedOut = await call(app(), 'DELETE', '/logout', {
      cookie,
      'x-csrf-token': jar['csrf_access_token'],
    })
    expect([signedOut.status, await signedOut.json()]).toEqual([200, { msg: 'Successfully logout' }])
    expect(signedOut.headers.getSetCookie().filter((line) => line.includes('Max-Age=0'))).toHaveLength(4)
  })

  test.each([
    ['GET', '/protected', 'token_missing'],
    ['POST', '/refresh', 'csrf_missing'],
    ['DELETE', '/logout', 'csrf_missing'],
  ])('refuses %s %s in full with %s', async (method, path, code) => {
    const jar = cookiesOf(await call(app(), 'POST', '/login', {}, user))
    const refused = await call(
      app(),
      method,
      path,
      code === 'token_missing' ? {} : { cookie: cookieHeader(jar) },
    )
    expect(refused.headers.get('content-type')).toBe('application/problem+json')
    expect([refused.status, await refused.json()]).toMatchObject([401, { code }])
  })

  test('refuses a wrong password and sets no cookie', async () => {
    const refused = await call(app(), 'POST', '/login', {}, { ...user, password: 'wrong' })
    expect([refused.status, await refused.json()]).toEqual([401, { detail: 'Bad username or password' }])
    expect(refused.headers.getSetCookie()).toEqual([])
  })
}
