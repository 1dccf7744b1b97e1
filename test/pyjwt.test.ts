/** PyJWT as a second implementation: tokens of either side pass on the other, both refuse alike, and every difference is listed. */

import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { AuthError, createAuth } from '../src/index.ts'
import type { Algorithm, Auth, AuthOptions, Jwk } from '../src/index.ts'
import { newSecret, pairs, privateJwk, privatePem, publicJwk, publicPem } from './_keys.ts'
import { encode, forge, goodClaims, secretKey, startSeconds } from './_setup.ts'
import { isPyjwtThere, pyjwtMissing, startPyjwt } from './pyjwt/peer.ts'
import type { Pyjwt } from './pyjwt/peer.ts'

test.runIf(process.env['CI'] === 'true')('PyJWT is there where everything has to be tested', () => {
  expect(isPyjwtThere, pyjwtMissing).toBe(true)
})

// oxlint-disable-next-line no-console
if (!isPyjwtThere) console.warn(pyjwtMissing)

const secrets = ['HS256', 'HS384', 'HS512'] as const satisfies Algorithm[]

/** The pair here, and what PyJWT calls its kind. */
const kinds = {
  RS256: [pairs.rsa, 'RSA'],
  RS384: [pairs.rsa, 'RSA'],
  RS512: [pairs.rsa, 'RSA'],
  PS256: [pairs.rsa, 'RSA'],
  PS384: [pairs.rsa, 'RSA'],
  PS512: [pairs.rsa, 'RSA'],
  ES256: [pairs.p256, 'P-256'],
  ES384: [pairs.p384, 'P-384'],
  ES512: [pairs.p521, 'P-521'],
  ES256K: [pairs.secp256k1, 'secp256k1'],
  EdDSA: [pairs.ed25519, 'Ed25519'],
} as const

type PairAlgorithm = keyof typeof kinds
const pairAlgorithms = Object.keys(kinds) as PairAlgorithm[]
const algorithms: readonly Algorithm[] = [...secrets, ...pairAlgorithms]

/** Both halves of a key, as they are handed over. */
interface Keys {
  readonly signing: string | Jwk
  readonly verifying: string | Jwk
}

type Place = 'here' | 'there'
type Form = 'text' | 'JWK'

/** What each side may find in claims. */
const claims: readonly { readonly title: string; readonly json: string; readonly here?: unknown }[] = [
  { title: 'unicode', json: String.raw`"Grüße, 日本語 🎟️ \u0000 \ud800 \u2028 \" \\ </script>"` },
  { title: 'names in unicode', json: '{"größe":1,"":2,"__proto__":{"x":1},"constructor":null}' },
  { title: 'nested values', json: '{"a":[1,[2,[3,{"b":[{},[],null,true,false]}]]]}' },
  { title: 'the largest safe integers', json: '[9007199254740991,-9007199254740991]' },
  { title: 'floats', json: '[0.1,-2.5e-7,1.7976931348623157e+308,5e-324]' },
  // Python keeps every digit; here a number is a double, as RFC 8259 section 6 has it.
  { title: 'integers beyond', json: '[9007199254740993,18446744073709551615]', here: [2 ** 53, 2 ** 64] },
]

