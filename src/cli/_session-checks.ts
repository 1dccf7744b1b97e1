/** Plays a sign-in through to its end: a refresh, a token that comes back, a sign-out. */

import { setTimeout as sleep } from 'node:timers/promises'
import { checkNoStore } from './_cookie-checks.ts'
import { judge, skip, warn } from './_finding.ts'
import type { Finding } from './_finding.ts'
import { csrfOf } from './_guard-checks.ts'
import type { Routes } from './_guard-checks.ts'
import type { Answer } from './_http.ts'
import { isAbsent, isAccepted, isDeletion, readSetCookie, signInOf } from './_site.ts'
import type { SignIn, Site } from './_site.ts'

/** News of a revocation take a second at most to reach every process. */
const revocationMilliseconds = 1500

const needsStore = 'give createAuth a store: refresh tokens then rotate, and what was ended is refused'

export async function checkRefresh(
  site: Site,
  { refresh: route }: Routes,
  graceMilliseconds: number | undefined,
  signIn: () => Promise<SignIn>,
): Promise<Finding[]> {
  const first = await signIn()
  const again = (): Promise<Answer> =>
    site.send(route, { cookies: first.cookies, csrf: csrfOf(first.refresh) })
  if (first.refresh === undefined) return [skip('refresh', 'the sign-in set no refresh token')]
  const answer = await again()
  if (isAbsent(answer)) return [skip('refresh', `there is no ${route.method} ${route.path}`)]
  if (!isAccepted(answer))
    return [
      warn('refresh', `a good one is answered with ${answer.status}`, 'see what the site logs about it'),
    ]
  const noStore = checkNoStore('no-store refresh', answer)
  const next = signInOf(answer).refresh
  if (next === undefined || next.value === first.refresh.value)
    return [
      noStore,
      judge('rotation', false, '', 'the refresh token stays the same, and good until it expires', needsStore),
    ]
  if (graceMilliseconds !== undefined) await sleep(graceMilliseconds)
  const replayed = await again()
  const successor = isAccepted(replayed) ? signInOf(replayed).refresh : undefined
  // Within the grace, tabs that race all get the one successor.
  const isSame = graceMilliseconds === undefined && successor?.claims['jti'] === next.claims['jti']
  return [
    noStore,
    judge(
      'rotation',
      !isAccepted(replayed) || isSame,
      isSame
        ? 'used twice at once it has one successor; --grace 31s waits, and uses it once more'
        : 'a refresh token is good once',
      'a refresh token that was used is good again, so a stolen one is too',
      needsStore,
    ),
  ]
}

export async function checkLogout(
  site: Site,
  routes: Routes,
  signIn: () => Promise<SignIn>,
): Promise<Finding[]> {
  const signedIn = await signIn()
  const { access, cookies, refresh } = signedIn
  const { logout } = routes
  const answer = await site.send(logout, { cookies, csrf: csrfOf(access) })
  if (isAbsent(answer)) return [skip('logout', `there is no ${logout.method} ${logout.path}`)]
  if (!isAccepted(answer))
    return [warn('logout', `a good one is answered with ${answer.status}`, 'see what the site logs about it')]
  const deleted = new Set(
    answer.setCookies
      .map(readSetCookie)
      .filter(isDeletion)
      .map(({ name }) => name),
  )
  const left = [access, refresh].filter((token) => token !== undefined && !deleted.has(token.name))
  return [
    judge(
      'logout',
      left.length === 0,
      'the token cookies are unset',
      'token cookies stay in the browser',
      'call logout(), which unsets all four',
    ),
    checkNoStore('no-store logout', answer),
    judge(
      'revocation',
      !(await isStillGood(site, routes, signedIn)),
      'what was signed out is refused',
      'tokens go on being good after the sign-out, for whoever has a copy',
      needsStore,
    ),
  ]
}

async function isStillGood(
  site: Site,
  routes: Routes,
  { access, cookies, refresh }: SignIn,
): Promise<boolean> {
  // A route that lets everybody in says nothing about a token.
  const isGuarded = !isAccepted(await site.send(routes.protected))
  const isAccessGood = async (): Promise<boolean> =>
    isGuarded && access !== undefined && isAccepted(await site.send(routes.protected, { cookies: [access] }))
  if (await isAccessGood()) {
    await sleep(revocationMilliseconds)
    if (await isAccessGood()) return true
  }
  return (
    refresh !== undefined && isAccepted(await site.send(routes.refresh, { cookies, csrf: csrfOf(refresh) }))
  )
}
