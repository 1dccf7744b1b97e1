/** What guards ask beside the token: denylist, user, options of their own, and whom the optional one lets pass. */

import { describe, expect, test } from 'vitest'
import type { AuthErrorCode, AuthOptions, Claims, GuardOptions } from '../src/index.ts'
import { codeOf, forge, goodClaims, setup } from './_setup.ts'
import {
  act,
  codeOfResponse,
  countedRoute,
  errorOf,
  notedResponse,
  portOf,
  refreshing,
  requestOf,
} from './_wire.ts'
import { signIn, writing } from './_wire.ts'
import type { Wire, World } from './_wire.ts'

type Denylist = NonNullable<AuthOptions['denylist']>

const head = { alg: 'HS256', typ: 'JWT' }
const never = new Promise<boolean>(() => {})
/** What JavaScript lets an application answer. */
const answering = (value: unknown): Denylist => (() => value) as Denylist

describe('the denylist', () => {
  test.for<[string, Denylist, string]>([
    ['false', () => false, 'passed'],
    ['a promise of false', async () => false, 'passed'],
    ['true', () => true, 'token_revoked'],
    ['a promise of true', async () => true, 'token_revoked'],
    [
      'a thenable of true',
      answering({ then: (resolve: (value: boolean) => void) => resolve(true) }),
      'token_revoked',
    ],
    [
      'a thenable of false',
      answering({ then: (resolve: (value: boolean) => void) => resolve(false) }),
      'passed',
    ],
    ['nothing', answering(undefined), 'store_unavailable'],
    ['null', answering(null), 'store_unavailable'],
    ['0', answering(0), 'store_unavailable'],
    ['1', answering(1), 'store_unavailable'],
    ['an empty text', answering(''), 'store_unavailable'],
    ['a text', answering('false'), 'store_unavailable'],
    ['a Boolean object', answering(Object(false)), 'store_unavailable'],
    ['a promise of nothing', answering(Promise.resolve(undefined)), 'store_unavailable'],
    [
      'an error',
      () => {
        throw new Error('down')
      },
      'store_unavailable',
    ],
    ['a rejection', async () => Promise.reject(new Error('down')), 'store_unavailable'],
    ['a rejection with nothing', async () => Promise.reject(undefined), 'store_unavailable'],
    [
      'a thenable that fails',
      answering({ then: (_: unknown, reject: (reason: Error) => void) => reject(new Error('down')) }),
      'store_unavailable',
    ],
    ['no answer', async () => never, 'store_unavailable'],
  ])('that answers with %s', async ([, denylist, code]) => {
    const world = await signIn({ denylist, storeTimeout: 1 })
    const route = countedRoute(world.web.jwtRequired())
    const started = performance.now()
    const response = await route.call({ method: 'POST', headers: writing(world) })
    expect(performance.now() - started).toBeLessThan(3000)
    expect(response.headers.get('retry-after') ?? '').toMatch(code === 'store_unavailable' ? /^[123]$/ : /^$/)
    expect([await codeOfResponse(response), route.runs(), response.headers.getSetCookie()]).toEqual([
      code,
      code === 'passed' ? 1 : 0,
      [],
    ])
  })

  test.for(['jwtRequired', 'jwtOptional', 'freshJwtRequired', 'jwtRefreshTokenRequired', 'refresh'] as const)(
    '%s refuses while it cannot be asked, and the cookies stay',
    async (name) => {
      for (const optionalErrors of ['throw', 'anonymous'] as const) {
        const world = await signIn({
          denylist: async () => Promise.reject(new Error('secret detail')),
          optionalErrors,
        })
        const response = await act(
          world,
          {
            method: 'POST',
            headers:
              name.includes('efresh') && name !== 'freshJwtRequired' ? refreshing(world) : writing(world),
          },
          (bound) => bound[name](),
        )
        const text = await response.clone().text()
        expect([response.status, await codeOfResponse(response)]).toEqual([503, 'store_unavailable'])
        expect(response.headers.getSetCookie()).toEqual([])
        expect(text).not.toContain('secret detail')
        expect(JSON.stringify(world.events)).not.toContain('secret detail')
      }
    },
  )

  test('gets the claims, and is asked for the types that denylistTokenChecks names', async () => {
    const asked: Claims[] = []
    const denylist = (claims: Claims): boolean => {
      asked.push(claims)
      return claims.type === 'access'
    }
    const world = await signIn({ denylist, denylistTokenChecks: ['refresh'] })
    const route = countedRoute(world.web.jwtRequired())
    expect((await route.call({ headers: { cookie: world.cookie } })).status).toBe(200)
    expect(asked).toEqual([])
    await countedRoute(world.web.jwtRefreshTokenRequired()).call({ headers: { cookie: world.cookie } })
    expect(asked).toEqual([expect.objectContaining({ sub: 'test', type: 'refresh' })])
  })

  test('is asked last, and not at all when something else refuses', async () => {
    let asked = 0
    const world = await signIn({ denylist: () => ++asked > 0 })
    const route = countedRoute(world.web.freshJwtRequired())
    await route.call({ method: 'POST', headers: { cookie: world.cookie } })
    await route.call({ method: 'POST', headers: { cookie: world.cookie, 'x-csrf-token': 'x' } })
    await route.call({ headers: { cookie: `access_token_cookie=${world.refresh}` } })
    await route.call({
      headers: { cookie: `access_token_cookie=${forge(head, goodClaims({ fresh: false }))}` },
    })
    expect(asked).toBe(0)
    expect(await codeOfResponse(await route.call({ headers: { cookie: world.cookie } }))).toBe(
      'token_revoked',
    )
  })

  test('is switched off by denylistEnabled', async () => {
    const world = await signIn({ denylist: () => true, denylistEnabled: false })
    expect(
      (await countedRoute(world.web.jwtRequired()).call({ headers: { cookie: world.cookie } })).status,
    ).toBe(200)
  })

  test('is asked by verify too', async () => {
    const world = await signIn({ denylist: () => true })
    expect(await codeOf(() => world.auth.verify(world.access))).toBe('token_revoked')
  })

  test('is asked again for every request, also for a token seen before', async () => {
    let isRevoked = false
    const world = await signIn({ denylist: () => isRevoked })
    const route = countedRoute(world.web.jwtRequired())
    expect((await route.call({ headers: { cookie: world.cookie } })).status).toBe(200)
    isRevoked = true
    expect((await route.call({ headers: { cookie: world.cookie } })).status).toBe(401)
  })
})

