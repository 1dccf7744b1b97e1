/** The raw side of a handshake: what runs before the WebSocket is there, and refusals on the bare stream. */

import { csrfProtocolPrefix } from '../core/csrf.ts'
import { AuthError, titleOf } from '../core/errors.ts'
import { isHandshake } from '../core/request.ts'
import type { AuthRequest } from '../core/request.ts'
import { refuseCookies } from './_no-cookies.ts'
import type { NoCookies } from './_no-cookies.ts'

/** What is used of the stream under a handshake. */
export interface HandshakeStream {
  readonly destroyed: boolean
  /** Of a network socket; it counts earlier answers on the same connection too. */
  readonly bytesWritten?: number
  on(event: 'error', listener: () => void): unknown
  once(event: 'finish', listener: () => void): unknown
  end(text: string): unknown
  destroy(): unknown
}

/** Stand-ins for the methods that do not work in a handshake. */
export const noCookies: NoCookies = refuseCookies(
  'A WebSocket handshake sets no cookies: call login(), refresh() and logout() in an HTTP route, and then open the socket, or renew() it',
)

/** Runs what is to answer a handshake, and answers it where that throws; the stream is never left hanging. */
export function answerHandshake(
  request: AuthRequest,
  stream: HandshakeStream,
  run: () => Promise<void>,
  report: (error: unknown) => void,
): void {
  // Node takes its own listener away before it emits `upgrade`: a client that resets would end the process.
  stream.on('error', () => stream.destroy())
  const before = stream.bytesWritten
  // Anything else that carries `Upgrade`, a CORS preflight among it, has no business here (RFC 6455 section 4.1).
  if (!isHandshake(request)) {
    writeAnswer(stream, '400 Bad Request')
    return
  }
  run().catch((error: unknown) => {
    if (!AuthError.is(error)) report(error)
    // What speaks WebSocket already, or has been answered, takes no HTTP any more.
    if (stream.destroyed || stream.bytesWritten !== before) stream.destroy()
    else if (AuthError.is(error)) refuse(error, stream)
    else writeAnswer(stream, '500 Internal Server Error')
  })
}

function refuse(error: AuthError, stream: HandshakeStream): void {
  writeAnswer(stream, `${error.status} ${titleOf(error.status)}`, error.headers, JSON.stringify(error))
}

function writeAnswer(
  stream: HandshakeStream,
  status: string,
  headers: Readonly<Record<string, string>> = {},
  body = '',
): void {
  const all = { ...headers, 'content-length': String(Buffer.byteLength(body)), connection: 'close' }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`)
  // A client that keeps its side open must not keep ours.
  stream.once('finish', () => stream.destroy())
  stream.end(`HTTP/1.1 ${status}\r\n${lines.join('\r\n')}\r\n\r\n${body}`)
}

/** A guard that was put where its listener belongs would leave every handshake hanging. @throws {TypeError} */
export function demandListener(listener: unknown): void {
  if (typeof listener === 'function') return
  throw new TypeError(
    "A guard of wsAuth() wraps a listener: server.on('upgrade', jwtRequired()((request, socket, head) => …))",
  )
}

/** Refuses a socket that has told its CSRF value as the subprotocol chosen. @throws {TypeError} */
export function demandProtocol(chosen: string): void {
  if (!chosen.startsWith(csrfProtocolPrefix)) return
  throw new TypeError(
    'The CSRF value was chosen as the subprotocol: pass handleProtocols: selectProtocol to the WebSocketServer',
  )
}
