// `tallystick doctor` against real servers: a good one, and one for each defect, of which it finds that and no other.

import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { createServer as createTcpServer } from 'node:net'
import type { AddressInfo, Server } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { Hono } from 'hono'
import type { Context, MiddlewareHandler } from 'hono'
import { afterAll, describe, expect, test } from 'vitest'
import { honoAuth } from '../../src/adapters/hono.ts'
import { createAuth } from '../../src/index.ts'
import type { Auth, AuthOptions } from '../../src/index.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { cli, newFolder, stackTrace } from './_cli.ts'

const path = await newFolder()
const password = 'correct-horse-battery'
const credentials = JSON.stringify({ username: 'test', password })
const servers: Server[] = []
const auths: Auth[] = []

interface Defect {
  readonly options?: Partial<AuthOptions>
  /** What stands around all routes. */
  readonly around?: MiddlewareHandler
  /** What replaces the sign-in, the sign-out or the guarded route. */
  readonly login?: (c: Context, auth: Auth) => Promise<Response>
  readonly logout?: (c: Context, auth: Auth) => Promise<Response>
  readonly guarded?: (c: Context) => Response
}

async function startSite({ options, around, login, logout, guarded }: Defect = {}): Promise<string> {
  const auth = createAuth({
    secretKey: crypto.getRandomValues(new Uint8Array(32)),
    store: memoryStore(),
    ...options,
  })
  auths.push(auth)
  const { authorize, jwtRequired } = honoAuth(auth)
  const app = new Hono()
  if (around !== undefined) app.use(around)
  app.post('/login', async (c) => {
    const body = ((await c.req.json().catch(() => null)) ?? {}) as Readonly<Record<string, unknown>>
    if (body['password'] !== password) return c.json({ detail: 'Bad username or password' }, 401)
    if (login !== undefined) return login(c, auth)
    await authorize(c).login('test')
    return c.json({ msg: 'Successfully login' })
  })
  app.post('/refresh', async (c) => {
    await authorize(c).refresh()
    return c.json({ msg: 'The token has been refresh' })
  })
  app.delete('/logout', async (c) => {
    if (logout !== undefined) return logout(c, auth)
    await authorize(c).logout()
    return c.json({ msg: 'Successfully logout' })
  })
  if (guarded === undefined)
    app.get('/protected', jwtRequired(), (c) => c.json({ user: authorize(c).subject() }))
  else app.get('/protected', guarded)
  const server = createServer(getRequestListener(app.fetch))
  servers.push(server)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

afterAll(async () => {
  for (const server of servers) server.close()
  for (const auth of auths) await auth.close()
})

interface Finding {
  readonly check: string
  readonly verdict: string
  readonly found: string
  readonly fix?: string
}

async function examine(url: string, ...parameters: readonly string[]) {
  const { code, stdout, stderr } = await cli(['doctor', url, '--login', '/login', '--json', ...parameters], {
    env: { TALLYSTICK_CREDENTIALS: credentials },
  })
  expect(stderr).toBe('')
  expect(stdout).not.toContain(password)
  // No part of a token.
  expect(stdout).not.toMatch(/ey[\w-]{20}/)
  const { findings } = JSON.parse(stdout) as { readonly findings: readonly Finding[] }
  return {
    code,
    findings,
    bad: findings.filter(({ verdict }) => verdict === 'bad').map(({ check }) => check),
  }
}

/** Changes what the site answers. */
const rewriting =
  (rewrite: (headers: Headers) => void): MiddlewareHandler =>
  async (c, next) => {
    await next()
    const headers = new Headers(c.res.headers)
    rewrite(headers)
    c.res = new Response(c.res.body, { status: c.res.status, headers })
    // Hono adds those of the answer before.
    for (const name of ['set-cookie', 'cache-control']) {
      c.res.headers.delete(name)
      for (const value of name === 'set-cookie' ? headers.getSetCookie() : [headers.get(name)])
        if (value !== null) c.res.headers.append(name, value)
    }
  }

const eachCookie = (change: (line: string) => string): MiddlewareHandler =>
  rewriting((headers) => {
    const lines = headers.getSetCookie()
    headers.delete('set-cookie')
    for (const line of lines) headers.append('set-cookie', change(line))
  })

const four = ['access_token_cookie', 'refresh_token_cookie', 'csrf_access_token', 'csrf_refresh_token']

describe('a good site', () => {
  test('has nothing wrong, and everything was looked at', async () => {
    const { code, findings, bad } = await examine(await startSite())
    expect({ code, bad }).toEqual({ code: 0, bad: [] })
    expect(findings.filter(({ verdict }) => verdict !== 'good')).toEqual([])
    const checks = findings.map(({ check }) => check)
    for (const check of ['transport', 'cors', 'errors', 'forged tokens', 'csrf /refresh', 'csrf /logout'])
      expect(checks).toContain(check)
    for (const check of ['origin /refresh', 'origin /logout', 'rotation', 'logout', 'revocation'])
      expect(checks).toContain(check)
  })

  test('is told as a table, and credentials can come on standard input', async () => {
    const parameters = ['doctor', await startSite(), '--login', '/login', '--credentials', '-']
    const { code, stdout, stderr } = await cli(parameters, { input: `${credentials}\n` })
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^✓ transport +http, on this machine alone$/m)
    expect(stdout).toMatch(/^0 wrong, 0 to look at, \d+ good, 0 not looked at$/m)
    expect(stdout).not.toContain(password)
  })

  test('with --grace a used refresh token is tried again after it', async () => {
    const url = await startSite({ options: { rotationGrace: 1 } })
    const { findings } = await examine(url, '--grace', '2s')
    expect(findings.find(({ check }) => check === 'rotation')).toEqual({
      check: 'rotation',
      verdict: 'good',
      found: 'a refresh token is good once',
    })
  })
})

