// Sign-in, refresh, sign-out and a protected route on Koa.

import { bodyParser } from '@koa/bodyparser'
import Router from '@koa/router'
import Koa from 'koa'
import { createAuth } from 'tallystick'
import { koaAuth } from 'tallystick/koa'

const auth = createAuth({ secretKey: process.env['AUTHJWT_SECRET_KEY'] })
const { authorize, authErrors, jwtRequired } = koaAuth(auth)

const router = new Router()

router.post('/login', async (ctx) => {
  const { username, password } = ctx.request.body as Record<string, unknown>
  if (username !== 'test' || password !== 'test') {
    ctx.status = 401
    ctx.body = { detail: 'Bad username or password' }
    return
  }
  await authorize(ctx).login(username)
  ctx.body = { msg: 'Successfully login' }
})
router.post('/refresh', async (ctx) => {
  await authorize(ctx).refresh()
  ctx.body = { msg: 'The token has been refresh' }
})
router.delete('/logout', async (ctx) => {
  await authorize(ctx).logout()
  ctx.body = { msg: 'Successfully logout' }
})
router.get('/protected', jwtRequired(), (ctx) => {
  ctx.body = { user: authorize(ctx).subject() }
})

const app = new Koa()
app.use(authErrors) // first: answers the refusals that handlers throw
app.use(bodyParser()).use(router.routes()) // fills ctx.request.body
app.listen(Number(process.env['PORT'] ?? 3000))
