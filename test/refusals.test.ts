/** What a refused client gets, and what observers are told: statuses, challenges, bodies and events. */

import { channel } from 'node:diagnostics_channel'
import { describe, expect, test } from 'vitest'
import { AuthError } from '../src/index.ts'
import type { AuthErrorCode, AuthEvent, AuthOptions } from '../src/index.ts'
import { forge, goodClaims, setup } from './_setup.ts'
import { act, countedRoute, requestOf, signIn, writing } from './_wire.ts'
import type { Wire, World } from './_wire.ts'

const head = { alg: 'HS256', typ: 'JWT' }

interface Refusal {
  readonly code: AuthErrorCode
  readonly status: number
  readonly detail: string
  readonly challenge: string | null
  readonly options?: AuthOptions
  readonly guard?: 'jwtRequired' | 'freshJwtRequired'
  readonly wire: (world: World) => Wire
}

const cookieOf = (claims: Record<string, unknown>): Wire => ({
  headers: { cookie: `access_token_cookie=${forge(head, goodClaims(claims))}` },
})

function described(error: string, detail: string): string {
  return `Bearer error="${error}", error_description="${detail}"`
}

const refusals: readonly Refusal[] = [
  {
    code: 'token_missing',
    status: 401,
    detail: 'Missing cookie access_token_cookie',
    challenge: 'Bearer',
    wire: () => ({}),
  },
  {
    code: 'token_missing',
    status: 401,
    detail: 'Missing Authorization Header',
    challenge: 'Bearer',
    options: { tokenLocation: ['headers'] },
    wire: () => ({}),
  },
  {
    code: 'token_missing',
    status: 401,
    detail: 'Missing JWT in cookies or headers',
    challenge: 'Bearer',
    options: { tokenLocation: ['cookies', 'headers'] },
    wire: () => ({}),
  },
  {
    code: 'header_invalid',
    status: 401,
    detail: "Bad Authorization header. Expected value 'Bearer <JWT>'",
    challenge: described('invalid_request', "Bad Authorization header. Expected value 'Bearer <JWT>'"),
    options: { tokenLocation: ['headers'] },
    wire: () => ({ headers: { authorization: 'Bearer a b' } }),
  },
  {
    code: 'token_invalid',
    status: 401,
    detail: 'The token is invalid',
    challenge: described('invalid_token', 'The token is invalid'),
    wire: () => ({ headers: { cookie: 'access_token_cookie=x' } }),
  },
  {
    code: 'token_expired',
    status: 401,
    detail: 'Signature has expired',
    challenge: described('invalid_token', 'Signature has expired'),
    wire: () => cookieOf({ exp: 1, nbf: 0, iat: 0 }),
  },
  {
    code: 'token_too_large',
    status: 401,
    detail: 'The token is too large',
    challenge: described('invalid_token', 'The token is too large'),
    wire: () => ({ headers: { cookie: `access_token_cookie=${'x'.repeat(8193)}` } }),
  },
  {
    code: 'wrong_token_type',
    status: 401,
    detail: 'Only access tokens are allowed',
    challenge: described('invalid_token', 'Only access tokens are allowed'),
    wire: ({ refresh }) => ({ headers: { cookie: `access_token_cookie=${refresh}` } }),
  },
  {
    code: 'fresh_token_required',
    status: 401,
    detail: 'Fresh token required',
    challenge: described('insufficient_user_authentication', 'Fresh token required'),
    guard: 'freshJwtRequired',
    wire: () => cookieOf({ fresh: false }),
  },
  {
    code: 'token_revoked',
    status: 401,
    detail: 'Token has been revoked',
    challenge: described('invalid_token', 'Token has been revoked'),
    options: { denylist: () => true },
    wire: ({ cookie }) => ({ headers: { cookie } }),
  },
  {
    code: 'csrf_missing',
    status: 401,
    detail: 'Missing CSRF Token',
    challenge: described('invalid_request', 'Missing CSRF Token'),
    wire: ({ cookie }) => ({ method: 'POST', headers: { cookie } }),
  },
  {
    code: 'csrf_mismatch',
    status: 401,
    detail: 'CSRF double submit tokens do not match',
    challenge: described('invalid_request', 'CSRF double submit tokens do not match'),
    wire: ({ cookie }) => ({ method: 'POST', headers: { cookie, 'x-csrf-token': 'x' } }),
  },
  {
    code: 'origin_forbidden',
    status: 403,
    detail: 'Cross-site request refused: its origin is not in trustedOrigins',
    challenge: null,
    wire: (world) => ({ method: 'POST', headers: { ...writing(world), origin: 'https://evil.example' } }),
  },
  {
    code: 'cookie_ambiguous',
    status: 401,
    detail: 'Two cookies named access_token_cookie with different values',
    challenge: described('invalid_request', 'Two cookies named access_token_cookie with different values'),
    wire: () => ({ headers: { cookie: 'access_token_cookie=a; access_token_cookie=b' } }),
  },
  {
    code: 'user_not_found',
    status: 401,
    detail: 'Error loading the user',
    challenge: described('invalid_token', 'Error loading the user'),
    options: { userLookup: () => null },
    wire: ({ cookie }) => ({ headers: { cookie } }),
  },
  {
    code: 'store_unavailable',
    status: 503,
    detail: 'The session store cannot be asked at the moment',
    challenge: null,
    options: { denylist: () => Promise.reject(new Error('down')) },
    wire: ({ cookie }) => ({ headers: { cookie } }),
  },
]

