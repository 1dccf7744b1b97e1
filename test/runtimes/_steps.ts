/** What must hold of the app on every runtime, as steps over HTTP; each begins with nobody signed in. */

import { deepEqual, equal, match, notEqual, ok } from 'node:assert/strict'
import { graceSeconds } from './_app.ts'

export interface Step {
  readonly title: string
  readonly run: (origin: string) => Promise<void>
}

/** Somebody with cookies of their own, before one of the two `Auth`s. */
class Visitor {
  readonly #base: string
  readonly cookies: Record<string, string>

  constructor(base: string, cookies: Readonly<Record<string, string>> = {}) {
    this.#base = base
    this.cookies = { ...cookies }
  }

  /** Who has stolen all cookies of now. */
  copy(): Visitor {
    return new Visitor(this.#base, this.cookies)
  }

  async call(
    method: string,
    path: string,
    headers: Readonly<Record<string, string>> = {},
    body?: string,
  ): Promise<Response> {
    const cookie = Object.entries(this.cookies)
      .map(([name, value]) => `${name}=${value}`)
      .join('; ')
    const sent = cookie === '' ? headers : { cookie, ...headers }
    const init = { method, headers: sent, ...(body !== undefined && { body }) }
    const response = await fetch(`${this.#base}/${path}`, init)
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (/; Max-Age=0(?:;|$)/.test(line)) delete this.cookies[name]
      else this.cookies[name] = value
    }
    return response
  }

  csrf(type: 'access' | 'refresh' = 'access'): { readonly 'x-csrf-token': string } {
    return { 'x-csrf-token': this.cookies[`csrf_${type}_token`] ?? '' }
  }

  async signIn(user = 'test'): Promise<this> {
    await expectAnswer(this.call('POST', `login?user=${encodeURIComponent(user)}`), { msg: 'in' })
    return this
  }

  refresh(): Promise<Response> {
    return this.call('POST', 'refresh', this.csrf('refresh'))
  }
}

async function expectAnswer(response: Promise<Response>, body: unknown): Promise<Response> {
  const answer = await response
  deepEqual([answer.status, await answer.json()], [200, body])
  return answer
}

async function expectRefusal(response: Promise<Response>, status: number, code: string): Promise<Response> {
  const answer = await response
  const body = (await answer.json()) as { readonly code?: unknown }
  deepEqual([answer.status, body.code], [status, code])
  equal(answer.headers.get('content-type'), 'application/problem+json')
  if (status === 401) match(answer.headers.get('www-authenticate') ?? '', /^Bearer/)
  return answer
}

const names = ['access_token_cookie', 'csrf_access_token', 'csrf_refresh_token', 'refresh_token_cookie']
const signedIn = { user: 'test' }
const form = { 'content-type': 'application/x-www-form-urlencoded' }

