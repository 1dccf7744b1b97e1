// What is special about h3 1: middleware that stands around nothing, and answers whose headers replace all others.

import { createApp, createRouter, defineEventHandler, fromNodeMiddleware, toNodeListener } from 'h3-1'
import type { EventHandler } from 'h3-1'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { h3Auth } from '../../src/adapters/h3.ts'
import type { AuthOptions } from '../../src/index.ts'
import type { RunningApp } from '../../src/testing.ts'
import { cookieHeader, cookiesOf, setup } from '../_setup.ts'
import { listen } from './_node.ts'

const names = ['access_token_cookie', 'csrf_access_token', 'csrf_refresh_token', 'refresh_token_cookie']

const running: RunningApp[] = []
// h3 writes every error that it does not know to the console.
const complaints = vi.fn<(...words: unknown[]) => void>()
beforeEach(() => void vi.spyOn(console, 'error').mockImplementation(complaints))

afterEach(async () => {
  vi.restoreAllMocks()
  complaints.mockReset()
  await Promise.all(running.splice(0).map(async (app) => app.close()))
})

async function h3Setup(options: AuthOptions = {}) {
  const { auth } = setup(options)
  const access = await auth.createAccessToken('ada')
  const refresh = await auth.createRefreshToken('ada')
  return {
    access,
    ...h3Auth(auth),
    headers: {
      cookie: cookieHeader({ access_token_cookie: access, refresh_token_cookie: refresh }),
      'x-csrf-token': auth.getUnverifiedJwtClaims(refresh)['csrf'] as string,
    },
  }
}

/** Serves handlers, one after the other, and asks for /api/who. */
async function ask(init: RequestInit, ...handlers: EventHandler[]): Promise<Response> {
  const app = createApp()
  for (const handler of handlers) app.use(handler)
  const server = await listen(toNodeListener(app))
  running.push(server)
  return fetch(`${server.origin}/api/who`, init)
}

async function codeIn(response: Response): Promise<unknown> {
  return ((await response.json()) as { code?: unknown }).code
}

const post = { method: 'POST' }

describe('a guard', () => {
  test('as middleware refuses, and runs nothing behind it', async () => {
    const { jwtRequired } = await h3Setup()
    let runs = 0
    const response = await ask(
      {},
      defineEventHandler(jwtRequired()),
      defineEventHandler(() => runs++),
    )
    expect([response.status, await codeIn(response), runs]).toEqual([401, 'token_missing', 0])
  })

  test('as middleware lets pass, and the handler knows who it is', async () => {
    const { authorize, headers, jwtRequired } = await h3Setup()
    const who = defineEventHandler((event) => authorize(event).subject())
    expect(await (await ask({ headers }, defineEventHandler(jwtRequired()), who)).text()).toBe('ada')
  })

  test('as onRequest waits for what has to be waited for', async () => {
    let isRevoked = true
    const { headers, jwtRequired } = await h3Setup({ denylist: async () => isRevoked })
    const handler = defineEventHandler({ onRequest: [jwtRequired()], handler: () => 'in' })
    expect(await codeIn(await ask({ headers }, handler))).toBe('token_revoked')
    isRevoked = false
    expect(await (await ask({ headers }, handler)).text()).toBe('in')
  })

  test('after the headers runs nothing behind it, and the process lives', async () => {
    const { jwtRequired } = await h3Setup()
    let runs = 0
    const half = fromNodeMiddleware((_request, response, next) => {
      response.write('half')
      setTimeout(() => response.end(), 50)
      next()
    })
    // What has begun to answer is the last that h3 1 asks, so the guard stands in the same handler.
    const handler = defineEventHandler({
      onRequest: [half as never, jwtRequired()],
      handler: () => runs++,
    })
    expect(await (await ask({}, handler)).text()).toBe('half')
    expect(runs).toBe(0)
  })

  test('deletes planted cookies at the paths that the client sees, behind a prefix too', async () => {
    const { access, jwtRequired } = await h3Setup()
    const router = createRouter().get(
      '/who',
      defineEventHandler({ onRequest: jwtRequired(), handler: () => 1 }),
    )
    const app = createApp().use('/api', router.handler)
    const server = await listen(toNodeListener(app))
    running.push(server)
    const cookie = `access_token_cookie=planted; access_token_cookie=${access}`
    const response = await fetch(`${server.origin}/api/who`, { headers: { cookie } })
    const paths = response.headers.getSetCookie().map((line) => /; Path=([^;]+)/.exec(line)?.[1])
    expect([...new Set(paths)]).toEqual(['/', '/api', '/api/', '/api/who'])
  })

  test('of another Auth sees the event with its own eyes', async () => {
    const { headers, jwtRequired } = await h3Setup()
    const other = await h3Setup({ accessCookieKey: 'other' })
    const handler = defineEventHandler({ onRequest: [jwtRequired(), other.jwtRequired()], handler: () => 1 })
    expect(await (await ask({ headers }, handler)).json()).toMatchObject({ detail: 'Missing cookie other' })
  })
})

