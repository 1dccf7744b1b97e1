// The process behind `npm start`: opens a port on this machine only, tells how to use it, ends on a signal.

import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { createDemo } from './app.ts'
import { readSettings, type Settings } from './settings.ts'

/** How long a request under way may take once the process has been told to end. */
const shutdownMs = 1000
const parentCheckMs = 500

try {
  const settings = readSettings(process.env)
  const demo = createDemo({ secretKey: settings.secretKey, cookieCsrfProtect: settings.csrfProtected })
  const servers = await openPort(getRequestListener(demo.fetch), settings.port)
  console.log(greeting(portOf(servers[0]), settings))
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stop(servers))
  if (process.env['npm_lifecycle_event'] === 'start') followParent(servers)
} catch (error) {
  console.error(explain(error))
  process.exitCode = 1
}

/** `localhost` is two addresses, and browsers differ in which one they try first. */
async function openPort(listener: RequestListener, port: number): Promise<[Server, ...Server[]]> {
  const server = await listen(listener, port, '127.0.0.1')
  try {
    return [server, await listen(listener, portOf(server), '::1')]
  } catch (error) {
    // This machine has no IPv6.
    if (['EADDRNOTAVAIL', 'EAFNOSUPPORT'].includes(Object(error).code)) return [server]
    server.close()
    throw error
  }
}

async function listen(listener: RequestListener, port: number, host: string): Promise<Server> {
  const server = createServer(listener).listen(port, host)
  await once(server, 'listening')
  return server
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port
}

/** npm starts a shell that starts this process; a shell that is ended by a signal does not pass it on. */
function followParent(servers: [Server, ...Server[]]): void {
  const parent = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(timer)
    stop(servers)
  }, parentCheckMs).unref()
}

function stop(servers: [Server, ...Server[]]): void {
  if (!servers[0].listening) return
  console.log('Stopping.')
  for (const server of servers) {
    server.close()
    setTimeout(() => server.closeAllConnections(), shutdownMs).unref()
  }
}

function greeting(port: number, { csrfProtected, secretIsRandom }: Settings): string {
  return [
    `tallystick demo: http://localhost:${port}`,
    csrfProtected
      ? 'CSRF protection: on. CSRF_PROTECT=off turns it off.'
      : 'CSRF protection: off, as CSRF_PROTECT says.',
    secretIsRandom
      ? 'Secret: a random one for this run. With AUTHJWT_SECRET_KEY set, a sign-in outlives a restart.'
      : 'Secret: from AUTHJWT_SECRET_KEY.',
    'Sign in with test / test. Stop with Ctrl+C.',
  ].join('\n')
}

/** One line for what a person at the console can put right; anything else is a fault and keeps its stack. */
function explain(error: unknown): unknown {
  const { code, port } = Object(error)
  if (code === 'EADDRINUSE') return `Port ${port} is in use. Choose another one with PORT.`
  if (code === 'EACCES') return `Port ${port} is not open to this user. Choose another one with PORT.`
  return error instanceof TypeError ? error.message.replace(/\s+/g, ' ') : error
}
