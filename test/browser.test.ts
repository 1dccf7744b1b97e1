// What only a real browser can prove: which cookies it keeps, sends and drops, and that other sites' pages get nowhere.

import type { Browser, BrowserContext, Cookie } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { AuthOptions } from 'tallystick'
import { attacks, form, openAttacker, pageOf } from './browser/attacks.ts'
import { attempts, carryOut, expectedResult } from './browser/attempts.ts'
import { chromiumMissing, isChromiumThere, launchChromium } from './browser/chromium.ts'
import { call, readableCookies, visit } from './browser/person.ts'
import type { LiveServer } from './browser/server.ts'
import { openSite, ownFormPath } from './browser/site.ts'
import type { Site } from './browser/site.ts'

if (!isChromiumThere) process.stdout.write(`${chromiumMissing}\n`)

/** Long enough for a busy machine; a step that takes longer is named by its error. */
const stepTimeoutMs = 10_000

/** What is out of the ordinary about the cookies, and how it shows in the browser. */
const variations: readonly { title: string; options: AuthOptions; kept: Partial<Cookie> }[] = [
  { title: 'whatever its path', options: { refreshCookiePath: '/refresh' }, kept: { path: '/refresh' } },
  {
    title: 'of a whole domain',
    options: { cookieDomain: 'demo.localhost' },
    kept: { domain: '.demo.localhost' },
  },
  {
    title: 'in its partition',
    options: { cookiePartitioned: true },
    kept: { partitionKey: 'http://demo.localhost' },
  },
  {
    title: 'named __Host-',
    options: { cookiePrefix: '__Host-' },
    kept: { name: '__Host-refresh_token_cookie' },
  },
  {
    title: 'named __Secure-',
    options: { cookiePrefix: '__Secure-' },
    kept: { name: '__Secure-refresh_token_cookie' },
  },
  {
    title: 'that would go when the browser closes',
    options: { cookieMaxAge: 'session' },
    kept: { expires: -1 },
  },
  { title: 'with SameSite=Strict', options: { cookieSamesite: 'strict' }, kept: { sameSite: 'Strict' } },
  { title: 'with SameSite=None', options: { cookieSamesite: 'none' }, kept: { sameSite: 'None' } },
  { title: 'that may go over plain http', options: { cookieSecure: false }, kept: { secure: false } },
]

test.runIf(process.env['CI'] === 'true')('a browser is there where everything has to be tested', () => {
  expect(isChromiumThere, chromiumMissing).toBe(true)
})

