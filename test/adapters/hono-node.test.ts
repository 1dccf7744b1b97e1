// Under @hono/node-server the request is a lightweight one: a guard must see what middleware has made of it.

import { getRequestListener } from '@hono/node-server'
import { Hono } from 'hono'
import type { Context, MiddlewareHandler } from 'hono'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { honoAuth } from '../../src/adapters/hono.ts'
import { cookieHeader, setup } from '../_setup.ts'

const ends: (() => void)[] = []

afterEach(() => ends.splice(0).forEach((end) => end()))

async function listen(app: Hono): Promise<string> {
  const server = createServer(getRequestListener(app.fetch)).listen(0, '127.0.0.1')
  ends.push(() => {
    server.close()
    server.closeAllConnections()
  })
  await new Promise((resolve) => server.once('listening', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

async function createWorld() {
  const { auth } = setup()
  const cookieOf = async (user: string): Promise<string> =>
    cookieHeader({ access_token_cookie: await auth.createAccessToken(user) })
  return { ...honoAuth(auth), ada: await cookieOf('ada'), bob: await cookieOf('bob') }
}

type World = Awaited<ReturnType<typeof createWorld>>

/** Whom a guard finds behind some middleware, when Ada has sent the request; the same server has seen her before. */
async function userBehind(
  middleware: MiddlewareHandler,
  { authorize, jwtRequired, ada }: World,
): Promise<unknown> {
  const app = new Hono()
  const answer = (c: Context): Response => c.text(authorize(c).subject())
  app.get('/plain', jwtRequired(), answer)
  app.get('/', middleware, jwtRequired(), answer)
  const url = await listen(app)
  for (const _ of [1, 2])
    expect(await (await fetch(`${url}plain`, { headers: { cookie: ada } })).text()).toBe('ada')
  const response = await fetch(url, { headers: { cookie: ada } })
  return response.status === 200 ? response.text() : response.status
}

const replace = (c: Context, raw: Request): void => {
  c.req.raw = raw
}

/** What middleware can do so that the request is not Ada's any more; `null` for nobody's. */
const changes: readonly [string, string | null, (c: Context, bob: string) => void][] = [
  ['sets a header', 'bob', (c, bob) => c.req.raw.headers.set('cookie', bob)],
  ['deletes a header', null, (c) => c.req.raw.headers.delete('cookie')],
  [
    'puts a request with other headers in its place',
    'bob',
    (c, bob) => replace(c, new Request(c.req.raw, { headers: { cookie: bob } })),
  ],
  ['puts a request without headers in its place', null, (c) => replace(c, new Request(c.req.url))],
  [
    'gives the request headers of its own',
    null,
    (c) => void Object.defineProperty(c.req.raw, 'headers', { value: new Headers() }),
  ],
  [
    'derives a request from it',
    'bob',
    (c, bob) => replace(c, Object.create(c.req.raw, { headers: { value: new Headers({ cookie: bob }) } })),
  ],
  [
    'derives a request from one that is derived from it',
    'bob',
    (c, bob) =>
      replace(
        c,
        Object.create(Object.create(c.req.raw, { headers: { value: new Headers({ cookie: bob }) } })),
      ),
  ],
  [
    'stands before it as a proxy',
    null,
    (c) =>
      replace(
        c,
        new Proxy(c.req.raw, {
          get: (raw, name) => (name === 'headers' ? new Headers() : Reflect.get(raw, name)),
        }),
      ),
  ],
]

describe('a guard sees what middleware has made of a request that', () => {
  test.each(changes)('%s', async (_title, expected, change) => {
    const world = await createWorld()
    const middleware: MiddlewareHandler = async (c, next) => {
      change(c, world.bob)
      await next()
    }
    expect(await userBehind(middleware, world)).toBe(expected ?? 401)
  })

  test('hands another request on to an app of its own, with the same environment', async () => {
    const world = await createWorld()
    const inner = new Hono()
    inner.get('/', world.jwtRequired(), (c) => c.text(world.authorize(c).subject()))
    const middleware: MiddlewareHandler = async (c) =>
      inner.fetch(new Request(c.req.url, { headers: { cookie: world.bob } }), c.env)
    expect(await userBehind(middleware, world)).toBe('bob')
  })

  test('hands the same request on, with an environment that belongs to another one', async () => {
    const world = await createWorld()
    const inner = new Hono()
    inner.get('/', world.jwtRequired(), (c) => c.text(world.authorize(c).subject()))
    const middleware: MiddlewareHandler = async (c) =>
      inner.fetch(c.req.raw, { incoming: { headers: { cookie: world.bob }, rawHeaders: [] } })
    expect(await userBehind(middleware, world)).toBe('ada')
  })
})
