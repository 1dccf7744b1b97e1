// The process behind `npm start`: opens a port on this machine only, tells how to use it, ends on a signal.

import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { getConnInfo } from '@hono/node-server/conninfo'
import type { Context } from 'hono'
import { createAuth, type Auth, type AuthOptions } from 'tallystick'
import { createDemo, type Development } from './app.ts'
import { createJournal } from './journal.ts'
import { describePlace, readSettings, secretFileOf, type Settings } from './settings.ts'
import { keepSecret, openStorage, Unusable, unusablePlace, type Storage } from './storage.ts'

/** How long a request under way may take once the process has been told to end. */
const shutdownMs = 1000
const parentCheckMs = 500

/** Short times, so that there is something to see; the defaults are 15 minutes and 30 seconds. */
const developmentTimes = { accessTokenExpires: '2m', rotationGrace: 3 } as const

try {
  const settings = readSettings(process.env, process.argv.slice(2))
  const storage = await openStorage(settings.place)
  const { auth, development } = await openAuth(settings, storage)
  const demo = createDemo(auth, development)
  const servers = await openPort(getRequestListener(demo.fetch), settings.port)
  const stop = createStop(
    servers,
    [auth, ...(development === undefined ? [] : [development.lenient])],
    storage,
  )
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, stop)
  if (process.env['npm_lifecycle_event'] === 'start') followParent(stop)
  console.log(greeting(portOf(servers[0]), settings))
} catch (error) {
  console.error(explain(error))
  // A driver that goes on trying to connect would keep the process.
  process.exit(1)
}

async function openAuth(
  settings: Settings,
  { store }: Storage,
): Promise<{ auth: Auth; development: Development | undefined }> {
  let isReady = false
  const journal = createJournal()
  const options: AuthOptions = {
    secretKey: settings.secretKey ?? (await secretFor(settings)),
    cookieCsrfProtect: settings.csrfProtected,
    store,
    clientAddress: (c: Context) => getConnInfo(c).remote.address,
    ...(settings.isDevelopment && developmentTimes),
    onEvent: (event) => {
      journal.onEvent(event)
      // What fails before that is told in one line.
      const isNews = event.type === 'store.warning' || (isReady && event.type.startsWith('store.'))
      if (isNews) console.error(JSON.stringify(event))
    },
  }
  const auth = createAuth(options)
  const lenient = settings.isDevelopment ? createAuth({ ...options, fetchMetadata: false }) : undefined
  await auth.ready().catch((error: unknown) => {
    throw unusablePlace(settings.place, error)
  })
  isReady = true
  return { auth, development: lenient === undefined ? undefined : { journal, lenient } }
}

async function secretFor({ place }: Settings): Promise<string | Uint8Array> {
  return place.kind === 'memory'
    ? crypto.getRandomValues(new Uint8Array(32))
    : keepSecret(secretFileOf(place))
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
function followParent(stop: () => void): void {
  const parent = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(timer)
    stop()
  }, parentCheckMs).unref()
}

function createStop(servers: [Server, ...Server[]], auths: Auth[], storage: Storage): () => void {
  const close = async (): Promise<void> => {
    const closed = servers.map((server) => once(server, 'close'))
    for (const server of servers) {
      server.close()
      setTimeout(() => server.closeAllConnections(), shutdownMs).unref()
    }
    await Promise.all(closed)
    await Promise.all(auths.map((auth) => auth.close())).finally(storage.end)
  }
  return () => {
    if (!servers[0].listening) return
    console.log('Stopping.')
    close().catch((error: unknown) => console.error(explain(error)))
  }
}

function greeting(port: number, { csrfProtected, isDevelopment, secretKey, place }: Settings): string {
  const isMemory = place.kind === 'memory'
  const secretPlace = isMemory ? 'a random one for this run' : `in ${secretFileOf(place)}`
  return [
    `tallystick demo: http://localhost:${port}`,
    isDevelopment
      ? `To be attacked by a sibling host too: http://app.demo.localhost:${port} (not in Safari)`
      : 'Without attacks and their traces; --development adds them.',
    csrfProtected
      ? 'CSRF protection: on. CSRF_PROTECT=off turns it off.'
      : 'CSRF protection: off, as CSRF_PROTECT says.',
    isMemory
      ? 'Sessions: in memory, so a restart signs everybody out. STORE moves them.'
      : `Sessions: in ${describePlace(place)}. STORE moves them.`,
    secretKey === undefined
      ? `Secret: ${secretPlace}. AUTHJWT_SECRET_KEY sets another.`
      : 'Secret: from AUTHJWT_SECRET_KEY.',
    'Sign in with test / test. Stop with Ctrl+C.',
  ].join('\n')
}

/** One line for what a person at the console can put right; anything else is a fault and keeps its stack. */
function explain(error: unknown): unknown {
  if (error instanceof TypeError || error instanceof Unusable) return error.message.replace(/\s+/g, ' ')
  const { code, port } = Object(error)
  if (code === 'EADDRINUSE') return `Port ${port} is in use. Choose another one with PORT.`
  if (code === 'EACCES') return `Port ${port} is not open to this user. Choose another one with PORT.`
  return error
}
