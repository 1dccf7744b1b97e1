/** The contract of adapters: sessions through the framework, from sign-in to theft, outage and sign-out. */

import { deepEqual, equal, match, notEqual } from 'node:assert/strict'
import { memoryStore } from '../stores/memory.ts'
import { withApp } from './_app.ts'
import type { ContractCase, ContractRoute } from './_app.ts'
import { allCookies, assertProblem, cookieHeader, cookieNames, jsonOf, themeCookie } from './_client.ts'
import type { Answer, Client } from './_client.ts'

const routes: readonly ContractRoute[] = [
  {
    method: 'POST',
    path: '/login',
    handle: async ({ authorize }) => {
      await authorize().login('ada')
      return { ok: true }
    },
  },
  {
    method: 'POST',
    path: '/refresh',
    handle: async ({ authorize }) => {
      await authorize().refresh()
      return { ok: true }
    },
  },
  {
    method: 'DELETE',
    path: '/logout',
    handle: ({ authorize }) => authorize().logout(),
  },
  {
    method: 'GET',
    path: '/sessions',
    guard: 'jwtRequired',
    handle: async ({ authorize }) => ({ sessions: await authorize().sessions.list() }),
  },
]

/** The value of the readable cookie that an answer has set. */
function csrfOf({ cookies }: Answer, type: 'access' | 'refresh'): string {
  const line = cookies.find((cookie) => cookie.startsWith(`csrf_${type}_token=`)) ?? ''
  return line.slice(line.indexOf('=') + 1, line.indexOf(';'))
}

function refresh(client: Client, from: Answer): Promise<Answer> {
  const headers = { cookie: cookieHeader(from), 'x-csrf-token': csrfOf(from, 'refresh') }
  return client.send({ method: 'POST', path: '/refresh', headers })
}

/** A clock that the test moves, from the hour it is. */
function movable(): { readonly clock: () => number; readonly advance: (seconds: number) => void } {
  let ahead = 0
  return {
    clock: () => Date.now() / 1000 + ahead,
    advance: (seconds) => {
      ahead += seconds
    },
  }
}

export const sessionRouteCases: readonly ContractCase[] = [
  {
    title: 'a refresh replaces all four cookies, and tabs that race get the same ones',
    run: (start) =>
      withApp(start, { routes, options: { store: memoryStore() } }, async (client) => {
        const signedIn = await client.send({ method: 'POST', path: '/login' })
        const tabs = await Promise.all([refresh(client, signedIn), refresh(client, signedIn)])
        for (const tab of tabs) deepEqual(cookieNames(tab, 'set'), allCookies)
        const [one, two] = tabs.map(({ cookies }) => cookies.toSorted())
        deepEqual(one, two)
        notEqual(csrfOf(tabs[0] ?? signedIn, 'refresh'), csrfOf(signedIn, 'refresh'))
      }),
  },
  {
    title: 'a refresh token that comes back later ends its session and takes all cookies along',
    run: (start) => {
      const { clock, advance } = movable()
      return withApp(start, { routes, options: { store: memoryStore({ clock }), clock } }, async (client) => {
        const stolen = await client.send({ method: 'POST', path: '/login' })
        const own = await refresh(client, stolen)
        advance(31)
        const refused = await refresh(client, stolen)
        assertProblem(refused, 'refresh_reused')
        deepEqual(cookieNames(refused, 'deleted'), allCookies)
        const headers = { cookie: cookieHeader(own) }
        assertProblem(await client.send({ path: '/sessions', headers }), 'token_revoked')
      })
    },
  },
  {
    title: 'a guard that a store refuses or fails answers in full, and leaves the cookies alone',
    run: (start) => {
      const store = memoryStore()
      let isDown = false
      const fail = async (): Promise<never> => {
        throw new Error('the store is away')
      }
      const failing = new Proxy(store, {
        get: (target, name) => {
          const member: unknown = Reflect.get(target, name)
          if (typeof member !== 'function') return member
          return isDown ? fail : member.bind(target)
        },
      })
      const options = { store: failing, revocation: 'strict' } as const
      // No framework has to make cookies reach the client from a handler that nothing wraps.
      const wrapped = routes.map((route) =>
        route.path === '/login' ? { ...route, guard: 'jwtOptional' as const } : route,
      )
      return withApp(start, { routes: wrapped, options, authErrors: false }, async (client, auth) => {
        const signedIn = await client.send({ method: 'POST', path: '/login' })
        const headers = { cookie: cookieHeader(signedIn) }
        const { sessions } = jsonOf(await client.send({ path: '/sessions', headers })) as {
          readonly sessions: readonly { readonly id: string; readonly current: boolean }[]
        }
        equal(sessions.length, 1)
        equal(sessions[0]?.current, true)
        isDown = true
        const unavailable = await client.send({ path: '/sessions', headers })
        assertProblem(unavailable, 'store_unavailable', 503)
        match(unavailable.headers['retry-after'] ?? '', /^[123]$/)
        deepEqual(unavailable.cookies, [themeCookie])
        isDown = false
        await auth.sessions.revokeAll('ada')
        const revoked = await client.send({ path: '/sessions', headers })
        assertProblem(revoked, 'token_revoked')
        deepEqual(revoked.cookies, [themeCookie])
      })
    },
  },
  {
    title: 'a sign-out that the store cannot be told is a 503 that unsets the cookies all the same',
    run: (start) => {
      const store = memoryStore()
      const revoke = store.revoke.bind(store)
      let isDown = true
      store.revoke = async (target) => {
        if (isDown) throw new Error('the store is away')
        return revoke(target)
      }
      return withApp(start, { routes, options: { store } }, async (client) => {
        const signedIn = await client.send({ method: 'POST', path: '/login' })
        const headers = { cookie: cookieHeader(signedIn), 'x-csrf-token': csrfOf(signedIn, 'access') }
        const answer = await client.send({ method: 'DELETE', path: '/logout', headers })
        assertProblem(answer, 'store_unavailable', 503)
        deepEqual(cookieNames(answer, 'deleted'), allCookies)
        assertProblem(await client.send({ path: '/sessions', headers }), 'token_revoked')
        isDown = false
      })
    },
  },
]
