// A port on this machine that answers what a function says. `*.localhost` is this machine for the browser, too.

import { once } from 'node:events'
import { createServer } from 'node:http'
import { createSecureServer } from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import type { Certificate } from './certificate.ts'

export interface LiveServer {
  /** The origin under one of the names of this machine, such as `http://localhost:4711`. */
  at(host: string): string
  close(): Promise<void>
}

/** @param certificate Makes it https, by HTTP/2 where the browser likes that better. */
export async function openServer(
  answer: (request: Request) => Response | Promise<Response>,
  certificate?: Certificate,
): Promise<LiveServer> {
  const listener = getRequestListener(answer)
  const server =
    certificate === undefined
      ? createServer(listener)
      : createSecureServer({ ...certificate, allowHTTP1: true }, listener)
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    at: (host) => `${certificate === undefined ? 'http' : 'https'}://${host}:${port}`,
    async close() {
      server.close()
      for (const socket of sockets) socket.destroy()
      await once(server, 'close')
    },
  }
}
