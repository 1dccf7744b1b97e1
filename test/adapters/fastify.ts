// The app of the contract on Fastify 5.

import { Readable } from 'node:stream'
import { fastify } from 'fastify'
import type { FastifyReply } from 'fastify'
import { fastifyAuth } from '../../src/adapters/fastify.ts'
import type { ContractApp, ContractLimits, ContractRoute, RunningApp } from '../../src/testing.ts'
import { originOf, theme } from './_node.ts'

export const limits: ContractLimits = {
  multipart: 'Fastify has no parser for it; its own plugin fills request.body as any other parser does',
}

export async function start({ auth, routes, authErrors }: ContractApp): Promise<RunningApp> {
  const adapter = fastifyAuth(auth)
  const app = fastify({ forceCloseConnections: true })
  app.addHook('onRequest', async (_request, reply) => {
    reply.header('set-cookie', theme)
  })
  const formType = 'application/x-www-form-urlencoded'
  app.addContentTypeParser(formType, { parseAs: 'string' }, (_request, body, done) => {
    done(null, Object.fromEntries(new URLSearchParams(String(body))))
  })
  if (authErrors) await app.register(adapter.authErrors)
  for (const route of routes) {
    const guard = route.guard === undefined ? undefined : adapter[route.guard](route.guardOptions)
    app.route({
      method: route.method,
      url: route.path,
      // A guard that reads the body comes after the parser.
      ...(guard !== undefined && { [route.body === undefined ? 'onRequest' : 'preValidation']: guard }),
      handler: async (request, reply) => {
        const authorize = () => adapter.authorize(request, reply)
        return answer(route, reply, await route.handle({ authorize, body: () => request.body }))
      },
    })
  }
  await app.listen({ port: 0, host: '127.0.0.1' })
  return { origin: originOf(app.server), close: async () => app.close() }
}

function answer(route: ContractRoute, reply: FastifyReply, content: unknown): unknown {
  if (route.answer === 'raw')
    return reply.send(new Response(JSON.stringify(content), { headers: { 'set-cookie': 'own=1' } }))
  if (route.answer === 'redirect') return reply.redirect(String(content))
  if (route.answer === 'stream') return reply.send(Readable.from(content as AsyncIterable<string>))
  return content
}
