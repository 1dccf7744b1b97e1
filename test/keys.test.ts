// The ring of keys: which keys are refused and what is said of them, and which key a token is checked with.

import { createHmac, generateKeyPairSync, KeyObject, sign } from 'node:crypto'
import fc from 'fast-check'
import { calculateJwkThumbprint, SignJWT } from 'jose'
import { describe, expect, test } from 'vitest'
import { AuthError, createAuth } from '../src/index.ts'
import type { Algorithm, AuthOptions, JsonObject, RingKey } from '../src/index.ts'
import {
  createRing,
  headerOf,
  keyOf,
  newSecret,
  pairs,
  privateJwk,
  privatePem,
  publicJwk,
  publicPem,
  refusalOf,
} from './_keys.ts'
import { encode, goodClaims, secretKey, startSeconds } from './_setup.ts'

const clock = (): number => startSeconds
const good = { kid: 'good', algorithm: 'ES256', privateKey: pairs.otherP256.privateKey } as const
const secret = newSecret()
const signer = (): Uint8Array => new Uint8Array(64)

interface BadKey {
  /** As JavaScript would pass it, so of any type. */
  readonly key: unknown
  /** What the message says of it. */
  readonly says: RegExp
}

const es256 = { kid: 'a', algorithm: 'ES256', privateKey: pairs.p256.privateKey } as const

