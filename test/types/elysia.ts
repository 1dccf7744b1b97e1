/** That Elysia's context and macros have the types of the `Auth`, where the plugin is used and nowhere else; never run. */

import { Elysia, t } from 'elysia'
import { z } from 'zod'
import { elysiaAuth } from '../../src/adapters/elysia.ts'
import type { ElysiaAuth } from '../../src/adapters/elysia.ts'
import { createAuth } from '../../src/index.ts'
import type { Authorize } from '../../src/index.ts'
import { expectNoAny, expectType } from './_assert.ts'
import type { Equal } from './_assert.ts'

const claims = z.object({ role: z.enum(['admin', 'user']) })
const auth = createAuth({ secretKey: 'x', claims, userLookup: async ({ sub }) => ({ name: sub }) })
const plugin = elysiaAuth(auth)
export const named: ElysiaAuth<typeof claims, { name: string }> = plugin

// ---- Where the plugin is used ----

export const app = new Elysia()
  .state('version', 1)
  .use(plugin)
  .post(
    '/login',
    async ({ authorize, body }) => {
      expectType<Equal<typeof body.username, string>>()
      return authorize.login(body.username, { userClaims: { role: 'user' } })
    },
    { body: t.Object({ username: t.String() }) },
  )
  .get(
    '/items/:id',
    ({ authorize, params, store }) => {
      expectNoAny<typeof authorize>()
      expectType<Equal<typeof authorize, Authorize<typeof claims, { name: string }>>>()
      const { role } = authorize.claims()
      const { name } = authorize.user()
      expectType<Equal<typeof role, 'admin' | 'user'>>()
      expectType<Equal<typeof name, string>>()
      expectType<Equal<typeof params.id, string>>()
      expectType<Equal<typeof store.version, number>>()
      return { role, name }
    },
    { jwtRequired: true },
  )
  .get('/optional', () => 'in', { jwtOptional: { locations: ['headers'] } })
  .get('/refresh', () => 'in', { jwtRefreshTokenRequired: { csrf: 'always' } })
  .get('/fresh', () => 'in', { freshJwtRequired: { within: '5m' } })
  .guard({ jwtRequired: true }, (inner) => inner.get('/guarded', ({ authorize }) => authorize.subject()))
  .group('/group', { freshJwtRequired: true }, (inner) =>
    inner.get('/', ({ authorize }) => authorize.subject()),
  )

// What handlers answer is what clients such as Eden are told, and nothing of the plugin.
type Answers = (typeof app)['~Routes']['optional']['get']['response']
expectType<Equal<Answers, { 200: string }>>()

// @ts-expect-error `false` would look as if it were no guard for those who know macros as switches
app.get('/', () => 'in', { jwtRequired: false })
// @ts-expect-error freshness is the matter of freshJwtRequired
app.get('/', () => 'in', { jwtRequired: { within: '5m' } })
// @ts-expect-error misspelled option
app.get('/', () => 'in', { jwtOptional: { location: [] } })
// @ts-expect-error misspelled guard
app.get('/', () => 'in', { jwtrequired: true })
// @ts-expect-error the claims that the schema demands
app.post('/', async ({ authorize }) => authorize.login('ada'))
// @ts-expect-error no such claim
app.get('/', ({ authorize }) => authorize.claims().rôle)

// ---- Where it is not ----

// @ts-expect-error a guard without the plugin, which Elysia would ignore
new Elysia().get('/', () => 'in', { jwtRequired: true })
// @ts-expect-error a guard before the plugin, which Elysia would ignore
new Elysia().get('/', () => 'in', { jwtRequired: true }).use(plugin)
// @ts-expect-error a guard for the rest of an instance without the plugin
new Elysia().guard({ jwtRequired: true })
// @ts-expect-error what an instance within uses is not around it
new Elysia().use(new Elysia().use(plugin)).get('/', ({ authorize }) => authorize.subject())

// @ts-expect-error the plugin takes what createAuth gave
elysiaAuth(auth.options)
