/** That guards are what each framework takes as middleware, and `authorize` keeps the types of its `Auth`; never run. */

import express from 'express'
import type { ErrorRequestHandler, RequestHandler } from 'express'
import Fastify from 'fastify'
import type { onRequestHookHandler, preValidationHookHandler } from 'fastify'
import { Hono } from 'hono'
import type { MiddlewareHandler } from 'hono'
import { z } from 'zod'
import { expressAuth } from '../../src/adapters/express.ts'
import { fastifyAuth } from '../../src/adapters/fastify.ts'
import { honoAuth } from '../../src/adapters/hono.ts'
import { webAuth } from '../../src/adapters/web.ts'
import { createAuth } from '../../src/index.ts'
import { expectNoAny, expectType } from './_assert.ts'
import type { Equal } from './_assert.ts'

const auth = createAuth({
  secretKey: 'x',
  claims: z.object({ role: z.enum(['admin', 'user']) }),
  userLookup: async ({ sub }) => ({ name: sub }),
})

// ---- Hono ----

const onHono = honoAuth(auth)
const honoGuards: MiddlewareHandler[] = [
  onHono.jwtRequired(),
  onHono.jwtOptional({ locations: ['headers'] }),
  onHono.jwtRefreshTokenRequired(),
  onHono.freshJwtRequired({ within: '5m' }),
  onHono.authErrors,
]
expectNoAny<(typeof honoGuards)[0]>()

interface Environment {
  Variables: { readonly requestId: string }
}

export const hono = new Hono<Environment>()
  .use(onHono.authErrors)
  .post('/login', async (c) =>
    c.json(await onHono.authorize(c).login('test', { userClaims: { role: 'user' } })),
  )
  .get('/protected', onHono.jwtRequired(), (c) => {
    const { role } = onHono.authorize(c).claims()
    const { name } = onHono.authorize(c).user()
    expectType<Equal<typeof role, 'admin' | 'user'>>()
    expectType<Equal<typeof name, string>>()
    const requestId = c.get('requestId')
    expectType<Equal<typeof requestId, string>>()
    return c.json({ role, name })
  })
  .get('/items/:id', onHono.freshJwtRequired(), (c) => {
    // A guard in between takes nothing from what Hono knows of the path.
    const id = c.req.param('id')
    expectType<Equal<typeof id, string>>()
    return c.text(id)
  })

// @ts-expect-error a guard is made by a call
new Hono().get('/', onHono.jwtRequired, (c) => c.text(''))
// @ts-expect-error freshness is the matter of freshJwtRequired
onHono.jwtRequired({ within: '5m' })
// @ts-expect-error a request is not a context
onHono.authorize(new Request('https://app.example'))

// ---- Express ----

const onExpress = expressAuth(auth)
const expressGuards: RequestHandler[] = [
  onExpress.jwtRequired(),
  onExpress.jwtOptional(),
  onExpress.jwtRefreshTokenRequired({ csrf: 'always' }),
  onExpress.freshJwtRequired(),
  onExpress.route(async (_request, response) => response.json({})),
]
const expressErrors: ErrorRequestHandler = onExpress.authErrors
void [expressGuards, expressErrors]

express()
  .use(onExpress.jwtOptional())
  .post(
    '/login',
    onExpress.route(async (request, response) => {
      response.json(
        await onExpress.authorize(request, response).login('test', { userClaims: { role: 'user' } }),
      )
    }),
  )
  .use(onExpress.authErrors)
express().get('/items/:id', onExpress.jwtRequired(), (request, response) => {
  const { name } = onExpress.authorize(request, response).user()
  expectType<Equal<typeof name, string>>()
  response.send(name)
})
// @ts-expect-error the response is needed for cookies
express().get('/', (request, _response) => void onExpress.authorize(request))
// @ts-expect-error misspelled
onExpress.jwtOptional({ location: [] })

// ---- Fastify ----

const onFastify = fastifyAuth(auth)
const fastifyGuard: onRequestHookHandler = onFastify.jwtRequired()
const lateGuard: preValidationHookHandler = onFastify.jwtRequired()
void [fastifyGuard, lateGuard]

export async function onFastifyApp(): Promise<void> {
  const app = Fastify()
  await app.register(onFastify.authErrors)
  app.addHook('onRequest', onFastify.jwtOptional())
  app.get('/protected', { onRequest: onFastify.jwtRequired() }, async (request, reply) => {
    const bound = onFastify.authorize(request, reply)
    const { role } = bound.claims()
    expectType<Equal<typeof role, 'admin' | 'user'>>()
    return { role, name: bound.user().name }
  })
  app.post<{ Body: { username: string } }>(
    '/form',
    { preValidation: [onFastify.freshJwtRequired(), onFastify.jwtRequired()] },
    async (request, reply) =>
      onFastify.authorize(request, reply).login(request.body.username, { userClaims: { role: 'user' } }),
  )
  // @ts-expect-error a guard is made by a call
  app.get('/', { onRequest: onFastify.jwtRequired }, async () => ({}))
}

// ---- Fetch API ----

const onWeb = webAuth(auth)
export const handle: (request: Request) => Promise<Response> = onWeb.jwtRequired()(async (
  request: Request,
) => {
  const { role } = onWeb.authorize(request).claims()
  expectType<Equal<typeof role, 'admin' | 'user'>>()
  return Response.json({ role })
})
export const withParameters: (request: Request, context: { readonly id: number }) => Promise<Response> =
  onWeb.authErrors((_request: Request, { id }: { readonly id: number }) => Response.json({ id }))
export const responded: Response = onWeb.authorize(new Request('https://app.example')).respond(new Response())
// @ts-expect-error a handler answers with a Response
onWeb.jwtRequired()(() => 'text')
// @ts-expect-error the further parameters stay as they are
void handle(new Request('https://app.example'), 1)

// ---- All ----

// @ts-expect-error an adapter takes what createAuth gave
honoAuth({ secretKey: 'x' })
// @ts-expect-error and not its options
expressAuth(auth.options)
// @ts-expect-error nor nothing
fastifyAuth()
// @ts-expect-error nor another adapter's
webAuth(onHono)
