// The app of the contract on h3 1, of which Nitro 2 and Nuxt 4 are made.

import {
  appendResponseHeader,
  createApp,
  createError,
  createRouter,
  defineEventHandler,
  getRequestHeader,
  readBody,
  sendRedirect,
  toNodeListener,
} from 'h3-1'
import type { H3Event } from 'h3-1'
import { h3Auth } from '../../src/adapters/h3.ts'
import type { ContractApp, ContractLimits, ContractRoute, RunningApp } from '../../src/testing.ts'
import { listen, theme, toStream } from './_node.ts'

export const limits: ContractLimits = {
  bareHeaders: 'h3 1 takes status and message of an error, and not its headers',
  unparsedBodies: "h3 1's answer to a fault says nothing of it; its log does",
  multipart:
    'h3 1 has no parser for it that guards could see, and those that are mounted run before the guard',
}

export async function start({ auth, routes, authErrors }: ContractApp): Promise<RunningApp> {
  const adapter = h3Auth(auth)
  const app = createApp()
  app.use(defineEventHandler((event) => appendResponseHeader(event, 'set-cookie', theme)))
  const router = createRouter()
  for (const route of routes) {
    const run = async (event: H3Event): Promise<unknown> => {
      const authorize = () => adapter.authorize(event)
      return answer(route, event, await route.handle({ authorize, body: async () => readBody(event) }))
    }
    const method = route.method.toLowerCase() as 'get'
    const methods = method === 'get' ? ['get' as const, 'head' as const] : method
    router.use(
      route.path,
      defineEventHandler({
        onRequest: [
          ...(route.body === undefined ? [] : [parse]),
          ...(route.guard === undefined ? [] : [adapter[route.guard](route.guardOptions)]),
        ],
        handler: async (event) =>
          authErrors ? adapter.authErrors(event, async () => run(event)) : run(event),
      }),
      // Unlike h3 2, its router answers no HEAD by itself.
      methods,
    )
  }
  app.use(router)
  return listen(toNodeListener(app))
}

/** Puts the body where guards look for it, and where h3 finds it again; h3 itself reads bodies of any size. */
async function parse(event: H3Event): Promise<void> {
  if (Number(getRequestHeader(event, 'content-length')) > 100_000) throw createError({ statusCode: 413 })
  Object.assign(event.node.req, { body: await readBody(event) })
}

async function answer(route: ContractRoute, event: H3Event, content: unknown): Promise<unknown> {
  if (route.answer === 'raw')
    return new Response(JSON.stringify(content), { headers: { 'set-cookie': 'own=1' } })
  if (route.answer === 'redirect') return sendRedirect(event, String(content))
  if (route.answer === 'stream') return toStream(content)
  return content
}
