// Sessions against a model of them: whatever is done in whatever order, the two agree.

/* oxlint-disable vitest/no-standalone-expect -- the steps run inside tests */

import fc from 'fast-check'
import Database from 'libsql'
import { describe, expect, test } from 'vitest'
import type { AuthOptions, Store } from '../src/index.ts'
import { memoryStore } from '../src/stores/memory.ts'
import { sqliteStore } from '../src/stores/sqlite.ts'
import { lastFault, Model, Real, verdicts } from './_session-model.ts'
import type { Jar } from './_session-model.ts'
import type { Browser } from './_sessions.ts'

type Step = fc.AsyncCommand<Model, Real>

/** A step that needs nobody to have signed in. */
function anyTime(name: string, run: (model: Model, real: Real) => Promise<void>): Step {
  return { check: () => true, run, toString: () => name }
}

/** A step with the cookies of somebody who has signed in: the owner's newest, or older ones that a thief has. */
function withCookies(
  name: string,
  number: number,
  run: (model: Model, real: Real, jar: Jar, browser: () => Browser) => Promise<void>,
): Step {
  const find = (model: Model, real: Real): Promise<void> => {
    const place = model.who(number)
    return run(model, real, model.jar(place), () => real.browser(place))
  }
  return { ...anyTime(`${name} ${number}`, find), check: ({ jars }) => jars.length > 0 }
}

const which = fc.nat(200)

/** A sign-in by a browser with the cookies of a jar, whose session it ends, or by one without. */
const login = fc.option(which, { freq: 2 }).map((number) =>
  anyTime(`login over ${String(number)}`, async (model, real) => {
    const place = number === null || model.jars.length === 0 ? null : model.who(number)
    const jar = place === null ? null : model.jar(place)
    const browser = place === null ? real.site.browser() : real.browser(place)
    const answer = await browser.login()
    expect(answer.code).toBe(model.isFaulty ? 'store_unavailable' : 'ok')
    if (jar !== null && model.fault !== 'away') model.end(model.session(jar))
    if (model.isFaulty) {
      expect(answer.setCookies).toEqual([])
      return
    }
    const sid = String(browser.claims()['sid'])
    expect(model.sessions.has(sid)).toBe(false)
    model.sessions.set(sid, { generation: 0, rotatedAt: null, isAlive: true, isUntold: false })
    real.keep(model, browser, answer)
  }),
)

function pass(model: Model, real: Real, seconds: number): void {
  model.now += seconds
  model.latest = Math.max(model.latest, model.now)
  real.advance(seconds)
}

async function expectRefresh(
  model: Model,
  real: Real,
  jar: Jar,
  browsers: readonly Browser[],
): Promise<void> {
  const answers = await Promise.all(browsers.map((browser) => browser.refresh()))
  const isKnownDead = model.isFaulty && !model.session(jar).isAlive
  const expected = browsers.map(() => model.refresh(jar)).toSorted()
  const { isAlive } = model.session(jar)
  const codes = answers.map(({ code }) => code).toSorted()
  // Of a store that is away a process still knows what it has ended itself, until nobody would accept it anyway.
  if (!isKnownDead || !codes.every((code) => code === 'token_revoked')) expect(codes).toEqual(expected)
  for (const [index, answer] of answers.entries()) {
    const browser = browsers[index]
    const isEnded = answer.code === 'token_revoked' || (answer.code === 'refresh_reused' && !isAlive)
    if (answer.code === 'ok' && browser !== undefined) real.keep(model, browser, answer)
    else expect(answer.setCookies).toHaveLength(isEnded ? 4 : 0)
    if (isEnded) expect(browser?.jar).toEqual({})
  }
}

const tabs = fc.integer({ min: 1, max: 5 })
const pauses = fc.constantFrom([], [], [], [], [16, 16], [-40])

/** A refresh by one tab or many, with any cookies that anybody ever had; some get no answer, and send them again. */
const refresh = fc.tuple(which, tabs, pauses).map(([number, count, again]) =>
  withCookies(
    `refresh by ${count}, again after [${again.join()}]`,
    number,
    async (model, real, jar, browserOf) => {
      await expectRefresh(model, real, jar, Array.from({ length: count }, browserOf))
      for (const seconds of again) {
        pass(model, real, seconds)
        await expectRefresh(model, real, jar, [browserOf()])
      }
    },
  ),
)

const guard = which.map((number) =>
  withCookies('guard', number, async (model, _real, jar, browserOf) => {
    const expected = model.guard(jar)
    const answer = await browserOf().get()
    expect(expected).toContain(answer.code)
    expect(answer.setCookies).toEqual([])
  }),
)

/** A guard of refresh tokens judges by the same table, and changes nothing. */
const refreshGuard = which.map((number) =>
  withCookies('guard refresh', number, async (model, _real, jar, browserOf) => {
    const expected = model.judge(jar)
    const answer = await browserOf().send('GET', (authorize) => authorize.jwtRefreshTokenRequired())
    const isKnownDead = model.isFaulty && answer.code === 'token_revoked' && !model.session(jar).isAlive
    if (!isKnownDead) expect(answer.code).toBe(expected)
    expect(answer.setCookies).toEqual([])
  }),
)