describe('skipRevocationCheck', () => {
  test('leaves the denylist out, until a guard without it asks', async () => {
    let asked = 0
    const world = await signIn({ denylist: () => ++asked > 0 })
    const bound = world.web.authorize(requestOf({ headers: { cookie: world.cookie } }))
    await bound.jwtRequired({ skipRevocationCheck: true })
    await bound.jwtRequired({ skipRevocationCheck: true })
    expect(asked).toBe(0)
    expect(await codeOf(() => bound.jwtRequired())).toBe('token_revoked')
    expect(await codeOf(() => bound.jwtOptional())).toBe('token_revoked')
    expect(asked).toBe(2)
  })

  test('asks once for a request that several guards stand before', async () => {
    const asked = { denylist: 0, userLookup: 0 }
    const world = await signIn({
      denylist: () => ++asked.denylist < 0,
      userLookup: () => ({ loads: ++asked.userLookup }),
    })
    const bound = world.web.authorize(requestOf({ headers: { cookie: world.cookie } }))
    await bound.jwtRequired({ skipRevocationCheck: true })
    await bound.jwtRequired()
    await bound.freshJwtRequired()
    await bound.jwtRequired({ skipRevocationCheck: true })
    expect(asked).toEqual({ denylist: 1, userLookup: 1 })
    expect(bound.user()).toEqual({ loads: 1 })
  })

  test('is of no use for refresh tokens', async () => {
    const world = await signIn({ denylist: ({ type }) => type === 'refresh' })
    const { refresh } = world
    for (const guard of [
      world.web.jwtRefreshTokenRequired({ skipRevocationCheck: true }),
      world.web.jwtRequired({ skipRevocationCheck: true, verifyType: false, token: refresh }),
    ]) {
      expect(
        await codeOfResponse(await countedRoute(guard).call({ headers: { cookie: world.cookie } })),
      ).toBe('token_revoked')
    }
  })
})

