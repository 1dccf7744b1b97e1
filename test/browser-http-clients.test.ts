// axios and ky in a real browser, with the client as their `fetch`: what pages do with them, from sign-in to sign-out.

import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import type { BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createCertificate, launchWithCertificate } from './browser/certificate.ts'
import type { Certificate } from './browser/certificate.ts'
import { isChromiumThere } from './browser/chromium.ts'
import { openClientSite } from './browser/client-site.ts'
import type { ClientSite } from './browser/client-site.ts'

const libraries = ['axios', 'ky'] as const
const stepTimeoutMs = 10_000

describe.runIf(isChromiumThere)('through the client as their fetch', { timeout: 6 * stepTimeoutMs }, () => {
  let certificate: Certificate
  let browser: Awaited<ReturnType<typeof launchWithCertificate>>
  let scripts: Record<string, string>
  let context: BrowserContext | undefined
  const sites: ClientSite[] = []

  beforeAll(async () => {
    certificate = await createCertificate()
    const paths = libraries.map((library) => [`/${library}`, `browser/${library}-page.ts`] as const)
    const bundles = paths.map(async ([path, file]) => [path, await bundle(file)] as const)
    scripts = Object.fromEntries(await Promise.all(bundles))
    browser = await launchWithCertificate(certificate)
  })
  afterEach(async () => {
    await context?.close()
    await Promise.all(sites.splice(0).map((site) => site.close()))
  })
  afterAll(async () => browser?.close())

  async function open(library: string, isSecure = false): Promise<{ site: ClientSite; page: Page }> {
    const site = await openClientSite({}, [], { scripts, ...(isSecure && { certificate }) })
    sites.push(site)
    context = await browser.newContext()
    context.setDefaultTimeout(stepTimeoutMs)
    const page = await context.newPage()
    await page.goto(`${site.at(isSecure ? 'app.shop.example' : 'localhost')}/${library}`)
    await page.waitForFunction(() => window.http !== undefined)
    return { site, page }
  }

  async function signedIn(library: string, isSecure?: boolean): Promise<{ site: ClientSite; page: Page }> {
    const opened = await open(library, isSecure)
    expect(await send(opened.page, 'POST', '/login', { username: 'ada' })).toBe('200 {}')
    return opened
  }

  /** Status and text; of a rejection the code of its refusal, or its name. */
  function send(
    page: Page,
    method: string,
    url: string,
    json?: unknown,
    timeoutMs = 60_000,
  ): Promise<string> {
    return page.evaluate(
      async ([method, url, json, timeoutMs]) => {
        try {
          return await window.http.send(method, url, { ...(json !== undefined && { json }), timeoutMs })
        } catch (error) {
          return (await window.http.codeOf(error)) ?? (error as Error).name
        }
      },
      [method, url, json, timeoutMs] as const,
    )
  }

  const who = '200 {"user":"ada"}'

  describe.each(libraries)('%s', (library) => {
    test('signs in, sends again what met an access token that had ended, and signs out', async () => {
      const { site, page } = await signedIn(library)
      expect(await send(page, 'GET', '/who')).toBe(who)
      site.pass(1200)
      expect(await send(page, 'POST', '/echo', { text: 'text' })).toBe('200 {"text":"text"}')
      expect(site.headers.get('/echo')?.get('content-type')).toMatch(/^application\/json/)
      expect(await send(page, 'DELETE', '/logout')).toBe('200 {}')
      expect(site.answers).toEqual([
        'POST /login 200',
        'GET /who 200',
        'POST /echo 401',
        'POST /refresh 200',
        'POST /echo 200',
        'DELETE /logout 200',
      ])
      expect(await page.evaluate(() => window.news)).toEqual(['signed out'])
    })

    test('refreshes before the request when the browser has dropped the access token', async () => {
      const { site, page } = await signedIn(library)
      await context?.clearCookies({ name: /access/ })
      expect(await send(page, 'GET', '/who')).toBe(who)
      expect(site.answers.slice(1)).toEqual(['POST /refresh 200', 'GET /who 200'])
    })

    test('refreshes once for many requests', async () => {
      const { site, page } = await signedIn(library)
      site.pass(1200)
      const answers = await Promise.all(Array.from({ length: 10 }, () => send(page, 'GET', '/who')))
      expect(answers).toEqual(answers.map(() => who))
      expect(site.count('POST /refresh 200')).toBe(1)
    })

    test('rejects with an error that has the code of the refusal', async () => {
      const { page } = await open(library)
      expect(await send(page, 'GET', '/who')).toBe('token_missing')
      expect(await send(page, 'POST', '/login', { username: 'ada' })).toBe('200 {}')
      await page.evaluate(() => {
        document.cookie = 'csrf_access_token=wrong; path=/'
      })
      expect(await send(page, 'POST', '/echo', {})).toBe('csrf_mismatch')
    })

    test.each(['FormData', 'Blob'] as const)('uploads a file again as a %s', async (kind) => {
      const { site, page } = await signedIn(library)
      site.pass(1200)
      const text = await page.evaluate(async (kind) => {
        const file = new File(['0123456789'.repeat(20_000)], 'digits.txt', { type: 'text/plain' })
        const form = new FormData()
        form.append('file', file)
        return window.http.send('POST', '/echo', { body: kind === 'Blob' ? file : form })
      }, kind)
      expect(text).toContain('0123456789'.repeat(20_000))
      expect(text.includes('filename="digits.txt"')).toBe(kind === 'FormData')
      expect(site.answers.slice(1)).toEqual(['POST /echo 401', 'POST /refresh 200', 'POST /echo 200'])
    })

    test('uploads with progress, which browsers do over HTTP/2 only', async () => {
      const { site, page } = await signedIn(library, true)
      site.pass(1200)
      const [text, count] = await page.evaluate(async () => {
        let count = 0
        const body = new Blob(['0123456789'.repeat(20_000)])
        const onUploadProgress = (): void => {
          count++
        }
        return [await window.http.send('POST', '/echo', { body, onUploadProgress }), count] as const
      })
      expect(text).toBe(`200 ${'0123456789'.repeat(20_000)}`)
      expect(count).toBeGreaterThan(0)
      expect(site.count('POST /echo 200')).toBe(1)
    })

    test('gives up at its own time, and the refresh goes on', async () => {
      const { site, page } = await signedIn(library)
      await context?.clearCookies({ name: /access/ })
      site.plan('/refresh', { kind: 'slow', seconds: 2 })
      expect(await send(page, 'POST', '/echo', {}, 500)).toMatch(/^(AxiosError|TimeoutError)$/)
      await expect.poll(() => site.count('POST /refresh 200'), { timeout: stepTimeoutMs }).toBe(1)
      expect(await send(page, 'GET', '/who')).toBe(who)
      expect(await page.evaluate(() => window.news)).toEqual([])
    })
  })
})

async function bundle(file: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(file, import.meta.url))],
    bundle: true,
    format: 'esm',
    write: false,
  })
  return outputFiles[0]?.text ?? ''
}
