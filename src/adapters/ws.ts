/** Upgrades of node:http for `ws` and its kin: guards around the listener, sockets that close when their token ends. */

import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Auth } from '../core/auth.ts'
import type { Authorize } from '../core/authorize.ts'
import { csrfProtocolPrefix } from '../core/csrf.ts'
import type { Guard } from '../core/guard.ts'
import type { UserClaimsOutput, UserClaimsSchema } from '../core/schema.ts'
import type { SocketSession } from '../core/socket-session.ts'
import { createGuards } from './_guards.ts'
import type { Guards } from './_guards.ts'
import { answerHandshake, demandListener, demandProtocol, noCookies } from './_handshake.ts'
import { noResponse } from './_no-cookies.ts'
import type { CookieMethod } from './_no-cookies.ts'
import { NodeRequest } from './_node.ts'
import { afterFirstMessage, closeFor, closeSocket, readOptions } from './_socket.ts'
import type { OpenSocket, WsOptions } from './_socket.ts'

export type { OpenSocket, WsOptions } from './_socket.ts'

/** Listens to `upgrade` of a server. */
export type UpgradeListener = (request: IncomingMessage, socket: Duplex, head: Buffer) => unknown

/** Wraps a listener, which then gets only the handshakes that pass; all others are answered. */
export type UpgradeMiddleware = (
  listener: UpgradeListener,
) => (request: IncomingMessage, socket: Duplex, head: Buffer) => void

/** An `Authorize` without what sets cookies, which the answer to a handshake cannot do reliably. */
export type WsAuthorize<Schema extends UserClaimsSchema, User> = Omit<Authorize<Schema, User>, CookieMethod>

/** What `wsAuth` gives. */
export interface WsAuth<Schema extends UserClaimsSchema, User> extends Guards<UpgradeMiddleware> {
  readonly authorize: (request: IncomingMessage) => WsAuthorize<Schema, User>
  /** Wraps a listener that calls guards by hand: answers the refusals that it throws. */
  readonly authErrors: UpgradeMiddleware
  /**
   * Makes the callback of `handleUpgrade`: hands over the open socket and its sign-in, and closes it with 4401 when the
   * token expires or is revoked. From then on it delivers no message.
   *
   * The callback throws a `TypeError` when no guard has passed, and when the CSRF value was chosen as the subprotocol.
   */
  readonly accept: <Socket extends OpenSocket>(
    handler: (socket: Socket, session: SocketSession<UserClaimsOutput<Schema>>) => unknown,
  ) => (socket: Socket, request: IncomingMessage) => void
}

/** For the option `handleProtocols` of `ws`: the first subprotocol offered that is no CSRF value. */
export function selectProtocol(offered: Iterable<string>): string | false {
  return [...offered].find((name) => !name.startsWith(csrfProtocolPrefix)) ?? false
}

/** Binds an `Auth` to the upgrades of a server. @throws {TypeError} when it is no `Auth`, and for wrong options */
export function wsAuth<Schema extends UserClaimsSchema, User>(
  auth: Auth<Schema, User>,
  options: WsOptions = {},
): WsAuth<Schema, User> {
  const { csrf, messageMilliseconds, report } = readOptions(options)
  const bind = (request: IncomingMessage): Authorize<Schema, User> =>
    auth.bind(request, () => [new NodeRequest(request), noResponse])

  const wrap =
    (guard: Guard | null): UpgradeMiddleware =>
    (listener) => {
      demandListener(listener)
      return (request, socket, head) => {
        const run = async (): Promise<void> => {
          if (guard !== null) await bind(request).pass({ ...guard, csrf: csrf ?? guard.csrf })
          if (!socket.destroyed) await listener(request, socket, head)
        }
        answerHandshake(new NodeRequest(request), socket, run, report)
      }
    }

  const accept: WsAuth<Schema, User>['accept'] = (handler) => (socket, request) => {
    demandProtocol(socket.protocol)
    const bound = bind(request)
    const fail = (error: unknown): void => closeFor(error, socket, report)
    const open = (): void => {
      const session = bound.watch((code, reason) => closeSocket(socket, code, reason))
      socket.once('close', () => session.stop())
      const run = async (): Promise<unknown> => handler(socket, session)
      run().catch(fail)
    }
    if (!bound.awaitsCsrf) open()
    else afterFirstMessage(socket, messageMilliseconds, (text) => bound.confirm(text), open, fail)
  }

  return {
    authorize: (request) => Object.assign(bind(request), noCookies),
    authErrors: wrap(null),
    accept,
    ...createGuards('wsAuth', auth, wrap),
  }
}