/** True of tokens alone, and of sessions too. */
function commonSteps(name: 'plain' | 'stored'): readonly Step[] {
  const step = (title: string, run: (visit: () => Visitor) => Promise<void>): Step => ({
    title: `${title} (${name})`,
    run: (origin) => run(() => new Visitor(`${origin}/${name}`)),
  })
  return [
    step('a sign-in sets four cookies, two of them for the server alone', async (visit) => {
      const visitor = visit()
      const response = await visitor.call('POST', 'login')
      const lines = response.headers.getSetCookie()
      equal(lines.length, 4)
      ok(lines.every((line) => line.includes('; Secure; SameSite=')))
      deepEqual(Object.keys(visitor.cookies).toSorted(), names)
      equal(lines.filter((line) => line.includes('; HttpOnly')).length, 2)
      equal(response.headers.get('cache-control'), 'no-store')
    }),
    step('a guard takes the cookie, and nobody without one', async (visit) => {
      const visitor = await visit().signIn()
      await expectAnswer(visitor.call('GET', 'protected'), signedIn)
      await expectAnswer(visitor.call('GET', 'fresh'), signedIn)
      await expectRefusal(visit().call('GET', 'protected'), 401, 'token_missing')
      await expectAnswer(visit().call('GET', 'optional'), { user: null })
    }),
    step('any subject comes back as it was', async (visit) => {
      for (const user of ['zoë', '🍋', ' a "b"; c=d', '\u{10FFFF}\u0001', 'x'.repeat(1000)]) {
        await expectAnswer((await visit().signIn(user)).call('GET', 'protected'), { user })
      }
    }),
    step('a request that changes something needs the CSRF value', async (visit) => {
      const visitor = await visit().signIn()
      await expectRefusal(visitor.call('POST', 'echo', {}, 'order'), 401, 'csrf_missing')
      const wrong = { 'x-csrf-token': crypto.randomUUID() }
      await expectRefusal(visitor.call('POST', 'echo', wrong, 'order'), 401, 'csrf_mismatch')
      await expectRefusal(
        visitor.call('POST', 'echo', visitor.csrf('refresh'), 'order'),
        401,
        'csrf_mismatch',
      )
      const taken = await visitor.call('POST', 'echo', visitor.csrf(), 'order')
      deepEqual([taken.status, await taken.text()], [200, 'order'])
    }),
    step('another site is refused, by its Origin and by Sec-Fetch-Site', async (visit) => {
      const visitor = await visit().signIn()
      const send = (headers: Record<string, string>): Promise<Response> =>
        visitor.call('POST', 'echo', { ...visitor.csrf(), ...headers }, 'order')
      await expectRefusal(send({ origin: 'https://evil.example' }), 403, 'origin_forbidden')
      await expectRefusal(send({ origin: 'null' }), 403, 'origin_forbidden')
      await expectRefusal(send({ 'sec-fetch-site': 'cross-site' }), 403, 'origin_forbidden')
      equal((await send({ 'sec-fetch-site': 'same-origin' })).status, 200)
    }),
    step('a request with the Origin of its own host passes', async (visit) => {
      const visitor = await visit().signIn()
      const { origin } = new URL((await visitor.call('GET', 'protected')).url)
      equal((await visitor.call('POST', 'echo', { ...visitor.csrf(), origin }, 'order')).status, 200)
    }),
    step('a changed token is refused', async (visit) => {
      const visitor = await visit().signIn()
      const token = visitor.cookies['access_token_cookie'] ?? ''
      const at = token.lastIndexOf('.') + 1
      visitor.cookies['access_token_cookie'] =
        token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1)
      await expectRefusal(visitor.call('GET', 'protected'), 401, 'token_invalid')
    }),
    step('two cookies of one name are refused and cleared', async (visit) => {
      const visitor = await visit().signIn()
      const cookie = `access_token_cookie=x; access_token_cookie=${visitor.cookies['access_token_cookie']}`
      const refused = await expectRefusal(
        visitor.call('GET', 'protected', { cookie }),
        401,
        'cookie_ambiguous',
      )
      ok(refused.headers.getSetCookie().some((line) => /^access_token_cookie=;.*Max-Age=0/.test(line)))
    }),
    step('a refresh gives a new access token, which is not fresh', async (visit) => {
      const visitor = await visit().signIn()
      const before = visitor.copy()
      await expectRefusal(visitor.call('POST', 'refresh'), 401, 'csrf_missing')
      await expectRefusal(visitor.call('POST', 'refresh', visitor.csrf('access')), 401, 'csrf_mismatch')
      await expectAnswer(visitor.refresh(), { msg: 'renewed' })
      notEqual(visitor.cookies['access_token_cookie'], before.cookies['access_token_cookie'])
      await expectAnswer(visitor.call('GET', 'protected'), signedIn)
      await expectRefusal(visitor.call('GET', 'fresh'), 401, 'fresh_token_required')
      await expectRefusal(visitor.call('POST', 'echo', before.csrf(), 'order'), 401, 'csrf_mismatch')
    }),
    step('a sign-out unsets all four cookies, and needs the CSRF value', async (visit) => {
      const visitor = await visit().signIn()
      await expectRefusal(visitor.call('DELETE', 'logout'), 401, 'csrf_missing')
      const response = await visitor.call('DELETE', 'logout', visitor.csrf())
      deepEqual(await response.json(), { revoked: name === 'stored' })
      equal(response.headers.getSetCookie().length, 4)
      deepEqual(visitor.cookies, {})
    }),
    step('a stream that a handler returns comes whole', async (visit) => {
      const response = await (await visit().signIn()).call('GET', 'raw')
      deepEqual([await response.text(), response.headers.get('x-raw')], ['test', 'yes'])
    }),
    step('many at once are never taken for one another', async (visit) => {
      const users = Array.from({ length: 40 }, (_, number) => `user ${number}`)
      const visitors = await Promise.all(users.map((user) => visit().signIn(user)))
      await Promise.all(
        visitors.flatMap((visitor, index) => [
          expectAnswer(visitor.call('GET', 'protected'), { user: users[index] }),
          visitor.refresh().then(({ status }) => equal(status, 200)),
        ]),
      )
    }),
  ]
}

