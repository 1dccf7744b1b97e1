/** Holds the tables of attacks on cookies, CSRF and configuration against the library, through both of its doors. */

import { describe, expect, test } from 'vitest'
import { AuthError, createAuth } from '../src/index.ts'
import type { AuthOptions } from '../src/index.ts'
import type { Sent } from './_attack.ts'
import { secretKey } from './_setup.ts'
import { codeOfResponse, errorOf, notedResponse, portOf, requestOf, signIn } from './_wire.ts'
import type { World } from './_wire.ts'
import { catalogueIds, leftOut, rows } from './attacks-request.ts'

/** What may stand in no body, no event and no header but Set-Cookie. */
function secretsOf(world: World): string[] {
  const values = [secretKey, world.access, world.refresh, world.accessCsrf, world.refreshCsrf]
  const parts = [world.access, world.refresh].flatMap((token) => token.split('.').slice(1))
  return [...values, ...parts].filter((value) => value !== '')
}

function expectNoSecret(world: World, text: string): void {
  for (const secret of secretsOf(world)) expect(text).not.toContain(secret)
}

function expectCookies(lines: readonly string[], { cookies }: Sent): void {
  if (cookies === undefined) expect(lines).toEqual([])
  else expect(lines.length).toBeGreaterThan(0)
  for (const line of lines) expect(/=; Max-Age=0; /.test(line)).toBe(cookies === 'deletions')
}

/** Options of the row; a sign-in for them sets the cookies that the requests then carry. */
async function worldOf({ options = {} }: Sent): Promise<World> {
  return signIn(options)
}

async function expectThroughWeb(sent: Sent): Promise<void> {
  const world = await worldOf(sent)
  const { web } = world
  let runs = 0
  const via = sent.via ?? 'guard'
  const middleware = via === 'guard' ? web.jwtRequired(sent.guard) : web.authErrors
  const request = requestOf(sent.wire(world))
  const response = await middleware(async (bound: Request) => {
    const authorize = web.authorize(bound)
    if (via === 'refresh') await authorize.refresh()
    if (via === 'logout') await authorize.logout()
    if (via === 'login') await authorize.login('test')
    runs++
    return Response.json({ ok: true })
  })(request)
  expectCookies(response.headers.getSetCookie(), sent)
  const headers = [...response.headers].filter(([name]) => name !== 'set-cookie')
  expectNoSecret(world, JSON.stringify([headers, await response.clone().text(), world.events]))
  expect(await codeOfResponse(response)).toBe(sent.code)
  expect(runs).toBe(sent.code === 'passed' ? 1 : 0)
  expectEvents(world, sent)
}

async function expectThroughPort(sent: Sent): Promise<void> {
  const world = await worldOf(sent)
  const response = notedResponse()
  const authorize = world.auth.authorize(portOf(sent.wire(world)), response)
  const steps = {
    guard: () => authorize.jwtRequired(sent.guard),
    refresh: () => authorize.refresh(),
    logout: () => authorize.logout(),
    login: () => authorize.login('test'),
  }
  let refused: unknown
  await steps[sent.via ?? 'guard']().catch((error: unknown) => {
    refused = error
  })
  expectCookies(response.lines, sent)
  if (sent.code === 'passed') expect(refused).toBeUndefined()
  else {
    if (!AuthError.is(refused)) throw refused
    expect(refused.code).toBe(sent.code)
    expect(authorize.getRawJwt()).toBeNull()
    expectNoSecret(
      world,
      JSON.stringify([refused, refused.stack, refused.headers, world.events, ...response.headers]),
    )
  }
  expectEvents(world, sent)
}

function expectEvents({ events }: World, { code, reason }: Sent): void {
  const rejected = events.filter(({ type }) => type === 'rejected')
  expect(rejected).toHaveLength(code === 'passed' ? 0 : 1)
  if (code !== 'passed') expect(rejected[0]).toMatchObject({ code, ...(reason && { reason }) })
}

describe('the catalogue', () => {
  test('every id is in the table or in the list of those left out, never in both', () => {
    const ids = rows.map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
    const all = [...ids, ...Object.keys(leftOut).map(Number)]
    expect(all.toSorted((left, right) => left - right)).toEqual(catalogueIds)
  })

  test('every row has a case, and every row left out a reason', () => {
    for (const { sent = [], refused = [], proved = [] } of rows) {
      expect(sent.length + refused.length + proved.length).toBeGreaterThan(0)
    }
    for (const reason of Object.values(leftOut)) expect(reason).not.toBe('')
  })
})

for (const { id, input, sent = [], refused = [], proved = [] } of rows) {
  describe(`${id}: ${input}`, () => {
    const named = sent.map((item) => [`${item.note}: ${item.code}`, item] as const)
    const both = named.filter(([, { door }]) => door !== 'port')
    test.for(both)('through the front door: %s', async ([, item]) => expectThroughWeb(item))
    test.for(named)('through the port: %s', async ([, item]) => expectThroughPort(item))

    test.for(refused.map((item) => [item.note, item] as const))('createAuth refuses %s', async ([, item]) => {
      const { options, names } = item
      const given: AuthOptions = { secretKey, ...options }
      const error = await errorOf(() => createAuth(given))
      expect(error).toBeInstanceOf(TypeError)
      expect(error.message).toContain(`\n- ${names} `)
      expect(error.message).not.toContain(secretKey)
    })

    test.for(proved.map(({ note, prove }) => [note, prove] as const))('%s', async ([, prove]) => {
      expect.hasAssertions()
      await prove()
    })
  })
}
