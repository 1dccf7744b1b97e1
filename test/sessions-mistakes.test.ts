// Mistakes that were once made with sessions: each names the kind of mistake, not only the case.

import { describe, expect, test } from 'vitest'
import { createAuth } from '../src/index.ts'
import { webAuth } from '../src/adapters/web.ts'
import { memoryStore } from '../src/stores/memory.ts'
import { createClock, forge, goodClaims, secretKey, startSeconds } from './_setup.ts'
import { Browser, createSite } from './_sessions.ts'
import type { Site } from './_sessions.ts'

const day = 86_400
const hs256 = { alg: 'HS256', typ: 'JWT' }

async function signedIn(
  site: Site = createSite(),
  subject = 'test',
): Promise<Site & { readonly user: Browser }> {
  const user = site.browser()
  expect(await user.login(subject)).toMatchObject({ code: 'ok' })
  return { ...site, user }
}

describe('a token that is dead ends nothing but what it names', () => {
  test.each([
    ['was revoked', async ({ auth }: Site) => auth.sessions.revokeAll('test'), true],
    [
      'was revoked, while the access token lives',
      async ({ auth }: Site) => auth.sessions.revokeAll('test'),
      false,
    ],
  ])('when it %s, it signs nobody out everywhere', async (_what, kill, isExpired) => {
    const site = createSite()
    const { user: thief } = await signedIn(site)
    await kill(site)
    const { user: owner } = await signedIn(site)
    if (isExpired) Reflect.deleteProperty(thief.jar, 'access_token_cookie')
    expect(await thief.logout({ everywhere: true })).toMatchObject({ code: 'ok', body: { revoked: false } })
    expect(thief.jar).toEqual({})
    expect(await owner.get()).toMatchObject({ code: 'ok' })
  })

  test('when it was replaced long ago, it ends its own session and no other', async () => {
    const site = createSite()
    const { user } = await signedIn(site)
    const thief = user.copy()
    const { user: phone } = await signedIn(site)
    await user.refresh()
    site.clock.advance(31)
    Reflect.deleteProperty(thief.jar, 'access_token_cookie')
    await thief.logout({ everywhere: true })
    expect(await user.get()).toMatchObject({ code: 'token_revoked' })
    expect(await phone.get()).toMatchObject({ code: 'ok' })
  })
})

test('a server whose clock is behind signs out those who signed in elsewhere', async () => {
  const clock = createClock()
  const store = memoryStore({ clock })
  const ahead = createSite({ store, clock: () => clock() + 20 }, clock)
  const behind = createSite({ store }, clock)
  const { user } = await signedIn(ahead)
  const thief = user.copy()
  const here = behind.browser()
  here.jar = { ...user.jar }
  expect(await here.logout()).toMatchObject({ body: { revoked: true } })
  clock.advance(60)
  expect(await thief.get()).toMatchObject({ code: 'token_revoked' })
  expect(await thief.refresh()).toMatchObject({ code: 'token_revoked' })
})

test('a revocation outlasts a token that was dated ahead', async () => {
  const clock = createClock()
  const store = memoryStore({ clock })
  const ahead = createSite({ store, clock: () => clock() + 3600, revocation: 'strict' }, clock)
  const right = createSite({ store, revocation: 'strict' }, clock)
  const { user } = await signedIn(ahead)
  await ahead.auth.sessions.revokeAll('test')
  const there = right.browser()
  there.jar = { ...user.jar }
  clock.advance(3600 + 120)
  expect(await there.get()).toMatchObject({ code: 'token_revoked' })
})

test('one clock that jumps ahead makes nobody forget', async () => {
  let jump = 0
  const clock = createClock()
  const site = createSite({ store: memoryStore({ clock }), clock: () => clock() + jump }, clock)
  const { user } = await signedIn(site)
  const { user: other } = await signedIn(site, 'other')
  await site.auth.sessions.revokeAll('test')
  jump = 3600
  await other.refresh()
  await site.auth.sessions.revokeAll('third')
  jump = 0
  expect(await user.get()).toMatchObject({ code: 'token_revoked' })
})

