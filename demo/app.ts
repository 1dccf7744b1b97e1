// The demo as a Hono app: four routes and the page that tries them. It reads no environment, opens no port.

import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { secureHeaders } from 'hono/secure-headers'
import { createAuth, type AuthOptions } from 'tallystick'
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

/** Paths that answer one method only; the others get a 405 that names it. */
const methods = { '/login': 'POST', '/refresh': 'POST', '/logout': 'DELETE', '/protected': 'GET' }

/**
 * Four routes of one user, `test` with the password `test`, and the page.
 *
 * @throws {TypeError} what `createAuth` has to say about the options
 */
export function createDemo(options: AuthOptions): Hono {
  const auth = createAuth(options)
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

  app.route('/', createAssets({ csrfProtected: auth.options.cookieCsrfProtect }))

  for (const [path, method] of Object.entries(methods)) {
    app.all(path, (c) => c.json({ detail: 'Method Not Allowed' }, 405, { Allow: method }))
  }
  app.notFound((c) => c.json({ detail: 'Not Found' }, 404))
  return app
}
