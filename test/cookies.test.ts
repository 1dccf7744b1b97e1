/** The Set-Cookie lines that setters, sign-in and refusals write, to the letter. */

import { describe, expect, test } from 'vitest'
import type { AuthOptions } from '../src/index.ts'
import { codeOf, cookiesOf, setup, startSeconds } from './_setup.ts'
import { act, countedRoute, errorOf, notedResponse, portOf, requestOf, signIn, site } from './_wire.ts'
import { refreshing } from './_wire.ts'

const past = 'Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT'
const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/
const jwt = /eyJ[\w-]+\.[\w-]+\.[\w-]+/

/** A sign-in's lines with values left out. */
async function linesOf(options: AuthOptions): Promise<string[]> {
  const { response } = await signIn(options)
  return response.headers.getSetCookie().map((line) => line.replace(uuid, '<uuid>').replace(jwt, '<jwt>'))
}

describe('the four cookies', () => {
  test.for<[string, AuthOptions, string[]]>([
    [
      'names and paths',
      {
        accessCookieKey: 'a',
        refreshCookieKey: 'r',
        accessCsrfCookieKey: 'ac',
        refreshCsrfCookieKey: 'rc',
        accessCookiePath: '/api',
        refreshCookiePath: '/auth/refresh',
        accessCsrfCookiePath: '/page',
        refreshCsrfCookiePath: '/page/x',
      },
      [
        'a=<jwt>; Max-Age=900; Path=/api; HttpOnly; Secure; SameSite=Lax',
        'ac=<uuid>; Max-Age=900; Path=/page; Secure; SameSite=Lax',
        'r=<jwt>; Max-Age=2592000; Path=/auth/refresh; HttpOnly; Secure; SameSite=Lax',
        'rc=<uuid>; Max-Age=2592000; Path=/page/x; Secure; SameSite=Lax',
      ],
    ],
    [
      'a domain, whose host-only forerunners are cleared',
      { cookieDomain: 'example.com' },
      [
        `access_token_cookie=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Lax`,
        `csrf_access_token=; Max-Age=0; Path=/; Secure; SameSite=Lax`,
        `refresh_token_cookie=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Lax`,
        `csrf_refresh_token=; Max-Age=0; Path=/; Secure; SameSite=Lax`,
        'access_token_cookie=<jwt>; Max-Age=900; Domain=example.com; Path=/; HttpOnly; Secure; SameSite=Lax',
        'csrf_access_token=<uuid>; Max-Age=900; Domain=example.com; Path=/; Secure; SameSite=Lax',
        'refresh_token_cookie=<jwt>; Max-Age=2592000; Domain=example.com; Path=/; HttpOnly; Secure; SameSite=Lax',
        'csrf_refresh_token=<uuid>; Max-Age=2592000; Domain=example.com; Path=/; Secure; SameSite=Lax',
      ],
    ],
    [
      'a prefix, None, Partitioned and the end of the browser session',
      { cookiePrefix: '__Secure-', cookieSamesite: 'none', cookiePartitioned: true, cookieMaxAge: 'session' },
      [
        '__Secure-access_token_cookie=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=None',
        '__Secure-csrf_access_token=; Max-Age=0; Path=/; Secure; SameSite=None',
        '__Secure-refresh_token_cookie=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=None',
        '__Secure-csrf_refresh_token=; Max-Age=0; Path=/; Secure; SameSite=None',
        '__Secure-access_token_cookie=<jwt>; Path=/; HttpOnly; Secure; SameSite=None; Partitioned',
        '__Secure-csrf_access_token=<uuid>; Path=/; Secure; SameSite=None; Partitioned',
        '__Secure-refresh_token_cookie=<jwt>; Path=/; HttpOnly; Secure; SameSite=None; Partitioned',
        '__Secure-csrf_refresh_token=<uuid>; Path=/; Secure; SameSite=None; Partitioned',
      ],
    ],
    [
      'no Secure, Strict and seconds',
      { cookieSecure: false, cookieSamesite: 'strict', cookieMaxAge: 60 },
      [
        'access_token_cookie=<jwt>; Max-Age=60; Path=/; HttpOnly; SameSite=Strict',
        'csrf_access_token=<uuid>; Max-Age=60; Path=/; SameSite=Strict',
        'refresh_token_cookie=<jwt>; Max-Age=60; Path=/; HttpOnly; SameSite=Strict',
        'csrf_refresh_token=<uuid>; Max-Age=60; Path=/; SameSite=Strict',
      ],
    ],
    [
      'CSRF values that no cookie carries',
      { csrfInCookies: false },
      [
        'access_token_cookie=<jwt>; Max-Age=900; Path=/; HttpOnly; Secure; SameSite=Lax',
        'refresh_token_cookie=<jwt>; Max-Age=2592000; Path=/; HttpOnly; Secure; SameSite=Lax',
      ],
    ],
    [
      'no double submit',
      { cookieCsrfProtect: false },
      [
        'access_token_cookie=<jwt>; Max-Age=900; Path=/; HttpOnly; Secure; SameSite=Lax',
        'refresh_token_cookie=<jwt>; Max-Age=2592000; Path=/; HttpOnly; Secure; SameSite=Lax',
      ],
    ],
    [
      'lifetimes',
      { accessTokenExpires: '5m', refreshTokenExpires: '2w' },
      [
        'access_token_cookie=<jwt>; Max-Age=300; Path=/; HttpOnly; Secure; SameSite=Lax',
        'csrf_access_token=<uuid>; Max-Age=300; Path=/; Secure; SameSite=Lax',
        'refresh_token_cookie=<jwt>; Max-Age=1209600; Path=/; HttpOnly; Secure; SameSite=Lax',
        'csrf_refresh_token=<uuid>; Max-Age=1209600; Path=/; Secure; SameSite=Lax',
      ],
    ],
  ])('are written with %s', async ([, options, expected]) => {
    expect(await linesOf(options)).toEqual(expected)
  })

  test('carry a value that only getCsrfToken gives, where no cookie does', async () => {
    const { web, auth } = setup({ csrfInCookies: false })
    const bound = web.authorize(requestOf({ method: 'POST' }))
    const { accessToken, refreshToken } = await bound.login('test')
    expect(bound.getCsrfToken()).toBe(auth.getUnverifiedJwtClaims(accessToken)['csrf'])
    expect(bound.getCsrfToken('refresh')).toBe(auth.getUnverifiedJwtClaims(refreshToken)['csrf'])
    const headers = { cookie: `access_token_cookie=${accessToken}`, 'x-csrf-token': bound.getCsrfToken() }
    expect((await countedRoute(web.jwtRequired()).call({ method: 'POST', headers })).status).toBe(200)
  })
})