describe('userLookup', () => {
  test.for<[string, unknown, string]>([
    ['a user', { name: 'Test' }, 'passed'],
    ['a promise of one', Promise.resolve({ name: 'Test' }), 'passed'],
    ['a falsy user', 0, 'passed'],
    ['null', null, 'user_not_found'],
    ['nothing', undefined, 'user_not_found'],
    ['a promise of null', Promise.resolve(null), 'user_not_found'],
    ['a promise of nothing', Promise.resolve(), 'user_not_found'],
  ])('that gives %s', async ([, user, code]) => {
    const world = await signIn({ userLookup: () => user })
    const bound = world.web.authorize(requestOf({ headers: { cookie: world.cookie } }))
    expect(await codeOf(() => bound.jwtRequired())).toBe(code)
    if (code === 'passed') expect(bound.user()).toEqual(await user)
    else expect(bound.getRawJwt()).toBeNull()
  })

  test.for<[string, () => never | Promise<never>]>([
    [
      'throws',
      () => {
        throw new RangeError('database')
      },
    ],
    ['rejects', async () => Promise.reject(new RangeError('database'))],
  ])('that %s keeps its own error', async ([, userLookup]) => {
    for (const optionalErrors of ['throw', 'anonymous'] as const) {
      const world = await signIn({ userLookup, optionalErrors })
      const bound = world.web.authorize(requestOf({ headers: { cookie: world.cookie } }))
      await expect(bound.jwtOptional()).rejects.toThrow(RangeError)
      expect([bound.getRawJwt(), world.events]).toEqual([null, []])
    }
  })

  test('is not asked for a token that is revoked, nor for nobody', async () => {
    let asked = 0
    const world = await signIn({ denylist: () => true, userLookup: () => ++asked })
    const route = countedRoute(world.web.jwtOptional())
    await route.call({ headers: { cookie: world.cookie } })
    await route.call({})
    expect(asked).toBe(0)
  })
})

describe('optionalErrors', () => {
  const cookieOf = (token: string): Wire => ({ headers: { cookie: `access_token_cookie=${token}` } })
  const forgiven: readonly [AuthErrorCode, AuthOptions, (world: World) => Wire][] = [
    ['token_expired', {}, () => cookieOf(forge(head, goodClaims({ exp: 1, nbf: 0 })))],
    ['token_invalid', {}, () => cookieOf('x')],
    ['token_revoked', { denylist: () => true }, ({ access }) => cookieOf(access)],
    ['wrong_token_type', {}, ({ refresh }) => cookieOf(refresh)],
    ['header_invalid', { tokenLocation: ['headers'] }, () => ({ headers: { authorization: 'Bearer' } })],
    ['user_not_found', { userLookup: () => null }, ({ access }) => cookieOf(access)],
  ]
  const thrown: typeof forgiven = [
    ['token_too_large', {}, () => cookieOf('x'.repeat(8193))],
    [
      'origin_forbidden',
      {},
      (world) => ({ method: 'POST', headers: { ...writing(world), 'sec-fetch-site': 'cross-site' } }),
    ],
    ['csrf_missing', {}, ({ cookie }) => ({ method: 'POST', headers: { cookie } })],
    ['csrf_mismatch', {}, ({ cookie }) => ({ method: 'POST', headers: { cookie, 'x-csrf-token': 'x' } })],
    ['cookie_ambiguous', {}, () => ({ headers: { cookie: 'access_token_cookie=a; access_token_cookie=b' } })],
    ['store_unavailable', { denylist: answering(undefined) }, ({ access }) => cookieOf(access)],
  ]

  test.for([...forgiven, ...thrown])("'throw' refuses with %s", async ([code, options, wire]) => {
    const world = await signIn(options)
    const route = countedRoute(world.web.jwtOptional())
    expect([await codeOfResponse(await route.call(wire(world))), route.runs()]).toEqual([code, 0])
  })

  test.for(forgiven)(
    "'anonymous' takes %s as nobody, and observers hear of it",
    async ([code, options, wire]) => {
      const world = await signIn({ ...options, optionalErrors: 'anonymous' })
      const bound = world.web.authorize(requestOf(wire(world)))
      expect([await bound.jwtOptional(), bound.getRawJwt()]).toEqual([null, null])
      expect(world.events).toMatchObject([{ type: 'rejected', code }])
      expect(await codeOf(() => bound.jwtRequired())).toBe(code)
    },
  )

  test.for(thrown)("'anonymous' still refuses with %s", async ([code, options, wire]) => {
    const world = await signIn({ ...options, optionalErrors: 'anonymous' })
    const route = countedRoute(world.web.jwtOptional())
    expect([await codeOfResponse(await route.call(wire(world))), route.runs()]).toEqual([code, 0])
  })

  test('without a token is nobody, on every method and from every site', async () => {
    const { web, events } = setup()
    const route = countedRoute(web.jwtOptional())
    for (const method of ['GET', 'POST'])
      await route.call({ method, headers: { 'sec-fetch-site': 'cross-site' } })
    expect([route.runs(), events]).toEqual([2, []])
  })
})