const corsForAll = rewriting((headers) => {
  headers.set('access-control-allow-origin', '*')
  headers.set('access-control-allow-credentials', 'true')
})
const corsMirror: MiddlewareHandler = async (c, next) => {
  await next()
  c.res.headers.set('access-control-allow-origin', c.req.header('origin') ?? '')
  c.res.headers.set('access-control-allow-credentials', 'true')
}
const traces: MiddlewareHandler = async (c, next) => {
  await next()
  if (c.res.status < 400) return
  c.res = new Response(new Error('no').stack ?? '', { status: c.res.status })
}
const inTheWay = (line: string) => (c: Context) => {
  c.header('cache-control', line)
  return c.json({})
}

const defects: [title: string, bad: readonly string[], defect: Defect][] = [
  ['cookies without Secure', four.map((name) => `secure ${name}`), { options: { cookieSecure: false } }],
  [
    'token cookies without HttpOnly',
    ['httponly access_token_cookie', 'httponly refresh_token_cookie'],
    { around: eachCookie((line) => line.replace('; HttpOnly', '')) },
  ],
  [
    'cookies for other sites',
    four.map((name) => `samesite ${name}`),
    { options: { cookieSamesite: 'none' } },
  ],
  [
    'cookies without SameSite',
    four.map((name) => `samesite ${name}`),
    { around: eachCookie((line) => line.replace('; SameSite=Lax', '')) },
  ],
  [
    'answers that caches may keep',
    ['no-store login', 'no-store refresh', 'no-store logout'],
    { around: rewriting((headers) => headers.delete('cache-control')) },
  ],
  ['no CSRF protection', ['csrf /refresh', 'csrf /logout'], { options: { cookieCsrfProtect: false } }],
  ['no look at origins', ['origin /refresh', 'origin /logout'], { options: { fetchMetadata: false } }],
  ['no store', ['rotation', 'revocation'], { options: { store: undefined } }],
  [
    'a sign-out that revokes nothing',
    ['revocation', 'csrf /logout', 'origin /logout'],
    {
      logout: async (c, auth) => {
        honoAuth(auth).authorize(c).unsetJwtCookies()
        return c.json({})
      },
    },
  ],
  ['stack traces', ['errors'], { around: traces }],
  ['CORS for all with credentials', ['cors'], { around: corsForAll }],
  ['CORS for whoever asks', ['cors'], { around: corsMirror }],
  [
    'a cookie that browsers drop',
    ['size access_token_cookie'],
    {
      login: async (c, auth) => {
        await honoAuth(auth).authorize(c).login('test')
        const { access, refresh } = await tokensOf(auth)
        return new Response('', { headers: cookieLines(access, refresh) })
      },
    },
  ],
  ['no guard', ['forged tokens'], { guarded: (c) => c.json({}) }],
  [
    'a public answer',
    ['forged tokens', 'cache of guarded answers'],
    { guarded: inTheWay('public, max-age=60') },
  ],
  [
    'tokens in the body',
    ['tokens in the answer'],
    {
      login: async (c, auth) => {
        await honoAuth(auth).authorize(c).login('test')
        return c.json({ token: c.res.headers.get('set-cookie') })
      },
    },
  ],
]

/** Made by hand, as the library refuses to. */
async function tokensOf(auth: Auth): Promise<{ access: string; refresh: string }> {
  const access = await auth.createAccessToken('test', { userClaims: { note: 'n'.repeat(3000) } })
  return { access, refresh: await auth.createRefreshToken('test') }
}