describe('how long cookies live', () => {
  test.for([
    ['token', 900],
    ['session', null],
    [60, 60],
  ] as const)('maxAge %s of a call wins over the option', async ([maxAge, expected]) => {
    const { auth } = setup({ cookieMaxAge: 5 })
    const response = notedResponse()
    await auth.authorize(portOf({}), response).login('test', { maxAge })
    const written = /; Max-Age=(\d+)/.exec(response.lines[0] ?? '')?.[1]
    expect(written).toBe(expected === null ? undefined : String(expected))
  })

  test('is what is left of the token, not its whole life', async () => {
    const { auth, clock } = setup()
    const token = await auth.createAccessToken('test')
    clock.advance(600.5)
    const response = notedResponse()
    await auth.authorize(portOf({}), response).setAccessCookies(token)
    expect(response.lines[0]).toContain('; Max-Age=300;')
  })

  test('is the most that browsers allow for a token without an end', async () => {
    const { auth } = setup({ accessTokenExpires: false })
    const response = notedResponse()
    await auth.authorize(portOf({}), response).setAccessCookies(await auth.createAccessToken('test'))
    expect(response.lines[0]).toContain('; Max-Age=34560000;')
  })
})

describe('setting by hand', () => {
  test('writes the token and its CSRF value, and hands out the value', async () => {
    const { auth } = setup({ previousCookies: [{ domain: 'example.com' }] })
    const response = notedResponse()
    const authorize = auth.authorize(portOf({}), response)
    const refresh = await auth.createRefreshToken('test')
    const { csrf } = auth.getUnverifiedJwtClaims(refresh)
    await authorize.setRefreshCookies(refresh, { maxAge: 90, domain: 'example.com' })
    expect(response.lines).toEqual([
      `refresh_token_cookie=${refresh}; Max-Age=90; Domain=example.com; Path=/; HttpOnly; Secure; SameSite=Lax`,
      `csrf_refresh_token=${csrf as string}; Max-Age=90; Domain=example.com; Path=/; Secure; SameSite=Lax`,
    ])
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(authorize.getCsrfToken('refresh')).toBe(csrf)
  })

  test.for([
    ['a Response', () => new Response('a')],
    ['a redirect of our own', () => new Response(null, { status: 303, headers: { location: '/' } })],
    ['Headers', () => new Headers({ 'set-cookie': 'other=1' })],
  ] as const)('writes to %s that the handler is about to return, not to the bound one', async ([, make]) => {
    const { auth, access } = await signIn()
    const bound = notedResponse()
    const target = make()
    const authorize = auth.authorize(portOf({}), bound)
    await authorize.setAccessCookies(access, { response: target })
    const headers = target instanceof Headers ? target : target.headers
    expect(Object.keys(cookiesOf({ headers } as Response))).toEqual(
      expect.arrayContaining(['access_token_cookie', 'csrf_access_token']),
    )
    expect(headers.get('cache-control')).toBe('no-store')
    authorize.unsetAccessCookies({ response: target })
    authorize.unsetRefreshCookies({ response: target })
    expect(headers.getSetCookie().filter((line) => line.includes('; Max-Age=0;'))).toHaveLength(4)
    expect(bound.lines).toEqual([])
  })

  test('says what to do with a response whose headers cannot be changed', async () => {
    const { auth, access } = await signIn()
    const authorize = auth.authorize(portOf({}), notedResponse())
    const error = await errorOf(() =>
      authorize.setAccessCookies(access, { response: Response.redirect(site) }),
    )
    expect(error).toBeInstanceOf(TypeError)
    expect(error.message).toContain('copy')
  })

  test.for([{}, 'response', 1, null, []])('refuses %o as a response', async (target) => {
    const { auth, access } = await signIn()
    const response = notedResponse()
    const authorize = auth.authorize(portOf({}), response)
    const options = { response: target as object }
    const steps = [
      () => authorize.setAccessCookies(access, options),
      () => authorize.unsetAccessCookies(options),
      () => authorize.unsetRefreshCookies(options),
      () => authorize.unsetJwtCookies(options),
    ]
    for (const step of steps) {
      const error = await errorOf(async () => step())
      expect(error).toBeInstanceOf(TypeError)
      expect(error.message).toContain('response')
    }
    expect(response.lines).toEqual([])
  })

  test.for([
    ['the other type', 'wrong_token_type', ({ refresh }: { refresh: string }) => refresh],
    ['garbage', 'token_invalid', () => 'x'],
    ['nothing', 'token_invalid', () => ''],
  ] as const)('refuses a token that is %s', async ([, code, choose]) => {
    const world = await signIn()
    const response = notedResponse()
    const authorize = world.auth.authorize(portOf({}), response)
    expect(await codeOf(() => authorize.setAccessCookies(choose(world)))).toBe(code)
    expect(response.lines).toEqual([])
  })

  test('refuses a token without a CSRF value where the double submit is on', async () => {
    const plain = setup({ cookieCsrfProtect: false })
    const response = notedResponse()
    const authorize = setup().auth.authorize(portOf({}), response)
    const token = await plain.auth.createAccessToken('test')
    expect(await codeOf(() => authorize.setAccessCookies(token))).toBe('token_invalid')
    expect(response.lines).toEqual([])
  })

  test.for(['.example.com', 'a; b', '', 'https://example.com'])('refuses the domain %o', async (domain) => {
    const { auth, access } = await signIn()
    const response = notedResponse()
    const authorize = auth.authorize(portOf({}), response)
    const error = await errorOf(() => authorize.setAccessCookies(access, { domain }))
    expect([error instanceof TypeError, response.lines]).toEqual([true, []])
  })
})

