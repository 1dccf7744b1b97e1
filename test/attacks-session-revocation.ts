/** The rows on what was revoked: on every server, in every spelling. */

/* oxlint-disable vitest/no-standalone-expect -- the proofs of these tables run inside tests */

import { expect } from 'vitest'
import { memoryStore } from '../src/stores/memory.ts'
import { createSite } from './_sessions.ts'
import type { Browser, Site } from './_sessions.ts'
import { createClock, setup } from './_setup.ts'
import { ecdsaAlgorithms, goodToken, malleated, verifierFor } from './attacks-token-forge.ts'
import type { SessionRow } from './attacks-session-world.ts'
import {
  at,
  cluster,
  expectAlive,
  expectDead,
  isRefused,
  sent,
  sidOf,
  signedIn,
  tokenOf,
  within,
} from './attacks-session-world.ts'

/** News are at every server within a second, which row 206 measures; a busy machine may take longer. */
const boundMilliseconds = 5000

/** What ends what, and whether the refresh token goes with it. */
const kinds: Readonly<Record<string, (site: Site, user: Browser) => Promise<unknown>>> = {
  'one token, by its jti': ({ auth }, user) => auth.revokeToken(tokenOf(user)),
  'a session, by its sid': ({ auth }, user) => auth.sessions.revoke(sidOf(user)),
  'a user': ({ auth }) => auth.sessions.revokeAll('test'),
  'a session that was found out': async (site, user) => {
    const thief = user.copy()
    await user.refresh()
    site.clock.advance(31)
    await thief.refresh()
  },
  'a session that a sign-in overwrites': async (site, user) => at(site, user).login(),
}

async function expectRevokedEverywhere(
  revoke: (site: Site, user: Browser) => Promise<unknown>,
  revocation: 'replicated' | 'strict',
): Promise<void> {
  const sites = await cluster(3, { revocation })
  const [first] = sites
  if (first === undefined) throw new Error('no server')
  const { user } = await signedIn(first)
  const { user: stranger } = await signedIn(first, 'other')
  for (const site of sites) expect(await at(site, user).get()).toMatchObject({ code: 'ok' })
  await revoke(first, user)
  expect(await isRefused(user)).toBe(true)
  for (const site of sites) {
    const there = at(site, user)
    if (revocation === 'strict') expect(await isRefused(there)).toBe(true)
    else expect(await within(boundMilliseconds, () => isRefused(there))).toBe(true)
    expect(await at(site, stranger).get()).toMatchObject({ code: 'ok' })
  }
  await Promise.all(sites.map(({ auth }) => auth.close()))
}

/** Other texts that a careless reader would take for the same token. */
function spellingsOf(token: string): Record<string, string> {
  const parts = token.split('.')
  const [header = '', payload = '', signature = ''] = parts
  const last = signature.slice(-1)
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return {
    padded: `${token}=`,
    'every part padded': parts.map((part) => part.padEnd(Math.ceil(part.length / 4) * 4, '=')).join('.'),
    'in upper case': token.toUpperCase(),
    'in lower case': token.toLowerCase(),
    'in base64': `${header}.${payload}.${Buffer.from(signature, 'base64url').toString('base64')}`,
    'with a blank behind': `${token} `,
    'with a line feed behind': `${token}\n`,
    'with a dot behind': `${token}.`,
    'with a stray bit': token.slice(0, -1) + (alphabet[alphabet.indexOf(last) + 1] ?? 'A'),
    'percent-encoded': token.replaceAll('.', '%2E'),
    quoted: `"${token}"`,
  }
}

async function expectRefusedInEverySpelling(site: Site, user: Browser): Promise<void> {
  for (const [name, text] of Object.entries({ itself: tokenOf(user), ...spellingsOf(tokenOf(user)) })) {
    const bearer = { authorization: `Bearer ${text.trim()}` }
    const nobody = site.browser()
    const guard = sent(site, nobody, bearer, (authorize) => authorize.jwtRequired(), { method: 'GET' })
    expect([name, (await guard).status]).toEqual([name, 401])
    const byCookie = at(site, user)
    byCookie.jar = { access_token_cookie: text.trim() }
    expect([name, (await byCookie.get()).status]).toEqual([name, 401])
    const byHand = await site.auth.verify(text).catch((error: unknown) => error)
    expect(byHand, name).toMatchObject({ status: 401 })
  }
}

export const revocationRows: readonly SessionRow[] = [
  {
    // Servers that are processes of their own are in test/stores/ and test/faults-*.
    id: 199,
    input: 'what was revoked on one server is shown to the others',
    proved: [
      ...Object.entries(kinds).flatMap(([name, revoke]) =>
        (['replicated', 'strict'] as const).map((revocation) => ({
          note: `${name}: refused by all, and nobody else is (${revocation})`,
          prove: () => expectRevokedEverywhere(revoke, revocation),
        })),
      ),
      {
        note: 'all: a store whose data begins anew refuses every session’s tokens from before',
        prove: async () => {
          const clock = createClock()
          const before = createSite({}, clock)
          const users = [(await signedIn(before)).user, (await signedIn(before, 'other')).user]
          clock.advance(1)
          const after = createSite({ store: memoryStore({ clock }) }, clock)
          await after.auth.ready()
          for (const user of users) await expectDead(at(after, user))
          await expectAlive((await signedIn(after)).user)
        },
      },
    ],
  },
  {
    id: 200,
    input: 'a revoked token in another spelling',
    proved: [
      ...(['one token', 'its session'] as const).map((what) => ({
        note: `is refused in every one of them after ${what} was revoked`,
        prove: async () => {
          const site = await signedIn(createSite({ tokenLocation: ['cookies', 'headers'] }))
          const { user, auth } = site
          expect(await user.get()).toMatchObject({ code: 'ok' })
          await (what === 'one token' ? auth.revokeToken(tokenOf(user)) : auth.sessions.revoke(sidOf(user)))
          await expectRefusedInEverySpelling(site, user)
        },
      })),
      ...ecdsaAlgorithms.map((algorithm) => ({
        note: `with another signature of ${algorithm}, whichever of the two was revoked`,
        prove: async () => {
          for (const isOtherRevoked of [false, true]) {
            const clock = createClock()
            const { auth } = setup({ ...verifierFor(algorithm), store: memoryStore({ clock }), clock })
            const texts = [goodToken(algorithm), malleated(algorithm)] as const
            for (const text of texts) await expect(auth.verify(text)).resolves.toBeDefined()
            await auth.revokeToken(texts[isOtherRevoked ? 1 : 0])
            for (const text of texts) {
              await expect(auth.verify(text)).rejects.toMatchObject({ code: 'token_revoked' })
            }
          }
        },
      })),
    ],
  },
]
