// Sessions through the front door: sign-in, rotation with every outcome, adoption, limits, sign-out, revocation.

import { describe, expect, test } from 'vitest'
import { AuthError } from '../src/index.ts'
import { memoryStore } from '../src/stores/memory.ts'
import { createClock, forge, setup, startSeconds } from './_setup.ts'
import { createSite } from './_sessions.ts'
import type { Browser, Site } from './_sessions.ts'

const grace = 30

async function signedIn(site: Site = createSite()): Promise<Site & { readonly user: Browser }> {
  const user = site.browser()
  expect(await user.login()).toMatchObject({ code: 'ok' })
  return { ...site, user }
}

const named = ({ events }: Site, prefix: string): unknown[] =>
  events.filter(({ type }) => type.startsWith(prefix))

describe('sign-in', () => {
  test('puts sid and gen into the tokens and begins a session that says who, when and from where', async () => {
    const site = createSite({ clientAddress: (request: Request) => `${request.method} 192.0.2.7` })
    const { user, auth } = await signedIn(site)
    const { sid, gen } = user.claims()
    expect(gen).toBe(0)
    expect(user.claims('access')).toMatchObject({ sid, fresh: true, auth_time: startSeconds })
    expect(user.claims('access')).not.toHaveProperty('gen')
    expect(await auth.sessions.list('test')).toEqual([
      {
        id: sid,
        subject: 'test',
        createdAt: startSeconds,
        authTime: startSeconds,
        lastSeenAt: startSeconds,
        expiresAt: startSeconds + 90 * 86_400,
        revokedAt: null,
        userAgent: 'browser',
        address: 'POST 192.0.2.7',
      },
    ])
    expect(named(site, 'session')).toEqual([{ type: 'session.created' }])
  })

  test('always begins a new session, and ends the one whose cookies it overwrites', async () => {
    const { user, auth } = await signedIn()
    const first = user.copy()
    await user.login()
    expect(user.claims()['sid']).not.toBe(first.claims()['sid'])
    expect(await first.get()).toMatchObject({ code: 'token_revoked' })
    expect(await first.refresh()).toMatchObject({ code: 'token_revoked' })
    await user.login('other')
    expect(await auth.sessions.list('test')).toEqual([])
    expect(await auth.sessions.list('other')).toHaveLength(1)
  })

  test('ends the longest idle session when a user has too many', async () => {
    const site = createSite({ sessionLimit: 2 })
    const browsers = []
    for (let count = 0; count < 3; count++) {
      browsers.push((await signedIn(site)).user)
      site.clock.advance(1)
    }
    const codes = await Promise.all(browsers.map(async (browser) => (await browser.get()).code))
    expect(codes).toEqual(['token_revoked', 'ok', 'ok'])
  })

  test('notes at most 256 bytes, whole characters and nothing that breaks a line', async () => {
    const site = createSite({ clientAddress: () => `a\nb${'\u{1F980}'.repeat(100)}` })
    const { auth } = await signedIn(site)
    const [session] = await auth.sessions.list('test')
    expect(session?.address).toBe(`a b${'\u{1F980}'.repeat(63)}`)
  })
})

