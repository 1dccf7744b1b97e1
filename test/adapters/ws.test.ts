// What is special about WebSockets: who may open one, when it is closed, and how it goes on. With real servers and clients.

import { once } from 'node:events'
import type { Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createAuth } from '../../src/index.ts'
import type { Auth, AuthOptions, Store } from '../../src/index.ts'
import { wsAuth } from '../../src/adapters/ws.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { sqliteStore } from '../../src/stores/sqlite.ts'
import Database from 'libsql'
import { faultyStore } from '../_faulty-store.ts'
import { codeOf, createClock, forge, secretKey, setup, startSeconds } from '../_setup.ts'
import { createSite } from '../_sessions.ts'
import type { Browser } from '../_sessions.ts'
import { Client, handshake, listenForSockets, openBytes, sendBytes } from './_ws.ts'
import type { LiveSockets, SocketSetup } from './_ws.ts'

const ends: (() => unknown)[] = []
const unhandled: unknown[] = []
const note = (reason: unknown): number => unhandled.push(reason)

beforeEach(() => {
  process.on('unhandledRejection', note)
  process.on('uncaughtException', note)
})
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
  process.off('unhandledRejection', note)
  process.off('uncaughtException', note)
  // oxlint-disable-next-line vitest/no-standalone-expect -- true of every test here
  expect(unhandled.splice(0)).toEqual([])
})

/** A listening server, and what Ada's browser would send to it. */
async function listen(auth: Auth, socketSetup?: SocketSetup, subject = 'ada') {
  const live = await listenForSockets(auth, socketSetup)
  ends.push(
    () => live.close(),
    () => auth.close(),
  )
  const token = await auth.createAccessToken(subject)
  return { ...live, auth, ...visitor(live, auth, token) }
}

function visitor(live: LiveSockets, auth: Auth, token: string) {
  const csrf = auth.getUnverifiedJwtClaims(token)['csrf'] as string
  return {
    token,
    csrf,
    headers: { cookie: `access_token_cookie=${token}`, origin: live.origin } as Record<string, string>,
    protocols: ['chat', `tallystick.csrf.${csrf}`],
  }
}

function connect(...parameters: ConstructorParameters<typeof Client>): Client {
  const client = new Client(...parameters)
  ends.push(() => client.socket.terminate())
  return client
}

const sibling = 'http://evil.localhost'

