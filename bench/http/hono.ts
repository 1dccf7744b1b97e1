// Hono 4 on Node: open, behind middleware that does nothing, with tallystick, and with the middleware that Hono brings.

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { Hono } from 'hono'
import type { Context } from 'hono'
import { getCookie, setCookie } from 'hono/cookie'
import { csrf } from 'hono/csrf'
import { jwt, sign, verify } from 'hono/jwt'
import type { JwtVariables } from 'hono/jwt'
import { honoAuth } from 'tallystick/hono'
import { accessSeconds, claimsOf, nobody, refreshSeconds, secret } from './stack.ts'
import type { Credentials, Stack } from './stack.ts'
import { openAuth, signIn } from './tallystick.ts'

type SignIn = Stack['signIn']
type Fetch = Parameters<typeof getRequestListener>[0]

function stack(fetch: Fetch, signInMany: SignIn): Stack {
  return {
    async listen() {
      const server = createServer(getRequestListener(fetch)).listen(0, '127.0.0.1')
      await once(server, 'listening')
      return (server.address() as AddressInfo).port
    },
    signIn: signInMany,
  }
}

const nobodySignsIn: SignIn = async () => [{ cookie: '', headers: {} }]

function open(): Stack {
  const app = new Hono()
  app.get('/', (c) => c.json(nobody))
  app.post('/', (c) => c.json(nobody))
  return stack(app.fetch, nobodySignsIn)
}

function passing(): Stack {
  const app = new Hono()
  app.get(
    '/',
    (_c, next) => next(),
    (c) => c.json(nobody),
  )
  app.post(
    '/',
    (_c, next) => next(),
    (c) => c.json(nobody),
  )
  return stack(app.fetch, nobodySignsIn)
}

async function tallystick(revocations: number | null): Promise<Stack> {
  const auth = await openAuth(revocations)
  const { authorize, jwtRequired } = honoAuth(auth)
  const app = new Hono()
  app.get('/', jwtRequired(), (c) => c.json({ user: authorize(c).subject() }))
  app.post('/', jwtRequired(), (c) => c.json({ user: authorize(c).subject() }))
  app.post('/login', async (c) => {
    await authorize(c).login('somebody')
    return c.json({ user: 'somebody' })
  })
  app.post('/refresh', async (c) => {
    await authorize(c).refresh()
    return c.json({ user: 'somebody' })
  })
  return stack(app.fetch, (count) => signIn(auth, count))
}

function neighbours(): Stack {
  const app = new Hono<{ Variables: JwtVariables<{ sub: string }> }>()
  const guard = jwt({ secret, cookie: 'token', alg: 'HS256' })
  app.get('/', guard, (c) => c.json({ user: c.get('jwtPayload').sub }))
  app.post('/', csrf(), guard, (c) => c.json({ user: c.get('jwtPayload').sub }))
  const setAccess = async (c: Context, user: string): Promise<void> => {
    const options = {
      httpOnly: true,
      secure: true,
      sameSite: 'Lax',
      path: '/',
      maxAge: accessSeconds,
    } as const
    setCookie(c, 'token', await sign(claimsOf(user, 'access'), secret, 'HS256'), options)
  }
  app.post('/login', async (c) => {
    await setAccess(c, 'somebody')
    const options = {
      httpOnly: true,
      secure: true,
      sameSite: 'Lax',
      path: '/refresh',
      maxAge: refreshSeconds,
    } as const
    setCookie(c, 'refresh', await sign(claimsOf('somebody', 'refresh'), secret, 'HS256'), options)
    return c.json({ user: 'somebody' })
  })
  app.post('/refresh', csrf(), async (c) => {
    const { sub } = await verify(getCookie(c, 'refresh') ?? '', secret, 'HS256')
    await setAccess(c, String(sub))
    return c.json({ user: sub })
  })
  const signInMany: SignIn = async (count) => {
    const refresh = await sign(claimsOf('somebody', 'refresh'), secret, 'HS256')
    const tokens = Array.from({ length: count }, (_, index) =>
      sign(claimsOf(`user ${index}`, 'access'), secret, 'HS256'),
    )
    // What a browser says of a form on the site itself; without it this middleware lets nothing pass.
    const headers = { 'sec-fetch-site': 'same-origin', 'content-type': 'application/x-www-form-urlencoded' }
    return (await Promise.all(tokens)).map((token): Credentials => ({
      cookie: `token=${token}; refresh=${refresh}`,
      headers,
    }))
  }
  return stack(app.fetch, signInMany)
}

export const stacks = {
  open,
  passing,
  tallystick: () => tallystick(null),
  crowded: () => tallystick(1_000_000),
  neighbours,
}
