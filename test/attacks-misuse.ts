/** The rows on configuration and misuse: what a hurried or misled application does to itself. */

/* oxlint-disable vitest/no-standalone-expect -- the proofs of these tables run inside tests */

import { expect } from 'vitest'
import { createAuth } from '../src/index.ts'
import type { AuthOptions } from '../src/index.ts'
import type { Row } from './_attack.ts'
import { forge, goodClaims, secretKey, setup } from './_setup.ts'
import { act, countedRoute, errorOf, requestOf, signIn } from './_wire.ts'

/** Runs a step while every object inherits a member, and takes the member away again. */
async function polluted(name: string, value: unknown, step: () => unknown): Promise<void> {
  // oxlint-disable-next-line no-extend-native -- that is the attack
  Object.defineProperty(Object.prototype, name, {
    value,
    configurable: true,
    enumerable: true,
    writable: true,
  })
  try {
    await step()
  } finally {
    Reflect.deleteProperty(Object.prototype, name)
  }
}

/** Inherited options that would each open something. */
const inherited: Readonly<Record<string, unknown>> = {
  algorithm: 'none',
  decodeAlgorithms: ['none'],
  secretKey: 'evil',
  unsafeAllowWeakSecret: true,
  cookieCsrfProtect: false,
  fetchMetadata: false,
  csrfMethods: ['GET'],
  trustedOrigins: ['https://evil.example'],
  cookieSecure: false,
  denylistEnabled: false,
  tokenLocation: ['query'],
  accessTokenExpires: false,
  decodeLeeway: 300,
}

/** Inherited guard options that would each open something. */
const inheritedByGuards: Readonly<Record<string, unknown>> = {
  skipRevocationCheck: true,
  verifyType: false,
  locations: ['headers'],
}

