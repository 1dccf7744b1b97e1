// What tallystick decides, and the refusals that handlers throw, as log lines of pino, on Hono.

import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { pino } from 'pino'
import { AuthError, createAuth } from 'tallystick'
import type { AuthEvent } from 'tallystick'
import { honoAuth } from 'tallystick/hono'

const logger = pino()
const alarming = new Set<AuthEvent['type']>(['session.reused', 'store.unavailable', 'keys.unavailable'])

const auth = createAuth({
  secretKey: process.env['AUTHJWT_SECRET_KEY'],
  onEvent({ type, ...facts }) {
    if (alarming.has(type)) logger.error({ event: type, ...facts })
    else logger.info({ event: type, ...facts })
  },
})
const { authorize, jwtRequired } = honoAuth(auth)

const app = new Hono()
app.onError((error, c) => {
  logger.warn({ err: error, path: c.req.path }, 'a handler failed') // an AuthError holds nothing secret
  return AuthError.is(error) ? error.getResponse() : c.json({ detail: 'Internal Server Error' }, 500)
})
app.post('/login', async (c) => {
  const { username, password } = (await c.req.json().catch(() => null)) ?? {}
  if (username !== 'test' || password !== 'test') return c.json({ detail: 'Bad username or password' }, 401)
  await authorize(c).login(username)
  return c.json({ msg: 'Successfully login' })
})
app.post('/refresh', async (c) => {
  await authorize(c).refresh()
  return c.json({ msg: 'The token has been refresh' })
})
app.delete('/logout', async (c) => c.json((await authorize(c).logout()) && { msg: 'Successfully logout' }))
app.get('/protected', jwtRequired(), (c) => c.json({ user: authorize(c).subject() }))

serve({ fetch: app.fetch, port: Number(process.env['PORT'] ?? 3000) })
