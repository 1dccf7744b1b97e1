// The page and its files, from a fixed list. What a request asks for must never become a path on the disk.

import { readFile } from 'node:fs/promises'
import { Hono } from 'hono'

// Tests run this file where it is, `npm start` its copy in dist/.
const demo = new URL(import.meta.url.endsWith('.ts') ? './' : '../', import.meta.url)

const css = 'text/css; charset=utf-8'
const script = 'text/javascript; charset=utf-8'

const files = [
  { path: '/style.css', file: 'page/style.css', type: css },
  { path: '/tally.svg', file: 'page/tally.svg', type: 'image/svg+xml' },
  ...['page', 'cookies', 'meaning', 'requests', 'sessions', 'template', 'timeline'].map((name) => ({
    path: `/${name}.js`,
    file: `dist/page/${name}.js`,
    type: script,
  })),
]

export function createAssets({ csrfProtected }: { csrfProtected: boolean }): Hono {
  const app = new Hono()
  // The page must never run against an older script or style.
  const headers = { 'Cache-Control': 'no-cache' }

  app.get('/', async (c) => {
    const page = await readFile(new URL('page/index.html', demo), 'utf8')
    return c.html(page.replace('data-csrf="on"', `data-csrf="${csrfProtected ? 'on' : 'off'}"`), 200, headers)
  })
  for (const { path, file, type } of files) {
    app.get(path, async (c) => {
      return c.body(await readFile(new URL(file, demo), 'utf8'), 200, { ...headers, 'Content-Type': type })
    })
  }
  return app
}
