// What the demo notes of a request: which checks it passed, and for how long and for whom that is kept.

import { describe, expect, test } from 'vitest'
import { checksOf } from '../demo/checks.ts'
import { createJournal } from '../demo/journal.ts'

describe('the journal', () => {
  test('forgets the oldest browsers, attacks and requests', () => {
    const journal = createJournal()
    const browsers = Array.from({ length: 150 }, () => journal.open())
    expect(browsers.filter((browser) => journal.knows(browser))).toEqual(browsers.slice(50))
    const browser = browsers.at(-1) ?? ''
    const runs = Array.from({ length: 600 }, () => journal.openRun(browser))
    expect(runs.filter((run) => journal.browserOfRun(run) === browser)).toEqual(runs.slice(100))
    for (let count = 0; count < 150; count++) journal.add(browser, {} as never)
    expect(journal.since(browser, 0).map(({ id }) => id)).toEqual(
      Array.from({ length: 100 }, (_, index) => index + 51),
    )
  })

  test('keeps the events of requests apart', async () => {
    const journal = createJournal()
    const listen = async (type: 'session.created' | 'session.rotated'): Promise<unknown> =>
      journal.listen(async () => {
        await Promise.resolve()
        journal.onEvent({ type })
      })
    journal.onEvent({ type: 'session.grace' })
    expect(await Promise.all([listen('session.created'), listen('session.rotated')])).toEqual([
      [{ type: 'session.created' }],
      [{ type: 'session.rotated' }],
    ])
  })
})

describe('the checks of a request', () => {
  const base = {
    method: 'POST',
    route: '/transfer',
    reason: null,
    accepted: false,
    fetchMetadata: true,
    csrfProtected: true,
  }
  const states = (changes: Partial<Parameters<typeof checksOf>[0]>): string =>
    checksOf({ ...base, code: null, ...changes })
      .map(({ state }) => ({ passed: '+', failed: 'x', 'not asked': '-', 'not reached': '.' })[state])
      .join('')

  test.each([
    ['cookie_ambiguous', null, 'x.......'],
    ['token_missing', null, '+x......'],
    ['origin_forbidden', null, '++x.....'],
    ['csrf_missing', null, '+++x....'],
    ['token_invalid', 'alg_forbidden', '++++x...'],
    ['token_invalid', 'claims_invalid', '+++++x..'],
    ['token_expired', null, '+++++x..'],
    ['csrf_mismatch', null, '++++++x.'],
    ['token_revoked', null, '+++++++x'],
  ])('that ends in %s (%s)', (code, reason, expected) => {
    expect(states({ code, reason })).toBe(expected)
  })

  test('that are not asked for', () => {
    expect(states({ accepted: true })).toBe('++++++++')
    expect(states({ accepted: true, method: 'GET', route: '/protected' })).toBe('++--++-+')
    expect(states({ accepted: true, fetchMetadata: false })).toBe('++-+++++')
    expect(states({ accepted: true, csrfProtected: false })).toBe('+++-++-+')
    expect(states({ route: '/login' })).toBe('x.')
    expect(states({ route: '/login', code: 'origin_forbidden' })).toBe('+x')
    expect(states({ route: '/logout', method: 'DELETE', code: 'csrf_missing' })).toBe('+x..')
  })
})