/** Every wrong key, beside a good one. */
const badKeys: Readonly<Record<string, BadKey>> = {
  'no object': { key: 'a', says: /must be an object/ },
  null: { key: null, says: /must be an object/ },
  'a list': { key: [], says: /algorithm must be/ },
  'no algorithm': { key: { ...es256, algorithm: undefined }, says: /\(kid "a"\): algorithm must be/ },
  'algorithm none': { key: { ...es256, algorithm: 'none' }, says: /algorithm must be the one algorithm/ },
  'an algorithm in lower case': { key: { ...es256, algorithm: 'es256' }, says: /algorithm must be/ },
  'a list of algorithms': { key: { ...es256, algorithm: ['ES256'] }, says: /algorithm must be/ },
  'an inherited name as algorithm': { key: { ...es256, algorithm: 'toString' }, says: /algorithm must be/ },
  'no key': { key: { kid: 'a', algorithm: 'ES256' }, says: /it holds no key: give/ },
  'an unknown member': { key: { ...es256, privatKey: 'x' }, says: /privatKey is no member.*privateKey/ },
  'a kid that is a number': { key: { ...es256, kid: 1 }, says: /kid must be a text/ },
  'an empty kid': { key: { ...es256, kid: '' }, says: /kid must be a text/ },
  'a kid with a line break': { key: { ...es256, kid: 'a\nb' }, says: /kid must be a text/ },
  'a kid with a quote': { key: { ...es256, kid: 'a"b' }, says: /kid must be a text/ },
  'a kid that is very long': { key: { ...es256, kid: 'a'.repeat(129) }, says: /kid must be a text/ },
  'a secret without a kid': {
    key: { algorithm: 'HS256', secretKey: secret, use: 'verify' },
    says: /kid is missing: give a secret a name/,
  },
  'a wrong use': { key: { ...es256, use: 'enc' }, says: /use must be 'sign' or 'verify'/ },
  'a wrong legacy': { key: { ...es256, legacy: 'yes' }, says: /legacy must be true, false or 'sign'/ },
  'legacy tokens to be made by a key that only verifies': {
    key: { ...es256, use: 'verify', legacy: 'sign' },
    says: /legacy cannot be 'sign' for a key that only verifies/,
  },
  'a short secret': {
    key: { kid: 'a', algorithm: 'HS256', secretKey: newSecret(16), use: 'verify' },
    says: /\(kid "a"\): secretKey is shorter than the 32 bytes/,
  },
  'a secret too short for its algorithm': {
    key: { kid: 'a', algorithm: 'HS512', secretKey: newSecret(40), use: 'verify' },
    says: /secretKey is shorter than the 64 bytes that HS512 needs/,
  },
  'a published secret': {
    key: { kid: 'a', algorithm: 'HS256', secretKey: 'a-string-secret-at-least-256-bits-long' },
    says: /secretKey is published/,
  },
  'an empty secret': {
    key: { kid: 'a', algorithm: 'HS256', secretKey: '' },
    says: /secretKey must be a non-empty string/,
  },
  'key text as a secret': {
    key: { kid: 'a', algorithm: 'HS256', secretKey: publicPem(pairs.rsa) },
    says: /secretKey is a key or certificate, not a secret/,
  },
  'key bytes as a secret': {
    key: {
      kid: 'a',
      algorithm: 'HS256',
      secretKey: pairs.rsa.publicKey.export({ format: 'der', type: 'spki' }),
    },
    says: /secretKey is a key or certificate, not a secret/,
  },
  'a JWK in text as a secret': {
    key: { kid: 'a', algorithm: 'HS256', secretKey: JSON.stringify(publicJwk(pairs.rsa)) },
    says: /secretKey is a key or certificate, not a secret/,
  },
  'key text in base64 as a secret': {
    key: {
      kid: 'a',
      algorithm: 'HS256',
      secretKey: Buffer.from(publicPem(pairs.rsa)).toString('base64'),
    },
    says: /secretKey is a key or certificate, not a secret/,
  },
  'key bytes in hex as a secret': {
    key: {
      kid: 'a',
      algorithm: 'HS256',
      secretKey: pairs.rsa.publicKey.export({ format: 'der', type: 'spki' }).toString('hex'),
    },
    says: /secretKey is a key or certificate, not a secret/,
  },
  'a JWK in base64url as a secret': {
    key: {
      kid: 'a',
      algorithm: 'HS256',
      secretKey: Buffer.from(JSON.stringify(publicJwk(pairs.rsa))).toString('base64url'),
    },
    says: /secretKey is a key or certificate, not a secret/,
  },
  'a JWK behind a byte order mark as a secret': {
    key: {
      kid: 'a',
      algorithm: 'HS256',
      secretKey: `\uFEFF${JSON.stringify(publicJwk(pairs.p256))}`,
    },
    says: /secretKey is a key or certificate, not a secret/,
  },
  'a short RSA key': {
    key: { kid: 'a', algorithm: 'RS256', privateKey: pairs.shortRsa.privateKey },
    says: /privateKey is an RSA key of less than 2048 bits/,
  },
  'the wrong curve': {
    key: { kid: 'a', algorithm: 'ES256', privateKey: pairs.p384.privateKey },
    says: /privateKey is not on the curve that ES256 needs/,
  },
  'the wrong kind': {
    key: { kid: 'a', algorithm: 'ES256', privateKey: pairs.rsa.privateKey },
    says: /privateKey is of the wrong kind for ES256/,
  },
  'a key for exchange': {
    key: { kid: 'a', algorithm: 'EdDSA', privateKey: pairs.x25519.privateKey },
    says: /privateKey is of the wrong kind for EdDSA/,
  },
  'an RSA key for PSS alone with RS256': {
    key: { kid: 'a', algorithm: 'RS256', privateKey: pairs.pss.privateKey },
    says: /privateKey is of the wrong kind for RS256/,
  },
  'a public key where a private one is needed': {
    key: { kid: 'a', algorithm: 'ES256', privateKey: publicPem(pairs.p256) },
    says: /privateKey must be a private key/,
  },
  'a private key where a public one is needed': {
    key: { kid: 'a', algorithm: 'ES256', publicKey: privatePem(pairs.p256) },
    says: /publicKey must be a public key that this runtime can read, and not a private one/,
  },
  'a JWK with the private exponent alone where a public one is needed': {
    key: {
      kid: 'a',
      algorithm: 'RS256',
      publicKey: { ...publicJwk(pairs.rsa), d: privateJwk(pairs.rsa)['d'] },
    },
    says: /publicKey must be a public key that this runtime can read, and not a private one/,
  },
  'a JWK with a private member that cannot be read': {
    key: { kid: 'a', algorithm: 'ES256', publicKey: { ...publicJwk(pairs.p256), d: 1 } },
    says: /publicKey must be a public key that this runtime can read, and not a private one/,
  },
  'a public key that is to sign': {
    key: { kid: 'a', algorithm: 'ES256', publicKey: pairs.p256.publicKey, use: 'sign' },
    says: /use cannot be 'sign' with a publicKey alone/,
  },
  'two halves of two pairs': {
    key: { ...es256, publicKey: pairs.otherP256.publicKey },
    says: /publicKey does not belong to privateKey/,
  },
  'a secret beside a private key': {
    key: { ...es256, secretKey: secret },
    says: /secretKey cannot stand beside privateKey or publicKey/,
  },
  'a JWK for encryption': {
    key: { kid: 'a', algorithm: 'ES256', privateKey: { ...privateJwk(pairs.p256), use: 'enc' } },
    says: /privateKey is a JWK whose "use" is not "sig"/,
  },
  'a JWK whose operations lack ours': {
    key: { kid: 'a', algorithm: 'ES256', publicKey: { ...publicJwk(pairs.p256), key_ops: ['encrypt'] } },
    says: /publicKey is a JWK whose "key_ops" lack "verify"/,
  },
  'a private JWK whose operations lack ours': {
    key: { kid: 'a', algorithm: 'ES256', privateKey: { ...privateJwk(pairs.p256), key_ops: ['verify'] } },
    says: /privateKey is a JWK whose "key_ops" lack "sign"/,
  },
  'a JWK of another algorithm': {
    key: { kid: 'a', algorithm: 'PS256', privateKey: { ...privateJwk(pairs.rsa), alg: 'RS256' } },
    says: /privateKey is a JWK made for another algorithm than PS256/,
  },
  'a signer without its public key': {
    key: { kid: 'a', algorithm: 'ES256', sign: signer },
    says: /publicKey is missing: signatures of sign are verified with it/,
  },
  'a signer beside a private key': {
    key: { ...es256, publicKey: pairs.p256.publicKey, sign: signer },
    says: /sign cannot stand beside secretKey or privateKey/,
  },
  'a signer that is none': {
    key: { kid: 'a', algorithm: 'ES256', publicKey: pairs.p256.publicKey, sign: 'kms' },
    says: /sign must be a function/,
  },
  'a signer with a secret algorithm': {
    key: { kid: 'a', algorithm: 'HS256', publicKey: pairs.p256.publicKey, sign: signer },
    says: /publicKey is of the wrong kind for HS256/,
  },
  'the kid of another key': {
    key: { ...es256, kid: 'good' },
    says: /\(kid "good"\): kid is that of another key too/,
  },
  'the same key under another kid': {
    key: { kid: 'a', algorithm: 'ES256', publicKey: pairs.otherP256.publicKey },
    says: /\(kid "a"\): it is the same key as "good"/,
  },
  'a second kind that signs': {
    key: { kid: 'a', algorithm: 'HS256', secretKey: secret },
    says: /\(kid "a"\): it is of another kind than the first key that signs.*use: 'verify'/,
  },
}