describe('previousCookies', () => {
  const previousCookies = [
    { path: '/old' },
    { domain: 'example.com' },
    { path: '/api', domain: 'a.example.com' },
  ]

  test.for(['login', 'logout'] as const)('%s clears each of them', async (name) => {
    const { web } = setup({ previousCookies })
    const response = await act({ web }, { method: 'POST' }, (bound) =>
      name === 'login' ? bound.login('test') : bound.logout(),
    )
    const lines = response.headers.getSetCookie()
    for (const scope of ['Path=/old', 'Domain=example.com; Path=/', 'Domain=a.example.com; Path=/api']) {
      expect(lines).toContain(`access_token_cookie=; Max-Age=0; ${scope}; HttpOnly; Secure; SameSite=Lax`)
      expect(lines).toContain(`csrf_refresh_token=; Max-Age=0; ${scope}; Secure; SameSite=Lax`)
    }
    expect(lines).toHaveLength(12 + 4)
  })

  test('are cleared only in the scopes that a prefix allows', async () => {
    const { web } = setup({ previousCookies, cookiePrefix: '__Host-' })
    const response = await act({ web }, { method: 'POST' }, (bound) => bound.logout())
    expect(response.headers.getSetCookie()).toHaveLength(4)
  })

  test.for([
    [{ previousCookies: [{ partitioned: true }] }, '', '; Partitioned'],
    [{ previousCookies: [{ partitioned: true }], cookieSecure: false }, '', '; Partitioned'],
    [{ cookiePartitioned: true }, '; Partitioned', ''],
    [{ cookiePartitioned: true, cookiePrefix: '__Host-' }, '; Partitioned', ''],
    [{ cookiePartitioned: true, cookieDomain: 'example.com' }, '; Partitioned', ''],
  ] as const)('are cleared in the other jar: %j', async ([options, now, earlier]) => {
    const { web } = setup(options)
    const response = await act({ web }, { method: 'POST' }, (bound) => bound.logout())
    const name = `${'cookiePrefix' in options ? options.cookiePrefix : ''}access_token_cookie`
    const domain = 'cookieDomain' in options ? `; Domain=${options.cookieDomain}` : ''
    const flags = 'cookieSecure' in options ? '; HttpOnly; SameSite=Lax' : '; HttpOnly; Secure; SameSite=Lax'
    // No browser takes a partitioned cookie that is not Secure.
    const secure = 'cookieSecure' in options ? '; Secure' : ''
    const lines = response.headers.getSetCookie()
    expect(lines).toContain(`${name}=; ${past}${domain}; Path=/${flags}${now}`)
    expect(lines).toContain(`${name}=; Max-Age=0${domain}; Path=/${flags}${secure}${earlier}`)
  })

  test('are refused where one answer has no room to clear them all', async () => {
    const places = (count: number): { path: string }[] =>
      Array.from({ length: count }, (_, index) => ({ path: `/old/${index}` }))
    const { web } = setup({ previousCookies: places(6) })
    const cookie = 'access_token_cookie=a; access_token_cookie=b; csrf_access_token=c; csrf_access_token=d'
    const response = await act({ web }, { method: 'POST', headers: { cookie } }, (bound) => bound.logout())
    const lines = response.headers.getSetCookie()
    expect(lines.filter((line) => line.includes('Path=/old/'))).toHaveLength(4 * 6)
    const all = (): unknown => setup({ previousCookies: places(12) })
    expect(all).toThrow(TypeError)
    expect(all).toThrow(/previousCookies names too many places/)
  })

  test('are left alone by refresh and by the setters', async () => {
    const world = await signIn({ previousCookies })
    const response = await act(world, { method: 'POST', headers: refreshing(world) }, (bound) =>
      bound.refresh(),
    )
    expect(response.headers.getSetCookie()).toHaveLength(2)
  })
})

