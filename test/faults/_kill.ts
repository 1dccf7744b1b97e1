/** Ends processes between any two calls of their store, and looks what is left; holds no test itself. */

import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { webAuth } from '../../src/adapters/web.ts'
import { createAuth } from '../../src/index.ts'
import type { Auth, Store } from '../../src/index.ts'
import { Browser, createSite } from '../_sessions.ts'
import type { Site } from '../_sessions.ts'
import { cookieHeader, secretKey } from '../_setup.ts'
import { at, signedIn } from './_world.ts'

export interface Place {
  readonly kind: 'sqlite' | 'redis' | 'postgres'
  readonly port: number
  readonly place: string
  /** Another store there, by a clock that may be ahead. */
  open(clock: () => number): Store
}

/** What a process is doing when it ends, and whose cookies the request brings. */
export type Deed = readonly [
  name: 'login' | 'refresh' | 'logout' | 'logoutEverywhere' | 'revokeAll',
  from: 'subject' | 'other' | 'stateless' | 'nobody',
]

/** After these nothing of the session lives. */
const endings: ReadonlySet<Deed[0]> = new Set(['logout', 'logoutEverywhere', 'revokeAll'] as const)

const script = fileURLToPath(new URL('_kill-child.mjs', import.meta.url))
const moments = ['before', 'while', 'after'] as const
/** No deed asks its store so often. */
const mostCalls = 10

/** Does a deed in a process that ends at each of its calls in turn, and in one that does not; returns how many calls. */
export async function expectSurvivalOfKills(place: Place, deed: Deed): Promise<number> {
  for (let call = 1; call <= mostCalls; call++) {
    // To end before a call is to end after the one before it.
    for (const moment of moments.slice(call === 1 ? 0 : 1)) {
      const end = await runOnce(place, deed, call, moment)
      if (end !== 'killed') return call - 1
    }
  }
  throw new Error(`${deed[0]} takes more than ${mostCalls} calls`)
}

async function runOnce(
  place: Place,
  deed: Deed,
  call: number,
  moment: (typeof moments)[number],
): Promise<'killed' | 'done'> {
  const [what, from] = deed
  const subject = `${what} ${from} ${call} ${moment}`
  const before = siteOf(place)
  const browser = await visitorOf(before, from, subject)
  const csrf = what === 'refresh' ? 'csrf_refresh_token' : 'csrf_access_token'
  const { kind, port, place: name } = place
  const cookies = { cookie: cookieHeader(browser.jar), csrf: browser.jar[csrf] ?? '' }
  const order = { kind, port, place: name, secretKey, deed: what, subject, call, moment, ...cookies }
  const end = await run(order)
  await before.auth.close()
  const code = await expectOneLineage(place, from, subject, browser)
  if (end === 'done' && endings.has(what)) expect(code).toBe('token_revoked')
  return end
}

/** The end of the process: by its own hand, or as planned. */
async function run(order: object): Promise<'killed' | 'done'> {
  return new Promise((resolve, reject) => {
    const options = { timeout: 20_000, killSignal: 'SIGTERM' } as const
    execFile(process.execPath, [script, JSON.stringify(order)], options, (error, stdout, stderr) => {
      if (error?.signal === 'SIGKILL') resolve('killed')
      else if (error === null && stdout.includes('"status":200')) resolve('done')
      else reject(new Error(`The process ended otherwise: ${stdout}${stderr}`, { cause: error }))
    })
  })
}

function siteOf(place: Place, aheadSeconds = 0): Site {
  const clock = (): number => Date.now() / 1000 + aheadSeconds
  return createSite({ store: place.open(clock), clock, storeTimeout: 10 })
}

async function visitorOf(site: Site, from: Deed[1], subject: string): Promise<Browser> {
  if (from === 'nobody') return site.browser()
  if (from !== 'stateless') return signedIn(site, from === 'subject' ? subject : `not ${subject}`)
  // The clock of a store that was added later begins before these tokens.
  await site.auth.ready()
  const auth: Auth = createAuth({ secretKey })
  const browser = new Browser(webAuth(auth))
  await browser.login(subject)
  return browser
}

/**
 * What a browser holds works for all servers alike, or for none. If it works, there is one successor, which goes on; and
 * what came before it ends the session once the grace has passed.
 */
async function expectOneLineage(
  place: Place,
  from: Deed[1],
  subject: string,
  browser: Browser,
): Promise<string> {
  const [one, two, later] = [siteOf(place), siteOf(place), siteOf(place, 60)]
  try {
    await Promise.all([one, two, later].map(({ auth }) => auth.ready()))
    const owner = from === 'other' ? `not ${subject}` : subject
    const live = await one.auth.sessions.list(owner)
    expect(live.length).toBeLessThanOrEqual(1)
    const tabs = [at(one, browser), at(two, browser)]
    const [code = '', ...codes] = (await Promise.all(tabs.map((tab) => tab.refresh()))).map((a) => a.code)
    expect(codes).toEqual([code])
    if (code === 'ok') await expectLineage(later, browser, tabs, owner)
    else {
      expect(code).toBe(from === 'nobody' ? 'token_missing' : 'token_revoked')
      expect((await at(two, browser).get()).code).not.toBe('ok')
    }
    expect(await signedIn(one, subject)).toBeDefined()
    return code
  } finally {
    await Promise.all([one, two, later].map(({ auth }) => auth.close()))
  }
}

async function expectLineage(
  later: Site,
  old: Browser,
  tabs: readonly Browser[],
  owner: string,
): Promise<void> {
  const [claims, ...others] = tabs.map((tab) => JSON.stringify([tab.claims('access'), tab.claims()]))
  for (const other of others) expect(other).toBe(claims)
  const [tab = old] = tabs
  expect(tab.claims()).toMatchObject({ gen: 1 })
  const [session, ...more] = await later.store.list(owner)
  expect(more).toEqual([])
  expect(session).toMatchObject({ id: tab.claims()['sid'], generation: 1 })
  const newest = at(later, tab)
  expect(await newest.refresh()).toMatchObject({ code: 'ok' })
  expect(newest.claims()).toMatchObject({ gen: 2 })
  expect(await at(later, old).refresh()).toMatchObject({ code: 'refresh_reused' })
  expect(await newest.refresh()).toMatchObject({ code: 'token_revoked' })
  expect(await later.store.list(owner)).toEqual([])
}
