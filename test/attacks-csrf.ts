/** The rows on CSRF: values, header names, methods, content types and origins that a hostile page can arrange. */

/* oxlint-disable vitest/no-standalone-expect -- the proofs of these tables run inside tests */

import { expect } from 'vitest'
import type { AuthErrorCode } from '../src/index.ts'
import type { Row, Sent } from './_attack.ts'
import { encode, forge, goodClaims, setup } from './_setup.ts'
import { countedRoute, refreshing, requestOf, signIn, site, writing } from './_wire.ts'
import type { World } from './_wire.ts'

type Code = AuthErrorCode | 'passed'

/** A POST by the signed-in client with further headers, beside its good CSRF value. */
function post(note: string, headers: Record<string, string>, code: Code): Sent {
  return { note, wire: (world) => ({ method: 'POST', headers: { ...writing(world), ...headers } }), code }
}

/** A POST with the client's cookies alone and further headers. */
function bare(note: string, headers: (world: World) => Record<string, string>, code: Code): Sent {
  return {
    note,
    wire: (world) => ({ method: 'POST', headers: { cookie: world.cookie, ...headers(world) } }),
    code,
  }
}

/** A POST with a value made of the good one. */
function changed(
  note: string,
  change: (value: string, world: World) => string,
  code: Code = 'csrf_mismatch',
): Sent {
  return {
    ...bare(note, (world) => ({ 'x-csrf-token': change(world.accessCsrf, world) }), code),
    door: 'port',
  }
}

/** A POST with a token that somebody else made with our key. */
function forged(note: string, csrf: unknown, headers: Record<string, string>, code: Code): Sent {
  const token = forge({ alg: 'HS256', typ: 'JWT' }, goodClaims({ csrf }))
  return {
    note,
    wire: () => ({ method: 'POST', headers: { cookie: `access_token_cookie=${token}`, ...headers } }),
    door: 'port',
    code,
  }
}

const contentTypes = [
  '',
  'text/plain',
  'TEXT/PLAIN',
  'application/x-www-form-urlencoded; a=b',
  'multipart/form-data',
  'application/json;text/plain',
  'a/b, application/json',
  'application/json',
  ';;;',
]

