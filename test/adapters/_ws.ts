// A server of node:http with the package ws behind wsAuth, and clients that send whatever a test wants.

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import { connect as connectTo } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { WebSocket, WebSocketServer } from 'ws'
import type { RawData } from 'ws'
import { selectProtocol, wsAuth } from '../../src/adapters/ws.ts'
import type { UpgradeMiddleware, WsAuth, WsOptions } from '../../src/adapters/ws.ts'
import type { AnyUserClaims, Auth, SocketSession } from '../../src/index.ts'

export interface LiveSockets {
  readonly ws: WsAuth<AnyUserClaims, unknown>
  readonly wss: WebSocketServer
  readonly server: Server
  readonly host: string
  readonly origin: string
  /** What the application was given: the sessions of open sockets, and each message with whom it came from. */
  readonly sessions: SocketSession[]
  readonly messages: string[]
  readonly errors: unknown[]
  close(): Promise<void>
}

export interface SocketSetup {
  readonly options?: WsOptions
  /** @default jwtRequired() */
  readonly guard?: (ws: WsAuth<AnyUserClaims, unknown>) => UpgradeMiddleware
  readonly host?: string
}

const textOf = (data: RawData): string => (Buffer.isBuffer(data) ? data.toString() : '')

/** Echoes each message with the name of its sender. */
export async function listenForSockets(
  auth: Auth,
  { options, guard = ({ jwtRequired }) => jwtRequired(), host = '127.0.0.1' }: SocketSetup = {},
): Promise<LiveSockets> {
  const errors: unknown[] = []
  const ws = wsAuth(auth, { onError: (error) => errors.push(error), ...options })
  const wss = new WebSocketServer({ noServer: true, handleProtocols: selectProtocol })
  const sessions: SocketSession[] = []
  const messages: string[] = []
  const open = ws.accept((socket: WebSocket, session) => {
    sessions.push(session)
    socket.on('message', (data) => {
      messages.push(`${session.getRawJwt()?.sub ?? 'nobody'}: ${textOf(data)}`)
      socket.send(textOf(data))
    })
    socket.send('welcome')
  })
  const server = createServer((_request, response) => response.end('plain'))
  server.on(
    'upgrade',
    guard(ws)((request, socket, head) => wss.handleUpgrade(request, socket, head, open)),
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    ws,
    wss,
    server,
    host: `${host}:${port}`,
    origin: `http://${host}:${port}`,
    sessions,
    messages,
    errors,
    async close() {
      for (const client of wss.clients) client.terminate()
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

/** A client that keeps what it got. */
export class Client {
  readonly socket: WebSocket
  readonly received: string[] = []
  /** `open`, or the status and the code of the refusal. */
  readonly outcome: Promise<string>
  /** Code and reason. */
  readonly closed: Promise<string>

  constructor(
    host: string,
    headers: Readonly<Record<string, string>> = {},
    protocols: string[] = [],
    path = '/',
  ) {
    this.socket = new WebSocket(`ws://${host}${path}`, protocols, { headers: { ...headers } })
    this.socket.on('message', (data) => this.received.push(textOf(data)))
    this.closed = new Promise((resolve) => {
      this.socket.once('close', (code, reason) => resolve(`${code} ${reason.toString()}`))
    })
    this.outcome = new Promise((resolve) => {
      this.socket.once('open', () => resolve('open'))
      this.socket.on('error', (error) => resolve(error.message))
      this.socket.once('unexpected-response', (_request, response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (part) => (text += part))
        response.once('end', () => {
          const code = text.startsWith('{') ? (JSON.parse(text) as { code: string }).code : text
          resolve(`${response.statusCode} ${code}`)
        })
      })
    })
  }

  /** The next message, or those that are there. */
  async message(count = 1): Promise<string> {
    while (this.received.length < count) await once(this.socket, 'message')
    return this.received[count - 1] ?? ''
  }
}

/** Sends bytes, and gives all that came back until the server let go. */
export async function sendBytes(host: string, bytes: string): Promise<string> {
  const socket = openBytes(host)
  socket.write(bytes)
  let text = ''
  socket.setEncoding('latin1').on('data', (part) => (text += String(part)))
  socket.on('end', () => socket.end())
  await once(socket, 'close')
  return text
}

/** A connection that keeps its side open when the server closes. */
export function openBytes(host: string): Socket {
  const [name = '', port] = host.split(':')
  const socket = connectTo({ host: name, port: Number(port), allowHalfOpen: true })
  socket.on('error', () => undefined)
  return socket
}

/** The head of a handshake as bytes. */
export function handshake(headers: readonly string[], line = 'GET / HTTP/1.1'): string {
  return [
    line,
    'Host: 127.0.0.1',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
    ...headers,
    '',
    '',
  ].join('\r\n')
}
