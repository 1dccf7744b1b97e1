// Sign-in, refresh, sign-out and a protected route on Elysia, here served by Node; on Bun, leave the adapter out.

import { node } from '@elysiajs/node'
import { Elysia, t } from 'elysia'
import { createAuth } from 'tallystick'
import { elysiaAuth } from 'tallystick/elysia'

const auth = createAuth({ secretKey: process.env['AUTHJWT_SECRET_KEY'] })

const credentials = t.Object({ username: t.String(), password: t.String() })

new Elysia({ adapter: node() })
  .use(elysiaAuth(auth)) // before the routes: gives them authorize and guards, and answers refusals
  .post(
    '/login',
    async ({ authorize, body: { username, password }, status }) => {
      if (username !== 'test' || password !== 'test') {
        return status(401, { detail: 'Bad username or password' })
      }
      await authorize.login(username)
      return { msg: 'Successfully login' }
    },
    { body: credentials },
  )
  .post('/refresh', async ({ authorize }) => {
    await authorize.refresh()
    return { msg: 'The token has been refresh' }
  })
  .delete('/logout', async ({ authorize }) => {
    await authorize.logout()
    return { msg: 'Successfully logout' }
  })
  .get('/protected', ({ authorize }) => ({ user: authorize.subject() }), { jwtRequired: true })
  .listen(Number(process.env['PORT'] ?? 3000))
