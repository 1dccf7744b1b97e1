// What docs/frameworks.md promises of tallystick/web: around a whole request, and on React Router's own static handler.

import { createStaticHandler, redirect } from 'react-router'
import type { ActionFunctionArgs, LoaderFunctionArgs } from 'react-router'
import { describe, expect, test } from 'vitest'
import { cookieHeader, cookiesOf, setup } from '../_setup.ts'

const names = ['access_token_cookie', 'csrf_access_token', 'csrf_refresh_token', 'refresh_token_cookie']

function setNames(response: Response): string[] {
  return Object.keys(cookiesOf(response)).toSorted()
}

describe('authErrors around a whole request, as in hooks of SvelteKit and middleware of Astro', () => {
  test.each([false, true])(
    'carries the cookies of what runs within, wrapped by itself: %s',
    async (isWrapped) => {
      const { authorize, authErrors } = setup().web
      const endpoint = async (request: Request) => {
        await authorize(request).login('ada')
        return Response.json({ msg: 'in' })
      }
      const resolve = isWrapped ? authErrors(endpoint) : endpoint
      const handle = authErrors((request: Request) => resolve(request))
      const response = await handle(new Request('https://app.example/login', { method: 'POST' }))
      expect(setNames(response)).toEqual(names)
      expect(response.headers.getSetCookie()).toHaveLength(4)
    },
  )

  test('answers what is refused within', async () => {
    const { authorize, authErrors } = setup().web
    const handle = authErrors(async (request: Request) =>
      Response.json(await authorize(request).jwtRequired()),
    )
    const response = await handle(new Request('https://app.example/me'))
    expect([response.status, await response.json()]).toMatchObject([401, { code: 'token_missing' }])
  })
})

describe('React Router', () => {
  function routerSetup() {
    const { authorize, authErrors, jwtRequired } = setup({ csrfCheckForm: true }).web
    const action = authErrors(async ({ request }: ActionFunctionArgs) => {
      const form = await request.formData()
      if (form.get('username') !== 'test') throw redirect('/login?wrong')
      await authorize(request).login('test')
      return redirect('/')
    })
    const loader = jwtRequired()(({ request }: LoaderFunctionArgs) =>
      Response.json({ user: authorize(request).subject(), csrf: authorize(request).getCsrfToken() }),
    )
    const change = jwtRequired()(async ({ request }: ActionFunctionArgs) =>
      Response.json({ note: (await request.formData()).get('note') }),
    )
    const { queryRoute } = createStaticHandler([
      { path: '/login', action },
      { path: '/me', loader, action: change },
    ])
    return async (path: string, init: RequestInit = {}): Promise<Response> => {
      const answer: unknown = await queryRoute(new Request(`https://app.example${path}`, init)).catch(
        (error: unknown) => error,
      )
      if (!(answer instanceof Response)) throw new TypeError('no response', { cause: answer })
      return answer
    }
  }

  const form = (fields: Record<string, string>): RequestInit => ({
    method: 'POST',
    body: new URLSearchParams(fields),
  })

  test('signs in by an action, and answers by a loader', async () => {
    const ask = routerSetup()
    const signedIn = await ask('/login', form({ username: 'test' }))
    expect([signedIn.status, signedIn.headers.get('location')]).toEqual([302, '/'])
    expect(setNames(signedIn)).toEqual(names)
    const jar = cookiesOf(signedIn)
    const answer = await ask('/me', { headers: { cookie: cookieHeader(jar) } })
    expect(await answer.json()).toEqual({ user: 'test', csrf: jar['csrf_access_token'] })
  })

  test('lets a thrown redirect through, without cookies', async () => {
    const response = await routerSetup()('/login', form({ username: 'wrong' }))
    expect([response.status, response.headers.get('location')]).toEqual([302, '/login?wrong'])
    expect(setNames(response)).toEqual([])
  })

  test('refuses a loader without a token, and a form without its CSRF value', async () => {
    const ask = routerSetup()
    expect(await (await ask('/me')).json()).toMatchObject({ code: 'token_missing' })
    const jar = cookiesOf(await ask('/login', form({ username: 'test' })))
    const headers = { cookie: cookieHeader(jar) }
    const refused = await ask('/me', { ...form({ note: 'stolen' }), headers })
    expect([refused.status, await refused.json()]).toMatchObject([401, { code: 'csrf_missing' }])
    const fields = { note: 'mine', csrf_token: jar['csrf_access_token'] ?? '' }
    const passed = await ask('/me', { ...form(fields), headers })
    expect(await passed.json()).toEqual({ note: 'mine' })
  })
})