function cookieLines(access: string, refresh: string): [string, string][] {
  const scope = 'Path=/; HttpOnly; Secure; SameSite=Lax'
  return [
    ['set-cookie', `access_token_cookie=${access}; ${scope}`],
    ['set-cookie', `refresh_token_cookie=${refresh}; ${scope}`],
    ['cache-control', 'no-store'],
  ]
}

describe('a site with one defect', () => {
  test.each(defects)('%s: that is found, with a fix, and nothing else', async (_, expected, defect) => {
    const { code, findings, bad } = await examine(await startSite(defect))
    expect(bad.toSorted((a, b) => a.localeCompare(b))).toEqual(
      [...expected].toSorted((a, b) => a.localeCompare(b)),
    )
    expect(code).toBe(1)
    for (const { verdict, fix } of findings) if (verdict === 'bad') expect(fix).toBeTruthy()
  })
})

describe('what cannot be done', () => {
  test.each([
    ['no address', ['x'], 2, 'URL must be that of the site'],
    ['another scheme', ['ftp://127.0.0.1/'], 2, 'URL must be that of the site'],
    ['a password in the address', [`http://test:${password}@127.0.0.1/`], 2, 'TALLYSTICK_CREDENTIALS'],
    ['credentials as an option', ['http://127.0.0.1:1', '--password', password], 2, 'TALLYSTICK_CREDENTIALS'],
    ['nothing there', ['http://127.0.0.1:1', '--login', '/login'], 3, 'nothing listens there'],
    ['a route that is none', ['http://127.0.0.1:1', '--login', 'login'], 2, '--login must be a path'],
    [
      'a route on another host',
      ['http://127.0.0.1:1', '--login', '//evil.example'],
      2,
      '--login must be a path',
    ],
    ['the same with a backslash', ['http://127.0.0.1:1', '--login', '/\\evil.example'], 2, '--login must be'],
    ['a path in the address', ['http://127.0.0.1:1/app'], 2, 'URL must end with the host'],
    ['a user in the address', ['http://somebody@127.0.0.1:1'], 2, 'URL must end with the host'],
    ['a grace without end', ['http://127.0.0.1:1', '--grace', '9h'], 2, '--grace must be'],
  ])('%s is told in a sentence', async (_, parameters, exitCode, message) => {
    const { code, stdout, stderr } = await cli(['doctor', ...parameters])
    expect({ code, stdout }).toEqual({ code: exitCode, stdout: '' })
    expect(stderr).toContain(message)
    expect(stderr).not.toContain(password)
    expect(stderr).not.toMatch(stackTrace)
  })

  test('credentials that the site refuses are told, and not shown', async () => {
    await writeFile(path('wrong.json'), JSON.stringify({ username: 'test', password: 'wrong-horse' }))
    const parameters = ['--login', '/login', '--credentials', path('wrong.json')]
    const { code, stderr } = await cli(['doctor', await startSite(), ...parameters])
    expect(code).toBe(3)
    expect(stderr).toContain('was answered with 401 and set no cookie with a token')
    expect(stderr).not.toContain('wrong-horse')
  })

  test('without --login only the open part is looked at, which is told', async () => {
    const { code, stdout } = await cli(['doctor', await startSite()])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^- sign-in +--login tells where/m)
  })

  test('a server that answers nonsense without end does not hold it up', async () => {
    const server = createServer((_, response) => {
      response.setHeader('set-cookie', ['=', 'a', ';;;', `x=${'ey'.repeat(2000)}.e30.x; Domain`])
      const more = (): void =>
        void (response.destroyed || (response.write('x'.repeat(65_536)), setImmediate(more)))
      more()
    })
    servers.push(server)
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const { code, stderr } = await cli(['doctor', url, '--login', '/login'])
    expect([1, 3]).toContain(code)
    expect(stderr).not.toMatch(stackTrace)
  })

  test.each([
    [
      'changes the protocol',
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n',
      'it changed the protocol',
    ],
    ['never comes to an end', 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx', 'there was no answer in time'],
    ['hangs up at once', null, 'the connection was cut'],
  ])('a server that %s is told', async (_, answer, message) => {
    const server = createTcpServer((socket) => {
      socket.on('error', () => undefined)
      if (answer === null) socket.destroy()
      else socket.once('data', () => socket.write(answer))
    })
    servers.push(server)
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const { code, stdout, stderr } = await cli(['doctor', url])
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' })
    expect(stderr).toContain(message)
  })
})
