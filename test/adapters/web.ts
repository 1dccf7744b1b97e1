// The app of the contract on nothing but Request and Response.

import { webAuth } from '../../src/adapters/web.ts'
import type { WebMiddleware } from '../../src/adapters/web.ts'
import type { ContractApp, ContractLimits, ContractRoute, RunningApp } from '../../src/testing.ts'
import { bridge, listen, theme, toStream } from './_node.ts'

export const limits: ContractLimits = {
  bareHandlers: 'nobody catches what a bare function throws',
  bareHeaders: 'nobody catches what a bare function throws',
  unparsedBodies: 'guards read a copy of the body themselves',
}

type Handler = (request: Request) => Promise<Response>

export async function start({ auth, routes, authErrors }: ContractApp): Promise<RunningApp> {
  const adapter = webAuth(auth)
  const handlers = new Map<string, Handler>()
  for (const route of routes) {
    const handler: Handler = async (request) => {
      const authorize = () => adapter.authorize(request)
      const content = await route.handle({ authorize, body: () => readBody(route, request) })
      // Without a wrapper, cookies are put on the answer by hand.
      return authorize().respond(answer(route, content))
    }
    const wrappers: WebMiddleware[] = [
      ...(route.guard === undefined ? [] : [adapter[route.guard](route.guardOptions)]),
      ...(authErrors ? [adapter.authErrors] : []),
    ]
    const wrapped = wrappers.reduce<Handler>((inner, wrap) => wrap(inner), handler)
    handlers.set(`${route.method} ${route.path}`, wrapped)
    if (route.method === 'GET') handlers.set(`HEAD ${route.path}`, wrapped)
  }
  return listen(
    bridge(async (request) => {
      const handler = handlers.get(`${request.method} ${new URL(request.url).pathname}`)
      const response = handler === undefined ? new Response('', { status: 404 }) : await handler(request)
      const copy = new Response(request.method === 'HEAD' ? null : response.body, response)
      copy.headers.append('set-cookie', theme)
      return copy
    }),
  )
}

async function readBody({ body }: ContractRoute, request: Request): Promise<unknown> {
  if (body === 'json') return request.json()
  return Object.fromEntries(await request.formData())
}

function answer(route: ContractRoute, content: unknown): Response {
  if (route.answer === 'raw')
    return new Response(JSON.stringify(content), { headers: { 'set-cookie': 'own=1' } })
  // Response.redirect takes absolute URLs only, in Node.
  if (route.answer === 'redirect')
    return new Response(null, { status: 302, headers: { location: String(content) } })
  if (route.answer === 'stream') return new Response(toStream(content))
  return Response.json(content)
}
