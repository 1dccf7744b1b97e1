/** That guards are middleware of Koa, whatever its state and context; with the types of Koa 3 and, in koa2/, of 2; never run. */

import Router from '@koa/router'
import Koa from 'koa'
import type { Context, Middleware, ParameterizedContext } from 'koa'
import { z } from 'zod'
import { koaAuth } from '../../src/adapters/koa.ts'
import { createAuth } from '../../src/index.ts'
import { expectNoAny, expectType } from './_assert.ts'
import type { Equal } from './_assert.ts'

const auth = createAuth({
  secretKey: 'x',
  claims: z.object({ role: z.enum(['admin', 'user']) }),
  userLookup: async ({ sub }) => ({ name: sub }),
  clientAddress: (context: Context) => context.ip,
})
const onKoa = koaAuth(auth)

const guards: Middleware[] = [
  onKoa.jwtRequired(),
  onKoa.jwtOptional({ locations: ['headers'] }),
  onKoa.jwtRefreshTokenRequired(),
  onKoa.freshJwtRequired({ within: '5m' }),
  onKoa.authErrors,
]
expectNoAny<(typeof guards)[0]>()

interface State {
  readonly requestId: string
}
interface Extended {
  readonly database: { readonly name: string }
}

const app = new Koa<State, Extended>()
app.use(onKoa.authErrors).use(onKoa.jwtOptional())
app.use(async (context) => {
  const { role } = onKoa.authorize(context).claims()
  const { name } = onKoa.authorize(context).user()
  expectType<Equal<typeof role, 'admin' | 'user'>>()
  expectType<Equal<typeof name, string>>()
  await onKoa.authorize(context).login(context.state.requestId, { userClaims: { role: 'user' } })
  await onKoa.authorize(context).setAccessCookies('', { response: context.response })
})

const router = new Router<State, Extended>()
router.use(onKoa.jwtRequired())
router.get('/items/:id', onKoa.jwtRequired(), onKoa.freshJwtRequired(), (context) => {
  const { name } = onKoa.authorize(context).user()
  expectType<Equal<typeof name, string>>()
  // A guard in between takes nothing from what the router knows.
  expectType<Equal<typeof context.database.name, string>>()
  context.body = { name, id: context.params['id'] }
})
app.use(router.routes())

export const byHand = (context: ParameterizedContext<State, Extended>): unknown => onKoa.authorize(context)

// @ts-expect-error freshness is the matter of freshJwtRequired
onKoa.jwtRequired({ within: '5m' })
// @ts-expect-error a request of Node is not a context
app.use((context) => void onKoa.authorize(context.req))
// @ts-expect-error nor is a request of Koa
app.use((context) => void onKoa.authorize(context.request))
// @ts-expect-error the user claims have a schema
app.use(async (context) => onKoa.authorize(context).login('ada', { userClaims: { role: 'guest' } }))
// @ts-expect-error an adapter takes what createAuth gave
koaAuth({ secretKey: 'x' })
