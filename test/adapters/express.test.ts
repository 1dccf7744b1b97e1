// What is special about Express: error handlers of others, routers, rejections, given responses.

import express5, { Router } from 'express'
import type { ErrorRequestHandler, Express } from 'express'
import express4 from 'express4'
import { afterEach, describe, expect, test } from 'vitest'
import { expressAuth } from '../../src/adapters/express.ts'
import { AuthError } from '../../src/index.ts'
import type { AuthOptions } from '../../src/index.ts'
import { cookieHeader, setup } from '../_setup.ts'
import { listen } from './_node.ts'
import type { RunningApp } from '../../src/testing.ts'

const running: RunningApp[] = []

afterEach(async () => {
  await Promise.all(running.splice(0).map(async (app) => app.close()))
})

async function open(app: Express): Promise<string> {
  const server = await listen(app)
  running.push(server)
  return server.origin
}

async function expressSetup(options: AuthOptions = {}) {
  const { auth } = setup(options)
  const access = await auth.createAccessToken('ada')
  return {
    auth,
    access,
    ...expressAuth(auth),
    headers: { cookie: cookieHeader({ access_token_cookie: access }) },
  }
}

describe.each([
  ['5', express5],
  ['4', express4 as unknown as typeof express5],
])('Express %s', (version, express) => {
  test('authErrors passes on what is no refusal', async () => {
    const { authErrors } = await expressSetup()
    const seen: unknown[] = []
    const app = express()
    app.get('/', () => {
      throw new RangeError('mine')
    })
    const mine: ErrorRequestHandler = (error, _request, response, _next) => {
      seen.push(error)
      response.status(418).end()
    }
    app.use(authErrors, mine)
    expect((await fetch(await open(app))).status).toBe(418)
    expect(String(seen[0])).toBe('RangeError: mine')
  })

  test('authErrors passes on a refusal that comes after the headers, and the process lives', async () => {
    const { authorize, authErrors, route } = await expressSetup()
    const seen: unknown[] = []
    const app = express()
    app.get(
      '/',
      route(async (request, response) => {
        response.write('half')
        await authorize(request, response).jwtRequired()
      }),
    )
    const mine: ErrorRequestHandler = (error, _request, response, _next) => {
      seen.push(error)
      response.end(' whole')
    }
    app.use(authErrors, mine)
    expect(await (await fetch(await open(app))).text()).toBe('half whole')
    expect(AuthError.is(seen[0], 'token_missing')).toBe(true)
  })

  test('an error handler of the user before authErrors may answer refusals itself', async () => {
    const { authorize, authErrors, route } = await expressSetup()
    const app = express()
    app.get(
      '/',
      route(async (request, response) => authorize(request, response).jwtRequired()),
    )
    const mine: ErrorRequestHandler = (error: AuthError, _request, response, _next) => {
      response.status(error.statusCode).json({ mine: error.code })
    }
    app.use(mine, authErrors)
    const response = await fetch(await open(app))
    expect([response.status, await response.json()]).toEqual([401, { mine: 'token_missing' }])
  })

  test('route catches what is thrown at once and what is rejected, and hands next on', async () => {
    const { route } = await expressSetup()
    const app = express()
    app.get(
      '/throws',
      route(() => {
        throw new RangeError('mine')
      }),
    )
    app.get(
      '/next',
      route((_request, _response, next) => next()),
      (_request, response) => void response.end('next'),
    )
    const origin = await open(app)
    expect((await fetch(`${origin}/throws`)).status).toBe(500)
    expect(await (await fetch(`${origin}/next`)).text()).toBe('next')
  })

  test('guards on a router see the address as the client wrote it, and one identity', async () => {
    const { authorize, access, jwtRequired } = await expressSetup({ tokenLocation: ['query'] })
    const router = Router()
    router.use(jwtRequired())
    router.get('/who', jwtRequired(), (request, response) => {
      response.json({ user: authorize(request, response).subject() })
    })
    const app = express()
    app.use('/api', router as unknown as ReturnType<typeof express5>)
    const origin = await open(app)
    expect(await (await fetch(`${origin}/api/who?jwt=${access}`)).json()).toEqual({ user: 'ada' })
    expect((await fetch(`${origin}/api/who`)).status).toBe(401)
  })

  test('guards on a router delete planted cookies at the paths that the client sees', async () => {
    const { access, jwtRequired } = await expressSetup()
    const router = Router()
    router.get('/who', jwtRequired())
    const app = express()
    app.use('/api', router as unknown as ReturnType<typeof express5>)
    const headers = { cookie: `access_token_cookie=planted; access_token_cookie=${access}` }
    const response = await fetch(`${await open(app)}/api/who`, { headers })
    const paths = response.headers.getSetCookie().map((line) => /; Path=([^;]+)/.exec(line)?.[1])
    expect([...new Set(paths)]).toEqual(['/', '/api', '/api/', '/api/who'])
  })

  test('two Auths see one request each with their own eyes', async () => {
    const { jwtRequired, headers } = await expressSetup()
    const other = await expressSetup({ accessCookieKey: 'other' })
    const app = express()
    app.get('/', jwtRequired(), other.jwtRequired(), (_request, response) => void response.end('in'))
    const response = await fetch(await open(app), { headers })
    expect(await response.json()).toMatchObject({ detail: 'Missing cookie other' })
  })

  test('cookies can be set on the response given by hand', async () => {
    const { authorize, access, route } = await expressSetup()
    const app = express()
    app.get(
      '/',
      route(async (request, response) => {
        await authorize(request, response).setAccessCookies(access, { response })
        response.end()
      }),
    )
    expect((await fetch(await open(app))).headers.getSetCookie()).toHaveLength(2)
  })

  test.runIf(version === '5')('rejections reach authErrors without route()', async () => {
    const { authorize, authErrors } = await expressSetup()
    const app = express()
    app.get('/', async (request, response) => {
      response.json(await authorize(request, response).jwtRequired())
    })
    app.use(authErrors)
    expect(await (await fetch(await open(app))).json()).toMatchObject({ code: 'token_missing' })
  })
})
