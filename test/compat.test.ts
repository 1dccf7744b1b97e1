/** What two Python services answered, held against the presets: on live servers of every framework, to the letter. */

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createAuth } from '../src/index.ts'
import type { Auth, AuthOptions, Compat } from '../src/index.ts'
import type { ContractRoute, StartContractApp } from '../src/testing.ts'
import { Client } from '../src/contract/_client.ts'
import * as elysia from './adapters/elysia.ts'
import * as express from './adapters/express.ts'
import * as fastify from './adapters/fastify.ts'
import * as h3 from './adapters/h3.ts'
import * as hono from './adapters/hono.ts'
import * as koa from './adapters/koa.ts'
import * as nest from './adapters/nest.ts'
import * as web from './adapters/web.ts'
import { jwtHeader, signed, twinSecret } from './twins/_exchange.ts'
import type { Exchange, RecordedToken } from './twins/_exchange.ts'
import * as fastapi from './twins/fastapi-jwt-auth.ts'
import * as flask from './twins/flask-jwt-extended.ts'

const frameworks: Readonly<Record<string, StartContractApp>> = {
  web: web.start,
  'Hono 4': hono.start,
  'Express 5': express.startOn5,
  'Express 4': express.startOn4,
  'Elysia 1.4': elysia.start,
  'Fastify 5': fastify.start,
  'NestJS 12 on Express': nest.startOnExpress,
  'NestJS 12 on Fastify': nest.startOnFastify,
  'Koa 3': koa.startOn3,
  'Koa 2': koa.startOn2,
  'h3 2': h3.start,
}

/** An `Auth` with the key of the recorded service, at the time of the recording. */
function twinAuth(compat: Compat, seconds: number, options: AuthOptions = {}): Auth {
  return createAuth({
    compat,
    secretKey: twinSecret,
    unsafeAllowWeakSecret: true,
    clock: () => seconds,
    tokenLocation: ['cookies'],
    ...options,
  })
}

interface Texts {
  readonly login: string
  readonly refresh: string
  readonly logout: string
}

/** The recorded applications, route by route. */
function routesOf(texts: Texts): ContractRoute[] {
  return [
    {
      method: 'POST',
      path: '/login',
      async handle({ authorize }) {
        await authorize().setAccessCookies(await authorize().createAccessToken('test'))
        await authorize().setRefreshCookies(await authorize().createRefreshToken('test'))
        return { msg: texts.login }
      },
    },
    {
      method: 'POST',
      path: '/refresh',
      guard: 'jwtRefreshTokenRequired',
      async handle({ authorize }) {
        await authorize().setAccessCookies(await authorize().createAccessToken(authorize().subject()))
        return { msg: texts.refresh }
      },
    },
    {
      method: 'DELETE',
      path: '/logout',
      guard: 'jwtRequired',
      handle({ authorize }) {
        authorize().unsetJwtCookies()
        return { msg: texts.logout }
      },
    },
    ...(
      [
        ['/protected', 'jwtRequired'],
        ['/fresh', 'freshJwtRequired'],
        ['/optional', 'jwtOptional'],
      ] as const
    ).map(([path, guard]): ContractRoute => ({
      method: 'GET',
      path,
      guard,
      handle: ({ authorize }) => ({ user: authorize().getJwtSubject() }),
    })),
  ]
}

/** The same by tallystick's own words, which refuse in the same way. */
function shortRoutesOf(texts: Texts): ContractRoute[] {
  return [
    {
      method: 'POST',
      path: '/login',
      async handle({ authorize }) {
        await authorize().login('test')
        return { msg: texts.login }
      },
    },
    {
      method: 'POST',
      path: '/refresh',
      async handle({ authorize }) {
        await authorize().refresh()
        return { msg: texts.refresh }
      },
    },
    {
      method: 'DELETE',
      path: '/logout',
      async handle({ authorize }) {
        await authorize().logout()
        return { msg: texts.logout }
      },
    },
  ]
}

/** Set-Cookie lines by name, with their attributes in order and without the moment of an end. */
function attributesOf(lines: readonly string[]): Record<string, readonly string[]> {
  const ours = lines.filter((line) => !line.startsWith('theme='))
  return Object.fromEntries(
    ours.map((line) => {
      const [pair = '', ...attributes] = line.split('; ')
      return [pair.split('=')[0], attributes.map((one) => one.replace(/^Expires=.*/, 'Expires')).toSorted()]
    }),
  )
}