describe('refresh', () => {
  test('replaces both tokens and both CSRF values, and keeps subject, sign-in time, audience and claims', async () => {
    const site = createSite({ encodeAudience: 'web' })
    const user = site.browser()
    await user.login('test', { userClaims: { role: 'reader' } })
    const before = { access: user.claims('access'), refresh: user.claims() }
    site.clock.advance(60)
    expect(await user.refresh()).toMatchObject({ code: 'ok' })
    const after = { access: user.claims('access'), refresh: user.claims() }
    const kept = {
      sub: 'test',
      auth_time: startSeconds,
      aud: 'web',
      role: 'reader',
      sid: before.refresh['sid'],
    }
    expect(after.refresh).toMatchObject({ ...kept, gen: 1, iat: startSeconds + 60 })
    expect(after.access).toMatchObject({ ...kept, fresh: false, iat: startSeconds + 60 })
    for (const type of ['access', 'refresh'] as const) {
      for (const name of ['jti', 'csrf']) expect(after[type][name]).not.toBe(before[type][name])
    }
    expect(await user.get()).toMatchObject({ code: 'ok' })
    expect(named(site, 'session')).toEqual([{ type: 'session.created' }, { type: 'session.rotated' }])
  })

  test('gives all tabs that race the same claims', async () => {
    const { user, clock } = await signedIn()
    clock.advance(3600)
    const tabs = Array.from({ length: 20 }, () => user.copy())
    const answers = await Promise.all(tabs.map((tab) => tab.refresh()))
    expect(answers.map(({ code }) => code)).toEqual(tabs.map(() => 'ok'))
    const all = tabs.map((tab) => JSON.stringify([tab.claims('access'), tab.claims()]))
    expect(new Set(all).size).toBe(1)
    expect(tabs[0]?.claims()).toMatchObject({ gen: 1 })
  })

  test('gives a browser whose answer got lost the same tokens again, to the end of the grace', async () => {
    const { user, clock, events } = await signedIn()
    const lost = user.copy()
    await user.refresh()
    const expected = [user.claims('access'), user.claims()]
    clock.advance(grace)
    expect(await lost.refresh()).toMatchObject({ code: 'ok' })
    expect([lost.claims('access'), lost.claims()]).toEqual(expected)
    expect(events.at(-1)).toEqual({ type: 'session.grace' })
  })

  test('does not advance twice within a grace, so that a slow tab cannot look like a thief', async () => {
    const { user, clock } = await signedIn()
    const slow = user.copy()
    await user.refresh()
    const first = [user.claims('access'), user.claims()]
    clock.advance(grace)
    await user.refresh()
    expect([user.claims('access'), user.claims()]).toEqual(first)
    expect(await slow.refresh()).toMatchObject({ code: 'ok' })
    expect([slow.claims('access'), slow.claims()]).toEqual(first)
  })

  test('finds a stolen token out: its use after the grace ends the session for both', async () => {
    const { user, clock, events } = await signedIn()
    const thief = user.copy()
    await user.refresh()
    clock.advance(grace + 1)
    const answer = await thief.refresh()
    expect(answer).toMatchObject({ status: 401, code: 'refresh_reused' })
    expect(answer.setCookies.filter((line) => /; Max-Age=0;/.test(line))).toHaveLength(4)
    expect(events).toContainEqual({
      type: 'session.reused',
      distance: 1,
      ageSeconds: grace + 1,
      hasEnded: true,
    })
    expect(await user.get()).toMatchObject({ code: 'token_revoked' })
    expect(await user.refresh()).toMatchObject({ code: 'token_revoked' })
    expect(Object.keys(user.jar)).toEqual([])
  })

  test('finds it out the other way round as well: the owner comes second', async () => {
    const { user, clock } = await signedIn()
    const thief = user.copy()
    await thief.refresh()
    clock.advance(grace + 1)
    expect(await user.refresh()).toMatchObject({ code: 'refresh_reused' })
    expect(await thief.get()).toMatchObject({ code: 'token_revoked' })
  })

  test('leaves other sessions of the user alone', async () => {
    const site = createSite()
    const { user } = await signedIn(site)
    const { user: phone } = await signedIn(site)
    const thief = user.copy()
    await user.refresh()
    site.clock.advance(grace + 1)
    await thief.refresh()
    expect(await phone.get()).toMatchObject({ code: 'ok' })
    expect(await phone.refresh()).toMatchObject({ code: 'ok' })
  })

  test('only refuses a late one where that was asked for, and the session lives', async () => {
    const { user, clock, events } = await signedIn(createSite({ lateReplay: 'refuse' }))
    const late = user.copy()
    const old = user.copy()
    await user.refresh()
    clock.advance(grace + 1)
    expect(await late.refresh()).toMatchObject({ code: 'refresh_reused' })
    expect(events).toContainEqual(expect.objectContaining({ type: 'session.reused', hasEnded: false }))
    expect(await user.refresh()).toMatchObject({ code: 'ok' })
    expect(await old.refresh()).toMatchObject({ code: 'refresh_reused' })
    expect(await user.get()).toMatchObject({ code: 'token_revoked' })
  })

  test('uses nothing up when CSRF, origin or the response fails', async () => {
    const { user, auth, clock } = await signedIn()
    const { csrf_refresh_token: csrf, ...without } = user.jar
    const forged = user.copy()
    forged.jar = without
    expect(await forged.refresh()).toMatchObject({ code: 'csrf_missing', setCookies: [] })
    const sent = { append: () => undefined, set: () => undefined, sent: true }
    const header = (name: string): string | undefined =>
      ({ cookie: `refresh_token_cookie=${user.jar['refresh_token_cookie']}`, 'x-csrf-token': csrf })[name]
    await expect(auth.authorize({ method: 'POST', header }, sent).refresh()).rejects.toThrow(TypeError)
    clock.advance(grace + 1)
    expect(await user.refresh()).toMatchObject({ code: 'ok' })
    expect(user.claims()).toMatchObject({ gen: 1 })
  })

  test('uses nothing up when the user look-up or the new claims fail', async () => {
    let isKnown = true
    const { user, clock } = await signedIn(
      createSite({ userLookup: () => (isKnown ? { name: 'test' } : null) }),
    )
    isKnown = false
    expect(await user.refresh()).toMatchObject({ code: 'user_not_found' })
    isKnown = true
    const failing = user.refresh({
      userClaims: () => {
        throw new Error('the database is away')
      },
    })
    await expect(failing).rejects.toThrow('the database is away')
    await expect(user.refresh({ userClaims: { text: 'x'.repeat(5000) } })).resolves.toMatchObject({
      code: 'cookie_too_large',
    })
    clock.advance(grace + 1)
    await user.refresh()
    expect(user.claims()).toMatchObject({ gen: 1 })
  })

  test('keeps what a sign-in said of its cookies: a session of the browser stays one', async () => {
    const site = createSite()
    const user = site.browser()
    await user.login('test', { maxAge: 'session' })
    const { setCookies } = await user.refresh()
    expect(setCookies).toHaveLength(4)
    for (const line of setCookies) expect(line).not.toContain('Max-Age')
  })

  test('changes the claims of the access token alone', async () => {
    const { user } = await signedIn()
    await user.refresh({ userClaims: { role: 'admin' } })
    expect(user.claims('access')).toMatchObject({ role: 'admin' })
    expect(user.claims()).not.toHaveProperty('role')
  })

  test('ends with the session, however often it is repeated', async () => {
    const { user, clock } = await signedIn(createSite({ sessionExpires: '31d' }))
    clock.advance(29 * 86_400)
    await user.refresh()
    expect(user.claims()['exp']).toBe(startSeconds + 31 * 86_400)
    clock.advance(2 * 86_400 - 10)
    await user.refresh()
    expect(user.claims('access')['exp']).toBe(startSeconds + 31 * 86_400)
    clock.advance(10)
    expect(await user.refresh()).toMatchObject({ code: 'token_expired' })
  })

  test('works a thousand times in a row', async () => {
    const { user, clock } = await signedIn()
    for (let count = 0; count < 1000; count++) {
      clock.advance(grace + 1)
      await user.refresh()
    }
    expect(user.claims()).toMatchObject({ gen: 1000 })
    expect(await user.get()).toMatchObject({ code: 'ok' })
  })

  test('takes a token that the store has forgotten having made', async () => {
    const clock = createClock()
    const { user, store } = await signedIn(createSite({}, clock))
    const before = await store.get(String(user.claims()['sid']))
    await user.refresh()
    const ahead = user.copy()
    // A failover to a store that lacks the last write: the row is as it was before.
    const behind = memoryStore({ clock })
    if (before === null) throw new Error('no session')
    await behind.create({ ...before, accessLifetime: 1_260_000, idleLifetime: 86_400_000 })
    const site = createSite({ store: behind }, clock)
    const again = site.browser()
    again.jar = { ...ahead.jar }
    expect(await again.refresh()).toMatchObject({ code: 'ok' })
    expect(again.claims()).toMatchObject({ gen: 2 })
  })
})

