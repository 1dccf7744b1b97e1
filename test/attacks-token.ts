/** The attack table for tokens: what is sent, given or signed, and how it must end. Data only; the test beside it runs it. */

import { constants, createSecretKey, generateKeyPairSync } from 'node:crypto'
import { encode, forge, secretKey, startSeconds } from './_setup.ts'
import {
  allAlgorithms,
  allKeyNames,
  asymmetricAlgorithms,
  claims,
  derSignature,
} from './attacks-token-forge.ts'
import { digestInfo, ecdsaAlgorithms, goodToken, malleated, malleatedEdDSA } from './attacks-token-forge.ts'
import { markers, optionsFor, privateJwk, privateKeys, privatePem, publicDer } from './attacks-token-forge.ts'
import {
  publicJwk,
  publicKeys,
  publicPem,
  rocaModulus,
  signatureOf,
  signedWithBytes,
} from './attacks-token-forge.ts'
import { signWith, spellingsOfPublicKey, strangersKeys, verifierFor } from './attacks-token-forge.ts'
import { withPaddedBlock, withRS, withSalt, withSignature } from './attacks-token-forge.ts'
import type { Algorithm } from './attacks-token-forge.ts'
import type { AuthErrorCode, AuthOptions, RejectionReason } from '../src/index.ts'

/** How a token ends: taken, or refused with a code and, where the code has several, the fine reason. */
export type Outcome = 'passes' | { readonly code: AuthErrorCode; readonly reason?: RejectionReason }

/** Tokens of one idea that end alike, on every way into a server. */
export interface TokenAttack {
  readonly id: number
  readonly input: string
  readonly auth?: AuthOptions
  readonly guard?: 'jwtRequired' | 'jwtRefreshTokenRequired' | 'freshJwtRequired'
  /** Only by hand, for tokens that a carrier would change on its way (blanks around them). */
  readonly onlyByHand?: true
  readonly tokens: Readonly<Record<string, string>>
  readonly expected: Outcome
}

/** Options that `createAuth` refuses with a message that names the option. */
export interface OptionsAttack {
  readonly id: number
  readonly input: string
  readonly option: string
  readonly options: Readonly<Record<string, unknown>>
}

/** What cannot be signed: a `TypeError` whose message says which argument. */
export interface SigningAttack {
  readonly id: number
  readonly input: string
  readonly names: string
  readonly arguments: Readonly<Record<string, { readonly subject?: unknown; readonly options?: unknown }>>
}

const invalid = (reason: RejectionReason): Outcome => ({ code: 'token_invalid', reason })
const malformed = invalid('malformed')
const tooLarge: Outcome = { code: 'token_too_large' }
const wrongType: Outcome = { code: 'wrong_token_type' }
const expired: Outcome = { code: 'token_expired' }

const none = { alg: 'none', typ: 'JWT' }
const hs256 = { alg: 'HS256', typ: 'JWT' }

/** Labels made from the values themselves. */
function each<T>(values: readonly T[], make: (value: T) => string): Record<string, string> {
  return Object.fromEntries(values.map((value, index) => [`${index}: ${label(value)}`, make(value)]))
}

function label(value: unknown): string {
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value))
  return text.length > 40 ? `${text.slice(0, 40)}…` : text
}

/** A token whose header has more, or other, parameters than ours. */
const withHeader = (parameters: Record<string, unknown>): string =>
  forge({ ...hs256, ...parameters }, claims())

/** A token whose claims are changed; `undefined` takes one out. */
const withClaims = (changes: Record<string, unknown>): string => forge(hs256, claims(changes))

/** A token whose payload is good but for the text put in front of its members. */
const withMembers = (text: string): string =>
  forge(hs256, `{${text}${text === '' ? '' : ','}${JSON.stringify(claims()).slice(1)}`)

const changePart = (part: 0 | 1 | 2, change: (text: string) => string): string => {
  const parts = goodToken().split('.')
  parts[part] = change(parts[part] ?? '')
  return parts.join('.')
}

const inEachPart = (name: string, change: (text: string) => string): Record<string, string> => ({
  [`${name} in the header`]: changePart(0, change),
  [`${name} in the payload`]: changePart(1, change),
  [`${name} in the signature`]: changePart(2, change),
})

/** Replaces the character in the middle. */
const inMiddle = (character: string) => (text: string) =>
  text.slice(0, text.length >> 1) + character + text.slice((text.length >> 1) + 1)
const intoMiddle = (character: string) => (text: string) =>
  text.slice(0, text.length >> 1) + character + text.slice(text.length >> 1)

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** Sets a bit behind the last whole byte: another text for the same bytes. */
const dirtyLastBit = (text: string): string =>
  text.slice(0, -1) + (alphabet[alphabet.indexOf(text.slice(-1)) + 1] ?? '')

/** Parts whose length leaves stray bits: the payload is padded by a claim until it does. */
function unevenToken(): string {
  for (const filler of ['', 'x', 'xx']) {
    const token = withClaims({ filler })
    if ((token.split('.')[1] ?? '').length % 4 !== 0) return token
  }
  return goodToken()
}

const unsigned = (header: unknown, payload: unknown = claims()): string =>
  `${encode(header)}.${encode(payload)}.`

const spoiltAlgorithms = ['None', 'NONE', 'nOnE', 'none ', ' none', 'none\u0000', 'ｎｏｎｅ', '']
const lookups = [
  'constructor',
  'toString',
  '__proto__',
  'hasOwnProperty',
  'valueOf',
  'prototype',
  'get',
  'size',
]
const notStrings = [null, true, false, 0, 1, [], ['HS256'], {}, { HS256: 'HS256' }]
const nearNames = [
  'hs256',
  'HS256 ',
  'HS-256',
  'HS1',
  'HS2560',
  'HMAC',
  'sha256',
  'RSA1_5',
  'dir',
  'ES256k',
  'Ed25519',
]

const nested = (depth: number, open: string, close: string): string =>
  open.repeat(depth) + close.repeat(depth)

/** UTF-16 and UTF-32 bytes of the good claims. */
const utf16 = Buffer.from(JSON.stringify(claims()), 'utf16le')
const utf32 = Buffer.concat(
  [...JSON.stringify(claims())].map((letter) => Buffer.of(letter.charCodeAt(0), 0, 0, 0)),
)
const bom = Buffer.of(0xef, 0xbb, 0xbf)

const jsonObject = Buffer.from(JSON.stringify(claims()))

/** A text with raw bytes put into the value of one claim. */
const withRawBytes = (...bytes: number[]): string =>
  forge(
    hs256,
    Buffer.concat([Buffer.from('{"raw":"'), Buffer.from(bytes), Buffer.from('",'), jsonObject.subarray(1)]),
  )

const flattened = (): string => {
  const [header = '', payload = '', signature = ''] = goodToken().split('.')
  return JSON.stringify({ protected: header, payload, signature })
}

const general = (): string => {
  const [header = '', payload = '', signature = ''] = goodToken().split('.')
  return JSON.stringify({ payload, signatures: [{ protected: header, header: { alg: 'HS256' }, signature }] })
}