async function expectExchanges(
  start: StartContractApp,
  auth: Auth,
  routes: readonly ContractRoute[],
  exchanges: readonly Exchange[],
): Promise<void> {
  const app = await start({ auth, routes: [...routes], authErrors: true })
  const client = new Client(app.origin)
  try {
    for (const { title, method = 'GET', path, headers = {}, status, body, cookies = {} } of exchanges) {
      const answer = await client.send({ method, path, headers })
      const got = {
        status: answer.status,
        body: JSON.parse(answer.text),
        cookies: attributesOf(answer.cookies),
      }
      expect({ title, ...got }).toEqual({ title, status, body, cookies })
      // Some frameworks name the charset of what a handler answers.
      expect(answer.headers['content-type']).toMatch(/^application\/json(?:;|$)/)
    }
  } finally {
    client.close()
    await app.close()
  }
}

const texts = {
  fastapi: {
    login: 'Successfully login',
    refresh: 'The token has been refresh',
    logout: 'Successfully logout',
  },
  flask: { login: 'login successful', refresh: 'refreshed', logout: 'logout successful' },
}

describe.each(Object.entries(frameworks))('%s', (_name, start) => {
  // Hono writes errors of handlers to the console.
  beforeEach(() => void vi.spyOn(console, 'error').mockReturnValue())
  afterEach(() => void vi.restoreAllMocks())

  test('answers as fastapi-jwt-auth does with cookies', async () => {
    const auth = twinAuth('fastapi-jwt-auth', fastapi.recordedSeconds)
    await expectExchanges(start, auth, routesOf(texts.fastapi), fastapi.cookieExchanges)
  })

  test('answers as fastapi-jwt-auth does with headers', async () => {
    const auth = twinAuth('fastapi-jwt-auth', 1_795_436_194, { tokenLocation: undefined })
    await expectExchanges(start, auth, routesOf(texts.fastapi), fastapi.headerExchanges)
  })

  test('answers as flask-jwt-extended does', async () => {
    const auth = twinAuth('flask-jwt-extended', flask.recordedSeconds)
    await expectExchanges(start, auth, routesOf(texts.flask), flask.cookieExchanges)
  })

  test.each([
    ['fastapi-jwt-auth', fastapi, texts.fastapi],
    ['flask-jwt-extended', flask, texts.flask],
  ] as const)('login(), refresh() and logout() answer as %s too', async (compat, twin, words) => {
    const auth = twinAuth(compat, twin.recordedSeconds)
    const exchanges = twin.cookieExchanges.filter(({ path }) => /^\/(?:login|refresh|logout)$/.test(path))
    expect(exchanges.length).toBeGreaterThan(9)
    await expectExchanges(start, auth, shortRoutesOf(words), exchanges)
  })
})

describe.each([
  ['fastapi-jwt-auth', fastapi, [34, 9]],
  ['flask-jwt-extended', flask, [32]],
] as const)('the recording of %s', (compat, twin, counts) => {
  test('every exchange of it is here or left out', () => {
    const headers = 'headerExchanges' in twin ? twin.headerExchanges : []
    const total = twin.cookieExchanges.length + headers.length + twin.leftOut.length
    expect(total).toBe(counts.reduce((sum: number, count) => sum + count, 0))
  })

  const recorded: readonly (readonly [
    'createAccessToken' | 'createRefreshToken',
    RecordedToken,
    AuthOptions,
  ])[] = [
    ['createAccessToken', twin.access, {}],
    ['createRefreshToken', twin.refresh, {}],
    ...('inHeader' in twin
      ? [['createAccessToken', twin.inHeader, { tokenLocation: undefined }] as const]
      : []),
  ]

  test.each(recorded)(
    '%s makes a token of the same claims in the same order',
    async (name, { claims, signature }, options) => {
      // Written again from its claims, the token is the recorded one byte for byte.
      expect(signed(claims).split('.').at(-1)).toBe(signature)
      const auth = twinAuth(compat, Number(claims['iat']), options)
      const token = await auth[name]('test')
      const made = auth.getUnverifiedJwtClaims(token)
      const uuid = expect.stringMatching(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
      expect(Object.keys(made)).toEqual(Object.keys(claims))
      expect(made).toEqual({ ...claims, jti: uuid, ...('csrf' in claims && { csrf: uuid }) })
      expect(auth.getUnverifiedJwtHeaders(token)).toEqual(jwtHeader)
    },
  )
})
