/** The row on names that are made to be taken for others. */

import { expect } from 'vitest'
import { createSite } from './_sessions.ts'
import type { Browser, Site } from './_sessions.ts'
import { startSeconds } from './_setup.ts'
import type { SessionRow } from './attacks-session-world.ts'
import { holderOf, isRefused, tokenOf } from './attacks-session-world.ts'

const long = 'x'.repeat(10_240)
/** Names of which one could be read as another, or as a command, or as many. */
const names = [
  'a',
  'b',
  'a:b',
  'a:b:c',
  ':',
  '*',
  '?',
  '[a-z]',
  'a*',
  'a\nb',
  'a\r\nDEL b',
  '\u0000',
  'a\u0000b',
  ' ',
  '{a}',
  '{a}b',
  "a' OR '1'='1",
  'a%',
  'a_',
  '__proto__',
  'constructor',
  'session a',
  'token a',
  'subject a',
  'é',
  'e\u0301',
  'A',
  'a ',
  'ａ',
  '\ud800',
  '\ud801',
  '\ufffd',
]

async function expectNoCollision(
  make: (site: Site, name: string) => Browser,
  revoke: (site: Site, user: Browser, name: string) => Promise<unknown>,
): Promise<void> {
  for (const revocation of ['strict', 'replicated'] as const) {
    const site = createSite({ revocation })
    await site.auth.ready()
    const users = names.map((name) => [name, make(site, name)] as const)
    const dead = new Set<string>()
    for (const [name, user] of users) {
      expect([name, (await user.get()).code]).toEqual([name, 'ok'])
      await revoke(site, user, name)
      dead.add(name)
      const codes = await Promise.all(users.map(async ([other, one]) => [other, (await one.get()).code]))
      expect(codes).toEqual(users.map(([other]) => [other, dead.has(other) ? 'token_revoked' : 'ok']))
    }
    await site.auth.close()
  }
}

export const nameRows: readonly SessionRow[] = [
  {
    id: 211,
    input: 'names that are made to be taken for others',
    proved: [
      {
        note: 'revoking a jti means that one alone',
        prove: () =>
          expectNoCollision(
            (site, jti) => holderOf(site, { jti }),
            ({ auth }, user) => auth.revokeToken(tokenOf(user)),
          ),
      },
      {
        note: 'ending all of a user means that user alone',
        prove: () =>
          expectNoCollision(
            (site, sub) => holderOf(site, { sub, jti: 'same' }),
            ({ auth }, _, sub) => auth.sessions.revokeAll(sub),
          ),
      },
      {
        note: 'a name of ten kilobytes is one like any other, and its beginning another',
        prove: async () => {
          const site = createSite()
          for (const jti of [long, long.slice(0, 4000)]) {
            await site.auth.revokeToken({ sub: 'test', jti, type: 'access', iat: startSeconds })
          }
          for (const sub of [long, long.slice(0, 3999)]) await site.auth.sessions.revokeAll(sub)
          expect(await isRefused(holderOf(site, { jti: long.slice(0, 4000) }))).toBe(true)
          expect(await holderOf(site, { jti: long.slice(0, 3999) }).get()).toMatchObject({ code: 'ok' })
          expect(await holderOf(site, { sub: long.slice(0, 4000) }).get()).toMatchObject({ code: 'ok' })
          expect(await isRefused(holderOf(site, { sub: long.slice(0, 3999) }))).toBe(true)
        },
      },
    ],
  },
]