describe('a cookie that is there twice', () => {
  test('is deleted by the answer in every scope that it can have come from', async () => {
    const { web } = setup({ cookieDomain: 'example.com', previousCookies: [{ path: '/old' }] })
    const cookie = 'access_token_cookie=a; access_token_cookie=b; csrf_access_token=c'
    const route = countedRoute(web.jwtRequired())
    const response = await route.call(
      new Request('https://www.example.com/api/list?x=/y', { headers: { cookie } }),
    )
    const lines = response.headers.getSetCookie()
    expect([response.status, route.runs()]).toEqual([401, 0])
    expect(new Set(lines).size).toBe(lines.length)
    for (const scope of [
      'Path=/',
      'Domain=example.com; Path=/',
      'Domain=www.example.com; Path=/',
      'Path=/old',
      'Path=/api',
      'Path=/api/',
      'Domain=example.com; Path=/api/',
      'Domain=example.com; Path=/api/list',
    ]) {
      const line = `access_token_cookie=; Max-Age=0; ${scope}; HttpOnly; Secure; SameSite=Lax`
      expect(lines.map((line) => line.replace(past, 'Max-Age=0'))).toContain(line)
      // Two cookies, each in a jar of its own, have one place.
      if (scope !== 'Path=/old') expect(lines).toContain(`${line}; Partitioned`)
    }
    expect(lines.every((line) => line.startsWith('access_token_cookie=;'))).toBe(true)
    expect(response.headers.get('cache-control')).toBe('no-store')
  })

  test('names the cookie and neither of its values', async () => {
    const { web, events } = setup()
    const cookie = 'access_token_cookie=first; access_token_cookie=second'
    const response = await countedRoute(web.jwtOptional()).call({ headers: { cookie } })
    const text = await response.text()
    expect(text).toContain('access_token_cookie')
    expect(text + JSON.stringify(events)).not.toMatch(/first|second/)
    expect(events).toEqual([{ type: 'rejected', code: 'cookie_ambiguous' }])
  })
})

