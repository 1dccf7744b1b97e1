// The app of the contract on Next.js 16: an app that `next build` has built, served as `next start` does, in this process.

import { once } from 'node:events'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import type next from 'next'
import { nextAuth } from '../../src/adapters/next.ts'
import type { Authorize } from '../../src/index.ts'
import type { ContractApp, ContractLimits, ContractRoute, RunningApp } from '../../src/testing.ts'
import { setContract } from '../next/contract.ts'
import { originOf, toStream } from './_node.ts'

export const limits: ContractLimits = {
  bareHandlers: 'Next answers everything that a handler throws with an empty 500',
  bareHeaders: 'Next answers everything that a handler throws with an empty 500',
  unparsedBodies: 'guards read a copy of the body themselves',
  strangeRequests: 'Next answers them before any handler, with a redirect to a path of its own or with a 500',
}

type Handler = (request: Request) => Promise<Response>

/** One for all cases: what Next keeps of a built app stays in the process anyway. */
let prepared: ReturnType<typeof prepare> | undefined

// Its types take the package for a module with a default export, which it is for bundlers alone.
const createNext = createRequire(import.meta.url)('next') as typeof next.default

async function prepare() {
  const app = createNext({ dev: false, dir: fileURLToPath(new URL('../next', import.meta.url)) })
  await app.prepare()
  return app.getRequestHandler()
}

export async function start({ auth, routes, authErrors }: ContractApp): Promise<RunningApp> {
  const adapter = nextAuth(auth)
  const handlers = new Map<string, Handler>()
  for (const route of routes) {
    const handler: Handler = async (request) => {
      // What nothing wraps gets none.
      const bound = authErrors || route.guard !== undefined ? await adapter.authorize() : undefined
      const authorize = () => bound as Authorize
      return answer(route, await route.handle({ authorize, body: () => readBody(route, request) }))
    }
    const guarded = route.guard === undefined ? handler : adapter[route.guard](route.guardOptions)(handler)
    const wrapped = authErrors ? adapter.authErrors(guarded) : guarded
    handlers.set(`${route.method} ${route.path}`, wrapped)
    if (route.method === 'GET') handlers.set(`HEAD ${route.path}`, wrapped)
  }
  setContract(async (request) => {
    const handler = handlers.get(`${request.method} ${new URL(request.url).pathname}`)
    return handler === undefined ? new Response('', { status: 404 }) : handler(request)
  })
  prepared ??= prepare()
  const handle = await prepared
  const server = createServer((request, response) => void handle(request, response)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    origin: originOf(server),
    async close() {
      setContract(undefined)
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

async function readBody({ body }: ContractRoute, request: Request): Promise<unknown> {
  if (body === 'json') return request.json()
  return Object.fromEntries(await request.formData())
}

function answer(route: ContractRoute, content: unknown): Response {
  if (route.answer === 'raw')
    return new Response(JSON.stringify(content), { headers: { 'set-cookie': 'own=1' } })
  if (route.answer === 'redirect')
    return new Response(null, { status: 302, headers: { location: String(content) } })
  if (route.answer === 'stream') return new Response(toStream(content))
  return Response.json(content)
}