const formSteps: readonly Step[] = [
  {
    title: 'the CSRF value is taken from a form, which the handler still reads',
    async run(origin) {
      const visitor = await new Visitor(`${origin}/plain`).signIn()
      const value = visitor.cookies['csrf_access_token'] ?? ''
      const body = `csrf_token=${value}&order=${'x'.repeat(20_000)}`
      const taken = await visitor.call('POST', 'echo', form, body)
      deepEqual([taken.status, await taken.text()], [200, body])
      await expectRefusal(visitor.call('POST', 'echo', form, 'csrf_token=wrong'), 401, 'csrf_mismatch')
      await expectRefusal(visitor.call('POST', 'echo', form, 'order=1'), 401, 'csrf_missing')
      const tooLong = `order=${'x'.repeat(200_000)}&csrf_token=${value}`
      await expectRefusal(visitor.call('POST', 'echo', form, tooLong), 401, 'csrf_missing')
    },
  },
]

function sessionStep(title: string, run: (visitor: Visitor, origin: string) => Promise<void>): Step {
  return { title, run: async (origin) => run(await new Visitor(`${origin}/stored`).signIn(), origin) }
}

const sessionSteps: readonly Step[] = [
  sessionStep('a refresh replaces the refresh token too', async (visitor) => {
    const before = visitor.copy()
    await expectAnswer(visitor.refresh(), { msg: 'renewed' })
    notEqual(visitor.cookies['refresh_token_cookie'], before.cookies['refresh_token_cookie'])
  }),
  sessionStep('tabs that race get the same new tokens', async (visitor) => {
    const tabs = Array.from({ length: 10 }, () => visitor.copy())
    for (const { status } of await Promise.all(tabs.map((tab) => tab.refresh()))) equal(status, 200)
    const csrfValues = new Set(tabs.map(({ cookies }) => cookies['csrf_refresh_token']))
    equal(csrfValues.size, 1)
    for (const tab of tabs) await expectAnswer(tab.call('GET', 'protected'), signedIn)
  }),
  sessionStep('a refresh token that was replaced twice ends its session', async (visitor) => {
    const thief = visitor.copy()
    await expectAnswer(visitor.refresh(), { msg: 'renewed' })
    await wait(graceSeconds + 0.2)
    await expectAnswer(visitor.refresh(), { msg: 'renewed' })
    const refused = await expectRefusal(thief.refresh(), 401, 'refresh_reused')
    equal(refused.headers.getSetCookie().length, 4)
    await expectRefusal(visitor.call('GET', 'protected'), 401, 'token_revoked')
    await expectRefusal(visitor.refresh(), 401, 'token_revoked')
  }),
  sessionStep('a sign-out revokes the tokens that somebody has copied', async (visitor) => {
    const thief = visitor.copy()
    await expectAnswer(thief.call('GET', 'protected'), signedIn)
    await expectAnswer(visitor.call('DELETE', 'logout', visitor.csrf()), { revoked: true })
    await expectRefusal(thief.call('GET', 'protected'), 401, 'token_revoked')
    await expectRefusal(thief.refresh(), 401, 'token_revoked')
  }),
  sessionStep(
    'a sign-out everywhere ends all sessions of one user, and none of another',
    async (_, origin) => {
      const visit = (): Visitor => new Visitor(`${origin}/stored`)
      const user = crypto.randomUUID()
      const [here, there, stranger] = [
        await visit().signIn(user),
        await visit().signIn(user),
        await visit().signIn(),
      ]
      const listed = (await (await here.call('GET', 'sessions')).json()) as readonly unknown[]
      equal(listed.length, 2)
      await expectAnswer(here.call('DELETE', 'logout?everywhere', here.csrf()), { revoked: true })
      await expectRefusal(there.call('GET', 'protected'), 401, 'token_revoked')
      await expectAnswer(stranger.call('GET', 'protected'), signedIn)
    },
  ),
  sessionStep('a guard still answers when its news of the store would be stale', async (visitor) => {
    await wait(1.3)
    await expectAnswer(visitor.call('GET', 'protected'), signedIn)
  }),
]

async function wait(seconds: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
}

export const steps: readonly Step[] = [
  // First, since some of them wait.
  ...sessionSteps,
  ...commonSteps('plain'),
  ...formSteps,
  ...commonSteps('stored'),
]
