// Sign-in, refresh, sign-out and a protected route on h3.

import { H3, readBody, serve } from 'h3'
import { createAuth } from 'tallystick'
import { h3Auth } from 'tallystick/h3'

const auth = createAuth({ secretKey: process.env['AUTHJWT_SECRET_KEY'] })
const { authorize, authErrors, jwtRequired } = h3Auth(auth)

const app = new H3()
app.use(authErrors) // first: answers the refusals that handlers throw

app.post('/login', async (event) => {
  const { username, password } = (await readBody<Record<string, string>>(event)) ?? {}
  if (username !== 'test' || password !== 'test') {
    event.res.status = 401
    return { detail: 'Bad username or password' }
  }
  await authorize(event).login(username)
  return { msg: 'Successfully login' }
})
app.post('/refresh', async (event) => {
  await authorize(event).refresh()
  return { msg: 'The token has been refresh' }
})
app.delete('/logout', async (event) => {
  await authorize(event).logout()
  return { msg: 'Successfully logout' }
})
app.get('/protected', (event) => ({ user: authorize(event).subject() }), { middleware: [jwtRequired()] })

serve(app, { port: Number(process.env['PORT'] ?? 3000) })
