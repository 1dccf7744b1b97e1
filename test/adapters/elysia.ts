// The app of the contract on Elysia 1.4 and @elysiajs/node.

import { once } from 'node:events'
import type { Server } from 'node:http'
import { node } from '@elysiajs/node'
import { Elysia } from 'elysia'
import type { Context } from 'elysia'
import { elysiaAuth } from '../../src/adapters/elysia.ts'
import type { ContractApp, ContractLimits, ContractRoute, RunningApp } from '../../src/testing.ts'
import { originOf, theme } from './_node.ts'

export const limits: ContractLimits = {
  unparsedBodies: 'guards read a copy of the body themselves',
}

export async function start({ auth, routes }: ContractApp): Promise<RunningApp> {
  const app = new Elysia({ adapter: node() })
    .onRequest(({ set }) => {
      set.headers['set-cookie'] = theme
    })
    // Refusals of handlers are answered by the plugin itself: there is no `authErrors` to mount or to leave out.
    .use(elysiaAuth(auth))
  for (const route of routes) {
    const guard = route.guard === undefined ? {} : { [route.guard]: route.guardOptions ?? true }
    app.route(
      route.method,
      route.path,
      async ({ authorize, body, request, set }) => {
        // Elysia knows a type in lower case only.
        const read = async () => body ?? request.json()
        return answer(route, set, await route.handle({ authorize: () => authorize, body: read }))
      },
      guard,
    )
  }
  const listeners = process.listeners('beforeExit')
  const server = await new Promise<Server>((resolve) => {
    app.listen({ port: 0, hostname: '127.0.0.1' }, (made) => resolve(nodeServerOf(made)))
  })
  // @elysiajs/node leaves one behind for each app.
  for (const left of process.listeners('beforeExit')) {
    if (!listeners.includes(left)) process.off('beforeExit', left)
  }
  if (!server.listening) await once(server, 'listening')
  return {
    origin: originOf(server),
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

/** What @elysiajs/node does not declare. */
function nodeServerOf(made: object): Server {
  return (made as { readonly raw: { readonly node: { readonly server: Server } } }).raw.node.server
}

function answer(route: ContractRoute, set: Context['set'], content: unknown): unknown {
  if (route.answer === 'raw')
    return new Response(JSON.stringify(content), { headers: { 'set-cookie': 'own=1' } })
  if (route.answer !== 'redirect') return content
  // On Node, Elysia's `redirect` takes absolute URLs only.
  set.status = 302
  set.headers['location'] = String(content)
  return ''
}
