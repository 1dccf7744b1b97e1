/** Counts what the library asks of `node:crypto` for each attack, since time itself cannot be tested. */

import { beforeEach, describe, expect, test, vi } from 'vitest'
import { codeOf, encode, forge, setup } from './_setup.ts'
import {
  allAlgorithms,
  asymmetricAlgorithms,
  claims,
  goodToken,
  markers,
  verifierFor,
  withSignature,
} from './attacks-token-forge.ts'

const counted = vi.hoisted(() => ({ verify: 0, hash: 0, compared: [] as [number, number][] }))

vi.mock('node:crypto', async (importOriginal) => {
  const original = await importOriginal<typeof import('node:crypto')>()
  return {
    ...original,
    verify(...parameters: Parameters<typeof original.verify>) {
      counted.verify++
      return original.verify(...parameters)
    },
    hash(...parameters: Parameters<typeof original.hash>) {
      counted.hash++
      return original.hash(...parameters)
    },
    timingSafeEqual(left: Uint8Array, right: Uint8Array) {
      counted.compared.push([left.length, right.length])
      return original.timingSafeEqual(left, right)
    },
  }
})

beforeEach(reset)

function reset(): void {
  Object.assign(counted, { verify: 0, hash: 0, compared: [] })
}

/** Signature checks of either kind since the last `reset`; an HMAC is two hashes. */
const checks = (): number => counted.verify + counted.hash / 2

describe('#227 cheap checks come first', () => {
  test.each(allAlgorithms)('a token that cannot be right costs no signature of %s', async (algorithm) => {
    const { auth } = setup(verifierFor(algorithm))
    const header = { alg: algorithm, typ: 'JWT' }
    const hopeless = [
      '',
      'a.b',
      'a.b.c.d',
      'x'.repeat(8193),
      `${encode(header)}.${encode(claims())}.`,
      `${encode(header)}.${encode(claims())}.A`,
      `${encode(header)}.${encode(claims())}.AB`,
      `${encode('no JSON')}.${encode(claims())}.AAAA`,
      ...['none', 'HS1', '__proto__', ''].map((alg) => `${encode({ alg })}.${encode(claims())}.AAAA`),
      ...['crit', 'jku', 'jwk', 'x5u', 'x5c', 'b64', 'zip', 'enc', 'p2c', 'kid'].map(
        (name) => `${encode({ ...header, [name]: 'x' })}.${encode(claims())}.AAAA`,
      ),
    ]
    reset()
    for (const token of hopeless) expect(await codeOf(() => auth.verify(token))).not.toBe('passed')
    // An empty HMAC may be compared, which costs no more than an honest token.
    expect(counted.verify).toBe(0)
    expect(counted.hash).toBeLessThanOrEqual(algorithm.startsWith('HS') ? 2 : 0)
  })

  test.each(asymmetricAlgorithms.filter((name) => name.startsWith('E')))(
    'a signature of the wrong length costs no signature of %s',
    async (algorithm) => {
      const { auth } = setup(verifierFor(algorithm))
      const tokens = [1, 16, 63].map((count) => withSignature(algorithm, (bytes) => bytes.subarray(count)))
      reset()
      for (const token of tokens) expect(await codeOf(() => auth.verify(token))).toBe('token_invalid')
      expect(checks()).toBe(0)
    },
  )

  test('a request without its CSRF value, or from another site, costs no signature', async () => {
    const { web } = setup()
    const cookie = `access_token_cookie=${goodToken()}`
    const handler = web.jwtRequired()((_request: Request) => new Response('reached'))
    reset()
    const without = await handler(
      new Request('https://app.example/', { method: 'POST', headers: { cookie } }),
    )
    const foreign = { cookie, origin: 'https://evil.example', 'x-csrf-token': markers.csrf }
    const crossed = await handler(new Request('https://app.example/', { method: 'POST', headers: foreign }))
    expect([without.status, crossed.status]).toEqual([401, 403])
    expect([checks(), counted.compared]).toEqual([0, []])
  })
})

describe('#222 a signature is checked once for each token', () => {
  test.each(allAlgorithms)(
    'of %s when it is cached, and every time when the cache is off',
    async (algorithm) => {
      const token = goodToken(algorithm)
      for (const [verifiedTokenCache, expected] of [
        [10, 1],
        [0, 5],
      ] as const) {
        const { auth } = setup({ ...verifierFor(algorithm), verifiedTokenCache })
        reset()
        for (let run = 0; run < 5; run++) await auth.verify(token)
        expect(checks()).toBe(expected)
      }
    },
  )

  test('and again for every wrong one, since those are not remembered (#224)', async () => {
    const { auth } = setup()
    const forged = forge({ alg: 'HS256' }, claims(), 'k'.repeat(64))
    reset()
    for (let run = 0; run < 5; run++) expect(await codeOf(() => auth.verify(forged))).toBe('token_invalid')
    expect(checks()).toBe(5)
  })

  test('in each Auth of its own (#226)', async () => {
    const auths = [setup().auth, setup().auth, setup().auth]
    const token = goodToken()
    reset()
    for (const auth of [...auths, ...auths]) await auth.verify(token)
    expect(checks()).toBe(3)
  })
})

describe('secret values are compared in constant time', () => {
  test('#216 an HMAC, wherever it differs', async () => {
    const { auth } = setup()
    const wrong = [0, 15, 31].map((at) =>
      withSignature('HS256', (bytes) => bytes.with(at, (bytes[at] ?? 0) ^ 1)),
    )
    reset()
    for (const token of wrong) expect(await codeOf(() => auth.verify(token))).toBe('token_invalid')
    expect(counted.compared).toEqual([
      [86, 86],
      [86, 86],
      [86, 86],
    ])
  })

  test('#214 a CSRF value, wherever it differs', async () => {
    const { web } = setup()
    const cookie = `access_token_cookie=${goodToken()}`
    const handler = web.jwtRequired()((_request: Request) => new Response('reached'))
    const { csrf } = markers
    await handler(new Request('https://app.example/', { headers: { cookie } }))
    reset()
    for (const value of [`x${csrf.slice(1)}`, `${csrf.slice(0, -1)}x`, csrf]) {
      const headers = { cookie, 'x-csrf-token': value }
      const response = await handler(new Request('https://app.example/', { method: 'POST', headers }))
      expect(response.status).toBe(value === csrf ? 200 : 401)
    }
    expect(counted.compared).toEqual([
      [72, 72],
      [72, 72],
      [72, 72],
    ])
  })

  test('#215 never with unequal lengths, for which the comparison throws', async () => {
    const { web } = setup()
    const cookie = `access_token_cookie=${goodToken()}`
    const handler = web.jwtRequired()((_request: Request) => new Response('reached'))
    reset()
    for (const value of ['x', markers.csrf.slice(1), `${markers.csrf}x`, 'é'.repeat(18)]) {
      const headers = { cookie, 'x-csrf-token': value }
      const response = await handler(new Request('https://app.example/', { method: 'POST', headers }))
      expect(await response.json()).toMatchObject({ code: 'csrf_mismatch' })
    }
    expect(counted.compared.filter(([left, right]) => left !== right)).toEqual([])
  })
})
