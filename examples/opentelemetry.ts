// What tallystick decides, as a counter and on spans, on Hono. An SDK that is loaded before (`node --import`) exports it.

import { subscribe } from 'node:diagnostics_channel'
import { serve } from '@hono/node-server'
import { metrics, trace } from '@opentelemetry/api'
import { Hono } from 'hono'
import { createAuth } from 'tallystick'
import type { AuthEvent } from 'tallystick'
import { honoAuth } from 'tallystick/hono'

const auth = createAuth({ secretKey: process.env['AUTHJWT_SECRET_KEY'] })
const { authorize, jwtRequired } = honoAuth(auth)

const counter = metrics.getMeter('tallystick').createCounter('tallystick.events')
subscribe('tallystick', (message) => {
  const { type, ...facts } = message as AuthEvent
  trace.getActiveSpan()?.addEvent(`tallystick.${type}`, { ...facts })
  const { code, reason, location } = facts as Partial<Extract<AuthEvent, { type: 'rejected' }>>
  counter.add(1, { type, code, reason, location }) // never an origin or a host: clients choose those
})

const app = new Hono()
app.use((c, next) =>
  trace.getTracer('tallystick').startActiveSpan(c.req.method, (span) => next().finally(() => span.end())),
)
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