const titles: Readonly<Record<number, string>> = {
  401: 'Unauthorized',
  403: 'Forbidden',
  503: 'Service Unavailable',
}

describe('a refusal', () => {
  test.for(refusals)(
    '$code is $status with "$detail"',
    async ({ code, status, detail, challenge, options = {}, guard = 'jwtRequired', wire }) => {
      const world = await signIn(options)
      const route = countedRoute(world.web[guard]())
      const response = await route.call(wire(world))
      expect(response.status).toBe(status)
      expect(response.headers.get('content-type')).toBe('application/problem+json')
      expect(response.headers.get('cache-control')).toBe('no-store')
      expect(response.headers.get('www-authenticate')).toBe(challenge)
      expect(response.headers.get('retry-after') ?? '').toMatch(status === 503 ? /^[123]$/ : /^$/)
      expect(await response.json()).toEqual({
        type: 'about:blank',
        title: titles[status],
        status,
        detail,
        code,
      })
      expect([route.runs(), world.events.length]).toEqual([0, 1])
      expect(world.events[0]).toMatchObject({ type: 'rejected', code })
    },
  )

  test('for freshness says how old a sign-in may be', async () => {
    const world = await signIn()
    world.clock.advance(301)
    const route = countedRoute(world.web.freshJwtRequired({ within: '5m' }))
    const response = await route.call({ headers: { cookie: world.cookie } })
    expect(response.headers.get('www-authenticate')).toBe(
      'Bearer error="insufficient_user_authentication", error_description="Fresh token required", max_age="300"',
    )
  })

  test('has the status that statusCodes gives it, and a challenge only with 401', async () => {
    const { web } = setup({ statusCodes: { token_missing: 422, token_invalid: 404 } })
    const route = countedRoute(web.jwtRequired())
    const missing = await route.call({})
    expect([missing.status, missing.headers.get('www-authenticate')]).toEqual([422, null])
    expect(await missing.json()).toMatchObject({
      status: 422,
      title: 'Unprocessable Content',
      code: 'token_missing',
      detail: 'Missing cookie access_token_cookie',
    })
    expect((await route.call({ headers: { cookie: 'access_token_cookie=x' } })).status).toBe(404)
  })

  test('keeps its challenge and cause under another status', async () => {
    const world = await signIn({ statusCodes: { fresh_token_required: 403, token_invalid: 400 } })
    const bound = world.web.authorize(requestOf({ headers: { cookie: world.cookie } }))
    world.clock.advance(61)
    const error = await bound.freshJwtRequired({ within: 60 }).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ status: 403, statusCode: 403, maxAgeSeconds: 60 })
    const other = world.web.authorize(requestOf({ headers: { cookie: 'access_token_cookie=x' } }))
    expect(await other.jwtRequired().catch((reason: unknown) => reason)).toMatchObject({
      status: 400,
      cause: 'malformed',
    })
  })
})

describe('AuthError', () => {
  const error = new AuthError('csrf_missing')

  test('carries what default error handlers read', () => {
    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({
      name: 'AuthError',
      code: 'csrf_missing',
      status: 401,
      statusCode: 401,
      expose: true,
      message: 'Missing CSRF Token',
    })
    expect(error.headers).toMatchObject({
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
    })
    expect(String(error)).toBe('AuthError: Missing CSRF Token')
  })

  test('is an RFC 9457 object as JSON, with nothing else', () => {
    const withCause = new AuthError('token_invalid', { cause: 'signature_invalid' })
    expect(JSON.parse(JSON.stringify(withCause))).toEqual({
      type: 'about:blank',
      title: 'Unauthorized',
      status: 401,
      detail: 'The token is invalid',
      code: 'token_invalid',
    })
  })

  test('gives a new response each time', async () => {
    const [one, other] = [error.getResponse(), error.getResponse()]
    expect(await one.json()).toEqual(await other.json())
    expect(one.status).toBe(401)
  })

  test('is known across copies of the package, and by its code', async () => {
    const copyPath = '../src/core/errors.ts?copy'
    const copy = (await import(/* @vite-ignore */ copyPath)) as { AuthError: typeof AuthError }
    const foreign = new copy.AuthError('token_expired')
    expect(foreign instanceof AuthError).toBe(false)
    expect([
      AuthError.is(foreign),
      AuthError.is(foreign, 'token_expired'),
      AuthError.is(foreign, 'token_missing'),
    ]).toEqual([true, true, false])
    expect(copy.AuthError.is(error)).toBe(true)
  })

  test.for([
    null,
    undefined,
    'x',
    1,
    {},
    new Error('x'),
    { code: 'token_expired', status: 401 },
    Object.assign(new Error('x'), { name: 'AuthError' }),
  ])('is told from %o', (value) => {
    expect(AuthError.is(value)).toBe(false)
  })
})

