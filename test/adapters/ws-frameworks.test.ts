// The web sockets of Hono and Fastify behind their own guards: a handshake is one in every adapter.

import { serve, upgradeWebSocket } from '@hono/node-server'
import websocket from '@fastify/websocket'
import fastify from 'fastify'
import { Hono } from 'hono'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { WebSocketServer } from 'ws'
import { fastifyAuth } from '../../src/adapters/fastify.ts'
import { honoAuth } from '../../src/adapters/hono.ts'
import { webAuth } from '../../src/adapters/web.ts'
import { selectProtocol, wsAuth } from '../../src/adapters/ws.ts'
import type { Auth, SocketSession } from '../../src/index.ts'
import { setup } from '../_setup.ts'
import { Client } from './_ws.ts'

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
})

/** Listens, and gives the port. */
type Start = (auth: Auth) => Promise<number>

const onHono: Start = async (auth) => {
  const { authorize, jwtRequired } = honoAuth(auth)
  const app = new Hono()
  app.get(
    '/socket',
    jwtRequired(),
    upgradeWebSocket((c) => {
      // Before the socket opens: what no guard let through gets no further than this.
      const bound = authorize(c)
      let session: SocketSession | undefined
      return {
        onOpen(_event, socket) {
          session = bound.watch((code, reason) => socket.close(code, reason))
          socket.send(session.subject())
        },
        onClose: () => session?.stop(),
      }
    }),
  )
  const wss = new WebSocketServer({ noServer: true, handleProtocols: selectProtocol })
  const server = serve({
    fetch: app.fetch,
    port: 0,
    hostname: '127.0.0.1',
    websocket: { server: wss as unknown as NoServer },
  })
  ends.push(() => server.close())
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

const onFastify: Start = async (auth) => {
  const { authErrors, jwtRequired } = fastifyAuth(auth)
  const { accept } = wsAuth(auth)
  const app = fastify()
  await app.register(authErrors)
  await app.register(websocket, { options: { handleProtocols: selectProtocol } })
  app.get('/socket', { websocket: true, onRequest: jwtRequired() }, (socket, request) =>
    accept((open: typeof socket, session) => open.send(session.subject()))(socket, request.raw),
  )
  ends.push(() => app.close())
  await app.listen({ port: 0, host: '127.0.0.1' })
  return (app.server.address() as AddressInfo).port
}

/** Under `exactOptionalPropertyTypes` the types of Hono's server and of `ws` do not fit. */
type NoServer = NonNullable<Parameters<typeof serve>[0]['websocket']>['server']

const cases = { Hono: onHono, Fastify: onFastify }

describe.each(Object.entries(cases))('a web socket of %s', (_name, start) => {
  async function open() {
    const { auth, clock } = setup()
    const port = await start(auth)
    const host = `127.0.0.1:${port}`
    const token = await auth.createAccessToken('ada')
    const csrf = auth.getUnverifiedJwtClaims(token)['csrf'] as string
    const headers = { cookie: `access_token_cookie=${token}`, origin: `http://${host}` }
    const connect = (
      changes: Record<string, string> = {},
      protocols = ['chat', `tallystick.csrf.${csrf}`],
    ) => {
      const client = new Client(host, { ...headers, ...changes }, protocols, '/socket')
      ends.push(() => client.socket.terminate())
      return client
    }
    return { connect, clock }
  }

  test('opens for a page of the same site with the CSRF value, and closes with 4401', async () => {
    const { connect, clock } = await open()
    const client = connect()
    expect(await client.message()).toBe('ada')
    expect(client.socket.protocol).toBe('chat')
    clock.advance(900)
    expect(await client.closed).toBe('4401 token_expired')
  })

  test.each([
    ['a foreign origin', { origin: 'https://evil.example' }, undefined, 403],
    ['the origin null', { origin: 'null' }, undefined, 403],
    ['no CSRF value', {}, ['chat'], 401],
    ['a wrong CSRF value', {}, ['chat', 'tallystick.csrf.x'], 401],
    ['no cookie', { cookie: 'a=b' }, undefined, 401],
    ['two cookies', { cookie: 'access_token_cookie=a; access_token_cookie=b' }, undefined, 401],
  ])('is refused to %s', async (_title, changes, protocols, status) => {
    const { connect } = await open()
    const client = connect(changes, protocols)
    expect(await client.outcome).toMatch(new RegExp(`^${status} `))
    expect(client.received).toEqual([])
  })
})

// Deno, Bun and Workers upgrade from a handler of Request and Response: the guard stands before it.
describe('a handshake as a Request', () => {
  test.each([
    ['from its own origin, with the CSRF value', {}, 200],
    ['from its own origin, without', { 'sec-websocket-protocol': 'chat' }, 'csrf_missing'],
    ['from another origin', { origin: 'https://evil.example' }, 'origin_forbidden'],
    [
      'that writes Upgrade in capitals',
      { origin: 'https://evil.example', upgrade: 'WebSocket' },
      'origin_forbidden',
    ],
    [
      'among other protocols',
      { origin: 'https://evil.example', upgrade: 'h2c, websocket' },
      'origin_forbidden',
    ],
    ['that is none, from another origin', { origin: 'https://evil.example', upgrade: 'h2c' }, 200],
  ])('%s', async (_title, changes, expected) => {
    const { auth } = setup()
    const { jwtRequired } = webAuth(auth)
    const token = await auth.createAccessToken('ada')
    const csrf = auth.getUnverifiedJwtClaims(token)['csrf'] as string
    const headers = {
      upgrade: 'websocket',
      host: 'app.example',
      origin: 'https://app.example',
      cookie: `access_token_cookie=${token}`,
      'sec-websocket-protocol': `chat, tallystick.csrf.${csrf}`,
      ...changes,
    }
    const handler = jwtRequired()((_request: Request) => new Response('open'))
    const response = await handler(new Request('https://app.example/socket', { headers }))
    const { code } = response.ok ? { code: response.status } : ((await response.json()) as { code: string })
    expect(code).toBe(expected)
  })
})