describe('a handshake with the token in a cookie', () => {
  test('opens the socket for a page of the same site that sends the CSRF value', async () => {
    const { host, headers, protocols, messages } = await listen(setup().auth)
    const client = connect(host, headers, protocols)
    expect(await client.outcome).toBe('open')
    expect(client.socket.protocol).toBe('chat')
    expect(await client.message()).toBe('welcome')
    client.socket.send('hello')
    expect(await client.message(2)).toBe('hello')
    expect(messages).toEqual(['ada: hello'])
  })

  type Sent = Awaited<ReturnType<typeof listen>>
  const without = ({ headers }: Sent, name: string): Record<string, string> =>
    Object.fromEntries(Object.entries(headers).filter(([header]) => header !== name))
  const from = (origin: string) => ({
    headers: ({ headers }: Sent) => ({ ...headers, origin }),
  })
  const offering = (...offered: string[]) => ({
    protocols: ({ csrf }: Sent) => offered.map((name) => name.replace('CSRF', csrf)),
  })

  const refusals: readonly {
    readonly title: string
    readonly options?: AuthOptions
    readonly headers?: (sent: Sent) => Record<string, string>
    readonly protocols?: (sent: Sent) => string[]
    readonly path?: (sent: Sent) => string
    readonly answer: string
  }[] = [
    {
      title: 'without an origin',
      headers: (sent) => without(sent, 'origin'),
      answer: '403 origin_forbidden',
    },
    { title: 'from the origin null', ...from('null'), answer: '403 origin_forbidden' },
    { title: 'from a foreign origin', ...from('https://evil.example'), answer: '403 origin_forbidden' },
    { title: 'from another port', ...from('http://127.0.0.1:1'), answer: '403 origin_forbidden' },
    { title: 'from a sibling host', ...from(sibling), answer: '403 origin_forbidden' },
    { title: 'from two origins', ...from('http://127.0.0.1, null'), answer: '403 origin_forbidden' },
    { title: 'from an empty origin', ...from(''), answer: '403 origin_forbidden' },
    {
      title: 'that its browser calls same-site',
      headers: ({ headers }) => ({ ...headers, 'sec-fetch-site': 'same-site' }),
      answer: '403 origin_forbidden',
    },
    {
      title: 'that its browser calls cross-site, where fetch metadata are off',
      options: { fetchMetadata: false },
      headers: ({ headers }) => ({ ...headers, 'sec-fetch-site': 'cross-site' }),
      answer: '403 origin_forbidden',
    },
    {
      title: 'from a foreign origin, where fetch metadata are off',
      options: { fetchMetadata: false },
      ...from('https://evil.example'),
      answer: '403 origin_forbidden',
    },
    {
      title: 'from a foreign origin, where CSRF protection is off',
      options: { cookieCsrfProtect: false },
      ...from('https://evil.example'),
      answer: '403 origin_forbidden',
    },
    {
      title: 'without an origin, where both are off',
      options: { cookieCsrfProtect: false, fetchMetadata: false },
      headers: (sent) => without(sent, 'origin'),
      answer: '403 origin_forbidden',
    },
    {
      title: 'of a method that csrfMethods leaves out',
      options: { csrfMethods: ['POST'] },
      ...offering('chat'),
      answer: '401 csrf_missing',
    },
    { title: 'without a CSRF value', protocols: () => [], answer: '401 csrf_missing' },
    { title: 'with another subprotocol alone', ...offering('chat'), answer: '401 csrf_missing' },
    { title: 'with an empty CSRF value', ...offering('tallystick.csrf.'), answer: '401 csrf_missing' },
    { title: 'with a wrong CSRF value', ...offering('tallystick.csrf.x'), answer: '401 csrf_mismatch' },
    {
      title: 'with the CSRF value in capitals',
      protocols: ({ csrf }) => [`tallystick.csrf.${csrf.toUpperCase()}`],
      answer: '401 csrf_mismatch',
    },
    {
      title: 'with two CSRF values, one of them right',
      ...offering('tallystick.csrf.CSRF', 'tallystick.csrf.x'),
      answer: '401 csrf_mismatch',
    },
    {
      title: 'with the CSRF value in the URL',
      path: ({ csrf }) => `/?csrf_token=${csrf}&csrf=${csrf}&x-csrf-token=${csrf}`,
      protocols: () => [],
      answer: '401 csrf_missing',
    },
    {
      title: 'with the CSRF cookie alone',
      headers: ({ headers, csrf }) => ({
        ...headers,
        cookie: `${headers['cookie']}; csrf_access_token=${csrf}`,
      }),
      protocols: () => [],
      answer: '401 csrf_missing',
    },
    { title: 'without a cookie', headers: (sent) => without(sent, 'cookie'), answer: '401 token_missing' },
    {
      title: 'with two token cookies',
      headers: ({ headers }) => ({ ...headers, cookie: `${headers['cookie']}; access_token_cookie=x` }),
      answer: '401 cookie_ambiguous',
    },
    {
      title: 'with a token that is none',
      headers: ({ headers }) => ({ ...headers, cookie: 'access_token_cookie=a.b.c' }),
      answer: '401 token_invalid',
    },
    {
      title: 'with the token in the URL',
      headers: (sent) => without(sent, 'cookie'),
      path: ({ token }) => `/?jwt=${token}&token=${token}&access_token_cookie=${token}`,
      answer: '401 token_missing',
    },
    {
      title: 'with the token as the subprotocol',
      headers: (sent) => without(sent, 'cookie'),
      protocols: ({ token }) => [`tallystick.token.${token}`],
      answer: '401 token_missing',
    },
  ]

  test.each(refusals)('$title is refused before a socket opens', async (refusal) => {
    const { auth, events } = setup(refusal.options)
    const sent = await listen(auth)
    const client = connect(
      sent.host,
      (refusal.headers ?? ((all) => all.headers))(sent),
      (refusal.protocols ?? ((all) => all.protocols))(sent),
      refusal.path?.(sent),
    )
    expect(await client.outcome).toBe(refusal.answer)
    expect(sent.sessions).toEqual([])
    expect(events).toMatchObject([{ type: 'rejected', code: refusal.answer.slice(4) }])
    // The next one is none the worse.
    expect(await connect(sent.host, sent.headers, sent.protocols).outcome).toBe('open')
  })

  test.each([
    [
      'from a trusted origin',
      { trustedOrigins: ['https://front.example'] },
      { origin: 'https://front.example' },
    ],
    [
      'that its browser calls same-origin behind a proxy',
      {},
      { origin: 'https://a.example', 'sec-fetch-site': 'same-origin' },
    ],
  ])('%s opens the socket', async (_title, options, changes) => {
    const { host, headers, protocols } = await listen(setup(options).auth)
    expect(await connect(host, { ...headers, ...changes }, protocols).outcome).toBe('open')
  })

  test('where CSRF protection is off, the origin alone decides', async () => {
    const { host, headers } = await listen(setup({ cookieCsrfProtect: false }).auth)
    expect(await connect(host, headers).outcome).toBe('open')
  })

  test('with an expired token is refused', async () => {
    const { auth, clock } = setup()
    const { host, headers, protocols } = await listen(auth)
    clock.advance(900)
    expect(await connect(host, headers, protocols).outcome).toBe('401 token_expired')
  })

  test('is answered as any request is: problem+json, a challenge, and the end of the connection', async () => {
    const { host, origin } = await listen(setup().auth)
    const text = await sendBytes(host, handshake([`Origin: ${origin}`]))
    const [head = '', body = ''] = text.split('\r\n\r\n')
    expect(head.split('\r\n').toSorted()).toEqual([
      'HTTP/1.1 401 Unauthorized',
      'cache-control: no-store',
      'connection: close',
      `content-length: ${body.length}`,
      'content-type: application/problem+json',
      'www-authenticate: Bearer',
    ])
    expect(JSON.parse(body)).toMatchObject({ status: 401, code: 'token_missing' })
  })
})

