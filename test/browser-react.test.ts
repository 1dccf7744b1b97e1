// The hook of docs/browser.md, as it is written there, in a page of React.

import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { isChromiumThere, launchChromium } from './browser/chromium.ts'
import { openClientSite } from './browser/client-site.ts'
import type { ClientSite } from './browser/client-site.ts'

const stepTimeoutMs = 10_000

describe.runIf(isChromiumThere)('useAuth', { timeout: 6 * stepTimeoutMs }, () => {
  let browser: Browser
  let script: string
  let context: BrowserContext
  let site: ClientSite
  const complaints: string[] = []

  beforeAll(async () => {
    script = await bundle()
    browser = await launchChromium()
  })
  afterEach(async () => {
    await context?.close()
    await site?.close()
  })
  afterAll(async () => browser?.close())

  async function open(): Promise<Page> {
    site = await openClientSite({}, [], { scripts: { '/react': script } })
    context = await browser.newContext()
    context.setDefaultTimeout(stepTimeoutMs)
    complaints.length = 0
    return openTab()
  }

  async function openTab(): Promise<Page> {
    const page = await context.newPage()
    page.on('pageerror', (error) => complaints.push(String(error)))
    page.on('console', (message) => {
      // Chromium reports refusals, of which there is none here.
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
    })
    await page.goto(`${site.at('localhost')}/react`)
    await page.waitForFunction(() => window.react !== undefined)
    return page
  }

  async function send(page: Page, method: string, path: string, username?: string): Promise<void> {
    const init = { method, ...(username !== undefined && { body: JSON.stringify({ username }) }) }
    const isOk = await page.evaluate(async ([path, init]) => (await window.react.authFetch(path, init)).ok, [
      path,
      init,
    ] as const)
    expect(isOk).toBe(true)
  }

  const start = (page: Page, how: 'render' | 'hydrate'): Promise<void> =>
    page.evaluate((how) => window.react.start(how), how)
  const expectText = (page: Page, text: string): Promise<void> =>
    page.getByText(text, { exact: true }).waitFor()

  test('draws again for each sign-in and sign-out of any tab, as somebody else too, and for nothing more', async () => {
    const page = await open()
    const other = await openTab()
    await start(page, 'render')
    await start(other, 'render')
    await expectText(page, 'out: nobody')
    await send(page, 'POST', '/login', 'ada')
    await expectText(page, 'in: ada')
    await expectText(other, 'in: ada')
    await send(other, 'POST', '/login', 'bob')
    await expectText(page, 'in: bob')
    const before = await page.evaluate(() => window.draws)
    site.pass(1200)
    await send(page, 'GET', '/who')
    await send(other, 'GET', '/who')
    expect(site.count('POST /refresh 200')).toBe(1)
    expect(await page.evaluate(() => window.draws)).toBe(before)
    await send(other, 'DELETE', '/logout')
    await expectText(page, 'out: nobody')
    await expectText(other, 'out: nobody')
    expect(complaints.filter((text) => !text.includes('status of 401'))).toEqual([])
  })

  test('begins with what the server has drawn, and goes on with who is signed in', async () => {
    const page = await open()
    await send(page, 'POST', '/login', 'ada')
    await start(page, 'hydrate')
    await expectText(page, 'in: ada')
    expect(complaints).toEqual([])
  })
})

/** The page, with the code of the documentation, untouched, as its hook. */
async function bundle(): Promise<string> {
  const markdown = await readFile(new URL('../docs/browser.md', import.meta.url), 'utf8')
  const hook = [...markdown.matchAll(/^```ts\n(.*?)^```$/gms)].find(([, code]) =>
    code?.includes('useAuth'),
  )?.[1]
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('browser/react-page.ts', import.meta.url))],
    bundle: true,
    format: 'esm',
    write: false,
    // React's own warnings are what the test listens for.
    define: { 'process.env.NODE_ENV': '"development"' },
    plugins: [
      {
        name: 'documentation',
        setup({ onResolve, onLoad }) {
          onResolve({ filter: /^use-auth$/ }, () => ({ path: 'use-auth', namespace: 'documentation' }))
          onLoad({ filter: /.*/, namespace: 'documentation' }, () => ({
            contents: hook ?? '',
            loader: 'ts',
            resolveDir: import.meta.dirname,
          }))
        },
      },
    ],
  })
  return outputFiles[0]?.text ?? ''
}