const table = Object.entries(badKeys).map(([what, bad]) => ({ what, ...bad }))

/** Everything of a key that must not be read anywhere. */
function partsOf(value: unknown): string[] {
  if (typeof value === 'string') return value.length > 24 ? [value, ...value.split('\n')] : []
  if (value instanceof KeyObject)
    return value.type === 'private' ? partsOf(value.export({ format: 'pem', type: 'pkcs8' }).toString()) : []
  if (value instanceof Uint8Array) return [Buffer.from(value).toString('latin1')]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(partsOf) : []
}

describe('a ring with', () => {
  test.each(table)('$what is refused by its place and name', ({ key, says }) => {
    const message = refusalOf(() => createAuth({ keys: [good, key] as never }))
    expect(message).toMatch(says)
    const problems = message.split('\n- ').slice(1)
    expect(problems).toHaveLength(1)
    expect(problems[0]).toMatch(/^keys\[1\]/)
    const kid = (key as { kid?: unknown } | null)?.kid
    if (typeof kid === 'string' && /^\w{1,9}$/.test(kid)) expect(problems[0]).toContain(`(kid "${kid}"): `)
  })

  test.each(table)('$what is refused without a word of the key itself', ({ key }) => {
    const message = refusalOf(() => createAuth({ keys: [good, key] as never }))
    const isKnown = new Set(['a'.repeat(129), 'a-string-secret-at-least-256-bits-long'])
    for (const part of partsOf(key).filter((text) => text.length > 12 && !isKnown.has(text)))
      expect(message).not.toContain(part)
  })

  test.each(table)('$what does not take the place of a good one', async ({ key, says }) => {
    const auth = createRing([good], { clock })
    const before = await auth.createAccessToken('ada')
    const message = refusalOf(() => auth.setKeys([good, key] as never))
    expect(message).toMatch(/^setKeys cannot work with these keys/)
    expect(message).toMatch(says)
    expect((await auth.verify(before)).sub).toBe('ada')
    expect(headerOf(await auth.createAccessToken('ada'))).toEqual({ alg: 'ES256', typ: 'JWT', kid: 'good' })
    expect(auth.jwks().keys).toHaveLength(1)
  })

  test.each([[[]], [null], [1], ['a'], [{}], [new Set([good])], [{ 0: good, length: 1 }]])(
    '%j in place of a list is refused',
    (keys) => {
      expect(refusalOf(() => createAuth({ keys: keys as never }))).toMatch(/keys must be a list of keys/)
      const auth = createRing([good])
      expect(refusalOf(() => auth.setKeys(keys as never))).toMatch(/keys must be a list of keys/)
      expect(() => auth.setKeys(undefined as never)).toThrow(/keys must be a list/)
    },
  )

  test('a hole is refused, not skipped', () => {
    // oxlint-disable-next-line no-sparse-arrays
    expect(refusalOf(() => createAuth({ keys: [good, , good] as never }))).toMatch(
      /keys\[1\] must be an object/,
    )
  })

  test('two legacy keys is refused', () => {
    const keys = [
      { ...good, legacy: true },
      { ...es256, legacy: 'sign' },
    ] as const
    expect(refusalOf(() => createAuth({ keys }))).toMatch(/\(kid "a"\): legacy stands at another key too/)
  })

  test('several wrong keys is refused with all of them', () => {
    const keys = [{ ...es256, kid: '' }, { kid: 'b', algorithm: 'HS256', secretKey: 'x' }, { kid: 'c' }]
    const problems = refusalOf(() => createAuth({ keys: keys as never })).split('\n- ')
    expect(problems.slice(1).map((problem) => /^keys\[\d\]/.exec(problem)?.[0])).toEqual([
      'keys[0]',
      'keys[1]',
      'keys[2]',
    ])
  })

  test('members on a polluted prototype has none of them', () => {
    const polluted = Object.assign(Object.create({ use: 'verify', legacy: true, secretKey: secret }), es256)
    const auth = createRing([polluted as RingKey])
    return expect(auth.createAccessToken('ada')).resolves.toMatch(/^ey/)
  })

  test('secrets that only verify beside key pairs that sign is what a move is made of, both ways', async () => {
    const hmac = { kid: 'h', algorithm: 'HS256', secretKey: secret } as const
    const first = createRing([hmac, { ...es256, use: 'verify' }])
    const second = createRing([{ ...hmac, use: 'verify' }, es256])
    const token = await first.createAccessToken('ada')
    expect((await second.verify(token)).sub).toBe('ada')
    expect((await first.verify(await second.createAccessToken('bob'))).sub).toBe('bob')
  })
})

