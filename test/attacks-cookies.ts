/** The rows on cookies: what browsers, siblings and proxies can make of their names, values and attributes. */

/* oxlint-disable vitest/no-standalone-expect -- the proofs of these tables run inside tests */

import { expect } from 'vitest'
import type { Refused, Row, Sent } from './_attack.ts'
import { setup } from './_setup.ts'
import { act, countedRoute, errorOf, notedResponse, portOf, signIn } from './_wire.ts'
import type { World } from './_wire.ts'

const uuid = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'

/** A GET whose Cookie header is made of the access token. */
function cookieSent(note: string, header: (token: string, world: World) => string, code: Sent['code']): Sent {
  return { note, wire: (world) => ({ headers: { cookie: header(world.access, world) } }), code }
}

/** The same on the port, for bytes that a `Request` refuses or trims. */
function rawCookieSent(note: string, header: (token: string) => string, code: Sent['code']): Sent {
  return { ...cookieSent(note, header, code), door: 'port' }
}

/** Values that RFC 6265 does not let a JWT hold. */
const strangeValues: Readonly<Record<string, (token: string) => string>> = {
  'a percent-encoded NUL': (token) => `${token}%00`,
  'a percent-encoded line break': (token) => `${token}%0d%0a`,
  'a percent-encoded dot': (token) => token.replaceAll('.', '%2E'),
  'a backslash': (token) => `${token}\\`,
  'a comma': (token) => `${token},`,
  'a space inside': (token) => token.replace('.', ' .'),
  'a byte beyond ASCII': (token) => `${token}\u00e9`,
  quotes: (token) => `"${token}"`,
  'single quotes': (token) => `'${token}'`,
  nothing: () => '',
}

const badNames = [
  'a;b',
  'a=b',
  'a\rb',
  'a\nb',
  'a b',
  'a\tb',
  'caf\u00e9',
  '',
  'a,b',
  '"a"',
  'a\u0000',
  'a/b',
  'a\u007f',
]
const nameOptions = ['accessCookieKey', 'refreshCookieKey', 'accessCsrfCookieKey', 'refreshCsrfCookieKey']
const pathOptions = ['accessCookiePath', 'refreshCookiePath', 'accessCsrfCookiePath', 'refreshCsrfCookiePath']

const refusedNames: Refused[] = nameOptions.flatMap((names) =>
  badNames.map((name) => ({ note: `${names} ${JSON.stringify(name)}`, options: { [names]: name }, names })),
)
const badPaths = [
  '/a; Domain=evil',
  'a',
  '',
  '/a\r\nSet-Cookie: b',
  '/\u00e9',
  '/a\u0000',
  `/${'a'.repeat(1024)}`,
]
const badDomains = [
  'x; HttpOnly',
  '.example.com',
  'a b',
  '',
  'a\r\nb',
  'https://a',
  'a:80',
  '-a',
  'a..b',
  '\u00e9.com',
]

const refusedAttributes: Refused[] = [
  ...pathOptions.flatMap((names) =>
    badPaths.map((path) => ({
      note: `${names} ${JSON.stringify(path.slice(0, 20))}`,
      options: { [names]: path },
      names,
    })),
  ),
  ...badDomains.map((domain) => ({
    note: `domain ${JSON.stringify(domain)}`,
    options: { cookieDomain: domain },
    names: 'cookieDomain',
  })),
  ...['Lax; Domain=evil', 'Lax', '', null, true].map((sameSite) => ({
    note: `SameSite ${JSON.stringify(sameSite)}`,
    options: { cookieSamesite: sameSite },
    names: 'cookieSamesite',
  })),
  { note: 'a Priority', options: { cookiePriority: 'High\r\n' }, names: 'cookiePriority' },
  {
    note: 'an earlier path',
    options: { previousCookies: [{ path: '/a; Secure' }] },
    names: 'previousCookies',
  },
  { note: 'an earlier domain', options: { previousCookies: [{ domain: 'x; a' }] }, names: 'previousCookies' },
]

const foreignBlanks = {
  'U+2000': '\u2000',
  'U+00A0': '\u00a0',
  'U+0085': '\u0085',
  'U+FEFF': '\ufeff',
  'U+000B': '\v',
}