describe('a handshake with the token elsewhere', () => {
  test.each([
    ['headers', ({ token }: { token: string }) => ({ authorization: `Bearer ${token}` }), () => '/'],
    ['query', () => ({}), ({ token }: { token: string }) => `/?jwt=${token}`],
  ] as const)('needs no origin and no CSRF value: %s', async (location, headers, path) => {
    const sent = await listen(setup({ tokenLocation: ['cookies', location] }).auth)
    expect(await connect(sent.host, headers(sent) as Record<string, string>, [], path(sent)).outcome).toBe(
      'open',
    )
    expect(sent.sessions[0]?.subject()).toBe('ada')
  })

  test('by an explicit location of one guard', async () => {
    const guard: SocketSetup['guard'] = ({ jwtRequired }) => jwtRequired({ locations: ['query'] })
    const { host, token, headers, protocols } = await listen(setup().auth, { guard })
    expect(await connect(host, {}, [], `/?jwt=${token}`).outcome).toBe('open')
    expect(await connect(host, headers, protocols).outcome).toBe('401 token_missing')
  })
})

describe('the other guards', () => {
  test('jwtOptional opens a socket for nobody, which has nothing to renew', async () => {
    const { host, origin, sessions } = await listen(setup().auth, { guard: (ws) => ws.jwtOptional() })
    const client = connect(host, { origin })
    expect(await client.message()).toBe('welcome')
    expect(sessions[0]?.getRawJwt()).toBeNull()
    expect(() => sessions[0]?.subject()).toThrow(TypeError)
    await expect(sessions[0]?.renew('x')).rejects.toThrow(TypeError)
  })

  test('freshJwtRequired and jwtRefreshTokenRequired refuse what they refuse elsewhere', async () => {
    const { auth } = setup()
    const fresh = await listen(auth, { guard: (ws) => ws.freshJwtRequired() })
    expect(await connect(fresh.host, fresh.headers, fresh.protocols).outcome).toBe('401 fresh_token_required')
    const refresh = await listen(auth, {
      guard: (ws) => ws.jwtRefreshTokenRequired({ locations: ['headers'] }),
    })
    const bearer = { authorization: `Bearer ${refresh.token}` }
    expect(await connect(refresh.host, bearer).outcome).toBe('401 wrong_token_type')
  })

  test('authErrors answers what a guard by hand refuses, with the CSRF value in the URL where that is asked for', async () => {
    const guard: SocketSetup['guard'] =
      ({ authErrors, authorize }) =>
      (listener) =>
        authErrors(async (request, socket, head) => {
          const csrfToken = new URL(request.url ?? '', 'ws://x').searchParams.get('csrf') ?? undefined
          await authorize(request).jwtRequired({ csrfToken })
          await listener(request, socket, head)
        })
    const { host, headers, csrf, errors } = await listen(setup().auth, { guard })
    expect(await connect(host, headers, [], `/?csrf=${csrf}`).outcome).toBe('open')
    expect(await connect(host, headers, [], '/?csrf=x').outcome).toBe('401 csrf_mismatch')
    expect(await connect(host, headers, [], '/').outcome).toBe('401 csrf_missing')
    const foreign = { ...headers, origin: 'https://evil.example' }
    expect(await connect(host, foreign, [], `/?csrf=${csrf}`).outcome).toBe('403 origin_forbidden')
    expect(errors).toEqual([])
  })
})

describe('bytes that no browser sends', () => {
  const cases: readonly (readonly [string, string, RegExp])[] = [
    [
      'a CORS preflight that asks for an upgrade',
      handshake(['Origin: http://x.example', 'Access-Control-Request-Method: GET'], 'OPTIONS / HTTP/1.1'),
      /^HTTP\/1\.1 400 /,
    ],
    [
      'a POST that asks for an upgrade',
      handshake(['Content-Length: 0'], 'POST / HTTP/1.1'),
      /^HTTP\/1\.1 400 /,
    ],
    ['another protocol', handshake([]).replace('Upgrade: websocket', 'Upgrade: h2c'), /^HTTP\/1\.1 400 /],
    [
      'websocket among other protocols',
      handshake([]).replace('Upgrade: websocket', 'Upgrade: h2c, WebSocket'),
      /^HTTP\/1\.1 401 /,
    ],
    ['a broken list of subprotocols', handshake(['Sec-WebSocket-Protocol: ,,,']), /^HTTP\/1\.1 401 /],
    [
      'a list of 8 kB of commas',
      handshake([`Sec-WebSocket-Protocol: ${','.repeat(8000)}`]),
      /^HTTP\/1\.1 401 /,
    ],
    [
      'no host',
      handshake(['Origin: null', 'Cookie: access_token_cookie=a.b.c']).replace(/Host: .*\r\n/, 'Host:\r\n'),
      /^HTTP\/1\.1 403 /,
    ],
  ]
  test.each(cases)('%s is answered, and the connection ends', async (_title, bytes, answer) => {
    const { host, headers, protocols } = await listen(setup().auth)
    expect(await sendBytes(host, bytes)).toMatch(answer)
    expect(await connect(host, headers, protocols).outcome).toBe('open')
  })

  test('a broken list of subprotocols with the right CSRF value opens nothing either', async () => {
    const { host, headers, csrf, sessions } = await listen(setup().auth)
    const cookie = [`Cookie: ${headers['cookie']}`, `Origin: ${headers['origin']}`]
    const bytes = handshake([...cookie, `Sec-WebSocket-Protocol: ,tallystick.csrf.${csrf}`])
    expect(await sendBytes(host, bytes.replace('Host: 127.0.0.1', `Host: ${host}`))).toMatch(
      /^HTTP\/1\.1 400 /,
    )
    expect(sessions).toEqual([])
  })

  test('a client that keeps its side open is let go of', async () => {
    const { host, server } = await listen(setup().auth)
    const socket = openBytes(host)
    socket.write(handshake([]))
    await once(socket.resume(), 'end')
    await expect.poll(async () => connectionsOf(server)).toBe(0)
    socket.destroy()
  })
})