describe('options that contradict a ring', () => {
  const { publicKey, privateKey } = pairs.rsa
  const beside: readonly AuthOptions[] = [
    { secretKey },
    { privateKey },
    { publicKey },
    { algorithm: 'ES256' },
    { decodeAlgorithms: ['ES256'] },
    { jwksUri: 'https://keys.example/jwks.json' },
  ]
  test.each(beside.map((options) => ({ name: Object.keys(options).join(), options })))(
    '$name is refused',
    ({ name, options }) => {
      const message = refusalOf(() => createAuth({ keys: [good], ...options }))
      expect(message).toContain(`- ${name} cannot stand beside keys`)
    },
  )

  test('setKeys needs the option keys', () => {
    expect(() => createAuth({ secretKey }).setKeys([good])).toThrow(/setKeys\(\) needs the option keys/)
  })

  test('the resolved options hold no key, and no algorithm that would be that of some keys only', () => {
    const { options } = createRing([good])
    expect(options).not.toHaveProperty('keys')
    expect(options.algorithm).toBeUndefined()
    expect(options.decodeAlgorithms).toBeUndefined()
    expect(JSON.stringify(options)).not.toContain('good')
  })
})

describe('a token', () => {
  const names = Object.keys(keyOf) as (keyof typeof keyOf)[]

  test.each(names)('of %s names its key, and is taken by who only verifies', async (algorithm) => {
    const key = keyOf[algorithm]()
    const auth = createRing([key], { clock })
    const token = await auth.createAccessToken('ada', { headers: { x: 1 } })
    const { kid, ...header } = headerOf(token)
    expect(header).toEqual({ alg: algorithm, typ: 'JWT', x: 1 })
    expect(Object.keys(headerOf(token))).toEqual(['alg', 'typ', 'kid', 'x'])
    const other = createRing(
      [
        { ...good, kid: 'other' },
        { ...key, use: 'verify' },
      ],
      { clock },
    )
    for (const one of [auth, other]) expect((await one.verify(token)).sub).toBe('ada')
    const [jwk] = auth.jwks().keys
    expect(kid).toBe(jwk === undefined ? key.kid : await calculateJwkThumbprint(jwk as never))
  })

  test('is signed by the first key that signs', async () => {
    const keys: RingKey[] = [
      { ...es256, use: 'verify' },
      good,
      { kid: 'c', algorithm: 'EdDSA', privateKey: pairs.ed25519.privateKey },
    ]
    const auth = createRing(keys)
    expect(headerOf(await auth.createAccessToken('ada'))['kid']).toBe('good')
    expect(headerOf(await auth.createAccessToken('ada', { algorithm: 'EdDSA' }))['kid']).toBe('c')
    expect(headerOf(await auth.createAccessToken('ada', { algorithm: 'ES256' }))['kid']).toBe('good')
    await expect(auth.createAccessToken('ada', { algorithm: 'RS256' })).rejects.toThrow(
      /of the ring that signs/,
    )
  })

  test('cannot be made where every key only verifies', async () => {
    const auth = createRing([{ kid: 'a', algorithm: 'ES256', publicKey: pairs.p256.publicKey }])
    await expect(auth.createAccessToken('ada')).rejects.toThrow(/no key that signs, and can only verify/)
    const verifying = createRing([{ ...es256, use: 'verify' }])
    await expect(verifying.createAccessToken('ada')).rejects.toThrow(/no key that signs/)
  })

  test('is named by the kid of a JWK that has one', async () => {
    const auth = createRing([
      { algorithm: 'ES256', privateKey: { ...privateJwk(pairs.p256), kid: '2026-01' } },
    ])
    expect(headerOf(await auth.createAccessToken('ada'))['kid']).toBe('2026-01')
  })
})

