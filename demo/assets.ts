// The page and its files, from a fixed list. What a request asks for must never become a path on the disk.

import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { Hono } from 'hono'
import { getCookie } from 'hono/cookie'
import type { Auth } from 'tallystick'
import type { Journal } from './journal.ts'
import { browserCookie, setBrowserCookie } from './watch.ts'

// Tests run this file where it is, `npm start` its copy in dist/.
const demo = new URL(import.meta.url.endsWith('.ts') ? './' : '../', import.meta.url)

const css = 'text/css; charset=utf-8'
const script = 'text/javascript; charset=utf-8'

const scripts = ['page', 'attacks', 'checks', 'cookies', 'frame', 'life', 'meaning', 'notes', 'outcome']
const moreScripts = ['requests', 'session', 'sessions', 'template', 'timeline']

const files = [
  ...['style', 'forms', 'session', 'attacks', 'timeline'].map((name) => ({
    path: `/${name}.css`,
    file: `page/${name}.css`,
    type: css,
  })),
  { path: '/tally.svg', file: 'page/tally.svg', type: 'image/svg+xml' },
  ...[...scripts, ...moreScripts].map((name) => ({
    path: `/${name}.js`,
    file: `dist/page/${name}.js`,
    type: script,
  })),
]

/** One of the demo's own files. */
export async function readAsset(file: string): Promise<string> {
  return readFile(new URL(file, demo), 'utf8')
}

/** The browser's side of the package, as it is published. */
const client = fileURLToPath(import.meta.resolve('tallystick/client'))

/** @param journal Is there in development: it gets to know each browser that opens the page. */
export function createAssets({ options }: Auth, journal?: Journal): Hono {
  const app = new Hono()
  // The page must never run against an older script or style.
  const headers = { 'Cache-Control': 'no-cache' }

  app.get('/', async (c) => {
    if (journal !== undefined && !journal.knows(getCookie(c, browserCookie)))
      setBrowserCookie(c, journal.open())
    const page = await readAsset('page/index.html')
    const facts = page
      .replace('data-csrf="on"', `data-csrf="${options.cookieCsrfProtect ? 'on' : 'off'}"`)
      .replace('data-development="off"', `data-development="${journal === undefined ? 'off' : 'on'}"`)
      .replace('data-grace="30"', `data-grace="${options.rotationGrace}"`)
    return c.html(facts, 200, headers)
  })
  app.get('/dist/client.js', async (c) => {
    return c.body(await readFile(client, 'utf8'), 200, { ...headers, 'Content-Type': script })
  })
  for (const { path, file, type } of files) {
    app.get(path, async (c) => c.body(await readAsset(file), 200, { ...headers, 'Content-Type': type }))
  }
  return app
}