describe('cookies that would be too large', () => {
  test('are refused together, by name and size', async () => {
    const { auth } = setup()
    const token = await auth.createRefreshToken('test', { userClaims: { text: 'x'.repeat(3000) } })
    const response = notedResponse()
    const authorize = auth.authorize(portOf({}), response)
    const error = await errorOf(() => authorize.setRefreshCookies(token))
    expect(error).toMatchObject({ code: 'cookie_too_large', status: 500 })
    expect(error.message).toContain(`refresh_token_cookie would be ${token.length + 20} bytes`)
    expect(response.lines).toEqual([])
    expect(() => authorize.getCsrfToken('refresh')).toThrow(TypeError)
  })

  test('leave a refresh without any cookie', async () => {
    const world = await signIn()
    const response = notedResponse()
    const authorize = world.auth.authorize(portOf({ method: 'POST', headers: refreshing(world) }), response)
    const code = await codeOf(() => authorize.refresh({ userClaims: { text: 'x'.repeat(3500) } }))
    expect([code, response.lines, authorize.getRawJwt()]).toEqual(['cookie_too_large', [], null])
  })

  test('are as large as the token that just fits', async () => {
    const { auth } = setup()
    const room = 4096 - 'access_token_cookie'.length
    const sized = async (length: number): Promise<string> =>
      auth.createAccessToken('test', { userClaims: { t: 'x'.repeat(length) } })
    let length = 2400
    while ((await sized(length + 1)).length <= room) length++
    const response = notedResponse()
    const authorize = auth.authorize(portOf({}), response)
    await authorize.setAccessCookies(await sized(length))
    expect(response.lines).toHaveLength(2)
    expect(await codeOf(async () => authorize.setAccessCookies(await sized(length + 2)))).toBe(
      'cookie_too_large',
    )
  })
})

test('setters and unsetters need cookies to be a location', async () => {
  const { auth, clock } = setup({ tokenLocation: ['headers'] })
  const token = await auth.createAccessToken('test')
  const authorize = auth.authorize(portOf({}), notedResponse())
  const steps = [
    () => authorize.setAccessCookies(token),
    () => authorize.setRefreshCookies(token),
    () => authorize.unsetAccessCookies(),
    () => authorize.unsetRefreshCookies(),
    () => authorize.unsetJwtCookies(),
  ]
  for (const step of steps) {
    const error = await errorOf(async () => step())
    expect(error).toBeInstanceOf(TypeError)
    expect(error.message).toContain('tokenLocation')
  }
  expect(clock()).toBe(startSeconds)
})
