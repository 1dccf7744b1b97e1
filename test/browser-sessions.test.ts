// Sessions in a real browser, by the demo's page: listed, ended, stolen, and alive after a restart.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Browser, BrowserContext, BrowserContextOptions } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { AuthOptions, Store } from 'tallystick'
import { memoryStore } from 'tallystick/stores/memory'
import { endDemos, startDemo } from './_demo.ts'
import { isChromiumThere, launchChromium } from './browser/chromium.ts'
import { visit } from './browser/person.ts'
import type { Person } from './browser/person.ts'
import { openSite } from './browser/site.ts'
import type { Site } from './browser/site.ts'

const stepTimeoutMs = 10_000

describe.runIf(isChromiumThere)('in a browser', { timeout: 3 * stepTimeoutMs }, () => {
  let browser: Browser
  const contexts: BrowserContext[] = []
  const sites: Site[] = []

  beforeAll(async () => {
    browser = await launchChromium()
  })
  afterEach(async () => {
    endDemos()
    await Promise.all(contexts.splice(0).map((context) => context.close()))
    await Promise.all(sites.splice(0).map((site) => site.close()))
  })
  afterAll(async () => {
    await browser?.close()
  })

  async function openContext(options?: BrowserContextOptions): Promise<BrowserContext> {
    const context = await browser.newContext(options)
    context.setDefaultTimeout(stepTimeoutMs)
    contexts.push(context)
    return context
  }

  /** Somebody with a browser of their own, signed in. */
  async function signedIn(origin: string): Promise<Person & { readonly context: BrowserContext }> {
    const context = await openContext()
    const person = await visit(context, origin)
    await person.signIn()
    return { ...person, context }
  }

  async function open(options?: AuthOptions): Promise<string> {
    const site = await openSite({ clientAddress: () => '192.0.2.7', ...options })
    sites.push(site)
    return site.at('localhost')
  }

  const rows = (person: Person): Promise<string[]> => person.page.locator('#sessions > li').allInnerTexts()

  test('a person sees where they are signed in, and ends the session of the other device', async () => {
    const origin = await open()
    const phone = await signedIn(origin)
    const desk = await signedIn(origin)
    await expect.poll(() => rows(desk)).toHaveLength(2)
    const [first = '', second = ''] = await rows(desk)
    expect(first).toMatch(/^Chrome on Linux this browser\s+from 192\.0\.2\.7, signed in .+\s+last seen /)
    expect(second).not.toContain('this browser')

    const other = desk.page.getByRole('button', { name: /^End Chrome on Linux, last seen [^,]+, \d\d:\d\d$/ })
    await other.click()
    await expect.poll(() => rows(desk)).toHaveLength(1)
    expect(await phone.press('Call protected')).toBe('GET /protected 401 Unauthorized token_revoked')
    await phone.page.getByText('This session was ended elsewhere', { exact: false }).first().waitFor()
    // The page has tried to renew its tokens, and was told to forget them.
    await phone.page.getByLabel('User name').waitFor()
    expect(await phone.context.cookies()).toEqual([])
    expect(await desk.press('Call protected')).toBe('GET /protected 200 OK')
    expect(desk.complaints).toEqual([])
  })

  test('signing out everywhere ends all of them, and removes the cookies here', async () => {
    const origin = await open()
    const phone = await signedIn(origin)
    const desk = await signedIn(origin)
    expect(await desk.press('Sign out everywhere')).toBe('DELETE /sessions 200 OK')
    expect(await desk.context.cookies()).toEqual([])
    expect(await phone.press('Call protected')).toBe('GET /protected 401 Unauthorized token_revoked')
    expect(await desk.signIn()).toBe('POST /login 200 OK')
  })

  test('a stolen refresh cookie ends the session once the grace is over', async () => {
    const owner = await signedIn(await open({ rotationGrace: 1 }))
    const thiefs = await openContext()
    await thiefs.addCookies(await owner.context.cookies())
    const thief = await visit(thiefs, owner.page.url())
    expect(await owner.press('Refresh')).toBe('POST /refresh 200 OK')
    await sleep(1100)
    expect(await thief.press('Refresh')).toBe('POST /refresh 401 Unauthorized refresh_reused')
    expect(await thiefs.cookies()).toEqual([])
    expect(await owner.press('Call protected')).toBe('GET /protected 401 Unauthorized token_revoked')
  })

  test('five tabs that refresh at once stay signed in', async () => {
    const site = await openSite()
    sites.push(site)
    // All five carry the same cookies, as none is answered before the last one has come.
    site.gather('tab', 5)
    const person = await signedIn(site.at('localhost'))
    const statuses = await person.page.evaluate(async () => {
      const csrf = /csrf_refresh_token=([^;]*)/.exec(document.cookie)?.[1] ?? ''
      const refresh = (): Promise<Response> =>
        fetch('/refresh?tab', { method: 'POST', headers: { 'X-CSRF-Token': csrf } })
      return (await Promise.all([refresh(), refresh(), refresh(), refresh(), refresh()])).map(
        (one) => one.status,
      )
    })
    expect(statuses).toEqual([200, 200, 200, 200, 200])
    expect(await person.press('Refresh')).toBe('POST /refresh 200 OK')
    expect(await person.press('Call protected')).toBe('GET /protected 200 OK')
  })

  test('a tab that read its CSRF cookie just before another one refreshed is served when it reads again', async () => {
    const person = await signedIn(await open())
    const before = await person.page.evaluate(() => document.cookie)
    expect(await person.press('Refresh')).toBe('POST /refresh 200 OK')
    const cookies = await person.context.cookies()
    const late = await person.page.evaluate(async (before) => {
      const csrf = /csrf_refresh_token=([^;]*)/.exec(before)?.[1] ?? ''
      const response = await fetch('/refresh', { method: 'POST', headers: { 'X-CSRF-Token': csrf } })
      const { code }: { code: string } = await response.json()
      return `${response.status} ${code}`
    }, before)
    expect(late).toBe('401 csrf_mismatch')
    expect(await person.context.cookies()).toEqual(cookies)
    expect(await person.press('Refresh')).toBe('POST /refresh 200 OK')
  })

  test('a person who ends the session of this browser is signed out here', async () => {
    const person = await signedIn(await open())
    const own = { name: /^End .+, this browser$/ }
    await person.page.getByRole('button', own).click()
    await person.page.getByText('That was this session', { exact: false }).waitFor()
    await person.page.getByLabel('User name').waitFor()
    expect(await person.context.cookies()).toEqual([])
    expect(await person.signIn()).toBe('POST /login 200 OK')
    expect(person.complaints).toEqual([])
  })

  test('the same where CSRF protection is off, and no cookie tells', async () => {
    const person = await signedIn(await open({ cookieCsrfProtect: false }))
    await person.page.getByRole('button', { name: /^End .+, this browser$/ }).click()
    await person.page.getByLabel('User name').waitFor()
    await person.page.reload()
    await person.page.getByLabel('User name').waitFor()
    expect(await person.signIn()).toBe('POST /login 200 OK')
    expect(await person.press('Sign out everywhere')).toBe('DELETE /sessions 200 OK')
    await person.page.getByLabel('User name').waitFor()
  })

  test('a page that gets the focus says by itself that its session was ended elsewhere', async () => {
    const origin = await open()
    const phone = await signedIn(origin)
    const desk = await signedIn(origin)
    await expect.poll(() => rows(phone)).toHaveLength(1)
    expect(await desk.press('Sign out everywhere')).toBe('DELETE /sessions 200 OK')
    await phone.page.evaluate(() => window.dispatchEvent(new Event('focus')))
    await phone.page.getByRole('status').getByText('This session has ended').waitFor()
    expect(await rows(phone)).toEqual([])
    expect(await phone.context.cookies()).toEqual([])
    expect(await phone.signIn()).toBe('POST /login 200 OK')
  })

  test('the keyboard keeps its place in the list, also when the list is asked for anew', async () => {
    const origin = await open()
    await signedIn(origin)
    const desk = await signedIn(origin)
    await expect.poll(() => rows(desk)).toHaveLength(2)
    const focused = () =>
      desk.page.evaluate(() => document.activeElement?.ariaLabel ?? document.activeElement?.id)
    const buttons = desk.page.locator('#sessions button')
    await buttons.last().focus()
    const name = await focused()
    await signedIn(origin)
    await desk.page.evaluate(() => window.dispatchEvent(new Event('focus')))
    await expect.poll(() => rows(desk)).toHaveLength(3)
    expect(await focused()).toBe(name)
    await desk.page.keyboard.press('Enter')
    await expect.poll(() => rows(desk)).toHaveLength(2)
    expect(await focused()).toBe('sessions-title')
  })

  test('a store that cannot be reached is told, and the list is back with it', async () => {
    let isDown = false
    const healthy = memoryStore()
    const store = new Proxy(healthy, {
      get(target, name: keyof Store) {
        const method = target[name]?.bind(target)
        return name === 'list' && isDown ? () => Promise.reject(new Error('away')) : method
      },
    })
    const person = await signedIn(await open({ store }))
    await expect.poll(() => rows(person)).toHaveLength(1)
    isDown = true
    expect(await person.press('Call protected')).toBe('GET /protected 200 OK')
    await person.page.getByRole('status').getByText('The server cannot reach its store').waitFor()
    isDown = false
    await person.press('Call protected')
    await expect.poll(() => rows(person)).toHaveLength(1)
  })

  test('a second refresh within the grace brings the same tokens, and the page says so', async () => {
    const person = await signedIn(await open())
    expect(await person.press('Refresh')).toBe('POST /refresh 200 OK')
    await person.page.getByText('both tokens are new', { exact: false }).waitFor()
    const before = await person.context.cookies()
    expect(await person.press('Refresh')).toBe('POST /refresh 200 OK')
    await person.page.getByText('the same tokens came back', { exact: false }).waitFor()
    const values = (cookies: typeof before): string[] => cookies.map(({ value }) => value).toSorted()
    expect(values(await person.context.cookies())).toEqual(values(before))
  })

  test.each([360, 1280])('nothing is wider than a screen of %d pixels', async (width) => {
    const origin = await open()
    const context = await openContext({ userAgent: `Agent/${'0123456789'.repeat(30)}` })
    await (await visit(context, origin)).signIn()
    const person = await signedIn(origin)
    await person.page.setViewportSize({ width, height: 800 })
    await expect.poll(() => rows(person)).toHaveLength(2)
    expect(await person.page.evaluate(() => document.documentElement.scrollWidth)).toBe(width)
  })

  test('a restart of the server loses nobody', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tallystick-browser-'))
    try {
      const STORE = `sqlite:${join(folder, 'sessions.sqlite')}`
      const before = await startDemo({ STORE, PORT: '0' })
      const person = await signedIn(before.origin)
      expect(await before.stop()).toBe(0)
      await startDemo({ STORE, PORT: new URL(before.origin).port })
      expect(await person.press('Call protected')).toBe('GET /protected 200 OK')
      expect(await person.press('Refresh')).toBe('POST /refresh 200 OK')
      expect(await rows(person)).toHaveLength(1)
      expect(person.complaints).toEqual([])
    } finally {
      endDemos()
      await rm(folder, { recursive: true, force: true })
    }
  })
})