describe('guards that let refresh tokens pass', () => {
  const guards = [
    [
      'jwtRefreshTokenRequired',
      (browser: Browser) => browser.send('GET', (a) => a.jwtRefreshTokenRequired()),
    ],
    [
      'jwtRequired with either type',
      (browser: Browser) =>
        browser.send('GET', (a) =>
          a.jwtRequired({
            verifyType: false,
            token: browser.jar['refresh_token_cookie'],
            skipRevocationCheck: true,
          }),
        ),
    ],
  ] as const

  test.each(guards)('%s judges by the same table and writes nothing', async (_name, guard) => {
    const { user, clock, auth } = await signedIn()
    const old = user.copy()
    expect(await guard(user)).toMatchObject({ code: 'ok' })
    await user.refresh()
    expect(await guard(old)).toMatchObject({ code: 'ok' })
    clock.advance(grace + 1)
    expect(await guard(old)).toMatchObject({ code: 'refresh_reused', setCookies: [] })
    expect(await guard(user)).toMatchObject({ code: 'ok' })
    expect(await auth.sessions.list('test')).toHaveLength(1)
    await auth.sessions.revokeAll('test')
    expect(await guard(user)).toMatchObject({ code: 'token_revoked', setCookies: [] })
  })

  test('auth.verify does so as well', async () => {
    const { user, clock, auth } = await signedIn()
    const old = String(user.jar['refresh_token_cookie'])
    await user.refresh()
    clock.advance(grace + 1)
    await expect(auth.verify(old, { type: 'refresh' })).rejects.toMatchObject({ code: 'refresh_reused' })
    await auth.sessions.revokeAll('test')
    const access = String(user.jar['access_token_cookie'])
    await expect(auth.verify(access)).rejects.toMatchObject({ code: 'token_revoked' })
  })

  test.each([
    ['a sid without gen', { gen: undefined }],
    ['gen without sid', { sid: undefined }],
    ['a gen below zero', { gen: -1 }],
    ['a broken gen', { gen: 0.5 }],
    ['a gen beyond counting', { gen: 2 ** 60 }],
    ['no iat', { iat: undefined }],
  ])('a refresh token with %s is no token of ours', async (_what, changes) => {
    const { user } = await signedIn()
    user.jar['refresh_token_cookie'] = forge({ alg: 'HS256', typ: 'JWT' }, { ...user.claims(), ...changes })
    expect(await user.refresh()).toMatchObject({ code: 'token_invalid', setCookies: [] })
  })

  test('a token of another subject that names a session does not get it', async () => {
    const { user, auth } = await signedIn()
    user.jar['refresh_token_cookie'] = forge({ alg: 'HS256', typ: 'JWT' }, { ...user.claims(), sub: 'other' })
    expect(await user.refresh()).toMatchObject({ code: 'token_revoked' })
    expect(await auth.sessions.list('test')).toHaveLength(1)
  })
})