function connectionsOf(server: LiveSockets['server']): Promise<number> {
  return new Promise((resolve) => server.getConnections((_error, count) => resolve(count)))
}

describe('a handshake that waits for its check', () => {
  test.each([
    ['resets the connection', (socket: Socket) => socket.resetAndDestroy()],
    ['closes the connection', (socket: Socket) => socket.destroy()],
    ['closes its side', (socket: Socket) => socket.end()],
  ])('opens nothing when the client %s meanwhile', async (_title, leave) => {
    let letGo = (): void => undefined
    const asked = new Promise<void>((resolve) => {
      letGo = resolve
    })
    let isAsked = false
    const denylist = async (): Promise<boolean> => {
      isAsked = true
      await asked
      return false
    }
    const { host, headers, csrf, sessions, errors, server } = await listen(setup({ denylist }).auth)
    const socket = openBytes(host)
    socket.write(
      handshake([
        ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
        `Sec-WebSocket-Protocol: chat, tallystick.csrf.${csrf}`,
      ]).replace('Host: 127.0.0.1', `Host: ${host}`),
    )
    await expect.poll(() => isAsked).toBe(true)
    leave(socket)
    await wait(50)
    letGo()
    await expect.poll(async () => connectionsOf(server)).toBe(0)
    expect([sessions, errors]).toEqual([[], []])
  })

  test('is not handed to its listener when the connection is gone', async () => {
    let calls = 0
    const guard: SocketSetup['guard'] = (ws) => () => ws.jwtRequired()(() => calls++)
    const { auth } = setup({ denylist: async () => wait(100, false) })
    const { host, headers, protocols, server } = await listen(auth, { guard })
    // As a server does that has had enough of it.
    server.on('upgrade', (_request, socket) => setTimeout(() => socket.destroy(), 50))
    await connect(host, headers, protocols).outcome
    await wait(150)
    expect(calls).toBe(0)
  })

  test('is answered with 503 when the store is too slow', async () => {
    const { auth } = setup({ denylist: () => new Promise(() => undefined), storeTimeout: 1 })
    const { host, headers, protocols } = await listen(auth)
    expect(await connect(host, headers, protocols).outcome).toBe('503 store_unavailable')
  })

  test('is answered with 500 when the application fails, which is told to onError', async () => {
    const failure = new Error('users are away')
    const { auth } = setup({ userLookup: async () => Promise.reject(failure) })
    const { host, headers, protocols, errors } = await listen(auth)
    expect(await connect(host, headers, protocols).outcome).toBe('500 ')
    expect(errors).toEqual([failure])
  })
})

