// What is special about handlers of the Fetch API: where the request lies, immutable answers, answers that were taken.

import { describe, expect, test } from 'vitest'
import { cookieHeader, cookiesOf, setup } from '../_setup.ts'

const names = ['access_token_cookie', 'csrf_access_token', 'csrf_refresh_token', 'refresh_token_cookie']

function post(): Request {
  return new Request('https://app.example/login', { method: 'POST' })
}

async function signedIn() {
  const world = setup()
  const response = await world.web.authErrors(async (request: Request) => {
    await world.web.authorize(request).login('ada')
    return new Response()
  })(post())
  const headers = { cookie: cookieHeader(cookiesOf(response)) }
  return { ...world, request: new Request('https://app.example/', { headers }) }
}

describe('a handler', () => {
  test('may get what carries the request, and keeps its further parameters', async () => {
    const { web, request } = await signedIn()
    const handler = web.jwtRequired()(
      (event: { readonly request: Request; readonly id: number }, extra: string) =>
        Response.json([web.authorize(event.request).subject(), event.id, extra]),
    )
    const response = await handler({ request, id: 7 }, 'more')
    expect(await response.json()).toEqual(['ada', 7, 'more'])
  })

  test.each([[undefined], [null], [{}], [{ request: 'GET /' }], ['GET /']])(
    'called with %o instead of a request is a TypeError',
    async (nothing) => {
      const { web } = setup()
      const handler = web.jwtRequired()((_request: unknown) => new Response())
      await expect(handler(nothing)).rejects.toThrow(TypeError)
    },
  )

  test('throws its own errors on', async () => {
    const { web } = setup()
    const fault = new RangeError('mine')
    const handler = web.authErrors(async (_request: Request) => Promise.reject(fault))
    await expect(handler(post())).rejects.toBe(fault)
  })

  test('may be wrapped twice', async () => {
    const { web, request } = await signedIn()
    const handler = web.authErrors(
      web.jwtRequired()((inner: Request) => Response.json(web.authorize(inner).subject())),
    )
    expect(await (await handler(request)).json()).toBe('ada')
    expect((await handler(post())).status).toBe(401)
  })
})

describe('cookies', () => {
  test('get onto a redirect, whose headers cannot be changed', async () => {
    const { web } = setup()
    const handler = web.authErrors(async (request: Request) => {
      await web.authorize(request).login('ada')
      return Response.redirect('https://app.example/home', 303)
    })
    const response = await handler(post())
    expect([response.status, response.headers.get('location')]).toEqual([303, 'https://app.example/home'])
    expect(Object.keys(cookiesOf(response)).toSorted()).toEqual(names)
  })

  test('leave those of the answer itself where they are', async () => {
    const { web } = setup()
    const request = post()
    await web.authorize(request).login('ada')
    const response = web.authorize(request).respond(new Response('', { headers: { 'set-cookie': 'own=1' } }))
    expect(response.headers.getSetCookie()).toHaveLength(5)
    expect(response.headers.getSetCookie()[0]).toBe('own=1')
  })

  test('are not put on twice', async () => {
    const { web } = setup()
    const handler = web.authErrors(async (request: Request) => {
      await web.authorize(request).login('ada')
      return web.authorize(request).respond(new Response())
    })
    expect((await handler(post())).headers.getSetCookie()).toHaveLength(4)
  })

  test('set after respond() are a TypeError', async () => {
    const { web } = setup()
    const request = post()
    web.authorize(request).respond(new Response())
    await expect(web.authorize(request).login('ada')).rejects.toThrow(/headers of this response have gone/)
    expect(() => web.authorize(request).unsetJwtCookies()).toThrow(TypeError)
  })

  test('can be set by hand on the answer that is about to be returned', async () => {
    const { auth, web } = setup()
    const request = post()
    const response = new Response()
    const token = await auth.createAccessToken('ada')
    await web.authorize(request).setAccessCookies(token, { response })
    expect(Object.keys(cookiesOf(response))).toEqual(['access_token_cookie', 'csrf_access_token'])
    const redirect = Response.redirect('https://app.example/home')
    await expect(web.authorize(request).setAccessCookies(token, { response: redirect })).rejects.toThrow(
      /pass a copy/,
    )
  })
})

test('an answer without new cookies stays the very object that the handler gave', async () => {
  const { web, request } = await signedIn()
  const response = new Response()
  expect(await web.jwtRequired()((_request: Request) => response)(request)).toBe(response)
})

test('a request without a Host header, as over HTTP/2, has the host of its address', async () => {
  const { web } = setup()
  const login = web.authErrors(async (request: Request) => {
    await web.authorize(request).login('ada')
    return new Response()
  })
  const from = async (origin: string) => (await login(new Request(post(), { headers: { origin } }))).status
  expect(await from('https://app.example')).toBe(200)
  expect(await from('https://evil.example')).toBe(403)
})

test('two Auths see one request each with their own eyes', async () => {
  const { web, request } = await signedIn()
  const other = setup({ accessCookieKey: 'other' }).web
  expect((await web.jwtRequired()((_request: Request) => new Response())(request)).status).toBe(200)
  expect((await other.jwtRequired()((_request: Request) => new Response())(request)).status).toBe(401)
  expect(other.authorize(request)).not.toBe(web.authorize(request))
})