describe('events', () => {
  test.for<[string, Wire, AuthEvent]>([
    [
      'a bad token',
      { headers: { cookie: 'access_token_cookie=x' } },
      { type: 'rejected', code: 'token_invalid', reason: 'malformed', location: 'cookies' },
    ],
    [
      'another key',
      { headers: { cookie: `access_token_cookie=${forge(head, goodClaims(), 'x')}` } },
      { type: 'rejected', code: 'token_invalid', reason: 'signature_invalid', location: 'cookies' },
    ],
    [
      'another algorithm',
      { headers: { cookie: `access_token_cookie=${forge({ alg: 'HS512' }, goodClaims())}` } },
      { type: 'rejected', code: 'token_invalid', reason: 'alg_forbidden', location: 'cookies' },
    ],
    [
      'not yet',
      cookieOf({ nbf: 1_767_225_606 }),
      { type: 'rejected', code: 'token_invalid', reason: 'not_active', location: 'cookies' },
    ],
    ['nothing', {}, { type: 'rejected', code: 'token_missing' }],
    [
      'another site',
      { method: 'POST', headers: { cookie: 'access_token_cookie=x', origin: 'https://evil.example' } },
      {
        type: 'rejected',
        code: 'origin_forbidden',
        location: 'cookies',
        origin: 'https://evil.example',
        remedy: 'add the origin to trustedOrigins if it is yours',
      },
    ],
  ])('tell of %s with its reason and location', async ([, wire, event]) => {
    const { web, events } = setup()
    await countedRoute(web.jwtRequired()).call(wire)
    expect(events).toEqual([event])
  })

  test('tell of a token that is too old', async () => {
    const { web, clock, events, cookie } = await signIn({ maxTokenAge: 60 })
    clock.advance(59)
    const route = countedRoute(web.jwtRequired())
    expect((await route.call({ headers: { cookie } })).status).toBe(200)
    clock.advance(1)
    expect(await (await route.call({ headers: { cookie } })).json()).toMatchObject({ code: 'token_expired' })
    expect(events).toEqual([
      { type: 'rejected', code: 'token_expired', reason: 'too_old', location: 'cookies' },
    ])
  })

  test('go to the diagnostics channel too, while somebody listens', async () => {
    const { web } = setup()
    const heard: unknown[] = []
    const listen = (message: unknown): void => {
      heard.push(message)
    }
    channel('tallystick').subscribe(listen)
    try {
      await countedRoute(web.jwtRequired()).call({})
    } finally {
      channel('tallystick').unsubscribe(listen)
    }
    await countedRoute(web.jwtRequired()).call({})
    expect(heard).toEqual([{ type: 'rejected', code: 'token_missing' }])
  })

  test('change nothing when the observer fails', async () => {
    const onEvent = (): never => {
      throw new Error('observer')
    }
    const response = await countedRoute(setup({ onEvent }).web.jwtRequired()).call({})
    expect(response.status).toBe(401)
  })

  test.for<[string, Wire['headers'], AuthOptions, string | null]>([
    ['http://192.168.0.5', { origin: 'http://192.168.0.5' }, {}, '192.168.0.5'],
    ['http://192.168.0.5:8080', { origin: 'http://192.168.0.5:8080' }, {}, '192.168.0.5:8080'],
    ['http://app.example', { origin: 'http://app.example' }, {}, 'app.example'],
    ['http://localhost:3000', { origin: 'http://localhost:3000' }, {}, null],
    ['http://a.localhost', { origin: 'http://a.localhost' }, {}, null],
    ['http://127.0.0.1', { origin: 'http://127.0.0.1' }, {}, null],
    ['http://[::1]:3000', { origin: 'http://[::1]:3000' }, {}, null],
    [
      'http://localhost.evil.example',
      { origin: 'http://localhost.evil.example' },
      {},
      'localhost.evil.example',
    ],
    ['https://192.168.0.5', { origin: 'https://192.168.0.5' }, {}, null],
    ['a browser that saw https', { origin: 'http://192.168.0.5', 'sec-fetch-site': 'same-origin' }, {}, null],
    ['no Secure', { origin: 'http://192.168.0.5' }, { cookieSecure: false }, null],
  ])('warn of Secure cookies that %s would lose', async ([, headers, options, host]) => {
    const { web, events } = setup({ fetchMetadata: false, ...options })
    const response = await act({ web }, { method: 'POST', headers: headers ?? {} }, (bound) =>
      bound.login('test'),
    )
    expect(response.status).toBe(200)
    expect(events).toEqual(
      host === null
        ? []
        : [
            {
              type: 'cookie.insecure_transport',
              host,
              remedy: expect.stringContaining('cookieSecure: false'),
            },
          ],
    )
  })
})
