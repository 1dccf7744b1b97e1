// What is special about Next.js: forms that post to actions, components that can set nothing, the refresh before pages.

import { request } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { nextAuth } from '../../src/adapters/next.ts'
import type { RunningApp } from '../../src/testing.ts'
import { setup } from '../_setup.ts'
import { startNext } from './_next.ts'

const names = ['access_token_cookie', 'csrf_access_token', 'csrf_refresh_token', 'refresh_token_cookie']
const navigation = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document', 'sec-fetch-site': 'none' }

/** What `fetch` does but follow redirects; that of Node lets nobody say what kind of request it is. */
async function ask(url: string, init: RequestInit): Promise<Response> {
  const sent = new Request(url, init)
  const headers = { ...Object.fromEntries(sent.headers), ...(init.headers as Record<string, string>) }
  const body = Buffer.from(await sent.arrayBuffer())
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const length = body.length === 0 ? {} : { 'content-length': String(body.length) }
    request(url, { method: sent.method, headers: { ...headers, ...length } }, resolve)
      .on('error', reject)
      .end(body)
  })
  const lines = Object.entries(answer.headersDistinct)
  return new Response(await text(answer), {
    status: answer.statusCode ?? 0,
    headers: lines.flatMap(([name, values = []]) => values.map((value): [string, string] => [name, value])),
  })
}

describe('nextAuth', () => {
  test.each([[null], [{ onUnauthenticated: '/login' }], [{ onUnauthorized: () => undefined }]])(
    'takes no %o for options',
    (options) => {
      expect(() => nextAuth(setup().auth, options as never)).toThrow(TypeError)
    },
  )

  test.each(['/site', new Request('https://app.example/')])('proxy() takes no %o', (given) => {
    expect(() => nextAuth(setup().auth).proxy(given as never)).toThrow(
      /takes a function; without one, write `export const proxy = auth\.proxy\(\)`/,
    )
  })

  test.each(['jwtRequired', 'authErrors'] as const)('%s wraps nothing but a function', (name) => {
    const auth = nextAuth(setup().auth)
    const wrap = name === 'authErrors' ? auth.authErrors : auth[name]()
    // As in `export const GET = jwtRequired()`, which Next calls with a request.
    for (const given of [new Request('https://app.example/'), undefined])
      expect(() => wrap(given as never)).toThrow(/wraps a function: .*\(handler\)/)
  })

  test('authorize(request) outside of proxy() is a TypeError, since nobody would set its cookies', () => {
    const { authorize } = nextAuth(setup().auth)
    expect(() => authorize(new Request('https://app.example/') as never)).toThrow(
      /functions that proxy\(\) wraps/,
    )
  })
})

