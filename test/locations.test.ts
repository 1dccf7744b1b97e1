/** Where tokens and CSRF values are looked for: headers, cookies, queries, JSON bodies and form fields. */

import { describe, expect, test } from 'vitest'
import type { AuthOptions, TokenLocation } from '../src/index.ts'
import { setup } from './_setup.ts'
import {
  act,
  codeOfResponse,
  countedRoute,
  errorOf,
  notedResponse,
  portOf,
  requestOf,
  signIn,
} from './_wire.ts'
import { site } from './_wire.ts'
import type { Wire, World } from './_wire.ts'

const locations: readonly TokenLocation[] = ['headers', 'cookies', 'query', 'json']

/** One request with a token in each of the places named. */
function wireWith(places: Readonly<Partial<Record<TokenLocation, string>>>, jsonKey = 'access_token'): Wire {
  const headers = {
    ...(places.headers !== undefined && { authorization: `Bearer ${places.headers}` }),
    ...(places.cookies !== undefined && { cookie: `access_token_cookie=${places.cookies}` }),
    ...(places.json !== undefined && { 'content-type': 'application/json' }),
  }
  return {
    method: places.json === undefined ? 'GET' : 'POST',
    path: places.query === undefined ? '/' : `/?jwt=${places.query}`,
    headers,
    ...(places.json !== undefined && { body: JSON.stringify({ [jsonKey]: places.json }) }),
  }
}

function permutations(items: readonly TokenLocation[]): TokenLocation[][] {
  if (items.length < 2) return [[...items]]
  return items.flatMap((item) =>
    permutations(items.filter((other) => other !== item)).map((rest) => [item, ...rest]),
  )
}

async function worldFor(tokenLocation: readonly TokenLocation[], options: AuthOptions = {}): Promise<World> {
  // The order is what is tested here, not the double submit.
  return signIn({ tokenLocation, cookieCsrfProtect: false, ...options })
}

describe('tokenLocation', () => {
  test.for(locations)('%s alone is asked alone', async (location) => {
    const world = await worldFor([location])
    const route = countedRoute(world.web.jwtRequired())
    for (const place of locations) {
      const response = await route.call(wireWith({ [place]: world.access }))
      expect(await codeOfResponse(response)).toBe(place === location ? 'passed' : 'token_missing')
    }
  })

  test.for(permutations(locations).map((order) => [order.join(' '), order] as const))(
    'in the order %s: the first that has a token decides',
    async ([, order]) => {
      const world = await worldFor(order)
      for (let from = 0; from < order.length; from++) {
        const places = Object.fromEntries(order.slice(from).map((place) => [place, world.access]))
        const bound = world.web.authorize(requestOf(wireWith(places)))
        await bound.jwtRequired()
        expect(bound.getTokenLocation()).toBe(order[from])
        // A bad token does not let the next place be asked.
        const spoiled = { ...places, [order[from] ?? '']: 'x' }
        const response = await countedRoute(world.web.jwtRequired()).call(wireWith(spoiled))
        expect(await codeOfResponse(response)).toBe('token_invalid')
      }
    },
  )

  test.for<[string, readonly TokenLocation[], string]>([
    ['one', ['query'], 'Missing query parameter jwt'],
    ['one', ['json'], 'Missing access_token in the JSON body'],
    ['two', ['headers', 'cookies'], 'Missing JWT in headers or cookies'],
    ['four', ['json', 'query', 'cookies', 'headers'], 'Missing JWT in json, query, cookies or headers'],
  ])('of %s names what is missing: %o', async ([, tokenLocation, detail]) => {
    const response = await countedRoute(setup({ tokenLocation }).web.jwtRequired()).call({})
    expect(await response.json()).toMatchObject({ code: 'token_missing', detail })
  })
})

describe('headers', () => {
  test.for<[string, AuthOptions, Record<string, (token: string) => string>, string]>([
    ['another name', { headerName: 'X-Token' }, { 'x-token': (token) => `Bearer ${token}` }, 'passed'],
    [
      'another name, the usual one',
      { headerName: 'X-Token' },
      { authorization: (token) => `Bearer ${token}` },
      'token_missing',
    ],
    ['another scheme', { headerType: 'JWT' }, { authorization: (token) => `jwt ${token}` }, 'passed'],
    [
      'another scheme, the usual one',
      { headerType: 'JWT' },
      { authorization: (token) => `Bearer ${token}` },
      'token_missing',
    ],
    ['no scheme', { headerType: '' }, { authorization: (token) => token }, 'passed'],
    [
      'no scheme, but one sent',
      { headerType: '' },
      { authorization: (token) => `Bearer ${token}` },
      'header_invalid',
    ],
    ['an empty header', {}, { authorization: () => '' }, 'token_missing'],
    [
      'a scheme of special characters',
      { headerType: 'Bear.r' },
      { authorization: (token) => `Bearer ${token}` },
      'token_missing',
    ],
  ])('%s', async ([, options, headers, code]) => {
    const world = await worldFor(['headers'], options)
    const sent = Object.fromEntries(Object.entries(headers).map(([name, make]) => [name, make(world.access)]))
    expect(await codeOfResponse(await countedRoute(world.web.jwtRequired()).call({ headers: sent }))).toBe(
      code,
    )
  })
})

