// One process among several on one store: refreshes a token many times at once, or waits until one is refused.

import { createAuth } from 'tallystick'
import type { Auth } from 'tallystick'
import { now } from './clock.ts'
import { openStore } from './stores.ts'
import type { Place } from './stores.ts'

/** What a worker is told to do; it answers each order with one message. */
export type Order =
  | { readonly do: 'open'; readonly place: Place; readonly secretKey: string }
  | { readonly do: 'refresh'; readonly token: string; readonly times: number }
  | { readonly do: 'watch'; readonly token: string }
  | { readonly do: 'close' }

let auth: Auth | undefined
let end: (() => Promise<void>) | undefined
let rotatedCount = 0

function demandAuth(): Auth {
  if (auth === undefined) throw new Error('the worker was not told to open a store')
  return auth
}

async function open(place: Place, secretKey: string): Promise<object> {
  const opened = await openStore(place)
  auth = createAuth({
    secretKey,
    store: opened.store,
    tokenLocation: ['headers'],
    storeTimeout: 10,
    onEvent: ({ type }) => {
      if (type === 'session.rotated') rotatedCount++
    },
  })
  end = () => opened.end()
  await auth.ready()
  return {}
}

/** The distinct claims that so many refreshes at once have given, and how many of them made a new generation. */
async function refresh(token: string, times: number): Promise<object> {
  rotatedCount = 0
  const answers = await Promise.all(Array.from({ length: times }, async () => refreshOnce(token)))
  return { claims: [...new Set(answers)], rotatedCount }
}

async function refreshOnce(token: string): Promise<string> {
  const request = {
    method: 'POST',
    header: (name: string) => (name === 'authorization' ? `Bearer ${token}` : undefined),
  }
  const sink = { append: () => undefined, set: () => undefined, sent: false }
  const { accessToken, refreshToken } = await demandAuth().authorize(request, sink).refresh()
  return JSON.stringify([accessToken, refreshToken].map((made) => demandAuth().getUnverifiedJwtClaims(made)))
}

/** Says that it accepts the token, and then when it did no more. */
async function watch(token: string): Promise<object> {
  await demandAuth().verify(token)
  process.send?.({ accepted: true })
  for (;;) {
    try {
      await demandAuth().verify(token)
    } catch {
      return { refusedAt: now() }
    }
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}

async function obey(order: Order): Promise<object> {
  if (order.do === 'open') return open(order.place, order.secretKey)
  if (order.do === 'refresh') return refresh(order.token, order.times)
  if (order.do === 'watch') return watch(order.token)
  await auth?.close()
  await end?.()
  process.disconnect()
  return {}
}

// Without the process that gives the orders there is nothing left to do, however it ended.
process.on('disconnect', () => process.exit())

process.on('message', (order: Order) => {
  obey(order).then(
    (answer) => process.connected && process.send?.(answer),
    (error: unknown) => process.connected && process.send?.({ error: String(error) }),
  )
})
