// The four routes, and a WebSocket that is closed with 4401 when the sign-in of its page ends.

import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { createAuth } from 'tallystick'
import { honoAuth } from 'tallystick/hono'
import { selectProtocol, wsAuth } from 'tallystick/ws'
import { WebSocketServer } from 'ws'
import type { WebSocket } from 'ws'

const auth = createAuth({ secretKey: process.env['AUTHJWT_SECRET_KEY'] })
const { authorize, jwtRequired } = honoAuth(auth)
const { accept, jwtRequired: socketRequired } = wsAuth(auth)

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

// The page: new WebSocket(url, ['chat', `tallystick.csrf.${csrfToken()}`])
const wss = new WebSocketServer({ noServer: true, handleProtocols: selectProtocol })
const open = accept((socket: WebSocket, session) => {
  socket.on('message', (text) => socket.send(`${session.subject()}: ${String(text)}`))
})
const guarded = socketRequired()((req, socket, head) => wss.handleUpgrade(req, socket, head, open))
serve({ fetch: app.fetch, port: Number(process.env['PORT'] ?? 3000) }).on('upgrade', guarded)
