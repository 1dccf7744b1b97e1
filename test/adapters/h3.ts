// The app of the contract on h3 2, served by Node.

import { H3, redirect } from 'h3'
import type { HTTPMethod } from 'h3'
import { toNodeHandler } from 'h3/node'
import { h3Auth } from '../../src/adapters/h3.ts'
import type { ContractApp, ContractLimits, ContractRoute, RunningApp } from '../../src/testing.ts'
import { listen, theme, toStream } from './_node.ts'

export const limits: ContractLimits = {
  unparsedBodies: 'guards read a copy of the body themselves',
}

export async function start({ auth, routes, authErrors }: ContractApp): Promise<RunningApp> {
  const adapter = h3Auth(auth)
  const app = new H3()
  app.use(({ res }) => {
    // The second list is that of errors.
    for (const headers of [res.headers, res.errHeaders]) headers.append('set-cookie', theme)
  })
  if (authErrors) app.use(adapter.authErrors)
  for (const route of routes) {
    const middleware = route.guard === undefined ? [] : [adapter[route.guard](route.guardOptions)]
    app.on(
      route.method satisfies HTTPMethod,
      route.path,
      async (event) => {
        const authorize = () => adapter.authorize(event)
        const body = async () => (route.body === 'json' ? event.req.json() : formOf(event.req))
        return answer(route, await route.handle({ authorize, body }))
      },
      { middleware },
    )
  }
  return listen(toNodeHandler(app))
}

async function formOf(request: { formData(): Promise<FormData> }): Promise<unknown> {
  return Object.fromEntries(await request.formData())
}

function answer(route: ContractRoute, content: unknown): unknown {
  if (route.answer === 'raw')
    return new Response(JSON.stringify(content), { headers: { 'set-cookie': 'own=1' } })
  if (route.answer === 'redirect') return redirect(String(content))
  if (route.answer === 'stream') return toStream(content)
  return content
}