describe('a live app', { timeout: 60_000 }, () => {
  let app: RunningApp

  beforeAll(async () => {
    app = await startNext('test/next')
  })
  afterAll(async () => app?.close())

  /** A visitor who keeps cookies, and sends the forms of pages as a browser does without scripts. */
  function visitor() {
    const jar = new Map<string, string>([['theme', 'light']])
    async function send(path: string, init: RequestInit = {}): Promise<Response> {
      const cookie = [...jar].map((pair) => pair.join('=')).join('; ')
      const headers = { cookie, ...(init.headers as Record<string, string>) }
      const response = await ask(app.origin + path, { ...init, headers })
      for (const line of response.headers.getSetCookie()) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
        if (/max-age=0|expires=thu, 01 jan 1970/i.test(line)) jar.delete(name)
        else jar.set(name, value)
      }
      return response
    }
    /** Opens a page, and sends the form of that id with these fields put in, or taken out. */
    async function submit(
      path: string,
      id: string,
      fields: Record<string, string | undefined>,
      headers = {},
    ): Promise<Response> {
      const html = await (await send(path)).text()
      const form = new RegExp(`<form[^>]*id="${id}"[^>]*>(.*?)</form>`, 's').exec(html)?.[1] ?? ''
      const body = new FormData()
      for (const [, input = ''] of form.matchAll(/<input([^>]*)>/g)) {
        const name = /name="([^"]*)"/.exec(input)?.[1]
        if (name !== undefined) body.set(name, /value="([^"]*)"/.exec(input)?.[1] ?? '')
      }
      for (const [name, value] of Object.entries(fields)) {
        if (value === undefined) body.delete(name)
        else body.set(name, value)
      }
      return send(path, { method: 'POST', body, headers: { origin: app.origin, ...headers } })
    }
    const textOf = async (path: string, init?: RequestInit) => headingOf(await send(path, init))
    return { jar, send, submit, textOf }
  }

  async function headingOf(response: Response): Promise<string> {
    return (/<h1>(.*?)<\/h1>/s.exec(await response.text())?.[1] ?? '').replaceAll('<!-- -->', '')
  }

  const cookieNames = (response: Response): string[] =>
    response.headers
      .getSetCookie()
      .map((line) => line.slice(0, line.indexOf('=')))
      .filter((name) => name !== 'theme')
      .toSorted()

  async function signedIn(name = 'ada') {
    const one = visitor()
    const response = await one.submit('/site/login', 'sign-in', { name })
    expect([response.status, response.headers.get('location')]).toEqual([303, '/site'])
    expect(cookieNames(response)).toEqual(names)
    return one
  }

  const tokenOf = ({ jar }: { readonly jar: ReadonlyMap<string, string> }): string =>
    jar.get('access_token_cookie') ?? ''
  const encoded = (token: string): string => token.replaceAll('.', '%2E')

  describe('a server action', () => {
    test('signs in and redirects, with all attributes of the cookies', async () => {
      const one = visitor()
      const response = await one.submit('/site/login', 'sign-in', { name: 'ada' })
      const line = response.headers.getSetCookie().find((text) => text.startsWith('access_token_cookie='))
      expect(line).toMatch(
        /^access_token_cookie=[\w.-]+; Path=\/; Expires=[^;]+; Max-Age=900; Secure; HttpOnly; SameSite=lax$/,
      )
      expect(response.headers.get('cache-control')).toMatch(/no-store/)
      expect(await one.textOf('/site')).toBe('Hello ada')
    })

    test('is refused a sign-in that another site has sent', async () => {
      const one = visitor()
      const response = await one.submit(
        '/site/login',
        'sign-in',
        { name: 'ada' },
        { 'sec-fetch-site': 'cross-site' },
      )
      expect(response.headers.get('location')).toBe('/site/login?code=origin_forbidden')
      expect(cookieNames(response)).toEqual([])
    })

    test.each([
      ['with the value of the page', {}, '/site/public?by=ada&name=x'],
      ['without a value', { csrf_token: undefined }, '/site/login?code=csrf_missing'],
      ['with an empty value', { csrf_token: '' }, '/site/login?code=csrf_missing'],
      ['with another value', { csrf_token: crypto.randomUUID() }, '/site/login?code=csrf_mismatch'],
    ])('that is guarded, called %s', async (_name, fields, location) => {
      const one = await signedIn()
      const response = await one.submit('/site', 'rename', { name: 'x', ...fields })
      expect(response.headers.get('location')).toBe(location)
    })

    test('that is guarded is refused a good value from another site', async () => {
      const one = await signedIn()
      const response = await one.submit('/site', 'rename', { name: 'x' }, { 'sec-fetch-site': 'same-site' })
      expect(response.headers.get('location')).toBe('/site/login?code=origin_forbidden')
    })

    test('signs out with the value of the page, and not without', async () => {
      const one = await signedIn()
      const refused = await one.submit('/site', 'sign-out', { csrf_token: undefined })
      expect(refused.headers.get('location')).toBe('/site/login?code=csrf_missing')
      expect(cookieNames(refused)).toEqual([])
      const response = await one.submit('/site', 'sign-out', {})
      expect(response.headers.get('location')).toBe('/site/public')
      expect([...one.jar.keys()]).toEqual(['theme'])
    })

    test('shows its new sign-in to the page that is rendered with its answer, and its sign-out too', async () => {
      const one = await signedIn()
      const changed = await one.submit('/site/public', 'change', { to: 'bob' })
      expect([changed.status, await headingOf(changed)]).toEqual([200, 'bob true'])
      const left = await one.submit('/site/public', 'change', { to: '' })
      expect([left.status, await headingOf(left)]).toEqual([200, 'nobody true'])
    })

    test('that nothing wraps is told so', async () => {
      const response = await visitor().submit('/site/public', 'bare', {})
      expect(decodeURIComponent(response.headers.get('location') ?? '')).toMatch(
        /reason=TypeError: authorize\(\) knows too little of this request: wrap the route handler or server action/,
      )
    })
  })

  describe('a component', () => {
    test('that is guarded sends nobody to onUnauthenticated', async () => {
      const response = await visitor().send('/site')
      expect([response.status, response.headers.get('location')]).toEqual([
        307,
        '/site/login?code=token_missing',
      ])
    })

    test('that calls a guard by hand does too', async () => {
      const response = await visitor().send('/site/mistake?guard')
      expect(await response.text()).toContain('/site/login?code=token_missing')
    })

    test('reads who it is without a CSRF value, and gets one object for the whole render', async () => {
      const one = await signedIn()
      expect(await one.textOf('/site/public')).toBe('ada true')
      expect(await visitor().textOf('/site/public')).toBe('nobody true')
    })

    test.each([
      ['planted before it', (planted: string, own: string) => [planted, own]],
      ['planted after it', (planted: string, own: string) => [own, planted]],
      ['planted after it, percent-encoded', (planted: string, own: string) => [own, encoded(planted)]],
      [
        'planted before it, itself percent-encoded',
        (planted: string, own: string) => [planted, encoded(own)],
      ],
    ])('sees two cookies of one name, which Next makes one of: another %s', async (_name, arrange) => {
      const own = tokenOf(await signedIn('ada'))
      const planted = tokenOf(await signedIn('eve'))
      const cookie = arrange(planted, own)
        .map((token) => `access_token_cookie=${token}`)
        .join('; ')
      const response = await visitor().send('/site', { headers: { cookie } })
      expect(response.headers.get('location')).toBe('/site/login?code=cookie_ambiguous')
    })

    test('takes a percent-encoded token for none, as all others do', async () => {
      const cookie = `access_token_cookie=${encoded(tokenOf(await signedIn()))}`
      const response = await visitor().send('/site', { headers: { cookie } })
      expect(response.headers.get('location')).toBe('/site/login?code=token_invalid')
    })

    test('that sets cookies is a TypeError which says where that works', async () => {
      const one = await signedIn()
      const html = await (await one.send('/site/mistake')).text()
      const told = [...html.matchAll(/<li>(\w+): (.*?)<\/li>/g)].map(([, name, reason]) => [name, reason])
      const reason = expect.stringMatching(
        /^TypeError: A server component sets no cookies: call login\(\), .* route handler/,
      )
      expect(told).toEqual(['login', 'refresh', 'logout', 'unsetJwtCookies'].map((name) => [name, reason]))
    })
  })

  describe('a route handler', () => {
    test('keeps its cookies on a redirect that it throws', async () => {
      const one = visitor()
      const response = await one.send('/site/enter', { method: 'POST' })
      expect([response.status, response.headers.get('location')]).toEqual([307, '/site'])
      expect(cookieNames(response)).toEqual(names)
      expect(await one.textOf('/site')).toBe('Hello ada')
    })

    test('that nothing wraps is told so', async () => {
      expect(await (await visitor().send('/site/enter')).text()).toMatch(
        /^TypeError: authorize\(\) knows too little/,
      )
    })
  })

  describe('the proxy', () => {
    /** Who has a refresh token left, as a browser has when the access cookie has reached its end. */
    async function lapsed() {
      const one = await signedIn()
      one.jar.delete('access_token_cookie')
      one.jar.delete('csrf_access_token')
      return one
    }

    test.each(['/site', '/site?proxy=own'])(
      'refreshes before %s, and the same render sees it',
      async (path) => {
        const one = await lapsed()
        const response = await one.send(path, { headers: navigation })
        expect([response.status, await headingOf(response)]).toEqual([200, 'Hello ada'])
        expect(cookieNames(response)).toEqual(['access_token_cookie', 'csrf_access_token'])
        expect(response.headers.get('cache-control')).toMatch(/no-store/)
        expect(one.jar.get('theme')).toBe('dark')
        expect(await one.textOf('/site')).toBe('Hello ada')
      },
    )

    test('forbids caches to keep a static page that carries cookies', async () => {
      const one = await lapsed()
      const response = await one.send('/site/static', { headers: navigation })
      expect(cookieNames(response)).toEqual(['access_token_cookie', 'csrf_access_token'])
      expect(response.headers.get('cache-control')).toBe('no-store')
    })

    test.each([
      ['a prefetch of the browser', { ...navigation, 'sec-purpose': 'prefetch;prerender' }],
      ['an older prefetch', { ...navigation, purpose: 'prefetch' }],
      ['a prefetch of the router', { ...navigation, 'next-router-prefetch': '1', 'sec-fetch-mode': 'cors' }],
      ['a frame', { ...navigation, 'sec-fetch-dest': 'iframe' }],
      ['a fetch', { 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty', 'sec-fetch-site': 'same-origin' }],
      ['a request without fetch metadata', {}],
    ])('does not refresh before %s', async (_name, headers) => {
      const response = await (await lapsed()).send('/site', { headers })
      expect([cookieNames(response), response.headers.get('location')]).toEqual([
        [],
        '/site/login?code=token_missing',
      ])
    })

    test('lets the router navigate to the document where a refresh is due', async () => {
      const headers = {
        rsc: '1',
        'next-url': '/site/public',
        'sec-fetch-dest': 'empty',
        'sec-fetch-mode': 'cors',
      }
      const due = await (await lapsed()).send('/site', { headers })
      expect([due.status, due.headers.get('content-type')]).toEqual([401, 'application/problem+json'])
      for (const one of [await signedIn(), visitor()]) {
        const answered = await one.send('/site/public', { headers })
        // Next sends the router to an address that tells its requests from those for documents.
        expect([answered.status, answered.headers.get('location')]).toEqual([
          307,
          expect.stringContaining('_rsc='),
        ])
      }
    })

    test('refreshes nothing that is good, nor for nobody, nor a forged token', async () => {
      const one = await signedIn()
      expect(cookieNames(await one.send('/site', { headers: navigation }))).toEqual([])
      const nobody = visitor()
      expect(cookieNames(await nobody.send('/site', { headers: navigation }))).toEqual([])
      nobody.jar.set('refresh_token_cookie', 'a.b.c')
      const forged = await nobody.send('/site', { headers: navigation })
      expect([cookieNames(forged), forged.headers.get('location')]).toEqual([
        [],
        '/site/login?code=token_missing',
      ])
    })

    test('answers with cookies of its own, and refuses as handlers do', async () => {
      const one = await signedIn()
      const refused = await one.send('/site?proxy=out', { method: 'POST' })
      expect([refused.status, refused.headers.get('content-type')]).toEqual([401, 'application/problem+json'])
      const headers = { 'x-csrf-token': one.jar.get('csrf_access_token') ?? '' }
      const response = await one.send('/site?proxy=out', { method: 'POST', headers })
      expect([response.status, cookieNames(response)]).toEqual([307, names])
      expect([...one.jar.keys()]).toEqual(['theme'])
    })
  })
})