describe('authErrors', () => {
  test('answers what the handler that it is given throws', async () => {
    const { authErrors, authorize, headers } = await h3Setup({ denylist: () => true })
    const handler = defineEventHandler((event) => authErrors(event, async () => authorize(event).refresh()))
    const response = await ask({ ...post, headers }, handler)
    expect([response.status, response.headers.get('content-type')]).toEqual([401, 'application/problem+json'])
    expect(response.headers.getSetCookie()).toHaveLength(4)
    expect(await codeIn(response)).toBe('token_revoked')
  })

  test('passes on what is no refusal', async () => {
    const { authErrors } = await h3Setup()
    const handler = defineEventHandler((event) =>
      authErrors(event, () => Promise.reject(new RangeError('mine'))),
    )
    expect((await ask({}, handler)).status).toBe(500)
    expect(complaints.mock.calls.flat().map((word) => String((word as Error).cause))).toContain(
      'RangeError: mine',
    )
  })

  test.each([
    ['text', () => 'text', []],
    ['an object', () => ({ a: 1 }), []],
    ['nothing', () => null, []],
    [
      'a Response that may be cached',
      () => new Response('raw', { headers: { 'cache-control': 'public', 'set-cookie': 'own=1' } }),
      ['own'],
    ],
    ['a Response that cannot be changed', () => Response.redirect('https://app.example/'), []],
  ])('keeps %s with cookies from being stored', async (_name, answer, own: string[]) => {
    const { authErrors, authorize } = await h3Setup()
    const handler = defineEventHandler((event) =>
      authErrors(event, async () => {
        await authorize(event).login('ada')
        return answer()
      }),
    )
    const response = await ask({ ...post, redirect: 'manual' }, handler)
    expect(Object.keys(cookiesOf(response)).toSorted()).toEqual([...names, ...own].toSorted())
    expect(response.headers.get('cache-control')).toBe('no-store')
  })

  test('leaves the caching of an answer without cookies alone', async () => {
    const { authErrors } = await h3Setup()
    const cached = () => new Response('raw', { headers: { 'cache-control': 'public' } })
    const response = await ask(
      {},
      defineEventHandler((event) => authErrors(event, cached)),
    )
    expect(response.headers.get('cache-control')).toBe('public')
  })
})

describe('cookies', () => {
  test('can be set on the event and on the response of Node, given by hand', async () => {
    const { access, authorize } = await h3Setup()
    const handler = defineEventHandler(async (event) => {
      for (const response of [event, event.node.res])
        await authorize(event).setAccessCookies(access, { response })
      return 'set'
    })
    expect((await ask({}, handler)).headers.getSetCookie()).toHaveLength(4)
  })

  test('that come after the headers are a TypeError', async () => {
    const { authorize } = await h3Setup()
    const seen: unknown[] = []
    const handler = defineEventHandler(async (event) => {
      event.node.res.write('half')
      await authorize(event)
        .login('ada')
        .catch((error: unknown) => seen.push(String(error)))
      event.node.res.end()
    })
    await ask(post, handler)
    expect(seen).toEqual([
      'TypeError: Cookies cannot be set any more: the headers of this response have gone',
    ])
  })
})
