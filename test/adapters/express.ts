// The app of the contract on Express 5 and on Express 4.

import { Readable } from 'node:stream'
import express5 from 'express'
import type { Express, RequestHandler, Response } from 'express'
import express4 from 'express4'
import { expressAuth } from '../../src/adapters/express.ts'
import type { ContractApp, ContractLimits, ContractRoute, RunningApp } from '../../src/testing.ts'
import { listen } from './_node.ts'

export const limits: ContractLimits = {
  multipart:
    'Express has no parser for it, and the packages that do parse it run before the guard as any other does',
}

/** What both versions have. */
type Framework = Pick<typeof express5, 'json' | 'urlencoded'> & (() => Express)

export const startOn5 = startOn(express5)
export const startOn4 = startOn(express4 as unknown as Framework)

function startOn(express: Framework) {
  return async ({ auth, routes, authErrors }: ContractApp): Promise<RunningApp> => {
    const adapter = expressAuth(auth)
    const app = express()
    app.use((_request, response, next) => {
      response.cookie('theme', 'dark')
      next()
    })
    const parsers = { json: express.json(), form: express.urlencoded({ extended: false }) }
    for (const route of routes) {
      const steps: RequestHandler[] = [
        ...(route.body === undefined ? [] : [parsers[route.body]]),
        ...(route.guard === undefined ? [] : [adapter[route.guard](route.guardOptions)]),
      ]
      const method = route.method.toLowerCase() as 'get'
      app[method](
        route.path,
        ...steps,
        adapter.route(async (request, response) => {
          const authorize = () => adapter.authorize(request, response)
          const content = await route.handle({ authorize, body: () => request.body as unknown })
          answer(route, response, content)
        }),
      )
    }
    if (authErrors) app.use(adapter.authErrors)
    return listen(app)
  }
}

function answer(route: ContractRoute, response: Response, content: unknown): void {
  switch (route.answer ?? 'json') {
    case 'json':
      response.json(content)
      break
    case 'raw':
      response.appendHeader('set-cookie', 'own=1').end(JSON.stringify(content))
      break
    case 'redirect':
      response.redirect(String(content))
      break
    case 'stream':
      Readable.from(content as AsyncIterable<string>).pipe(response)
      break
  }
}
