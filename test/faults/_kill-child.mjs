// A process that ends in the midst of what it does: before, while or after it asks its store for the nth time.

import { writeSync } from 'node:fs'
import { createAuth } from 'tallystick'
import { webAuth } from 'tallystick/web'

const { kind, port, place, secretKey, deed, subject, cookie, csrf, call, moment } = JSON.parse(
  process.argv[2],
)

const connect = {
  async sqlite() {
    const { sqliteStore } = await import('tallystick/stores/sqlite')
    const { default: Database } = await import('libsql')
    return sqliteStore(new Database(place))
  },
  async redis() {
    const { redisStore } = await import('tallystick/stores/redis')
    const { Redis } = await import('ioredis')
    const client = new Redis({
      port,
      host: '127.0.0.1',
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
    })
    await new Promise((resolve) => client.once('ready', resolve))
    return redisStore(client, { prefix: place })
  },
  async postgres() {
    const { postgresStore } = await import('tallystick/stores/postgres')
    const { default: pg } = await import('pg')
    const pool = new pg.Pool({ port, host: '127.0.0.1', user: 'postgres', database: 'postgres' })
    return postgresStore(pool, { schema: place })
  },
}

async function die() {
  process.kill(process.pid, 'SIGKILL')
  await new Promise(() => undefined)
}

let calls = 0
let isCounting = false
const counted = new Set(['create', 'rotate', 'get', 'list', 'revoke', 'isRevoked'])

async function ask(store, name, parameters) {
  calls += 1
  const isLast = calls === call
  if (isLast && moment === 'before') await die()
  const answer = store[name](...parameters)
  if (isLast && moment === 'while') {
    // Now it lies with the system, or has been done.
    for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate)
    await die()
  }
  const value = await answer
  if (isLast) await die()
  return value
}

const whole = await connect[kind]()
const store = new Proxy(whole, {
  get(target, name) {
    const value = target[name]
    if (typeof value !== 'function') return value
    return (...parameters) =>
      isCounting && counted.has(name) ? ask(target, name, parameters) : target[name](...parameters)
  },
})

const auth = createAuth({ secretKey, store, storeTimeout: 10 })
await auth.ready()
const web = webAuth(auth)

const deeds = {
  login: (authorize) => authorize.login(subject),
  refresh: (authorize) => authorize.refresh(),
  logout: (authorize) => authorize.logout(),
  logoutEverywhere: (authorize) => authorize.logout({ everywhere: true }),
  revokeAll: () => auth.sessions.revokeAll(subject),
}

isCounting = true
const handler = web.authErrors(async (request) => {
  await deeds[deed](web.authorize(request))
  return Response.json({})
})
const headers = { cookie, 'x-csrf-token': csrf }
const { status } = await handler(new Request('https://app.example/', { method: 'POST', headers }))
// What goes on beside the answer.
await auth.close()
writeSync(1, JSON.stringify({ status, calls }))
process.exit(0)
