// Fastify 5: open, behind a hook that does nothing, with tallystick, and with the plugins of its own family.

import cookie from '@fastify/cookie'
import csrfProtection from '@fastify/csrf-protection'
import fastifyJwt from '@fastify/jwt'
import Fastify from 'fastify'
import type { FastifyInstance, FastifyReply, onRequestHookHandler } from 'fastify'
import { fastifyAuth } from 'tallystick/fastify'
import { accessSeconds, claimsOf, nobody, refreshSeconds, secret } from './stack.ts'
import type { Answer, Credentials, Stack } from './stack.ts'
import { openAuth, signIn } from './tallystick.ts'

type SignIn = Stack['signIn']

function stack(app: FastifyInstance, signInMany: SignIn): Stack {
  return {
    async listen() {
      return Number(new URL(await app.listen({ port: 0, host: '127.0.0.1' })).port)
    },
    signIn: signInMany,
  }
}

const nobodySignsIn: SignIn = async () => [{ cookie: '', headers: {} }]

function open(): Stack {
  const app = Fastify()
  app.get('/', (): Answer => nobody)
  app.post('/', (): Answer => nobody)
  return stack(app, nobodySignsIn)
}

function passing(): Stack {
  const app = Fastify()
  const onRequest: onRequestHookHandler = (_request, _reply, done) => done()
  app.get('/', { onRequest }, (): Answer => nobody)
  app.post('/', { onRequest }, (): Answer => nobody)
  return stack(app, nobodySignsIn)
}

async function tallystick(revocations: number | null): Promise<Stack> {
  const auth = await openAuth(revocations)
  const { authorize, jwtRequired } = fastifyAuth(auth)
  const app = Fastify()
  const onRequest = jwtRequired()
  app.get('/', { onRequest }, (request, reply): Answer => ({ user: authorize(request, reply).subject() }))
  app.post('/', { onRequest }, (request, reply): Answer => ({ user: authorize(request, reply).subject() }))
  app.post('/login', async (request, reply): Promise<Answer> => {
    await authorize(request, reply).login('somebody')
    return { user: 'somebody' }
  })
  app.post('/refresh', async (request, reply): Promise<Answer> => {
    await authorize(request, reply).refresh()
    return { user: 'somebody' }
  })
  return stack(app, (count) => signIn(auth, count))
}

async function neighbours(): Promise<Stack> {
  const app = Fastify()
  await app.register(cookie)
  await app.register(fastifyJwt, { secret, cookie: { cookieName: 'token', signed: false } })
  await app.register(csrfProtection)
  const userOf = (user: unknown): Answer => ({ user: (user as { sub: string }).sub })
  const verify: onRequestHookHandler = async (request) => void (await request.jwtVerify())
  app.get('/', { onRequest: verify }, (request) => userOf(request.user))
  const csrf: onRequestHookHandler = (request, reply, done) => app.csrfProtection(request, reply, done)
  app.post('/', { onRequest: [verify, csrf] }, (request) => userOf(request.user))
  const setAccess = (reply: FastifyReply, user: string): void => {
    const options = {
      httpOnly: true,
      secure: true,
      sameSite: 'lax',
      path: '/',
      maxAge: accessSeconds,
    } as const
    reply.setCookie('token', app.jwt.sign(claimsOf(user, 'access')), options)
    reply.setCookie('csrf_token', reply.generateCsrf(), { ...options, httpOnly: false })
  }
  app.post('/login', (_request, reply): Answer => {
    setAccess(reply, 'somebody')
    const options = {
      httpOnly: true,
      secure: true,
      sameSite: 'lax',
      path: '/refresh',
      maxAge: refreshSeconds,
    } as const
    reply.setCookie('refresh', app.jwt.sign(claimsOf('somebody', 'refresh')), options)
    return { user: 'somebody' }
  })
  app.post('/refresh', { onRequest: csrf }, (request, reply): Answer => {
    const { sub } = app.jwt.verify<{ sub: string }>(request.cookies['refresh'] ?? '')
    setAccess(reply, sub)
    return { user: sub }
  })
  const signInMany: SignIn = async (count) => {
    const reply = await app.inject({ method: 'POST', url: '/login' })
    const value = (name: string): string => reply.cookies.find((one) => one.name === name)?.value ?? ''
    const headers = { 'x-csrf-token': value('csrf_token') }
    return Array.from({ length: count }, (_, index): Credentials => {
      const token = app.jwt.sign(claimsOf(`user ${index}`, 'access'))
      return { cookie: `token=${token}; _csrf=${value('_csrf')}; refresh=${value('refresh')}`, headers }
    })
  }
  return stack(app, signInMany)
}

export const stacks = {
  open,
  passing,
  tallystick: () => tallystick(null),
  crowded: () => tallystick(1_000_000),
  neighbours,
}