describe('guard options', () => {
  test('locations override tokenLocation', async () => {
    const world = await signIn({ tokenLocation: ['cookies'] })
    const route = countedRoute(world.web.jwtRequired({ locations: ['headers', 'query'] }))
    expect(await codeOfResponse(await route.call({ headers: { cookie: world.cookie } }))).toBe(
      'token_missing',
    )
    expect((await route.call({ path: `/?jwt=${world.access}` })).status).toBe(200)
    expect(
      (await route.call({ method: 'POST', headers: { authorization: `Bearer ${world.access}` } })).status,
    ).toBe(200)
  })

  test('a token given by hand is the only one asked', async () => {
    const world = await signIn()
    const call = async (token: string): Promise<string> => {
      const bound = world.web.authorize(requestOf({ method: 'POST', headers: { cookie: world.cookie } }))
      const code = await codeOf(() => bound.jwtRequired({ token }))
      return `${code} ${bound.getTokenLocation() ?? 'nowhere'}`
    }
    expect(await call(world.access)).toBe('passed given')
    expect(await call('x')).toBe('token_invalid nowhere')
    expect(await call('')).toBe('token_invalid nowhere')
    expect(await call(world.refresh)).toBe('wrong_token_type nowhere')
  })

  test.for<[string, GuardOptions, Wire['headers'], string]>([
    ['the right one', {}, {}, 'passed'],
    ['an empty one', { csrfToken: '' }, {}, 'csrf_missing'],
    ['a wrong one', { csrfToken: 'x' }, {}, 'csrf_mismatch'],
    ['a wrong one beside a good header', { csrfToken: 'x' }, { good: 'header' }, 'csrf_mismatch'],
    ['the right one from another site', {}, { 'sec-fetch-site': 'cross-site' }, 'origin_forbidden'],
  ])('a CSRF value given by hand counts on every method: %s', async ([, options, headers, code]) => {
    const world = await signIn()
    const guard = { csrfToken: world.accessCsrf, ...options }
    const all = { cookie: world.cookie, ...headers, ...(headers?.['good'] !== undefined && writing(world)) }
    for (const method of ['GET', 'POST']) {
      const response = await countedRoute(world.web.jwtRequired(guard)).call({ method, headers: all })
      expect(await codeOfResponse(response)).toBe(code)
    }
  })

  test('a CSRF value given by hand is compared for a token given by hand too', async () => {
    const world = await signIn()
    const guard = (csrfToken: string) =>
      countedRoute(world.web.jwtRequired({ token: world.access, csrfToken })).call({})
    expect(await codeOfResponse(await guard('x'))).toBe('csrf_mismatch')
    expect(await codeOfResponse(await guard(world.accessCsrf))).toBe('passed')
  })

  test('verifyType: false takes either type, and nothing else', async () => {
    const world = await signIn({ tokenLocation: ['headers'] })
    const route = countedRoute(world.web.jwtRequired({ verifyType: false }))
    const call = async (token: string) =>
      codeOfResponse(await route.call({ headers: { authorization: `Bearer ${token}` } }))
    expect(await call(world.access)).toBe('passed')
    expect(await call(world.refresh)).toBe('passed')
    for (const type of ['other', '', undefined, null, 1]) {
      expect(await call(forge(head, goodClaims({ type })))).toBe('wrong_token_type')
    }
  })

  test.for<[string, Record<string, unknown>]>([
    ['locations', { locations: [] }],
    ['locations', { locations: 'headers' }],
    ['locations', { locations: ['header'] }],
    ['token', { token: 1 }],
    ['token', { token: null }],
    ['csrfToken', { csrfToken: null }],
    ['csrf', { csrf: 'never' }],
    ['csrf', { csrf: false }],
    ['verifyType', { verifyType: 0 }],
    ['skipRevocationCheck', { skipRevocationCheck: 1 }],
    ['within', { within: '5m' }],
    ['optional', { optional: true }],
  ])('%s of the wrong kind is a TypeError when the guard is made: %o', async ([name, options]) => {
    const { web, auth } = setup()
    const error = await errorOf(() => web.jwtRequired(options))
    expect(error).toBeInstanceOf(TypeError)
    expect(error.message).toContain(name)
    const authorize = auth.authorize(portOf({}), notedResponse())
    await expect(authorize.jwtRequired(options)).rejects.toThrow(TypeError)
  })

  test.for(['5x', 0, -1, 1.5, '', null, true])('within %o is refused', async (within) => {
    expect(() => setup().web.freshJwtRequired({ within: within as number })).toThrow(/within/)
  })

  test('within counts from auth_time; a token without one is refused', async () => {
    const world = await signIn()
    const route = countedRoute(world.web.freshJwtRequired({ within: '5m' }))
    world.clock.advance(300)
    expect(await codeOfResponse(await route.call({ headers: { cookie: world.cookie } }))).toBe('passed')
    world.clock.advance(1)
    expect(await codeOfResponse(await route.call({ headers: { cookie: world.cookie } }))).toBe(
      'fresh_token_required',
    )
    const token = await world.auth.createAccessToken('test', { fresh: true })
    expect(
      await codeOfResponse(await route.call({ headers: { cookie: `access_token_cookie=${token}` } })),
    ).toBe('fresh_token_required')
  })
})

describe('a CORS preflight', () => {
  const preflight = { origin: 'https://evil.example', 'access-control-request-method': 'POST' }

  test.for(['jwtRequired', 'jwtOptional', 'jwtRefreshTokenRequired', 'freshJwtRequired'] as const)(
    'passes %s as nobody',
    async (name) => {
      const world = await signIn()
      let raw: unknown
      const route = countedRoute(world.web[name](), (request) => {
        raw = world.web.authorize(request).getRawJwt()
        return new Response(null, { status: 204 })
      })
      const response = await route.call({
        method: 'OPTIONS',
        headers: { ...preflight, cookie: world.cookie },
      })
      expect([response.status, route.runs(), raw, world.events]).toEqual([204, 1, null, []])
    },
  )

  test.for<[string, string, Record<string, string>]>([
    ['another method', 'GET', preflight],
    ['no Origin', 'OPTIONS', { 'access-control-request-method': 'POST' }],
    ['no method asked for', 'OPTIONS', { origin: 'https://evil.example' }],
  ])('with %s is none', async ([, method, headers]) => {
    const route = countedRoute(setup().web.jwtRequired())
    expect(await codeOfResponse(await route.call({ method, headers }))).toBe('token_missing')
    expect(route.runs()).toBe(0)
  })
})
