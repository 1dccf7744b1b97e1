// The attackers' sites: one page, which sends the one request that its address names. They serve nothing else.

import { Hono } from 'hono'
import { readAsset } from './assets.ts'
import { createAttackerHeaders } from './headers.ts'

export function createAttacker(): Hono {
  const app = new Hono()
  app.use(createAttackerHeaders())
  app.get('/', async (c) => c.html(await readAsset('page/attacker.html')))
  app.get('/attacker.css', async (c) => {
    return c.body(await readAsset('page/attacker.css'), 200, { 'Content-Type': 'text/css; charset=utf-8' })
  })
  app.get('/attacker.js', async (c) => {
    const script = await readAsset('dist/page/attacker.js')
    return c.body(script, 200, { 'Content-Type': 'text/javascript; charset=utf-8' })
  })
  app.notFound((c) => c.json({ detail: 'Not Found' }, 404))
  return app
}
