// A port on this machine that answers what a function says. `*.localhost` is this machine for the browser, too.

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'

export interface LiveServer {
  /** The origin under one of the names of this machine, such as `http://localhost:4711`. */
  at(host: string): string
  close(): Promise<void>
}

export async function openServer(
  answer: (request: Request) => Response | Promise<Response>,
): Promise<LiveServer> {
  const server = createServer(getRequestListener(answer)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    at: (host) => `http://${host}:${port}`,
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}
