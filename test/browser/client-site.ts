// A site for the browser client: short-lived tokens by a clock that tests move, a record of requests, and accidents.

import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { IncomingMessage } from 'node:http'
import { Hono } from 'hono'
import type { Context } from 'hono'
import { cors } from 'hono/cors'
import { createAuth } from 'tallystick'
import type { AuthOptions } from 'tallystick'
import { honoAuth } from 'tallystick/hono'
import { memoryStore } from 'tallystick/stores/memory'
import { secretKey } from '../_setup.ts'
import type { Certificate } from './certificate.ts'
import { openServer } from './server.ts'
import type { LiveServer } from './server.ts'

/** What happens to the next requests to a path: each one takes the first that is left. */
export type Accident =
  | { readonly kind: 'slow'; readonly seconds: number }
  /** The server does what it is asked, and its answer breaks off. */
  | { readonly kind: 'lost' }
  | { readonly kind: 'status'; readonly status: number }

export interface ClientSite extends LiveServer {
  /** Method, path and status of every request to the application, in the order of their answers. */
  readonly answers: readonly string[]
  /** Those to one path. */
  count(answer: string): number
  /** Requests that have come and are not answered. */
  readonly underWay: number
  /** The header of the last request to a path. */
  readonly headers: ReadonlyMap<string, Headers>
  /** Lets so many seconds pass for the server; the browser's cookies do not notice. */
  pass(seconds: number): void
  plan(path: string, ...accidents: readonly Accident[]): void
}

/** What a site may have besides. */
export interface ClientSiteParts {
  readonly certificate?: Certificate
  /** Pages of their own, each with its script, by path. */
  readonly scripts?: Readonly<Record<string, string>>
}

const client = new URL('../../dist/client.js', import.meta.url)

export async function openClientSite(
  options: AuthOptions = {},
  trusted: readonly string[] = [],
  { certificate, scripts = {} }: ClientSiteParts = {},
): Promise<ClientSite> {
  const answers: string[] = []
  const headers = new Map<string, Headers>()
  const accidents = new Map<string, Accident[]>()
  let passed = 0
  let underWay = 0
  const clock = (): number => Math.floor(Date.now() / 1000) + passed
  const auth = createAuth({
    secretKey,
    store: memoryStore({ clock }),
    clock,
    // The browser keeps the access cookie longer than its token lives, so that the server gets to refuse it.
    cookieMaxAge: 3600,
    trustedOrigins: trusted,
    ...options,
  })
  const { authorize, authErrors, jwtRequired } = honoAuth(auth)
  const app = new Hono()
  const script = await readFile(client, 'utf8')
  app.get('/client.js', (c) => c.body(script, 200, { 'content-type': 'text/javascript' }))
  const start = `import * as client from '/client.js'; window.client = client`
  app.get('/page', (c) => c.html(`<!doctype html><title>Page</title><script type="module">${start}</script>`))
  for (const [path, script] of Object.entries(scripts)) {
    app.get(`${path}.js`, (c) => c.body(script, 200, { 'content-type': 'text/javascript' }))
    app.get(path, (c) =>
      c.html(`<!doctype html><title>Page</title><script type="module" src="${path}.js"></script>`),
    )
  }
  app.get('/favicon.ico', (c) => c.body(null, 204))

  app.use(cors({ origin: [...trusted], credentials: true, allowHeaders: ['content-type', 'x-csrf-token'] }))
  app.use(async (c, next) => {
    headers.set(c.req.path, c.req.raw.headers)
    const accident = accidents.get(c.req.path)?.shift()
    underWay++
    if (accident?.kind === 'slow') await sleep(accident.seconds * 1000)
    if (accident?.kind === 'status') {
      c.res = new Response('', { status: accident.status, headers: { 'retry-after': '1' } })
    } else await next()
    underWay--
    answers.push(`${c.req.method} ${c.req.path} ${c.res.status}`)
    if (accident?.kind === 'lost') socketOf(c).destroy()
  })
  app.use(authErrors)
  app.post('/login', async (c) => {
    const { username } = await c.req.json()
    await authorize(c).login(username)
    return c.json({})
  })
  app.post('/refresh', async (c) => {
    await authorize(c).refresh()
    return c.json({})
  })
  app.delete('/logout', async (c) => {
    await authorize(c).logout()
    return c.json({})
  })
  app.delete('/sessions', jwtRequired(), async (c) => c.json(await authorize(c).sessions.revokeOthers()))
  app.get('/who', jwtRequired(), (c) => c.json({ user: authorize(c).subject() }))
  app.post('/echo', jwtRequired(), async (c) => c.text(await c.req.text()))
  app.get('/public', (c) => c.text('for all'))

  const server = await openServer(app.fetch, certificate)
  return {
    ...server,
    answers,
    headers,
    get underWay() {
      return underWay
    },
    count: (answer) => answers.filter((each) => each === answer).length,
    pass(seconds) {
      passed += seconds
    },
    plan(path, ...planned) {
      accidents.set(path, [...planned])
    },
    async close() {
      await server.close()
      await auth.close()
    },
  }
}

function socketOf(c: Context): IncomingMessage['socket'] {
  return (c.env as { readonly incoming: IncomingMessage }).incoming.socket
}