describe('query', () => {
  test.for<[string, (token: string) => string, string]>([
    ['the same twice', (token) => `?jwt=${token}&jwt=${token}`, 'passed'],
    ['two values', (token) => `?jwt=${token}&jwt=x`, 'token_invalid'],
    ['an empty value', () => '?jwt=', 'token_invalid'],
    ['a longer name', (token) => `?jwt2=${token}`, 'token_missing'],
    ['an encoded name', (token) => `?j%77t=${token}`, 'passed'],
    ['the fragment', (token) => `#?jwt=${token}`, 'token_missing'],
    ['a list', (token) => `?jwt[]=${token}`, 'token_missing'],
  ])('%s', async ([, query, code]) => {
    const world = await worldFor(['query'])
    const authorize = world.auth.authorize(portOf({ path: `/a${query(world.access)}` }), notedResponse())
    const result = await authorize.jwtRequired().then(
      () => 'passed',
      (error: { readonly code: string }) => error.code,
    )
    expect(result).toBe(code)
  })
})

describe('json', () => {
  test.for<[string, string, (token: string) => string, string]>([
    [
      'a subtype of JSON',
      'application/problem+json; charset=utf-8',
      (token) => `{"access_token":"${token}"}`,
      'passed',
    ],
    ['capitals', 'Application/JSON', (token) => `{"access_token":"${token}"}`, 'passed'],
    ['another type', 'text/plain', (token) => `{"access_token":"${token}"}`, 'token_missing'],
    ['an inherited member', 'application/json', () => '{}', 'token_missing'],
    ['a list', 'application/json', (token) => `["${token}"]`, 'token_missing'],
    ['no JSON', 'application/json', () => '{', 'token_missing'],
    ['an empty text', 'application/json', () => '{"access_token":""}', 'token_invalid'],
    [
      '64 kB',
      'application/json',
      (token) => JSON.stringify({ access_token: token, pad: 'x'.repeat(65_000) }),
      'passed',
    ],
    [
      'more',
      'application/json',
      (token) => JSON.stringify({ access_token: token, pad: 'x'.repeat(65_536) }),
      'token_missing',
    ],
  ])('%s', async ([, type, make, code]) => {
    const world = await worldFor(['json'])
    const wire = { method: 'POST', headers: { 'content-type': type }, body: make(world.access) }
    const route = countedRoute(world.web.jwtRequired(), async (request) => new Response(await request.text()))
    const response = await route.call(wire)
    // The handler still has the whole body.
    if (code === 'passed') expect(await response.clone().text()).toBe(wire.body)
    expect(await codeOfResponse(response)).toBe(code)
  })

  test('the refresh token has a name of its own', async () => {
    const world = await worldFor(['json'])
    const wire = wireWith({ json: world.refresh }, 'refresh_token')
    const response = await act(world, wire, (bound) => bound.refresh())
    expect(response.status).toBe(200)
    expect(
      await codeOfResponse(await act(world, wireWith({ json: world.refresh }), (bound) => bound.refresh())),
    ).toBe('token_missing')
  })

  test('names can be chosen', async () => {
    const world = await worldFor(['json'], { jsonKey: 'jwt' })
    expect(
      (await countedRoute(world.web.jwtRequired()).call(wireWith({ json: world.access }, 'jwt'))).status,
    ).toBe(200)
  })

  test('a Request made without Content-Length has its body read all the same', async () => {
    const world = await worldFor(['json'])
    const { body, headers } = wireWith({ json: world.access })
    const request = new Request(site, { method: 'POST', headers: { ...headers }, body: body ?? '' })
    expect(request.headers.has('content-length')).toBe(false)
    expect((await countedRoute(world.web.jwtRequired()).call(request)).status).toBe(200)
  })

  test('a body that nobody has parsed names the parser to mount', async () => {
    const { auth } = await worldFor(['json'])
    const headers = { 'content-type': 'application/json', 'content-length': '9' }
    const error = await errorOf(() =>
      auth.authorize(portOf({ method: 'POST', headers }), notedResponse()).jwtRequired(),
    )
    expect(error).toBeInstanceOf(TypeError)
    expect(error.message).toContain('JSON parser')
  })

  test('a body that was read before is a TypeError', async () => {
    const { web } = await worldFor(['json'])
    const request = requestOf(wireWith({ json: 'x' }))
    await request.text()
    await expect(countedRoute(web.jwtRequired()).call(request)).rejects.toThrow(/before the guard/)
  })
})

