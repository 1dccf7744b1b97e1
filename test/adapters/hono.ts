// The app of the contract on Hono 4 and @hono/node-server.

import { getRequestListener } from '@hono/node-server'
import { Hono } from 'hono'
import type { Context, MiddlewareHandler } from 'hono'
import { setCookie } from 'hono/cookie'
import { honoAuth } from '../../src/adapters/hono.ts'
import type { ContractApp, ContractLimits, ContractRoute, RunningApp } from '../../src/testing.ts'
import { listen, toStream } from './_node.ts'

export const limits: ContractLimits = {
  unparsedBodies: 'guards read a copy of the body themselves',
}

export async function start({ auth, routes, authErrors }: ContractApp): Promise<RunningApp> {
  const adapter = honoAuth(auth)
  const app = new Hono()
  app.use(async (c, next) => {
    await next()
    // Afterwards, since Hono drops what was set before from a handler's own `new Response`.
    setCookie(c, 'theme', 'dark')
  })
  if (authErrors) app.use(adapter.authErrors)
  for (const route of routes) {
    const guards: MiddlewareHandler[] =
      route.guard === undefined ? [] : [adapter[route.guard](route.guardOptions)]
    app.on([route.method], [route.path], ...guards, async (c: Context) => {
      const authorize = () => adapter.authorize(c)
      const body = async () => (route.body === 'json' ? c.req.json() : c.req.parseBody())
      return answer(route, c, await route.handle({ authorize, body }))
    })
  }
  return listen(getRequestListener(app.fetch))
}

function answer(route: ContractRoute, c: Context, content: unknown): Response {
  if (route.answer === 'raw')
    return new Response(JSON.stringify(content), { headers: { 'set-cookie': 'own=1' } })
  if (route.answer === 'redirect') return c.redirect(String(content))
  if (route.answer === 'stream') return c.body(toStream(content))
  return c.json(content as object)
}
