// A port on this machine that answers what a function says. `*.localhost` is this machine for the browser, too.

import { once } from 'node:events'
import { createServer } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import type { Certificate } from './certificate.ts'

export interface LiveServer {
  /** The origin under one of the names of this machine, such as `http://localhost:4711`. */
  at(host: string): string
  close(): Promise<void>
}

export async function openServer(
  answer: (request: Request) => Response | Promise<Response>,
  certificate?: Certificate,
): Promise<LiveServer> {
  const listener = getRequestListener(answer)
  const server = certificate === undefined ? createServer(listener) : createHttpsServer(certificate, listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    at: (host) => `${certificate === undefined ? 'http' : 'https'}://${host}:${port}`,
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}
