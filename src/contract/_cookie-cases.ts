/** Cases of the contract about cookies: in, out, on every kind of answer, and not when it is too late. */

import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { visit, withApp } from './_app.ts'
import type { ContractCase, ContractRoute } from './_app.ts'
import { allCookies, assertProblem, cookieHeader, cookieNames, jsonOf, themeCookie } from './_client.ts'

const login: ContractRoute = {
  method: 'POST',
  path: '/login',
  handle: async ({ authorize }) => {
    await authorize().login('ada')
    return { msg: 'in' }
  },
}
const refresh: ContractRoute = {
  method: 'POST',
  path: '/refresh',
  handle: async ({ authorize }) => {
    await authorize().refresh()
    return { msg: 'again' }
  },
}
const logout: ContractRoute = {
  method: 'DELETE',
  path: '/logout',
  handle: async ({ authorize }) => {
    await authorize().logout()
    return { msg: 'out' }
  },
}
const guarded: ContractRoute = {
  method: 'GET',
  path: '/guarded',
  guard: 'jwtRequired',
  handle: ({ authorize }) => ({ user: authorize().subject() }),
}

async function* lines(...texts: string[]): AsyncGenerator<string> {
  yield* texts
}

/** What `handle` gives for each way of answering, and the status of that. */
const answers = [
  { answer: 'json', content: () => ({ msg: 'in' }), status: 200, text: '{"msg":"in"}' },
  { answer: 'raw', content: () => ({ msg: 'in' }), status: 200, text: '{"msg":"in"}' },
  { answer: 'redirect', content: () => '/elsewhere', status: 302, text: null },
  { answer: 'stream', content: () => lines('one ', 'two'), status: 200, text: 'one two' },
] as const

/** Signs in when half of the answer has gone, and notes how that ended. */
function createLateRoute(firstChunk: Promise<void>, noted: unknown[]): ContractRoute {
  async function* answer(signIn: () => Promise<unknown>): AsyncGenerator<string> {
    yield 'one '
    await firstChunk
    try {
      await signIn()
      noted.push('passed')
    } catch (error) {
      noted.push(error)
    }
    yield 'two'
  }
  return {
    method: 'POST',
    path: '/late',
    answer: 'stream',
    handle: ({ authorize }) => {
      const bound = authorize()
      return answer(async () => bound.login('ada'))
    },
  }
}

export const cookieCases: readonly ContractCase[] = [
  {
    title: 'a sign-in sets four cookies, each in a Set-Cookie line of its own',
    run: (start) =>
      withApp(start, { routes: [login] }, async (client) => {
        const answer = await client.send({ method: 'POST', path: '/login' })
        deepEqual(jsonOf(answer), { msg: 'in' })
        deepEqual(cookieNames(answer, 'set'), allCookies)
        equal(answer.cookies.length, 5)
        for (const line of answer.cookies) match(line, /^[\w]+=[\w.-]+(?:; [\w=/-]+)+$/)
        equal(answer.cookies.filter((line) => line.includes('; HttpOnly; Secure; SameSite=Lax')).length, 2)
        equal(answer.headers['cache-control'], 'no-store')
      }),
  },
  {
    title:
      'the cookies of a sign-in open a guarded route, are renewed by a refresh, and are gone after a sign-out',
    run: (start) =>
      withApp(start, { routes: [login, refresh, logout, guarded] }, async (client) => {
        const signedIn = await client.send({ method: 'POST', path: '/login' })
        const cookie = cookieHeader(signedIn)
        const csrfOf = (name: string): string => new RegExp(`${name}=([^;]+)`).exec(cookie)?.[1] ?? ''
        deepEqual(jsonOf(await client.send({ path: '/guarded', headers: { cookie } })), { user: 'ada' })
        const renewed = await client.send({
          method: 'POST',
          path: '/refresh',
          headers: { cookie, 'x-csrf-token': csrfOf('csrf_refresh_token') },
        })
        equal(renewed.status, 200)
        deepEqual(cookieNames(renewed, 'set'), ['access_token_cookie', 'csrf_access_token'])
        const signedOut = await client.send({
          method: 'DELETE',
          path: '/logout',
          headers: { cookie, 'x-csrf-token': csrfOf('csrf_access_token') },
        })
        equal(signedOut.status, 200)
        deepEqual(cookieNames(signedOut, 'deleted'), allCookies)
        equal(signedOut.headers['cache-control'], 'no-store')
      }),
  },
  ...answers.map(({ answer, content, status, text }): ContractCase => ({
    title: `cookies reach the client on a ${answer} answer, with and without a guard before it`,
    run: (start) => {
      const handle: ContractRoute['handle'] = async ({ authorize }) => {
        await authorize().login('ada')
        return content()
      }
      const bare: ContractRoute = { method: 'POST', path: '/bare', answer, handle }
      const behind: ContractRoute = { ...bare, path: '/behind', guard: 'jwtOptional' }
      return withApp(start, { routes: [bare, behind] }, async (client) => {
        for (const { method, path } of [bare, behind]) {
          const sent = await client.send({ method, path })
          equal(sent.status, status)
          if (text !== null) equal(sent.text, text)
          if (answer === 'redirect') equal(sent.headers.location, '/elsewhere')
          deepEqual(
            cookieNames(sent, 'set'),
            [...allCookies, ...(answer === 'raw' ? ['own'] : [])].toSorted(),
          )
          equal(sent.headers['cache-control'], 'no-store')
        }
      })
    },
  })),
  {
    title: 'cookies that come after the headers have gone are a TypeError, and the answer arrives whole',
    run: (start) => {
      const noted: unknown[] = []
      let tell: () => void = () => undefined
      const firstChunk = new Promise<void>((resolve) => {
        tell = resolve
        // A framework that waits for the whole answer must fail the case, not hang it.
        setTimeout(resolve, 2000).unref()
      })
      return withApp(start, { routes: [createLateRoute(firstChunk, noted)] }, async (client) => {
        const answer = await client.send({ method: 'POST', path: '/late', onFirstChunk: tell })
        equal(answer.status, 200)
        equal(answer.text, 'one two')
        deepEqual(answer.cookies, [themeCookie])
        equal(noted.length, 1)
        ok(noted[0] instanceof TypeError, String(noted[0]))
        match(noted[0].message, /headers of this response have gone/)
      })
    },
  },
  {
    title: 'a cookie that browsers would drop is refused, and none is set',
    run: (start) => {
      const route: ContractRoute = {
        method: 'POST',
        path: '/large',
        handle: ({ authorize }) => authorize().login('ada', { userClaims: { note: 'x'.repeat(4000) } }),
      }
      return withApp(start, { routes: [route] }, async (client) => {
        const answer = await client.send({ method: 'POST', path: '/large' })
        assertProblem(answer, 'cookie_too_large', 500)
        deepEqual(answer.cookies, [themeCookie])
      })
    },
  },
  {
    title: 'a sign-out that is refused deletes nothing',
    run: (start) =>
      withApp(start, { routes: [logout] }, async (client, auth) => {
        const { cookie } = await visit(auth)
        const answer = await client.send({ method: 'DELETE', path: '/logout', headers: { cookie } })
        assertProblem(answer, 'csrf_missing')
        deepEqual(answer.cookies, [themeCookie])
      }),
  },
]