describe('an open socket', () => {
  async function openOn(options: AuthOptions, socketSetup?: SocketSetup) {
    const site = createSite(options)
    await site.auth.ready()
    const browser = site.browser()
    await browser.login('ada')
    const live = await listen(site.auth, socketSetup)
    const current = () => visitor(live, site.auth, browser.jar['access_token_cookie'] ?? '')
    const open = async (): Promise<Client> => {
      const { headers, protocols } = current()
      const client = connect(live.host, headers, protocols)
      await client.message()
      return client
    }
    return { ...live, ...site, site, browser, current, open }
  }

  /** What the client of a ticket does in a page. */
  const ticketOf = async (browser: Browser): Promise<string> => {
    const { body } = await browser.send('POST', async (authorize) => {
      await authorize.jwtRequired()
      return { ticket: await authorize.createSocketTicket() }
    })
    return String(body['ticket'])
  }

  test('is closed with 4401 when its token expires, and delivers nothing after', async () => {
    const { open, clock, messages, events } = await openOn({})
    const client = await open()
    clock.advance(899)
    await wait(1100)
    client.socket.send('in time')
    expect(await client.message(2)).toBe('in time')
    clock.advance(1)
    expect(await client.closed).toBe('4401 token_expired')
    expect(messages).toEqual(['ada: in time'])
    expect(events.at(-1)).toEqual({ type: 'rejected', code: 'token_expired' })
  })

  test('is closed close to the second, not a round later', async () => {
    const auth = createAuth({ secretKey, accessTokenExpires: 2 })
    const { host, headers, protocols, token } = await listen(auth)
    const client = connect(host, headers, protocols)
    await client.closed
    const late = Date.now() / 1000 - Number(auth.getUnverifiedJwtClaims(token)['exp'])
    expect(late).toBeGreaterThanOrEqual(0)
    expect(late).toBeLessThan(0.5)
  })

  test('delivers nothing of a client that does not answer the closing', async () => {
    const { current, host, clock, messages } = await openOn({})
    const { headers, csrf } = current()
    const socket = openBytes(host)
    socket.write(
      handshake([
        ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
        `Sec-WebSocket-Protocol: chat, tallystick.csrf.${csrf}`,
      ]).replace('Host: 127.0.0.1', `Host: ${host}`),
    )
    let text = ''
    socket.setEncoding('latin1').on('data', (part) => (text += String(part)))
    await expect.poll(() => text).toMatch(/welcome/)
    const frame = (word: string) => Buffer.from([0x81, 0x80 | word.length, 0, 0, 0, 0, ...Buffer.from(word)])
    socket.write(frame('before'))
    await expect.poll(() => messages).toEqual(['ada: before'])
    clock.advance(900)
    await expect.poll(() => text, { timeout: 3000 }).toMatch(/token_expired/)
    socket.write(frame('after'))
    await wait(100)
    expect(messages).toEqual(['ada: before'])
    socket.destroy()
  })

  const stores: readonly (readonly [string, (clock: () => number) => [Store, Store]])[] = [
    [
      'memory',
      (clock) => {
        const store = memoryStore({ clock })
        return [store, store]
      },
    ],
    [
      'SQLite',
      () => {
        const path = `/tmp/tallystick-ws-${crypto.randomUUID()}.sqlite`
        return [sqliteStore(new Database(path)), sqliteStore(new Database(path))]
      },
    ],
  ]
  test.each(stores)(
    'is closed when another Auth on the same store ends the session: %s',
    async (name, make) => {
      const clock = name === 'memory' ? createClock() : () => Date.now() / 1000
      const [here, there] = make(clock)
      const other = createAuth({ secretKey, clock, store: there })
      ends.push(() => other.close())
      const { open, browser, sessions, messages } = await openOn({ clock, store: here })
      const client = await open()
      const mine = sessions[0]?.claims().sid ?? ''
      expect(mine).toBe(browser.claims('access')['sid'])
      await other.sessions.revoke(mine)
      expect(await client.closed).toBe('4401 token_revoked')
      expect(messages).toEqual([])
    },
  )

  test('is closed at once when its own process ends the session, and others stay open', async () => {
    const { open, browser, site, host } = await openOn({})
    const stranger = site.browser()
    await stranger.login('bob')
    const client = await open()
    const bob = visitor(
      { origin: `http://${host}` } as LiveSockets,
      site.auth,
      stranger.jar['access_token_cookie'] ?? '',
    )
    const other = connect(host, bob.headers, bob.protocols)
    await other.message()
    const before = performance.now()
    await browser.logout()
    expect(await client.closed).toBe('4401 token_revoked')
    expect(performance.now() - before).toBeLessThan(700)
    other.socket.send('still here')
    expect(await other.message(2)).toBe('still here')
  })

  test('is closed when its one token is revoked, or all sessions of its user are', async () => {
    const { open, auth, current } = await openOn({})
    const first = await open()
    await auth.revokeToken(current().token)
    expect(await first.closed).toBe('4401 token_revoked')
    const everywhere = await openOn({})
    const second = await everywhere.open()
    await everywhere.auth.sessions.revokeAll('ada')
    expect(await second.closed).toBe('4401 token_revoked')
  })

  test('is closed with 1013 when nobody knows any more what is revoked', async () => {
    const faulty = faultyStore(memoryStore())
    const clock = (): number => Date.now() / 1000
    const { open } = await openOn({ clock, store: faulty.store, maxStaleness: 2, storeTimeout: 1 })
    const client = await open()
    faulty.fail(() => new Promise(() => undefined), 'revocations', 'isRevoked')
    const before = performance.now()
    expect(await client.closed).toBe('1013 store_unavailable')
    expect(performance.now() - before).toBeGreaterThan(700)
  })

  test('asks a denylist in turns, not for every socket each second', { timeout: 20_000 }, async () => {
    let questions = 0
    let isRevoked = false
    const { auth } = setup({
      denylist: () => {
        questions++
        return isRevoked
      },
    })
    const { host, headers, protocols } = await listen(auth)
    const clients = Array.from({ length: 10 }, () => connect(host, headers, protocols))
    await Promise.all(clients.map(async (client) => client.message()))
    questions = 0
    await wait(3300)
    expect(questions).toBeGreaterThanOrEqual(2)
    expect(questions).toBeLessThanOrEqual(4)
    isRevoked = true
    for (const client of clients.slice(0, 5)) expect(await client.closed).toBe('4401 token_revoked')
    isRevoked = false
    for (const client of clients) client.socket.terminate()
    await wait(100)
    questions = 0
    await wait(2200)
    expect(questions, 'for sockets that are gone').toBe(0)
  })

  test('is closed with 1001 when the Auth is closed', async () => {
    const { host, headers, protocols, auth } = await listen(setup().auth)
    const client = connect(host, headers, protocols)
    await client.message()
    await auth.close()
    expect(await client.closed).toBe('1001 going_away')
  })

  describe('renewed in band', () => {
    test('goes on until the end of the newer token, and no longer', async () => {
      const { open, browser, clock, sessions } = await openOn({})
      const client = await open()
      clock.advance(600)
      await browser.refresh()
      const claims = await sessions[0]?.renew(await ticketOf(browser))
      expect(claims).toMatchObject({ sub: 'ada', type: 'access', exp: clock() + 900 })
      expect(sessions[0]?.claims()).toBe(claims)
      clock.advance(899)
      await wait(1100)
      client.socket.send('still here')
      expect(await client.message(2)).toBe('still here')
      clock.advance(1)
      expect(await client.closed).toBe('4401 token_expired')
    })

    test('takes the access token itself from a client that has it', async () => {
      const { open, browser, clock, sessions } = await openOn({})
      await open()
      clock.advance(600)
      await browser.refresh()
      const claims = await sessions[0]?.renew(browser.jar['access_token_cookie'] ?? '')
      expect(claims?.exp).toBe(clock() + 900)
    })

    test('is still closed when the session is ended', async () => {
      const { open, browser, sessions } = await openOn({})
      const client = await open()
      await browser.refresh()
      await sessions[0]?.renew(await ticketOf(browser))
      await browser.logout()
      expect(await client.closed).toBe('4401 token_revoked')
    })

    test('shows a denylist the token, not the ticket', async () => {
      const types: string[] = []
      const { open, browser, sessions } = await openOn({ denylist: ({ type }) => types.push(type) < 0 })
      await open()
      await sessions[0]?.renew(await ticketOf(browser))
      expect(new Set(types)).toEqual(new Set(['access']))
    })

    type Opened = Awaited<ReturnType<typeof openOn>>
    const bad: readonly (readonly [string, (opened: Opened) => Promise<unknown>, string])[] = [
      ['nothing', async () => undefined, 'token_invalid'],
      ['an object', async () => ({ token: 'x' }), 'token_invalid'],
      ['a text', async () => 'x', 'token_invalid'],
      ['10 kB', async () => 'x'.repeat(10_000), 'token_too_large'],
      ['the refresh token', async ({ browser }) => browser.jar['refresh_token_cookie'], 'wrong_token_type'],
      [
        "another user's token",
        async ({ site }) => {
          const bob = site.browser()
          await bob.login('bob')
          return bob.jar['access_token_cookie']
        },
        'token_invalid',
      ],
      [
        "another user's ticket",
        async ({ site }) => {
          const bob = site.browser()
          await bob.login('bob')
          return ticketOf(bob)
        },
        'token_invalid',
      ],
      [
        'a ticket of another session of the same user',
        async ({ site }) => {
          const phone = site.browser()
          await phone.login('ada')
          return ticketOf(phone)
        },
        'token_invalid',
      ],
      [
        'a token of the user without a session',
        async ({ auth }) => auth.createAccessToken('ada'),
        'token_invalid',
      ],
      [
        'a ticket that has expired',
        async ({ browser, clock, sessions }) => {
          const ticket = await ticketOf(browser)
          clock.advance(600)
          await browser.refresh()
          await sessions[0]?.renew(await ticketOf(browser))
          clock.advance(300)
          return ticket
        },
        'token_expired',
      ],
      [
        'a ticket that is older than the last one',
        async ({ browser, clock, sessions }) => {
          const ticket = await ticketOf(browser)
          clock.advance(60)
          await browser.refresh()
          await sessions[0]?.renew(await ticketOf(browser))
          return ticket
        },
        'token_invalid',
      ],
      [
        'a ticket of a token that was revoked alone',
        async ({ browser, auth, clock }) => {
          clock.advance(60)
          await browser.refresh()
          const ticket = await ticketOf(browser)
          await auth.revokeToken(browser.jar['access_token_cookie'] ?? '')
          return ticket
        },
        'token_revoked',
      ],
      [
        'a ticket that does not say in its header that it is one',
        async ({ browser, auth }) =>
          forge({ alg: 'HS256', typ: 'JWT' }, auth.getUnverifiedJwtClaims(await ticketOf(browser))),
        'wrong_token_type',
      ],
      [
        'a token that says in its header that it is a ticket',
        async ({ current, auth }) =>
          forge({ alg: 'HS256', typ: 'ticket+jwt' }, auth.getUnverifiedJwtClaims(current().token)),
        'wrong_token_type',
      ],
      [
        'a ticket with another signature',
        async ({ browser }) => (await ticketOf(browser)).replace(/.{4}$/, 'AAAA'),
        'token_invalid',
      ],
    ]
    test.each(bad)('refuses %s, and stays as it was', async (_title, make, code) => {
      const opened = await openOn({})
      const client = await opened.open()
      const credential = await make(opened)
      const [session] = opened.sessions
      const before = session?.claims()
      expect(await codeOf(() => session?.renew(credential as string))).toBe(code)
      expect(session?.claims()).toBe(before)
      expect(client.socket.readyState).toBe(1)
    })

    test('refuses a user whom the look-up does not know any more', async () => {
      let isKnown = true
      const opened = await openOn({ userLookup: () => (isKnown ? { name: 'Ada' } : null) })
      await opened.open()
      const ticket = await ticketOf(opened.browser)
      isKnown = false
      expect(await codeOf(() => opened.sessions[0]?.renew(ticket))).toBe('user_not_found')
    })

    test('takes no older token that was looked at for longer', async () => {
      const opened = await openOn({
        userLookup: async ({ iat }) => wait(iat === startSeconds + 60 ? 200 : 0, { name: 'Ada' }),
      })
      const { open, browser, clock, sessions } = opened
      await open()
      clock.advance(60)
      await browser.refresh()
      const older = await ticketOf(browser)
      clock.advance(60)
      await browser.refresh()
      const newer = await ticketOf(browser)
      const slow = codeOf(() => sessions[0]?.renew(older))
      const claims = await sessions[0]?.renew(newer)
      expect(await slow).toBe('token_invalid')
      expect(sessions[0]?.claims()).toBe(claims)
    })

    test('does not revive a socket that has been closed', async () => {
      const { open, browser, sessions } = await openOn({})
      const client = await open()
      const ticket = await ticketOf(browser)
      client.socket.terminate()
      await client.closed
      await wait(50)
      expect(await codeOf(() => sessions[0]?.renew(ticket))).toBe('token_expired')
    })
  })

  describe('a ticket', () => {
    test('is no token: every guard and verify() refuse it', async () => {
      const { browser, auth, host, origin, site } = await openOn({ tokenLocation: ['headers', 'cookies'] })
      const ticket = await ticketOf(browser)
      expect(await connect(host, { authorization: `Bearer ${ticket}`, origin }).outcome).toBe(
        '401 wrong_token_type',
      )
      expect(await codeOf(() => auth.verify(ticket))).toBe('wrong_token_type')
      const thief = site.browser()
      thief.jar = { access_token_cookie: ticket, refresh_token_cookie: ticket }
      expect((await thief.get()).code).toBe('wrong_token_type')
      expect(
        (await thief.send('POST', (authorize) => authorize.jwtRequired({ verifyType: false }))).code,
      ).not.toBe('ok')
      thief.jar['csrf_refresh_token'] = 'x'
      expect((await thief.refresh()).code).toBe('wrong_token_type')
    })

    test('has neither the CSRF value nor the freshness of its token', async () => {
      const { browser, auth } = await openOn({})
      const claims = auth.getUnverifiedJwtClaims(await ticketOf(browser))
      expect(Object.keys(claims)).not.toEqual(expect.arrayContaining(['csrf']))
      expect(Object.keys(claims)).not.toEqual(expect.arrayContaining(['fresh']))
      expect(claims['type']).toBe('ticket')
    })

    test('needs a guard for access tokens', async () => {
      const { browser } = await openOn({})
      const refused = browser.send('POST', (authorize) => authorize.createSocketTicket())
      await expect(refused).rejects.toThrow('createSocketTicket() needs a guard that passed')
      const refresh = browser.send(
        'POST',
        async (authorize) => {
          await authorize.jwtRefreshTokenRequired()
          return authorize.createSocketTicket()
        },
        'csrf_refresh_token',
      )
      await expect(refresh).rejects.toThrow('createSocketTicket() needs jwtRequired() before it')
    })
  })
})

