// Express 5: open, behind middleware that does nothing, with tallystick, and with what its guides put together.

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import cookieParser from 'cookie-parser'
import { doubleCsrf } from 'csrf-csrf'
import express from 'express'
import type { Express, Request, Response } from 'express'
import { expressjwt } from 'express-jwt'
import type { Request as JwtRequest } from 'express-jwt'
import jsonwebtoken from 'jsonwebtoken'
import { expressAuth } from 'tallystick/express'
import { accessSeconds, claimsOf, nobody, refreshSeconds, secret } from './stack.ts'
import type { Credentials, Stack } from './stack.ts'
import { openAuth, signIn } from './tallystick.ts'

type SignIn = Stack['signIn']

function stack(app: Express, signInMany: SignIn): Stack {
  return {
    async listen() {
      const server = createServer(app).listen(0, '127.0.0.1')
      await once(server, 'listening')
      return (server.address() as AddressInfo).port
    },
    signIn: signInMany,
  }
}

const nobodySignsIn: SignIn = async () => [{ cookie: '', headers: {} }]

function open(): Stack {
  const app = express()
  app.get('/', (_request, response) => void response.json(nobody))
  app.post('/', (_request, response) => void response.json(nobody))
  return stack(app, nobodySignsIn)
}

function passing(): Stack {
  const app = express()
  app.get(
    '/',
    (_request, _response, next) => next(),
    (_request, response) => void response.json(nobody),
  )
  app.post(
    '/',
    (_request, _response, next) => next(),
    (_request, response) => void response.json(nobody),
  )
  return stack(app, nobodySignsIn)
}

async function tallystick(revocations: number | null): Promise<Stack> {
  const auth = await openAuth(revocations)
  const { authorize, jwtRequired } = expressAuth(auth)
  const app = express()
  const answer = (request: Request, response: Response): void => {
    response.json({ user: authorize(request, response).subject() })
  }
  app.get('/', jwtRequired(), answer)
  app.post('/', jwtRequired(), answer)
  app.post('/login', async (request, response) => {
    await authorize(request, response).login('somebody')
    response.json({ user: 'somebody' })
  })
  app.post('/refresh', async (request, response) => {
    await authorize(request, response).refresh()
    response.json({ user: 'somebody' })
  })
  return stack(app, (count) => signIn(auth, count))
}

function neighbours(): Stack {
  const app = express()
  app.use(cookieParser())
  const guard = expressjwt({
    secret,
    algorithms: ['HS256'],
    getToken: (request) => request.cookies['token'],
  })
  const { generateCsrfToken, doubleCsrfProtection } = doubleCsrf({
    getSecret: () => secret,
    getSessionIdentifier: () => 'somebody',
    cookieName: 'csrf',
    cookieOptions: { secure: true, sameSite: 'lax' },
  })
  const answer = (request: JwtRequest, response: Response): void => {
    response.json({ user: request.auth?.sub })
  }
  app.get('/', guard, answer)
  app.post('/', guard, doubleCsrfProtection, answer)
  const make = (user: string, type: 'access' | 'refresh'): string =>
    jsonwebtoken.sign(claimsOf(user, type), secret, { algorithm: 'HS256' })
  const setAccess = (response: Response, user: string): void => {
    const options = { httpOnly: true, secure: true, sameSite: 'lax', maxAge: accessSeconds * 1000 } as const
    response.cookie('token', make(user, 'access'), options)
  }
  app.post('/login', (request, response) => {
    setAccess(response, 'somebody')
    const options = { httpOnly: true, secure: true, sameSite: 'lax', maxAge: refreshSeconds * 1000 } as const
    response.cookie('refresh', make('somebody', 'refresh'), { ...options, path: '/refresh' })
    response.cookie('csrf_token', generateCsrfToken(request, response, { overwrite: true }), {
      ...options,
      httpOnly: false,
    })
    response.json({ user: 'somebody' })
  })
  app.post('/refresh', doubleCsrfProtection, (request, response) => {
    const claims = jsonwebtoken.verify(request.cookies['refresh'], secret, { algorithms: ['HS256'] })
    const user = typeof claims === 'string' ? claims : String(claims['sub'])
    setAccess(response, user)
    generateCsrfToken(request, response, { overwrite: true })
    response.json({ user })
  })
  const signInMany: SignIn = async (count) => {
    const cookies = new Map<string, string>()
    const response = { cookie: (name: string, value: string) => cookies.set(name, value) }
    const csrf = generateCsrfToken({ cookies: {} } as Request, response as unknown as Response)
    const rest = `csrf=${cookies.get('csrf') ?? ''}; refresh=${make('somebody', 'refresh')}`
    return Array.from({ length: count }, (_, index): Credentials => {
      return {
        cookie: `token=${make(`user ${index}`, 'access')}; ${rest}`,
        headers: { 'x-csrf-token': csrf },
      }
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
