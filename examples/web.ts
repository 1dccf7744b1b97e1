// Sign-in, refresh, sign-out and a protected route on Request and Response alone, here served by Node.

import { serve } from '@hono/node-server'
import { createAuth } from 'tallystick'
import { webAuth } from 'tallystick/web'

const auth = createAuth({ secretKey: process.env['AUTHJWT_SECRET_KEY'] })
const { authorize, authErrors, jwtRequired } = webAuth(auth)

const routes = new Map<string, (request: Request) => Promise<Response>>()

const login = authErrors(async (request: Request) => {
  const { username, password } = (await request.json().catch(() => null)) ?? {}
  if (username !== 'test' || password !== 'test') {
    return Response.json({ detail: 'Bad username or password' }, { status: 401 })
  }
  await authorize(request).login(username)
  return Response.json({ msg: 'Successfully login' })
})
const refresh = authErrors(async (request: Request) => {
  await authorize(request).refresh()
  return Response.json({ msg: 'The token has been refresh' })
})
const logout = authErrors(async (request: Request) => {
  await authorize(request).logout()
  return Response.json({ msg: 'Successfully logout' })
})
const whoami = jwtRequired()((request: Request) => Response.json({ user: authorize(request).subject() }))

routes.set('POST /login', login).set('POST /refresh', refresh)
routes.set('DELETE /logout', logout).set('GET /protected', whoami)

// Bun.serve({ fetch }), Deno.serve(fetch) and `export default { fetch }` on Workers take the same function.
const fetch = async (request: Request): Promise<Response> =>
  routes.get(`${request.method} ${new URL(request.url).pathname}`)?.(request) ??
  new Response('', { status: 404 })

serve({ fetch, port: Number(process.env['PORT'] ?? 3000) })
