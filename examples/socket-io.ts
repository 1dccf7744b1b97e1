// The four routes, and socket.io, whose client sends the CSRF value as its `auth` and leaves polling out.

import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { Server } from 'socket.io'
import { createAuth } from 'tallystick'
import { honoAuth } from 'tallystick/hono'
import { wsAuth } from 'tallystick/ws'

const auth = createAuth({ secretKey: process.env['AUTHJWT_SECRET_KEY'] })
const { authorize, jwtRequired } = honoAuth(auth)
const sockets = wsAuth(auth)
const app = new Hono()
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
app.delete('/logout', async (c) => {
  await authorize(c).logout()
  return c.json({ msg: 'Successfully logout' })
})
app.get('/protected', jwtRequired(), (c) => c.json({ user: authorize(c).subject() }))
const server = serve({ fetch: app.fetch, port: Number(process.env['PORT'] ?? 3000) })

const io = new Server(server, { transports: ['websocket'] }).use((socket, next) => {
  const csrfToken = String(socket.handshake.auth['csrf'] ?? '')
  const passed = sockets.authorize(socket.request).jwtRequired({ csrfToken })
  passed.then(() => next(), next)
})
io.on('connection', (socket) => {
  const session = sockets.authorize(socket.request).watch(() => socket.disconnect(true))
  socket.on('disconnect', () => session.stop())
  socket.on('text', (text) => socket.emit('text', `${session.subject()}: ${text}`))
})