describe('the CSRF value as the first message', () => {
  const options = { csrfFrom: 'message', messageTimeout: 0.3 } as const

  test('hands the socket over when it has come, and delivers what comes after', async () => {
    const { host, headers, csrf, sessions, messages } = await listen(setup().auth, { options })
    const client = connect(host, headers)
    expect(await client.outcome).toBe('open')
    await wait(50)
    expect([sessions, client.received]).toEqual([[], []])
    client.socket.send(csrf)
    client.socket.send('at once')
    expect(await client.message(2)).toBe('at once')
    expect(messages).toEqual(['ada: at once'])
  })

  test('holds back what comes while it is checked, and keeps its order', async () => {
    const denylist = async (): Promise<boolean> => wait(50, false)
    const { host, headers, csrf, messages } = await listen(setup({ denylist, verifiedTokenCache: 0 }).auth, {
      options,
    })
    const client = connect(host, headers)
    await client.outcome
    for (const text of [csrf, 'one', 'two', 'three']) client.socket.send(text)
    await client.message(4)
    client.socket.send('four')
    await client.message(5)
    expect(messages).toEqual(['ada: one', 'ada: two', 'ada: three', 'ada: four'])
  })

  type Sent = Awaited<ReturnType<typeof listen>>
  const refusals: readonly (readonly [string, (sent: Sent) => readonly (string | Buffer)[], string])[] = [
    ['that never comes', () => [], '4401 csrf_missing'],
    ['that is empty', () => [''], '4401 csrf_missing'],
    ['that is wrong', () => ['x'], '4401 csrf_mismatch'],
    ['that comes second', ({ csrf }) => ['hello', csrf], '4401 csrf_mismatch'],
    ['with something behind it', ({ csrf }) => [`${csrf} `], '4401 csrf_mismatch'],
    ['of a megabyte', ({ csrf }) => [csrf + 'x'.repeat(1_000_000)], '4401 csrf_mismatch'],
    ['as bytes', ({ csrf }) => [Buffer.from(csrf)], '4401 csrf_missing'],
    ['that is no UTF-8 text of ours', () => ['\u{1F512}'.repeat(100)], '4401 csrf_mismatch'],
  ]
  test.each(refusals)('%s closes the socket, which nobody has seen', async (_title, send, reason) => {
    const sent = await listen(setup().auth, { options })
    const client = connect(sent.host, sent.headers)
    await client.outcome
    for (const data of send(sent)) client.socket.send(data)
    expect(await client.closed).toBe(reason)
    expect([sent.sessions, sent.messages, client.received]).toEqual([[], [], []])
  })

  test('changes nothing about the origin, which is checked before the socket opens', async () => {
    const { host, headers } = await listen(setup().auth, { options })
    const foreign = { ...headers, origin: 'https://evil.example' }
    expect(await connect(host, foreign).outcome).toBe('403 origin_forbidden')
  })

  test('publishes nobody before it has come', async () => {
    const seen: unknown[] = []
    const guard: SocketSetup['guard'] = (ws) => (listener) =>
      ws.jwtRequired()((request, socket, head) => {
        seen.push(ws.authorize(request).getJwtSubject())
        return listener(request, socket, head)
      })
    const { host, headers } = await listen(setup().auth, { options, guard })
    await connect(host, headers).outcome
    expect(seen).toEqual([null])
  })

  test('is not waited for where no cookie was used, or CSRF protection is off', async () => {
    const byHeader = await listen(setup({ tokenLocation: ['headers', 'cookies'] }).auth, { options })
    const client = connect(byHeader.host, { authorization: `Bearer ${byHeader.token}` })
    expect(await client.message()).toBe('welcome')
    const off = await listen(setup({ cookieCsrfProtect: false }).auth, { options })
    expect(await connect(off.host, off.headers).message()).toBe('welcome')
  })

  test('is not held against a token that was revoked meanwhile', async () => {
    const { auth } = createSite()
    await auth.ready()
    const { host, headers, csrf, token, sessions } = await listen(auth, { options: { csrfFrom: 'message' } })
    const client = connect(host, headers)
    await client.outcome
    await auth.revokeToken(token)
    client.socket.send(csrf)
    expect(await client.closed).toBe('4401 token_revoked')
    expect(sessions).toEqual([])
  })

  test('hands over no socket that was closed while it was checked', async () => {
    const denylist = async (): Promise<boolean> => wait(200, false)
    const live = await listen(setup({ denylist }).auth, { options })
    const client = connect(live.host, live.headers)
    await client.outcome
    client.socket.send(live.csrf)
    await wait(50)
    client.socket.terminate()
    await expect.poll(() => live.wss.clients.size).toBe(0)
    await wait(300)
    expect(live.sessions).toEqual([])
  })

  test('leaves nothing behind of a client that goes before it has come', async () => {
    const { host, headers, sessions, wss, errors } = await listen(setup().auth, { options })
    const client = connect(host, headers)
    await client.outcome
    client.socket.terminate()
    await expect.poll(() => wss.clients.size).toBe(0)
    await wait(400)
    expect([sessions, errors]).toEqual([[], []])
  })
})

