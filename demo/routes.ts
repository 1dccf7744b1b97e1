// The routes of the demo's users, as any site with tallystick has them. Nothing here knows of attacks.

import { Hono } from 'hono'
import type { MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { Auth } from 'tallystick'
import { honoAuth } from 'tallystick/hono'
import { readCredentials } from './credentials.ts'

const maxBodyBytes = 4096

const limit = bodyLimit({
  maxSize: maxBodyBytes,
  onError: (c) => c.json({ detail: `Request body over ${maxBodyBytes} bytes` }, 413),
})

/** The methods that a path answers; all others get a 405 that names them. */
const methods = {
  '/login': 'POST',
  '/refresh': 'POST',
  '/logout': 'DELETE',
  '/protected': 'GET',
  '/transfer': 'POST',
  '/sessions': 'GET, DELETE',
  '/sessions/:id': 'DELETE',
}

/**
 * @param auth One with a store: the page lists the sessions in it.
 * @param passwords Of each user.
 * @param watch Stands before each of the routes, and before nothing else.
 */
export function createRoutes(
  auth: Auth,
  passwords: ReadonlyMap<string, string>,
  watch: MiddlewareHandler = (_, next) => next(),
): Hono {
  const { authorize, jwtRequired } = honoAuth(auth)
  const app = new Hono()

  for (const path of Object.keys(methods)) app.use(path, watch)

  app.post('/login', limit, async (c) => {
    // A body that breaks off is none: there is nobody left to read a better answer.
    const body = await c.req.text().catch(() => '')
    const credentials = readCredentials(c.req.header('content-type'), body)
    if ('detail' in credentials) return c.json(credentials, 422)
    const { username, password } = credentials
    if (passwords.get(username) !== password) return c.json({ detail: 'Bad username or password' }, 401)
    await authorize(c).login(username)
    return c.json({ msg: 'Successfully login' })
  })

  app.post('/refresh', async (c) => {
    await authorize(c).refresh()
    return c.json({ msg: 'The token has been refresh' })
  })

  app.delete('/logout', async (c) => {
    await authorize(c).logout()
    return c.json({ msg: 'Successfully logout' })
  })

  app.get('/protected', jwtRequired(), (c) => c.json({ user: authorize(c).subject() }))

  // What attackers are after: it changes something, or would on a site that has anything to change.
  app.post('/transfer', jwtRequired(), (c) => c.json({ msg: 'Transferred' }))

  app.get('/sessions', jwtRequired(), async (c) => {
    const sessions = await authorize(c).sessions.list()
    return c.json({ sessions }, 200, { 'Cache-Control': 'no-store' })
  })

  app.delete('/sessions', async (c) => {
    const { revoked } = await authorize(c).logout({ everywhere: true })
    return c.json({ msg: revoked ? 'Signed out everywhere' : 'Signed out here' })
  })

  app.delete('/sessions/:id', jwtRequired(), async (c) => {
    const id = c.req.param('id')
    const { sid } = authorize(c).claims()
    const isThere = await authorize(c).sessions.revoke(id)
    if (!isThere) return c.json({ detail: 'No such session' }, 404)
    // Its tokens are good for nothing any more.
    if (id === sid) authorize(c).unsetJwtCookies()
    return c.json({ msg: 'Session ended' })
  })

  for (const [path, allowed] of Object.entries(methods)) {
    app.all(path, (c) => c.json({ detail: 'Method Not Allowed' }, 405, { Allow: allowed }))
  }
  return app
}
