// Sign-in, refresh, sign-out and a protected route on Fastify.

import { fastify } from 'fastify'
import { createAuth } from 'tallystick'
import { fastifyAuth } from 'tallystick/fastify'

const auth = createAuth({ secretKey: process.env['AUTHJWT_SECRET_KEY'] })
const { authorize, authErrors, jwtRequired } = fastifyAuth(auth)

const app = fastify()
await app.register(authErrors) // answers the refusals that handlers throw

const credentials = { type: 'object', required: ['username', 'password'] }

app.post<{ Body: Record<string, string> }>(
  '/login',
  { schema: { body: credentials } },
  async (request, reply) => {
    const { username, password } = request.body
    if (username !== 'test' || password !== 'test') {
      return reply.code(401).send({ detail: 'Bad username or password' })
    }
    await authorize(request, reply).login(username)
    return { msg: 'Successfully login' }
  },
)
app.post('/refresh', async (request, reply) => {
  await authorize(request, reply).refresh()
  return { msg: 'The token has been refresh' }
})
app.delete('/logout', async (request, reply) => {
  await authorize(request, reply).logout()
  return { msg: 'Successfully logout' }
})
app.get('/protected', { onRequest: jwtRequired() }, async (request, reply) => {
  return { user: authorize(request, reply).subject() }
})

await app.listen({ port: Number(process.env['PORT'] ?? 3000) })
