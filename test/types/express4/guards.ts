/** An Express app that compiles with the types of Express 5 and, by the tsconfig.json beside it, with those of 4; never run. */

// oxlint-disable-next-line import/default -- the types of Express 4 are an `export =`
import express from 'express'
import type { ErrorRequestHandler, Request, RequestHandler, Response } from 'express'
import { expressAuth } from '../../../src/adapters/express.ts'
import { createAuth } from '../../../src/index.ts'
import { expectNoAny, expectType } from '../_assert.ts'
import type { Equal } from '../_assert.ts'

const { authErrors, authorize, freshJwtRequired, jwtOptional, jwtRefreshTokenRequired, jwtRequired, route } =
  expressAuth(createAuth({ secretKey: 'x', userLookup: ({ sub }) => ({ name: sub }) }))

const guards: RequestHandler[] = [jwtRequired(), jwtOptional(), jwtRefreshTokenRequired(), freshJwtRequired()]
const errors: ErrorRequestHandler = authErrors

const app = express()
app.use(jwtOptional())
app.get('/protected', guards, (request: Request, response: Response) => {
  const { name } = authorize(request, response).user()
  expectType<Equal<typeof name, string>>()
  response.json({ name })
})
app.get('/items/:id', jwtRequired({ csrf: 'always' }), (request, response) => {
  const claims = authorize(request, response).claims()
  expectNoAny<typeof claims>(claims)
  response.json({ id: request.params['id'] })
})
const login: RequestHandler = route(async (request, response) => {
  await authorize(request, response).login('test')
  response.json({})
})
app.post('/login', login)
app.use(errors)
// @ts-expect-error freshness is the matter of freshJwtRequired
app.use(jwtRequired({ within: '5m' }))
