// What the apps of the contract share: a port on this machine, and a bridge from node:http to Request and Response.

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import type { ReadableStream as NodeReadableStream } from 'node:stream/web'
import type { RunningApp } from '../../src/testing.ts'

export const theme = 'theme=dark; Path=/'

export function originOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Opens a port of this machine. */
export async function listen(listener: RequestListener): Promise<RunningApp> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    origin: originOf(server),
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

/** The smallest server of the Fetch API: what fails is a 500, what makes no Request is a 400. */
export function bridge(fetch: (request: Request) => Promise<Response>): RequestListener {
  return (incoming, outgoing) => {
    const request = toRequest(incoming)
    if (request === null) {
      outgoing.writeHead(400, { 'set-cookie': theme }).end()
      return
    }
    // What no handler has read must not block the next request on this socket.
    outgoing.once('finish', () => incoming.removeAllListeners('data').resume())
    fetch(request).then(
      (response) => send(response, outgoing),
      () => outgoing.writeHead(500).end(),
    )
  }
}

function toRequest(incoming: IncomingMessage): Request | null {
  const { method = 'GET', url = '/', headers } = incoming
  const hasBody = method !== 'GET' && method !== 'HEAD'
  try {
    return new Request(new URL(url, `http://${headers.host ?? 'localhost'}`), {
      method,
      headers: new Headers(Object.entries(headers).map(([name, value]) => [name, String(value)])),
      ...(hasBody && { body: Readable.toWeb(incoming) as ReadableStream, duplex: 'half' }),
    })
  } catch {
    // A method, a target or a host that Request does not take.
    return null
  }
}

function send(response: Response, outgoing: ServerResponse): void {
  const cookies = response.headers.getSetCookie()
  outgoing.writeHead(response.status, { ...Object.fromEntries(response.headers), 'set-cookie': cookies })
  if (response.body === null) outgoing.end()
  else Readable.fromWeb(response.body as NodeReadableStream).pipe(outgoing)
}

/** An async iterable as a body of the Fetch API. */
export function toStream(texts: unknown): ReadableStream {
  return Readable.toWeb(
    Readable.from(texts as AsyncIterable<string>).map((text) => Buffer.from(text)),
  ) as ReadableStream
}
