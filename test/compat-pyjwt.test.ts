/** PyJWT's own sentences about bad tokens, beside those that a preset has. */

import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { AuthError } from '../src/index.ts'
import type { AuthOptions } from '../src/index.ts'
import { encode, forge, goodClaims, secretKey, setup } from './_setup.ts'
import { isPyjwtThere, python } from './pyjwt/peer.ts'

const program = `
import json, sys, jwt
def work(job):
    try:
        return jwt.decode(job['token'], job['key'], algorithms=[job['algorithm']], options=job.get('options', {}),
                          issuer=job.get('issuer'), audience=job.get('audience'))
    except jwt.PyJWTError as error:
        return {'error': str(error)}
json.dump([work(job) for job in json.load(sys.stdin)], sys.stdout)
`

type Job = Readonly<Record<string, unknown>>

/** Lets PyJWT do some jobs; gives what came of each. */
function pyjwt(jobs: readonly Job[]): unknown[] {
  const output = execFileSync(python, ['-c', program], { input: JSON.stringify(jobs), encoding: 'utf8' })
  return JSON.parse(output) as unknown[]
}

describe.skipIf(!isPyjwtThere)('PyJWT', () => {
  // PyJWT has no clock to be set: tokens are of now.
  const clock = (): number => Date.now() / 1000
  const now = Math.floor(clock())
  const claims = goodClaims({ iat: now, nbf: now, exp: now + 900 })

  const head = { alg: 'HS256', typ: 'JWT' }
  const good = forge(head, claims)
  const [header = '', payload = '', signature = ''] = good.split('.')
  const later = now + 600
  const bad: Readonly<Record<string, string>> = {
    'no dot': 'abc',
    'one dot': 'abc.def',
    'a header of one character': `a.${payload}.${signature}`,
    'a header that is no JSON': `${encode('abc')}.${payload}.${signature}`,
    'a header that is a list': `${encode('[]')}.${payload}.${signature}`,
    'a header that is a text': `${encode('"x"')}.${payload}.${signature}`,
    'a payload of one character': `${header}.a.${signature}`,
    'a signature of one character': `${header}.${payload}.a`,
    'no signature': `${header}.${payload}.`,
    'another signature': `${header}.${payload}.${'A'.repeat(43)}`,
    'no alg': forge({ typ: 'JWT' }, claims),
    'alg none': `${encode({ alg: 'none' })}.${payload}.`,
    'another alg': forge({ alg: 'HS384' }, claims, secretKey, 'sha384'),
    'an alg that is a number': forge({ alg: 1 }, claims),
    'a payload that is no JSON': forge(head, 'abc'),
    'a payload that is a list': forge(head, '[]'),
    expired: forge(head, { ...claims, exp: now - 60 }),
    'iat ahead': forge(head, { ...claims, iat: later }),
    'nbf ahead': forge(head, { ...claims, nbf: later }),
    'iat and nbf ahead': forge(head, { ...claims, iat: later, nbf: later }),
    'an iat that is a text': forge(head, { ...claims, iat: 'x' }),
    'an nbf that is a text': forge(head, { ...claims, nbf: 'x' }),
    'an exp that is a text': forge(head, { ...claims, exp: 'x' }),
  }

  async function sentenceHere(token: string, options: AuthOptions = {}): Promise<unknown> {
    const { auth } = setup({ compat: 'fastapi-jwt-auth', clock, ...options })
    const error: unknown = await auth.verify(token).catch((thrown: unknown) => thrown)
    return AuthError.is(error) ? { error: error.message } : error
  }

  test('says of bad tokens what a preset says of them', async () => {
    const jobs = Object.values(bad).map((token) => ({
      token,
      key: secretKey,
      algorithm: 'HS256',
    }))
    const there = pyjwt(jobs)
    for (const [index, [note, token]] of Object.entries(bad).entries()) {
      expect([note, await sentenceHere(token)]).toEqual([note, there[index]])
    }
  })

  test('says the same of issuers and audiences', async () => {
    const withoutBoth = forge(head, claims)
    const other = forge(head, { ...claims, iss: 'urn:other', aud: 'other' })
    const job = { key: secretKey, algorithm: 'HS256' }
    const there = pyjwt([
      { ...job, token: withoutBoth, issuer: 'urn:ours' },
      { ...job, token: other, issuer: 'urn:ours', options: { verify_aud: false } },
      { ...job, token: withoutBoth, audience: 'ours' },
      { ...job, token: other },
    ])
    expect([
      await sentenceHere(withoutBoth, { decodeIssuer: 'urn:ours' }),
      await sentenceHere(other, { decodeIssuer: 'urn:ours' }),
      await sentenceHere(withoutBoth, { decodeAudience: 'ours' }),
      await sentenceHere(other),
    ]).toEqual(there)
  })
})