export const csrfRows: readonly Row[] = [
  {
    id: 139,
    input: 'a control: the right value in the header',
    sent: [
      ...['POST', 'PUT', 'PATCH', 'DELETE'].map((method): Sent => ({
        note: method,
        wire: (world) => ({ method, headers: writing(world) }),
        code: 'passed',
      })),
      {
        note: 'refresh',
        via: 'refresh',
        wire: (world) => ({ method: 'POST', headers: refreshing(world) }),
        code: 'passed',
        cookies: 'tokens',
      },
      {
        note: 'logout',
        via: 'logout',
        wire: (world) => ({ method: 'DELETE', headers: writing(world) }),
        code: 'passed',
        cookies: 'deletions',
      },
    ],
  },
  {
    id: 140,
    input: 'no header',
    sent: [
      ...['POST', 'PUT', 'PATCH', 'DELETE'].map((method): Sent => ({
        note: method,
        wire: ({ cookie }) => ({ method, headers: { cookie } }),
        code: 'csrf_missing',
      })),
      { ...bare('refresh', () => ({}), 'csrf_missing'), via: 'refresh' },
      {
        note: 'refresh by GET',
        via: 'refresh',
        wire: ({ cookie }) => ({ headers: { cookie } }),
        code: 'csrf_missing',
      },
      { ...bare('logout', () => ({}), 'csrf_missing'), via: 'logout' },
      {
        note: 'logout with the refresh token alone',
        via: 'logout',
        wire: ({ refresh }) => ({ method: 'POST', headers: { cookie: `refresh_token_cookie=${refresh}` } }),
        code: 'csrf_missing',
      },
    ],
  },
  {
    id: 142,
    input: 'value and claim both empty, or the claim not there',
    sent: [
      forged('both empty', '', { 'x-csrf-token': '' }, 'csrf_missing'),
      forged('an empty claim', '', { 'x-csrf-token': 'undefined' }, 'token_invalid'),
      forged('no claim, the word undefined', undefined, { 'x-csrf-token': 'undefined' }, 'token_invalid'),
      forged('no claim, no header', undefined, {}, 'csrf_missing'),
      ...[null, 0, 1, true, [], ['a'], {}].map((claim) =>
        forged(
          `a claim that is ${JSON.stringify(claim)}`,
          claim,
          { 'x-csrf-token': JSON.stringify(claim) },
          'token_invalid',
        ),
      ),
    ],
  },
  {
    id: 143,
    input: 'the value in its cookie only',
    sent: [
      bare('as set', () => ({}), 'csrf_missing'),
      bare('an empty header beside it', () => ({ 'x-csrf-token': '' }), 'csrf_missing'),
      bare(
        'the cookie named like the header',
        ({ cookie, accessCsrf }) => ({ cookie: `${cookie}; X-CSRF-Token=${accessCsrf}` }),
        'csrf_missing',
      ),
    ],
  },
  {
    id: 144,
    input: 'an attacker’s value in both cookie and header, with the victim’s token',
    sent: [
      bare(
        'equal',
        ({ access }) => ({
          cookie: `access_token_cookie=${access}; csrf_access_token=evil`,
          'x-csrf-token': 'evil',
        }),
        'csrf_mismatch',
      ),
      bare(
        'a UUID',
        ({ access }) => {
          const value = '7a1c2b3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d'
          return {
            cookie: `access_token_cookie=${access}; csrf_access_token=${value}`,
            'x-csrf-token': value,
          }
        },
        'csrf_mismatch',
      ),
      bare(
        'a control: another CSRF cookie, the right header',
        ({ access, accessCsrf }) => ({
          cookie: `access_token_cookie=${access}; csrf_access_token=evil`,
          'x-csrf-token': accessCsrf,
        }),
        'passed',
      ),
    ],
  },
  {
    id: 146,
    input: 'the value of the access token before the last refresh',
    proved: [
      {
        note: 'does not match the new token',
        prove: async () => {
          const world = await signIn()
          const bound = world.web.authorize(requestOf({ method: 'POST', headers: refreshing(world) }))
          const { accessToken } = await bound.refresh()
          const route = countedRoute(world.web.jwtRequired())
          const cookie = `access_token_cookie=${accessToken}`
          const old = await route.call({
            method: 'POST',
            headers: { cookie, 'x-csrf-token': world.accessCsrf },
          })
          expect(await old.json()).toMatchObject({ code: 'csrf_mismatch' })
          expect(bound.getCsrfToken()).not.toBe(world.accessCsrf)
          const fresh = await route.call({
            method: 'POST',
            headers: { cookie, 'x-csrf-token': bound.getCsrfToken() },
          })
          expect([fresh.status, route.runs()]).toEqual([200, 1])
        },
      },
    ],
  },
  {
    id: 147,
    input: 'the value of the other type of token',
    sent: [
      changed('refresh value on an access route', (_, world) => world.refreshCsrf),
      {
        ...bare(
          'access value on refresh',
          ({ accessCsrf }) => ({ 'x-csrf-token': accessCsrf }),
          'csrf_mismatch',
        ),
        via: 'refresh',
      },
      {
        ...bare(
          'refresh value on logout',
          ({ refreshCsrf }) => ({ 'x-csrf-token': refreshCsrf }),
          'csrf_mismatch',
        ),
        via: 'logout',
      },
    ],
  },
  {
    id: 148,
    input: 'the right value, nearly',
    sent: [
      changed('one character changed', (value) => (value.startsWith('0') ? '1' : '0') + value.slice(1)),
      changed(
        'the last character changed',
        (value) => value.slice(0, -1) + (value.endsWith('0') ? '1' : '0'),
      ),
      changed('upper case', (value) => `${value.toUpperCase()}A`.slice(0, 36).replace(/^./, 'G')),
      changed('a trailing space', (value) => `${value} `),
      changed('a trailing tab', (value) => `${value}\t`),
      changed('a leading space', (value) => ` ${value}`),
      changed('a prefix', (value) => value.slice(0, 8)),
      changed('doubled', (value) => value + value),
      changed('twice, joined by Node', (value) => `${value}, ${value}`),
      changed('another beside it', (value) => `${value}, x`),
      changed('quotes', (value) => `"${value}"`),
      changed('bytes beyond ASCII', () => '\u00e9'.repeat(36)),
      changed(
        'a letter whose low byte fits',
        (value) => String.fromCharCode(value.charCodeAt(0) + 256) + value.slice(1),
      ),
      changed('a NUL behind it', (value) => `${value}\u0000`),
    ],
  },
  {
    id: 150,
    input: 'the header name in other cases',
    sent: ['X-CSRF-TOKEN', 'x-csrf-token', 'X-Csrf-Token'].map((name) =>
      bare(name, ({ accessCsrf }) => ({ [name]: accessCsrf }), 'passed'),
    ),
  },
  {
    id: 151,
    input: 'names that look alike',
    sent: [
      ...['X-XSRF-TOKEN', 'csrf-token', 'X_CSRF_TOKEN', 'XCSRF-Token', 'X-CSRF-Token-2'].map((name) =>
        bare(name, ({ accessCsrf }) => ({ [name]: accessCsrf }), 'csrf_missing'),
      ),
      {
        ...bare('configured', ({ accessCsrf }) => ({ 'x-xsrf-token': accessCsrf }), 'passed'),
        options: { accessCsrfHeaderName: 'X-XSRF-TOKEN' },
      },
      {
        ...bare(
          'the default name where another is configured',
          ({ accessCsrf }) => ({ 'x-csrf-token': accessCsrf }),
          'csrf_missing',
        ),
        options: { accessCsrfHeaderName: 'X-XSRF-TOKEN' },
      },
    ],
  },
  {
    id: 152,
    input: 'the value in the query',
    sent: ['csrf_token', 'X-CSRF-Token', 'csrf_access_token'].flatMap((name) =>
      [false, true].map((csrfCheckForm): Sent => ({
        note: `${name}, csrfCheckForm ${csrfCheckForm}`,
        options: { csrfCheckForm },
        wire: ({ cookie, accessCsrf }) => ({
          method: 'POST',
          path: `/?${name}=${accessCsrf}`,
          headers: { cookie },
        }),
        code: 'csrf_missing',
      })),
    ),
  },
  {
    id: 154,
    input: 'methods that nobody expects',
    sent: [
      'post',
      'Post',
      'PoSt',
      'FOO',
      'PROPFIND',
      'TRACE',
      'CONNECT',
      'QUERY',
      '',
      'get',
      'Get',
      'GET ',
      'head',
      'options',
      'M-SEARCH',
    ].map((method) => ({
      note: JSON.stringify(method),
      wire: ({ cookie }) => ({ method, headers: { cookie } }),
      door: 'port',
      code: 'csrf_missing',
    })),
  },
  {
    id: 155,
    input: 'a method that overrides the one on the wire',
    sent: [
      ...['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override'].map((name) =>
        bare(`${name}: GET on POST`, () => ({ [name]: 'GET' }), 'csrf_missing'),
      ),
      {
        note: '_method=GET in the query of a POST',
        wire: ({ cookie }) => ({ method: 'POST', path: '/?_method=GET', headers: { cookie } }),
        code: 'csrf_missing',
      },
      {
        note: '_method=POST on a GET, on a route that overrides and says so',
        guard: { csrf: 'always' },
        wire: ({ cookie }) => ({ path: '/?_method=POST', headers: { cookie } }),
        code: 'csrf_missing',
      },
    ],
  },
  {
    id: 156,
    input: 'a safe method on a route that changes something',
    sent: ['GET', 'HEAD', 'OPTIONS'].flatMap((method): Sent[] => [
      {
        note: `${method}, no value`,
        guard: { csrf: 'always' },
        wire: ({ cookie }) => ({ method, headers: { cookie } }),
        door: 'port',
        code: 'csrf_missing',
      },
      {
        note: `${method}, a wrong value`,
        guard: { csrf: 'always' },
        wire: ({ cookie }) => ({ method, headers: { cookie, 'x-csrf-token': 'x' } }),
        door: 'port',
        code: 'csrf_mismatch',
      },
      {
        note: `${method}, another site`,
        guard: { csrf: 'always' },
        wire: (world) => ({ method, headers: { ...writing(world), 'sec-fetch-site': 'cross-site' } }),
        door: 'port',
        code: 'origin_forbidden',
      },
      {
        note: `${method}, the right value`,
        guard: { csrf: 'always' },
        wire: (world) => ({ method, headers: writing(world) }),
        code: 'passed',
      },
      {
        note: `${method} by csrfMethods`,
        options: { csrfMethods: ['get', 'head', 'options'] },
        wire: ({ cookie }) => ({ method, headers: { cookie } }),
        door: 'port',
        code: 'csrf_missing',
      },
    ]),
  },
  {
    id: 158,
    input: 'content types, known and unknown',
    sent: contentTypes.flatMap((type) =>
      [false, true].map((csrfCheckForm): Sent => ({
        ...bare(
          `${JSON.stringify(type)}, csrfCheckForm ${csrfCheckForm}`,
          () => ({ 'content-type': type }),
          'csrf_missing',
        ),
        options: { csrfCheckForm },
      })),
    ),
  },
  {
    id: 159,
    input: 'what a page can send without asking: beacons and forms',
    sent: [
      {
        note: 'a form of text/plain that spells JSON',
        wire: ({ cookie, accessCsrf }) => ({
          method: 'POST',
          headers: { cookie, 'content-type': 'text/plain' },
          body: `{"a":"=","csrf_token":"${accessCsrf}"}`,
        }),
        options: { csrfCheckForm: true },
        code: 'csrf_missing',
      },
      {
        note: 'a beacon of another site',
        wire: ({ cookie }) => ({
          method: 'POST',
          headers: {
            cookie,
            origin: 'https://evil.example',
            'sec-fetch-site': 'cross-site',
            'sec-fetch-mode': 'no-cors',
          },
          body: 'a=b',
        }),
        code: 'origin_forbidden',
      },
      {
        note: 'a beacon of an old browser',
        wire: ({ cookie }) => ({
          method: 'POST',
          headers: { cookie, 'content-type': 'application/x-www-form-urlencoded' },
          body: 'csrf_token=x',
        }),
        code: 'csrf_missing',
      },
    ],
  },
  {
    id: 160,
    input: 'values of Sec-Fetch-Site',
    sent: [
      post('same-origin', { 'sec-fetch-site': 'same-origin' }, 'passed'),
      post('none', { 'sec-fetch-site': 'none' }, 'passed'),
      post('absent', {}, 'passed'),
      ...[
        'cross-site',
        'same-site',
        'Same-Origin',
        'same-origin, none',
        'same-origin, same-origin',
        'cross-site, same-origin',
        '',
        'null',
        'evil',
        '?1',
      ].map((value) => post(JSON.stringify(value), { 'sec-fetch-site': value }, 'origin_forbidden')),
      post(
        'same-origin with a foreign Origin: the browser knows better',
        { 'sec-fetch-site': 'same-origin', origin: 'https://proxy.example' },
        'passed',
      ),
      ...(['refresh', 'logout', 'login'] as const).map((via): Sent => ({
        note: `${via}, cross-site`,
        via,
        wire: (world) => ({
          method: 'POST',
          headers: {
            ...(via === 'refresh' ? refreshing(world) : writing(world)),
            'sec-fetch-site': 'cross-site',
          },
        }),
        code: 'origin_forbidden',
      })),
      {
        ...post(
          'same-site from an origin that is trusted',
          { 'sec-fetch-site': 'same-site', origin: 'https://www.app.example' },
          'passed',
        ),
        options: { trustedOrigins: ['https://www.app.example'] },
      },
      {
        ...post('switched off', { 'sec-fetch-site': 'cross-site' }, 'passed'),
        options: { fetchMetadata: false },
      },
    ],
  },
  {
    id: 162,
    input: 'no Origin, and a Referer that names us somewhere',
    sent: [
      `${site}/page`,
      `https://evil.example/${site}`,
      `https://evil.example/?${site}`,
      'https://evil.example/',
    ].flatMap((referer) => [
      bare(`${referer}, no value`, () => ({ referer }), 'csrf_missing'),
      post(`${referer}, the right value`, { referer }, 'passed'),
    ]),
  },
  {
    id: 163,
    input: 'headers that claim another host',
    sent: [
      post('our origin', { origin: site }, 'passed'),
      post('a foreign origin', { origin: 'https://evil.example' }, 'origin_forbidden'),
      ...['x-forwarded-host', 'x-host', 'x-original-host', 'forwarded', 'x-forwarded-server'].map((name) =>
        post(
          `${name} that fits a foreign origin`,
          {
            origin: 'https://evil.example',
            [name]: name === 'forwarded' ? 'host=evil.example' : 'evil.example',
          },
          'origin_forbidden',
        ),
      ),
      ...[
        'null',
        '',
        'https://app.example.evil.example',
        'https://app.example@evil.example',
        'https://app.example:444',
        'https://APP.example',
        'https://app.example/',
        'https://xapp.example',
        'app.example',
        'file://app.example',
        `${site}, https://evil.example`,
        'https://app.example.',
      ].map((origin) => post(`Origin ${JSON.stringify(origin)}`, { origin }, 'origin_forbidden')),
      ...['app.example/', 'evil@app.example', 'app.example#', 'app.example?', '', ' app.example'].map(
        (host): Sent => ({
          ...post(`Host ${JSON.stringify(host)}`, { origin: site, host }, 'origin_forbidden'),
          door: 'port',
        }),
      ),
      {
        ...post(
          'a control: the default port spelled out',
          { origin: site, host: 'app.example:443' },
          'passed',
        ),
        door: 'port',
      },
    ],
  },
  {
    id: 164,
    input: 'trusted origins that are no origin',
    refused: [
      '*',
      'app.example',
      'https://app.example/',
      'https://app.example/path',
      'https://*.app.example',
      'null',
      '',
      'https://APP.example',
      'https://app.example:443',
      'ftp://app.example',
      'https://a@app.example',
      /app\.example/,
      1,
      null,
      ['https://a.example'],
    ]
      .map((origin) => ({
        note: String(origin),
        options: { trustedOrigins: [origin] },
        names: 'trustedOrigins',
      }))
      .concat([
        {
          note: 'one text',
          options: { trustedOrigins: 'https://app.example' as unknown as never[] },
          names: 'trustedOrigins',
        },
        {
          note: 'one twice',
          options: { trustedOrigins: ['https://a.example', 'https://a.example'] },
          names: 'trustedOrigins',
        },
      ]),
  },
  {
    id: 166,
    input: 'a foreign origin that hopes to be reflected with credentials',
    sent: [
      post('a write', { origin: 'https://evil.example' }, 'origin_forbidden'),
      {
        note: 'the route that hands out the value, guarded on every method',
        guard: { csrf: 'always' },
        wire: (world) => ({ headers: { ...writing(world), origin: 'https://evil.example' } }),
        code: 'origin_forbidden',
      },
    ],
    proved: [
      {
        note: 'no answer ever names an origin',
        prove: async () => {
          const world = await signIn({ trustedOrigins: ['https://www.app.example'] })
          for (const origin of ['https://evil.example', 'https://www.app.example']) {
            for (const method of ['GET', 'POST', 'OPTIONS']) {
              const headers = { ...writing(world), origin, 'access-control-request-method': 'POST' }
              const response = await countedRoute(world.web.jwtRequired()).call({ method, headers })
              expect(
                [...response.headers.keys()].filter((name) => name.startsWith('access-control')),
              ).toEqual([])
            }
          }
        },
      },
    ],
  },
  {
    id: 168,
    input: 'a sign-in that another site sends',
    sent: [
      {
        note: 'by Sec-Fetch-Site',
        via: 'login',
        wire: () => ({ method: 'POST', headers: { 'sec-fetch-site': 'cross-site' } }),
        code: 'origin_forbidden',
      },
      {
        note: 'by Origin',
        via: 'login',
        wire: () => ({ method: 'POST', headers: { origin: 'https://evil.example' } }),
        code: 'origin_forbidden',
      },
      {
        note: 'from a sandbox',
        via: 'login',
        wire: () => ({ method: 'POST', headers: { origin: 'null' } }),
        code: 'origin_forbidden',
      },
      {
        note: 'by GET',
        via: 'login',
        wire: () => ({ headers: { 'sec-fetch-site': 'cross-site' } }),
        code: 'origin_forbidden',
      },
      {
        note: 'a control: our own page',
        via: 'login',
        wire: () => ({ method: 'POST', headers: { origin: site, 'sec-fetch-site': 'same-origin' } }),
        code: 'passed',
        cookies: 'tokens',
      },
    ],
  },
  {
    id: 172,
    input: 'what a refusal gives away, and to whom',
    proved: [
      {
        note: 'a wrong value is told to observers, and costs the same words whoever is signed in',
        prove: async () => {
          const world = await signIn()
          const route = countedRoute(world.web.jwtRequired())
          const other = forge({ alg: 'HS256' }, goodClaims({ sub: 'other' }))
          const bodies = await Promise.all(
            [world.cookie, `access_token_cookie=${other}`].map(async (cookie) => {
              const response = await route.call({ method: 'POST', headers: { cookie, 'x-csrf-token': 'x' } })
              return response.text()
            }),
          )
          expect(new Set(bodies).size).toBe(1)
          const event = { type: 'rejected', code: 'csrf_mismatch', location: 'cookies' }
          expect(world.events).toEqual([event, event])
        },
      },
      {
        note: 'without a value a good token and garbage get the same answer',
        prove: async () => {
          const { web, cookie } = await signIn()
          const route = countedRoute(web.jwtRequired())
          const good = await route.call({ method: 'POST', headers: { cookie } })
          const garbage = await route.call({
            method: 'POST',
            headers: { cookie: `access_token_cookie=${encode('x')}` },
          })
          expect([good.status, await good.text()]).toEqual([garbage.status, await garbage.text()])
        },
      },
    ],
  },
  {
    id: 174,
    input: 'a body that breaks off while the value is looked for in it',
    proved: [
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'multipart/form-data',
    ].map((type) => ({
      note: type,
      prove: async () => {
        const { cookie } = await signIn()
        const { web } = setup({ csrfCheckForm: true })
        const body = new ReadableStream({
          start(controller) {
            controller.enqueue(new TextEncoder().encode('csrf_token='))
            controller.error(new Error('aborted'))
          },
        })
        const headers = { cookie, 'content-type': type, 'transfer-encoding': 'chunked' }
        const init = { method: 'POST', headers, body, duplex: 'half' }
        const route = countedRoute(web.jwtRequired())
        const response = await route.call(new Request(site, init))
        expect(await response.json()).toMatchObject({ status: 401, code: 'csrf_missing' })
        expect(route.runs()).toBe(0)
      },
    })),
  },
]