export const misuseRows: readonly Row[] = [
  {
    id: 243,
    input: 'options that do not exist',
    refused: [
      'algoritms',
      'algorithms',
      'secret',
      'SecretKey',
      'cookie_secure',
      'authjwt_secret_key',
      'httpOnly',
      'trustProxy',
      'constructor',
      'toString',
    ].map((names) => ({ note: names, options: { [names]: true }, names })),
    proved: [
      {
        note: 'a member named __proto__, as JSON.parse makes it',
        prove: () => {
          const options = JSON.parse(
            `{"secretKey":"${secretKey}","__proto__":{"cookieSecure":false}}`,
          ) as AuthOptions
          expect(() => createAuth(options)).toThrow(/__proto__/)
        },
      },
    ],
  },
  {
    id: 244,
    input: 'options that every object inherits',
    proved: [
      ...Object.entries(inherited).map(([name, value]) => ({
        note: `${name} counts only when it is given`,
        prove: () => {
          const ownOptions = (): unknown => {
            const own = Object.entries(createAuth({ secretKey }).options)
            return Object.fromEntries(own.filter(([option]) => option !== 'clock'))
          }
          const clean = ownOptions()
          return polluted(name, value, () => {
            expect(ownOptions()).toEqual(clean)
            expect(() => createAuth({ secretKey: 'secret' })).toThrow(/secretKey/)
          })
        },
      })),
      {
        note: 'a secret that is only inherited is missing',
        prove: () =>
          polluted('secretKey', secretKey, () =>
            expect(() => createAuth({})).toThrow(/secretKey is missing/),
          ),
      },
      {
        note: 'a status that is only inherited changes no refusal',
        prove: () =>
          polluted('token_missing', 200, async () => {
            const response = await countedRoute(setup().web.jwtRequired()).call({})
            expect(response.status).toBe(401)
          }),
      },
      ...Object.entries(inheritedByGuards).map(([name, value]) => ({
        note: `the guard option ${name} counts only when it is given`,
        prove: async () => {
          const world = await signIn({
            tokenLocation: ['cookies', 'headers'],
            denylist: () => name !== 'verifyType',
          })
          const bearer = forge({ alg: 'HS256' }, goodClaims({ type: 'refresh', fresh: undefined }))
          const headers =
            name === 'verifyType' ? { authorization: `Bearer ${bearer}` } : { cookie: world.cookie }
          const expected = {
            skipRevocationCheck: 'token_revoked',
            verifyType: 'wrong_token_type',
            locations: 'token_revoked',
          }[name]
          await polluted(name, value, async () => {
            const response = await countedRoute(world.web.jwtRequired()).call({ headers })
            expect(await response.json()).toMatchObject({ code: expected })
            const given = await countedRoute(world.web.jwtRequired({ csrf: undefined })).call({ headers })
            expect(await given.json()).toMatchObject({ code: expected })
          })
        },
      })),
    ],
  },
  {
    id: 246,
    input: 'an environment that calls itself development',
    proved: ['development', 'test', 'production', ''].map((name) => ({
      note: `NODE_ENV=${name} changes nothing`,
      prove: async () => {
        // The types of a framework say that nobody may change it.
        const environment = process.env as Record<string, string | undefined>
        const before = environment['NODE_ENV']
        environment['NODE_ENV'] = name
        try {
          const { response, auth } = await signIn()
          for (const line of response.headers.getSetCookie()) expect(line).toContain('; Secure; ')
          expect(auth.options).toMatchObject({
            cookieCsrfProtect: true,
            fetchMetadata: true,
            cookieSecure: true,
          })
          expect(() => createAuth({ secretKey: 'secret' })).toThrow(/secretKey/)
        } finally {
          if (before === undefined) delete environment['NODE_ENV']
          else environment['NODE_ENV'] = before
        }
      },
    })),
  },
  {
    id: 247,
    input: 'decoding taken for verifying',
    proved: [
      {
        note: 'what is only decoded says so by its name and makes nobody known',
        prove: async () => {
          const { auth, web } = setup()
          const evil = forge(
            { alg: 'HS256' },
            goodClaims({ sub: 'admin' }),
            'another key of thirty-two bytes or more',
          )
          expect(auth.getUnverifiedJwtClaims(evil)).toMatchObject({ sub: 'admin' })
          const bound = web.authorize(requestOf({ headers: { cookie: `access_token_cookie=${evil}` } }))
          expect([bound.getRawJwt(), bound.getJwtSubject()]).toEqual([null, null])
          expect(Object.keys(Object.getOwnPropertyDescriptors(Object.getPrototypeOf(auth)))).not.toContain(
            'decode',
          )
        },
      },
    ],
  },
  {
    id: 250,
    input: 'an Auth in spite of a wrong configuration',
    proved: [
      {
        note: 'createAuth throws, so nothing can be asked for an identity later',
        prove: async () => {
          const made: unknown[] = []
          const error = await errorOf(() => made.push(createAuth({ secretKey: '' })))
          expect(error).toBeInstanceOf(TypeError)
          expect(made).toEqual([])
        },
      },
      {
        note: 'an error of the look-up at request time passes on, and nobody is known',
        prove: async () => {
          const world = await signIn({
            userLookup: () => {
              throw new RangeError('no database')
            },
          })
          const request = requestOf({ headers: { cookie: world.cookie } })
          await expect(countedRoute(world.web.jwtRequired()).call(request)).rejects.toThrow(RangeError)
          const bound = world.web.authorize(request)
          expect(bound.getRawJwt()).toBeNull()
          expect(() => bound.subject()).toThrow(TypeError)
        },
      },
    ],
  },
  {
    id: 251,
    input: 'a user id in body, query or header and no token',
    sent: [
      {
        note: 'body',
        wire: () => ({
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: '{"userId":"test","sub":"test"}',
        }),
        code: 'token_missing',
      },
      { note: 'query', wire: () => ({ path: '/?userId=test&sub=test&user=test' }), code: 'token_missing' },
      {
        note: 'headers',
        wire: () => ({ headers: { 'x-user-id': 'test', 'x-forwarded-user': 'test', 'remote-user': 'test' } }),
        code: 'token_missing',
      },
    ],
  },
  {
    id: 252,
    input: 'a sign-in that keeps what was there before it',
    proved: [
      {
        note: 'each makes new tokens and new CSRF values, whatever the request carries',
        prove: async () => {
          const world = await signIn()
          let tokens: string[] = []
          await act(world, { method: 'POST', headers: { cookie: world.cookie } }, async (authorize) => {
            const { accessToken, refreshToken } = await authorize.login('test')
            tokens = [accessToken, refreshToken]
          })
          const claims = [world.access, world.refresh, ...tokens].map((token) =>
            world.auth.getUnverifiedJwtClaims(token),
          )
          expect(new Set(claims.map(({ jti }) => jti)).size).toBe(4)
          expect(new Set(claims.map(({ csrf }) => csrf)).size).toBe(4)
        },
      },
      {
        note: 'another user gets nothing of the one before',
        prove: async () => {
          const world = await signIn({}, { userClaims: { role: 'admin' } })
          const request = requestOf({ headers: { cookie: world.cookie } })
          const bound = world.web.authorize(request)
          await bound.jwtRequired()
          world.clock.advance(60)
          const { accessToken } = await bound.login('other')
          const claims = world.auth.getUnverifiedJwtClaims(accessToken)
          expect(claims).toMatchObject({ sub: 'other', auth_time: world.clock() })
          expect(claims).not.toHaveProperty('role')
          expect(
            world.auth.getUnverifiedJwtClaims(await bound.createAccessToken('other2')),
          ).not.toHaveProperty('auth_time')
        },
      },
    ],
  },
]