const logout = fc.tuple(which, fc.constantFrom(true, false, false)).map(([number, everywhere]) =>
  withCookies(`logout${everywhere ? ' everywhere' : ''}`, number, async (model, _real, jar, browserOf) => {
    const browser = browserOf()
    const isEverywhere = everywhere && !model.isFaulty
    // A browser drops a cookie at its end, and the refresh token names the session then.
    const isExpired = model.guard(jar).includes('token_expired')
    if (isExpired) Reflect.deleteProperty(browser.jar, 'access_token_cookie')
    const isGood = isExpired ? model.judge(jar) === 'ok' : model.session(jar).isAlive
    const answer = await browser.logout({ everywhere: isEverywhere })
    expect(answer.setCookies.every((line) => line.includes('Max-Age=0;'))).toBe(true)
    expect(answer.setCookies).toHaveLength(4)
    expect(answer.code).toBe(model.isFaulty ? 'store_unavailable' : 'ok')
    // What is dead itself ends nothing else.
    if (isEverywhere && isGood) model.endAll()
    // What fails is told to the store by `recover`, and refused here at once.
    Object.assign(model.session(jar), { isAlive: false, isUntold: false })
  }),
)

const revoke = fc
  .tuple(which, fc.constantFrom('session', 'session', 'token', 'token', 'all'))
  .map(([number, what]) =>
    withCookies(`revoke ${what}`, number, async (model, real, jar, browserOf) => {
      const { auth } = real.site
      const token = String(browserOf().jar['refresh_token_cookie'])
      const steps = {
        session: () => auth.sessions.revoke(jar.sid),
        token: () => auth.revokeToken(token),
        all: () => auth.sessions.revokeAll('test'),
      }
      if (what === 'token' && model.isYetToCome(jar)) return
      if (model.isFaulty) await expect(steps[what]()).rejects.toMatchObject({ code: 'store_unavailable' })
      else await steps[what]()
      if (model.fault === 'away') return
      if (what === 'all') model.endAll()
      else model.end(model.session(jar))
    }),
  )

const ahead = fc.constantFrom(5, 30, 31, 60, 600, 901, 7200)
const back = fc.constantFrom(-2, -40, -40, -40, -600, -3600)

const clock = fc.oneof({ weight: 4, arbitrary: ahead }, { weight: 1, arbitrary: back }).map((seconds) =>
  anyTime(`clock ${seconds}`, async (model, real) => {
    pass(model, real, seconds)
  }),
)

const fail = fc.oneof(fc.nat(lastFault), fc.nat(lastFault), fc.constant(lastFault)).map((kind) =>
  anyTime(`fault ${kind}`, async (model, real) => {
    model.fault = kind === lastFault ? 'lost' : 'away'
    real.fault = kind
  }),
)

/** The store is back; the server is restarted, which tells it of what it could not be told. */
const recover = fc.constant(
  anyTime('recover and restart', async (model, real) => {
    model.fault = null
    real.fault = null
    await real.restart()
  }),
)

/** One seed for all, so that a failure can be run again. */
const seed = 6265

/** What is named twice happens twice as often: sessions live long enough for something to happen to them. */
const often = [refresh, refresh, refresh, refresh, refresh, refresh, clock, clock, clock, clock, clock]
const steps = [
  login,
  login,
  guard,
  guard,
  guard,
  guard,
  refreshGuard,
  logout,
  revoke,
  fail,
  recover,
  recover,
  ...often,
]

async function agree(
  makeStore: (clock: () => number) => Store,
  options: AuthOptions,
  numRuns: number,
): Promise<void> {
  const reached = new Set<string>()
  await fc.assert(
    fc.asyncProperty(fc.commands(steps, { maxCommands: 60, size: 'max' }), async (commands) => {
      const real = new Real(makeStore, options)
      try {
        // The store's data began before the first clock step.
        await real.site.auth.ready()
        await fc.asyncModelRun(() => ({ model: new Model(options, reached), real }), commands)
      } finally {
        real.fault = null
        await real.site.auth.close()
      }
    }),
    { seed, numRuns },
  )
  expect([...reached]).toEqual(expect.arrayContaining([...verdicts]))
}

const stores: readonly [string, (clock: () => number) => Store, number][] = [
  ['in memory', (clock) => memoryStore({ clock }), 200],
  ['in SQLite', (clock) => sqliteStore(new Database(':memory:'), { clock }), 80],
]

describe.each(stores)('sessions %s do what the model does', (_name, makeStore, runs) => {
  test.each(['replicated', 'strict'] as const)(
    'with %s revocation',
    { timeout: 60_000 },
    async (revocation) => {
      expect.hasAssertions()
      await agree(makeStore, { revocation }, runs)
    },
  )
})
