/** What the attacks on sessions share: users, stores that fail as they are told, several servers on one store. */

import { expect, vi } from 'vitest'
import { webAuth } from '../src/adapters/web.ts'
import type { Auth, AuthOptions, Authorize, Store } from '../src/index.ts'
import { memoryStore } from '../src/stores/memory.ts'
import type { Row } from './_attack.ts'
import { createSite } from './_sessions.ts'
import type { Answer, Browser, Site } from './_sessions.ts'
import { cookieHeader, createClock, forge, goodClaims } from './_setup.ts'
import type { TestClock } from './_setup.ts'

/** A row of which every part is a course of events. */
export type SessionRow = Required<Pick<Row, 'id' | 'input' | 'proved'>>

/** Seconds; the default. */
export const grace = 30
/** Beyond the life of a token that is remembered: the greatest leeway and a minute. */
export const marginSeconds = 360
export const hs256 = { alg: 'HS256', typ: 'JWT' }

/** A site with somebody who has signed in. */
export async function signedIn(
  site: Site = createSite(),
  subject = 'test',
): Promise<Site & { readonly user: Browser }> {
  const user = site.browser()
  expect(await user.login(subject)).toMatchObject({ code: 'ok' })
  return { ...site, user }
}

export const sidOf = (user: Browser): string => String(user.claims()['sid'])
export const tokenOf = (user: Browser, type: 'access' | 'refresh' = 'access'): string =>
  String(user.jar[`${type}_token_cookie`])

/** A store of which some methods are others. */
export function storeWith(store: Store, changes: Partial<Store>): Store {
  return {
    open: () => store.open(),
    create: (session, options) => store.create(session, options),
    rotate: (rotation) => store.rotate(rotation),
    get: (sid) => store.get(sid),
    list: (subject) => store.list(subject),
    revoke: (target) => store.revoke(target),
    isRevoked: (token) => store.isRevoked(token),
    revocations: (cursor, signal) => store.revocations(cursor, signal),
    watch: (wake) => store.watch?.(wake) ?? (() => undefined),
    sweep: (limit) => store.sweep(limit),
    close: () => store.close(),
    ...changes,
  }
}

/** Several servers on one store, each following it by itself, as processes do. */
export async function cluster(count: number, options: AuthOptions = {}): Promise<readonly Site[]> {
  const clock = createClock()
  const store = memoryStore({ clock })
  const sites = Array.from({ length: count }, () =>
    createSite({ ...options, store: storeWith(store, {}) }, clock),
  )
  await Promise.all(sites.map(({ auth }) => auth.ready()))
  return sites
}

/** The same cookies at another server. */
export function at(site: Site, user: Browser): Browser {
  const there = site.browser()
  there.jar = { ...user.jar }
  return there
}

/** A request with any headers; only these, and the cookies. */
export async function sent(
  { auth }: { readonly auth: Auth },
  user: Browser,
  headers: Readonly<Record<string, string>>,
  handle: (authorize: Authorize) => Promise<unknown> = (authorize) => authorize.refresh(),
  init: RequestInit = {},
): Promise<Pick<Answer, 'status' | 'code' | 'setCookies'>> {
  const web = webAuth(auth)
  const handler = web.authErrors(async (bound: Request) => {
    await handle(web.authorize(bound))
    return Response.json({ code: 'ok' })
  })
  const all = { cookie: cookieHeader(user.jar), ...headers }
  const response = await handler(
    new Request('https://app.example/', { method: 'POST', ...init, headers: all }),
  )
  const { code } = (await response.json()) as { readonly code: string }
  return { status: response.status, code, setCookies: response.headers.getSetCookie() }
}

/** Nothing of a sign-in opens anything: neither token, at no guard. */
export async function expectDead(user: Browser): Promise<void> {
  const copy = user.copy()
  expect(await copy.get()).toMatchObject({ status: 401, code: 'token_revoked', setCookies: [] })
  const answer = await copy.refresh()
  expect(answer).toMatchObject({ status: 401, code: 'token_revoked' })
  for (const line of answer.setCookies) expect(line).toContain('; Max-Age=0;')
}

export async function expectAlive(user: Browser): Promise<void> {
  expect(await user.copy().get()).toMatchObject({ code: 'ok' })
  expect(await user.copy().refresh()).toMatchObject({ code: 'ok' })
}

/** A refusal that says nothing about the token: 503 to be tried again, with every cookie left alone. */
export function expectUnavailable(answer: Pick<Answer, 'status' | 'code' | 'setCookies'>): void {
  expect(answer).toMatchObject({ status: 503, code: 'store_unavailable', setCookies: [] })
}

/** Runs a step whose timers move only when told. */
export async function withTimers(step: () => Promise<void>): Promise<void> {
  vi.useFakeTimers()
  try {
    await step()
  } finally {
    vi.useRealTimers()
  }
}

/** Waits until something holds, for at most so many milliseconds. */
export async function within(milliseconds: number, holds: () => Promise<boolean>): Promise<boolean> {
  const end = performance.now() + milliseconds
  while (performance.now() < end) {
    if (await holds()) return true
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  return false
}

export const count = ({ events }: Site, type: string): number =>
  events.filter((event) => event.type === type).length

export const csrfOf = (user: Browser, type: 'access' | 'refresh' = 'refresh'): string =>
  String(user.claims(type)['csrf'])

/** A server whose clock is not the store's. */
export const siteAt = (store: Store, clock: TestClock, options: AuthOptions = {}): Site =>
  createSite({ ...options, store }, clock)

export const isRefused = async (user: Browser): Promise<boolean> =>
  (await user.get()).code === 'token_revoked'

/** Claims of an access token with any names, and a browser that holds it. */
export function holderOf(site: Site, changes: Record<string, unknown>): Browser {
  const user = site.browser()
  user.jar = { access_token_cookie: forge(hs256, goodClaims(changes)) }
  return user
}