describe.runIf(isChromiumThere)('in a browser', { timeout: 6 * stepTimeoutMs }, () => {
  let browser: Browser
  let context: BrowserContext
  let attacker: LiveServer
  const sites: Site[] = []

  beforeAll(async () => {
    browser = await launchChromium()
    attacker = await openAttacker()
  })
  beforeEach(async () => {
    context = await browser.newContext()
    context.setDefaultTimeout(stepTimeoutMs)
  })
  afterEach(async () => {
    await context.close()
    await Promise.all(sites.splice(0).map((site) => site.close()))
  })
  afterAll(async () => {
    await browser?.close()
    await attacker?.close()
  })

  async function open(options?: AuthOptions): Promise<Site> {
    const site = await openSite(options)
    sites.push(site)
    return site
  }

  describe.each(['localhost', '127.0.0.1'])('a person on http://%s', (host) => {
    test('signs in, uses the site, refreshes and signs out', async () => {
      const person = await visit(context, (await open()).at(host))
      expect(await person.readableCookies()).toEqual([])
      expect(await person.signIn()).toBe('POST /login 200 OK')
      expect(await jar()).toEqual([
        cookie('access_token_cookie', { host, seconds: 900, isToken: true }),
        cookie('csrf_access_token', { host, seconds: 900, isToken: false }),
        cookie('csrf_refresh_token', { host, seconds: 2_592_000, isToken: false }),
        cookie('refresh_token_cookie', { host, seconds: 2_592_000, isToken: true }),
      ])
      expect(await person.readableCookies()).toEqual(['csrf_access_token', 'csrf_refresh_token'])
      expect(await person.press('Call protected')).toBe('GET /protected 200 OK')
      const before = await valueOf('access_token_cookie')
      expect(await person.press('Refresh')).toBe('POST /refresh 200 OK')
      expect(await valueOf('access_token_cookie')).not.toBe(before)
      expect(await person.press('Call protected')).toBe('GET /protected 200 OK')
      expect(await person.press('Sign out')).toBe('DELETE /logout 200 OK')
      expect(await jar()).toEqual([])
      expect(await person.readableCookies()).toEqual([])
      expect(person.complaints).toEqual([])
    })

    test('does the same where CSRF protection is off', async () => {
      const person = await visit(context, (await open({ cookieCsrfProtect: false })).at(host))
      expect(await person.signIn()).toBe('POST /login 200 OK')
      expect((await jar()).map(({ name }) => name)).toEqual(['access_token_cookie', 'refresh_token_cookie'])
      expect(await person.readableCookies()).toEqual([])
      expect(await person.press('Call protected')).toBe('GET /protected 200 OK')
      expect(await person.press('Refresh')).toBe('POST /refresh 200 OK')
      expect(await person.press('Refresh without the CSRF header')).toBe('POST /refresh 200 OK')
      expect(await person.press('Sign out')).toBe('DELETE /logout 200 OK')
      expect(await jar()).toEqual([])
      expect(person.complaints).toEqual([])
    })
  })

  test('a person is told of a wrong password and of each refusal', async () => {
    const person = await visit(context, (await open()).at('localhost'))
    expect(await person.signIn('wrong')).toBe('POST /login 401 Unauthorized')
    await person.page.getByText('Bad username or password', { exact: true }).first().waitFor()
    expect(await jar()).toEqual([])
    expect(await person.press('Call protected')).toBe('GET /protected 401 Unauthorized token_missing')
    await person.signIn()
    expect(await person.press('Refresh without the CSRF header')).toBe(
      'POST /refresh 401 Unauthorized csrf_missing',
    )
    // Chromium reports every refusal, and nothing else happened.
    const reported = expect.stringContaining('the server responded with a status of 401')
    expect(person.complaints).toEqual([reported, reported, reported])
  })

  for (const attempt of attempts) {
    test(attempt.title, async () => {
      const site = await open(attempt.options)
      const victim = await visit(context, site.at(attempt.host))
      await victim.signIn()
      const before = await context.cookies()

      const page = await context.newPage()
      const results = []
      for (const attack of attacks) results.push(await carryOut(attack, attempt, { page, attacker, site }))
      expect(results).toEqual(attacks.map((attack) => expectedResult(attack, attempt)))
      // No preflight was followed by what it asked for.
      expect(site.visits.filter(({ label }) => label !== '')).toHaveLength(attacks.length)
      expect(site.transfers).toEqual([])

      await page.goto(attacker.at(attempt.attackerHost))
      expect(await readableCookies(page)).toEqual([])
      await page.close()
      expect(await context.cookies()).toEqual(before)
      expect(await victim.press('Call protected')).toBe('GET /protected 200 OK')
      expect(await victim.press('Refresh')).toBe('POST /refresh 200 OK')
      expect(await victim.press('Sign out')).toBe('DELETE /logout 200 OK')
    })
  }

  describe('a form that signs the visitor in as somebody else', () => {
    test.each([
      { from: 'another site', host: 'localhost', attackerHost: '127.0.0.1' },
      { from: 'a sibling host', host: 'app.demo.localhost', attackerHost: 'evil.demo.localhost' },
    ])('is refused from $from', async ({ host, attackerHost }) => {
      const site = await open()
      const page = await context.newPage()
      const url = `${site.at(host)}/form-login?forged`
      await page.goto(pageOf(attacker.at(attackerHost), form(url)), { waitUntil: 'commit' })
      expect(await site.arrival('forged')).toMatchObject({ status: 403, code: 'origin_forbidden' })
      await page.waitForURL(url)
      // The demo's own route takes JSON only, and a form cannot say that it sends JSON.
      const demoUrl = `${site.at(host)}/login?text`
      const html = form(demoUrl, 'enctype="text/plain"')
      await page.goto(pageOf(attacker.at(attackerHost), html), { waitUntil: 'commit' })
      expect(await site.arrival('text')).toMatchObject({ method: 'POST', path: '/login', status: 422 })
      expect(await jar()).toEqual([])
    })

    test('is accepted from the site itself', async () => {
      const site = await open()
      const page = await context.newPage()
      await page.goto(site.at('localhost') + ownFormPath)
      await page.getByRole('button').click()
      expect(await site.arrival('own')).toMatchObject({ site: 'same-origin', status: 200 })
      expect(await jar()).toHaveLength(4)
    })
  })

  describe('a sibling host that plants cookies', () => {
    async function plant(line: string): Promise<void> {
      const page = await context.newPage()
      await page.goto(attacker.at('evil.demo.localhost'))
      await page.evaluate((line) => {
        document.cookie = `${line}; Domain=demo.localhost`
      }, line)
      await page.close()
    }

    async function plantedPaths(): Promise<string[]> {
      return (await jar()).filter(({ domain }) => domain === '.demo.localhost').map(({ path }) => path)
    }

    test.each(['/', '/protected'])('with the path %s locks nobody out', async (path) => {
      const person = await visit(context, (await open()).at('app.demo.localhost'))
      await person.signIn()
      await plant(`access_token_cookie=planted; Path=${path}`)
      expect(await plantedPaths()).toEqual([path])
      expect(await person.press('Call protected')).toBe('GET /protected 401 Unauthorized cookie_ambiguous')
      expect(await plantedPaths()).toEqual([])
      expect(await person.press('Refresh')).toBe('POST /refresh 200 OK')
      expect(await person.press('Call protected')).toBe('GET /protected 200 OK')
    })

    test('before the sign-in locks nobody out', async () => {
      const site = await open()
      const person = await visit(context, site.at('app.demo.localhost'))
      await plant('access_token_cookie=planted; Path=/')
      await plant('refresh_token_cookie=planted; Path=/refresh')
      await person.signIn()
      // The page asks for the list of sessions by itself, and its answer already takes both cookies away.
      const healing = { path: '/sessions', code: 'cookie_ambiguous' }
      await expect.poll(() => site.visits).toContainEqual(expect.objectContaining(healing))
      expect(await person.press('Call protected')).toBe('GET /protected 401 Unauthorized token_missing')
      // The page has asked for new tokens by itself, and that answer takes the other two away.
      const refused = { path: '/refresh', code: 'cookie_ambiguous' }
      expect(site.visits).toContainEqual(expect.objectContaining(refused))
      expect(await plantedPaths()).toEqual([])
      expect(await person.signIn()).toBe('POST /login 200 OK')
      expect(await person.press('Call protected')).toBe('GET /protected 200 OK')
      expect(await person.press('Refresh')).toBe('POST /refresh 200 OK')
    })

    test('with a CSRF value opens nothing, and the next sign-in removes it', async () => {
      const page = await context.newPage()
      await page.goto((await open()).at('app.demo.localhost'))
      await plant('csrf_access_token=planted; Path=/')
      expect(await call(page, 'POST', '/login')).toBe(200)
      expect(await call(page, 'DELETE', '/logout')).toBe(401)
      expect(await call(page, 'POST', '/login')).toBe(200)
      expect(await plantedPaths()).toEqual([])
      expect(await call(page, 'DELETE', '/logout')).toBe(200)
      expect(await jar()).toEqual([])
    })

    test('cannot give them a name with the prefix __Host-', async () => {
      await plant('__Host-access_token_cookie=planted; Path=/; Secure')
      expect(await jar()).toEqual([])
    })
  })

  describe('signing out drops every cookie', () => {
    test.each(variations)('$title', async ({ options, kept }) => {
      const site = await open(options)
      const page = await context.newPage()
      await page.goto(site.at('app.demo.localhost'))
      expect(await call(page, 'POST', '/login')).toBe(200)
      expect(await jar()).toHaveLength(4)
      expect(await jar()).toContainEqual(expect.objectContaining({ httpOnly: true, ...kept }))
      expect(await call(page, 'POST', '/refresh')).toBe(200)
      expect(await call(page, 'GET', '/protected')).toBe(200)
      expect(await call(page, 'DELETE', '/logout')).toBe(200)
      expect(await jar()).toEqual([])
    })

    test('of an earlier deployment, too', async () => {
      const page = await context.newPage()
      const earlier = await open({ cookieDomain: 'demo.localhost', refreshCookiePath: '/refresh' })
      await page.goto(earlier.at('app.demo.localhost'))
      expect(await call(page, 'POST', '/login')).toBe(200)
      const previousCookies = [{ domain: 'demo.localhost' }, { domain: 'demo.localhost', path: '/refresh' }]
      await page.goto((await open({ previousCookies })).at('app.demo.localhost'))
      expect(await jar()).toHaveLength(4)
      expect(await call(page, 'DELETE', '/logout')).toBe(200)
      expect(await jar()).toEqual([])
    })
  })

  async function jar(): Promise<Cookie[]> {
    const cookies = await context.cookies()
    return cookies.toSorted((left, right) => left.name.localeCompare(right.name))
  }

  async function valueOf(name: string): Promise<string | undefined> {
    return (await jar()).find((cookie) => cookie.name === name)?.value
  }
})

/** A cookie as the browser keeps it; its end may be off by as long as a slow machine takes. */
function cookie(
  name: string,
  { host, seconds, isToken }: { host: string; seconds: number; isToken: boolean },
): unknown {
  return {
    name,
    value: expect.stringMatching(isToken ? /^[\w-]+\.[\w-]+\.[\w-]+$/ : /^[0-9a-f-]{36}$/),
    domain: host,
    path: '/',
    expires: expect.closeTo(Date.now() / 1000 + seconds, -2),
    httpOnly: isToken,
    secure: true,
    sameSite: 'Lax',
  }
}
