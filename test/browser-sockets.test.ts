// What only a real browser can prove of WebSockets: that pages of other origins cannot open one, and our own can.

import { once } from 'node:events'
import type { Server } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { WebSocketServer } from 'ws'
import type { WebSocket as OpenedSocket } from 'ws'
import { createAuth } from '../src/index.ts'
import type { AuthOptions } from '../src/index.ts'
import { expressAuth } from '../src/adapters/express.ts'
import { selectProtocol, wsAuth } from '../src/adapters/ws.ts'
import { memoryStore } from '../src/stores/memory.ts'
import express from 'express'
import { openAttacker, pageOf } from './browser/attacks.ts'
import { chromiumMissing, isChromiumThere, launchChromium } from './browser/chromium.ts'
import type { LiveServer } from './browser/server.ts'
import { secretKey } from './_setup.ts'

if (!isChromiumThere) process.stdout.write(`${chromiumMissing}\n`)

describe.runIf(isChromiumThere)('in a browser', { timeout: 30_000 }, () => {
  let browser: Browser
  let context: BrowserContext
  let attacker: LiveServer
  const ends: (() => unknown)[] = []

  beforeAll(async () => {
    browser = await launchChromium()
    attacker = await openAttacker()
  })
  beforeEach(async () => {
    context = await browser.newContext()
    context.setDefaultTimeout(10_000)
  })
  afterEach(async () => {
    await context.close()
    for (const end of ends.splice(0).toReversed()) await end()
  })
  afterAll(async () => {
    await browser?.close()
    await attacker?.close()
  })

  /** A site with a sign-in, a refresh, tickets and an echo over a socket. */
  async function openSite(options: AuthOptions = {}) {
    const auth = createAuth({ secretKey, store: memoryStore(), ...options })
    const { authorize, authErrors, jwtRequired } = expressAuth(auth)
    const { accept, jwtRequired: socketRequired } = wsAuth(auth)
    /** Each handshake: whether cookies travelled, and its site. */
    const handshakes: { readonly hasCookie: boolean; readonly isOpen: () => boolean }[] = []
    const app = express()
    app.get(
      '/',
      (_request, response) => void response.type('html').send('<!doctype html><title>site</title>'),
    )
    app.post('/login', async (request, response) => {
      await authorize(request, response).login('ada')
      response.json({})
    })
    app.post('/refresh', async (request, response) => {
      await authorize(request, response).refresh()
      response.json({})
    })
    app.post('/ticket', jwtRequired(), async (request, response) => {
      response.json({ ticket: await authorize(request, response).createSocketTicket() })
    })
    app.use(authErrors)
    const wss = new WebSocketServer({ noServer: true, handleProtocols: selectProtocol })
    const open = accept((socket: OpenedSocket, session) => {
      socket.on('message', (data: Buffer) => {
        const text = data.toString()
        if (text === 'who') socket.send(session.subject())
        else
          session.renew(text).then(
            ({ exp }) => socket.send(String(exp)),
            ({ code }) => socket.send(String(code)),
          )
      })
    })
    const listener = socketRequired()((request, socket, head) =>
      wss.handleUpgrade(request, socket, head, open),
    )
    const server: Server = createServer(app)
    server.on('upgrade', (request, socket, head) => {
      const before = wss.clients.size
      const hasCookie = request.headers.cookie?.includes('access_token_cookie=') ?? false
      handshakes.push({ hasCookie, isOpen: () => wss.clients.size > before })
      listener(request, socket, head)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    ends.push(async () => {
      await auth.close()
      for (const client of wss.clients) client.terminate()
      server.close()
      server.closeAllConnections()
    })
    return { at: (host: string) => `http://${host}:${port}`, handshakes, wss }
  }

  async function signedIn(origin: string): Promise<Page> {
    const page = await context.newPage()
    await page.goto(origin)
    await page.evaluate(async () => fetch('/login', { method: 'POST' }))
    return page
  }

  /** Opens a socket in a page; `answer` is what it got for its question, or how it ended. */
  const openSocket = (page: Page, csrf: 'right' | 'wrong' | 'none'): Promise<string> =>
    page.evaluate(async (csrf) => {
      const value = /csrf_access_token=([^;]*)/.exec(document.cookie)?.[1] ?? ''
      const offered = csrf === 'none' ? [] : [`tallystick.csrf.${csrf === 'right' ? value : 'x'}`]
      const socket = new WebSocket(location.origin.replace('http', 'ws'), ['chat', ...offered])
      return new Promise<string>((resolve) => {
        socket.addEventListener('open', () => socket.send('who'))
        socket.addEventListener('message', ({ data }) => resolve(`${socket.protocol} ${String(data)}`))
        socket.addEventListener('close', ({ code }) => resolve(`closed ${code}`))
      })
    }, csrf)

  test.each(['localhost', '127.0.0.1', 'app.demo.localhost'])(
    'a page of http://%s opens its socket, and only with the right CSRF value',
    async (host) => {
      const site = await openSite()
      const page = await signedIn(site.at(host))
      expect(await openSocket(page, 'right')).toBe('chat ada')
      expect(await openSocket(page, 'wrong')).toBe('closed 1006')
      expect(await openSocket(page, 'none')).toBe('closed 1006')
    },
  )

  const attack = (url: string, protocols: readonly string[]): string => `<script>
    const socket = new WebSocket('${url}', ${JSON.stringify(protocols)})
    socket.onopen = () => { document.title = 'open' }
    socket.onclose = ({ code }) => { document.title ||= 'closed ' + code }
  </script>`

  test.each([
    ['another site', 'localhost', '127.0.0.1', {}],
    [
      'another site, where SameSite=None lets cookies travel',
      'localhost',
      '127.0.0.1',
      { cookieSamesite: 'none' },
    ],
    ['a sibling host, where cookies do travel', 'app.demo.localhost', 'evil.demo.localhost', {}],
    [
      'a sibling host, where the origin is all that is left',
      'app.demo.localhost',
      'evil.demo.localhost',
      { cookieCsrfProtect: false, fetchMetadata: false },
    ],
    [
      'another port of the same host',
      'localhost',
      'localhost',
      { cookieCsrfProtect: false, fetchMetadata: false },
    ],
  ] as const)('a page of %s cannot open it', async (_title, host, attackerHost, options) => {
    const site = await openSite(options)
    await signedIn(site.at(host))
    const page = await context.newPage()
    const url = site.at(host).replace('http', 'ws')
    await page.goto(pageOf(attacker.at(attackerHost), attack(url, ['chat'])))
    await page.waitForFunction(() => document.title !== '')
    expect(await page.title()).toBe('closed 1006')
    expect(site.handshakes.map(({ isOpen }) => isOpen())).toEqual([false])
    // Where they travelled, only the check kept it out.
    if (attackerHost !== '127.0.0.1') expect(site.handshakes[0]?.hasCookie).toBe(true)
    expect(site.wss.clients.size).toBe(0)
  })

  test('a page goes on over its open socket after a refresh, by a ticket', async () => {
    const site = await openSite({ accessTokenExpires: 4, rotationGrace: 1, maxStaleness: 2 })
    const page = await signedIn(site.at('localhost'))
    const result = await page.evaluate(async () => {
      const csrf = (type: string): string =>
        new RegExp(`csrf_${type}_token=([^;]*)`).exec(document.cookie)?.[1] ?? ''
      const post = async (path: string, type: string): Promise<Response> =>
        fetch(path, { method: 'POST', headers: { 'X-CSRF-Token': csrf(type) } })
      const protocols = ['chat', `tallystick.csrf.${csrf('access')}`]
      const socket = new WebSocket(location.origin.replace('http', 'ws'), protocols)
      const closed = new Promise<number>((resolve) => {
        socket.addEventListener('close', ({ code }) => resolve(code))
      })
      const next = async (text: string): Promise<string> =>
        new Promise((resolve) => {
          socket.addEventListener('message', ({ data }) => resolve(String(data)), { once: true })
          socket.send(text)
        })
      await new Promise((resolve) => socket.addEventListener('open', resolve))
      const opened = performance.now()
      await new Promise((resolve) => setTimeout(resolve, 2000))
      await post('/refresh', 'refresh')
      const { ticket } = (await (await post('/ticket', 'access')).json()) as { ticket: string }
      const until = await next(ticket)
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, opened + 4500 - performance.now())))
      return { until, who: await next('who'), code: await closed }
    })
    expect(Number(result.until)).toBeGreaterThan(Date.now() / 1000 - 10)
    expect([result.who, result.code]).toEqual(['ada', 4401])
  })
})