describe('tokens from before the store', () => {
  async function stateless(): Promise<Site & { readonly user: Browser }> {
    const clock = createClock()
    const before = setup({ clock })
    const site = createSite({}, clock)
    const user = site.browser()
    const access = await before.auth.createAccessToken('test')
    const refresh = await before.auth.createRefreshToken('test')
    user.jar = { access_token_cookie: access, refresh_token_cookie: refresh }
    user.jar['csrf_refresh_token'] = String(user.claims()['csrf'])
    user.jar['csrf_access_token'] = String(user.claims('access')['csrf'])
    return { ...site, user }
  }

  test('an access token is accepted, and can be revoked by itself or with its subject', async () => {
    const { user, auth } = await stateless()
    expect(await user.get()).toMatchObject({ code: 'ok' })
    await auth.revokeToken(String(user.jar['access_token_cookie']))
    expect(await user.get()).toMatchObject({ code: 'token_revoked' })
    const other = await stateless()
    await other.auth.sessions.revokeAll('test')
    expect(await other.user.get()).toMatchObject({ code: 'token_revoked' })
  })

  test('a refresh token is adopted once, into one session, whatever tabs race', async () => {
    const { user, auth, clock } = await stateless()
    const tabs = Array.from({ length: 5 }, () => user.copy())
    await Promise.all(tabs.map((tab) => tab.refresh()))
    expect(new Set(tabs.map((tab) => JSON.stringify(tab.claims()))).size).toBe(1)
    expect(await auth.sessions.list('test')).toHaveLength(1)
    expect(tabs[0]?.claims()).toMatchObject({ gen: 1, auth_time: startSeconds })
    clock.advance(grace + 1)
    expect(await user.refresh()).toMatchObject({ code: 'refresh_reused' })
    expect(await auth.sessions.list('test')).toHaveLength(0)
  })

  test('a refresh token is not adopted after its subject, its session or itself was revoked', async () => {
    for (const revoke of [
      (site: Site) => site.auth.sessions.revokeAll('test'),
      async ({ auth }: Site, user: Browser) => auth.revokeToken(String(user.jar['refresh_token_cookie'])),
      async (_site: Site, user: Browser) => user.copy().logout(),
    ]) {
      const site = await stateless()
      await revoke(site, site.user)
      expect(await site.user.refresh()).toMatchObject({ code: 'token_revoked' })
      expect(await site.auth.sessions.list('test')).toEqual([])
    }
  })

  test('a refresh token that was adopted is revoked with the session', async () => {
    const { user, auth } = await stateless()
    const old = String(user.jar['refresh_token_cookie'])
    await user.refresh()
    await auth.revokeToken(old)
    expect(await user.get()).toMatchObject({ code: 'token_revoked' })
  })

  test('the session that a refresh has made of one is the current one, and not among the others', async () => {
    const { user, browser } = await stateless()
    const phone = browser()
    await phone.login('test')
    const answer = await user.send(
      'POST',
      async (authorize) => {
        await authorize.refresh()
        const listed = await authorize.sessions.list()
        await authorize.sessions.revokeOthers()
        return { current: listed.map(({ current }) => current) }
      },
      'csrf_refresh_token',
    )
    expect(answer.body).toEqual({ current: [false, true] })
    expect(await user.get()).toMatchObject({ code: 'ok' })
    expect(await phone.get()).toMatchObject({ code: 'token_revoked' })
  })

  test('one whose time of issue is a fraction is cut off with the second that it was made in', async () => {
    const { auth, clock } = await stateless()
    const whole = auth.getUnverifiedJwtClaims(await auth.createAccessToken('test'))
    const token = forge({ alg: 'HS256', typ: 'JWT' }, { ...whole, iat: clock() + 0.5 })
    expect(await auth.verify(token)).toMatchObject({ sub: 'test' })
    await auth.sessions.revokeAll('test')
    await expect(auth.verify(token)).rejects.toMatchObject({ code: 'token_revoked' })
  })

  test('none is adopted where that was switched off', async () => {
    const { user, clock } = await stateless()
    const strict = createSite({ adoptStatelessTokens: false }, clock).browser()
    strict.jar = { ...user.jar }
    expect(await strict.refresh()).toMatchObject({ code: 'token_revoked' })
  })

  test('an access token lives no longer than ours do where none is adopted, so that it need not be remembered', async () => {
    const { user, auth, clock } = await stateless()
    const strict = createSite({ adoptStatelessTokens: false }, clock)
    const browser = strict.browser()
    const claims = { ...user.claims('access'), exp: startSeconds + 86_400 }
    browser.jar = { access_token_cookie: forge({ alg: 'HS256', typ: 'JWT' }, claims) }
    expect(await browser.get()).toMatchObject({ code: 'ok' })
    clock.advance(901)
    expect(await browser.get()).toMatchObject({ code: 'token_expired' })
    await auth.close()
  })

  test('none lives longer than a session may, even one that says so', async () => {
    const site = createSite()
    const user = site.browser()
    const claims = {
      sub: 'test',
      jti: 'a',
      type: 'access',
      iat: startSeconds,
      exp: startSeconds + 1e9,
      fresh: false,
    }
    user.jar = { access_token_cookie: forge({ alg: 'HS256', typ: 'JWT' }, claims) }
    expect(await user.get()).toMatchObject({ code: 'ok' })
    site.clock.advance(90 * 86_400)
    expect(await user.get()).toMatchObject({ code: 'token_expired' })
  })

  test('the ancestor’s style of handlers leads into a session at the first refresh', async () => {
    const site = createSite()
    const user = site.browser()
    await user.send('POST', async (authorize) => {
      await authorize.setAccessCookies(await authorize.createAccessToken('test'))
      await authorize.setRefreshCookies(await authorize.createRefreshToken('test'))
    })
    expect(user.claims()).not.toHaveProperty('sid')
    await user.refresh()
    expect(user.claims()).toMatchObject({ gen: 1 })
    const ancestor = await user.send(
      'POST',
      async (authorize) => {
        await authorize.jwtRefreshTokenRequired()
        await authorize.setAccessCookies(await authorize.createAccessToken(authorize.subject()))
      },
      'csrf_refresh_token',
    )
    expect(ancestor).toMatchObject({ code: 'ok' })
    expect(user.claims('access')['sid']).toBe(user.claims()['sid'])
  })
})

