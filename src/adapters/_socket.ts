/** An open WebSocket of the package `ws`: its first message, and its end. */

import { AuthError } from '../core/errors.ts'
import { settle } from '../core/maybe.ts'
import { ownOptions } from '../core/own.ts'
import { closeCodeOf } from '../core/socket-session.ts'

/** How `wsAuth` works. */
export interface WsOptions {
  /**
   * How pages send the CSRF value: as the subprotocol `tallystick.csrf.<value>` beside a real one, or as the first
   * message, before which `accept` hands the socket to nobody.
   *
   * @default 'protocol'
   */
  readonly csrfFrom?: 'protocol' | 'message' | undefined
  /** How many seconds the first message may take. @default 10 */
  readonly messageTimeout?: number | undefined
  /** Is told what listeners and handlers throw besides refusals; without it, a warning of the process is. */
  readonly onError?: ((error: unknown) => void) | undefined
}

/** What is used of an open WebSocket, of whichever version. */
export interface OpenSocket {
  readonly protocol: string
  close(code: number, reason: string): void
  pause(): void
  resume(): void
  on(event: 'message', listener: (data: unknown, isBinary: boolean) => void): unknown
  once(event: 'close', listener: () => void): unknown
  off(event: 'message', listener: (data: unknown, isBinary: boolean) => void): unknown
  emit(event: 'message', data: unknown, isBinary: boolean): unknown
  removeAllListeners(event: 'message'): unknown
}

/** Judges the options. @throws {TypeError} */
export function readOptions(given: WsOptions): {
  /** What a guard does about the CSRF value; `undefined` for what it does anyway. */
  readonly csrf: 'later' | undefined
  readonly messageMilliseconds: number
  readonly report: (error: unknown) => void
} {
  const options = ownOptions(given, 'wsAuth()', ['csrfFrom', 'messageTimeout', 'onError'])
  const { csrfFrom = 'protocol', messageTimeout = 10, onError = warn } = options
  if (csrfFrom !== 'protocol' && csrfFrom !== 'message') {
    throw new TypeError("csrfFrom of wsAuth() must be 'protocol' or 'message'")
  }
  if (!(typeof messageTimeout === 'number' && messageTimeout > 0 && messageTimeout <= 300)) {
    throw new TypeError('messageTimeout of wsAuth() must be more than 0 and at most 300 seconds')
  }
  if (typeof onError !== 'function') throw new TypeError('onError of wsAuth() must be a function')
  const csrf = csrfFrom === 'message' ? 'later' : undefined
  return { csrf, messageMilliseconds: messageTimeout * 1000, report: onError }
}

/** There is no error handler behind `upgrade`, and silence would be worse than a line on stderr. */
function warn(error: unknown): void {
  const text = 'tallystick: a listener or handler of wsAuth() threw something that is no error'
  globalThis.process?.emitWarning?.(error instanceof Error ? error : text)
}

/** Closes a socket that delivers nothing any more; what still comes until the client answers is read and dropped. */
export function closeSocket(socket: OpenSocket, code: number, reason: string): void {
  socket.removeAllListeners('message')
  socket.close(code, reason)
}

/** RFC 6455 section 7.4.1: a condition that the server did not expect. */
const internalError = 1011

/** Closes a socket for what was thrown: a refusal, or the application's own error, which is reported. */
export function closeFor(error: unknown, socket: OpenSocket, report: (error: unknown) => void): void {
  if (AuthError.is(error)) closeSocket(socket, closeCodeOf(error), error.code)
  else {
    closeSocket(socket, internalError, '')
    report(error)
  }
}

/** Longer texts are no CSRF values, and are not looked at to their end. */
const maxValueBytes = 256

/**
 * Holds the text of the first message against a check ('' for what is none, and for none in time), and opens the socket
 * when it has passed. Messages that come meanwhile are delivered then, or never.
 */
export function afterFirstMessage(
  socket: OpenSocket,
  milliseconds: number,
  check: (text: string) => unknown,
  open: () => void,
  fail: (error: unknown) => void,
): void {
  const held: [data: unknown, isBinary: boolean][] = []
  let state: 'waiting' | 'checking' | 'over' = 'waiting'
  const over = (): boolean => {
    const wasOver = state === 'over'
    state = 'over'
    clearTimeout(timer)
    socket.off('message', take)
    return wasOver
  }
  const pass = (): void => {
    if (over()) return
    open()
    for (const [data, isBinary] of held) socket.emit('message', data, isBinary)
    socket.resume()
  }
  const refuse = (error: unknown): void => {
    if (over()) return
    fail(error)
    // Or the client's own closing would never be read.
    socket.resume()
  }
  const take = (data: unknown, isBinary: boolean): void => {
    if (state === 'checking') {
      held.push([data, isBinary])
      return
    }
    state = 'checking'
    const text = !isBinary && Buffer.isBuffer(data) ? data.toString('utf8', 0, maxValueBytes) : ''
    try {
      const checked = settle(check(text))
      if (!(checked instanceof Promise)) {
        pass()
        return
      }
      // One chunk can hold more messages than this one: those come all the same.
      socket.pause()
      checked.then(pass, refuse)
    } catch (error) {
      refuse(error)
    }
  }
  const timer = setTimeout(() => state === 'waiting' && take('', true), milliseconds)
  timer.unref?.()
  socket.on('message', take)
  socket.once('close', over)
}
