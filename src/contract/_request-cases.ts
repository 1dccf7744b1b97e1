/** Cases of the contract about good requests: guards before and in handlers, methods, CSRF, many users at once. */

import { deepEqual, equal } from 'node:assert/strict'
import { Agent } from 'node:http'
import { refusalOf, visit, withApp } from './_app.ts'
import type { ContractCase, ContractContext, ContractRoute } from './_app.ts'
import { assertProblem, jsonOf } from './_client.ts'

const user = ({ authorize }: ContractContext): unknown => ({ user: authorize().getJwtSubject() })

const guarded: ContractRoute = { method: 'GET', path: '/guarded', guard: 'jwtRequired', handle: user }
const byHand: ContractRoute = {
  method: 'GET',
  path: '/by-hand',
  handle: async (context) => {
    await context.authorize().jwtRequired()
    return user(context)
  },
}
/** So that requests overtake each other. */
const delaysMs = [9, 0, 5, 2, 7, 1, 3]

async function wait(delayMs: number): Promise<false> {
  return new Promise((resolve) => {
    setTimeout(() => resolve(false), delayMs)
  })
}

const preflight = { origin: 'https://app.example', 'access-control-request-method': 'POST' }

export const requestCases: readonly ContractCase[] = [
  {
    title: 'all calls of authorize for one request give one object, and another one for the next request',
    run: (start) => {
      const seen = new Set<unknown>()
      const route: ContractRoute = {
        ...guarded,
        handle: ({ authorize }) => {
          seen.add(authorize()).add(authorize())
          return { user: authorize().subject(), count: seen.size }
        },
      }
      return withApp(start, { routes: [route] }, async (client, auth) => {
        const headers = { cookie: (await visit(auth)).cookie }
        deepEqual(jsonOf(await client.send({ path: '/guarded', headers })), { user: 'ada', count: 1 })
        deepEqual(jsonOf(await client.send({ path: '/guarded', headers })), { user: 'ada', count: 2 })
      })
    },
  },
  {
    title: 'the four guards pass a good request before the handler and in it',
    run: (start) => {
      const names = ['jwtRequired', 'jwtOptional', 'jwtRefreshTokenRequired', 'freshJwtRequired'] as const
      const routes = names.flatMap((guard): ContractRoute[] => [
        { ...guarded, path: `/before/${guard}`, guard },
        { ...byHand, path: `/in/${guard}`, handle: async ({ authorize }) => authorize()[guard]() },
      ])
      return withApp(start, { routes }, async (client, auth) => {
        const headers = { cookie: (await visit(auth)).cookie }
        for (const guard of names) {
          const before = await client.send({ path: `/before/${guard}`, headers })
          deepEqual(jsonOf(before), { user: 'ada' })
          const claims = jsonOf(await client.send({ path: `/in/${guard}`, headers })) as { sub: string }
          equal(claims.sub, 'ada')
        }
      })
    },
  },
  {
    title: 'jwtOptional takes a request without a token as nobody, freshJwtRequired refuses a stale one',
    run: (start) => {
      const optional: ContractRoute = { ...guarded, path: '/optional', guard: 'jwtOptional' }
      const fresh: ContractRoute = { ...guarded, path: '/fresh', guard: 'freshJwtRequired' }
      return withApp(start, { routes: [optional, fresh] }, async (client, auth) => {
        deepEqual(jsonOf(await client.send({ path: '/optional' })), { user: null })
        const { cookie } = await visit(auth, 'ada', false)
        const answer = await client.send({ path: '/fresh', headers: { cookie } })
        assertProblem(answer, 'fresh_token_required')
      })
    },
  },
  {
    title: 'a POST passes with its CSRF value only, before the handler and in it',
    run: (start) => {
      const routes: ContractRoute[] = [guarded, byHand].map((route) => ({ ...route, method: 'POST' }))
      return withApp(start, { routes }, async (client, auth) => {
        const { cookie, accessCsrf, refreshCsrf } = await visit(auth)
        for (const { path } of routes) {
          const post = async (headers: Record<string, string>) =>
            client.send({ method: 'POST', path, headers: { cookie, ...headers } })
          assertProblem(await post({}), 'csrf_missing')
          assertProblem(await post({ 'x-csrf-token': '' }), 'csrf_missing')
          assertProblem(await post({ 'x-csrf-token': refreshCsrf }), 'csrf_mismatch')
          deepEqual(jsonOf(await post({ 'X-CSRF-TOKEN': accessCsrf })), { user: 'ada' })
        }
      })
    },
  },
  {
    title: 'a POST from another site is refused although it has the CSRF value',
    run: (start) => {
      const route: ContractRoute = { ...guarded, method: 'POST' }
      return withApp(start, { routes: [route] }, async (client, auth) => {
        const { cookie, accessCsrf } = await visit(auth)
        const post = async (headers: Record<string, string>) =>
          client.send({
            method: 'POST',
            path: '/guarded',
            headers: { cookie, 'x-csrf-token': accessCsrf, ...headers },
          })
        assertProblem(await post({ 'sec-fetch-site': 'cross-site' }), 'origin_forbidden', 403)
        assertProblem(await post({ origin: 'https://evil.example' }), 'origin_forbidden', 403)
        assertProblem(await post({ origin: 'null' }), 'origin_forbidden', 403)
        deepEqual(jsonOf(await post({ origin: `http://${client.host}` })), { user: 'ada' })
      })
    },
  },
  {
    title: 'a CORS preflight passes a guard as nobody, and is refused by hand',
    run: (start) => {
      const routes: ContractRoute[] = [guarded, byHand].map((route) => ({ ...route, method: 'OPTIONS' }))
      return withApp(start, { routes }, async (client) => {
        const ask = { method: 'OPTIONS', headers: preflight }
        deepEqual(jsonOf(await client.send({ ...ask, path: '/guarded' })), { user: null })
        assertProblem(await client.send({ ...ask, path: '/by-hand' }), 'token_missing')
        const plain = await client.send({ method: 'OPTIONS', path: '/guarded' })
        assertProblem(plain, 'token_missing')
      })
    },
  },
  {
    title: 'HEAD is guarded as GET is, and its answers have no body',
    run: (start) =>
      withApp(start, { routes: [guarded] }, async (client, auth) => {
        const { cookie } = await visit(auth)
        const passed = await client.send({ method: 'HEAD', path: '/guarded', headers: { cookie } })
        deepEqual([passed.status, passed.text], [200, ''])
        const refused = await client.send({ method: 'HEAD', path: '/guarded' })
        deepEqual([refused.status, refused.text], [401, ''])
        equal(refused.headers['content-type'], 'application/problem+json')
        equal(refused.headers['www-authenticate'], 'Bearer')
        equal(refused.headers['cache-control'], 'no-store')
      }),
  },
  {
    title: 'requests of different users on one socket each have their own identity',
    run: (start) =>
      withApp(start, { routes: [guarded] }, async (client, auth) => {
        const agent = new Agent({ keepAlive: true, maxSockets: 1 })
        const ports = new Set<number | undefined>()
        for (const subject of ['ada', 'bob', 'ada', null]) {
          const headers: Record<string, string> =
            subject === null ? {} : { cookie: (await visit(auth, subject)).cookie }
          const answer = await client.send({ path: '/guarded', headers, agent })
          ports.add(answer.port)
          if (subject === null) assertProblem(answer, 'token_missing')
          else deepEqual(jsonOf(answer), { user: subject })
        }
        agent.destroy()
        equal(ports.size, 1)
      }),
  },
  {
    title: 'a hundred requests of different users at once are never mixed',
    run: (start) => {
      let next = 0
      const slow: ContractRoute = {
        ...guarded,
        handle: async (context) => {
          await wait(delaysMs[next++ % delaysMs.length] ?? 0)
          const optional = await refusalOf(() => context.authorize().freshJwtRequired())
          await context
            .authorize()
            .setAccessCookies(await context.authorize().createAccessToken(context.authorize().subject()))
          return { user: context.authorize().subject(), optional }
        },
      }
      const options = { denylist: async () => wait(1) }
      return withApp(start, { routes: [slow], options }, async (client, auth) => {
        const answers = await Promise.all(
          Array.from({ length: 100 }, async (_, index) => {
            const { cookie } = await visit(auth, `user-${index}`, index % 2 === 0)
            return client.send({ path: '/guarded', headers: { cookie } })
          }),
        )
        for (const [index, answer] of answers.entries()) {
          const optional = index % 2 === 0 ? 'passed' : 'fresh_token_required'
          deepEqual(jsonOf(answer), { user: `user-${index}`, optional })
          const line = answer.cookies.find((text) => text.startsWith('access_token_cookie=')) ?? ''
          const token = /=([^;]+)/.exec(line)?.[1] ?? ''
          equal(auth.getUnverifiedJwtClaims(token)['sub'], `user-${index}`)
          equal(answer.cookies.length, 3)
        }
      })
    },
  },
]