export const cookieRows: readonly Row[] = [
  {
    id: 108,
    input: 'a control: the four cookies, to the letter',
    proved: [
      {
        note: 'by default',
        prove: async () => {
          const { response, access, refresh, accessCsrf, refreshCsrf } = await signIn()
          expect(accessCsrf).toMatch(new RegExp(`^${uuid}$`))
          expect(response.headers.getSetCookie()).toEqual([
            `access_token_cookie=${access}; Max-Age=900; Path=/; HttpOnly; Secure; SameSite=Lax`,
            `csrf_access_token=${accessCsrf}; Max-Age=900; Path=/; Secure; SameSite=Lax`,
            `refresh_token_cookie=${refresh}; Max-Age=2592000; Path=/; HttpOnly; Secure; SameSite=Lax`,
            `csrf_refresh_token=${refreshCsrf}; Max-Age=2592000; Path=/; Secure; SameSite=Lax`,
          ])
        },
      },
      {
        note: 'with __Host-',
        prove: async () => {
          const { response, access } = await signIn({ cookiePrefix: '__Host-' })
          const lines = response.headers.getSetCookie()
          expect(lines[0]).toBe(
            `__Host-access_token_cookie=${access}; Max-Age=900; Path=/; HttpOnly; Secure; SameSite=Lax`,
          )
          for (const line of lines)
            expect(line).toMatch(/^__Host-[^;]*; Max-Age=\d+; Path=\/; (?:HttpOnly; )?Secure/)
        },
      },
    ],
  },
  {
    id: 110,
    input: 'two cookies of one name and different values, as a sibling host can add one',
    sent: [
      ...(['good one first', 'good one last'] as const).map((note): Sent => {
        const pair = (token: string): string[] => [`access_token_cookie=${token}`, 'access_token_cookie=evil']
        return {
          ...cookieSent(
            note,
            (token) => (note === 'good one first' ? pair(token) : pair(token).toReversed()).join('; '),
            'cookie_ambiguous',
          ),
          cookies: 'deletions',
        }
      }),
      {
        ...cookieSent(
          'an empty one beside it',
          (token) => `access_token_cookie=; access_token_cookie=${token}`,
          'cookie_ambiguous',
        ),
        cookies: 'deletions',
      },
      {
        note: 'another token of the same key beside it',
        wire: (world) => ({
          headers: { cookie: `access_token_cookie=${world.access}; access_token_cookie=${world.refresh}` },
        }),
        code: 'cookie_ambiguous',
        cookies: 'deletions',
      },
      {
        note: 'the refresh cookie',
        via: 'refresh',
        wire: ({ cookie, refreshCsrf }) => ({
          method: 'POST',
          headers: { cookie: `${cookie}; refresh_token_cookie=evil`, 'x-csrf-token': refreshCsrf },
        }),
        code: 'cookie_ambiguous',
        cookies: 'deletions',
      },
      cookieSent(
        'a control: the same value twice',
        (token) => `access_token_cookie=${token}; access_token_cookie=${token}`,
        'passed',
      ),
    ],
  },
  {
    id: 111,
    input: 'the name in another case',
    sent: [
      cookieSent('upper case', (token) => `ACCESS_TOKEN_COOKIE=${token}`, 'token_missing'),
      cookieSent('capitalised', (token) => `Access_token_cookie=${token}`, 'token_missing'),
      ...[
        '__host-access_token_cookie',
        '__HOST-access_token_cookie',
        'access_token_cookie',
        '__Secure-access_token_cookie',
      ].map((name): Sent => ({
        ...cookieSent(`${name} where __Host- is set`, (token) => `${name}=${token}`, 'token_missing'),
        options: { cookiePrefix: '__Host-' },
      })),
    ],
  },
  {
    id: 112,
    input: 'blanks beyond ASCII around the name',
    sent: Object.entries(foreignBlanks).flatMap(([note, blank]) => [
      rawCookieSent(`${note} before`, (token) => `${blank}access_token_cookie=${token}`, 'token_missing'),
      rawCookieSent(`${note} after`, (token) => `access_token_cookie${blank}=${token}`, 'token_missing'),
      rawCookieSent(
        `${note} after a separator`,
        (token) => `a=b;${blank}access_token_cookie=${token}`,
        'token_missing',
      ),
      rawCookieSent(
        `${note} after the value`,
        (token) => `access_token_cookie=${token}${blank}`,
        'token_invalid',
      ),
      {
        ...rawCookieSent(
          `${note} before a prefixed name`,
          (token) => `${blank}__Host-access_token_cookie=${token}`,
          'token_missing',
        ),
        options: { cookiePrefix: '__Host-' },
      },
    ]),
  },
  {
    id: 114,
    input: 'quotes around the value, or a value that starts a quote and hides ours in it',
    sent: [
      cookieSent('quoted', (token) => `access_token_cookie="${token}"`, 'token_invalid'),
      cookieSent('half quoted', (token) => `access_token_cookie="${token}`, 'token_invalid'),
      cookieSent('a sandwich', () => 'a="x; access_token_cookie=evil; b=y"', 'token_invalid'),
      cookieSent('a sandwich that ends in ours', () => 'a="x; access_token_cookie=evil"', 'token_invalid'),
      {
        ...cookieSent(
          'a sandwich before the good one',
          (token) => `a="x; access_token_cookie=evil; b=y"; access_token_cookie=${token}`,
          'cookie_ambiguous',
        ),
        cookies: 'deletions',
      },
    ],
  },
  {
    id: 115,
    input: 'cookies without a name or without "="',
    sent: [
      cookieSent('nameless', (token) => `=access_token_cookie=${token}`, 'token_missing'),
      cookieSent('no "="', () => 'a=b; access_token_cookie', 'token_missing'),
      cookieSent('no "=", then another', (token) => `access_token_cookie; a=${token}`, 'token_missing'),
      cookieSent(
        'a nameless one before the good one',
        (token) => `=evil; access_token_cookie=${token}`,
        'passed',
      ),
      cookieSent(
        'a longer name that ends alike',
        (token) => `xaccess_token_cookie=${token}`,
        'token_missing',
      ),
      cookieSent(
        'a longer name that starts alike',
        (token) => `access_token_cookie2=${token}`,
        'token_missing',
      ),
      cookieSent('our name inside a value', (token) => `a=access_token_cookie=${token}`, 'token_missing'),
    ],
  },
  {
    id: 116,
    input: 'cookies named like members of every object',
    sent: ['__proto__', 'constructor', 'toString', 'hasOwnProperty'].flatMap((name) => [
      cookieSent(`${name} beside ours`, (token) => `${name}=evil; access_token_cookie=${token}`, 'passed'),
      cookieSent(`${name} alone`, (token) => `${name}=${token}`, 'token_missing'),
    ]),
    proved: [
      {
        note: 'a cookie of ours with such a name is read and written like any other',
        prove: async () => {
          const world = await signIn({ accessCookieKey: '__proto__', accessCsrfCookieKey: 'constructor' })
          expect(world.response.headers.getSetCookie()[0]).toMatch(/^__proto__=eyJ/)
          const cookie = `__proto__=${world.access}`
          const { auth } = world
          await expect(
            auth.authorize(portOf({ headers: { cookie } }), notedResponse()).jwtRequired(),
          ).resolves.toMatchObject({ sub: 'test' })
          expect(Object.keys(Object.prototype)).toEqual([])
        },
      },
    ],
  },
  {
    id: 118,
    input: 'values with characters that no JWT has',
    sent: Object.entries(strangeValues).flatMap(([note, change]): Sent[] => [
      {
        ...cookieSent(note, (token) => `access_token_cookie=${change(token)}`, 'token_invalid'),
        reason: 'malformed',
        door: 'port',
      },
      {
        ...cookieSent(
          `${note}, refresh`,
          (_, { refresh }) => `refresh_token_cookie=${change(refresh)}`,
          'csrf_missing',
        ),
        via: 'refresh',
        door: 'port',
      },
    ]),
  },
  {
    id: 119,
    input: 'separators other than ";"',
    sent: [
      cookieSent('a comma', (token) => `a=b, access_token_cookie=${token}`, 'token_missing'),
      cookieSent('a comma after', (token) => `access_token_cookie=${token}, a=b`, 'token_invalid'),
      cookieSent('"&"', (token) => `a=b&access_token_cookie=${token}`, 'token_missing'),
      rawCookieSent('a line break', (token) => `a=b\naccess_token_cookie=${token}`, 'token_missing'),
      cookieSent('no space', (token) => `a=b;access_token_cookie=${token};c=d`, 'passed'),
      cookieSent('a tab', (token) => `a=b;\taccess_token_cookie=${token}\t;c=d`, 'passed'),
      cookieSent('many', (token) => `;; ;a=b;;access_token_cookie=${token};;`, 'passed'),
    ],
  },
  {
    id: 120,
    input: 'a cookie longer than browsers keep',
    proved: [
      {
        note: 'login sets none of the four',
        prove: async () => {
          const world = setup()
          const response = await act(world, { method: 'POST' }, (authorize) =>
            authorize.login('test', { userClaims: { text: 'x'.repeat(3000) } }),
          )
          expect(response.status).toBe(500)
          expect(await response.json()).toMatchObject({ code: 'cookie_too_large' })
          expect(response.headers.getSetCookie()).toEqual([])
        },
      },
      {
        note: 'name and value together count',
        prove: async () => {
          const { auth } = setup({ accessCookieKey: 'a'.repeat(256) })
          const bare = await auth.createAccessToken('test')
          const room = 4096 - 256 - bare.length
          const sizes = await Promise.all(
            [0.7, 0.76].map(async (share) => {
              const token = await auth.createAccessToken('test', {
                userClaims: { t: 'x'.repeat(Math.floor(room * share)) },
              })
              const response = notedResponse()
              const error = await auth
                .authorize(portOf({}), response)
                .setAccessCookies(token)
                .catch((reason: unknown) => reason)
              return [token.length + 256 > 4096, error instanceof Error, response.lines.length]
            }),
          )
          expect(sizes).toEqual([
            [false, false, 2],
            [true, true, 0],
          ])
        },
      },
    ],
  },
  { id: 122, input: 'names that are no cookie name', refused: refusedNames },
  { id: 123, input: 'attributes that smuggle others', refused: refusedAttributes },
  {
    id: 124,
    input: 'a prefix whose rules are broken',
    refused: [
      {
        note: '__Host- and a domain',
        options: { cookiePrefix: '__Host-', cookieDomain: 'example.com' },
        names: 'cookieDomain',
      },
      ...pathOptions.map((names) => ({
        note: `__Host- and ${names}`,
        options: { cookiePrefix: '__Host-', [names]: '/api' },
        names,
      })),
      {
        note: '__Host- without Secure',
        options: { cookiePrefix: '__Host-', cookieSecure: false },
        names: 'cookiePrefix',
      },
      {
        note: '__Secure- without Secure',
        options: { cookiePrefix: '__Secure-', cookieSecure: false },
        names: 'cookiePrefix',
      },
      { note: 'a prefix in another case', options: { cookiePrefix: '__host-' }, names: 'cookiePrefix' },
      ...nameOptions.flatMap((names) =>
        ['__Host-a', '__secure-a', '__HOST-a'].map((name) => ({
          note: `${names} ${name}`,
          options: { [names]: name },
          names,
        })),
      ),
    ],
    proved: [
      {
        note: 'a domain given by hand beside __Host- is refused too, and nothing is set',
        prove: async () => {
          const { auth, access } = await signIn({ cookiePrefix: '__Host-' })
          const response = notedResponse()
          const error = await errorOf(() =>
            auth.authorize(portOf({}), response).setAccessCookies(access, { domain: 'example.com' }),
          )
          expect(error).toBeInstanceOf(TypeError)
          expect(response.lines).toEqual([])
        },
      },
    ],
  },
  {
    id: 126,
    input: 'SameSite=None or Partitioned without Secure',
    refused: [
      { note: 'none', options: { cookieSamesite: 'none', cookieSecure: false }, names: 'cookieSamesite' },
      {
        note: 'Partitioned',
        options: { cookiePartitioned: true, cookieSecure: false },
        names: 'cookiePartitioned',
      },
    ],
  },
  {
    id: 127,
    input: 'HttpOnly switched off',
    refused: ['httpOnly', 'cookieHttpOnly', 'cookieHttponly', 'accessCookieHttpOnly'].map((names) => ({
      note: names,
      options: { [names]: false },
      names,
    })),
  },
  {
    id: 130,
    input: 'a deletion with other attributes than the cookie was set with',
    proved: [
      ['by default', {}],
      [
        'with everything set',
        {
          cookieDomain: 'example.com',
          cookieSamesite: 'none',
          cookiePartitioned: true,
          cookiePrefix: '__Secure-',
          accessCookiePath: '/api',
          refreshCookiePath: '/auth/refresh',
          accessCsrfCookiePath: '/a',
          refreshCsrfCookiePath: '/b',
        } as const,
      ],
      ['with __Host-', { cookiePrefix: '__Host-' } as const],
      ['without Secure', { cookieSecure: false } as const],
    ].map(([note, options]) => ({
      note: note as string,
      prove: async () => {
        const world = await signIn(options as Parameters<typeof signIn>[0])
        const unset = await act(world, { method: 'POST' }, (authorize) => authorize.unsetJwtCookies())
        const expected = world.response.headers
          .getSetCookie()
          .filter((line) => !line.includes('; Max-Age=0;'))
          .map((line) =>
            line.replace(/=[^;]*; Max-Age=\d+/, '=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT'),
          )
        expect(unset.headers.getSetCookie()).toEqual(expected)
        const logout = await act(world, { method: 'POST' }, (authorize) => authorize.logout())
        expect(logout.headers.getSetCookie()).toEqual(expect.arrayContaining(expected))
      },
    })),
  },
  {
    id: 131,
    input: 'sign-out over plain http, or behind a proxy that says so',
    proved: [{}, { 'x-forwarded-proto': 'http' }, { forwarded: 'proto=http' }].map((headers) => ({
      note: `with ${JSON.stringify(headers)}`,
      prove: async () => {
        const world = setup()
        const request = new Request('http://app.example/logout', { method: 'POST', headers })
        const response = await act(world, request, (authorize) => authorize.logout())
        const lines = response.headers.getSetCookie()
        expect(lines).toHaveLength(4)
        for (const line of lines) expect(line).toContain('; Secure; ')
      },
    })),
  },
  {
    id: 132,
    input: 'the refresh cookie where it does not belong',
    sent: [
      cookieSent(
        'on an access route',
        (_, { refresh }) => `refresh_token_cookie=${refresh}`,
        'token_missing',
      ),
      cookieSent(
        'under the name of the access cookie',
        (_, { refresh }) => `access_token_cookie=${refresh}`,
        'wrong_token_type',
      ),
      {
        note: 'an access token under the name of the refresh cookie',
        via: 'refresh',
        wire: ({ access, accessCsrf }) => ({
          method: 'POST',
          headers: { cookie: `refresh_token_cookie=${access}`, 'x-csrf-token': accessCsrf },
        }),
        code: 'wrong_token_type',
      },
    ],
    proved: [
      {
        note: 'its path is written as configured, neither decoded nor lower-cased',
        prove: async () => {
          const { response } = await signIn({ refreshCookiePath: '/Auth/%72efresh/' })
          expect(response.headers.getSetCookie()[2]).toContain('; Path=/Auth/%72efresh/; ')
        },
      },
    ],
  },
  {
    id: 134,
    input: 'the headers have gone before cookies are set',
    proved: (['login', 'refresh', 'logout', 'unsetJwtCookies', 'setAccessCookies'] as const).map((name) => ({
      note: `${name} is a TypeError`,
      prove: async () => {
        const world = await signIn()
        const response = notedResponse()
        response.sent = true
        const headers = {
          cookie: world.cookie,
          'x-csrf-token': name === 'logout' ? world.accessCsrf : world.refreshCsrf,
        }
        const authorize = world.auth.authorize(portOf({ method: 'POST', headers }), response)
        const steps = {
          login: () => authorize.login('test'),
          refresh: () => authorize.refresh(),
          logout: () => authorize.logout(),
          unsetJwtCookies: () => authorize.unsetJwtCookies(),
          setAccessCookies: () => authorize.setAccessCookies(world.access),
        }
        const error = await errorOf(async () => steps[name]())
        expect(error).toBeInstanceOf(TypeError)
        expect(error.message).toContain('headers')
        expect(response.lines).toEqual([])
      },
    })),
  },
  {
    id: 135,
    input: 'a Max-Age that is no whole number of seconds up to 400 days',
    refused: [34_560_001, Number.NaN, -1, 0, 1.5, Number.POSITIVE_INFINITY, '60', '1d', true, null, 10n].map(
      (maxAge) => ({
        note: `cookieMaxAge ${String(maxAge)} (${typeof maxAge})`,
        options: { cookieMaxAge: maxAge },
        names: 'cookieMaxAge',
      }),
    ),
    proved: [
      {
        note: 'by hand too',
        prove: async () => {
          const { auth, access } = await signIn()
          for (const maxAge of [34_560_001, Number.NaN, -1, 0, 1.5]) {
            const response = notedResponse()
            const error = await errorOf(() =>
              auth.authorize(portOf({}), response).setAccessCookies(access, { maxAge }),
            )
            expect(error).toBeInstanceOf(TypeError)
            expect(error.message).toContain('maxAge')
            expect(response.lines).toEqual([])
          }
        },
      },
      {
        note: 'a token that lives longer gets a cookie of 400 days',
        prove: async () => {
          const { response } = await signIn({ refreshTokenExpires: '500d', sessionExpires: '600d' })
          expect(response.headers.getSetCookie()[2]).toContain('; Max-Age=34560000; ')
        },
      },
    ],
  },
  {
    id: 136,
    input: 'SameSite left to the browser',
    proved: (['strict', 'lax', 'none', undefined] as const).map((cookieSamesite) => ({
      note: `${cookieSamesite ?? 'not given'} is written on every line`,
      prove: async () => {
        const { response } = await signIn({ cookieSamesite })
        const lines = response.headers.getSetCookie()
        expect(lines).toHaveLength(4)
        const word = { strict: 'Strict', lax: 'Lax', none: 'None' }[cookieSamesite ?? 'lax']
        for (const line of lines) expect(line).toContain(`; SameSite=${word}`)
      },
    })),
  },
  {
    id: 138,
    input: 'schemes and shapes of the Authorization header',
    sent: (
      [
        ['another scheme', (token) => `Basic ${token}`, 'token_missing'],
        ['lower case', (token) => `bearer ${token}`, 'passed'],
        ['upper case', (token) => `BEARER ${token}`, 'passed'],
        ['two spaces', (token) => `Bearer  ${token}`, 'header_invalid'],
        ['a tab', (token) => `Bearer\t${token}`, 'token_missing'],
        ['two words', (token) => `Bearer ${token} b`, 'header_invalid'],
        ['two schemes, joined', (token) => `Bearer ${token}, Bearer ${token}`, 'header_invalid'],
        ['the scheme alone', () => 'Bearer', 'header_invalid'],
        ['the bare token', (token) => token, 'token_missing'],
        ['a longer scheme', (token) => `Bearers ${token}`, 'token_missing'],
        ['quotes', (token) => `Bearer "${token}"`, 'token_invalid'],
      ] as readonly (readonly [string, (token: string) => string, Sent['code']])[]
    ).map(([note, header, code]) => ({
      note,
      options: { tokenLocation: ['headers'] },
      wire: ({ access }) => ({ headers: { authorization: header(access) } }),
      code,
    })),
    proved: [
      {
        note: 'the header is no location by default',
        prove: async () => {
          const world = await signIn()
          const response = await countedRoute(world.web.jwtRequired()).call({
            headers: { authorization: `Bearer ${world.access}` },
          })
          expect(await response.json()).toMatchObject({ code: 'token_missing' })
        },
      },
    ],
  },
]
