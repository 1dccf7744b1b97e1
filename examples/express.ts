// Sign-in, refresh, sign-out and a protected route on Express 5; on Express 4, wrap async handlers in route(…).

import express from 'express'
import { createAuth } from 'tallystick'
import { expressAuth } from 'tallystick/express'

const auth = createAuth({ secretKey: process.env['AUTHJWT_SECRET_KEY'] })
const { authorize, authErrors, jwtRequired } = expressAuth(auth)

const app = express()
app.use(express.json()) // fills req.body

app.post('/login', async (req, res) => {
  const { username, password } = req.body ?? {}
  if (username !== 'test' || password !== 'test') {
    res.status(401).json({ detail: 'Bad username or password' })
    return
  }
  await authorize(req, res).login(username)
  res.json({ msg: 'Successfully login' })
})
app.post('/refresh', async (req, res) => {
  await authorize(req, res).refresh()
  res.json({ msg: 'The token has been refresh' })
})
app.delete('/logout', async (req, res) => {
  await authorize(req, res).logout()
  res.json({ msg: 'Successfully logout' })
})
app.get('/protected', jwtRequired(), (req, res) => {
  res.json({ user: authorize(req, res).subject() })
})

app.use(authErrors) // last: answers the refusals that handlers throw
app.listen(Number(process.env['PORT'] ?? 3000))
