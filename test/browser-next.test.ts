// What only a real browser can prove of Next.js: forms with scripts, its router, and the refresh before a navigation.

import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { RunningApp } from '../src/testing.ts'
import { startNext } from './adapters/_next.ts'
import { chromiumMissing, isChromiumThere, launchChromium } from './browser/chromium.ts'

if (!isChromiumThere) process.stdout.write(`${chromiumMissing}\n`)

describe.runIf(isChromiumThere)('in a browser, Next.js', { timeout: 60_000 }, () => {
  let browser: Browser
  let app: RunningApp
  let context: BrowserContext
  let page: Page

  beforeAll(async () => {
    app = await startNext('test/next')
    browser = await launchChromium()
  })
  beforeEach(async () => {
    context = await browser.newContext({ baseURL: app.origin })
    context.setDefaultTimeout(20_000)
    page = await context.newPage()
  })
  afterEach(async () => context.close())
  afterAll(async () => {
    await browser?.close()
    await app?.close()
  })

  async function signIn(): Promise<void> {
    await page.goto('/site/login', { waitUntil: 'networkidle' })
    await page.fill('input[name=name]', 'ada')
    await page.click('text=Sign in')
    await page.waitForSelector('h1:text("Hello ada")')
  }

  /** What happens when the access cookie reaches its end. */
  async function lapse(): Promise<void> {
    await context.clearCookies({ name: 'access_token_cookie' })
    await context.clearCookies({ name: 'csrf_access_token' })
  }

  const hasAccess = async (): Promise<boolean> =>
    (await context.cookies()).some(({ name }) => name === 'access_token_cookie')

  test('signs in by an action, is guarded by the hidden field, and signs out', async () => {
    await signIn()
    const cookies = await context.cookies()
    expect(
      cookies
        .filter(({ httpOnly }) => httpOnly)
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual(['access_token_cookie', 'refresh_token_cookie'])
    expect(cookies.filter(({ name }) => name.includes('token')).every(({ secure }) => secure)).toBe(true)
    await page.fill('#rename input[name=name]', 'x')
    await page.click('text=Rename')
    await page.waitForURL('**/site/public?by=ada&name=x')
    await page.goto('/site')
    await page.evaluate(() =>
      document.querySelector('#sign-out input[name=csrf_token]')?.setAttribute('value', 'x'),
    )
    await page.click('text=Sign out')
    await page.waitForURL('**/site/login?code=csrf_mismatch')
    expect(await hasAccess()).toBe(true)
    await page.goto('/site')
    await page.click('text=Sign out')
    await page.waitForSelector('h1:text("nobody")')
    expect((await context.cookies()).map(({ name }) => name)).toEqual(['theme'])
  })

  test('refreshes before a page that is loaded again, whose render is signed in already', async () => {
    await signIn()
    await lapse()
    await page.reload()
    expect(await page.textContent('h1')).toBe('Hello ada')
    expect(await hasAccess()).toBe(true)
  })

  test('renews nothing for what the router prefetches, and navigates by a document where a refresh is due', async () => {
    await signIn()
    await page.goto('/site/public', { waitUntil: 'networkidle' })
    await lapse()
    const prefetched = page.waitForResponse((response) => response.url().includes('/site?again'))
    await page.evaluate(() => {
      const { next } = window as unknown as { next: { router: { prefetch(path: string): void } } }
      next.router.prefetch('/site?again')
    })
    expect((await prefetched).status()).toBe(401)
    expect(await hasAccess()).toBe(false)
    await page.click('text=Home')
    await page.waitForSelector('h1:text("Hello ada")')
    expect(await hasAccess()).toBe(true)
  })

  test('prefetched by the browser itself is not refreshed', async () => {
    await signIn()
    await page.goto('/site/public', { waitUntil: 'networkidle' })
    await lapse()
    const prefetch = page.waitForRequest((request) => request.headers()['sec-purpose'] !== undefined)
    await page.evaluate(() => {
      const link = document.createElement('link')
      link.rel = 'prefetch'
      link.href = '/site'
      document.head.append(link)
    })
    await (await prefetch).response()
    expect(await hasAccess()).toBe(false)
  })
})
