// The app of the contract on Koa 3 and on Koa 2.

import { Readable } from 'node:stream'
import { bodyParser } from '@koa/bodyparser'
import Router from '@koa/router'
import type { RouterContext, RouterMiddleware } from '@koa/router'
import Koa3 from 'koa'
import Koa2 from 'koa2'
import { koaAuth } from '../../src/adapters/koa.ts'
import type { ContractApp, ContractLimits, ContractRoute, RunningApp } from '../../src/testing.ts'
import { listen, theme } from './_node.ts'

export const limits: ContractLimits = {
  bareHandlers: 'Koa takes the cookies of other middleware off an error that reaches it',
  bareHeaders: 'Koa takes all headers off an error that reaches it',
  unparsedBodies: "Koa's answer to a fault says nothing of it; its error event does",
  multipart:
    'Koa has no parser for it, and the packages that do parse it run before the guard as any other does',
}

export const startOn3 = startOn(Koa3)
export const startOn2 = startOn(Koa2 as unknown as typeof Koa3)

function startOn(Koa: typeof Koa3) {
  // Koa 2 has no such bodies, and would send one as JSON.
  const takesResponses = Koa === Koa3
  return async ({ auth, routes, authErrors }: ContractApp): Promise<RunningApp> => {
    const adapter = koaAuth(auth)
    const app = new Koa()
    app.use(async (context, next) => {
      if (!takesResponses) context.append('set-cookie', theme)
      await next()
      // Afterwards, since a body that is a `Response` drops what was set before.
      if (takesResponses) context.append('set-cookie', theme)
    })
    if (authErrors) app.use(adapter.authErrors)
    const router = new Router()
    for (const route of routes) {
      const steps: RouterMiddleware[] = [
        ...(route.body === undefined ? [] : [bodyParser({ enableTypes: [route.body], onError })]),
        ...(route.guard === undefined ? [] : [adapter[route.guard](route.guardOptions)]),
      ]
      const method = route.method.toLowerCase() as 'get'
      router[method](route.path, ...steps, async (context) => {
        const authorize = () => adapter.authorize(context)
        const content = await route.handle({ authorize, body: () => context.request.body })
        answer(route, context, content, takesResponses)
      })
    }
    app.use(router.routes())
    return listen(app.callback())
  }
}

/** Koa takes all headers off before it answers an error, but for those that the error brings. */
function onError(error: Error): void {
  throw Object.assign(error, { headers: { 'set-cookie': theme } })
}

function answer(
  route: ContractRoute,
  context: RouterContext,
  content: unknown,
  takesResponses: boolean,
): void {
  switch (route.answer ?? 'json') {
    case 'json':
      context.body = content
      break
    case 'raw':
      if (takesResponses) {
        context.body = new Response(JSON.stringify(content), { headers: { 'set-cookie': 'own=1' } })
      } else {
        context.respond = false
        context.res.appendHeader('set-cookie', 'own=1').writeHead(200).end(JSON.stringify(content))
      }
      break
    case 'redirect':
      context.redirect(String(content))
      break
    case 'stream':
      context.body = Readable.from(content as AsyncIterable<string>)
      break
  }
}
