/** That listeners, sockets and sign-ins of WebSockets are typed by the `Auth` they came from; never run. */

import { createServer } from 'node:http'
import { WebSocketServer } from 'ws'
import type { WebSocket } from 'ws'
import { z } from 'zod'
import { selectProtocol, wsAuth } from '../../src/adapters/ws.ts'
import type { UpgradeListener } from '../../src/adapters/ws.ts'
import { createAuth } from '../../src/index.ts'
import { expectNoAny, expectType } from './_assert.ts'
import type { Equal } from './_assert.ts'

const auth = createAuth({
  secretKey: 'x',
  claims: z.object({ role: z.enum(['admin', 'user']) }),
  userLookup: async ({ sub }) => ({ name: sub }),
})
const ws = wsAuth(auth, { csrfFrom: 'message', messageTimeout: 5, onError: (error) => expectUnknown(error) })
const server = createServer()
const wss = new WebSocketServer({ noServer: true, handleProtocols: selectProtocol })

function expectUnknown(error: unknown): void {
  expectNoAny<typeof error>()
}

const guarded = ws.freshJwtRequired({ within: '5m' })((request, socket, head) => {
  const { role } = ws.authorize(request).claims()
  expectType<Equal<typeof role, 'admin' | 'user'>>()
  wss.handleUpgrade(
    request,
    socket,
    head,
    ws.accept((open: WebSocket, session) => {
      const claims = session.claims()
      expectType<Equal<typeof claims.role, 'admin' | 'user'>>()
      const nobody = session.getRawJwt()
      expectType<Equal<typeof nobody, typeof claims | null>>()
      open.on('message', async (data, isBinary) => {
        const renewed = await session.renew(isBinary ? '' : (data as Buffer).toString())
        expectType<Equal<typeof renewed.role, 'admin' | 'user'>>()
      })
    }),
  )
})
server.on('upgrade', guarded)
server.on(
  'upgrade',
  ws.authErrors(async (request) => {
    await ws.authorize(request).jwtRequired({ csrfToken: 'x' })
    const { name } = ws.authorize(request).user()
    expectType<Equal<typeof name, string>>()
  }),
)
wss.on(
  'connection',
  ws.accept((open: WebSocket) => open.send('x')),
)

// @ts-expect-error a guard is made by a call
export const uncalled: UpgradeListener = ws.jwtRequired
// @ts-expect-error and wraps a listener
export const unwrapped: UpgradeListener = ws.jwtRequired()
// @ts-expect-error a handshake sets no cookies
ws.jwtRequired()((request) => ws.authorize(request).login('test'))
// @ts-expect-error nor refreshes
ws.jwtRequired()((request) => ws.authorize(request).refresh())
// @ts-expect-error nor signs out
ws.jwtRequired()((request) => ws.authorize(request).logout())
// @ts-expect-error the URL is no place for it; by hand, csrfToken is
wsAuth(auth, { csrfFrom: 'query' })
// @ts-expect-error what is handed over is a socket
ws.accept((open: string) => open)
// @ts-expect-error a text, not a message
ws.accept((open: WebSocket, session) => open.on('message', (data) => session.renew(data)))