describe('sign-out', () => {
  test('ends the session: nothing of it is accepted any more', async () => {
    const { user, events } = await signedIn()
    const copy = user.copy()
    expect(await user.logout()).toMatchObject({ code: 'ok', body: { revoked: true } })
    expect(user.jar).toEqual({})
    expect(await copy.get()).toMatchObject({ code: 'token_revoked' })
    expect(await copy.refresh()).toMatchObject({ code: 'token_revoked' })
    expect(events).toContainEqual({ type: 'session.revoked', count: 1 })
  })

  test('is named by the refresh token where the access token has expired', async () => {
    const { user, clock } = await signedIn()
    const copy = user.copy()
    clock.advance(901)
    Reflect.deleteProperty(user.jar, 'access_token_cookie')
    expect(await user.logout()).toMatchObject({ body: { revoked: true } })
    expect(await copy.refresh()).toMatchObject({ code: 'token_revoked' })
  })

  test('without any token only unsets', async () => {
    const answer = await createSite().browser().logout()
    expect(answer).toMatchObject({ body: { revoked: false } })
    expect(answer.setCookies).toHaveLength(4)
  })

  test('everywhere ends every session of the user and nobody else’s', async () => {
    const site = createSite()
    const { user } = await signedIn(site)
    const { user: phone } = await signedIn(site)
    const other = site.browser()
    await other.login('other')
    await user.logout({ everywhere: true })
    expect(await phone.get()).toMatchObject({ code: 'token_revoked' })
    expect(await other.get()).toMatchObject({ code: 'ok' })
    expect(await site.browser().login()).toMatchObject({ code: 'ok' })
  })

  test('everywhere is a mistake without a store', async () => {
    const { web } = setup()
    const request = new Request('https://app.example/', { method: 'DELETE' })
    await expect(web.authorize(request).logout({ everywhere: true })).rejects.toThrow(
      /needs the option store/,
    )
  })

  test('wins against a refresh that runs at the same time, in either order', async () => {
    for (const order of ['refresh first', 'logout first']) {
      const { user } = await signedIn()
      const [tab, other] = [user.copy(), user.copy()]
      const steps =
        order === 'refresh first' ? [tab.refresh(), other.logout()] : [other.logout(), tab.refresh()]
      await Promise.all(steps)
      tab.jar = { ...user.jar, ...tab.jar }
      expect(await tab.get()).toMatchObject({ code: 'token_revoked' })
      expect(await tab.refresh()).toMatchObject({ code: 'token_revoked' })
    }
  })
})