export const tokenAttacks: readonly TokenAttack[] = [
  ...allAlgorithms.map((algorithm): TokenAttack => ({
    id: 2,
    input: `alg none and an empty signature, to a verifier of ${algorithm}`,
    auth: verifierFor(algorithm),
    tokens: { 'with typ': unsigned(none), 'without typ': unsigned({ alg: 'none' }) },
    expected: invalid('alg_forbidden'),
  })),
  {
    id: 3,
    input: 'alg none in other spellings, unsigned',
    tokens: {
      ...each(spoiltAlgorithms, (alg) => unsigned({ alg })),
      'an escaped n': unsigned('{"alg":"\\u006eone"}'),
    },
    expected: invalid('alg_forbidden'),
  },
  {
    id: 3,
    input: 'alg none in other spellings, signed with the right secret',
    tokens: {
      ...each(spoiltAlgorithms, (alg) => forge({ alg }, claims())),
      'an escaped n': forge('{"alg":"\\u006eone"}', claims()),
    },
    expected: invalid('alg_forbidden'),
  },
  ...allAlgorithms.map((algorithm): TokenAttack => ({
    id: 4,
    input: `alg none with a signature of ${algorithm} kept`,
    auth: verifierFor(algorithm),
    tokens: {
      'of the original': `${encode(none)}.${goodToken(algorithm).split('.').slice(1).join('.')}`,
      'over the forged header': signWith(algorithm, none, claims()),
      'of one byte': `${encode(none)}.${encode(claims())}.AA`,
    },
    expected: invalid('alg_forbidden'),
  })),
  ...(['rsa', 'P-256', 'ed25519'] as const).flatMap((key) =>
    (key === 'rsa' ? (['RS256', 'PS512'] as const) : ([key === 'P-256' ? 'ES256' : 'EdDSA'] as const)).map(
      (algorithm): TokenAttack => ({
        id: key === 'rsa' ? 6 : 7,
        input: `HMAC with the public key of a verifier of ${algorithm}`,
        auth: { algorithm, publicKey: publicPem(key) },
        tokens: Object.fromEntries(
          Object.entries(spellingsOfPublicKey(key)).flatMap(([spelling, bytes]) => [
            [`${spelling}, HS256`, signedWithBytes(hs256, bytes)],
            [`${spelling}, HS512`, signedWithBytes({ alg: 'HS512' }, bytes, 'sha512')],
          ]),
        ),
        expected: invalid('alg_forbidden'),
      }),
    ),
  ),
  {
    id: 7,
    input: 'HMAC with the raw point of the EC key',
    auth: verifierFor('ES256'),
    tokens: { x: signedWithBytes(hs256, Buffer.from(String(publicJwk('P-256')['x']), 'base64url')) },
    expected: invalid('alg_forbidden'),
  },
  ...allAlgorithms.map((allowed): TokenAttack => ({
    id: 8,
    input: `rightly signed with another algorithm where only ${allowed} is taken`,
    auth: verifierFor(allowed),
    tokens: Object.fromEntries(
      allAlgorithms.filter((other) => other !== allowed).map((other) => [other, goodToken(other)]),
    ),
    expected: invalid('alg_forbidden'),
  })),
  ...allAlgorithms.map((allowed): TokenAttack => ({
    id: 10,
    input: `a header that says ${allowed} over a signature of another algorithm`,
    auth: verifierFor(allowed),
    tokens: Object.fromEntries(
      allAlgorithms
        .filter((other) => other !== allowed)
        .map((other) => [other, signWith(other, { alg: allowed, typ: 'JWT' }, claims())]),
    ),
    expected: invalid('signature_invalid'),
  })),
  {
    id: 14,
    input: 'alg that a careless look-up would find, or nearly',
    tokens: each([...lookups, ...nearNames], (alg) => forge({ alg, typ: 'JWT' }, claims())),
    expected: invalid('alg_forbidden'),
  },
  {
    id: 14,
    input: 'alg that is no text, or missing',
    tokens: {
      ...each(notStrings, (alg) => forge({ alg, typ: 'JWT' }, claims())),
      missing: forge({ typ: 'JWT' }, claims()),
      'as an own __proto__': forge('{"typ":"JWT","__proto__":{"alg":"HS256"}}', claims()),
      'in another case': forge({ Alg: 'HS256', ALG: 'HS256' }, claims()),
    },
    expected: invalid('alg_forbidden'),
  },
  {
    id: 15,
    input: 'the signature removed with its dot',
    tokens: { 'a.b': goodToken().split('.').slice(0, 2).join('.') },
    expected: malformed,
  },
  ...allAlgorithms.map((algorithm): TokenAttack => ({
    id: 15,
    input: `the signature of ${algorithm} removed, its dot kept`,
    auth: verifierFor(algorithm),
    tokens: { 'a.b.': withSignature(algorithm, () => Buffer.alloc(0)) },
    expected: { code: 'token_invalid' },
  })),
  ...allAlgorithms.map((algorithm): TokenAttack => ({
    id: 15,
    input: `a signature of ${algorithm} of another length or none of ours`,
    auth: verifierFor(algorithm),
    tokens: {
      ...each([1, 4, 16], (count) => withSignature(algorithm, (bytes) => bytes.subarray(0, -count))),
      'its first byte gone': withSignature(algorithm, (bytes) => bytes.subarray(1)),
      'one byte alone': withSignature(algorithm, () => Buffer.of(0)),
      'a zero byte behind': withSignature(algorithm, (bytes) => Buffer.concat([bytes, Buffer.of(0)])),
      'a zero byte in front': withSignature(algorithm, (bytes) => Buffer.concat([Buffer.of(0), bytes])),
      twice: withSignature(algorithm, (bytes) => Buffer.concat([bytes, bytes])),
      zeros: withSignature(algorithm, (bytes) => Buffer.alloc(bytes.length)),
      'set bits': withSignature(algorithm, (bytes) => Buffer.alloc(bytes.length, 0xff)),
      'of other claims': goodToken(algorithm, { note: 'other' }).replace(
        /(?<=\.)[^.]+(?=\.)/,
        encode(claims()),
      ),
    },
    expected: invalid('signature_invalid'),
  })),
  {
    id: 18,
    input: 'HMAC with an empty or falsy key',
    tokens: {
      ...each(['', 'null', 'undefined', 'false', '0', 'NaN', '{}', '[object Object]'], (key) =>
        signedWithBytes(hs256, key),
      ),
      '32 zero bytes': signedWithBytes(hs256, Buffer.alloc(32)),
      '64 zero bytes': signedWithBytes(hs256, Buffer.alloc(64)),
      'the secret in lower case': signedWithBytes(hs256, secretKey.toLowerCase()),
      'the secret and a line feed': signedWithBytes(hs256, `${secretKey}\n`),
    },
    expected: invalid('signature_invalid'),
  },
  {
    id: 19,
    input: 'HMAC with secrets that everybody tries first',
    tokens: each(['secret', 'your-256-bit-secret', 'changeme', 'password', 'key', 'jwt'], (key) =>
      signedWithBytes(hs256, key),
    ),
    expected: invalid('signature_invalid'),
  },
  ...ecdsaAlgorithms.map((algorithm): TokenAttack => ({
    id: 20,
    input: `a signature of ${algorithm} in DER, of another length, or out of range`,
    auth: verifierFor(algorithm),
    tokens: {
      DER: derSignature(algorithm),
      'both halves padded': withSignature(algorithm, (bytes) => {
        const half = bytes.length / 2
        return Buffer.concat([Buffer.of(0), bytes.subarray(0, half), Buffer.of(0), bytes.subarray(half)])
      }),
      'twice as long': withSignature(algorithm, (bytes) =>
        Buffer.concat([bytes, Buffer.alloc(bytes.length)]),
      ),
      'r = 0, s = 0': withRS(algorithm, () => [0n, 0n]),
      'r = 0': withRS(algorithm, (_, s) => [0n, s]),
      's = 0': withRS(algorithm, (r) => [r, 0n]),
      'r = 1, s = 1': withRS(algorithm, () => [1n, 1n]),
      'r = n': withRS(algorithm, (_, s, order) => [order, s]),
      's = n': withRS(algorithm, (r, _, order) => [r, order]),
      'r = n, s = n': withRS(algorithm, (_, __, order) => [order, order]),
      'r and s swapped': withRS(algorithm, (r, s) => [s, r]),
      'n - r': withRS(algorithm, (r, s, order) => [order - r, s]),
    },
    expected: invalid('signature_invalid'),
  })),
  {
    id: 20,
    input: 'an Ed25519 signature in another form',
    auth: verifierFor('EdDSA'),
    tokens: {
      'S + L': malleatedEdDSA(),
      'R = 0': withSignature('EdDSA', (bytes) => Buffer.concat([Buffer.alloc(32), bytes.subarray(32)])),
      'R = 1, S = 0': withSignature('EdDSA', () => Buffer.concat([Buffer.of(1), Buffer.alloc(63)])),
      'S = 0': withSignature('EdDSA', (bytes) => Buffer.concat([bytes.subarray(0, 32), Buffer.alloc(32)])),
    },
    expected: invalid('signature_invalid'),
  },
  ...ecdsaAlgorithms.map((algorithm): TokenAttack => ({
    id: 22,
    input: `(r, n - s) of a good token of ${algorithm}, which is a good signature by its standard`,
    auth: verifierFor(algorithm),
    tokens: { malleated: malleated(algorithm) },
    expected: 'passes',
  })),
  ...asymmetricAlgorithms.map((algorithm): TokenAttack => ({
    id: 23,
    input: `signed with a stranger's key of the kind that ${algorithm} needs`,
    auth: verifierFor(algorithm),
    tokens: {
      plain: signWith(algorithm, { alg: algorithm, typ: 'JWT' }, claims(), strangersKeys),
      'typ left out': signWith(algorithm, { alg: algorithm }, claims(), strangersKeys),
    },
    expected: invalid('signature_invalid'),
  })),
  {
    id: 24,
    input: 'RSA blocks that are padded nearly as PKCS #1 v1.5 says',
    auth: verifierFor('RS256'),
    tokens: {
      'the digest alone': withPaddedBlock((digest, block) => block(digest)),
      'no parameters in the algorithm': withPaddedBlock((digest, block) =>
        block(digestInfo('sha256 without parameters', digest)),
      ),
      'another hash named': withPaddedBlock((digest, block) =>
        block(digestInfo('sha1', digest.subarray(0, 20))),
      ),
      'garbage behind the digest': withPaddedBlock((digest, block) =>
        block(digestInfo('sha256', digest), Buffer.alloc(64, 1)),
      ),
      'one byte behind the digest': withPaddedBlock((digest, block) =>
        block(digestInfo('sha256', digest), Buffer.of(0)),
      ),
      'block type 2': withPaddedBlock((digest, block) => change(block(digestInfo('sha256', digest)), 1, 2)),
      'block type 0': withPaddedBlock((digest, block) => change(block(digestInfo('sha256', digest)), 1, 0)),
      'a set first byte': withPaddedBlock((digest, block) =>
        change(block(digestInfo('sha256', digest)), 0, 1),
      ),
      'a hole in the padding': withPaddedBlock((digest, block) =>
        change(block(digestInfo('sha256', digest)), 9, 0xfe),
      ),
      'padding that ends early': withPaddedBlock((digest, block) =>
        change(block(digestInfo('sha256', digest)), 10, 0),
      ),
      'no separator': withPaddedBlock((digest, block) =>
        change(block(digestInfo('sha256', digest)), 256 - 52, 0xff),
      ),
      'a longer length of the sequence': withPaddedBlock((digest, block) => {
        const info = digestInfo('sha256', digest)
        return block(Buffer.concat([Buffer.of(0x30, 0x81), info.subarray(1)]))
      }),
      'another digest': withPaddedBlock((digest, block) =>
        block(digestInfo('sha256', Buffer.alloc(32, digest[0]))),
      ),
      'signature one': withSignature('RS256', (bytes) => change(Buffer.alloc(bytes.length), 255, 1)),
    },
    expected: invalid('signature_invalid'),
  },
  {
    id: 24,
    input: 'RSA block that is padded as PKCS #1 v1.5 says (control)',
    auth: verifierFor('RS256'),
    tokens: { control: withPaddedBlock((digest, block) => block(digestInfo('sha256', digest))) },
    expected: 'passes',
  },
  {
    id: 24,
    input: 'PSS with a salt of another length than the hash',
    auth: verifierFor('PS256'),
    tokens: each([0, 20, 31, 33, 64, constants.RSA_PSS_SALTLEN_MAX_SIGN], (length) => withSalt(length)),
    expected: invalid('signature_invalid'),
  },
  {
    id: 24,
    input: 'PSS with a salt as long as the hash (control)',
    auth: verifierFor('PS256'),
    tokens: { control: withSalt(32) },
    expected: 'passes',
  },
  {
    id: 28,
    input: 'an encrypted token, or another number of parts',
    tokens: {
      'JWE of five parts': [
        encode({ alg: 'dir', enc: 'A256GCM' }),
        '',
        encode('123456789012'),
        encode(claims()),
        encode('1234567890123456'),
      ].join('.'),
      'JWE with a key part': [
        encode({ alg: 'RSA-OAEP', enc: 'A128GCM' }),
        'AAAA',
        'AAAA',
        'AAAA',
        'AAAA',
      ].join('.'),
      'JWE around an unsigned token': [
        encode({ alg: 'dir', enc: 'A256GCM', cty: 'JWT' }),
        '',
        'AAAA',
        encode(unsigned(none)),
        'AAAA',
      ].join('.'),
      'one part': encode(hs256),
      'four parts': `${goodToken()}.AAAA`,
      'four parts, the last empty': `${goodToken()}.`,
      'a dot in front': `.${goodToken()}`,
      'two dots between': goodToken().replace('.', '..'),
      'dots alone': '..',
      'no header': goodToken().replace(/^[^.]+/, ''),
      'no payload': goodToken().replace(/\.[^.]+\./, '..'),
    },
    expected: malformed,
  },
  {
    id: 30,
    input: 'a JWS in JSON serialisation',
    tokens: {
      flattened: flattened(),
      general: general(),
      'flattened and encoded': encode(flattened()),
      'flattened as header part':
        `${encode(flattened())}.${goodToken().split('.').slice(1).join('.')}`.replace(/^[^.]+/, (part) =>
          part.slice(0, -1),
        ),
    },
    expected: { code: 'token_invalid' },
  },

  // Header parameters
  {
    id: 39,
    input: 'any kid at all, since a lone key has none',
    tokens: {
      ...each(['unknown', '', 'HS256', 0, 1.5, null, true, [], ['a'], {}, { kid: 'a' }], (kid) =>
        withHeader({ kid }),
      ),
      'of 2,000 characters': withHeader({ kid: 'k'.repeat(2000) }),
      'of injected SQL': withHeader({ kid: "x' UNION SELECT 'key' -- " }),
      'of an injected command': withHeader({ kid: '|/bin/sleep 10' }),
    },
    expected: invalid('key_unknown'),
  },
  {
    id: 39,
    input: 'a kid of a million characters',
    tokens: { long: withHeader({ kid: 'k'.repeat(1_000_000) }) },
    expected: tooLarge,
  },
  {
    id: 40,
    input: 'a kid that is a path, signed with what lies there',
    tokens: Object.fromEntries(
      [
        '../../../../dev/null',
        '/dev/null',
        '/proc/sys/kernel/randomize_va_space',
        'file:///dev/null',
        '/etc/hostname',
      ]
        .map((kid) => [kid, { ...hs256, kid }] as const)
        .flatMap(([kid, header]) => [
          [`${kid}, empty key`, signedWithBytes(header, '')],
          [`${kid}, known bytes`, signedWithBytes(header, '2\n')],
          [`${kid}, right key`, forge(header, claims())],
        ]),
    ),
    expected: invalid('key_unknown'),
  },
  {
    id: 42,
    input: 'a kid that every object has',
    tokens: each(lookups, (kid) => withHeader({ kid })),
    expected: invalid('key_unknown'),
  },
  {
    id: 44,
    input: 'a header that names where its key lies',
    tokens: Object.fromEntries(
      ['jku', 'x5u'].flatMap((name) =>
        [
          'https://attacker.example/jwks.json',
          'http://127.0.0.1:1/jwks.json',
          'http://[::1]/jwks.json',
          'file:///etc/passwd',
          'data:application/json,{"keys":[]}',
          'http://169.254.169.254/latest/meta-data',
          '',
          null,
        ].map((value) => [`${name} ${String(value)}`, withHeader({ [name]: value })]),
      ),
    ),
    expected: invalid('header_invalid'),
  },
  ...(['RS256', 'ES256', 'EdDSA'] as const).map((algorithm): TokenAttack => {
    const key = algorithm === 'RS256' ? 'rsa' : algorithm === 'ES256' ? 'P-256' : 'ed25519'
    const jwk = strangersKeys[key].export({ format: 'jwk' })
    return {
      id: 44,
      input: `a header that brings its own key, to a verifier of ${algorithm}`,
      auth: verifierFor(algorithm),
      tokens: {
        "jwk, a stranger's": signWith(
          algorithm,
          { alg: algorithm, typ: 'JWT', jwk },
          claims(),
          strangersKeys,
        ),
        'jwk, our own': signWith(algorithm, { alg: algorithm, typ: 'JWT', jwk: publicJwk(key) }, claims()),
        'jwk, null': signWith(algorithm, { alg: algorithm, typ: 'JWT', jwk: null }, claims()),
      },
      expected: invalid('header_invalid'),
    }
  }),
  {
    id: 46,
    input: 'a header with a certificate or its fingerprint',
    tokens: {
      x5c: withHeader({ x5c: ['MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A'] }),
      'x5c, empty': withHeader({ x5c: [] }),
      x5t: withHeader({ x5t: 'AAAAAAAAAAAAAAAAAAAAAAAAAAA' }),
      'x5t#S256': withHeader({ 'x5t#S256': 'A'.repeat(43) }),
    },
    expected: invalid('header_invalid'),
  },
  {
    id: 47,
    input: 'crit, of whatever kind',
    tokens: {
      ...each(
        [
          ['x'],
          [],
          'exp',
          ['alg'],
          ['exp', 'exp'],
          ['missing'],
          [''],
          [1],
          null,
          {},
          true,
          ['crit'],
          ['b64'],
        ],
        (crit) => withHeader({ crit }),
      ),
      'with the parameter it names': withHeader({ crit: ['x'], x: 1 }),
      'spelled with an escape': forge('{"alg":"HS256","cri\\u0074":["x"]}', claims()),
    },
    expected: invalid('header_invalid'),
  },
  {
    id: 48,
    input: 'b64, with and without crit',
    tokens: {
      false: withHeader({ b64: false }),
      'false, critical': withHeader({ b64: false, crit: ['b64'] }),
      true: withHeader({ b64: true }),
      null: withHeader({ b64: null }),
    },
    expected: invalid('header_invalid'),
  },
  {
    id: 48,
    input: 'a payload that is detached or not encoded',
    tokens: {
      detached: forge({ ...hs256, b64: false, crit: ['b64'] }, claims()).replace(/\.[^.]+\./, '..'),
      'as it is': `${encode({ ...hs256, b64: false, crit: ['b64'] })}.${JSON.stringify(claims())}.AAAA`,
    },
    expected: malformed,
  },
  {
    id: 50,
    input: 'a header that asks for decryption, derivation or unpacking',
    tokens: {
      p2c: withHeader({ p2c: 2_147_483_647 }),
      p2s: withHeader({ p2s: 'AAAA' }),
      'p2c and its algorithm': withHeader({ p2c: 2_147_483_647, p2s: 'AAAA', enc: 'A128GCM' }),
      ...each(['enc', 'zip', 'epk', 'apu', 'apv', 'iv', 'tag'], (name) => withHeader({ [name]: 'A128GCM' })),
      'epk, a key': withHeader({ epk: publicJwk('P-256') }),
      'zip, null': withHeader({ zip: null }),
    },
    expected: invalid('header_invalid'),
  },
  {
    id: 51,
    input: 'typ of another kind of token',
    tokens: each(
      [
        'at+jwt',
        'dbsc+jwt',
        'secevent+jwt',
        'dpop+jwt',
        'logout+jwt',
        'access+jwt',
        'application/at+jwt',
        'JWE',
        'JOSE',
        ' JWT',
        '',
        null,
        1,
        true,
        ['JWT'],
        {},
      ],
      (typ) => withHeader({ typ }),
    ),
    expected: wrongType,
  },
  {
    id: 51,
    input: 'typ missing or of our own kind (control)',
    tokens: {
      missing: forge({ alg: 'HS256' }, claims()),
      JWT: withHeader({ typ: 'JWT' }),
      'in lower case': withHeader({ typ: 'jwt' }),
    },
    expected: 'passes',
  },
  {
    // Nothing says what it should be instead, so this is told as malformed like any other JSON that is no object.
    id: 54,
    input: 'a header that is no object',
    tokens: {
      ...each([[], ['HS256'], [hs256], 'HS256', null, true, 0], (header) =>
        forge(JSON.stringify(header), claims()),
      ),
      'no JSON': forge('alg=HS256', claims()),
      'JSON and more': forge('{"alg":"HS256"}{"alg":"HS256"}', claims()),
      'JSON with a comment': forge('{"alg":"HS256"/**/}', claims()),
      'JSON with a trailing comma': forge('{"alg":"HS256",}', claims()),
    },
    expected: malformed,
  },
  {
    id: 55,
    input: 'private header parameters, which are ignored (control)',
    tokens: {
      text: withHeader({ 'x-app': 'anything' }),
      object: withHeader({ app: { deep: [1, 2, 3] } }),
      cty: withHeader({ cty: 'json' }),
      'a known name in another case': withHeader({ CRIT: ['x'], JKU: 'https://attacker.example', Kid: 'a' }),
      'a known name inside': withHeader({ app: { crit: ['x'], kid: 'a', alg: 'none' } }),
    },
    expected: 'passes',
  },

  // Encoding and JSON
  {
    id: 56,
    input: 'standard Base64 in place of the URL-safe one',
    tokens: {
      ...inEachPart('a plus', inMiddle('+')),
      ...inEachPart('a slash', inMiddle('/')),
      'a token translated whole': withClaims({ filler: '?>?>?>~~~' })
        .replaceAll('-', '+')
        .replaceAll('_', '/'),
    },
    expected: malformed,
  },
  {
    id: 58,
    input: 'characters that Base64 decoders skip, inside of a part',
    tokens: Object.fromEntries(
      [
        ' ',
        '\t',
        '\r',
        '\n',
        '\r\n',
        '\u0000',
        '?',
        '#',
        '=',
        '==',
        '!',
        '*',
        ',',
        ':',
        '%',
        '\u00a0',
        '\u0085',
      ].flatMap((character) => Object.entries(inEachPart(JSON.stringify(character), intoMiddle(character)))),
    ),
    expected: malformed,
  },
  {
    id: 58,
    input: 'the same characters around a part',
    onlyByHand: true,
    tokens: Object.fromEntries(
      [' ', '\t', '\r', '\n', '\u0000', '?', '#', '=', '==', '\u00a0', '\u{feff}'].flatMap((character) => [
        ...Object.entries(inEachPart(`${JSON.stringify(character)} behind`, (text) => text + character)),
        ...Object.entries(inEachPart(`${JSON.stringify(character)} before`, (text) => character + text)),
      ]),
    ),
    expected: malformed,
  },
  {
    id: 59,
    input: 'stray bits behind the last byte of a part',
    tokens: {
      'in the signature': changePart(2, dirtyLastBit),
      'in the payload': unevenToken().replace(/(?<=\.)[^.]+(?=\.)/, dirtyLastBit),
      'in the header': (() => {
        const header = encode({ alg: 'HS256' })
        const dirty = dirtyLastBit(header)
        const input = `${dirty}.${encode(claims())}`
        return `${input}.${signatureOf('HS256', input).toString('base64url')}`
      })(),
      'in the payload, rightly signed': (() => {
        const [header = '', payload = ''] = unevenToken().split('.')
        const input = `${header}.${dirtyLastBit(payload)}`
        return `${input}.${signatureOf('HS256', input).toString('base64url')}`
      })(),
    },
    expected: { code: 'token_invalid' },
  },
  {
    id: 60,
    input: 'a part of a length that no Base64 text has',
    tokens: {
      header: changePart(0, (text) => text.padEnd(text.length + ((5 - (text.length % 4)) % 4), 'A')),
      signature: changePart(2, (text) => `${text}AA`),
      'a header of one character': goodToken().replace(/^[^.]+/, 'e'),
      'a signature of one character': goodToken().replace(/[^.]+$/, 'e'),
      'signed, a payload of 4n + 1': (() => {
        const payload = encode(claims())
        const input = `${encode(hs256)}.${payload}${'A'.repeat((5 - (payload.length % 4)) % 4)}`
        return `${input}.${signatureOf('HS256', input).toString('base64url')}`
      })(),
    },
    expected: malformed,
  },
  {
    id: 62,
    input: 'what is no token at all',
    tokens: {
      ...each(
        [
          'null',
          'undefined',
          'true',
          'false',
          '0',
          'NaN',
          '{}',
          '[]',
          '[object Object]',
          'Bearer x',
          '.',
          'deleted',
        ],
        (text) => text,
      ),
      'a JSON object': JSON.stringify(claims()),
      'a token after its scheme': `Bearer ${goodToken()}`,
      'a token in quotes': `"${goodToken()}"`,
      'a token in brackets': `[${goodToken()}]`,
      'two tokens': `${goodToken()},${goodToken()}`,
      'a token encoded once more': encode(goodToken()),
    },
    expected: malformed,
  },
  {
    id: 62,
    input: 'nothing',
    onlyByHand: true,
    tokens: { empty: '', blank: ' ' },
    expected: malformed,
  },
  {
    id: 63,
    input: 'letters that only look alike, or cannot be seen',
    tokens: Object.fromEntries(
      [
        'е',
        'ｅ',
        '\u200b',
        '\u200d',
        '\u200f',
        '\u202e',
        '\u{feff}',
        '\u2060',
        'é',
        'e\u0301',
        '𝐞',
        'ı',
        '\u00ad',
      ].flatMap((letter) =>
        Object.entries(inEachPart(`U+${letter.codePointAt(0)?.toString(16)}`, intoMiddle(letter))),
      ),
    ),
    expected: malformed,
  },
  {
    id: 64,
    input: 'percent-encoding, which nothing decodes',
    tokens: {
      'the first letter': goodToken().replace('e', '%65'),
      'a dot': goodToken().replace('.', '%2E'),
      everything: [...goodToken()].map((letter) => `%${letter.charCodeAt(0).toString(16)}`).join(''),
      twice: goodToken().replace('e', '%2565'),
      'a plus for a space': goodToken().replace('.', '+.'),
    },
    expected: malformed,
  },
  {
    id: 66,
    input: 'JSON in another encoding than plain UTF-8',
    tokens: {
      'a byte order mark before the payload': forge(hs256, Buffer.concat([bom, jsonObject])),
      'a byte order mark before the header': forge(
        Buffer.concat([bom, Buffer.from(JSON.stringify(hs256))]),
        claims(),
      ),
      'a byte order mark behind': forge(hs256, Buffer.concat([jsonObject, bom])),
      'UTF-16, little-endian': forge(hs256, utf16),
      'UTF-16 with its mark': forge(hs256, Buffer.concat([Buffer.of(0xff, 0xfe), utf16])),
      'UTF-16, big-endian': forge(hs256, Buffer.from(utf16).swap16()),
      'UTF-32': forge(hs256, utf32),
      'UTF-16 in the header': forge(Buffer.from(JSON.stringify(hs256), 'utf16le'), claims()),
      'Latin-1': withRawBytes(0xe9),
      'an overlong slash': withRawBytes(0xc0, 0xaf),
      'an encoded surrogate': withRawBytes(0xed, 0xa0, 0x80),
      'a character cut off': withRawBytes(0xe2, 0x82),
      'beyond Unicode': withRawBytes(0xf4, 0x90, 0x80, 0x80),
      'a raw control character': withRawBytes(0x01),
      'a raw NUL': withRawBytes(0x00),
      'a no-break space as white space': forge(hs256, Buffer.concat([Buffer.of(0xc2, 0xa0), jsonObject])),
    },
    expected: malformed,
  },
  {
    id: 67,
    input: 'a header parameter given twice',
    tokens: {
      'alg, the good one last': forge('{"alg":"none","alg":"HS256"}', claims()),
      'alg, the good one first': forge('{"alg":"HS256","alg":"none"}', claims()),
      'alg, twice the same': forge('{"alg":"HS256","alg":"HS256"}', claims()),
      'alg, by an escape': forge('{"alg":"HS256","\\u0061lg":"HS256"}', claims()),
      typ: forge('{"alg":"HS256","typ":"JWT","typ":"JWT"}', claims()),
      kid: forge('{"alg":"HS256","kid":"a","kid":"b"}', claims()),
      __proto__: forge('{"alg":"HS256","__proto__":1,"__proto__":2}', claims()),
      'a private one, inside': forge('{"alg":"HS256","app":{"a":1,"a":2}}', claims()),
    },
    expected: malformed,
  },
  {
    id: 68,
    input: 'a claim given twice',
    tokens: {
      ...Object.fromEntries(
        Object.entries(claims()).flatMap(([name, value]) => [
          [`${name}, the same`, withMembers(`"${name}":${JSON.stringify(value)}`)],
          [`${name}, another`, withMembers(`"${name}":"attacker"`)],
          [
            `${name}, by an escape`,
            withMembers(`"\\u00${name.charCodeAt(0).toString(16)}${name.slice(1)}":${JSON.stringify(value)}`),
          ],
        ]),
      ),
      'with a colon in its name': withMembers('"a:b":1,"a:b":2'),
      'with quotes in its name': withMembers('"a\\"":1,"a\\"":2'),
      'with a value full of colons': withMembers('"a":"::::","a":":"'),
      'inside of an object': withMembers('"a":{"b":1,"b":2}'),
      'inside of a list': withMembers('"a":[{"b":1,"b":2}]'),
      'the empty name': withMembers('"":1,"":2'),
      'a number as name': withMembers('"1":1,"1":2'),
      __proto__: withMembers('"__proto__":{"a":1},"__proto__":{"b":1}'),
      'an escaped pair': withMembers('"\\ud83d\\ude00":1,"😀":2'),
    },
    expected: malformed,
  },
  {
    id: 68,
    input: 'claims that only look doubled (control)',
    tokens: {
      'colons and braces in a text': withMembers('"a":"{\\"sub\\":1,\\"sub\\":2}:::[["'),
      'backslashes before the quote': withMembers('"a":"\\\\","b":"\\\\\\":"'),
      'one name on two levels': withMembers('"a":{"sub":1,"exp":{"sub":2}}'),
      'names that differ in case': withMembers('"Sub":"x","EXP":0'),
    },
    expected: 'passes',
  },
  {
    id: 70,
    input: 'numbers that overflow',
    tokens: Object.fromEntries(
      ['1e400', '-1e400', '9'.repeat(400), `-${'9'.repeat(400)}`, '1E+309'].flatMap((number) => [
        [
          `exp ${number.slice(0, 8)}`,
          forge(hs256, JSON.stringify(claims()).replace(/"exp":\d+/, `"exp":${number}`)),
        ],
        [
          `nbf ${number.slice(0, 8)}`,
          forge(hs256, JSON.stringify(claims()).replace(/"nbf":\d+/, `"nbf":${number}`)),
        ],
        [`a user claim ${number.slice(0, 8)}`, withMembers(`"a":[{"b":${number}}]`)],
        [`a header parameter ${number.slice(0, 8)}`, forge(`{"alg":"HS256","app":${number}}`, claims())],
      ]),
    ),
    expected: malformed,
  },
  {
    id: 71,
    input: 'nesting that fits into a token',
    tokens: {
      'lists, 33 deep': withMembers(`"a":${nested(32, '[', ']')}`),
      'lists, 100 deep': withMembers(`"a":${nested(100, '[', ']')}`),
      'lists, 2,000 deep': withMembers(`"a":${nested(2000, '[', ']')}`),
      'lists, never closed': forge(hs256, '['.repeat(5000)),
      'objects, 100 deep': withMembers(`"a":${'{"a":'.repeat(100)}1${'}'.repeat(100)}`),
      'objects, never closed': forge(hs256, '{"a":'.repeat(1000)),
      'in the header': forge(`{"alg":"HS256","app":${nested(100, '[', ']')}}`, claims()),
      'closed before it is opened': forge(hs256, `${']'.repeat(100)}${'['.repeat(100)}`),
    },
    expected: malformed,
  },
  {
    id: 71,
    input: 'nesting that does not fit',
    tokens: Object.fromEntries(
      [10_000, 1_000_000].map((depth) => [
        `${depth} lists`,
        `${encode(hs256)}.${encode(nested(depth, '[', ']'))}.${encode('A'.repeat(32))}`,
      ]),
    ),
    expected: tooLarge,
  },
  {
    id: 71,
    input: 'nesting of 32 levels and long flat lists (control)',
    tokens: {
      '32 levels': withMembers(`"a":${nested(31, '[', ']')}`),
      'a thousand levels one after the other': withMembers(`"a":[${'[],'.repeat(1000)}[]]`),
      'brackets in a text': withMembers(`"a":"${'[{'.repeat(500)}"`),
    },
    expected: 'passes',
  },
  {
    id: 72,
    input: 'a million claims, or as many that collide',
    tokens: {
      'a million claims': withMembers(
        Array.from({ length: 1_000_000 }, (_, index) => `"k${index}":1`).join(),
      ),
      'names of one hash': withMembers(
        Array.from({ length: 20_000 }, (_, index) => `"${String(index * 65_536)}":1`).join(),
      ),
    },
    expected: tooLarge,
  },
  {
    id: 74,
    input: 'members that pollute prototypes when they are copied (control)',
    tokens: {
      __proto__: withMembers('"__proto__":{"admin":true}'),
      'constructor.prototype': withMembers('"constructor":{"prototype":{"admin":true}}'),
      'inside of a claim': withMembers('"app":{"__proto__":{"admin":true}}'),
      '__proto__ in the header': forge('{"alg":"HS256","__proto__":{"admin":true}}', claims()),
      'constructor in the header': forge(
        '{"alg":"HS256","constructor":{"prototype":{"admin":true}}}',
        claims(),
      ),
      '__proto__ with claims of ours': withMembers('"__proto__":{"type":"refresh","fresh":false,"exp":0}'),
    },
    expected: 'passes',
  },
  {
    id: 74,
    input: 'a claim of ours that only the prototype holds',
    tokens: {
      'sub of an own __proto__': forge(
        hs256,
        `{"__proto__":{"sub":"x"},${JSON.stringify(claims({ sub: undefined })).slice(1)}`,
      ),
      'jti of an own __proto__': forge(
        hs256,
        `{"__proto__":{"jti":"x"},${JSON.stringify(claims({ jti: undefined })).slice(1)}`,
      ),
      'exp of an own __proto__': forge(
        hs256,
        `{"__proto__":{"exp":${startSeconds + 900}},${JSON.stringify(claims({ exp: undefined })).slice(1)}`,
      ),
    },
    expected: invalid('claims_invalid'),
  },
  {
    id: 75,
    input: 'claims named like methods that the language calls by itself (control)',
    tokens: Object.fromEntries(
      [
        'hasOwnProperty',
        'toString',
        'valueOf',
        'then',
        'toJSON',
        'catch',
        'finally',
        'inspect',
        'length',
        'respond',
      ].flatMap((name) => [
        [`${name}, a text`, withClaims({ [name]: 'text' })],
        [`${name}, an object`, withClaims({ [name]: { call: 1 } })],
        [`${name}, null`, withClaims({ [name]: null })],
      ]),
    ),
    expected: 'passes',
  },
  {
    id: 76,
    input: 'strange subjects that are texts all the same (control)',
    tokens: each(
      [
        'a\u0000b',
        'a\r\nSet-Cookie: x=y',
        '\ud800',
        'é',
        'e\u0301',
        ' ',
        '0',
        'null',
        '\u202e',
        '<script>',
        'x'.repeat(1000),
      ],
      (sub) => withClaims({ sub }),
    ),
    expected: 'passes',
  },
  {
    id: 76,
    input: 'a subject of 100,000 characters',
    tokens: { long: withClaims({ sub: 'x'.repeat(100_000) }) },
    expected: tooLarge,
  },

  // Claims
  {
    id: 78,
    input: 'no exp',
    tokens: {
      missing: withClaims({ exp: undefined }),
      'in another case': withClaims({ exp: undefined, EXP: 9e9 }),
    },
    expected: invalid('claims_invalid'),
  },
  {
    id: 79,
    input: 'exp that is no number',
    tokens: each(
      ['9999999999', '2099-01-01', '', true, false, null, [], [9e9], {}, 'NaN', 'Infinity', '9e9'],
      (exp) => withClaims({ exp }),
    ),
    expected: invalid('claims_invalid'),
  },
  {
    id: 80,
    input: 'exp that has passed, beside an nbf that lies behind it',
    tokens: each([0, -1, -1e308, 0.5, 1, startSeconds - 0.001, startSeconds - 1], (exp) =>
      withClaims({ exp, nbf: undefined, iat: undefined }),
    ),
    expected: expired,
  },
  {
    id: 80,
    input: 'exp that has passed, in a token that is good otherwise',
    tokens: each([0, -0, -1, -1e308, 0.5, startSeconds - 0.001], (exp) => withClaims({ exp })),
    expected: expired,
  },
  {
    id: 82,
    input: 'exp that is now, to the second',
    tokens: {
      now: withClaims({ exp: startSeconds }),
      'a second ago': withClaims({ exp: startSeconds - 1, nbf: 1 }),
    },
    expected: expired,
  },
  {
    id: 82,
    input: 'exp at the end of the leeway',
    auth: { decodeLeeway: 5 },
    tokens: {
      '5 s ago': withClaims({ exp: startSeconds - 5, nbf: 1 }),
      '6 s ago': withClaims({ exp: startSeconds - 6, nbf: 1 }),
    },
    expected: expired,
  },
  {
    id: 82,
    input: 'exp a second ago with a leeway of one second',
    auth: { decodeLeeway: 1 },
    tokens: { '1 s ago': withClaims({ exp: startSeconds - 1, nbf: 1 }) },
    expected: expired,
  },
  {
    id: 82,
    input: 'exp within the leeway, or just ahead (control)',
    auth: { decodeLeeway: 5 },
    tokens: {
      '4 s ago': withClaims({ exp: startSeconds - 4, nbf: 1 }),
      '4.999 s ago': withClaims({ exp: startSeconds - 4.999, nbf: 1 }),
      now: withClaims({ exp: startSeconds }),
      'a second ahead': withClaims({ exp: startSeconds + 1 }),
    },
    expected: 'passes',
  },
  {
    id: 84,
    input: 'nbf or iat in the future',
    tokens: {
      'nbf, 6 s ahead': withClaims({ nbf: startSeconds + 6 }),
      'nbf, 5.001 s ahead': withClaims({ nbf: startSeconds + 5.001 }),
      'nbf, a minute and a half': withClaims({ nbf: startSeconds + 60.5 }),
      'iat, 6 s ahead': withClaims({ iat: startSeconds + 6 }),
      'iat, a year ahead': withClaims({ iat: startSeconds + 31_536_000 }),
      'nbf, in milliseconds': withClaims({ nbf: startSeconds * 1000, exp: startSeconds * 1000 + 900 }),
    },
    expected: invalid('not_active'),
  },
  {
    id: 84,
    input: 'nbf or iat that is no number, and nbf after exp',
    tokens: {
      ...each(['0', '', true, null, [], {}], (nbf) => withClaims({ nbf })),
      'nbf after exp': withClaims({ nbf: startSeconds + 4, exp: startSeconds + 3 }),
      ...Object.fromEntries(
        ['iat', 'auth_time', 'gen'].flatMap((name) =>
          ['0', '', true, null, [], {}].map((value) => [
            `${name} ${label(value)}`,
            withClaims({ [name]: value }),
          ]),
        ),
      ),
    },
    expected: invalid('claims_invalid'),
  },
  {
    id: 84,
    input: 'nbf and iat within what clocks may differ, or missing (control)',
    tokens: {
      '5 s ahead': withClaims({ nbf: startSeconds + 5, iat: startSeconds + 5 }),
      '4.5 s ahead': withClaims({ nbf: startSeconds + 4.5 }),
      'long ago': withClaims({ nbf: 0, iat: 0 }),
      missing: withClaims({ nbf: undefined, iat: undefined }),
    },
    expected: 'passes',
  },
  {
    id: 84,
    input: 'no iat, or one too old, where an age is demanded',
    auth: { maxTokenAge: 60 },
    tokens: { missing: withClaims({ iat: undefined }) },
    expected: invalid('claims_invalid'),
  },
  {
    id: 84,
    input: 'an iat that is too old where an age is demanded',
    auth: { maxTokenAge: 60 },
    tokens: each([startSeconds - 60, startSeconds - 3600, 0, -1], (iat) => withClaims({ iat })),
    expected: { code: 'token_expired', reason: 'too_old' },
  },
  {
    id: 88,
    input: 'an issuer that is nearly ours',
    auth: { decodeIssuer: ['https://a.example', 'https://b.example'] },
    tokens: {
      missing: withClaims({ iss: undefined }),
      ...each(
        [
          '',
          'https://a.example.evil',
          'https://a.exampl',
          'https://a',
          'https://A.example',
          'https://a.example/',
          ' https://a.example',
          'https://a.example\u0000',
          'https://a.example,https://b.example',
          'http://a.example',
          'https://a_example',
          'ｈttps://a.example',
          '.*',
          'undefined',
        ],
        (iss) => withClaims({ iss }),
      ),
    },
    expected: invalid('issuer_invalid'),
  },
  {
    id: 88,
    input: 'an issuer that is no text',
    auth: { decodeIssuer: 'https://a.example' },
    tokens: each([null, 1, true, {}, ['https://a.example']], (iss) => withClaims({ iss })),
    expected: invalid('claims_invalid'),
  },
  {
    id: 88,
    input: 'an issuer of the list (control)',
    auth: { decodeIssuer: ['https://a.example', 'https://b.example'] },
    tokens: each(['https://a.example', 'https://b.example'], (iss) => withClaims({ iss })),
    expected: 'passes',
  },
  {
    id: 91,
    input: 'an audience that is not ours',
    auth: { decodeAudience: ['https://api.example'] },
    tokens: {
      missing: withClaims({ aud: undefined }),
      ...each(
        [
          '',
          'https://api.example/',
          'https://api',
          'HTTPS://API.EXAMPLE',
          [],
          [''],
          ['https://other.example'],
          ['https://api.example '],
          Array(100).fill('x'),
        ],
        (aud) => withClaims({ aud }),
      ),
    },
    expected: invalid('audience_invalid'),
  },
  {
    // The shape of a claim is judged before its value, whether or not an audience is configured.
    id: 91,
    input: 'an audience that is neither a text nor a list of texts',
    auth: { decodeAudience: ['https://api.example'] },
    tokens: each(
      [
        null,
        1,
        true,
        {},
        { 0: 'https://api.example' },
        [['https://api.example']],
        ['https://api.example', 1],
        ['https://api.example', null],
      ],
      (aud) => withClaims({ aud }),
    ),
    expected: invalid('claims_invalid'),
  },
  {
    id: 91,
    input: 'an audience of 100,000 names',
    auth: { decodeAudience: ['https://api.example'] },
    tokens: { long: withClaims({ aud: Array(100_000).fill('https://api.example') }) },
    expected: tooLarge,
  },
  {
    id: 92,
    input: 'an audience that names us, alone or among others (control)',
    auth: { decodeAudience: ['https://api.example', 'https://admin.example'] },
    tokens: each(
      ['https://api.example', ['https://api.example'], ['https://other.example', 'https://admin.example']],
      (aud) => withClaims({ aud }),
    ),
    expected: 'passes',
  },
  {
    id: 94,
    input: 'a subject that is no text, or an empty one',
    tokens: each([undefined, '', 0, 1, 1.5, null, true, false, [], ['test'], {}, { sub: 'test' }], (sub) =>
      withClaims({ sub }),
    ),
    expected: invalid('claims_invalid'),
  },
  {
    id: 95,
    input: 'a jti that is no text, or an empty one',
    tokens: each([undefined, '', 0, 1, null, true, [], ['a'], {}], (jti) => withClaims({ jti })),
    expected: invalid('claims_invalid'),
  },
  {
    id: 95,
    input: 'claims of ours that have another type than ours',
    tokens: Object.fromEntries(
      ['csrf', 'sid', 'fresh'].flatMap((name) =>
        [null, 0, 1, [], {}, name === 'fresh' ? 'true' : true].map((value) => [
          `${name} ${label(value)}`,
          withClaims({ [name]: value }),
        ]),
      ),
    ),
    expected: invalid('claims_invalid'),
  },
  {
    id: 96,
    input: 'an access token where a refresh token is due',
    guard: 'jwtRefreshTokenRequired',
    tokens: { access: goodToken(), 'access, not fresh': withClaims({ fresh: false }) },
    expected: wrongType,
  },
  {
    id: 96,
    input: 'a refresh token where an access token is due',
    tokens: {
      refresh: withClaims({ type: 'refresh', fresh: undefined }),
      'refresh, of a session': withClaims({ type: 'refresh', fresh: undefined, sid: 'a', gen: 1 }),
    },
    expected: wrongType,
  },
  {
    id: 96,
    input: 'a refresh token where one is due (control)',
    guard: 'jwtRefreshTokenRequired',
    tokens: { refresh: withClaims({ type: 'refresh', fresh: undefined }) },
    expected: 'passes',
  },
  {
    id: 98,
    input: 'another value that the same key has signed',
    tokens: {
      ...each(
        [
          undefined,
          'state',
          'invite',
          'csrf',
          'password_reset',
          'email',
          '',
          'Access',
          'access ',
          null,
          true,
          1,
          [],
          ['access'],
          {},
          { access: true },
        ],
        (type) => withClaims({ type }),
      ),
      'a proof of possession': forge({ ...hs256, typ: 'dbsc+jwt' }, claims({ type: undefined })),
      'a proof that copies our type': forge({ ...hs256, typ: 'dbsc+jwt' }, claims()),
    },
    expected: wrongType,
  },
  {
    id: 98,
    input: 'a signed value without subject or identity',
    tokens: {
      state: forge(hs256, { state: 'x', exp: startSeconds + 60 }),
      'csrf alone': forge(hs256, { csrf: markers.csrf, exp: startSeconds + 60, type: 'access' }),
      nothing: forge(hs256, {}),
    },
    expected: invalid('claims_invalid'),
  },
  {
    id: 98,
    input: 'signed text that is no claims set',
    tokens: each(['invite:4711', '"access"', '[]', 'null', 'true', '1', ''], (text) => forge(hs256, text)),
    expected: malformed,
  },
  {
    id: 99,
    input: 'an access token with claims of a refresh token',
    tokens: {
      'with gen': withClaims({ gen: 1 }),
      'with gen 0': withClaims({ gen: 0 }),
      'a list of both types': withClaims({ type: ['access', 'refresh'] }),
      'both types in one text': withClaims({ type: 'access refresh' }),
    },
    expected: wrongType,
  },
  {
    id: 99,
    input: 'a refresh token with claims of an access token',
    guard: 'jwtRefreshTokenRequired',
    tokens: {
      fresh: withClaims({ type: 'refresh', fresh: true }),
      'not fresh': withClaims({ type: 'refresh', fresh: false }),
      'a list of both types': withClaims({ type: ['refresh', 'access'] }),
    },
    expected: wrongType,
  },
  {
    id: 100,
    input: 'a token of the staging environment, of the same secret',
    auth: { decodeIssuer: 'https://app.example', encodeIssuer: 'https://app.example' },
    tokens: {
      staging: withClaims({ iss: 'https://staging.app.example' }),
      'without an issuer': goodToken(),
    },
    expected: invalid('issuer_invalid'),
  },
  {
    id: 104,
    input: 'a token that is not fresh on a route that wants it',
    guard: 'freshJwtRequired',
    tokens: { false: withClaims({ fresh: false }), missing: withClaims({ fresh: undefined }) },
    expected: { code: 'fresh_token_required' },
  },
  {
    id: 104,
    input: 'a fresh token (control)',
    guard: 'freshJwtRequired',
    tokens: { fresh: goodToken() },
    expected: 'passes',
  },
]

