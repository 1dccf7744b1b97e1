// The browser client in a real browser: CSRF values, one refresh for all, tabs that know of each other, accidents.

import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type * as Client from '../src/client.ts'
import type { AuthFetch, AuthFetchOptions } from '../src/client.ts'
import { isChromiumThere, launchChromium } from './browser/chromium.ts'
import { openClientSite } from './browser/client-site.ts'
import type { Accident, ClientSite } from './browser/client-site.ts'

type PageOptions = Omit<AuthFetchOptions, 'fetch' | 'onSignedOut'>

declare global {
  interface Window {
    client: typeof Client
    authFetch: AuthFetch
    /** What the page was told. */
    told: string[]
  }
}

const minutes = 60

describe.runIf(isChromiumThere)('the browser client', { timeout: 60_000 }, () => {
  let browser: Browser
  const contexts: BrowserContext[] = []
  const sites: ClientSite[] = []

  beforeAll(async () => {
    browser = await launchChromium()
  })
  afterEach(async () => {
    await Promise.all(contexts.splice(0).map((context) => context.close()))
    await Promise.all(sites.splice(0).map((site) => site.close()))
  })
  afterAll(async () => browser?.close())

  async function openSite(...parameters: Parameters<typeof openClientSite>): Promise<ClientSite> {
    const site = await openClientSite(...parameters)
    sites.push(site)
    return site
  }

  async function openContext(hasLocks = true): Promise<BrowserContext> {
    const context = await browser.newContext()
    context.setDefaultTimeout(10_000)
    contexts.push(context)
    if (!hasLocks) {
      await context.addInitScript(() =>
        Object.defineProperty(Navigator.prototype, 'locks', { get: () => undefined }),
      )
    }
    return context
  }

  /** A page with the client, as an application would make it. */
  async function openPage(
    context: BrowserContext,
    site: ClientSite,
    options: PageOptions = {},
  ): Promise<Page> {
    const page = await context.newPage()
    await page.goto(`${site.at('localhost')}/page`)
    await start(page, options)
    return page
  }

  async function start(page: Page, options: PageOptions = {}): Promise<void> {
    await page.waitForFunction(() => window.client !== undefined)
    await page.evaluate((options) => {
      window.told = []
      window.authFetch = window.client.createAuthFetch({
        ...options,
        onSignedOut: () => window.told.push('signed out'),
      })
      window.authFetch.subscribe(() => window.told.push(`signed in: ${window.authFetch.signedIn}`))
    }, options)
  }

  /** Sends a request; gives its status and its text. */
  async function send(page: Page, path: string, init: RequestInit = {}): Promise<string> {
    return page.evaluate(
      async ([path, init]) => {
        const response = await window.authFetch(path, init)
        return `${response.status} ${await response.text()}`
      },
      [path, init] as const,
    )
  }

  const login = (page: Page, username = 'ada'): Promise<string> =>
    send(page, '/login', { method: 'POST', body: JSON.stringify({ username }) })

  async function signedIn(
    options: { readonly hasLocks?: boolean; readonly page?: PageOptions } = {},
  ): Promise<{ readonly site: ClientSite; readonly context: BrowserContext; readonly page: Page }> {
    const site = await openSite()
    const context = await openContext(options.hasLocks)
    const page = await openPage(context, site, options.page)
    expect(await login(page)).toBe('200 {}')
    return { site, context, page }
  }

  const csrfOf = (page: Page): Promise<string | undefined> =>
    page.evaluate(() => /csrf_access_token=([^;]*)/.exec(document.cookie)?.[1])
  const told = (page: Page): Promise<readonly string[]> => page.evaluate(() => window.told)
  const isSignedIn = (page: Page): Promise<boolean> => page.evaluate(() => window.authFetch.signedIn)
  const who = '200 {"user":"ada"}'

  describe('the CSRF value', () => {
    test('goes with every method that the server checks, and with no other', async () => {
      const { site, page } = await signedIn()
      expect(await send(page, '/echo', { method: 'POST', body: 'text' })).toBe('200 text')
      const csrf = await csrfOf(page)
      expect(site.headers.get('/echo')?.get('x-csrf-token')).toBe(csrf)
      expect(await send(page, '/who')).toBe(who)
      expect(site.headers.get('/who')?.has('x-csrf-token')).toBe(false)
    })

    test('is the one of the refresh token for the refresh', async () => {
      const { site, page } = await signedIn()
      expect(await send(page, '/refresh', { method: 'POST' })).toBe('200 {}')
      expect(site.count('POST /refresh 200')).toBe(1)
    })

    test('never goes to an origin that was not listed, and neither do cookies', async () => {
      const { page } = await signedIn()
      const other = await openSite({}, [new URL(page.url()).origin])
      const url = `${other.at('localhost')}/public`
      expect(await send(page, url, { method: 'POST' }).catch(String)).toMatch(/^404 /)
      expect(other.headers.get('/public')?.has('x-csrf-token')).toBe(false)
      expect(other.headers.get('/public')?.has('cookie')).toBe(false)
    })

    test('goes to a listed origin together with the cookies', async () => {
      const site = await openSite()
      const api = await openSite({}, [site.at('localhost')])
      const context = await openContext()
      const origin = api.at('localhost')
      const page = await openPage(context, site, { origins: [origin], refreshUrl: `${origin}/refresh` })
      const body = JSON.stringify({ username: 'ada' })
      expect(await send(page, `${origin}/login`, { method: 'POST', body })).toBe('200 {}')
      expect(await send(page, `${origin}/echo`, { method: 'POST', body: 'text' })).toBe('200 text')
      api.pass(20 * minutes)
      expect(await send(page, `${origin}/echo`, { method: 'POST', body: 'text' })).toBe('200 text')
      expect(api.count('POST /refresh 200')).toBe(1)
      expect(site.answers).toEqual([])
    })

    test.each(['https://api.example.com/', 'https://api.example.com/v1', 'api.example.com', '*'])(
      'has no origin %s to go to',
      async (origin) => {
        const page = await openPage(await openContext(), await openSite())
        const create = (given: string): string => {
          try {
            window.client.createAuthFetch({ origins: [given] })
            return 'taken'
          } catch (error) {
            return String(error)
          }
        }
        expect(await page.evaluate(create, origin)).toBe(
          `TypeError: origins takes origins like https://api.example.com, not '${origin}'`,
        )
        expect(await page.evaluate(create, 'https://api.example.com')).toBe('taken')
      },
    )

    test('stays away where the caller leaves the cookies away', async () => {
      const { site, page } = await signedIn()
      const init = { method: 'POST', credentials: 'omit', body: 'text' } as const
      expect(await send(page, '/echo', init)).toMatch(/^401 .*token_missing/)
      expect(site.headers.get('/echo')?.has('x-csrf-token')).toBe(false)
      expect(site.count('POST /refresh 200')).toBe(0)
    })

    test('is read again when another tab has changed it since, and the request sent once more', async () => {
      const { site, context, page } = await signedIn()
      const other = await openPage(context, site)
      site.plan('/echo', { kind: 'slow', seconds: 0.5 })
      const late = page.evaluate(async () => {
        // The page has read the cookie; until the request arrives, the cookies are those of the next token.
        const response = await window.authFetch('/echo', { method: 'POST', body: 'text' })
        return response.status
      })
      await other.evaluate(() => window.authFetch.refresh())
      expect(await late).toBe(200)
    })

    test('that does not fit and has not changed is refused once', async () => {
      const { site, page } = await signedIn()
      await page.evaluate(() => {
        document.cookie = 'csrf_access_token=wrong; path=/'
      })
      expect(await send(page, '/echo', { method: 'POST', body: 'text' })).toMatch(/^401 .*csrf_mismatch/)
      expect(site.count('POST /echo 401')).toBe(1)
    })
  })

  describe('an access token that has ended', () => {
    test('is renewed after the refusal, and the request sent again with its body', async () => {
      const { site, page } = await signedIn()
      site.pass(20 * minutes)
      expect(await send(page, '/echo', { method: 'POST', body: 'text' })).toBe('200 text')
      expect(site.answers.slice(1)).toEqual(['POST /echo 401', 'POST /refresh 200', 'POST /echo 200'])
    })

    test('is renewed before the request when the browser has dropped its cookies', async () => {
      const { site, context, page } = await signedIn()
      await context.clearCookies({ name: /access/ })
      expect(await send(page, '/who')).toBe(who)
      expect(site.answers.slice(1)).toEqual(['POST /refresh 200', 'GET /who 200'])
    })

    test.each([
      ['with', true],
      ['without', false],
    ])('is renewed once for all requests of a page, %s Web Locks', async (_with, hasLocks) => {
      const { site, page } = await signedIn({ hasLocks })
      site.pass(20 * minutes)
      const statuses = await page.evaluate(async () =>
        Promise.all(Array.from({ length: 20 }, async () => (await window.authFetch('/who')).status)),
      )
      expect(statuses).toEqual(Array.from({ length: 20 }, () => 200))
      expect(site.count('POST /refresh 200')).toBe(1)
    })

    describe.each([2, 5])('in %d tabs at once', (count) => {
      /** Whether the server refuses it, or the browser has dropped its cookies by itself. */
      const ends = ['refused', 'dropped'] as const

      async function openTabs(hasLocks: boolean): Promise<{
        readonly site: ClientSite
        readonly tabs: readonly Page[]
        end(how: (typeof ends)[number]): Promise<void>
      }> {
        const { site, context, page } = await signedIn({ hasLocks })
        const others = Array.from({ length: count - 1 }, () => openPage(context, site))
        return {
          site,
          tabs: [page, ...(await Promise.all(others))],
          async end(how) {
            if (how === 'refused') site.pass(20 * minutes)
            else await context.clearCookies({ name: /access/ })
          },
        }
      }

      async function expectAll(tabs: readonly Page[], method = 'GET'): Promise<void> {
        const init = method === 'GET' ? {} : { method, body: 'text' }
        const answers = await Promise.all(
          tabs.map((tab) => send(tab, method === 'GET' ? '/who' : '/echo', init)),
        )
        expect(answers).toEqual(answers.map(() => (method === 'GET' ? who : '200 text')))
      }

      async function expectNobodyOut(tabs: readonly Page[]): Promise<void> {
        for (const tab of tabs) {
          expect(await told(tab)).not.toContain('signed out')
          expect(await isSignedIn(tab)).toBe(true)
        }
      }

      // Chromium can show the cookies of an answer to another tab a moment late; that tab then asks once more, and gets the same.
      test.each(ends)('is renewed once with Web Locks: %s', { retry: 3 }, async (how) => {
        const { site, tabs, end } = await openTabs(true)
        await end(how)
        await expectAll(tabs)
        expect(site.count('POST /refresh 200')).toBe(1)
        await end(how)
        await expectAll(tabs, 'POST')
        expect(site.count('POST /refresh 200')).toBe(2)
        await expectNobodyOut(tabs)
      })

      test.each(ends)('signs nobody out without Web Locks: %s', async (how) => {
        const { site, tabs, end } = await openTabs(false)
        for (const method of ['GET', 'POST', 'GET']) {
          await end(how)
          await expectAll(tabs, method)
        }
        // A tab can read the CSRF value just before another's answer changes the cookie that goes with it: the client tries again.
        expect(site.count('POST /refresh 200')).toBeGreaterThanOrEqual(3)
        await expectNobodyOut(tabs)
      })

      test.each([
        ['with', true],
        ['without', false],
      ])('is renewed %s Web Locks by a refresh that is lost, fails or is slow', async (_with, hasLocks) => {
        const { site, tabs, end } = await openTabs(hasLocks)
        const accidents: readonly Accident[] = [
          { kind: 'lost' },
          { kind: 'status', status: 503 },
          { kind: 'slow', seconds: 1 },
        ]
        for (const accident of accidents) {
          await end('refused')
          site.plan('/refresh', accident)
          await expectAll(tabs)
        }
        // The lost one has reached the server, too.
        if (hasLocks) expect(site.count('POST /refresh 200')).toBe(4)
        expect(site.count('POST /refresh 503')).toBe(1)
        if (hasLocks) expect(site.count('POST /refresh 401')).toBe(0)
        await expectNobodyOut(tabs)
      })
    })

    test.each(['string', 'Blob', 'Uint8Array', 'URLSearchParams', 'FormData'] as const)(
      'is renewed for a body that is a %s',
      async (kind) => {
        const { site, page } = await signedIn()
        site.pass(20 * minutes)
        const text = await page.evaluate(async (kind) => {
          const form = new FormData()
          form.append('text', '')
          const bodies = {
            string: 'text',
            Blob: new Blob(['text']),
            Uint8Array: new TextEncoder().encode('text'),
            URLSearchParams: new URLSearchParams('text'),
            FormData: form,
          }
          return (await window.authFetch('/echo', { method: 'POST', body: bodies[kind] })).text()
        }, kind)
        expect(text).toContain('text')
        expect(site.count('POST /echo 200')).toBe(1)
      },
    )

    test('is renewed for a Request with a body', async () => {
      const { site, page } = await signedIn()
      site.pass(20 * minutes)
      const text = await page.evaluate(async () => {
        const request = new Request('/echo', { method: 'POST', body: 'text' })
        return (await window.authFetch(request)).text()
      })
      expect(text).toBe('text')
    })

    test('is left as it is for a body that is a stream, which cannot be sent twice', async () => {
      const { page } = await signedIn()
      const sent = await page.evaluate(async () => {
        // Chromium sends streams over HTTP/2 only, so that nothing is sent here.
        const sent: string[] = []
        const authFetch = window.client.createAuthFetch({
          fetch: async (input) => {
            sent.push(input instanceof Request ? input.method : 'refresh')
            const headers = { 'content-type': 'application/problem+json' }
            return new Response('{"code":"token_expired"}', { status: 401, headers })
          },
        })
        const body = new Blob(['text']).stream()
        const init: RequestInit & { readonly duplex: 'half' } = { method: 'PUT', body, duplex: 'half' }
        await authFetch('/echo', init)
        await authFetch('/echo', { method: 'POST', body: 'text' })
        return sent
      })
      expect(sent).toEqual(['PUT', 'POST', 'refresh'])
    })

    test('leaves requests alone that need none', async () => {
      const { site, page } = await signedIn()
      site.pass(20 * minutes)
      expect(await send(page, '/public')).toBe('200 for all')
      expect(site.count('POST /refresh 200')).toBe(0)
    })
  })

  describe('a refresh', () => {
    test('that gets no answer in time is sent again, and both are one', async () => {
      const { site, page } = await signedIn({ page: { refreshTimeout: 0.3 } })
      site.pass(20 * minutes)
      site.plan('/refresh', { kind: 'slow', seconds: 1 })
      expect(await send(page, '/who')).toBe(who)
      await expect.poll(() => site.count('POST /refresh 200')).toBe(2)
      expect(await send(page, '/who')).toBe(who)
      expect(await isSignedIn(page)).toBe(true)
    })

    test('whose answer breaks off is sent again', async () => {
      const { site, page } = await signedIn()
      site.pass(20 * minutes)
      site.plan('/refresh', { kind: 'lost' })
      expect(await send(page, '/who')).toBe(who)
      expect(site.count('POST /refresh 200')).toBe(2)
    })

    test('that is answered 503 is sent again after what the server asks for', async () => {
      const { site, page } = await signedIn()
      site.pass(20 * minutes)
      site.plan('/refresh', { kind: 'status', status: 503 })
      expect(await send(page, '/who')).toBe(who)
      expect(site.answers.slice(1)).toEqual([
        'GET /who 401',
        'POST /refresh 503',
        'POST /refresh 200',
        'GET /who 200',
      ])
    })

    test('that is answered 503 for good is what the request ends in, and signs nobody out', async () => {
      const { site, page } = await signedIn()
      site.pass(20 * minutes)
      const away = { kind: 'status', status: 503 } as const
      site.plan('/refresh', away, away, away)
      expect(await send(page, '/who')).toMatch(/^503/)
      expect(await told(page)).not.toContain('signed out')
      expect(await send(page, '/who')).toBe(who)
    })

    test('that never gets an answer fails like any request without a network', async () => {
      const { site, context, page } = await signedIn()
      await context.clearCookies({ name: /access/ })
      await context.route('**/refresh', (route) => route.abort())
      expect(await send(page, '/who').catch(String)).toMatch('Failed to fetch')
      expect(await told(page)).not.toContain('signed out')
      await context.unroute('**/refresh')
      expect(await send(page, '/who')).toBe(who)
      expect(site.count('POST /refresh 200')).toBe(1)
    })

    test('is not sent again when the grace is over, as it would pass for theft', async () => {
      const { site, page } = await signedIn({ page: { refreshTimeout: 0.3, rotationGrace: 1 } })
      site.pass(20 * minutes)
      site.plan('/refresh', { kind: 'slow', seconds: 1 })
      expect(await send(page, '/who').catch(String)).toMatch(/TimeoutError|timed out/)
      await expect.poll(() => site.count('POST /refresh 200'), { timeout: 5000 }).toBe(1)
    })

    test('goes on when the page is left, and the next page has its tokens', async () => {
      const { site, page } = await signedIn()
      site.pass(20 * minutes)
      site.plan('/refresh', { kind: 'slow', seconds: 0.5 })
      const before = await csrfOf(page)
      await page.evaluate(() => void window.authFetch('/who').catch(() => undefined))
      await expect.poll(() => site.headers.has('/refresh')).toBe(true)
      await page.reload()
      await start(page)
      await expect.poll(() => csrfOf(page), { timeout: 10_000 }).not.toBe(before)
      expect(await send(page, '/who')).toBe(who)
      expect(site.count('POST /refresh 200')).toBe(1)
    })

    test.each([
      ['with', true],
      ['without', false],
    ])(
      'under way while the page is reloaded costs nobody the sign-in, %s Web Locks',
      async (_with, hasLocks) => {
        const { site, context, page } = await signedIn({ hasLocks })
        const other = await openPage(context, site)
        for (const kind of ['slow', 'lost'] as const) {
          site.pass(20 * minutes)
          site.plan('/refresh', kind === 'slow' ? { kind, seconds: 0.5 } : { kind })
          await page.evaluate(() => void window.authFetch('/who').catch(() => undefined))
          await page.reload()
          await start(page)
          // Neither the new page nor the other tab waits for what the old one has begun.
          expect(await Promise.all([send(page, '/who'), send(other, '/who')])).toEqual([who, who])
          // What is still on its way would come after the grace, once time has passed.
          await expect.poll(() => site.underWay, { timeout: 5000 }).toBe(0)
        }
        if (hasLocks) expect(site.count('POST /refresh 401')).toBe(0)
        expect(await told(other)).not.toContain('signed out')
      },
    )

    test('that is refused signs out, and is not tried again', async () => {
      const { site, context, page } = await signedIn()
      const thief = await openContext()
      await thief.addCookies(await context.cookies())
      const other = await openPage(thief, site)
      expect(await send(other, '/refresh', { method: 'POST' })).toBe('200 {}')
      site.pass(20 * minutes)
      expect(await send(page, '/who')).toMatch(/^401/)
      expect(await told(page)).toEqual(['signed in: true', 'signed in: false', 'signed out'])
      const before = site.answers.length
      expect(await send(page, '/who')).toMatch(/^401 .*token_missing/)
      expect(await send(page, '/public')).toBe('200 for all')
      expect(site.answers.slice(before)).toEqual(['GET /who 401', 'GET /public 200'])
    })

    test('that is refused while the cookies stay is not asked for again until they change', async () => {
      const { site, page } = await signedIn()
      site.pass(20 * minutes)
      const refuse = { kind: 'status', status: 401 } as const
      site.plan('/refresh', refuse, refuse)
      expect(await send(page, '/who')).toMatch(/^401 .*token_expired/)
      expect(await send(page, '/who')).toMatch(/^401 .*token_expired/)
      expect(site.count('POST /refresh 401')).toBe(1)
      expect(await isSignedIn(page)).toBe(false)
      expect(await login(page)).toBe('200 {}')
      expect(await isSignedIn(page)).toBe(true)
      expect(await told(page)).toEqual([
        'signed in: true',
        'signed in: false',
        'signed out',
        'signed in: true',
      ])
    })

    test('goes on for the others when one caller gives up', async () => {
      const { site, page } = await signedIn()
      site.pass(20 * minutes)
      site.plan('/refresh', { kind: 'slow', seconds: 0.5 })
      const results = await page.evaluate(async () => {
        const controller = new AbortController()
        const given = window
          .authFetch('/who', { signal: controller.signal })
          .then(({ status }) => status, String)
        const kept = window.authFetch('/who').then(({ status }) => status, String)
        setTimeout(() => controller.abort(), 200)
        const first = await Promise.race([given, kept])
        return [first, await given, await kept]
      })
      expect(results).toEqual([
        expect.stringContaining('AbortError'),
        expect.stringContaining('AbortError'),
        200,
      ])
      expect(site.count('POST /refresh 200')).toBe(1)
    })
  })

  describe('tabs', () => {
    test('hear of sign-in and sign-out in another one', async () => {
      const site = await openSite()
      const context = await openContext()
      const here = await openPage(context, site)
      const there = await openPage(context, site)
      await login(here)
      await expect.poll(() => told(there)).toEqual(['signed in: true'])
      expect(await send(here, '/logout', { method: 'DELETE' })).toBe('200 {}')
      await expect.poll(() => told(there)).toEqual(['signed in: true', 'signed in: false', 'signed out'])
      expect(await told(here)).toEqual(['signed in: true', 'signed in: false', 'signed out'])
    })

    test('hear of a sign-in as somebody else, and not of refreshes', async () => {
      const { site, context, page } = await signedIn()
      const other = await openPage(context, site)
      for (let round = 0; round < 3; round++) {
        site.pass(20 * minutes)
        await send(page, '/who')
        await send(other, '/who')
      }
      expect(await told(other)).toEqual([])
      expect(await told(page)).toEqual(['signed in: true'])
      await login(page, 'bob')
      await expect.poll(() => told(other)).toEqual(['signed in: true'])
      expect(await send(other, '/who')).toBe('200 {"user":"bob"}')
    })

    describe('that come back by the back button', () => {
      let keeping: Browser

      beforeAll(async () => {
        keeping = await launchChromium({ ignoreDefaultArgs: ['--disable-back-forward-cache'] })
      })
      afterAll(async () => keeping?.close())

      /** A page that was left and is kept, and another tab of the same browser. */
      async function leave(
        before?: (page: Page, site: ClientSite) => Promise<void>,
      ): Promise<{ site: ClientSite; page: Page; other: Page }> {
        const site = await openSite()
        const context = await keeping.newContext()
        contexts.push(context)
        context.setDefaultTimeout(10_000)
        const page = await openPage(context, site)
        const other = await openPage(context, site)
        await login(page)
        await page.evaluate(() =>
          addEventListener('pageshow', ({ persisted }) => window.told.push(`kept: ${persisted}`)),
        )
        await before?.(page, site)
        await page.goto(`${site.at('localhost')}/public`)
        return { site, page, other }
      }

      test('notice what they missed', async () => {
        const { page, other } = await leave()
        expect(await send(other, '/logout', { method: 'DELETE' })).toBe('200 {}')
        await page.goBack({ waitUntil: 'commit' })
        const news = ['signed in: false', 'signed out', 'kept: true']
        await expect.poll(() => told(page)).toEqual(['signed in: true', ...news])
        // It listens again.
        await login(other)
        await expect.poll(() => told(page)).toContainEqual('signed in: true')
        expect(await send(page, '/who')).toBe(who)
      })

      test('use the tokens of meanwhile', async () => {
        const { site, page, other } = await leave()
        site.pass(20 * minutes)
        expect(await send(other, '/who')).toBe(who)
        await page.goBack({ waitUntil: 'commit' })
        await expect.poll(() => told(page)).toEqual(['signed in: true', 'kept: true'])
        expect(await send(page, '/echo', { method: 'POST', body: 'text' })).toBe('200 text')
        expect(site.count('POST /refresh 200')).toBe(1)
      })

      test('stay signed in although they were left in the middle of a refresh', async () => {
        const { site, page, other } = await leave(async (page, site) => {
          site.pass(20 * minutes)
          site.plan('/refresh', { kind: 'slow', seconds: 0.5 })
          await page.evaluate(() => void window.authFetch('/who').catch(() => undefined))
          await expect.poll(() => site.headers.has('/refresh')).toBe(true)
        })
        expect(await send(other, '/who')).toBe(who)
        await page.goBack({ waitUntil: 'commit' })
        // With a request under way the browser may not have kept it.
        await page.waitForFunction(() => window.client !== undefined)
        if (!(await page.evaluate(() => window.authFetch !== undefined))) await start(page)
        expect(await send(page, '/who')).toBe(who)
        expect(site.count('POST /refresh 401')).toBe(0)
      })
    })

    test('whose session was ended elsewhere are signed out with the next request, cookies and all', async () => {
      const { site, context, page } = await signedIn()
      const device = await openContext()
      const desk = await openPage(device, site)
      await login(desk)
      expect(await send(desk, '/sessions', { method: 'DELETE' })).toMatch(/^200/)
      await expect.poll(() => send(page, '/who')).toMatch(/^401/)
      expect(await told(page)).toEqual(['signed in: true', 'signed in: false', 'signed out'])
      expect(await context.cookies()).toEqual([])
    })
  })

  describe('a sign-out', () => {
    test('needs no new token when the browser has dropped the access token', async () => {
      const { site, context, page } = await signedIn()
      await context.clearCookies({ name: /access/ })
      expect(await send(page, '/logout', { method: 'DELETE' })).toBe('200 {}')
      expect(site.count('POST /refresh 200')).toBe(0)
      expect(await context.cookies()).toEqual([])
    })

    test('works with an access token that has ended while its cookies are there', async () => {
      const { site, context, page } = await signedIn()
      site.pass(20 * minutes)
      expect(await send(page, '/logout', { method: 'DELETE' })).toBe('200 {}')
      expect(await context.cookies()).toEqual([])
    })
  })

  test('readProblem gives the code of a refusal, leaves the body, and takes nothing else for one', async () => {
    const { page } = await signedIn()
    const found = await page.evaluate(async () => {
      const { readProblem } = window.client
      const init = { credentials: 'omit' } as const
      const refusal = await window.authFetch('/who', init)
      const problem = await readProblem(refusal)
      const rest = (await refusal.json()) as unknown
      const none = await readProblem(await window.authFetch('/public'))
      const type = { headers: { 'content-type': 'application/problem+json' } }
      const broken = await Promise.all(
        ['{', 'null', '{}', '{"code":1}'].map((text) => readProblem(new Response(text, type))),
      )
      return { problem, rest, others: [none, ...broken].map((each) => each === undefined) }
    })
    expect(found.problem).toMatchObject({ code: 'token_missing', status: 401 })
    expect(found.rest).toEqual(found.problem)
    expect(found.others).toEqual([true, true, true, true, true])
  })
})

test('on a server that renders pages it can be made, and nobody is signed in', async () => {
  const { createAuthFetch } = await import('../src/client.ts')
  const authFetch = createAuthFetch()
  expect(authFetch.signedIn).toBe(false)
  expect(authFetch.subscribe(() => undefined)).toBeTypeOf('function')
})
