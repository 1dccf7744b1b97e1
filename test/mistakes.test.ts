// Mistakes that were made here once, each held by its kind and not only by its case.

import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { expressAuth } from '../src/adapters/express.ts'
import type { AuthRequest, AuthResponse } from '../src/index.ts'
import { createAuth } from '../src/index.ts'
import { codeOf, forge, goodClaims, secretKey, setup, startSeconds } from './_setup.ts'

const port = (headers: Record<string, string> = {}, method = 'GET', url = '/'): AuthRequest => ({
  method,
  url,
  header: (name) => headers[name],
})

function note(): AuthResponse & { readonly lines: string[] } {
  const lines: string[] = []
  return { lines, append: (_, value) => void lines.push(value), set: () => {}, sent: false }
}

const token = forge({ alg: 'HS256', typ: 'JWT' }, goodClaims())
const cookie = `access_token_cookie=${token}`

describe('what a caller hands over and is not there', () => {
  test('is a missing token, and the cookie is not asked instead', async () => {
    const bound = setup().auth.authorize(port({ cookie }), note())
    expect(await codeOf(() => bound.jwtRequired({ token: undefined }))).toBe('token_missing')
    expect(await bound.jwtOptional({ token: undefined })).toBeNull()
  })

  test('is a missing CSRF value, also on a safe method', async () => {
    const bound = setup().auth.authorize(port({ cookie }), note())
    expect(await codeOf(() => bound.jwtRequired({ csrfToken: undefined }))).toBe('csrf_missing')
  })

  test("gets the CSRF check that csrf: 'always' asks for", async () => {
    const bound = setup().auth.authorize(port({}, 'POST'), note())
    expect(await codeOf(() => bound.jwtRequired({ token, csrf: 'always' }))).toBe('csrf_missing')
  })
})

describe('an identity', () => {
  test('that a weaker guard has published does not outlive the refusal of a stronger one', async () => {
    const { auth } = setup({ denylist: () => true })
    const bound = auth.authorize(port({ cookie }), note())
    await bound.jwtRequired({ skipRevocationCheck: true })
    expect(await codeOf(() => bound.jwtRequired())).toBe('token_revoked')
    expect(bound.getJwtSubject()).toBeNull()
  })

  test('does not outlive a sign-in as somebody else, nor a sign-out', async () => {
    const { auth } = setup()
    for (const step of ['login', 'logout'] as const) {
      const bound = auth.authorize(port({ cookie, 'x-csrf-token': String(goodClaims()['csrf']) }), note())
      await bound.jwtRequired()
      await (step === 'login' ? bound.login('bob') : bound.logout())
      expect(bound.getJwtSubject()).toBeNull()
    }
  })

  test('is a refusal, not a fault of the server, for a handler that a forged preflight has reached', async () => {
    const { web } = setup()
    const handler = web.jwtRequired()((request: Request) => new Response(web.authorize(request).subject()))
    const headers = { origin: 'https://a.example', 'access-control-request-method': 'GET' }
    const response = await handler(new Request('http://localhost/', { method: 'OPTIONS', headers }))
    expect(response.status).toBe(401)
  })

  test.each([null, undefined, false])('is refused where the look-up gives %s', async (user) => {
    const { auth } = setup({ userLookup: () => user })
    expect(await codeOf(() => auth.authorize(port({ cookie }), note()).jwtRequired())).toBe('user_not_found')
  })
})