describe('csrfMethods', () => {
  test.for<[string, AuthOptions['csrfMethods'], readonly string[], readonly string[]]>([
    ['the default', undefined, ['POST', 'PUT', 'PATCH', 'DELETE', 'FOO'], ['GET', 'HEAD', 'OPTIONS']],
    ['the default in another order and case', ['delete', 'patch', 'put', 'post'], ['POST', 'FOO'], ['GET']],
    ['one', ['post'], ['POST'], ['PUT', 'DELETE', 'GET', 'FOO']],
    ['safe ones', ['GET'], ['GET'], ['POST', 'HEAD']],
  ])('%s', async ([, csrfMethods, checked, free]) => {
    const world = await signIn({ csrfMethods })
    const route = countedRoute(world.web.jwtRequired())
    for (const method of [...checked, ...free]) {
      const response = await route.call({ method, headers: { cookie: world.cookie } })
      const expected = checked.includes(method) ? 401 : 200
      expect([method, response.status]).toEqual([method, expected])
    }
  })
})

describe('csrfCheckForm', () => {
  /** A form post; the boundary is fixed so that its length is known. */
  function form(
    kind: 'urlencoded' | 'multipart',
    fields: readonly (readonly [string, string])[],
  ): { readonly type: string; readonly body: string } {
    if (kind === 'urlencoded') {
      return {
        type: 'application/x-www-form-urlencoded',
        body: new URLSearchParams(fields.map(([name, value]) => [name, value])).toString(),
      }
    }
    const parts = fields.map(
      ([name, value]) => `--edge\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
    )
    return { type: 'multipart/form-data; boundary=edge', body: `${parts.join('')}--edge--\r\n` }
  }

  async function answer(
    world: World,
    kind: 'urlencoded' | 'multipart',
    fields: readonly (readonly [string, string])[],
    headers: Record<string, string> = {},
  ): Promise<string> {
    const { type, body } = form(kind, fields)
    const wire = { method: 'POST', headers: { cookie: world.cookie, 'content-type': type, ...headers }, body }
    const route = countedRoute(world.web.jwtRequired(), async (request) => new Response(await request.text()))
    const response = await route.call(wire)
    if (response.status === 200) expect(await response.clone().text()).toBe(body)
    return codeOfResponse(response)
  }

  for (const kind of ['urlencoded', 'multipart'] as const) {
    test(`reads the field of a ${kind} form, and leaves the handler its body`, async () => {
      const world = await signIn({ csrfCheckForm: true })
      const value = world.accessCsrf
      expect(
        await answer(world, kind, [
          ['a', 'b'],
          ['csrf_token', value],
        ]),
      ).toBe('passed')
      expect(await answer(world, kind, [['csrf_token', 'x']])).toBe('csrf_mismatch')
      expect(await answer(world, kind, [['csrf_token', '']])).toBe('csrf_missing')
      expect(await answer(world, kind, [['a', 'b']])).toBe('csrf_missing')
      expect(await answer(world, kind, [['csrf_token', value]], { 'x-csrf-token': 'x' })).toBe(
        'csrf_mismatch',
      )
      expect(await answer(world, kind, [['csrf_token', 'x']], { 'x-csrf-token': value })).toBe('passed')
      expect(await answer(world, kind, [['csrf_token', value]], { 'sec-fetch-site': 'cross-site' })).toBe(
        'origin_forbidden',
      )
    })

    test(`reads 64 kB of a ${kind} form and no more`, async () => {
      const world = await signIn({ csrfCheckForm: true })
      const fields = (size: number) =>
        [
          ['pad', 'x'.repeat(size)],
          ['csrf_token', world.accessCsrf],
        ] as const
      expect(await answer(world, kind, fields(65_000))).toBe('passed')
      expect(await answer(world, kind, fields(65_536))).toBe('csrf_missing')
    })

    test(`is off by default for a ${kind} form`, async () => {
      const world = await signIn()
      expect(await answer(world, kind, [['csrf_token', world.accessCsrf]])).toBe('csrf_missing')
    })
  }

  test('has one name for each type of token', async () => {
    const world = await signIn({ csrfCheckForm: true, accessCsrfFieldName: 'a', refreshCsrfFieldName: 'r' })
    expect(await answer(world, 'urlencoded', [['a', world.accessCsrf]])).toBe('passed')
    expect(await answer(world, 'urlencoded', [['csrf_token', world.accessCsrf]])).toBe('csrf_missing')
    const { type, body } = form('urlencoded', [['r', world.refreshCsrf]])
    const wire = { method: 'POST', headers: { cookie: world.cookie, 'content-type': type }, body }
    expect((await act(world, wire, (bound) => bound.refresh())).status).toBe(200)
  })

  test('serves logout too', async () => {
    const world = await signIn({ csrfCheckForm: true })
    const { type, body } = form('urlencoded', [['csrf_token', world.accessCsrf]])
    const wire = { method: 'POST', headers: { cookie: world.cookie, 'content-type': type }, body }
    expect((await act(world, wire, (bound) => bound.logout())).status).toBe(200)
  })

  test('reads the form of a Request made without Content-Length', async () => {
    const world = await signIn({ csrfCheckForm: true })
    const body = new URLSearchParams({ csrf_token: world.accessCsrf })
    const request = new Request(site, { method: 'POST', headers: { cookie: world.cookie }, body })
    expect((await countedRoute(world.web.jwtRequired()).call(request)).status).toBe(200)
  })
})