// Two processes take turns, on machines that may have other work.
describe.runIf(isPyjwtThere)('PyJWT', { timeout: 60_000 }, () => {
  let pyjwt: Pyjwt
  beforeAll(() => {
    pyjwt = startPyjwt(startSeconds)
  })
  afterAll(() => pyjwt.stop())

  async function makeKeys(algorithm: Algorithm, place: Place, form: Form): Promise<Keys> {
    const kind = Object.hasOwn(kinds, algorithm) ? kinds[algorithm as PairAlgorithm] : undefined
    if (kind === undefined) {
      const text = newSecret()
      const made =
        place === 'there'
          ? await pyjwt.ask('make_secret', { algorithm })
          : { text, jwk: { kty: 'oct', k: Buffer.from(text).toString('base64url') } }
      const key = form === 'JWK' ? made.jwk : made.text
      return { signing: key, verifying: key }
    }
    const [pair, name] = kind
    if (place === 'here') {
      return form === 'JWK'
        ? { signing: privateJwk(pair), verifying: publicJwk(pair) }
        : { signing: privatePem(pair), verifying: publicPem(pair) }
    }
    const made = await pyjwt.ask('make_pair', { kind: name, algorithm })
    return form === 'JWK'
      ? { signing: made.private.jwk, verifying: made.public.jwk }
      : { signing: made.private.pem, verifying: made.public.pem }
  }

  function createSide(algorithm: Algorithm, { signing, verifying }: Keys, options: AuthOptions = {}): Auth {
    const isSecret = algorithm.startsWith('HS')
    const key = isSecret ? { secretKey: signing } : { privateKey: signing, publicKey: verifying }
    return createAuth({ ...key, algorithm, clock: () => startSeconds, ...options })
  }

  const sign = (algorithm: Algorithm, key: string | Jwk, given: Record<string, unknown>, headers?: object) =>
    pyjwt.ask('sign', {
      key,
      algorithm,
      claims: JSON.stringify(given),
      ...(headers && { headers }),
    })

  test('knows all algorithms that we know, but for ML-DSA', async () => {
    const { version, algorithms: theirs } = await pyjwt.ask('describe', {})
    expect(version).toMatch(/^2\./)
    // It takes unsigned tokens where told to, and keeps a misspelt name for ES512.
    const ours = new Set([...algorithms, 'none', 'ES521'])
    expect(theirs.filter((name) => !ours.has(name as Algorithm))).toEqual([])
    expect(algorithms.filter((name) => !theirs.includes(name))).toEqual([])
  })

  describe.each(algorithms)('%s', (algorithm) => {
    const ways = (['here', 'there'] as const).flatMap((place) =>
      (['text', 'JWK'] as const).map((form) => ({ place, form })),
    )

    test.each(ways)('keys made $place and handed over as $form serve both sides', async ({ place, form }) => {
      const keys = await makeKeys(algorithm, place, form)
      const auth = createSide(algorithm, keys)
      const given = goodClaims({ aud: ['api', 'shop'], scope: { roles: ['a', 'ü'] } })
      const theirs = await sign(algorithm, keys.signing, given)
      expect(await auth.verify(theirs)).toEqual(given)
      const ours = await auth.createAccessToken('ü', { userClaims: { scope: [1, { a: null }] } })
      const judged = await pyjwt.ask('verify', { token: ours, key: keys.verifying, algorithms: [algorithm] })
      expect(JSON.parse(judged.claims ?? '{}')).toEqual(await auth.verify(ours))
      expect(judged).toHaveProperty('claims', expect.stringContaining('"sub"'))
    })

    test('both refuse alike', async () => {
      const keys = await makeKeys(algorithm, 'here', 'text')
      const others = await makeKeys(algorithm, 'there', 'text')
      const options = { decodeAudience: 'api', decodeIssuer: 'https://login.example' }
      const auth = createSide(algorithm, keys, options)
      const good = goodClaims({ aud: ['api', 'shop'], iss: 'https://login.example' })
      const made = (changes: Record<string, unknown> = {}, key = keys.signing) =>
        sign(algorithm, key, { ...good, ...changes })
      const token = await made()
      const [header = '', payload = '', signature = ''] = token.split('.')
      const admin = encode({ ...good, sub: 'admin' })
      const sibling = siblingOf(algorithm)
      const publicText = typeof keys.verifying === 'string' ? keys.verifying : ''
      const cases: Record<string, readonly [token: string, ours: string, theirs: string]> = {
        untouched: [token, 'passed', 'passed'],
        'another payload': [`${header}.${admin}.${signature}`, 'signature_invalid', 'InvalidSignatureError'],
        'a signature with one bit changed': [
          `${header}.${payload}.${flipBit(signature)}`,
          'signature_invalid',
          'InvalidSignatureError',
        ],
        'half a signature': [
          `${header}.${payload}.${signature.slice(0, 20)}`,
          'signature_invalid',
          'InvalidSignatureError',
        ],
        'no signature': [`${header}.${payload}.`, 'signature_invalid', 'InvalidSignatureError'],
        'two parts': [`${header}.${payload}`, 'malformed', 'DecodeError'],
        'another key': [await made({}, others.signing), 'signature_invalid', 'InvalidSignatureError'],
        'alg none': [`${encode({ alg: 'none' })}.${payload}.`, 'alg_forbidden', 'InvalidAlgorithmError'],
        'alg none, signed': [
          `${encode({ alg: 'none' })}.${payload}.${signature}`,
          'alg_forbidden',
          'InvalidAlgorithmError',
        ],
        'no alg': [
          `${encode({ typ: 'JWT' })}.${payload}.${signature}`,
          'alg_forbidden',
          'InvalidAlgorithmError',
        ],
        'another kind of algorithm, with what verifies as its secret': [
          forge({ alg: algorithm.startsWith('HS') ? 'RS256' : 'HS256', typ: 'JWT' }, good, publicText),
          'alg_forbidden',
          'InvalidAlgorithmError',
        ],
        'an algorithm that the key could do, but was not meant for': [
          await sign(sibling, keysFor(sibling, keys), good),
          'alg_forbidden',
          'InvalidAlgorithmError',
        ],
        'expired just now': [await made({ exp: startSeconds }), 'token_expired', 'ExpiredSignatureError'],
        'expired, as a float': [
          await made({ exp: startSeconds - 0.5 }),
          'token_expired',
          'ExpiredSignatureError',
        ],
        'not active before six seconds': [
          await made({ nbf: startSeconds + 6 }),
          'not_active',
          'ImmatureSignatureError',
        ],
        'issued in six seconds': [
          await made({ iat: startSeconds + 6 }),
          'not_active',
          'ImmatureSignatureError',
        ],
        'another audience': [await made({ aud: 'shop' }), 'audience_invalid', 'InvalidAudienceError'],
        'a list of other audiences': [
          await made({ aud: ['shop', 'API'] }),
          'audience_invalid',
          'InvalidAudienceError',
        ],
        'no audience': [
          await sign(algorithm, keys.signing, { ...good, aud: undefined }),
          'audience_invalid',
          'MissingRequiredClaimError',
        ],
        'an audience that is no text': [await made({ aud: [1] }), 'claims_invalid', 'InvalidAudienceError'],
        'another issuer': [
          await made({ iss: 'https://login.example/' }),
          'issuer_invalid',
          'InvalidIssuerError',
        ],
        'no issuer': [
          await sign(algorithm, keys.signing, { ...good, iss: undefined }),
          'issuer_invalid',
          'MissingRequiredClaimError',
        ],
        'exp that is no number': [await made({ exp: 'soon' }), 'claims_invalid', 'DecodeError'],
      }
      for (const [title, [given, ours, theirs]] of Object.entries(cases)) {
        const judged = await judgeThere(given, keys.verifying, algorithm, { ...options })
        expect([title, await judgeHere(auth, given), judged]).toEqual([title, ours, theirs])
      }
    })
  })

  /** `passed`, or the class of the error. */
  const judgeThere = async (
    token: string,
    key: string | Jwk,
    algorithm: Algorithm,
    { decodeAudience, decodeIssuer }: { decodeAudience?: string; decodeIssuer?: string } = {},
  ): Promise<string> => {
    const expected = { audience: decodeAudience, issuer: decodeIssuer }
    const judged = await pyjwt.ask('verify', { token, key, algorithms: [algorithm], ...expected })
    return judged.claims === undefined ? (judged.refused ?? `crashed: ${judged.crashed}`) : 'passed'
  }

  describe('claims', () => {
    const auth = createAuth({ secretKey, clock: () => startSeconds })
    const pair = createAuth({
      privateKey: privatePem(pairs.p256),
      algorithm: 'ES256',
      clock: () => startSeconds,
    })

    test.each(claims)('with $title are read there as here', async ({ json, here }) => {
      const given = JSON.stringify(goodClaims()).replace(/\}$/, `,"note":${json}}`)
      const token = await pyjwt.ask('sign', { key: secretKey, algorithm: 'HS256', claims: given })
      const { note } = await auth.verify(token)
      expect(note).toEqual(here ?? JSON.parse(json))
      const ours = await auth.createAccessToken('test', { userClaims: { note } })
      const judged = await pyjwt.ask('verify', { token: ours, key: secretKey, algorithms: ['HS256'] })
      expect(JSON.parse(judged.claims ?? '{}')).toEqual(await auth.verify(ours))
    })

    test('are equal on both sides, whatever JSON they are', async () => {
      const property = fc.asyncProperty(fc.jsonValue({ maxDepth: 4 }), async (value) => {
        const note = JSON.parse(JSON.stringify(value)) as unknown
        const theirs = await sign('ES256', privatePem(pairs.p256), goodClaims({ note }))
        expect((await pair.verify(theirs))['note']).toEqual(note)
        const ours = await pair.createAccessToken('test', { userClaims: { note } })
        const key = publicPem(pairs.p256)
        const judged = await pyjwt.ask('verify', { token: ours, key, algorithms: ['ES256'] })
        expect((JSON.parse(judged.claims ?? '{}') as Record<string, unknown>)['note']).toEqual(note)
      })
      await fc.assert(property, { seed: 7519, numRuns: 100 })
    })

    test('times may be floats', async () => {
      const times = { exp: startSeconds + 1.5, nbf: startSeconds - 0.25, iat: startSeconds - 0.75 }
      const token = await sign('HS256', secretKey, goodClaims(times))
      expect(await auth.verify(token)).toMatchObject(times)
      expect(await judgeThere(token, secretKey, 'HS256')).toBe('passed')
    })

    test.each<[string, string | string[], string | string[], string]>([
      ['one of the expected', ['api', 'shop'], ['shop', 'admin'], 'passed'],
      ['the expected one alone', 'api', 'api', 'passed'],
      ['none of the expected', ['api'], ['shop', 'admin'], 'audience_invalid'],
      ['nobody', [], 'api', 'audience_invalid'],
    ])('that name %s as audience are judged alike', async (_title, aud, expected, code) => {
      const one = createAuth({ secretKey, clock: () => startSeconds, decodeAudience: expected })
      const token = await sign('HS256', secretKey, goodClaims({ aud }))
      expect(await judgeHere(one, token)).toBe(code)
      const judged = await pyjwt.ask('verify', {
        token,
        key: secretKey,
        algorithms: ['HS256'],
        audience: expected,
      })
      expect(judged.claims !== undefined).toBe(code === 'passed')
      if (aud.length === 0) return
      const ours = await one.createAccessToken('test', { audience: aud })
      expect(await pyjwt.ask('verify', { token: ours, key: secretKey, algorithms: ['HS256'] })).toEqual({
        refused: 'InvalidAudienceError',
      })
    })
  })

  describe('takes what we refuse on purpose:', () => {
    const auth = createAuth({ secretKey, clock: () => startSeconds })

    const header = { alg: 'HS256', typ: 'JWT' }
    const text = JSON.stringify(goodClaims())
    const withMember = (member: string): string => text.replace(/\}$/, `,${member}}`)
    const without = (name: string): string => JSON.stringify(goodClaims({ [name]: undefined }))

    /** Each with our reason, and why. */
    const laxer: readonly {
      readonly what: string
      readonly token: string
      readonly ours: string
      readonly why: string
    }[] = [
      {
        what: 'a member named twice',
        token: forge(header, withMember('"sub":"admin"')),
        ours: 'malformed',
        why: 'two readers may take different ones',
      },
      {
        what: 'a member of the header named twice',
        token: forge('{"alg":"none","alg":"HS256"}', text),
        ours: 'malformed',
        why: 'two readers may take different ones',
      },
      {
        what: 'NaN, which is no JSON',
        token: forge(header, withMember('"x":NaN')),
        ours: 'malformed',
        why: 'RFC 8259 section 6',
      },
      {
        what: 'a number that overflows',
        token: forge(header, withMember('"x":1e999')),
        ours: 'malformed',
        why: 'it is another number to each reader',
      },
      {
        what: 'an integer of 400 digits',
        token: forge(header, withMember(`"x":1${'0'.repeat(400)}`)),
        ours: 'malformed',
        why: 'it overflows a double',
      },
      {
        what: 'a byte order mark',
        token: forge(header, Buffer.from(`\u{feff}${text}`)),
        ours: 'malformed',
        why: 'RFC 8259 section 8.1',
      },
      {
        what: 'UTF-16',
        token: forge(header, Buffer.from(text, 'utf16le')),
        ours: 'malformed',
        why: 'JSON between systems is UTF-8 (RFC 8259 section 8.1)',
      },
      {
        what: 'forty levels of nesting',
        token: forge(header, withMember(`"x":${'['.repeat(40)}${']'.repeat(40)}`)),
        ours: 'malformed',
        why: 'no honest token has them',
      },
      {
        what: 'padding at the end of the signature',
        token: `${forge(header, text)}=`,
        ours: 'malformed',
        why: 'RFC 7515 section 2: one token, one text',
      },
      {
        what: 'characters in the signature that are not base64url',
        token: `${forge(header, text)}!!!!`,
        ours: 'malformed',
        why: 'one token, one text',
      },
      {
        what: 'stray bits at the end of the signature',
        token: withStrayBits(forge(header, text)),
        ours: 'malformed',
        why: 'one token, one text: a denylist by text would miss the other',
      },
      {
        what: 'more than 8192 bytes',
        token: forge(header, withMember(`"x":"${'x'.repeat(8192)}"`)),
        ours: 'token_too_large',
        why: 'no browser keeps it',
      },
      {
        what: 'a kid where keys have no names',
        token: forge({ ...header, kid: 'x' }, text),
        ours: 'key_unknown',
        why: 'a name that is not known finds no key',
      },
      {
        what: 'crit, even where it is understood',
        token: forge({ ...header, crit: ['b64'], b64: true }, text),
        ours: 'header_invalid',
        why: 'RFC 7519 needs no extension',
      },
      {
        what: 'a key in the header, ignored',
        token: forge({ ...header, jwk: { kty: 'oct', k: 'AAAA' } }, text),
        ours: 'header_invalid',
        why: 'no honest token of ours brings one',
      },
      {
        what: 'the address of a key in the header, ignored',
        token: forge({ ...header, jku: 'https://evil.example' }, text),
        ours: 'header_invalid',
        why: 'no honest token of ours brings one',
      },
      {
        what: 'the typ of another kind of token',
        token: forge({ ...header, typ: 'secevent+jwt' }, text),
        ours: 'wrong_token_type',
        why: 'RFC 8725 section 3.11',
      },
      {
        what: 'a refresh token where an access token is due',
        token: forge(header, goodClaims({ type: 'refresh', fresh: undefined })),
        ours: 'wrong_token_type',
        why: 'PyJWT knows no types',
      },
      ...['sub', 'jti', 'exp'].map((name) => ({
        what: `no ${name}`,
        token: forge(header, without(name)),
        ours: 'claims_invalid',
        why: 'it can neither be told whose it is, nor revoked, nor does it end',
      })),
      {
        what: 'no type',
        token: forge(header, without('type')),
        ours: 'wrong_token_type',
        why: 'what it is for is not guessed',
      },
      {
        what: 'a sub that is a number',
        token: forge(header, goodClaims({ sub: 7 })),
        ours: 'claims_invalid',
        why: 'RFC 7519 section 4.1.2: it is text',
      },
      {
        what: 'an exp that is a text',
        token: forge(header, goodClaims({ exp: `${startSeconds + 900}` })),
        ours: 'claims_invalid',
        why: 'RFC 7519 section 2: a NumericDate is a number',
      },
      {
        what: 'an nbf that is true',
        token: forge(header, goodClaims({ nbf: true })),
        ours: 'claims_invalid',
        why: 'RFC 7519 section 2: a NumericDate is a number',
      },
    ]

    test.each(laxer)('$what ($why)', async ({ token, ours }) => {
      expect(await judgeThere(token, secretKey, 'HS256')).toBe('passed')
      expect(await judgeHere(auth, token)).toBe(ours)
    })
  })

  test('writes JWKs without the leading zeros of a coordinate, which it cannot read itself and we can', async () => {
    const made = await pyjwt.ask('make_pair', { kind: 'P-521', algorithm: 'ES512', short: true })
    await expect(sign('ES512', made.private.jwk, goodClaims())).rejects.toThrow('InvalidKeyError')
    const keys = { signing: made.private.jwk, verifying: made.public.jwk }
    const auth = createSide('ES512', keys)
    const token = await auth.createAccessToken('test')
    expect(await judgeThere(token, made.public.pem, 'ES512')).toBe('passed')
  })

  describe('takes keys that we refuse on purpose:', () => {
    const weak: readonly {
      readonly what: string
      readonly algorithm: Algorithm
      readonly key: string
      readonly options: AuthOptions
    }[] = [
      {
        what: 'a secret of six characters',
        algorithm: 'HS256',
        key: 'secret',
        options: { secretKey: 'secret' },
      },
      {
        what: 'a secret that is empty',
        algorithm: 'HS256',
        key: '',
        options: { secretKey: '' },
      },
      {
        what: 'a public key as a secret, in DER as base64',
        algorithm: 'HS256',
        key: spkiBase64(),
        options: { secretKey: spkiBase64() },
      },
      {
        what: 'an RSA key of 1024 bits',
        algorithm: 'RS256',
        key: privatePem(pairs.shortRsa),
        options: { privateKey: privatePem(pairs.shortRsa) },
      },
      {
        what: 'a key on another curve than the algorithm has',
        algorithm: 'ES256',
        key: privatePem(pairs.p384),
        options: { privateKey: privatePem(pairs.p384) },
      },
    ]

    test.each(weak)('$what', async ({ algorithm, key, options }) => {
      expect(await sign(algorithm, key, goodClaims())).toContain('.')
      expect(() => createAuth({ ...options, algorithm })).toThrow(TypeError)
    })

    test.each(pairAlgorithms)('but neither takes the public key of %s as a secret', async (algorithm) => {
      const pem = publicPem(kinds[algorithm][0])
      await expect(sign('HS256', pem, goodClaims())).rejects.toThrow('InvalidKeyError')
      expect(() => createAuth({ secretKey: pem })).toThrow(TypeError)
      // Nor where both algorithms are allowed, which here cannot even be configured.
      const token = forge({ alg: 'HS256', typ: 'JWT' }, goodClaims(), pem)
      const judged = await pyjwt.ask('verify', { token, key: pem, algorithms: [algorithm, 'HS256'] })
      expect(judged.refused).toBe('InvalidKeyError')
      const both = { publicKey: pem, algorithm, decodeAlgorithms: [algorithm, 'HS256' as const] }
      expect(() => createAuth(both)).toThrow(TypeError)
    })
  })

  describe('refuses what we take:', () => {
    const auth = createAuth({ secretKey, clock: () => startSeconds })
    const stricter: readonly {
      readonly what: string
      readonly changes: Record<string, unknown>
      readonly theirs: string
      readonly why: string
    }[] = [
      {
        what: 'an audience, where none is expected',
        changes: { aud: 'api' },
        theirs: 'InvalidAudienceError',
        why: 'the audience is looked at where decodeAudience is given',
      },
      {
        what: 'nbf and iat five seconds ahead',
        changes: { nbf: startSeconds + 5, iat: startSeconds + 5 },
        theirs: 'ImmatureSignatureError',
        why: "two servers' clocks need not agree",
      },
      {
        what: 'the last fraction of a second',
        changes: { exp: startSeconds + 0.5 },
        theirs: 'ExpiredSignatureError',
        why: 'exp is cut to whole seconds there',
      },
    ]

    test.each(stricter)('$what ($why)', async ({ changes, theirs }) => {
      const token = await sign('HS256', secretKey, goodClaims(changes))
      expect(await judgeThere(token, secretKey, 'HS256')).toBe(theirs)
      expect(await judgeHere(auth, token)).toBe('passed')
    })
  })

  test.each([
    ['exp', null],
    ['exp', {}],
    ['nbf', []],
  ])(
    'fails with an error of another kind at a token whose %s is %j, which we refuse',
    async (name, value) => {
      const auth = createAuth({ secretKey, clock: () => startSeconds })
      const token = forge({ alg: 'HS256' }, goodClaims({ [name]: value }))
      expect(await judgeThere(token, secretKey, 'HS256')).toBe('crashed: TypeError')
      expect(await judgeHere(auth, token)).toBe('claims_invalid')
    },
  )
})