describe('auth.sessions and authorize.sessions', () => {
  test('a user sees where they are signed in, and which of it is here', async () => {
    const site = createSite()
    const { user } = await signedIn(site)
    site.clock.advance(1)
    const { user: phone } = await signedIn(site)
    await site.browser().login('other')
    const { body } = await user.send('GET', async (authorize) => {
      await authorize.jwtRequired()
      return { list: await authorize.sessions.list() }
    })
    expect(body['list']).toMatchObject([
      { id: phone.claims()['sid'], current: false },
      { id: user.claims()['sid'], current: true },
    ])
    expect(JSON.stringify(body)).not.toContain('salt')
  })

  test('a user ends one session or all others, and never a stranger’s', async () => {
    const site = createSite()
    const { user } = await signedIn(site)
    const { user: phone } = await signedIn(site)
    const { user: tablet } = await signedIn(site)
    const stranger = site.browser()
    await stranger.login('other')
    const end = (id: unknown): Promise<{ body: Record<string, unknown> }> =>
      user.send('DELETE', async (authorize) => {
        await authorize.jwtRequired()
        return { revoked: await authorize.sessions.revoke(String(id)) }
      })
    expect((await end(stranger.claims()['sid'])).body).toEqual({ revoked: false })
    expect((await end(phone.claims()['sid'])).body).toEqual({ revoked: true })
    expect((await end('nonsense')).body).toEqual({ revoked: false })
    expect(await stranger.get()).toMatchObject({ code: 'ok' })
    expect(await phone.get()).toMatchObject({ code: 'token_revoked' })
    await user.send('DELETE', async (authorize) => {
      await authorize.jwtRequired()
      await authorize.sessions.revokeOthers()
    })
    expect(await tablet.get()).toMatchObject({ code: 'token_revoked' })
    expect(await user.get()).toMatchObject({ code: 'ok' })
  })

  test('an operator looks one up, ends one, and ends all but one', async () => {
    const site = createSite()
    const { user, auth } = await signedIn(site)
    const { user: phone } = await signedIn(site)
    const [id, other] = [user.claims()['sid'], phone.claims()['sid']].map(String)
    expect(await auth.sessions.get(String(id))).toMatchObject({ id, revokedAt: null })
    expect(await auth.sessions.get('nonsense')).toBeNull()
    expect(await auth.sessions.revoke(String(other), { subject: 'somebody else' })).toBe(false)
    await auth.sessions.revokeAll('test', { except: String(id) })
    expect(await auth.sessions.get(String(other))).toMatchObject({ revokedAt: startSeconds })
    expect(await user.get()).toMatchObject({ code: 'ok' })
    expect(await phone.get()).toMatchObject({ code: 'token_revoked' })
    expect(await auth.sessions.revoke(String(id))).toBe(true)
    expect(await user.get()).toMatchObject({ code: 'token_revoked' })
  })

  test('a sign-in in the same second as a new password lives', async () => {
    const { user, auth } = await signedIn()
    await auth.sessions.revokeAll('test')
    expect(await user.get()).toMatchObject({ code: 'token_revoked' })
    await user.login()
    expect(await user.get()).toMatchObject({ code: 'ok' })
    expect(await user.refresh()).toMatchObject({ code: 'ok' })
  })

  test('are a mistake without a store, and before a guard', async () => {
    const { auth, web } = setup()
    expect(() => auth.sessions).toThrow(TypeError)
    await expect(auth.revokeToken('a')).rejects.toThrow(TypeError)
    expect(() => web.authorize(new Request('https://app.example')).sessions).toThrow(TypeError)
    await expect(
      createSite()
        .browser()
        .send('GET', (authorize) => authorize.sessions.list()),
    ).rejects.toThrow(/needs a guard/)
    await auth.ready()
    await auth.close()
  })
})