describe('wrong use', () => {
  test.each(['login', 'refresh', 'logout', 'setAccessCookies', 'unsetJwtCookies'] as const)(
    '%s() is a TypeError that says where it works',
    async (name) => {
      const failures: unknown[] = []
      const guard: SocketSetup['guard'] = (ws) => (listener) =>
        ws.jwtRequired()(async (request, socket, head) => {
          const bound = ws.authorize(request) as unknown as Record<string, (text: string) => unknown>
          try {
            await bound[name]?.('ada')
          } catch (error) {
            failures.push(error)
          }
          await listener(request, socket, head)
        })
      const { host, headers, protocols } = await listen(setup().auth, { guard })
      expect(await connect(host, headers, protocols).outcome).toBe('open')
      expect(failures).toEqual([expect.any(TypeError)])
      expect(String(failures[0])).toMatch(/in an HTTP route/)
    },
  )

  test('accept() without a guard opens nothing', async () => {
    const guard: SocketSetup['guard'] = (ws) => ws.authErrors
    const { host, headers, protocols, errors, messages } = await listen(setup().auth, { guard })
    const client = connect(host, headers, protocols)
    await client.closed
    expect(String(errors[0])).toMatch(/watch\(\) needs a guard that passed/)
    expect([client.received, messages]).toEqual([[], []])
  })

  test('a CSRF value that was chosen as the subprotocol opens nothing', async () => {
    const live = await listen(setup().auth)
    live.wss.options.handleProtocols = (offered: Set<string>) => [...offered].at(-1) ?? false
    const client = connect(live.host, live.headers, live.protocols)
    await client.closed
    expect(String(live.errors[0])).toMatch(/pass handleProtocols: selectProtocol/)
    expect(client.received).toEqual([])
  })

  test('a handler that fails closes its socket with 1011, and is told to onError', async () => {
    const errors: unknown[] = []
    const live = await listen(setup().auth, {
      options: { onError: (error) => errors.push(error) },
      guard: (ws) => (_listener) =>
        ws.jwtRequired()((request, socket, head) =>
          live.wss.handleUpgrade(
            request,
            socket,
            head,
            ws.accept(async () => Promise.reject(new Error('no room'))),
          ),
        ),
    })
    const client = connect(live.host, live.headers, live.protocols)
    expect(await client.closed).toBe('1011 ')
    expect(errors).toEqual([new Error('no room')])
  })

  test.each([
    [{ csrfFrom: 'query' }, /csrfFrom of wsAuth\(\) must be 'protocol' or 'message'/],
    [{ csrfFrom: null }, /csrfFrom/],
    [{ messageTimeout: 0 }, /messageTimeout of wsAuth\(\) must be more than 0/],
    [{ messageTimeout: Number.NaN }, /messageTimeout/],
    [{ messageTimeout: '5' }, /messageTimeout/],
    [{ onError: 'log' }, /onError of wsAuth\(\) must be a function/],
    [{ crsfFrom: 'message' }, /wsAuth\(\) has no option "crsfFrom".*csrfFrom/],
    [null, /wsAuth\(\) takes an object of options/],
  ])('the options %j are a TypeError', (options, message) => {
    expect(() => wsAuth(setup().auth, options as never)).toThrow(TypeError)
    expect(() => wsAuth(setup().auth, options as never)).toThrow(message)
  })

  test('a guard that wraps no listener is told so at the first handshake, instead of leaving it hanging', () => {
    const { jwtRequired } = wsAuth(setup().auth)
    expect(() => jwtRequired()({} as never)).toThrow('A guard of wsAuth() wraps a listener')
    expect(() => jwtRequired({ socket: null } as never)).toThrow(TypeError)
  })

  test('wsAuth() takes only what createAuth gave', () => {
    for (const impostor of [undefined, null, {}, () => undefined]) {
      expect(() => wsAuth(impostor as never)).toThrow('wsAuth() takes what createAuth() gave')
    }
  })
})