test('a token from the query that is dead leaves the cookies of somebody else alone', async () => {
  const clock = createClock()
  const store = memoryStore({ clock })
  const auth = createAuth({ secretKey, clock, store, tokenLocation: ['cookies', 'query'] })
  const web = webAuth(auth)
  const attacker = new Browser(web)
  await attacker.login('attacker')
  const dead = String(attacker.jar['refresh_token_cookie'])
  await auth.sessions.revokeAll('attacker')
  const handler = web.authErrors(async (request: Request) =>
    Response.json(await web.authorize(request).refresh()),
  )
  const response = await handler(new Request(`https://app.example/?jwt=${dead}`, { method: 'POST' }))
  expect(response.status).toBe(401)
  expect(response.headers.getSetCookie()).toEqual([])
})

test('code that goes on after a refused refresh finds nobody', async () => {
  const { user, auth } = await signedIn()
  await user.send(
    'POST',
    async (authorize) => {
      await authorize.jwtRefreshTokenRequired()
      expect(authorize.getJwtSubject()).toBe('test')
      await auth.sessions.revokeAll('test')
      await authorize.refresh().catch(() => undefined)
      expect(authorize.getJwtSubject()).toBeNull()
    },
    'csrf_refresh_token',
  )
})

test('a sign-in ends both sessions that two cookies name', async () => {
  const site = createSite()
  const { user } = await signedIn(site)
  const { user: second } = await signedIn(site)
  const mixed = user.copy()
  mixed.jar['refresh_token_cookie'] = String(second.jar['refresh_token_cookie'])
  await mixed.login()
  await expect.poll(async () => (await site.auth.sessions.list('test')).length).toBe(1)
  for (const old of [user, second]) expect(await old.get()).toMatchObject({ code: 'token_revoked' })
})

test('a late token that is only refused leaves the cookies of the browser alone', async () => {
  const { user, clock } = await signedIn(createSite({ lateReplay: 'refuse' }))
  const late = user.copy()
  await user.refresh()
  clock.advance(31)
  expect(await late.refresh()).toMatchObject({ code: 'refresh_reused', setCookies: [] })
  expect(await user.refresh()).toMatchObject({ code: 'ok' })
})

test('a stateless token with a fraction in its times is adopted all the same', async () => {
  const site = createSite()
  const user = site.browser()
  const claims = goodClaims({
    type: 'refresh',
    iat: startSeconds - 0.5,
    exp: startSeconds + day,
    fresh: undefined,
  })
  user.jar = { refresh_token_cookie: forge(hs256, claims), csrf_refresh_token: String(claims['csrf']) }
  expect(await user.refresh()).toMatchObject({ code: 'ok' })
})

describe('the store in memory that is full', () => {
  test('forgets what has ended first, so that one user cannot sign others out', async () => {
    const clock = createClock()
    const site = createSite({ store: memoryStore({ clock, maxSessions: 10 }) }, clock)
    const { user: victim } = await signedIn(site, 'victim')
    const noisy = site.browser()
    for (let count = 0; count < 50; count++) await noisy.login('noisy')
    expect(await victim.get()).toMatchObject({ code: 'ok' })
  })

  test('takes over no token whose session it may have forgotten', async () => {
    const clock = createClock()
    const site = createSite({ store: memoryStore({ clock, maxSessions: 2 }) }, clock)
    const claims = goodClaims({ type: 'refresh', exp: startSeconds + day, fresh: undefined })
    const user = site.browser()
    user.jar = { refresh_token_cookie: forge(hs256, claims), csrf_refresh_token: String(claims['csrf']) }
    const replay = user.copy()
    clock.advance(1)
    await user.refresh()
    await site.auth.sessions.revokeAll('test')
    for (const subject of ['a', 'b', 'c']) await site.browser().login(subject)
    clock.advance(3600)
    expect(await replay.refresh()).toMatchObject({ code: 'token_revoked' })
  })
})

test('nothing on a polluted prototype puts a token into a session', async () => {
  const { user, auth } = await signedIn()
  user.jar['access_token_cookie'] = await auth.createAccessToken('test')
  await auth.sessions.revokeAll('test')
  // oxlint-disable-next-line no-extend-native -- that is the attack
  Object.defineProperty(Object.prototype, 'sid', { value: 'x', configurable: true })
  try {
    expect(await user.get()).toMatchObject({ code: 'token_revoked' })
  } finally {
    Reflect.deleteProperty(Object.prototype, 'sid')
  }
})
