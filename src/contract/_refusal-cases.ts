/** Cases of the contract about refusals and failures: every one of them is answered, in full, by whoever has to. */

import { deepEqual, equal, match, notEqual, rejects } from 'node:assert/strict'
import type { Auth } from '../index.ts'
import { visit, withApp } from './_app.ts'
import type { ContractCase, ContractRoute } from './_app.ts'
import { allCookies, assertProblem, cookieNames, jsonOf, themeCookie } from './_client.ts'
import type { Client } from './_client.ts'

const guardNames = ['jwtRequired', 'jwtOptional', 'jwtRefreshTokenRequired', 'freshJwtRequired'] as const

const guarded: ContractRoute = {
  method: 'GET',
  path: '/guarded',
  guard: 'jwtRequired',
  handle: ({ authorize }) => ({ user: authorize().subject() }),
}
const byHand: ContractRoute = {
  method: 'GET',
  path: '/by-hand',
  handle: async ({ authorize }) => ({ user: (await authorize().jwtRequired()).sub }),
}
const refresh: ContractRoute = {
  method: 'POST',
  path: '/refresh',
  handle: async ({ authorize }) => authorize().refresh(),
}
const failing: readonly ContractRoute[] = [
  {
    method: 'GET',
    path: '/throws',
    handle: () => {
      throw new TypeError('a fault of the application')
    },
  },
  { method: 'GET', path: '/rejects', handle: async () => Promise.reject(new TypeError('another fault')) },
]

/** A refused refresh must take the dead cookies along, with whoever's error handler. */
function revokedRefresh(authErrors: boolean): ContractCase['run'] {
  return (start) =>
    withApp(
      start,
      { routes: [refresh], authErrors, options: { denylist: async () => true } },
      async (client, auth) => {
        const { cookie, refreshCsrf } = await visit(auth)
        const headers = { cookie, 'x-csrf-token': refreshCsrf }
        const answer = await client.send({ method: 'POST', path: '/refresh', headers })
        if (authErrors) assertProblem(answer, 'token_revoked')
        equal(answer.status, 401)
        deepEqual(cookieNames(answer, 'deleted'), allCookies)
        equal(answer.headers['cache-control'], 'no-store')
      },
    )
}

/** Handlers that fail, alone and behind a guard that has to wait, where no framework is left on the stack. */
function failingHandlers(authErrors: boolean): ContractCase['run'] {
  const behind = failing.map((route) => ({
    ...route,
    path: `${route.path}/behind`,
    guard: 'jwtRequired' as const,
  }))
  const routes = [...failing, ...behind]
  return (start) =>
    withApp(start, { routes, authErrors, options: { denylist: async () => false } }, async (client, auth) => {
      const headers = { cookie: (await visit(auth)).cookie }
      for (const { path } of routes) {
        const answer = await client.send({ path, headers })
        equal(answer.status, 500)
        notEqual(answer.headers['content-type'], 'application/problem+json')
      }
    })
}

async function demandCleaning(client: Client, auth: Auth, path: string): Promise<void> {
  const { cookie } = await visit(auth)
  const answer = await client.send({ path, headers: { cookie: `access_token_cookie=planted; ${cookie}` } })
  assertProblem(answer, 'cookie_ambiguous')
  deepEqual([...new Set(cookieNames(answer, 'deleted'))], ['access_token_cookie'])
  deepEqual(cookieNames(answer, 'set'), [])
}