describe('a request', () => {
  const derived: readonly [string, (request: AuthRequest) => AuthRequest][] = [
    ['a copy of it', (request) => ({ ...request, header: () => undefined })],
    [
      'one that inherits from it',
      (request) => Object.create(request, { header: { value: () => undefined } }),
    ],
    ['a proxy of it', (request) => new Proxy(request, {})],
  ]

  test.each(derived)('is not taken for %s, which nobody has looked at', async (_what, derive) => {
    const { auth } = setup()
    const request = port({ cookie })
    await auth.authorize(request, note()).jwtRequired()
    expect(auth.authorize(request, note()).getJwtSubject()).not.toBeNull()
    expect(auth.authorize(derive(request), note()).getJwtSubject()).toBeNull()
  })

  test.each(derived)('keeps its own when %s is bound as well', async (_what, derive) => {
    const { auth } = setup()
    const request = port({ cookie })
    const bound = auth.authorize(request, note())
    await bound.jwtRequired()
    const other = derive(request)
    const otherBound = auth.authorize(other, note())
    expect([auth.authorize(request, note()), auth.authorize(other, note())]).toEqual([bound, otherBound])
    expect(auth.authorize(request, note()).getJwtSubject()).not.toBeNull()
  })

  test('that is a frozen copy of a bound one is bound once', async () => {
    const { auth } = setup()
    const request = port({ cookie })
    auth.authorize(request, note())
    const copy = Object.freeze({ ...request })
    await auth.authorize(copy, note()).jwtRequired()
    expect(auth.authorize(copy, note()).getJwtSubject()).not.toBeNull()
    expect(auth.authorize(request, note()).getJwtSubject()).toBeNull()
  })

  test.each([undefined, null, 1, {}])(
    'whose handler sets the cookie of %o is refused a token',
    async (value) => {
      const bound = setup().auth.authorize(port(), note())
      expect(await codeOf(() => bound.setAccessCookies(value as never))).toBe('token_invalid')
    },
  )

  test('keeps its identity also where it takes no property', async () => {
    const { auth } = setup()
    const request = Object.freeze(port({ cookie }))
    await auth.authorize(request, note()).jwtRequired()
    expect(auth.authorize(request, note()).getJwtSubject()).not.toBeNull()
  })

  test('of one Auth is not known to another', async () => {
    const request = port({ cookie })
    await setup().auth.authorize(request, note()).jwtRequired()
    expect(setup().auth.authorize(request, note()).getJwtSubject()).toBeNull()
  })

  test('shows no token to whoever prints it', async () => {
    const request = port({ cookie })
    await setup()
      .auth.authorize({ ...request }, note())
      .jwtRequired()
    const bare = { method: 'GET', header: request.header }
    await setup().auth.authorize(bare, note()).jwtRequired()
    expect(inspect(bare, { depth: 10, showHidden: true })).not.toContain(token.slice(-20))
    expect(JSON.stringify(bare)).toBe('{"method":"GET"}')
  })
})

describe('a sign-in', () => {
  test('ends when sessionExpires says so, also for a token that lives longer by itself', async () => {
    const { auth } = setup({ sessionExpires: '90d' })
    const old = forge({ alg: 'HS256' }, goodClaims({ auth_time: startSeconds - 90 * 86_400 }))
    expect(await codeOf(() => auth.verify(old))).toBe('token_expired')
  })

  test('in the future is no recent one', async () => {
    const { auth } = setup()
    const ahead = forge({ alg: 'HS256' }, goodClaims({ auth_time: startSeconds + 60 }))
    const bound = auth.authorize(port({ cookie: `access_token_cookie=${ahead}` }), note())
    expect(await codeOf(() => bound.freshJwtRequired({ within: '5m' }))).toBe('token_invalid')
  })

  test('out is not forged past the double submit by a token from another location', async () => {
    const { auth } = setup({ tokenLocation: ['query', 'cookies'] })
    const response = note()
    const bound = auth.authorize(port({ cookie }, 'POST', '/logout?jwt=x'), response)
    expect(await codeOf(() => bound.logout())).toBe('csrf_missing')
    expect(response.lines).toEqual([])
  })
})

