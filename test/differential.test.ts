/** Thousands of good and broken tokens, judged here and by `jose`: never laxer, and stricter only for the listed reasons. */

import { constants, createHmac, createSecretKey, createVerify, generateKeyPairSync, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { errors, jwtVerify, SignJWT } from 'jose'
import { describe, expect, test } from 'vitest'
import { AuthError, createAuth } from '../src/index.ts'
import type { Algorithm, Auth } from '../src/index.ts'
import { flawsOf } from './_json.ts'
import { forge, goodClaims, secretKey, startSeconds } from './_setup.ts'

/** Ours for `nbf` and `iat`; jose has one for `exp` too, so ours is stricter there. */
const toleranceSeconds = 5

// ---- Keys and signatures, made without the library ----

const secret = createSecretKey(secretKey, 'utf8')
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const ed25519 = generateKeyPairSync('ed25519')
const curve = (namedCurve: string): { privateKey: KeyObject; publicKey: KeyObject } =>
  generateKeyPairSync('ec', { namedCurve })
const curves = {
  ES256: curve('prime256v1'),
  ES384: curve('secp384r1'),
  ES512: curve('secp521r1'),
  ES256K: curve('secp256k1'),
}

/** One algorithm as both sides see it. */
interface Case {
  readonly algorithm: Algorithm
  readonly auth: Auth
  readonly sign: (input: string) => Buffer
  readonly judge: (token: string) => Promise<Verdict>
}

type Verdict =
  { readonly claims: Record<string, unknown>; readonly code?: undefined } | { readonly code: string }

function createCase(algorithm: Algorithm): Case {
  const hash = `sha${/\d{3}/.exec(algorithm)?.[0] ?? ''}`
  const pair = pairOf(algorithm)
  const key = pair === null ? { secretKey: secret } : { privateKey: pair.privateKey }
  const auth = createAuth({ ...key, algorithm, clock: () => startSeconds, tokenLocation: ['headers'] })
  const padding = algorithm.startsWith('PS')
    ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
    : {}
  return {
    algorithm,
    auth,
    sign(input) {
      if (pair === null) return createHmac(hash, secret).update(input).digest()
      const key = { key: pair.privateKey, dsaEncoding: 'ieee-p1363', ...padding } as const
      return sign(algorithm === 'EdDSA' ? null : hash, Buffer.from(input), key)
    },
    judge:
      algorithm === 'ES256K'
        ? judgeByParts
        : (token) => judgeByJose(token, algorithm, pair?.publicKey ?? secret),
  }
}

function pairOf(algorithm: Algorithm): { privateKey: KeyObject; publicKey: KeyObject } | null {
  if (algorithm.startsWith('HS')) return null
  if (algorithm === 'EdDSA') return ed25519
  return algorithm.startsWith('ES') ? curves[algorithm as keyof typeof curves] : rsa
}

async function judgeByJose(token: string, algorithm: string, key: KeyObject): Promise<Verdict> {
  const options = {
    algorithms: [algorithm],
    currentDate: new Date(startSeconds * 1000),
    clockTolerance: toleranceSeconds,
  }
  try {
    return { claims: (await jwtVerify(token, key, options)).payload }
  } catch (error) {
    if (error instanceof errors.JOSEError) return { code: error.code }
    throw error
  }
}

/** jose has no ES256K any more: the signature is judged as DER, and the rest by jose as if it were HS256. */
async function judgeByParts(token: string): Promise<Verdict> {
  const [header = '', payload = '', signature = '', ...more] = token.split('.')
  const headerText = Buffer.from(header, 'base64url').toString()
  if (more.length > 0 || !/^[\w\s=-]*$/.test(signature) || !headerText.includes('"ES256K"'))
    return { code: 'ERR_JWS_INVALID' }
  const verifier = createVerify('sha256').update(`${header}.${payload}`)
  const bytes = Buffer.from(signature, 'base64url')
  if (bytes.length !== 64 || !verifier.verify(curves.ES256K.publicKey, toDer(bytes)))
    return { code: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED' }
  const input = `${Buffer.from(headerText.replaceAll('"ES256K"', '"HS256"')).toString('base64url')}.${payload}`
  const mac = createHmac('sha256', secret).update(input).digest('base64url')
  return judgeByJose(`${input}.${mac}`, 'HS256', secret)
}

/** An ECDSA-Sig-Value (RFC 3279 section 2.2.3): a sequence of two integers that are not negative. */
function toDer(signature: Buffer): Buffer {
  const integers = [signature.subarray(0, 32), signature.subarray(32)].map((half) => {
    const short = half.subarray(
      Math.max(
        half.findIndex((byte) => byte !== 0),
        0,
      ),
    )
    const number = (short[0] ?? 0) < 0x80 ? short : Buffer.concat([Buffer.alloc(1), short])
    return Buffer.concat([Buffer.from([2, number.length]), number])
  })
  const body = Buffer.concat(integers)
  return Buffer.concat([Buffer.from([0x30, body.length]), body])
}

async function judgeHere(token: string, { auth }: Case): Promise<Verdict> {
  try {
    return { claims: { ...(await auth.verify(token)) } }
  } catch (error) {
    if (AuthError.is(error)) return { code: error.code }
    throw error
  }
}

// ---- Why we may refuse what jose takes ----

interface Parsed {
  readonly token: string
  readonly parts: readonly string[]
  readonly texts: readonly string[]
  readonly header: Readonly<Record<string, unknown>>
  readonly claims: Readonly<Record<string, unknown>>
}

const canonical = /^(?:[\w-]{4})*(?:[\w-][AQgw]|[\w-]{2}[AEIMQUYcgkosw048])?$/
const isText = (value: unknown): boolean => typeof value === 'string' && value !== ''
const isOr = (type: string, value: unknown): boolean => value === undefined || typeof value === type

const reasons: Readonly<Record<string, (parsed: Parsed) => boolean>> = {
  'longer than 8192 bytes': ({ token }) => token.length > 8192,
  'base64url that is not canonical': ({ parts }) => parts.some((part) => !canonical.test(part)),
  'byte order mark': ({ texts }) => texts.some((text) => text.startsWith('\u{feff}')),
  'member named twice': ({ texts }) => texts.some((text) => flawsOf(text).namesTwice),
  'nested more than 32 levels': ({ texts }) => texts.some((text) => flawsOf(text).depth > 32),
  'number that overflows': ({ texts }) => texts.some((text) => flawsOf(text).overflows),
  'kid, where keys have no names': ({ header }) => Object.hasOwn(header, 'kid'),
  'crit, even when known': ({ header }) => Object.hasOwn(header, 'crit'),
  'header that brings or names a key': ({ header }) =>
    ['jku', 'jwk', 'x5u', 'x5c', 'x5t', 'x5t#S256'].some((name) => Object.hasOwn(header, name)),
  'header of encryption, compression or b64': ({ header }) =>
    ['b64', 'enc', 'zip', 'epk', 'p2c', 'iv', 'tag'].some((name) => Object.hasOwn(header, name)),
  'typ of something else': ({ header: { typ } }) =>
    typ !== undefined && !(typeof typ === 'string' && /^jwt$/i.test(typ)),
  'no sub': ({ claims }) => !isText(claims['sub']),
  'no jti': ({ claims }) => !isText(claims['jti']),
  'no exp': ({ claims }) => claims['exp'] === undefined,
  'not of type access': ({ claims }) => claims['type'] !== 'access',
  'exp without tolerance': ({ claims: { exp } }) => typeof exp === 'number' && exp <= startSeconds,
  'iat in the future': ({ claims: { iat } }) =>
    typeof iat === 'number' && iat > startSeconds + toleranceSeconds,
  'nbf after exp': ({ claims: { nbf, exp } }) => typeof nbf === 'number' && nbf > Number(exp),
  'auth_time or gen that is no number': ({ claims }) =>
    !isOr('number', claims['auth_time']) || !isOr('number', claims['gen']),
  'auth_time that is yet to come': ({ claims: { auth_time: authTime } }) =>
    typeof authTime === 'number' && authTime > startSeconds + toleranceSeconds,
  'auth_time longer ago than sessionExpires': ({ claims: { auth_time: authTime } }) =>
    typeof authTime === 'number' && authTime + 90 * 86_400 <= startSeconds,
  'gen in an access token': ({ claims }) => claims['gen'] !== undefined,
  'iss, csrf or sid that is no text': ({ claims }) =>
    ['iss', 'csrf', 'sid'].some((name) => !isOr('string', claims[name])),
  'fresh that is no boolean': ({ claims }) => !isOr('boolean', claims['fresh']),
  'aud that names nobody': ({ claims: { aud } }) =>
    !isOr('string', aud) && !(Array.isArray(aud) && aud.every((name) => typeof name === 'string')),
}

/** The reasons that hold for a token that jose has taken. */
function reasonsFor(token: string): string[] {
  const parts = token.split('.')
  const texts = parts
    .slice(0, 2)
    .map((part) => new TextDecoder('utf-8', { ignoreBOM: true }).decode(decode(part)))
  const [header, claims] = texts.map((text) => JSON.parse(text.replace(/^\u{feff}/u, '')))
  const parsed: Parsed = { token, parts, texts, header, claims }
  return Object.keys(reasons).filter((name) => reasons[name]?.(parsed))
}

const decode = (part: string): Buffer => Buffer.from(part.replaceAll(/\s/g, ''), 'base64url')

// ---- Generated tokens ----

/** A token that is not signed yet. */
interface Draft {
  header: string
  payload: string | Buffer
  /** Done to an encoded part before it is signed; to the signature, afterwards. */
  readonly encodings: ((encoded: string) => string)[]
}

type Change = (draft: Draft) => void

/** Puts a member into a JSON text, in front or at the end, whatever it holds already. */
const inFront = (text: string, member: string): string => text.replace('{', `{${member},`)
const atEnd = (text: string, member: string): string => text.replace(/\}$/, `,${member}}`)

function setMember(text: string, name: string, value: unknown): string {
  return JSON.stringify({ ...(JSON.parse(text) as object), [name]: value })
}

const claimNames = Object.keys(goodClaims({ iss: 1, aud: 1, auth_time: 1, sid: 1, gen: 1, note: 1 }))
const claimValue = fc.oneof(
  fc.constantFrom(
    undefined,
    null,
    true,
    false,
    '',
    'access',
    'refresh',
    'x',
    0,
    -1,
    1.5,
    1e300,
    [],
    ['x'],
    [1],
    {},
  ),
  fc.constantFrom(-901, -6, -5, -4, -1, 0, 1, 4, 5, 6, 901).map((seconds) => startSeconds + seconds),
)

const claimChange = fc
  .tuple(fc.constantFrom(...claimNames), claimValue)
  .map(([name, value]): Change => (draft) => {
    draft.payload = setMember(String(draft.payload), name, value)
  })

const payloadChange = fc
  .constantFrom<(text: string) => string | Buffer>(
    (text) => inFront(text, '"sub":"admin"'),
    (text) => inFront(text, String.raw`"s\u0075b":"admin"`),
    (text) => atEnd(text, '"list":[{"a":1,"a":1}]'),
    (text) => atEnd(text, '"list":[{"a":1},{"a":1}],"text":"\\",\\":{\\"a\\":"'),
    (text) => atEnd(text, '"__proto__":{"sub":"admin"}'),
    (text) => atEnd(text, '"big":1e999'),
    (text) => atEnd(text, '"big":[-1e400]'),
    (text) => atEnd(text, `"deep":${'['.repeat(31)}${']'.repeat(31)}`),
    (text) => atEnd(text, `"deep":${'['.repeat(32)}${']'.repeat(32)}`),
    (text) => atEnd(text, `"deep":${'{"a":'.repeat(32)}0${'}'.repeat(32)}`),
    (text) => atEnd(text, `"long":"${'x'.repeat(7000)}"`),
    (text) => ` ${text}\r\n\t`,
    (text) => `\u{feff}${text}`,
    (text) => `${text}\u{feff}`,
    (text) => `[${text}]`,
    (text) => text.slice(0, -1),
    (text) => `${text}}`,
    (text) => text.replaceAll('"', "'"),
    () => 'null',
    () => '""',
    (text) =>
      Buffer.concat([
        Buffer.from(atEnd(text, '"x":"')).subarray(0, -1),
        Buffer.from([0xc0, 0xaf, 0x22, 0x7d]),
      ]),
    (text) => atEnd(text, String.raw`"x":"\ud800"`),
    (text) =>
      JSON.stringify({ ...(JSON.parse(text) as object), nbf: startSeconds + 4, exp: startSeconds + 2 }),
  )
  .map((change): Change => (draft) => {
    draft.payload = change(String(draft.payload))
  })

const headerMember = fc.constantFrom<readonly [string, unknown]>(
  ['typ', undefined],
  ['typ', 'jwt'],
  ['typ', 'at+jwt'],
  ['typ', 'application/jwt'],
  ['typ', null],
  ['kid', 'any'],
  ['kid', null],
  ['cty', 'JWT'],
  ['cty', 1],
  ['url', 'https://app.example'],
  ['nonce', {}],
  ['crit', ['b64']],
  ['crit', ['exp']],
  ['crit', []],
  ['b64', true],
  ['b64', false],
  ['jku', 'https://evil.example/jwks'],
  ['jwk', { kty: 'oct', k: 'AAAA' }],
  ['x5c', []],
  ['x5t#S256', 'x'],
  ['zip', 'DEF'],
  ['enc', 'A256GCM'],
  ['alg', 'none'],
  ['alg', 'None'],
  ['alg', 'HS256'],
  ['alg', 'RS256'],
  ['alg', 'ES256'],
  ['alg', 'EdDSA'],
  ['alg', 'Ed25519'],
  ['alg', 'toString'],
  ['alg', '__proto__'],
  ['alg', ['HS256']],
  ['alg', null],
  ['alg', undefined],
)

const headerChange = fc
  .oneof(
    {
      weight: 4,
      arbitrary: headerMember.map(
        ([name, value]) =>
          (text: string) =>
            setMember(text, name, value),
      ),
    },
    {
      weight: 1,
      arbitrary: fc.constantFrom<(text: string) => string>(
        (text) => setMember(setMember(text, 'crit', ['b64']), 'b64', true),
        (text) => setMember(setMember(text, 'b64', true), 'crit', ['b64']),
        (text) => setMember(setMember(text, 'crit', ['b64']), 'b64', false),
        (text) => inFront(text, '"alg":"none"'),
        (text) => atEnd(text, '"alg":"none"'),
        (text) => inFront(text, '"typ":"JWT"'),
        (text) => inFront(text, String.raw`"\u0061lg":"none"`),
        (text) => ` ${text}\n`,
        (text) => `\u{feff}${text}`,
        (text) => `[${text}]`,
        (text) => text.toUpperCase(),
        () => '',
      ),
    },
  )
  .map((change): Change => (draft) => {
    draft.header = change(draft.header)
  })

const base64urlAlphabet = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_']

/** Another letter that decodes to the same bytes, where the last one has bits to spare. */
function withStrayBits(encoded: string): string {
  const last = base64urlAlphabet.indexOf(encoded.at(-1) ?? '')
  return encoded.length % 4 === 0 ? encoded : encoded.slice(0, -1) + (base64urlAlphabet[last + 1] ?? '')
}

const encodingChange = fc
  .tuple(
    fc.constantFrom(0, 1, 2),
    fc.constantFrom<(encoded: string) => string>(
      (encoded) => `${encoded}=`,
      (encoded) => encoded + '='.repeat((4 - (encoded.length % 4)) % 4),
      withStrayBits,
      (encoded) => encoded.replaceAll('-', '+').replaceAll('_', '/'),
      (encoded) => `${encoded.slice(0, 4)}\n${encoded.slice(4)}`,
      (encoded) => ` ${encoded}`,
      (encoded) => `${encoded}\u{e9}`,
      (encoded) => `${encoded}A`,
      () => '',
    ),
  )
  .map(([part, change]): Change => (draft) => {
    draft.encodings[part] = change
  })

/** What is done to a token on its way. */
const wireChange = fc.oneof(
  fc
    .tuple(
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      fc.oneof(fc.constantFrom(...base64urlAlphabet), fc.string({ minLength: 1, maxLength: 2 })),
      fc.constantFrom(0, 1, 1, 1, 2),
    )
    .map(([where, inserted, removed]) => (token: string) => {
      const at = Math.floor(where * token.length)
      return token.slice(0, at) + inserted + token.slice(at + removed)
    }),
  fc
    .double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
    .map(
      (where) => (token: string) =>
        token.slice(0, where * token.length) + token.slice(where * token.length + 1),
    ),
  fc.shuffledSubarray([0, 1, 2], { minLength: 1 }).map((order) => (token: string) => {
    const parts = token.split('.')
    return order.map((index) => parts[index]).join('.')
  }),
  fc.constantFrom<(token: string) => string>(
    (token) => `${token}.`,
    (token) => `.${token}`,
    (token) => `${token}.${token}`,
    (token) => `${token}\n`,
    (token) => token.replace(/[^.]*$/, ''),
    (token) => token.toLowerCase(),
    () => '',
    () => '..',
  ),
)

const unchanged = (token: string): string => token

const changedToken = fc.record({
  note: fc.jsonValue({ maxDepth: 2 }),
  changes: fc.array(
    fc.oneof(
      { weight: 4, arbitrary: claimChange },
      { weight: 3, arbitrary: payloadChange },
      { weight: 4, arbitrary: headerChange },
      { weight: 2, arbitrary: encodingChange },
    ),
    { maxLength: 2, size: 'max' },
  ),
  onTheWire: fc.oneof({ weight: 4, arbitrary: fc.constant(unchanged) }, { weight: 1, arbitrary: wireChange }),
})

type ChangedToken = typeof changedToken extends fc.Arbitrary<infer T> ? T : never

function build({ note, changes, onTheWire }: ChangedToken, { algorithm, sign }: Case): string {
  const draft: Draft = {
    header: JSON.stringify({ alg: algorithm, typ: 'JWT' }),
    payload: JSON.stringify(goodClaims({ note })),
    encodings: [unchanged, unchanged, unchanged],
  }
  for (const change of changes) {
    try {
      change(draft)
    } catch {
      // A second change may find no JSON any more to change.
    }
  }
  const [onHeader = unchanged, onPayload = unchanged, onSignature = unchanged] = draft.encodings
  const input = `${onHeader(base64url(draft.header))}.${onPayload(base64url(draft.payload))}`
  return onTheWire(`${input}.${onSignature(base64url(sign(input)))}`)
}

const base64url = (value: string | Buffer): string => Buffer.from(value).toString('base64url')

// ---- The comparison ----

const algorithms: readonly Algorithm[] = [
  ...(['HS256', 'HS384', 'HS512'] as const),
  ...(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const),
  ...(['ES256', 'ES384', 'ES512', 'ES256K', 'EdDSA'] as const),
]

const registered = new Set([...claimNames, 'note'])
const userClaims = fc
  .dictionary(
    fc.string({ maxLength: 12 }).filter((name) => !registered.has(name)),
    fc.jsonValue({ maxDepth: 2 }),
    { maxKeys: 4 },
  )
  .map((claims) => JSON.parse(JSON.stringify(claims)) as Record<string, unknown>)
const subject = fc.string({ minLength: 1, unit: 'binary' })

describe.each(algorithms)('%s', (algorithm) => {
  const side = createCase(algorithm)

  test('what jose signs is verified here, with equal claims', async () => {
    const property = fc.asyncProperty(subject, userClaims, fc.boolean(), async (sub, user, fresh) => {
      const claims = goodClaims({ ...user, sub, fresh })
      const token = await signElsewhere(claims, side)
      expect(await side.auth.verify(token, { fresh })).toEqual(JSON.parse(JSON.stringify(claims)))
    })
    await fc.assert(property, { seed: 7515, numRuns: 40 })
  })

  test('what is signed here is verified by jose, with equal claims', async () => {
    const property = fc.asyncProperty(subject, userClaims, fc.boolean(), async (sub, claims, fresh) => {
      const token = await side.auth.createAccessToken(sub, { userClaims: claims, fresh })
      const verdict = await side.judge(token)
      expect(verdict).toEqual({ claims: { ...(await side.auth.verify(token)) } })
      expect(verdict).toMatchObject({ claims: { sub: JSON.parse(JSON.stringify(sub)) as string, fresh } })
      expect(reasonsFor(token)).toEqual([])
    })
    await fc.assert(property, { seed: 7519, numRuns: 40 })
  })

  test('of changed tokens none passes here that jose refuses, and all pass here but for the listed reasons', async () => {
    const uses = new Map(Object.keys(reasons).map((reason) => [reason, 0]))
    const verdicts = { both: 0, none: 0 }
    const property = fc.asyncProperty(changedToken, async (changed) => {
      const token = build(changed, side)
      const [theirs, ours, oursAgain] = [
        await side.judge(token),
        await judgeHere(token, side),
        await judgeHere(token, side),
      ]
      expect(oursAgain).toEqual(ours)
      if (theirs.code !== undefined) {
        expect(ours.code, 'laxer than jose').toBeDefined()
        // Nobody learns from a forged token whether it would have expired.
        if (theirs.code.startsWith('ERR_JWS')) expect(ours.code).toMatch(/^token_(?:invalid|too_large)$/)
        verdicts.none++
        return
      }
      const applicable = reasonsFor(token)
      if (applicable.length === 0) {
        expect(isDeepStrictEqual(ours, theirs), `both take it: ${ours.code ?? 'equal claims'}`).toBe(true)
        verdicts.both++
        return
      }
      expect(ours.code, applicable.join(', ')).toBeDefined()
      for (const reason of applicable) uses.set(reason, (uses.get(reason) ?? 0) + 1)
    })
    await fc.assert(property, { seed: 8725, numRuns: runs })
    expect([...uses].filter(([, count]) => count === 0)).toEqual([])
    expect(verdicts.both).toBeGreaterThan(runs / 20)
    expect(verdicts.none).toBeGreaterThan(runs / 20)
  }, 60_000)
})

/** For each algorithm; enough that every reason occurs with every algorithm. */
const runs = 600

async function signElsewhere(claims: Record<string, unknown>, { algorithm, sign }: Case): Promise<string> {
  if (algorithm === 'ES256K') {
    const input = `${base64url(JSON.stringify({ alg: algorithm, typ: 'JWT' }))}.${base64url(JSON.stringify(claims))}`
    return `${input}.${base64url(sign(input))}`
  }
  const key = pairOf(algorithm)?.privateKey ?? secret
  return new SignJWT(claims).setProtectedHeader({ alg: algorithm, typ: 'JWT' }).sign(key)
}

test('jose knows no ES256K, which is why a second implementation stands in for it', async () => {
  const token = forge({ alg: 'ES256K' }, goodClaims())
  const key = curves.ES256K.publicKey
  await expect(jwtVerify(token, key, { algorithms: ['ES256K'] })).rejects.toThrow(/not supported/)
})

test('no token passes under another algorithm than the one it was signed with', async () => {
  const cases = algorithms.map(createCase)
  for (const signer of cases) {
    const token = await signer.auth.createAccessToken('test')
    for (const verifier of cases) {
      const isSame = signer.algorithm === verifier.algorithm
      expect((await judgeHere(token, verifier)).code).toBe(isSame ? undefined : 'token_invalid')
      expect((await verifier.judge(token)).code === undefined).toBe(isSame)
    }
  }
})