export const refusalCases: readonly ContractCase[] = [
  {
    title: 'a guard answers a refusal in full without any error handler',
    run: (start) => {
      const routes = guardNames.map((guard) => ({ ...guarded, path: `/${guard}`, guard }))
      return withApp(start, { routes, authErrors: false }, async (client) => {
        for (const { path, guard } of routes) {
          const isOptional = guard === 'jwtOptional'
          if (!isOptional) assertProblem(await client.send({ path }), 'token_missing')
          const name = guard === 'jwtRefreshTokenRequired' ? 'refresh_token_cookie' : 'access_token_cookie'
          const bad = await client.send({ path, headers: { cookie: `${name}=a.b.c` } })
          assertProblem(bad, 'token_invalid')
          match(bad.headers['www-authenticate'] ?? '', /^Bearer error="invalid_token", error_description="/)
          deepEqual(bad.cookies, [themeCookie])
        }
      })
    },
  },
  {
    title: 'a guard that has to wait answers a refusal in full, and passes afterwards',
    run: (start) => {
      let isRevoked = true
      const options = { denylist: async () => isRevoked }
      return withApp(start, { routes: [guarded], authErrors: false, options }, async (client, auth) => {
        const { cookie } = await visit(auth)
        const refused = await client.send({ path: '/guarded', headers: { cookie } })
        assertProblem(refused, 'token_revoked')
        deepEqual(refused.cookies, [themeCookie])
        isRevoked = false
        deepEqual(jsonOf(await client.send({ path: '/guarded', headers: { cookie } })), { user: 'ada' })
      })
    },
  },
  {
    title: 'a handler that throws a refusal is answered in full with authErrors',
    run: (start) =>
      withApp(start, { routes: [byHand] }, async (client) => {
        assertProblem(await client.send({ path: '/by-hand' }), 'token_missing')
      }),
  },
  {
    title: 'a handler behind a guard that throws a refusal is answered in full with authErrors',
    run: (start) => {
      const stricter: ContractRoute = {
        ...guarded,
        handle: async ({ authorize }) => authorize().freshJwtRequired({ within: '5m' }),
      }
      return withApp(start, { routes: [stricter] }, async (client, auth) => {
        const { cookie } = await visit(auth)
        const answer = await client.send({ path: '/guarded', headers: { cookie } })
        assertProblem(answer, 'fresh_token_required')
        match(
          answer.headers['www-authenticate'] ?? '',
          /^Bearer error="insufficient_user_authentication", .*max_age="300"$/,
        )
      })
    },
  },
  {
    title: 'a handler that throws a refusal keeps its status without authErrors',
    limit: 'bareHandlers',
    run: (start) =>
      withApp(start, { routes: [byHand], authErrors: false }, async (client) => {
        equal((await client.send({ path: '/by-hand' })).status, 401)
      }),
  },
  {
    title: 'a handler that throws a refusal keeps its headers without authErrors',
    limit: 'bareHeaders',
    run: (start) =>
      withApp(start, { routes: [byHand], authErrors: false }, async (client) => {
        const answer = await client.send({ path: '/by-hand' })
        match(answer.headers['www-authenticate'] ?? '', /^Bearer/)
        equal(answer.headers['cache-control'], 'no-store')
      }),
  },
  {
    title: "a handler's own error stays a 500 with authErrors, and the process lives",
    run: failingHandlers(true),
  },
  {
    title: "a handler's own error stays a 500 without authErrors, and the process lives",
    run: failingHandlers(false),
  },
  {
    title: 'an error of the user look-up in a guard stays a 500, and the process lives',
    run: async (start) => {
      const fault = new TypeError('the database is gone')
      const userLookups = [
        () => {
          throw fault
        },
        async () => Promise.reject(fault),
      ]
      for (const userLookup of userLookups) {
        await withApp(start, { routes: [guarded], options: { userLookup } }, async (client, auth) => {
          const { cookie } = await visit(auth)
          const answer = await client.send({ path: '/guarded', headers: { cookie } })
          equal(answer.status, 500)
          notEqual(answer.headers['content-type'], 'application/problem+json')
        })
      }
    },
  },
  { title: 'a refresh refused as revoked deletes all four cookies on its answer', run: revokedRefresh(true) },
  {
    title: 'a refresh refused as revoked deletes all four cookies without authErrors too',
    limit: 'bareHandlers',
    run: revokedRefresh(false),
  },
  {
    title: 'a client that hangs up while a guard waits disturbs nobody',
    run: (start) => {
      let isAsked: () => void = () => undefined
      const asked = new Promise<void>((resolve) => {
        isAsked = resolve
      })
      let release: (isRevoked: boolean) => void = () => undefined
      const verdict = new Promise<boolean>((resolve) => {
        release = resolve
      })
      const denylist = async (): Promise<boolean> => {
        isAsked()
        return verdict
      }
      return withApp(start, { routes: [guarded], options: { denylist } }, async (client, auth) => {
        const { cookie } = await visit(auth)
        const controller = new AbortController()
        const gone = client.send({ path: '/guarded', headers: { cookie }, signal: controller.signal })
        await asked
        controller.abort()
        await rejects(gone, { name: 'AbortError' })
        release(true)
      })
    },
  },
  {
    title: 'a denylist that fails is a 503 with Retry-After that leaves the cookies alone',
    run: (start) => {
      const options = { denylist: async () => Promise.reject(new Error('no connection')) }
      return withApp(start, { routes: [guarded, refresh], options }, async (client, auth) => {
        const { cookie, refreshCsrf } = await visit(auth)
        const headers = { cookie, 'x-csrf-token': refreshCsrf }
        for (const ask of [{ path: '/guarded' }, { method: 'POST', path: '/refresh' }]) {
          const answer = await client.send({ ...ask, headers })
          assertProblem(answer, 'store_unavailable', 503)
          match(answer.headers['retry-after'] ?? '', /^[123]$/)
          deepEqual(answer.cookies, [themeCookie])
        }
      })
    },
  },
  {
    title: 'statusCodes decide the status of guards and of handlers',
    run: (start) => {
      const options = { statusCodes: { token_missing: 403 } }
      return withApp(start, { routes: [guarded, byHand], options }, async (client) => {
        for (const path of ['/guarded', '/by-hand'])
          assertProblem(await client.send({ path }), 'token_missing', 403)
      })
    },
  },
  {
    title: 'two cookies of one name are refused, and the answer deletes them',
    run: (start) =>
      withApp(start, { routes: [guarded, byHand] }, async (client, auth) => {
        for (const path of ['/guarded', '/by-hand']) await demandCleaning(client, auth, path)
      }),
  },
  {
    title: 'a guard deletes two cookies of one name without any error handler',
    run: (start) =>
      withApp(start, { routes: [guarded], authErrors: false }, async (client, auth) =>
        demandCleaning(client, auth, '/guarded'),
      ),
  },
]