/** The fine reason of a refusal, or its code where that says it all. */
async function judgeHere(auth: Auth, token: string): Promise<string> {
  try {
    await auth.verify(token)
    return 'passed'
  } catch (error) {
    if (!AuthError.is(error)) throw error
    return error.code === 'token_invalid' ? String(error.cause) : error.code
  }
}

/** An algorithm that the same key could serve. */
function siblingOf(algorithm: Algorithm): Algorithm {
  const siblings: Partial<Record<Algorithm, Algorithm>> = { HS256: 'HS512', RS256: 'PS256', PS256: 'RS256' }
  const family = algorithm.slice(0, 2)
  if (family === 'HS' || family === 'RS' || family === 'PS')
    return siblings[algorithm] ?? (`${family}256` as Algorithm)
  return algorithm === 'ES256' ? 'ES384' : 'ES256'
}

/** The same key where it serves, else one of the sibling's. */
function keysFor(sibling: Algorithm, { signing }: Keys): string | Jwk {
  return sibling.startsWith('ES') ? privatePem(sibling === 'ES256' ? pairs.p256 : pairs.p384) : signing
}

function flipBit(signature: string): string {
  const bytes = Buffer.from(signature, 'base64url')
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1
  return bytes.toString('base64url')
}

/** HS256: 32 bytes leave two bits to spare in the last character. */
function withStrayBits(token: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return token.slice(0, -1) + alphabet.charAt(alphabet.indexOf(token.slice(-1)) + 1)
}

function spkiBase64(): string {
  return pairs.rsa.publicKey.export({ format: 'der', type: 'spki' }).toString('base64')
}
