// The demo as a Hono app: its routes and the page that tries them. It reads no environment, opens no port.

import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { secureHeaders } from 'hono/secure-headers'
import type { Auth } from 'tallystick'
import { honoAuth } from 'tallystick/hono'
import { createAssets } from './assets.ts'
import { readCredentials } from './credentials.ts'

const maxBodyBytes = 4096

const headers = secureHeaders({
  contentSecurityPolicy: {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'"],
    imgSrc: ["'self'"],
    connectSrc: ["'self'"],
    baseUri: ["'none'"],
    formAction: ["'none'"],
    frameAncestors: ["'none'"],
    requireTrustedTypesFor: ["'script'"],
  },
  xFrameOptions: 'DENY',
  // 'no-referrer' would make browsers send `Origin: null`, which the origin check refuses.
  referrerPolicy: 'same-origin',
  // The demo speaks plain http on localhost; a rule for https would outlive it in the browser.
  strictTransportSecurity: false,
})

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
  '/sessions': 'GET, DELETE',
  '/sessions/:id': 'DELETE',
}

/**
 * The routes of one user, `test` with the password `test`, and the page.
 *
 * @param auth One with a store: the page lists the sessions in it.
 */
export function createDemo(auth: Auth): Hono {
  const { authorize, jwtRequired } = honoAuth(auth)
  const app = new Hono()

  app.use(headers)

  app.post('/login', limit, async (c) => {
    // A body that breaks off is none: there is nobody left to read a better answer.
    const body = await c.req.text().catch(() => '')
    const credentials = readCredentials(c.req.header('content-type'), body)
    if ('detail' in credentials) return c.json(credentials, 422)
    const { username, password } = credentials
    if (username !== 'test' || password !== 'test') return c.json({ detail: 'Bad username or password' }, 401)
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

  app.route('/', createAssets({ csrfProtected: auth.options.cookieCsrfProtect }))

  for (const [path, allowed] of Object.entries(methods)) {
    app.all(path, (c) => c.json({ detail: 'Method Not Allowed' }, 405, { Allow: allowed }))
  }
  app.notFound((c) => c.json({ detail: 'Not Found' }, 404))
  return app
}
