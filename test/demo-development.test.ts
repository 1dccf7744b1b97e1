// What the demo shows and lets happen for development only: never elsewhere, never to others, and no secret of it.

import type { Hono } from 'hono'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createAuth } from 'tallystick'
import { memoryStore } from 'tallystick/stores/memory'
import { createDemo } from '../demo/app.ts'
import { readSettings } from '../demo/settings.ts'
import { cookieHeader, cookiesOf, secretKey } from './_setup.ts'
import { createDevelopmentDemo } from './browser/demo-site.ts'
import type { DevelopmentDemo } from './browser/demo-site.ts'

const ownPage = { 'sec-fetch-site': 'same-origin' }
const endpoints = [
  ['GET', '/demo/session'],
  ['GET', '/demo/cookies'],
  ['GET', '/demo/timeline'],
  ['POST', '/demo/attacks'],
] as const

/** A browser that has opened the page. */
class Visitor {
  readonly #app: Hono
  jar: Record<string, string> = {}

  constructor(app: Hono) {
    this.#app = app
  }

  async send(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Response> {
    const csrf = this.jar[path === '/refresh' ? 'csrf_refresh_token' : 'csrf_access_token']
    const response = await this.#app.request(path, {
      method,
      headers: {
        ...ownPage,
        cookie: cookieHeader(this.jar),
        ...(csrf !== undefined && { 'x-csrf-token': csrf }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    this.jar = { ...this.jar, ...cookiesOf(response) }
    return response
  }

  async notes(): Promise<readonly Noted[]> {
    const { notes } = (await (await this.send('GET', '/demo/timeline')).json()) as { notes: Noted[] }
    return notes
  }
}

interface Noted {
  readonly id: number
  readonly run: string | null
  readonly origin: string | null
  readonly method: string
  readonly route: string
  readonly status: number
  readonly code: string | null
  readonly reason: string | null
  readonly events: readonly string[]
  readonly checks: readonly { readonly name: string; readonly state: string }[]
}

async function signedIn(app: Hono): Promise<Visitor> {
  const visitor = new Visitor(app)
  await visitor.send('GET', '/')
  const response = await visitor.send('POST', '/login', { username: 'test', password: 'test' })
  expect(response.status).toBe(200)
  return visitor
}

describe('a demo that is not for development', () => {
  const auth = createAuth({ secretKey, store: memoryStore() })
  const app = createDemo(auth)
  afterAll(() => auth.close())

  test.each([...endpoints, ['POST', '/origin-check-off/transfer'] as const])(
    'has no %s %s',
    async (method, path) => {
      expect((await app.request(path, { method, headers: ownPage })).status).toBe(404)
    },
  )

  test('serves no attackers, knows nobody again and tells of no note', async () => {
    const page = await app.request('http://evil.demo.localhost/')
    expect(await page.text()).toContain('data-development="off"')
    expect(page.headers.getSetCookie()).toEqual([])
    expect(page.headers.get('content-security-policy')).not.toContain('frame-src')
    expect((await app.request('http://evil.demo.localhost/attacker.js')).status).toBe(404)
    expect((await app.request('/transfer', { method: 'POST' })).headers.get('x-demo-note')).toBeNull()
  })

  test('is what the process is without a flag, and no other flag is known', () => {
    expect(readSettings({ NODE_ENV: 'development' }).isDevelopment).toBe(false)
    expect(readSettings({}, ['--development']).isDevelopment).toBe(true)
    expect(() => readSettings({}, ['--develop'])).toThrow("'--develop' is not known")
  })
})

describe('a demo for development', () => {
  let demo: DevelopmentDemo
  beforeAll(() => {
    demo = createDevelopmentDemo()
  })
  afterAll(() => demo.close())

  describe.each(endpoints)('%s %s', (method, path) => {
    test.each([
      ['another site', { 'sec-fetch-site': 'cross-site' }],
      ['a sibling host', { 'sec-fetch-site': 'same-site' }],
      ['the address bar', { 'sec-fetch-site': 'none' }],
      ['no browser', { 'sec-fetch-site': '' }],
    ])('answers nothing to %s', async (_, headers) => {
      const visitor = await signedIn(demo.app)
      const response = await visitor.send(method, path, undefined, headers)
      expect([response.status, await response.json()]).toEqual([
        403,
        { detail: 'Only the demo’s own page may ask this' },
      ])
    })
  })

  test.each(['evil.example', 'rebound.localhost', 'evil.demo.localhost.'])(
    'is not there as %s',
    async (host) => {
      for (const path of ['/', '/demo/timeline', '/attacker.js']) {
        expect((await demo.app.request(`http://${host}${path}`, { headers: ownPage })).status).toBe(421)
      }
    },
  )

  test.each(['stranger.localhost', 'evil.demo.localhost'])(
    'serves nothing of the site at %s',
    async (host) => {
      expect(await (await demo.app.request(`http://${host}/`)).text()).toContain('You have won a prize')
      for (const path of ['/protected', '/demo/timeline', '/page.js', '/sessions']) {
        expect((await demo.app.request(`http://${host}${path}`, { headers: ownPage })).status).toBe(404)
      }
    },
  )

  test('tells the page who is signed in and what it holds, and no secret of it', async () => {
    const visitor = await signedIn(demo.app)
    const session = await (await visitor.send('GET', '/demo/session')).json()
    expect(session).toMatchObject({
      access: { sub: 'test', type: 'access', fresh: true, exp: expect.any(Number) },
      refresh: { type: 'refresh', gen: 0 },
    })
    const cookies = await (await visitor.send('GET', '/demo/cookies')).json()
    const size = (name: string): number => name.length + (visitor.jar[name] ?? '').length
    expect(cookies).toEqual({
      cookies: ['access_token_cookie', 'csrf_access_token', 'refresh_token_cookie', 'csrf_refresh_token'].map(
        (name) => ({
          name,
          bytes: size(name),
          path: '/',
          httpOnly: name.endsWith('cookie'),
          secure: true,
          sameSite: 'lax',
        }),
      ),
    })
    await visitor.send('POST', '/refresh')
    expectNoSecret(JSON.stringify([session, cookies, await visitor.notes()]), visitor)
    expect((await new Visitor(demo.app).send('GET', '/demo/session')).status).toBe(401)
  })

  test('shows a browser its own requests alone, with their checks and events', async () => {
    const [one, other] = [await signedIn(demo.app), await signedIn(demo.app)]
    await one.send('POST', '/refresh')
    await one.send('DELETE', '/sessions/secret-name')
    await one.send('GET', '/sessions')
    const notes = await one.notes()
    expect(notes.map(({ method, route, status }) => `${method} ${route} ${status}`)).toEqual([
      'POST /login 200',
      'POST /refresh 200',
      'DELETE /sessions/:id 404',
    ])
    expect(notes.map(({ events }) => events)).toEqual([['session.created'], ['session.rotated'], []])
    expect((await other.notes()).map(({ route }) => route)).toEqual(['/login'])
    const later = await one.send('GET', `/demo/timeline?after=${notes[1]?.id}`)
    expect((await later.json()) as unknown).toMatchObject({ notes: [{ route: '/sessions/:id' }] })
    expect(await new Visitor(demo.app).notes()).toEqual([])
  })

  test('makes nobody known who says so', async () => {
    const visitor = new Visitor(demo.app)
    visitor.jar['__Host-demo_browser'] = 'made-up'
    await visitor.send('GET', '/protected')
    expect(await visitor.notes()).toEqual([])
    expect(visitor.jar['__Host-demo_browser']).not.toBe('made-up')
  })

  test.each([
    ['nobody', {}, { cookie: '' }, 401],
    ['a page without the CSRF value', {}, { 'x-csrf-token': '' }, 401],
    ['no attack', {}, {}, 422],
    ['an unknown attack', { attack: 'other', originCheck: true }, {}, 422],
    ['one from elsewhere', { attack: 'form', from: 'https://evil.example', originCheck: true }, {}, 422],
    ['too much', { attack: 'x'.repeat(2000), originCheck: true }, {}, 413],
  ])('starts no attack for %s', async (_, body, headers, status) => {
    const visitor = await signedIn(demo.app)
    expect((await visitor.send('POST', '/demo/attacks', body, headers)).status).toBe(status)
  })

  test.each(['mallory', '', 'undefined'])(
    'lets nobody in as mallory with the password %j',
    async (password) => {
      const response = await new Visitor(demo.app).send('POST', '/login', { username: 'mallory', password })
      expect(response.status).toBe(401)
    },
  )

  describe.each([true, false])(
    'with the origin check %s, an attack from the attacker’s own machine',
    (originCheck) => {
      test.each([
        ['replay', '/refresh', 'refresh_reused', null, 'Not replaced, not revoked'],
        ['unsigned', '/transfer', 'token_invalid', 'alg_forbidden', 'Signature'],
        ['tampered', '/transfer', 'token_invalid', 'signature_invalid', 'Signature'],
        ['foreign-csrf', '/transfer', 'csrf_mismatch', null, 'Both halves match'],
      ])('%s ends at %s in %s (%s)', async (attack, route, code, reason, failing) => {
        const visitor = await signedIn(demo.app)
        const response = await visitor.send('POST', '/demo/attacks', { attack, originCheck })
        const { run, sent } = (await response.json()) as { run: string; sent: string[] }
        const note = (await visitor.notes()).find((one) => one.run === run)
        expect(note).toMatchObject({ route, code, reason, status: 401 })
        expect(note?.checks.filter(({ state }) => state === 'failed')).toEqual([
          { name: failing, state: 'failed' },
        ])
        expect(note?.checks.find(({ name }) => name === 'Origin')?.state).toBe(
          originCheck ? 'passed' : 'not asked',
        )
        expectNoSecret(sent.join(), visitor)
        expect((await visitor.send('POST', '/transfer')).status).toBe(200)
        const { sessions } = (await (await visitor.send('GET', '/sessions')).json()) as {
          sessions: unknown[]
        }
        expect(JSON.stringify(sessions)).not.toContain('Attacker')
      })
    },
  )

  test('keeps nothing of a request that is long or made up', async () => {
    const visitor = await signedIn(demo.app)
    const long = 'x'.repeat(4000)
    await visitor.send('POST', `/transfer?run=${long}`, undefined, {
      origin: `https://${long}`,
      cookie: `${cookieHeader(visitor.jar)}${'; access_token_cookie=x'.repeat(200)}`,
    })
    const note = (await visitor.notes()).at(-1)
    expect(note).toMatchObject({ route: '/transfer', run: null })
    expect(note?.origin).toMatch(/^https:\/\/x{200,300}$/)
    expect(JSON.stringify(note).length).toBeLessThan(2500)
  })

  test('an attack succeeds where its defence is off', async () => {
    const bare = createDevelopmentDemo({ cookieCsrfProtect: false })
    const visitor = await signedIn(bare.app)
    await visitor.send('POST', '/demo/attacks', { attack: 'foreign-csrf', originCheck: true })
    expect((await visitor.notes()).at(-1)).toMatchObject({ route: '/transfer', status: 200 })
    for (const attack of ['replay', 'unsigned', 'tampered']) {
      const response = await visitor.send('POST', '/demo/attacks', { attack, originCheck: true })
      // There is no such value here.
      expect(await response.text(), attack).not.toContain('CSRF')
    }
    await bare.close()
  })
})

function expectNoSecret(text: string, { jar }: Visitor): void {
  for (const value of Object.values(jar)) {
    expect(text).not.toContain(value)
    for (const part of value.split('.').slice(1)) expect(text).not.toContain(part)
  }
}
