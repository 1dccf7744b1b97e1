// The demo's page as a person uses it: by the labels on the screen. Whatever the browser complains about is kept.

import type { BrowserContext, Page } from 'playwright-core'

export interface Person {
  readonly page: Page
  /** Console errors, page errors and violations of the content security policy. */
  readonly complaints: readonly string[]
  /** Fills in the form and sends it; gives the newest line of the timeline. */
  signIn(password?: string): Promise<string>
  /** Presses a button; gives the newest line of the timeline, such as `POST /refresh 200 OK`. */
  press(button: string): Promise<string>
  /** The names of the cookies that script can read, sorted. */
  readableCookies(): Promise<readonly string[]>
}

export async function visit(context: BrowserContext, origin: string): Promise<Person> {
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
  })
  await page.goto(origin)
  const press = async (button: string): Promise<string> => {
    // Chromium draws no frames for a tab behind another one, and a click waits for frames.
    await page.bringToFront()
    const entries = page.locator('#entries > li')
    const before = await entries.count()
    await page.getByRole('button', { name: button, exact: true }).click()
    await entries.nth(before).waitFor()
    return readEntry(page)
  }
  return {
    page,
    complaints,
    press,
    async signIn(password = 'test') {
      await page.getByLabel('User name').fill('test')
      await page.getByLabel('Password').fill(password)
      return press('Sign in')
    },
    readableCookies: () => readableCookies(page),
  }
}

export async function readableCookies(page: Page): Promise<readonly string[]> {
  const text = await page.evaluate(() => document.cookie)
  return text
    .split('; ')
    .flatMap((pair) => (pair === '' ? [] : pair.split('=').slice(0, 1)))
    .toSorted()
}

/** The newest stands first: method, path, status and, of a refusal, the code. */
async function readEntry(page: Page): Promise<string> {
  const entry = page.locator('#entries > li').first()
  const parts = ['method', 'path', 'status', 'code'].map((part) => `[data-part="${part}"]`)
  return (await entry.locator(parts.join(', ')).allInnerTexts()).join(' ')
}

/** Sends a request as a page of the site would, with whichever CSRF cookie it can read; gives the status. */
export async function call(page: Pick<Page, 'evaluate'>, method: string, path: string): Promise<number> {
  const type = path === '/refresh' ? 'refresh' : 'access'
  return page.evaluate(
    async ({ method, path, type }) => {
      const csrf = new RegExp(`csrf_${type}_token=([^;]*)`).exec(document.cookie)?.[1]
      const response = await fetch(path, {
        method,
        headers: { 'content-type': 'application/json', ...(csrf !== undefined && { 'X-CSRF-Token': csrf }) },
        ...(path === '/login' && { body: '{"username":"test","password":"test"}' }),
      })
      return response.status
    },
    { method, path, type },
  )
}
