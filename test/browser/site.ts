// The site under attack: the demo with two more routes, and the server's own record of what arrived and was answered.

import { existsSync } from 'node:fs'
import { Hono } from 'hono'
import type { Context } from 'hono'
import { createAuth } from 'tallystick'
import type { Auth, AuthOptions } from 'tallystick'
import { honoAuth } from 'tallystick/hono'
import { memoryStore } from 'tallystick/stores/memory'
import { createDemo } from '../../demo/app.ts'
import { secretKey } from '../_setup.ts'
import type { Certificate } from './certificate.ts'
import { openServer } from './server.ts'
import type { LiveServer } from './server.ts'

/** One request as the server saw it, and its answer. */
export interface Visit {
  /** The query, by which a test knows its request again. */
  readonly label: string
  readonly method: string
  readonly path: string
  /** The names of the cookies that came along. */
  readonly cookies: readonly string[]
  /** `Sec-Fetch-Site`, which no page can forge. */
  readonly site: string | undefined
  readonly status: number
  /** The code of a refusal. */
  readonly code: string | null
}

export interface Site extends LiveServer {
  readonly visits: readonly Visit[]
  /** One entry for each time that the handler behind POST /transfer ran. */
  readonly transfers: readonly string[]
  /** Waits for the answer to the first request with that label. */
  arrival(label: string): Promise<Visit>
  /** Answers no request with that label before so many of them have arrived. */
  gather(label: string, count: number): void
}

const arrivalTimeoutMs = 10_000

/** A form that a page of this very site sends: the control of login CSRF. */
export const ownFormPath = '/own-form'

const pageScript = new URL('../../demo/dist/page/page.js', import.meta.url)

export async function openSite(options: AuthOptions = {}, certificate?: Certificate): Promise<Site> {
  if (!existsSync(pageScript)) throw new Error('There is no demo/dist/: run `npm run build:demo` first.')
  const visits: Visit[] = []
  const transfers: string[] = []
  const waiting = new Map<string, (visit: Visit) => void>()
  const gatherings = new Map<string, () => Promise<void>>()
  const record = (visit: Visit): void => {
    visits.push(visit)
    waiting.get(visit.label)?.(visit)
    waiting.delete(visit.label)
  }
  const auth = createAuth({ secretKey, store: memoryStore(), ...options })
  const server = await openServer(createApp(auth, record, transfers, gatherings).fetch, certificate)
  return {
    ...server,
    visits,
    transfers,
    async close() {
      await server.close()
      await auth.close()
    },
    async arrival(label) {
      const visit = visits.find((visit) => visit.label === label)
      if (visit !== undefined) return visit
      return new Promise((resolve, reject) => {
        const late = setTimeout(() => reject(new Error(`Nothing arrived for ${label}`)), arrivalTimeoutMs)
        waiting.set(label, (visit) => {
          clearTimeout(late)
          resolve(visit)
        })
      })
    },
    gather(label, count) {
      let missing = count
      let open: () => void
      const complete = new Promise<void>((resolve) => {
        open = resolve
      })
      gatherings.set(label, () => {
        missing -= 1
        if (missing === 0) open()
        return complete
      })
    },
  }
}

function createApp(
  auth: Auth,
  record: (visit: Visit) => void,
  transfers: string[],
  gatherings: ReadonlyMap<string, () => Promise<void>>,
): Hono {
  const { authorize, jwtRequired } = honoAuth(auth)
  const app = new Hono()

  app.use(async (c, next) => {
    await gatherings.get(labelOf(c))?.()
    await next()
    record(await describeVisit(c))
  })
  app.post('/transfer', jwtRequired(), async (c) => {
    transfers.push(authorize(c).subject())
    return c.text('Transferred')
  })
  // A sign-in that takes what any form can send.
  app.post('/form-login', async (c) => {
    await authorize(c).login('somebody')
    return c.text('Signed in')
  })
  app.get(ownFormPath, (c) =>
    c.html('<form method="post" action="/form-login?own"><button>Go</button></form>'),
  )
  app.route('/', createDemo(auth))
  return app
}

const labelOf = (c: Context): string => new URL(c.req.url).search.slice(1)

async function describeVisit(c: Context): Promise<Visit> {
  return {
    label: labelOf(c),
    method: c.req.method,
    path: c.req.path,
    cookies: (c.req.header('cookie') ?? '')
      .split('; ')
      .flatMap((pair) => pair.split('=').slice(0, 1))
      .filter(Boolean),
    site: c.req.header('sec-fetch-site'),
    status: c.res.status,
    code: await readCode(c.res),
  }
}

async function readCode(response: Response): Promise<string | null> {
  if (response.headers.get('content-type') !== 'application/problem+json') return null
  const { code }: { code?: string } = await response.clone().json()
  return code ?? null
}
