// What a browser does with our cookies over https, on hosts of one site and of several: sends them, keeps them, drops them.

import type { Browser, BrowserContext, Cookie, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { AuthOptions } from 'tallystick'
import { attacks, openAttacker, pageOf } from './browser/attacks.ts'
import { attempts, carryOut, expectedResult } from './browser/attempts.ts'
import type { Attempt } from './browser/attempts.ts'
import { createCertificate, launchProfile, launchWithCertificate } from './browser/certificate.ts'
import type { Certificate } from './browser/certificate.ts'
import { isChromiumThere } from './browser/chromium.ts'
import { ways } from './browser/cross-site.ts'
import { call, readableCookies } from './browser/person.ts'
import type { LiveServer } from './browser/server.ts'
import { openSite, ownFormPath } from './browser/site.ts'
import type { Site } from './browser/site.ts'

const host = 'app.shop.example'
const siblingHost = 'evil.shop.example'
const otherHost = 'www.news.example'

/** Long enough for a busy machine; a step that takes longer is named by its error. */
const stepTimeoutMs = 10_000

describe.runIf(isChromiumThere)('over https', { timeout: 6 * stepTimeoutMs }, () => {
  let certificate: Certificate
  let browser: Browser
  let context: BrowserContext
  /** Serves every page of other people. */
  let attacker: LiveServer
  let plainAttacker: LiveServer
  let profile: BrowserContext
  const closing: { close(): Promise<void> }[] = []

  beforeAll(async () => {
    certificate = await createCertificate()
    browser = await launchWithCertificate(certificate)
    profile = await launchProfile(certificate)
    profile.setDefaultTimeout(stepTimeoutMs)
    attacker = await openAttacker(certificate)
    plainAttacker = await openAttacker()
  })
  beforeEach(async () => {
    context = await browser.newContext()
    context.setDefaultTimeout(stepTimeoutMs)
  })
  afterEach(async () => {
    await context.close()
    await profile.clearCookies()
    await Promise.all(closing.splice(0).map((each) => each.close()))
  })
  afterAll(async () => {
    await Promise.all([browser?.close(), profile?.close()])
    await Promise.all([attacker, plainAttacker].map((server) => server?.close()))
  })

  async function open(options: AuthOptions = {}, isPlain = false): Promise<Site> {
    const site = await openSite(options, isPlain ? undefined : certificate)
    closing.push(site)
    return site
  }

  /** An empty page of the site, so that nothing is sent but by the test. */
  async function openPage(site: Site, on: BrowserContext = context): Promise<Page> {
    const page = await on.newPage()
    await page.goto(site.at(host) + ownFormPath)
    return page
  }

  async function signedIn(options: AuthOptions = {}, on = context): Promise<{ site: Site; page: Page }> {
    const site = await open(options)
    const page = await openPage(site, on)
    expect(await call(page, 'POST', '/login')).toBe(200)
    return { site, page }
  }

  /** Statuses of what a page of the site sends, one after the other. */
  async function callAll(
    page: Pick<Page, 'evaluate'>,
    ...requests: readonly [string, string][]
  ): Promise<number[]> {
    const statuses = []
    for (const [method, path] of requests) statuses.push(await call(page, method, path))
    return statuses
  }

  async function jar(on: BrowserContext = context): Promise<Cookie[]> {
    const cookies = await on.cookies()
    return cookies.toSorted((left, right) => left.name.localeCompare(right.name))
  }

  describe.each(['strict', 'lax', 'none'] as const)('SameSite=%s', (cookieSamesite) => {
    /** The names of the ways by which the token came along. */
    async function travels(attackerHost: string): Promise<string[]> {
      const { site, page } = await signedIn({ cookieSamesite, fetchMetadata: false }, profile)
      const travelled = []
      for (const way of ways) {
        const tab = await profile.newPage()
        const result = await carryOut(way, { host, attackerHost }, { page: tab, attacker, site })
        const answer = way.method === 'GET' ? '200 null' : '401 csrf_missing'
        expect(result).toMatchObject({
          request: `${way.method} ${way.path}`,
          answer: result.cookiesTravelled ? answer : '401 token_missing',
        })
        expect(result.from).toBe(attackerHost === siblingHost ? 'same-site' : 'cross-site')
        if (result.cookiesTravelled) travelled.push(way.name)
        await tab.close()
      }
      // Its own pages are not concerned.
      expect(await call(page, 'GET', '/protected')).toBe(200)
      return travelled
    }

    test('lets cookies come along from another site only by the ways that it allows', async () => {
      const allowed = ways.filter(({ carries }) => carries.includes(cookieSamesite))
      expect(await travels(otherHost)).toEqual(allowed.map(({ name }) => name))
    })

    test('lets them come along from a sibling host by every way', async () => {
      expect(await travels(siblingHost)).toEqual(ways.map(({ name }) => name))
    })
  })

  describe('a sibling host', () => {
    const siblings = attempts
      .filter(({ from }) => from === 'same-site')
      .map((attempt): Attempt => ({ ...attempt, host, attackerHost: siblingHost }))
    const overHttp: Attempt = {
      title: 'over http is another site, to which no cookie goes',
      options: { fetchMetadata: false },
      host,
      attackerHost: siblingHost,
      from: 'cross-site',
      cookiesTravel: 'never',
      refusal: '401 token_missing',
    }

    test.each([
      ...siblings.map((attempt) => ({ attempt, isPlain: false })),
      { attempt: overHttp, isPlain: true },
    ])('$attempt.title', async ({ attempt, isPlain }) => {
      expect(siblings).toHaveLength(3)
      const { site, page } = await signedIn(attempt.options)
      const before = await jar()
      const tab = await context.newPage()
      const from = isPlain ? plainAttacker : attacker
      for (const attack of attacks) {
        const result = await carryOut(attack, attempt, { page: tab, attacker: from, site })
        expect(result).toEqual(expectedResult(attack, attempt))
      }
      expect(site.transfers).toEqual([])
      await tab.goto(from.at(siblingHost))
      expect(await readableCookies(tab)).toEqual([])
      expect(await jar()).toEqual(before)
      expect(await callAll(page, ['POST', '/transfer'], ['POST', '/refresh'], ['DELETE', '/logout'])).toEqual(
        [200, 200, 200],
      )
    })

    test.each([
      [true, { status: 403, code: 'origin_forbidden' }, []],
      [false, { status: 200, code: null }, ['test']],
    ])(
      'that may read the CSRF value, as cookieDomain has it, is stopped by fetchMetadata: %s',
      async (fetchMetadata, answer, transfers) => {
        const { site } = await signedIn({ cookieDomain: 'shop.example', csrfCheckForm: true, fetchMetadata })
        const html = `<form method="post" action="${site.at(host)}/transfer?read"><input name="csrf_token"></form>
          <script>
            document.forms[0][0].value = /csrf_access_token=([^;]*)/.exec(document.cookie)[1]
            document.forms[0].submit()
          </script>`
        const tab = await context.newPage()
        await tab.goto(pageOf(attacker.at(siblingHost), html), { waitUntil: 'commit' })
        expect(await site.arrival('read')).toMatchObject(answer)
        expect(site.transfers).toEqual(transfers)
      },
    )
  })

  describe.each(['', '__Secure-', '__Host-'] as const)('with the prefix "%s"', (cookiePrefix) => {
    test('a person signs in, refreshes and signs out', async () => {
      const { page } = await signedIn({ cookiePrefix })
      expect((await jar()).map(({ name }) => name)).toEqual(
        ['access_token_cookie', 'csrf_access_token', 'csrf_refresh_token', 'refresh_token_cookie'].map(
          (name) => cookiePrefix + name,
        ),
      )
      expect(await callAll(page, ['GET', '/protected'], ['POST', '/refresh'], ['POST', '/transfer'])).toEqual(
        [200, 200, 200],
      )
      expect(await call(page, 'DELETE', '/logout')).toBe(200)
      expect(await jar()).toEqual([])
    })

    const attributes = [
      'Path=/',
      'Path=/; Partitioned',
      'Path=/protected',
      'Path=/sessions/',
      'Path=/sessions/; Partitioned',
    ]

    test.each(attributes)('a cookie that a sibling host plants with %s locks nobody out', async (planted) => {
      const { site, page } = await signedIn({ cookiePrefix })
      const own = await jar()
      const name = `${cookiePrefix}access_token_cookie`
      await plant(`${name}=planted; Domain=shop.example; ${planted}; Secure`)
      const path = planted.includes('/sessions/') ? '/sessions/none' : '/protected'
      const method = path === '/protected' ? 'GET' : 'DELETE'
      const found = path === '/protected' ? 200 : 404
      if (cookiePrefix === '__Host-') {
        expect(await jar()).toEqual(own)
        expect(await call(page, method, path)).toBe(found)
        return
      }
      expect(await jar()).toHaveLength(own.length + 1)
      expect(await call(page, method, path)).toBe(401)
      expect(site.visits.at(-1)).toMatchObject({ path, code: 'cookie_ambiguous' })
      // The answer has taken the name away, wherever it lay, and the refresh token brings a new one.
      expect((await jar()).filter((cookie) => cookie.name === name)).toEqual([])
      expect(await callAll(page, ['POST', '/refresh'], [method, path])).toEqual([200, found])
      await plant(`${cookiePrefix}refresh_token_cookie=planted; Domain=shop.example; ${planted}; Secure`)
      expect(await callAll(page, ['DELETE', '/logout'], ['POST', '/login'])).toEqual([200, 200])
      expect(await callAll(page, [method, path], ['POST', '/transfer'])).toEqual([found, 200])
    })

    test('a refresh token that a sibling host plants is taken away, and signing in works again', async () => {
      const { site, page } = await signedIn({ cookiePrefix })
      await plant(`${cookiePrefix}refresh_token_cookie=planted; Domain=shop.example; Path=/; Secure`)
      if (cookiePrefix === '__Host-') {
        expect(await call(page, 'POST', '/refresh')).toBe(200)
        return
      }
      expect(await call(page, 'POST', '/refresh')).toBe(401)
      expect(site.visits.at(-1)).toMatchObject({ code: 'cookie_ambiguous' })
      expect((await jar()).map(({ name }) => name)).not.toContain(`${cookiePrefix}refresh_token_cookie`)
      expect(await callAll(page, ['POST', '/login'], ['POST', '/refresh'], ['GET', '/protected'])).toEqual([
        200, 200, 200,
      ])
    })

    test('nothing planted before the sign-in outlives it by more than one refusal', async () => {
      const site = await open({ cookiePrefix })
      const name = `${cookiePrefix}access_token_cookie`
      for (const jarOf of ['', '; Partitioned']) {
        await plant(`${name}=planted; Domain=shop.example; Path=/; Secure${jarOf}`)
      }
      const page = await openPage(site)
      expect(await call(page, 'POST', '/login')).toBe(200)
      await call(page, 'GET', '/protected')
      expect(await callAll(page, ['POST', '/refresh'], ['GET', '/protected'])).toEqual([200, 200])
      expect((await jar()).filter(({ value }) => value === 'planted')).toEqual([])
    })
  })

  test.each([
    ['with the prefix', '__Host-access_token_cookie=planted; Path=/; Secure'],
    ['with it in lower case', '__host-access_token_cookie=planted; Path=/; Secure'],
    ['without a name', '=__Host-access_token_cookie=planted; Path=/; Secure'],
    ['after a space', ' __Host-access_token_cookie=planted; Path=/; Secure'],
    ['in the other jar', '__Host-access_token_cookie=planted; Path=/; Secure; Partitioned'],
  ])('a sibling host plants no __Host- cookie %s', async (_how, line) => {
    const { page } = await signedIn({ cookiePrefix: '__Host-' })
    const own = await jar()
    await plant(`${line}; Domain=shop.example`)
    expect(await jar()).toEqual(own)
    // Without a domain it is the sibling's own, which never travels here.
    await plant(line)
    expect(await call(page, 'POST', '/transfer')).toBe(200)
  })

  /** Sets a cookie from a page of the sibling host. */
  async function plant(line: string, from = attacker): Promise<void> {
    const tab = await context.newPage()
    await tab.goto(from.at(siblingHost))
    await tab.evaluate((line) => {
      document.cookie = line
    }, line)
    await tab.close()
  }

  describe('a frame in the page of another site', () => {
    /** The site's own page inside of somebody else's. */
    async function openFrame(site: Site, outerHost: string, page?: Page): Promise<Pick<Page, 'evaluate'>> {
      const tab = page ?? (await context.newPage())
      const inner = site.at(host) + ownFormPath
      await tab.goto(pageOf(attacker.at(outerHost), `<iframe src="${inner}"></iframe>`))
      const frame = tab.frames().find((each) => each.url() === inner)
      if (frame === undefined) throw new Error('There is no frame')
      return frame
    }

    const options = { cookieSamesite: 'none', cookiePartitioned: true } as const

    test.each(['', '__Host-'] as const)(
      'has a sign-in of its own where cookies are Partitioned, with the prefix "%s"',
      async (cookiePrefix) => {
        const site = await open({ ...options, cookiePrefix })
        const frame = await openFrame(site, otherHost)
        expect(await callAll(frame, ['POST', '/login'], ['GET', '/protected'])).toEqual([200, 200])
        expect((await jar()).map(({ partitionKey }) => partitionKey)).toEqual(
          Array.from({ length: 4 }, () => 'https://news.example'),
        )
        // Nobody sees it on a third site, nor on the site itself.
        expect(await call(await openFrame(site, 'www.travel.example'), 'GET', '/protected')).toBe(401)
        expect(await call(await openPage(site), 'GET', '/protected')).toBe(401)
        expect(await callAll(frame, ['POST', '/refresh'], ['POST', '/transfer'])).toEqual([200, 200])
        // Another page of the site around it is the same place.
        expect(await call(await openFrame(site, 'blog.news.example'), 'GET', '/protected')).toBe(200)
        expect(await call(frame, 'DELETE', '/logout')).toBe(200)
        expect(await jar()).toEqual([])
      },
    )

    test('has two sign-ins beside each other, and signing out of one leaves the other', async () => {
      const site = await open(options)
      const frame = await openFrame(site, otherHost)
      const page = await openPage(site)
      expect([await call(frame, 'POST', '/login'), await call(page, 'POST', '/login')]).toEqual([200, 200])
      expect(await jar()).toHaveLength(8)
      expect(await call(frame, 'DELETE', '/logout')).toBe(200)
      expect((await jar()).map(({ partitionKey }) => partitionKey)).toEqual(
        Array.from({ length: 4 }, () => 'https://shop.example'),
      )
      expect([await call(frame, 'GET', '/protected'), await call(page, 'GET', '/protected')]).toEqual([
        401, 200,
      ])
    })

    test('keeps no cookie that is not Partitioned in a window that blocks those of third parties', async () => {
      const site = await open({ cookieSamesite: 'none' })
      const frame = await openFrame(site, otherHost)
      expect(await callAll(frame, ['POST', '/login'], ['GET', '/protected'])).toEqual([200, 401])
      expect(await jar()).toEqual([])
    })

    test('gets none of the cookies that were set with SameSite=Lax', async () => {
      const { site, page } = await signedIn({}, profile)
      const frame = await openFrame(site, otherHost, page)
      expect(await callAll(frame, ['GET', '/protected'], ['POST', '/login'], ['GET', '/protected'])).toEqual([
        401, 200, 401,
      ])
    })

    test.each([
      ['on', {}, { cookiePartitioned: true }],
      ['off', { cookiePartitioned: true }, { previousCookies: [{ partitioned: true }] }],
    ] as const)(
      'cookies from before Partitioned was switched %s leave nobody stuck',
      async (_switch, before, now) => {
        const page = await openPage(await open(before))
        expect(await call(page, 'POST', '/login')).toBe(200)
        const site = await open(now)
        const late = await openPage(site)
        expect(await call(late, 'GET', '/protected')).toBe(200)
        expect(await call(late, 'DELETE', '/logout')).toBe(200)
        expect(await jar()).toEqual([])
        // Or whoever signs in over it.
        expect([await call(page, 'POST', '/login'), await call(late, 'POST', '/login')]).toEqual([200, 200])
        expect(await jar()).toHaveLength(4)
        expect(await call(late, 'GET', '/protected')).toBe(200)
      },
    )
  })

  describe('signing out leaves nothing behind', () => {
    const domains = [undefined, 'shop.example', host]
    const paths: readonly AuthOptions[] = [
      {},
      { refreshCookiePath: '/refresh' },
      { accessCookiePath: '/protected', refreshCookiePath: '/refresh' },
      {
        refreshCookiePath: '/refresh',
        refreshCsrfCookiePath: ownFormPath,
        accessCsrfCookiePath: ownFormPath,
      },
    ]
    describe.each(domains)('cookieDomain %s', (cookieDomain) => {
      test.each(paths)('%j', async (paths) => {
        const { page } = await signedIn({ cookieDomain, ...paths })
        expect(await jar()).toHaveLength(4)
        expect(await call(page, 'DELETE', '/logout')).toBe(200)
        expect(await jar()).toEqual([])
      })

      test.each(domains)('after a deployment with cookieDomain %s', async (earlierDomain) => {
        const domain = earlierDomain === undefined ? {} : { domain: earlierDomain }
        const previousCookies = ['/', '/refresh', '/protected'].map((path) => ({ path, ...domain }))
        for (const earlierPaths of paths.slice(0, 3)) {
          const earlier = await openPage(await open({ cookieDomain: earlierDomain, ...earlierPaths }))
          expect(await call(earlier, 'POST', '/login')).toBe(200)
          const site = await open({ cookieDomain, previousCookies })
          const page = await openPage(site)
          // Signing in clears the names, wherever they lay, and so does signing out without a sign-in before it.
          if (earlierPaths === paths[1]) expect(await call(page, 'POST', '/login')).toBe(200)
          expect(await jar()).toHaveLength(4)
          expect(await call(page, 'DELETE', '/logout')).toBe(200)
          expect(await jar()).toEqual([])
        }
      })
    })
  })

  describe('Secure', () => {
    test('keeps the cookies from plain http, where they are neither sent, seen nor replaced', async () => {
      const { page } = await signedIn()
      const own = await jar()
      const plain = await open({}, true)
      const late = await openPage(plain)
      expect(await readableCookies(late)).toEqual([])
      expect(await call(late, 'GET', '/protected')).toBe(401)
      expect(plain.visits.flatMap(({ cookies }) => cookies)).toEqual([])
      for (const path of ['/', '/protected']) {
        for (const name of ['access_token_cookie', 'csrf_access_token']) {
          await plant(`${name}=planted; Domain=shop.example; Path=${path}`, plainAttacker)
        }
      }
      expect(await jar()).toEqual(own)
      expect(await call(page, 'POST', '/transfer')).toBe(200)
    })

    test('lets nobody sign in over plain http, and an event says why', async () => {
      const events: unknown[] = []
      const site = await open({ onEvent: (event) => events.push(event) }, true)
      const page = await openPage(site)
      expect(await callAll(page, ['POST', '/login'], ['GET', '/protected'])).toEqual([200, 401])
      expect(await jar()).toEqual([])
      expect(events).toContainEqual({
        type: 'cookie.insecure_transport',
        host: new URL(site.at(host)).host,
        remedy: expect.stringContaining('https'),
      })
    })

    test('switched off leaves plain http without Sec-Fetch-Site, where Origin decides', async () => {
      const site = await open({ cookieSecure: false, cookieCsrfProtect: false }, true)
      const page = await openPage(site)
      expect(await callAll(page, ['POST', '/login'], ['POST', '/transfer'])).toEqual([200, 200])
      expect(site.visits.at(-1)).toMatchObject({ site: undefined, status: 200 })
      const form = attacks.find(({ name }) => name === 'form')
      if (form === undefined) throw new Error('There is no form')
      const parts = { page: await context.newPage(), attacker: plainAttacker, site }
      expect(await carryOut(form, { host, attackerHost: siblingHost }, parts)).toMatchObject({
        from: undefined,
        cookiesTravelled: true,
        answer: '403 origin_forbidden',
      })
      expect(await callAll(page, ['POST', '/refresh'], ['DELETE', '/logout'])).toEqual([200, 200])
      expect(await jar()).toEqual([])
    })
  })
})