describe('revokeToken', () => {
  test('denies one access token and leaves the session', async () => {
    const { user, auth } = await signedIn()
    await auth.revokeToken(String(user.jar['access_token_cookie']))
    expect(await user.get()).toMatchObject({ code: 'token_revoked' })
    expect(await user.refresh()).toMatchObject({ code: 'ok' })
    expect(await user.get()).toMatchObject({ code: 'ok' })
  })

  test('takes the claims that a guard gave, too', async () => {
    const { user, auth } = await signedIn()
    await user.send('POST', async (authorize) => auth.revokeToken(await authorize.jwtRequired()))
    expect(await user.get()).toMatchObject({ code: 'token_revoked' })
  })

  test('of a refresh token ends the session', async () => {
    const { user, auth } = await signedIn()
    await auth.revokeToken(String(user.jar['refresh_token_cookie']))
    expect(await user.get()).toMatchObject({ code: 'token_revoked' })
  })

  test('has nothing to do for a token that has expired, and refuses one that is forged', async () => {
    const { user, auth, clock } = await signedIn()
    const token = String(user.jar['access_token_cookie'])
    await expect(auth.revokeToken(`${token}A`)).rejects.toSatisfy((error) => AuthError.is(error))
    clock.advance(901)
    await expect(auth.revokeToken(token)).resolves.toBeUndefined()
  })

  test.each([
    undefined,
    null,
    1,
    {},
    { sub: 'a' },
    { sub: 'a', jti: 'b' },
    { sub: '', jti: 'b', type: 'access' },
  ])('takes no %o', async (token) => {
    await expect(createSite().auth.revokeToken(token as never)).rejects.toThrow(TypeError)
  })
})
