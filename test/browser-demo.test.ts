// The demo's page in a real browser, as people look at it: every panel, every attack, by eye, by keyboard and by axe.

import type { Browser, BrowserContext, BrowserContextOptions, Locator, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { AuthOptions } from 'tallystick'
import { isChromiumThere, launchChromium } from './browser/chromium.ts'
import { openDevelopmentDemo } from './browser/demo-site.ts'
import { findCutText, findProblems } from './browser/eyes.ts'
import type { LiveServer } from './browser/server.ts'

const stepTimeoutMs = 30_000

/** What the browser itself reports of an answer that refuses, or that it keeps from another origin. */
const reports = [/^Failed to load resource: /, /has been blocked by CORS policy/]

/** Every button, and how its attack ends with the origin check and without it. */
const attacks: readonly (readonly [button: string, on: string, off: string])[] = [
  ['Form from another site', 'Refused: token_missing', 'Refused: token_missing'],
  ['Fetch from another site', 'Refused: token_missing', 'Refused: token_missing'],
  ['Image from another site', 'Refused: token_missing', 'Refused: token_missing'],
  ['Form from a sibling', 'Refused: origin_forbidden', 'Refused: csrf_missing'],
  ['Fetch from a sibling', 'Refused: origin_forbidden', 'Refused: csrf_missing'],
  ['Image from a sibling', 'Answered, to no use', 'Answered, to no use'],
  ['Plant a cookie from a sibling', 'Refused: cookie_ambiguous', 'Refused: cookie_ambiguous'],
  ['Replay an old refresh token', 'Refused: refresh_reused', 'Refused: refresh_reused'],
  ['Forge an unsigned token', 'Refused: token_invalid', 'Refused: token_invalid'],
  ['Change a claim', 'Refused: token_invalid', 'Refused: token_invalid'],
  ['Use another session’s CSRF value', 'Refused: csrf_mismatch', 'Refused: csrf_mismatch'],
]

describe.runIf(isChromiumThere)('the page of the demo', { timeout: 5 * stepTimeoutMs }, () => {
  let browser: Browser
  let site: LiveServer
  const contexts: BrowserContext[] = []
  const sites: LiveServer[] = []
  let complaints: string[] = []

  beforeAll(async () => {
    browser = await launchChromium()
  })
  beforeEach(async () => {
    complaints = []
    site = await open()
  })
  afterEach(async () => {
    await Promise.all(contexts.splice(0).map((context) => context.close()))
    await Promise.all(sites.splice(0).map((one) => one.close()))
    if (complaints.length > 0) throw new Error(`The browser complains: ${complaints.join(', ')}`)
  })
  afterAll(async () => {
    await browser?.close()
  })

  async function open(options?: AuthOptions): Promise<LiveServer> {
    const opened = await openDevelopmentDemo(options)
    sites.push(opened)
    return opened
  }

  async function visit(origin: string, options?: BrowserContextOptions): Promise<Page> {
    const context = await browser.newContext(options)
    context.setDefaultTimeout(stepTimeoutMs)
    contexts.push(context)
    // In every frame, the attackers' too.
    await context.exposeFunction('complain', (text: string) => void complaints.push(text))
    await context.addInitScript(`addEventListener('securitypolicyviolation', (event) =>
      complain('policy: ' + event.violatedDirective + ' ' + event.blockedURI))`)
    const page = await context.newPage()
    page.on('pageerror', (error) => complaints.push(String(error)))
    page.on('console', (message) => {
      const text = message.text()
      const isReport = reports.some((report) => report.test(text))
      if (['error', 'warning'].includes(message.type()) && !isReport) complaints.push(text)
    })
    await page.goto(origin)
    return page
  }

  async function signIn(origin: string, options?: BrowserContextOptions): Promise<Page> {
    const page = await visit(origin, options)
    await page.getByLabel('User name').fill('test')
    await page.getByLabel('Password').fill('test')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('meter', { name: 'Life of the access token' }).waitFor()
    return page
  }

  const button = (page: Page, name: string): Locator => page.getByRole('button', { name, exact: true })
  const rowOf = (page: Page, name: string): Locator => page.locator('.attack', { has: button(page, name) })
  const entries = (page: Page): Locator => page.locator('#entries > li')

  /** Presses the button and waits for the sentence: gives verdict and sentence. */
  async function attack(page: Page, name: string): Promise<readonly [verdict: string, why: string]> {
    await button(page, name).click()
    const row = rowOf(page, name)
    await row.locator('.why').waitFor()
    return [await row.locator('.status').innerText(), await row.locator('.why').innerText()]
  }

  test('says what double submit does before anything else', async () => {
    const page = await visit(site.at('localhost'))
    const lead = page.locator('.intro p:visible')
    expect(await lead.count()).toBe(1)
    expect((await lead.innerText()).split('. ')).toHaveLength(2)
    expect(await page.locator('.lane .verdict').allInnerTexts()).toEqual([
      'They match: done',
      'Half is missing: refused',
    ])
  })

  test('shows the session: who, how fresh, claims, and bars that run down', async () => {
    const page = await signIn(site.at('localhost'))
    const panel = page.locator('#session')
    expect(await panel.locator('.who').innerText()).toBe('test fresh: straight from the password')
    const bar = panel.getByRole('meter', { name: 'Life of the access token' })
    const left = async (): Promise<number> => bar.evaluate((meter: HTMLMeterElement) => meter.value)
    const before = await left()
    expect(before).toBeGreaterThan(800)
    await expect.poll(left, { timeout: stepTimeoutMs }).toBeLessThan(before - 1)
    expect(await panel.locator('[data-life="access"] .left').innerText()).toMatch(/^1\d:\d\d left$/)
    expect(await panel.locator('[data-life="refresh"]').innerText()).toMatch(/generation 0\s+29 days left/)
    await panel.getByText('Claims in the access token').click()
    expect(await panel.locator('.claims dt').allInnerTexts()).toEqual(
      expect.arrayContaining(['sub', 'iat', 'exp', 'jti', 'sid', 'auth_time']),
    )
    expect(await panel.locator('.claims').innerText()).not.toContain('csrf')
    await button(page, 'Refresh').click()
    await panel.getByText('not fresh: came by refresh').waitFor()
    expect(await panel.locator('[data-life="refresh"]').innerText()).toContain('generation 1')
  })

  test('shows the cookies, and what script can see of them', async () => {
    const page = await visit(site.at('localhost'))
    await page.getByText('None. A sign-in sets four.').waitFor()
    await page.getByLabel('User name').fill('test')
    await page.getByLabel('Password').fill('test')
    await page.keyboard.press('Enter')
    await page.locator('#cookies > li').nth(3).waitFor()
    const texts = await page.locator('#cookies > li').allInnerTexts()
    const csrf = await page.evaluate(() => /csrf_access_token=([^;]*)/.exec(document.cookie)?.[1] ?? '')
    expect(texts[0]).toMatch(
      /^access_token_cookie\s+Script sees nothing of it\s+HttpOnly · Secure · SameSite=Lax · Path=\/ · \d{3} bytes · until \d\d:\d\d:\d\d$/,
    )
    expect(texts[1]).toContain(`csrf_access_token new`)
    expect(texts[1]).toContain(`Script reads ${csrf}`)
    expect(texts[1]).not.toContain('HttpOnly')
    expect(texts[2]).toContain('refresh_token_cookie')
    const held = await page.context().cookies()
    const sizes = held
      .filter(({ name }) => !name.startsWith('__'))
      .map(({ name, value }) => name.length + value.length)
    for (const size of sizes) expect(texts.join()).toContain(`${size} bytes`)
  })

  test('tells what the server checked, of requests of other tabs too and of nobody else', async () => {
    const page = await signIn(site.at('localhost'))
    const stranger = await signIn(site.at('localhost'))
    await button(page, 'Refresh without the CSRF header').click()
    const entry = entries(page).first()
    await entry.getByText('4 more not reached').waitFor()
    expect(await entry.locator('.checks li').allTextContents()).toEqual([
      '✓ One cookie of that name: passed',
      '✓ Token is there: passed',
      '✓ Origin: passed',
      '✗ CSRF value is there: failed',
      '· 4 more not reached',
    ])
    const tab = await page.context().newPage()
    await tab.goto(site.at('localhost'))
    await button(tab, 'Transfer').click()
    await entries(tab).nth(2).waitFor()
    await page.bringToFront()
    await page.evaluate(() => window.dispatchEvent(new Event('focus')))
    await entries(page).getByText('/transfer').waitFor()
    expect(await entries(page).count()).toBe(3)
    await stranger.evaluate(() => window.dispatchEvent(new Event('focus')))
    expect(await entries(stranger).count()).toBe(1)
  })

  test('lists where one is signed in, and ends one and all', async () => {
    const phone = await signIn(site.at('localhost'))
    const page = await signIn(site.at('localhost'))
    await page.locator('#sessions > li').nth(1).waitFor()
    await page.getByRole('button', { name: /^End .+\d$/ }).click()
    await page.getByText('That session has ended').waitFor()
    await expect.poll(() => page.locator('#sessions > li').count()).toBe(1)
    await phone.evaluate(() => window.dispatchEvent(new Event('focus')))
    await phone.getByText('This session has ended. Sign in again to go on.').waitFor()
    await button(page, 'Sign out everywhere').click()
    await page.getByLabel('User name').waitFor()
    expect((await page.context().cookies()).map(({ name }) => name)).toEqual(['__Host-demo_browser'])
  })

  describe.each([true, false])('with the origin check %s', (isOn) => {
    test('every attack on app.demo.localhost is answered as it should be', async () => {
      const page = await signIn(site.at('app.demo.localhost'))
      await page.getByRole('switch', { name: 'Origin check' }).setChecked(isOn)
      expect(await page.locator('.attack button').allInnerTexts()).toEqual(attacks.map(([name]) => name))
      for (const [name, on, off] of attacks) {
        const [verdict, why] = await attack(page, name)
        expect([name, verdict]).toEqual([name, isOn ? on : off])
        expect(why.length, name).toBeGreaterThan(40)
        if (name.startsWith('Plant'))
          expect(why).toMatch(/Your next request got a new token and went through\.$/)
        expect(await rowOf(page, name).locator('.sent li').count(), name).toBeGreaterThan(1)
      }
      // The verdicts of earlier ones stay, and nobody was signed out.
      expect(await page.locator('.attack .status').count()).toBe(attacks.length)
      await button(page, 'Transfer').click()
      await page.getByText('Both halves came along and match').waitFor()
    })

    test('http://localhost is attacked by another site, and has no sibling', async () => {
      const page = await signIn(site.at('localhost'))
      await page.getByRole('switch', { name: 'Origin check' }).setChecked(isOn)
      for (const [name, on, off] of attacks) {
        if (name.endsWith('a sibling')) expect(await button(page, name).isDisabled()).toBe(true)
        else expect([name, (await attack(page, name))[0]]).toEqual([name, isOn ? on : off])
      }
      await page.getByRole('link', { name: /^Open app\.demo\.localhost:\d+ and sign in there$/ }).click()
      await page.getByLabel('User name').waitFor()
      expect(new URL(page.url()).hostname).toBe('app.demo.localhost')
    })
  })

  test('an attack works where both defences are off, so the others are no theatre', async () => {
    const bare = await open({ cookieCsrfProtect: false })
    const page = await signIn(bare.at('app.demo.localhost'))
    expect((await attack(page, 'Form from a sibling'))[0]).toBe('Refused: origin_forbidden')
    await page.getByRole('switch', { name: 'Origin check' }).uncheck()
    for (const name of ['Form from a sibling', 'Fetch from a sibling'])
      expect(await attack(page, name)).toEqual([
        'It worked',
        expect.stringContaining('nothing is left to stop it'),
      ])
    expect(await attack(page, 'Form from another site')).toEqual([
      'Refused: token_missing',
      expect.stringContaining('SameSite=Lax'),
    ])
    // The access cookie goes with the planted one, and without CSRF cookies no script knows that it can be renewed.
    await attack(page, 'Plant a cookie from a sibling')
    await button(page, 'Change a claim').click()
    await rowOf(page, 'Change a claim').getByText('press Refresh, or sign in again').waitFor()
    await button(page, 'Refresh').click()
    expect((await attack(page, 'Change a claim'))[0]).toBe('Refused: token_invalid')
  })

  test('attacks wait for each other, and their verdicts go when the switch is turned', async () => {
    const page = await signIn(site.at('app.demo.localhost'))
    const verdict = (name: string): Locator => rowOf(page, name).locator('.status')
    await button(page, 'Replay an old refresh token').click()
    await button(page, 'Change a claim').click()
    await button(page, 'Form from a sibling').click()
    await verdict('Form from a sibling').getByText('Refused: origin_forbidden').waitFor()
    expect(await verdict('Replay an old refresh token').innerText()).toBe('Refused: refresh_reused')
    expect(await verdict('Change a claim').innerText()).toBe('Refused: token_invalid')
    await page.getByRole('switch', { name: 'Origin check' }).uncheck()
    expect(await page.locator('.attack .status, .attack iframe').count()).toBe(0)
    // Turned while an attack is under way, its verdict would be of the other setting.
    await button(page, 'Replay an old refresh token').click()
    await page.getByRole('switch', { name: 'Origin check' }).check()
    await button(page, 'Form from a sibling').click()
    await verdict('Form from a sibling').getByText('Refused: origin_forbidden').waitFor()
    expect(await rowOf(page, 'Replay an old refresh token').locator('.attack-result').innerText()).toBe('')
  })

  test('every attack button says what it does', async () => {
    const page = await visit(site.at('app.demo.localhost'))
    const replay = page.getByRole('button', { name: 'Replay an old refresh token' })
    const described = await replay.getAttribute('aria-describedby')
    expect(await page.locator(`#${described}`).innerText()).toContain('Copied before it was replaced.')
    const ids = await page
      .locator('.attack button')
      .evaluateAll((all) => all.map((one) => one.getAttribute('aria-describedby')))
    expect(new Set(ids).size).toBe(attacks.length)
  })

  test('can be used with the keyboard alone', async () => {
    const page = await visit(site.at('app.demo.localhost'))
    const focusOn = async (name: string): Promise<void> => {
      const focused = (): Promise<string> =>
        page.evaluate(() => {
          const { activeElement: element } = document
          const label =
            element instanceof HTMLInputElement ? element.labels?.[0]?.textContent : element?.textContent
          return (label ?? '').replaceAll(/\s+/g, ' ').trim()
        })
      const seen: string[] = []
      while ((await focused()) !== name) {
        seen.push(await focused())
        if (seen.length > 80) throw new Error(`Tab never came to ${name}, but to ${seen.join(', ')}`)
        await page.keyboard.press('Tab')
      }
    }
    await focusOn('Skip to the timeline')
    await focusOn('User name')
    await page.keyboard.type('test')
    await focusOn('Password')
    await page.keyboard.type('test')
    await page.keyboard.press('Enter')
    await page.getByRole('meter').first().waitFor()
    // The heading has taken the focus of the form that has gone.
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('session-title')
    await focusOn('Claims in the access token')
    await page.keyboard.press('Enter')
    await page.locator('.claims').waitFor()
    await focusOn('Origin check (fetchMetadata)')
    await page.keyboard.press('Space')
    expect(await page.getByRole('switch').isChecked()).toBe(false)
    await focusOn('Form from a sibling')
    await page.keyboard.press('Enter')
    await rowOf(page, 'Form from a sibling').getByText('Refused: csrf_missing').waitFor()
    await focusOn('Sent and answered')
    await page.keyboard.press('Enter')
    await entries(page).getByText('access_token_cookie, refresh_token_cookie').waitFor()
    await page.keyboard.press('Shift+Tab')
    await page.evaluate(() => scrollTo(0, 0))
    await page.locator('.skip').focus()
    await focusOn('Sign out')
    await page.keyboard.press('Enter')
    await page.getByLabel('User name').waitFor()
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('session-title')
  })

  describe.each(['light', 'dark'] as const)('in %s', (colorScheme) => {
    test.each([390, 1280])('at %d pixels, axe finds nothing and nothing is cut off', async (width) => {
      const viewport = { width, height: 844 }
      const page = await visit(site.at('app.demo.localhost'), {
        colorScheme,
        viewport,
        reducedMotion: 'reduce',
      })
      /** A frame that has gone takes the emulation of its process along. */
      const examine = async (): Promise<void> => {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
        expect(
          await page.evaluate(
            (scheme) => matchMedia(`(prefers-color-scheme: ${scheme})`).matches,
            colorScheme,
          ),
        ).toBe(true)
        expect(await findProblems(page)).toEqual([])
      }
      await examine()
      await page.getByLabel('User name').fill('test')
      await page.getByLabel('Password').fill('test')
      await page.keyboard.press('Enter')
      await page.getByRole('meter').first().waitFor()
      await page.getByText('Claims in the access token').click()
      await attack(page, 'Replay an old refresh token')
      await attack(page, 'Form from a sibling')
      await page.getByText('Sent and answered').first().click()
      await examine()
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width)
      expect(await page.evaluate(findCutText)).toEqual([])
      const frame = page.frames().find((one) => one.url().includes('evil.demo.localhost'))
      expect(await frame?.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true)
      await page.goto(frame?.url() ?? '')
      await examine()
    })
  })
})