// ---- What the header of a token can ask for ----

const rsaKey = { kid: 'r', algorithm: 'RS256', privateKey: pairs.rsa.privateKey } as const
const ring = createRing([good, es256, rsaKey, { kid: 'h', algorithm: 'HS256', secretKey, use: 'verify' }], {
  clock,
})

/** Signs any header with any key of the ring, as who has the key could. */
function signed(header: JsonObject | string, key: 'a' | 'r' | 'h', payload: unknown = goodClaims()): string {
  const input = `${encode(header)}.${encode(payload)}`
  const bytes = Buffer.from(input)
  const signature = {
    a: () => sign('sha256', bytes, { key: pairs.p256.privateKey, dsaEncoding: 'ieee-p1363' }),
    r: () => sign('sha256', bytes, pairs.rsa.privateKey),
    h: () => createHmac('sha256', secretKey).update(bytes).digest(),
  }[key]()
  return `${input}.${signature.toString('base64url')}`
}

const reasonOf = async (token: string, auth = ring): Promise<unknown> => {
  try {
    await auth.verify(token)
    return 'passed'
  } catch (error) {
    if (!AuthError.is(error, 'token_invalid')) throw error
    return error.cause
  }
}

describe('a header', () => {
  const nonsense = [
    '',
    'unknown',
    ' a',
    'A',
    'a ',
    '__proto__',
    'constructor',
    'toString',
    '../../../dev/null',
    '/dev/null',
    "a' OR 1=1",
    1,
    null,
    true,
    ['a'],
    { a: 'a' },
    'x'.repeat(4000),
  ]
  test.each(nonsense.map((kid) => ({ kid })))('with the kid $kid finds no key', async ({ kid }) => {
    expect(await reasonOf(signed({ alg: 'ES256', typ: 'JWT', kid }, 'a'))).toBe('key_unknown')
  })

  test.each(nonsense.map((kid) => ({ kid })))(
    'with the kid $kid is not one without, which a legacy key would be asked for',
    async ({ kid }) => {
      const legacy = createRing([good, { ...es256, use: 'verify', legacy: true }], { clock })
      expect(await reasonOf(signed({ alg: 'ES256', typ: 'JWT' }, 'a'), legacy)).toBe('passed')
      expect(await reasonOf(signed({ alg: 'ES256', typ: 'JWT', kid }, 'a'), legacy)).toBe('key_unknown')
    },
  )

  test('without a kid finds no key, although there is one that fits', async () => {
    expect(await reasonOf(signed({ alg: 'ES256', typ: 'JWT' }, 'a'))).toBe('key_unknown')
    expect(await reasonOf(signed({ alg: 'HS256', typ: 'JWT' }, 'h'))).toBe('key_unknown')
  })

  test('with the kid of another key than the one that signed is refused', async () => {
    expect(await reasonOf(signed({ alg: 'ES256', kid: 'a' }, 'a'))).toBe('passed')
    expect(await reasonOf(signed({ alg: 'ES256', kid: 'good' }, 'a'))).toBe('signature_invalid')
  })

  test.each(['HS256', 'RS256', 'HS512', 'PS256', 'none', 'NONE', 'es256', '', 'toString'])(
    'with the algorithm %s for a key of ES256 is refused',
    async (alg) => {
      expect(await reasonOf(signed({ alg, kid: 'a' }, 'a'))).toBe('alg_forbidden')
      expect(await reasonOf(signed({ alg, kid: 'a' }, 'h'))).toBe('alg_forbidden')
    },
  )

  test('that makes a secret of a public key is refused', async () => {
    const input = `${encode({ alg: 'HS256', kid: 'r' })}.${encode(goodClaims())}`
    const mac = createHmac('sha256', publicPem(pairs.rsa)).update(input).digest('base64url')
    expect(await reasonOf(`${input}.${mac}`)).toBe('alg_forbidden')
  })

  test.each(['jwk', 'jku', 'x5u', 'x5c', 'crit', 'b64'])('with %s is refused', async (name) => {
    expect(await reasonOf(signed({ alg: 'ES256', kid: 'a', [name]: 'https://a.example' }, 'a'))).toBe(
      'header_invalid',
    )
  })

  test('that names its kid twice is refused', async () => {
    expect(await reasonOf(signed('{"alg":"ES256","kid":"good","kid":"a"}', 'a'))).toBe('malformed')
  })

  test('in any order and spelling of the same names finds the same key', async () => {
    for (const header of [
      '{"kid":"a","alg":"ES256"}',
      '{ "kid" : "a", "typ":"JWT", "alg":"ES256" }',
      String.raw`{"kid":"\u0061","alg":"ES256"}`,
    ])
      expect(await reasonOf(signed(header, 'a'))).toBe('passed')
  })

  test('finds a key only by its kid and its algorithm, whatever they are', async () => {
    const kid = fc.oneof(fc.constantFrom('a', 'good', 'r', 'h'), fc.jsonValue() as fc.Arbitrary<never>)
    const alg = fc.oneof(fc.constantFrom('ES256', 'RS256', 'HS256'), fc.string())
    const key = fc.constantFrom('a', 'r', 'h')
    const fitting = { a: 'ES256', r: 'RS256', h: 'HS256' } as const
    await fc.assert(
      fc.asyncProperty(kid, alg, key, async (kid, alg, key) => {
        const isRight = kid === key && alg === fitting[key]
        const outcome = await reasonOf(signed({ alg, kid }, key))
        return isRight ? outcome === 'passed' : outcome !== 'passed'
      }),
      { numRuns: 500 },
    )
  })

  test('of another library is read alike', async () => {
    const token = await new SignJWT(goodClaims())
      .setProtectedHeader({ alg: 'ES256', kid: 'a' })
      .sign(pairs.p256.privateKey)
    expect((await ring.verify(token)).sub).toBe('test')
  })

  test('is no matter of how many keys there are', async () => {
    const many = Array.from({ length: 50 }, (_, index): RingKey => {
      return {
        kid: `k${index}`,
        algorithm: 'EdDSA' as Algorithm,
        privateKey: generateKeyPairSync('ed25519').privateKey,
      }
    })
    const auth = createRing(many)
    const last = createRing([many[49] as RingKey])
    expect((await auth.verify(await last.createAccessToken('ada'))).sub).toBe('ada')
  })
})