describe('a cookie', () => {
  test('has no attribute that only a polluted prototype offers', async () => {
    const polluted = Object.prototype as unknown as Record<string, unknown>
    const { auth } = setup({ previousCookies: [{ domain: 'evil.example' }] })
    const response = note()
    polluted['domain'] = 'evil.example'
    try {
      await auth.authorize(port(), response).login('test')
    } finally {
      delete polluted['domain']
    }
    const set = response.lines.filter((line) => !line.includes('Max-Age=0'))
    expect(set.length).toBe(4)
    expect(set.join()).not.toContain('Domain')
  })

  test('is not unset somewhere else by an option that does not exist', () => {
    const bound = setup().auth.authorize(port(), note())
    expect(() => bound.unsetJwtCookies({ respons: new Headers() } as never)).toThrow(/response/)
  })

  test('is not set for a domain that sign-out does not know of', async () => {
    const { auth } = setup()
    const response = note()
    const set = auth.authorize(port(), response).setAccessCookies(token, { domain: 'example.com' })
    await expect(set).rejects.toThrow(/previousCookies/)
    expect(response.lines).toEqual([])
  })

  test.each(['x; Domain=evil.example', 'x\r\nSet-Cookie: a=b', 'é', '"x"', 'a,b'])(
    'is not written with the value %j, and the one beside it neither',
    async (csrf) => {
      const { auth } = setup()
      const response = note()
      const signed = forge({ alg: 'HS256' }, goodClaims({ csrf }))
      const bound = auth.authorize(port(), response)
      expect(await codeOf(() => bound.setAccessCookies(signed))).toBe('token_invalid')
      expect(response.lines).toEqual([])
    },
  )

  test('is set only for a token that guards take', async () => {
    const { auth } = setup()
    const other = forge({ alg: 'HS256', typ: 'at+jwt' }, goodClaims())
    expect(await codeOf(() => auth.authorize(port(), note()).setAccessCookies(other))).toBe(
      'wrong_token_type',
    )
  })

  test('planted under every name and a long path is answered within what proxies take', async () => {
    const names = ['access_token_cookie', 'csrf_access_token', 'refresh_token_cookie', 'csrf_refresh_token']
    const planted = names.map((name) => `${name}=a; ${name}=b`).join('; ')
    const headers = { cookie: planted, host: 'a.b.c.example.com' }
    const response = note()
    const bound = setup().auth.authorize(port(headers, 'GET', `/${'x'.repeat(1000)}/y/z`), response)
    expect(await codeOf(() => bound.jwtRequired())).toBe('cookie_ambiguous')
    expect(response.lines.join('\n').length).toBeLessThan(4000)
    expect(response.lines.filter((line) => line.startsWith('access_token_cookie=;')).length).toBeGreaterThan(
      4,
    )
  })
})

test('a redirect that a handler throws carries the cookies that were set', async () => {
  const { web } = setup()
  const login = web.authErrors(async (request: Request): Promise<Response> => {
    await web.authorize(request).login('test')
    throw new Response(null, { status: 303, headers: { location: '/' } })
  })
  const response = await login(new Request('http://localhost/login', { method: 'POST' }))
  expect([response.status, response.headers.getSetCookie().length]).toEqual([303, 4])
})

describe('a function of the application', () => {
  test('that observes asynchronously and fails ends nothing', async () => {
    const { auth } = setup({ onEvent: async () => Promise.reject(new Error('broken')) })
    expect(await codeOf(() => auth.authorize(port(), note()).jwtRequired())).toBe('token_missing')
    await new Promise((resolve) => setImmediate(resolve))
  })

  test.each([Number.NaN, null, '1767225600', Promise.resolve(1), Date.now()])(
    'that is to be a clock and gives %s is refused at start-up',
    (seconds) => {
      expect(() => createAuth({ secretKey, clock: () => seconds as number })).toThrow(/clock/)
    },
  )

  test('that was a clock and stops giving numbers lets nobody in', async () => {
    let now: unknown = startSeconds
    const auth = createAuth({ secretKey, clock: () => now as number })
    now = 'soon'
    await expect(auth.verify(token)).rejects.toThrow(TypeError)
  })
})

test('an option that does not exist is refused by sign-out too', async () => {
  const bound = setup().auth.authorize(port(), note())
  await expect(bound.logout({ everywhere: true })).rejects.toThrow(/everywhere/)
})

test('cookies for every site without any defence against other sites are refused at start-up', () => {
  const options = { cookieSamesite: 'none', cookieCsrfProtect: false, fetchMetadata: false } as const
  expect(() => setup(options)).toThrow(/cookieSamesite/)
})

test('an oversized token is told before anything else is looked at', async () => {
  const bound = setup().auth.authorize(
    port({ cookie: `access_token_cookie=${'a'.repeat(8193)}` }, 'POST'),
    note(),
  )
  expect(await codeOf(() => bound.jwtRequired())).toBe('token_too_large')
})

test('a header named like a member of every object is absent', async () => {
  const { auth } = setup({ tokenLocation: ['headers'], headerName: 'constructor' })
  const guard = expressAuth(auth).jwtRequired()
  const answered = await new Promise<number>((resolve, reject) => {
    const response = {
      headersSent: false,
      statusCode: 0,
      setHeader: () => {},
      end: () => resolve(response.statusCode),
    }
    void guard({ method: 'GET', headers: {} } as never, response as never, reject)
  })
  expect(answered).toBe(401)
})
