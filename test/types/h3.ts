/** That guards are middleware of h3 wherever it takes any, and `authorize` takes its events; never run. */

import { H3, defineHandler, defineMiddleware, defineValidatedHandler, getRequestIP, toMiddleware } from 'h3'
import type { H3Event, Middleware } from 'h3'
import { z } from 'zod'
import { h3Auth } from '../../src/adapters/h3.ts'
import { createAuth } from '../../src/index.ts'
import { expectNoAny, expectType } from './_assert.ts'
import type { Equal } from './_assert.ts'

const auth = createAuth({
  secretKey: 'x',
  claims: z.object({ role: z.enum(['admin', 'user']) }),
  userLookup: async ({ sub }) => ({ name: sub }),
  clientAddress: (event: H3Event) => getRequestIP(event),
})
const onH3 = h3Auth(auth)

const guards: Middleware[] = [
  onH3.jwtRequired(),
  onH3.jwtOptional({ locations: ['headers'] }),
  onH3.jwtRefreshTokenRequired(),
  onH3.freshJwtRequired({ within: '5m' }),
  onH3.authErrors,
  defineMiddleware(onH3.jwtRequired()),
  toMiddleware(onH3.jwtRequired()),
]
expectNoAny<ReturnType<typeof onH3.jwtRequired>>()

new H3()
  .use(onH3.authErrors)
  .use('/admin/**', onH3.freshJwtRequired(), { method: 'POST' })
  .get(
    '/protected',
    (event) => {
      const { role } = onH3.authorize(event).claims()
      const { name } = onH3.authorize(event).user()
      expectType<Equal<typeof role, 'admin' | 'user'>>()
      expectType<Equal<typeof name, string>>()
      return { role, name }
    },
    { middleware: guards },
  )

export const login = defineValidatedHandler({
  middleware: [onH3.jwtOptional()],
  validate: { body: z.object({ username: z.string() }) },
  handler: async (event) => {
    // A guard before, and authorize itself, take nothing from what h3 knows of the request.
    const { username } = await event.req.json()
    expectType<Equal<typeof username, string>>()
    await onH3.authorize(event).setAccessCookies('', { response: event.res })
    return onH3.authorize(event).login(username, { userClaims: { role: 'user' } })
  },
})
export const handler = defineHandler({
  middleware: [onH3.jwtRequired()],
  handler: (event) => onH3.authorize(event).subject(),
})

// @ts-expect-error a guard is made by a call
new H3().use(onH3.jwtRequired)
// @ts-expect-error freshness is the matter of freshJwtRequired
onH3.jwtRequired({ within: '5m' })
// @ts-expect-error a request is not an event
onH3.authorize(new Request('https://app.example'))
// @ts-expect-error nor is an event without what h3 2 prepares for errors
onH3.authorize({ req: new Request('https://app.example'), res: new Response() })
// @ts-expect-error the user claims have a schema
new H3().post('/', async (event) => onH3.authorize(event).login('ada', { userClaims: { role: 'guest' } }))
// @ts-expect-error an adapter takes what createAuth gave
h3Auth({ secretKey: 'x' })