function change(bytes: Buffer, at: number, value: number): Buffer {
  bytes[at] = value
  return bytes
}

const rsaOf = (modulusLength: number, publicExponent = 65_537): string =>
  String(
    generateKeyPairSync('rsa', { modulusLength, publicExponent }).privateKey.export({
      type: 'pkcs8',
      format: 'pem',
    }),
  )

const rsaJwk = (changes: Record<string, unknown>): Record<string, unknown> => ({
  ...publicJwk('rsa'),
  ...changes,
})

/** Little-endian y of the points of order 1, 2, 4 and 8, with and without the sign, and in their other spellings. */
const smallOrderPoints = [
  '00'.repeat(32),
  `01${'00'.repeat(31)}`,
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  `ec${'ff'.repeat(30)}7f`,
  `ed${'ff'.repeat(30)}7f`,
  `ee${'ff'.repeat(30)}7f`,
].flatMap((hex) => [hex, hex.slice(0, 62) + (Number.parseInt(hex.slice(62), 16) | 0x80).toString(16)])

const verifyOnly = (algorithm: Algorithm, publicKey: unknown): unknown => ({ algorithm, publicKey })
const wrongKinds = (algorithm: Algorithm, fitting: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(
    allKeyNames
      .filter((key) => !fitting.includes(key))
      .flatMap((key) => [[`${algorithm} with a key of ${key}`, verifyOnly(algorithm, publicPem(key))]]),
  )

const x25519 = generateKeyPairSync('x25519')
const ed448 = generateKeyPairSync('ed448')
const rsaPss = generateKeyPairSync('rsa-pss', {
  modulusLength: 2048,
  hashAlgorithm: 'sha512',
  mgf1HashAlgorithm: 'sha512',
})

export const optionsAttacks: readonly OptionsAttack[] = [
  ...(['rsa', 'P-256', 'ed25519'] as const).map((key): OptionsAttack => ({
    id: key === 'rsa' ? 6 : 7,
    input: `a public key of ${key} as HMAC secret`,
    option: 'secretKey',
    options: Object.fromEntries(
      Object.entries(spellingsOfPublicKey(key)).flatMap(([spelling, key]) => [
        [spelling, { secretKey: key }],
        [`${spelling}, as a KeyObject`, { secretKey: createSecretKey(Buffer.from(key)) }],
      ]),
    ),
  })),
  {
    id: 6,
    input: 'a private key, or an asymmetric KeyObject, as HMAC secret',
    option: 'secretKey',
    options: {
      'private PEM': { secretKey: privatePem('rsa') },
      'private JWK': { secretKey: privateJwk('P-256') },
      'public JWK': { secretKey: publicJwk('rsa') },
      'public KeyObject': { secretKey: publicKeys.rsa },
      'private KeyObject': { secretKey: privateKeys.ed25519 },
      'PKCS #1': { secretKey: publicKeys.rsa.export({ type: 'pkcs1', format: 'der' }) },
      'an oct JWK around a PEM': { secretKey: { kty: 'oct', k: encode(publicPem('rsa')) } },
    },
  },
  {
    id: 8,
    input: 'a public key beside HMAC in the list',
    option: 'publicKey',
    options: Object.fromEntries(
      (['HS256', 'HS384', 'HS512'] as const).map((name) => [
        name,
        { algorithm: 'RS256', decodeAlgorithms: ['RS256', name], publicKey: publicPem('rsa') },
      ]),
    ),
  },
  {
    id: 8,
    input: 'a secret beside a key pair',
    option: 'secretKey',
    options: {
      public: { secretKey, algorithm: 'RS256', publicKey: publicPem('rsa') },
      private: { secretKey, privateKey: privatePem('rsa') },
    },
  },
  {
    id: 10,
    input: 'a JWK made for another algorithm',
    option: 'publicKey',
    options: {
      'RS512 for RS256': verifyOnly('RS256', { ...publicJwk('rsa'), alg: 'RS512' }),
      'PS256 for RS256': verifyOnly('RS256', { ...publicJwk('rsa'), alg: 'PS256' }),
      'RSA-OAEP for RS256': verifyOnly('RS256', { ...publicJwk('rsa'), alg: 'RSA-OAEP' }),
      'ES384 for ES256': verifyOnly('ES256', { ...publicJwk('P-256'), alg: 'ES384' }),
      'none for RS256': verifyOnly('RS256', { ...publicJwk('rsa'), alg: 'none' }),
      'empty for RS256': verifyOnly('RS256', { ...publicJwk('rsa'), alg: '' }),
      'null for RS256': verifyOnly('RS256', { ...publicJwk('rsa'), alg: null }),
      'RS256, where PS256 is taken too': {
        algorithm: 'RS256',
        decodeAlgorithms: ['RS256', 'PS256'],
        publicKey: { ...publicJwk('rsa'), alg: 'RS256' },
      },
    },
  },
  {
    id: 10,
    input: 'an RSA-PSS key that is bound to another hash than the algorithm',
    option: 'privateKey',
    options: {
      'SHA-512 for PS256': { algorithm: 'PS256', privateKey: rsaPss.privateKey },
      'SHA-512 for PS384': { algorithm: 'PS384', privateKey: rsaPss.privateKey },
      'SHA-512 for RS256': { algorithm: 'RS256', privateKey: rsaPss.privateKey },
    },
  },
  {
    id: 11,
    input: 'a JWK without alg, and no algorithm given: the header of a token cannot choose',
    option: 'publicKey',
    options: Object.fromEntries(allKeyNames.map((key) => [key, { publicKey: publicJwk(key) }])),
  },
  {
    id: 12,
    input: 'no algorithm that could verify',
    option: 'decodeAlgorithms',
    options: {
      'empty list': { secretKey, decodeAlgorithms: [] },
      null: { secretKey, decodeAlgorithms: null },
      'a text': { secretKey, decodeAlgorithms: 'HS256' },
      star: { secretKey, decodeAlgorithms: ['*'] },
      none: { secretKey, decodeAlgorithms: ['none'] },
      'none beside': { secretKey, decodeAlgorithms: ['HS256', 'none'] },
      'a hole': { secretKey, decodeAlgorithms: ['HS256', undefined] },
      twice: { secretKey, decodeAlgorithms: ['HS256', 'HS256'] },
      'in lower case': { secretKey, decodeAlgorithms: ['hs256'] },
    },
  },
  {
    id: 18,
    input: 'a secret that is empty or none',
    option: 'secretKey',
    options: {
      ...Object.fromEntries(
        [
          '',
          Buffer.alloc(0),
          null,
          undefined,
          {},
          [],
          0,
          false,
          true,
          Number.NaN,
          [secretKey],
          () => secretKey,
        ].map((secret, index) => [`${index}: ${label(secret)}`, { secretKey: secret }]),
      ),
      'left out': {},
      'an empty oct JWK': { secretKey: { kty: 'oct', k: '' } },
      'an oct JWK without its key': { secretKey: { kty: 'oct' } },
      'a text object': { secretKey: new String(secretKey) },
      'a promise': { secretKey: Promise.resolve(secretKey) },
    },
  },
  {
    id: 18,
    input: 'a secret that is empty or none, where weak ones are allowed',
    option: 'secretKey',
    options: Object.fromEntries(
      [
        ['empty', ''],
        ['no bytes', Buffer.alloc(0)],
        ['null', null],
        ['object', {}],
        ['an empty oct JWK', { kty: 'oct', k: '' }],
        ['an oct JWK without its key', { kty: 'oct' }],
        ['an oct JWK of null', { kty: 'oct', k: null }],
        ['an oct JWK of an object', { kty: 'oct', k: {} }],
      ].map(([name, secret]) => [name, { secretKey: secret, unsafeAllowWeakSecret: true }]),
    ),
  },
  {
    id: 19,
    input: 'a secret that is short, published or left to be filled in',
    option: 'secretKey',
    options: Object.fromEntries(
      [
        'secret',
        'your-256-bit-secret',
        'a-string-secret-at-least-256-bits-long',
        'x'.repeat(64),
        secretKey.slice(0, 31),
      ].flatMap((secret) => [
        [`"${secret.slice(0, 16)}…" as text`, { secretKey: secret }],
        [`"${secret.slice(0, 16)}…" as bytes`, { secretKey: new TextEncoder().encode(secret) }],
        [`"${secret.slice(0, 16)}…" as a JWK`, { secretKey: { kty: 'oct', k: encode(secret) } }],
        [`"${secret.slice(0, 16)}…" as a KeyObject`, { secretKey: createSecretKey(Buffer.from(secret)) }],
      ]),
    ),
  },
  {
    id: 23,
    input: 'a key of another kind or curve than the algorithm needs',
    option: 'publicKey',
    options: {
      ...wrongKinds('RS256', ['rsa']),
      ...wrongKinds('PS512', ['rsa']),
      ...wrongKinds('ES256', ['P-256']),
      ...wrongKinds('ES384', ['P-384']),
      ...wrongKinds('ES512', ['P-521']),
      ...wrongKinds('ES256K', ['secp256k1']),
      ...wrongKinds('EdDSA', ['ed25519']),
      ...wrongKinds('HS256', []),
      'X25519 for EdDSA': verifyOnly('EdDSA', x25519.publicKey),
      'Ed448 for EdDSA': verifyOnly('EdDSA', ed448.publicKey),
    },
  },
  {
    id: 23,
    input: 'a point that is not on its curve, or of small order',
    option: 'publicKey',
    options: {
      'x and y swapped': verifyOnly('ES256', {
        ...publicJwk('P-256'),
        x: publicJwk('P-256')['y'],
        y: publicJwk('P-256')['x'],
      }),
      'y of another point': verifyOnly('ES256', {
        ...publicJwk('P-256'),
        y: strangersKeys['P-256'].export({ format: 'jwk' }).y,
      }),
      zero: verifyOnly('ES256', { kty: 'EC', crv: 'P-256', x: 'A'.repeat(43), y: 'A'.repeat(43) }),
      'another curve named': verifyOnly('ES256', { ...publicJwk('secp256k1'), crv: 'P-256' }),
      'no curve': verifyOnly('ES256', { ...publicJwk('P-256'), crv: undefined }),
      'a short Ed25519 key': verifyOnly('EdDSA', { kty: 'OKP', crv: 'Ed25519', x: 'AAAA' }),
      ...Object.fromEntries(
        smallOrderPoints.map((hex) => [
          `Ed25519 ${hex.slice(0, 8)}…${hex.slice(-2)}`,
          verifyOnly('EdDSA', {
            kty: 'OKP',
            crv: 'Ed25519',
            x: Buffer.from(hex, 'hex').toString('base64url'),
          }),
        ]),
      ),
    },
  },
  {
    id: 23,
    input: 'a public key that does not belong to the private one',
    option: 'publicKey',
    options: Object.fromEntries(
      asymmetricAlgorithms.map((algorithm) => {
        const { privateKey } = optionsFor(algorithm)
        const name = allKeyNames.find((key) => privateKeys[key] === privateKey) ?? 'rsa'
        const stranger = strangersKeys[name].export({ format: 'jwk' }) as Record<string, string>
        const publicPart = Object.fromEntries(
          ['kty', 'crv', 'x', 'y', 'n', 'e']
            .filter((part) => part in stranger)
            .map((part) => [part, stranger[part]]),
        )
        return [algorithm, { algorithm, privateKey, publicKey: publicPart }]
      }),
    ),
  },
  {
    id: 23,
    input: 'a private key where a public one belongs',
    option: 'publicKey',
    options: {
      PEM: verifyOnly('RS256', privatePem('rsa')),
      JWK: verifyOnly('ES256', privateJwk('P-256')),
      KeyObject: verifyOnly('EdDSA', privateKeys.ed25519),
      DER: verifyOnly('RS256', privateKeys.rsa.export({ type: 'pkcs8', format: 'der' })),
      'PKCS #1': verifyOnly('RS256', privateKeys.rsa.export({ type: 'pkcs1', format: 'pem' })),
      'SEC 1': verifyOnly('ES256', privateKeys['P-256'].export({ type: 'sec1', format: 'pem' })),
    },
  },
  {
    id: 23,
    input: 'a public key that is none',
    option: 'publicKey',
    options: Object.fromEntries(
      [
        '',
        'not a key',
        null,
        {},
        [],
        0,
        '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----',
        Buffer.alloc(0),
        { kty: 'RSA' },
        { kty: 'oct', k: encode(secretKey) },
      ].map((key, index) => [`${index}: ${label(key)}`, verifyOnly('RS256', key)]),
    ),
  },
  {
    id: 26,
    input: 'an RSA key that is too short',
    option: 'privateKey',
    options: {
      1024: { algorithm: 'RS256', privateKey: rsaOf(1024) },
      2040: { algorithm: 'PS256', privateKey: rsaOf(2040) },
    },
  },
  {
    id: 26,
    input: 'an RSA key with a weak exponent or the ROCA fingerprint',
    option: 'publicKey',
    options: {
      'e = 1': verifyOnly('RS256', rsaJwk({ e: 'AQ' })),
      'e = 3': verifyOnly('RS256', rsaJwk({ e: 'Aw' })),
      'e = 17': verifyOnly('PS256', rsaJwk({ e: 'EQ' })),
      'e = 0': verifyOnly('RS256', rsaJwk({ e: 'AA' })),
      'e empty': verifyOnly('RS256', rsaJwk({ e: '' })),
      'e even': verifyOnly('RS256', rsaJwk({ e: 'AQAC' })),
      'n = 1': verifyOnly('RS256', rsaJwk({ n: 'AQ' })),
      ROCA: verifyOnly('RS256', rsaJwk({ n: rocaModulus(2048) })),
      'ROCA for PSS': verifyOnly('PS384', rsaJwk({ n: rocaModulus(3072) })),
    },
  },
  {
    id: 27,
    input: 'a public JWK that is for something else',
    option: 'publicKey',
    options: {
      'use enc': verifyOnly('RS256', rsaJwk({ use: 'enc' })),
      'use empty': verifyOnly('RS256', rsaJwk({ use: '' })),
      'use null': verifyOnly('RS256', rsaJwk({ use: null })),
      'use SIG': verifyOnly('RS256', rsaJwk({ use: 'SIG' })),
      'key_ops encrypt': verifyOnly('RS256', rsaJwk({ key_ops: ['encrypt'] })),
      'key_ops sign': verifyOnly('RS256', rsaJwk({ key_ops: ['sign'] })),
      'key_ops empty': verifyOnly('RS256', rsaJwk({ key_ops: [] })),
      'key_ops a text': verifyOnly('RS256', rsaJwk({ key_ops: 'verify' })),
      'key_ops null': verifyOnly('RS256', rsaJwk({ key_ops: null })),
      'use sig, key_ops encrypt': verifyOnly('ES256', {
        ...publicJwk('P-256'),
        use: 'sig',
        key_ops: ['encrypt'],
      }),
    },
  },
  {
    id: 27,
    input: 'a private JWK that is for something else',
    option: 'privateKey',
    options: {
      'use enc': { algorithm: 'ES256', privateKey: { ...privateJwk('P-256'), use: 'enc' } },
      'key_ops verify': { algorithm: 'ES256', privateKey: { ...privateJwk('P-256'), key_ops: ['verify'] } },
      'key_ops deriveKey': {
        algorithm: 'ES256',
        privateKey: { ...privateJwk('P-256'), key_ops: ['deriveKey'] },
      },
    },
  },
  {
    id: 27,
    input: 'an oct JWK that is for something else',
    option: 'secretKey',
    options: {
      'use enc': { secretKey: { kty: 'oct', k: encode(secretKey), use: 'enc' } },
      'key_ops encrypt': { secretKey: { kty: 'oct', k: encode(secretKey), key_ops: ['encrypt'] } },
      'alg A256GCM': { secretKey: { kty: 'oct', k: encode(secretKey), alg: 'A256GCM' } },
      'alg HS512': { secretKey: { kty: 'oct', k: encode(secretKey), alg: 'HS512' } },
    },
  },
  {
    id: 31,
    input: 'an algorithm that signs nothing, or does not exist',
    option: 'algorithm',
    options: Object.fromEntries(
      ['none', 'None', '', 'HS1', 'hs256', 'RS1', 'ES256k', 'Ed448', null, 0, ['HS256'], {}, ...lookups].map(
        (algorithm, index) => [`${index}: ${label(algorithm)}`, { secretKey, algorithm }],
      ),
    ),
  },
  {
    id: 32,
    input: 'a public key to sign with',
    option: 'privateKey',
    options: Object.fromEntries(
      asymmetricAlgorithms.flatMap((algorithm) => {
        const { publicKey } = verifierFor(algorithm)
        const name = allKeyNames.find((key) => publicPem(key) === publicKey) ?? 'rsa'
        return [
          [`${algorithm}, PEM`, { algorithm, privateKey: publicPem(name) }],
          [`${algorithm}, JWK`, { algorithm, privateKey: publicJwk(name) }],
          [`${algorithm}, DER`, { algorithm, privateKey: publicDer(name) }],
          [`${algorithm}, KeyObject`, { algorithm, privateKey: publicKeys[name] }],
        ]
      }),
    ),
  },
  {
    id: 32,
    input: 'a secret to sign with where a private key is due',
    option: 'privateKey',
    options: {
      text: { algorithm: 'RS256', privateKey: secretKey },
      KeyObject: { algorithm: 'RS256', privateKey: createSecretKey(Buffer.from(secretKey)) },
      JWK: { algorithm: 'RS256', privateKey: { kty: 'oct', k: encode(secretKey) } },
      null: { algorithm: 'RS256', privateKey: null },
      empty: { algorithm: 'RS256', privateKey: '' },
    },
  },
  {
    id: 83,
    input: 'a leeway that is none',
    option: 'decodeLeeway',
    options: Object.fromEntries(
      [-1, Number.NaN, Infinity, -Infinity, '5', '5s', 301, 0.5, true, null, [5], {}, 1e308].map(
        (decodeLeeway) => [label(decodeLeeway), { secretKey, decodeLeeway }],
      ),
    ),
  },
  {
    id: 83,
    input: 'an age or a lifetime that is none',
    option: 'TokenExpires',
    options: Object.fromEntries(
      ['accessTokenExpires', 'refreshTokenExpires'].flatMap((name) =>
        [0, -1, Number.NaN, Infinity, '15', '15 m', '', '1y', null, true, {}, 0.5].map((value) => [
          `${name} ${label(value)}`,
          { secretKey, [name]: value },
        ]),
      ),
    ),
  },
  {
    id: 83,
    input: 'a greatest age that is none',
    option: 'maxTokenAge',
    options: Object.fromEntries(
      [0, -1, Number.NaN, Infinity, '5', null, false, true].map((maxTokenAge) => [
        label(maxTokenAge),
        { secretKey, maxTokenAge },
      ]),
    ),
  },
  {
    id: 90,
    input: 'an issuer to be matched by a pattern, or by nothing',
    option: 'decodeIssuer',
    options: {
      RegExp: { secretKey, decodeIssuer: /^https:\/\/a\.example$/ },
      'RegExp with g': { secretKey, decodeIssuer: /a/g },
      'RegExp with y': { secretKey, decodeIssuer: /a/y },
      'RegExp that backtracks': { secretKey, decodeIssuer: /^(a+)+$/ },
      'RegExp in a list': { secretKey, decodeIssuer: ['https://a.example', /b/] },
      function: { secretKey, decodeIssuer: () => true },
      empty: { secretKey, decodeIssuer: '' },
      'empty list': { secretKey, decodeIssuer: [] },
      'empty text in a list': { secretKey, decodeIssuer: [''] },
      null: { secretKey, decodeIssuer: null },
    },
  },
  {
    id: 90,
    input: 'an audience to be matched by a pattern, or by nothing',
    option: 'decodeAudience',
    options: {
      RegExp: { secretKey, decodeAudience: /api/ },
      'RegExp in a list': { secretKey, decodeAudience: [/api/g] },
      function: { secretKey, decodeAudience: () => true },
      empty: { secretKey, decodeAudience: '' },
      'empty list': { secretKey, decodeAudience: [] },
      null: { secretKey, decodeAudience: null },
    },
  },
]

/** The claims that are ours; an application cannot write them. */
const registeredClaims = 'sub iat nbf jti exp iss aud type fresh csrf auth_time sid gen'.split(' ')

/** The header parameters that choose keys or algorithms, or ask for processing. */
const reservedParameters =
  'alg typ kid jku jwk x5u x5c x5t x5t#S256 crit b64 enc zip epk apu apv p2s p2c iv tag'.split(' ')

const cycle: Record<string, unknown> = {}
cycle['self'] = cycle

const listCycle: unknown[] = []
listCycle.push(listCycle)

class Custom {
  value = 1
}

const hostileValues: Readonly<Record<string, unknown>> = {
  getter: Object.defineProperty({}, 'a', { get: () => markers.note, enumerable: true }),
  'throwing getter': Object.defineProperty({}, 'a', {
    get() {
      throw new Error('the getter ran')
    },
    enumerable: true,
  }),
  toJSON: { toJSON: () => ({ sub: 'attacker' }) },
  cycle,
  'cycle of lists': listCycle,
  BigInt: 1n,
  Date: new Date(0),
  undefined: undefined,
  function: () => 1,
  symbol: Symbol('a'),
  NaN: Number.NaN,
  Infinity,
  Map: new Map(),
  Set: new Set(),
  RegExp: /a/,
  'class instance': new Custom(),
  'boxed text': new String('a'),
  bytes: new Uint8Array(3),
  'inherited members': Object.create({ admin: true }) as unknown,
  'symbol member': { [Symbol.toPrimitive]: () => 1 },
  promise: Promise.resolve(1),
  error: new Error('a'),
  'list with a hole': Object.assign([], { 2: 3 }),
  'list of undefined': [undefined],
  'too deep': JSON.parse(nested(40, '[', ']')) as unknown,
}

export const signingAttacks: readonly SigningAttack[] = [
  {
    id: 31,
    input: 'an algorithm that is not in the list of the Auth',
    names: 'algorithm',
    arguments: Object.fromEntries(
      ['none', 'None', '', 'HS384', 'HS512', 'RS256', 'HS1', null, {}, ['HS256'], ...lookups].map(
        (algorithm, index) => [
          `${index}: ${label(algorithm)}`,
          // `null` is given, so it is judged; only `undefined` is not given.
          { options: { algorithm } },
        ],
      ),
    ),
  },
  {
    id: 50,
    input: 'header parameters that are ours, or that a verifier would have to obey',
    names: 'headers',
    arguments: Object.fromEntries(
      reservedParameters.map((name) => [name, { options: { headers: { [name]: 'x' } } }]),
    ),
  },
  {
    id: 50,
    input: 'headers that are no plain object',
    names: 'headers',
    arguments: Object.fromEntries(
      ['x', 1, [], null, new Map(), new Custom(), () => 1].map((headers, index) => [
        `${index}: ${label(headers)}`,
        { options: { headers } },
      ]),
    ),
  },
  {
    id: 76,
    input: 'a token that no guard would read',
    names: 'bytes',
    arguments: {
      'a long subject': { subject: 'x'.repeat(100_000) },
      'a long claim': { options: { userClaims: { a: 'x'.repeat(8192) } } },
      'a long header': { options: { headers: { a: 'x'.repeat(8192) } } },
    },
  },
  {
    id: 94,
    input: 'a subject that is no text, or an empty one',
    names: 'subject',
    arguments: Object.fromEntries(
      ['', 0, 1, null, true, [], ['a'], {}, new String('a')].map((subject, index) => [
        `${index}: ${label(subject)}`,
        { subject },
      ]),
    ),
  },
  {
    id: 102,
    input: 'user claims that name one of ours',
    names: 'userClaims',
    arguments: Object.fromEntries(
      registeredClaims.flatMap((name) => [
        [name, { options: { userClaims: { [name]: 'x' } } }],
        [`${name}, null`, { options: { userClaims: { [name]: null } } }],
      ]),
    ),
  },
  {
    id: 102,
    input: 'claims of ours as options',
    names: 'has no option',
    arguments: Object.fromEntries(
      [
        ...registeredClaims.filter((name) => name !== 'fresh'),
        'claims',
        'payload',
        'subject',
        '__proto__ ',
      ].map((name) => [name, { options: { [name]: 'x' } }]),
    ),
  },
  {
    id: 103,
    input: 'user claims that JSON would change, drop or run',
    names: 'userClaims',
    arguments: Object.fromEntries(
      Object.entries(hostileValues).flatMap(([name, value]) => [
        [name, { options: { userClaims: { a: value } } }],
        [`${name}, inside`, { options: { userClaims: { a: [{ b: value }] } } }],
      ]),
    ),
  },
  {
    id: 103,
    input: 'user claims that are no plain object',
    names: 'userClaims',
    arguments: Object.fromEntries(
      [null, 'x', 1, true, [], new Map(), new Date(0), new Custom(), () => 1, cycle].map(
        (userClaims, index) => [`${index}`, { options: { userClaims } }],
      ),
    ),
  },
  {
    id: 103,
    input: 'lifetimes and audiences that are none',
    names: '',
    arguments: Object.fromEntries([
      ...[0, -1, Number.NaN, Infinity, '15', '', null, true, {}, false].map((expiresTime) => [
        `expiresTime ${label(expiresTime)}`,
        { options: { expiresTime } },
      ]),
      ...['', [], [''], [1], null, {}, 1].map((audience) => [
        `audience ${label(audience)}`,
        { options: { audience } },
      ]),
    ]),
  },
]

/** Rows that are a course of events; the test holds one function for each name. */
export const scenarios = {
  'a flipped bit anywhere makes a token bad': 16,
  'a malleated token is the same token to a denylist': 22,
  'a verifier cannot sign': 32,
  'ten thousand polluting tokens change no prototype': 74,
  'a then claim does not make the claims a thenable': 75,
  'subjects are compared byte by byte and never normalised': 76,
  'leeway is exact': 82,
  'no jti is made twice': 95,
  'a sign-in that is too old needs another': 104,
  'a token cached before the second factor is not fresh after it': 106,
  'a user who was disabled is refused at once': 107,
  'a wrong CSRF value is refused alike wherever it differs': 214,
  'a CSRF value of another length is refused, not thrown at': 215,
  'every wrong signature is answered alike': 216,
  'a forged token does not tell who exists': 218,
  'a refusal says nothing that it was told': 220,
  'a cached token is held against the clock, the denylist and the user on every hit': 222,
  'claims that were given out cannot be changed': 223,
  'invalid tokens do not enter the cache': 224,
  'two Auths share nothing': 226,
  'a bad token costs no signature check before the cheap ones': 227,
  'texts of 64 kB are read in one go': 228,
  'no timer outlives its request': 230,
} as const

/** Rows of the same groups that wait for a part that does not exist yet. */
export const laterRows: readonly { readonly id: number; readonly later: string }[] = [
  { id: 34, later: 'needs a key ring: a lone key has no overlap' },
  { id: 35, later: 'needs a key ring and setKeys' },
  { id: 36, later: 'needs a key ring' },
  { id: 38, later: 'needs a key ring: a lone key is chosen without kid' },
  { id: 43, later: 'needs a remote JWKS' },
  { id: 219, later: 'device-bound sessions are not part of the library' },
]

/** Every row of the groups that this table answers for. */
export const catalogue: Readonly<Record<string, readonly number[]>> = {
  'Signature and algorithm': [
    2, 3, 4, 6, 7, 8, 10, 11, 12, 14, 15, 16, 18, 19, 20, 22, 23, 24, 26, 27, 28, 30, 31, 32, 34, 35, 36,
  ],
  'Header parameters': [38, 39, 40, 42, 43, 44, 46, 47, 48, 50, 51, 54, 55],
  'Encoding and JSON': [56, 58, 59, 60, 62, 63, 64, 66, 67, 68, 70, 71, 72, 74, 75, 76],
  Claims: [78, 79, 80, 82, 83, 84, 88, 90, 91, 92, 94, 95, 96, 98, 99, 100, 102, 103, 104, 106, 107],
  'Timing and oracles': [214, 215, 216, 218, 219, 220],
  'Resource exhaustion and caches': [222, 223, 224, 226, 227, 228, 230],
}
