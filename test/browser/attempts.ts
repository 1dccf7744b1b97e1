// Who attacks whom, with which layers of the defence in place, and what the server has to answer.

import type { Page } from 'playwright-core'
import type { AuthOptions } from 'tallystick'
import { pageOf } from './attacks.ts'
import type { Attack } from './attacks.ts'
import type { LiveServer } from './server.ts'
import type { Site } from './site.ts'

export interface Attempt {
  readonly title: string
  readonly options: AuthOptions
  readonly host: string
  readonly attackerHost: string
  /** What `Sec-Fetch-Site` says of it. */
  readonly from: 'cross-site' | 'same-site'
  /** With which of the attacks; Chromium blocks third-party cookies here, whatever SameSite says. */
  readonly cookiesTravel: 'never' | 'at top level' | 'always'
  readonly refusal: string
}

/** One attack, as the server and the attacker's page saw it. */
export interface Result {
  readonly attack: string
  readonly request: string
  readonly from: string | undefined
  readonly cookiesTravelled: boolean
  readonly answer: string
  readonly ending: string | undefined
}

const otherSite = { host: 'localhost', attackerHost: '127.0.0.1', from: 'cross-site' } as const
const sibling = {
  host: 'app.demo.localhost',
  attackerHost: 'evil.demo.localhost',
  from: 'same-site',
  cookiesTravel: 'always',
} as const

export const attempts: readonly Attempt[] = [
  {
    title: 'another site gets nowhere, because SameSite keeps the cookies at home',
    ...otherSite,
    options: {},
    cookiesTravel: 'never',
    refusal: '401 token_missing',
  },
  {
    title: 'another site gets nowhere where SameSite=None lets the cookies travel',
    ...otherSite,
    options: { cookieSamesite: 'none' },
    cookiesTravel: 'at top level',
    refusal: '403 origin_forbidden',
  },
  {
    title: 'another site gets nowhere where only the double submit is left',
    ...otherSite,
    options: { cookieSamesite: 'none', fetchMetadata: false },
    cookiesTravel: 'at top level',
    refusal: '401 csrf_missing',
  },
  {
    title: 'a sibling host gets nowhere, although its requests carry the cookies',
    ...sibling,
    options: {},
    refusal: '403 origin_forbidden',
  },
  {
    title: 'the double submit alone keeps a sibling host out',
    ...sibling,
    options: { fetchMetadata: false },
    refusal: '401 csrf_missing',
  },
  {
    title: 'the origin check alone keeps a sibling host out',
    ...sibling,
    options: { cookieCsrfProtect: false },
    refusal: '403 origin_forbidden',
  },
]

/** Opens the attacker's page and waits until the server has answered and the page knows what it could read. */
export async function carryOut(
  attack: Attack,
  { host, attackerHost }: Pick<Attempt, 'host' | 'attackerHost'>,
  { page, attacker, site }: { page: Page; attacker: LiveServer; site: Site },
): Promise<Result> {
  const url = `${site.at(host)}${attack.path}?${attack.name}`
  await page.goto(pageOf(attacker.at(attackerHost), attack.page(url)), { waitUntil: 'commit' })
  const visit = await site.arrival(attack.name)
  if (attack.isTopLevel === true) await page.waitForURL(url)
  if (attack.ending !== undefined) await page.waitForFunction(() => document.title !== '')
  return {
    attack: attack.name,
    request: `${visit.method} ${visit.path}`,
    from: visit.site,
    cookiesTravelled: visit.cookies.includes('access_token_cookie'),
    answer: `${visit.status} ${visit.code}`,
    ending: attack.ending === undefined ? undefined : await page.title(),
  }
}

export function expectedResult(attack: Attack, { from, cookiesTravel, refusal }: Attempt): Result {
  const isSent =
    cookiesTravel === 'always' || (cookiesTravel === 'at top level' && attack.isTopLevel === true)
  const answers = {
    POST: isSent ? refusal : '401 token_missing',
    // Reading is no forgery: what counts is that the page cannot see the answer, and `ending` says so.
    GET: isSent ? '200 null' : '401 token_missing',
    // A preflight carries no cookies; what it asks for is never sent.
    OPTIONS: '405 null',
  }
  return {
    attack: attack.name,
    request: `${attack.method} ${attack.path}`,
    from,
    cookiesTravelled: isSent && attack.method !== 'OPTIONS',
    answer: answers[attack.method],
    ending: attack.ending,
  }
}
