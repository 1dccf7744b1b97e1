// Sign-in, refresh, sign-out and protected procedures of tRPC, through tallystick/web, here served by Node.

import { serve } from '@hono/node-server'
import { TRPCError, initTRPC } from '@trpc/server'
import { fetchRequestHandler } from '@trpc/server/adapters/fetch'
import { AuthError, createAuth } from 'tallystick'
import { webAuth } from 'tallystick/web'
import { z } from 'zod'

const auth = createAuth({ secretKey: process.env['AUTHJWT_SECRET_KEY'] })
const { authorize, authErrors } = webAuth(auth)

const t = initTRPC.context<{ authorize: ReturnType<typeof authorize> }>().create()
const codes = new Map([
  [401, 'UNAUTHORIZED' as const],
  [403, 'FORBIDDEN' as const],
  [503, 'SERVICE_UNAVAILABLE' as const],
])

/** Refusals keep their status; tRPC would make a 500 of each. */
const open = t.procedure.use(async ({ next }) => {
  const result = await next()
  if (result.ok || !AuthError.is(result.error.cause)) return result
  const { status, code: message } = result.error.cause
  throw new TRPCError({ code: codes.get(status) ?? 'INTERNAL_SERVER_ERROR', message })
})
/** Queries by GET pass with the cookie, mutations by POST with the CSRF value too. */
const guarded = open.use(async ({ ctx, next }) => {
  await ctx.authorize.jwtRequired()
  return next()
})

let motto = ''
const router = t.router({
  login: open
    .input(z.object({ username: z.string(), password: z.string() }))
    .mutation(async ({ ctx, input: { username, password } }) => {
      if (username !== 'test' || password !== 'test') {
        throw new TRPCError({ code: 'UNAUTHORIZED', message: 'Bad username or password' })
      }
      await ctx.authorize.login(username)
      return { msg: 'Successfully login' }
    }),
  refresh: open.mutation(async ({ ctx }) => {
    await ctx.authorize.refresh()
    return { msg: 'The token has been refresh' }
  }),
  logout: open.mutation(async ({ ctx }) => {
    await ctx.authorize.logout()
    return { msg: 'Successfully logout' }
  }),
  whoami: guarded.query(({ ctx }) => ({ user: ctx.authorize.subject(), motto })),
  setMotto: guarded.input(z.string()).mutation(({ input }) => void (motto = input)),
})
export type AppRouter = typeof router

/** `authErrors` puts the cookies on tRPC's answer, which must not be streamed: its headers go before procedures end. */
const fetch = authErrors((request: Request) =>
  fetchRequestHandler({
    endpoint: '/trpc',
    req: request,
    router,
    createContext: () => ({ authorize: authorize(request) }),
  }),
)

serve({ fetch, port: Number(process.env['PORT'] ?? 3000) })
