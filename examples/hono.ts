// Sign-in, refresh, sign-out and a protected route on Hono.

import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { createAuth } from 'tallystick'
import { honoAuth } from 'tallystick/hono'

const auth = createAuth({ secretKey: process.env['AUTHJWT_SECRET_KEY'] })
const { authorize, jwtRequired } = honoAuth(auth)

const app = new Hono()

app.post('/login', async (c) => {
  const { username, password } = (await c.req.json().catch(() => null)) ?? {}
  if (username !== 'test' || password !== 'test') return c.json({ detail: 'Bad username or password' }, 401)
  await authorize(c).login(username) // both tokens, all four cookies
  return c.json({ msg: 'Successfully login' })
})
app.post('/refresh', async (c) => {
  await authorize(c).refresh() // checks refresh cookie and CSRF, sets the new cookies
  return c.json({ msg: 'The token has been refresh' })
})
app.delete('/logout', async (c) => {
  await authorize(c).logout() // unsets all four cookies
  return c.json({ msg: 'Successfully logout' })
})
app.get('/protected', jwtRequired(), (c) => c.json({ user: authorize(c).subject() }))

serve({ fetch: app.fetch, port: Number(process.env['PORT'] ?? 3000) })
