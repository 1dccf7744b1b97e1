// Tokens whose claims nobody else can read: wrapped as JWE, and everything else as ever.

import { createSecretKey, randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { compactDecrypt, CompactEncrypt, decodeProtectedHeader, EncryptJWT } from 'jose'
import { describe, expect, test } from 'vitest'
import { AuthError, createAuth } from '../src/index.ts'
import type { Auth, AuthOptions, EncryptionOptions } from '../src/index.ts'
import { webAuth } from '../src/adapters/web.ts'
import { memoryStore } from '../src/stores/memory.ts'
import { createRing, keyOf, newSecret, pairs, publicPem, refusalOf } from './_keys.ts'
import {
  codeOf,
  cookieHeader,
  cookiesOf,
  createClock,
  encode,
  forge,
  goodClaims,
  secretKey,
  startSeconds,
} from './_setup.ts'

const clock = (): number => startSeconds
const bytes = randomBytes(32)
const key = bytes.toString('base64url')

const create = (encryption: Partial<EncryptionOptions> = {}, options: AuthOptions = {}): Auth =>
  createAuth({ secretKey, clock, encryption: { key, ...encryption }, ...options })

const auth = create()
const plain = createAuth({ secretKey, clock })

const outcomeOf = async (token: string, by: Auth = auth): Promise<unknown> => {
  try {
    return (await by.verify(token)).sub
  } catch (error) {
    if (!AuthError.is(error)) throw error
    return error.code === 'token_invalid' ? error.cause : error.code
  }
}

/** Encrypts anything with any header, as who has the key could. */
const seal = (
  text: string,
  header: Record<string, unknown> = decodeProtectedHeader(sample),
  by: Uint8Array = bytes,
): Promise<string> =>
  new CompactEncrypt(new TextEncoder().encode(text)).setProtectedHeader(header as never).encrypt(by)

const sample = await auth.createAccessToken('ada', { userClaims: { role: 'editor' } })

describe('an encrypted token', () => {
  test('has five parts, a header that says how, and nothing that can be read', async () => {
    const parts = sample.split('.')
    expect(parts).toHaveLength(5)
    expect(parts[1]).toBe('')
    expect(decodeProtectedHeader(sample)).toEqual({
      alg: 'dir',
      enc: 'A256GCM',
      cty: 'JWT',
      kid: expect.stringMatching(/^[\w-]{43}$/),
    })
    const readable = parts.map((part) => Buffer.from(part, 'base64url').toString('latin1')).join()
    for (const word of ['ada', 'editor', 'role', 'csrf', 'HS256']) expect(readable).not.toContain(word)
  })

  test('holds the same token as ever', async () => {
    const { plaintext } = await compactDecrypt(sample, bytes)
    const inner = new TextDecoder().decode(plaintext)
    expect(await outcomeOf(inner, plain)).toBe('ada')
    expect((await auth.verify(sample))['role']).toBe('editor')
  })

  test('of the same claims is never the same', async () => {
    const tokens = await Promise.all(Array.from({ length: 100 }, () => seal('a')))
    expect(new Set(tokens.map((token) => token.split('.')[2])).size).toBe(100)
  })

  test('made by another library is taken', async () => {
    const inner = forge({ alg: 'HS256', typ: 'JWT' }, goodClaims())
    expect(await outcomeOf(await seal(inner))).toBe('test')
    const { kid } = decodeProtectedHeader(sample)
    for (const extra of [{}, { typ: 'JWT' }, { cty: 'JWT' }])
      expect(await outcomeOf(await seal(inner, { alg: 'dir', enc: 'A256GCM', kid, ...extra }))).toBe('test')
  })

  test('goes through sign-in, guards with CSRF, refresh and sign-out, with a store too', async () => {
    for (const options of [{}, { store: memoryStore() }] as AuthOptions[]) {
      const sealed = create({}, { clock: () => Date.now() / 1000, ...options })
      await sealed.ready()
      const web = webAuth(sealed)
      const handler = (step: (bound: ReturnType<typeof web.authorize>) => Promise<unknown>) =>
        web.authErrors(async (request: Request) => {
          const result = await step(web.authorize(request))
          return Response.json(result ?? null)
        })
      let jar: Record<string, string> = {}
      const send = async (
        step: (request: Request) => Promise<Response>,
        type = 'access',
      ): Promise<Response> => {
        const headers = { cookie: cookieHeader(jar), 'x-csrf-token': jar[`csrf_${type}_token`] ?? '' }
        const answer = await step(new Request('https://app.example/', { method: 'POST', headers }))
        jar = { ...jar, ...cookiesOf(answer) }
        return answer
      }
      expect((await send(handler((bound) => bound.login('ada')))).status).toBe(200)
      expect(jar['access_token_cookie']?.split('.')).toHaveLength(5)
      expect(jar['refresh_token_cookie']?.split('.')).toHaveLength(5)
      const whoami = handler(async (bound) => [(await bound.jwtRequired()).sub, bound.getJwtHeaders()])
      for (let time = 0; time < 2; time++)
        expect(await (await send(whoami)).json()).toEqual(['ada', { alg: 'HS256', typ: 'JWT' }])
      const forgotten = { ...jar }
      delete forgotten['csrf_access_token']
      const kept = jar
      jar = forgotten
      expect((await send(whoami)).status).toBe(401)
      jar = kept
      expect(
        (
          await send(
            handler((bound) => bound.refresh()),
            'refresh',
          )
        ).status,
      ).toBe(200)
      expect(await (await send(whoami)).json()).toMatchObject(['ada', {}])
      const out = await send(handler((bound) => bound.logout()))
      expect(await out.json()).toEqual({ revoked: options.store !== undefined })
      if (options.store !== undefined) expect((await send(whoami)).status).toBe(401)
      await sealed.close()
    }
  })

  test('is made with the keys of a ring, which can change', async () => {
    const encryption = { key }
    const ring = createRing([keyOf.ES256()], { encryption, clock })
    expect(await outcomeOf(await ring.createAccessToken('ada'), ring)).toBe('ada')
    const before = await ring.createAccessToken('bob')
    ring.setKeys([keyOf.EdDSA()])
    expect(await outcomeOf(before, ring)).toBe('alg_forbidden')
    expect(await outcomeOf(await ring.createAccessToken('ada'), ring)).toBe('ada')
  })

  test('that is too large is refused where it is made, and unread where it is sent', async () => {
    const userClaims = { text: 'x'.repeat(6000) }
    await expect(auth.createAccessToken('ada', { userClaims })).rejects.toThrow(/and guards take 8192/)
    expect(await outcomeOf(`${sample}${'A'.repeat(9000)}`)).toBe('token_too_large')
    const web = webAuth(auth)
    const login = web.authErrors(async (request: Request) => {
      await web.authorize(request).login('ada', { userClaims: { text: 'x'.repeat(2500) } })
      return new Response('in')
    })
    const answer = await login(new Request('https://app.example/', { method: 'POST' }))
    expect(await answer.json()).toMatchObject({ code: 'cookie_too_large' })
  })

  test('expires as ever', async () => {
    const moving = createClock()
    const sealed = create({}, { clock: moving })
    const token = await sealed.createAccessToken('ada')
    expect(await outcomeOf(token, sealed)).toBe('ada')
    moving.advance(901)
    expect(await outcomeOf(token, sealed)).toBe('token_expired')
  })

  test('cannot be read without verifying it, and that is told', async () => {
    const token = await plain.createAccessToken('ada')
    for (const given of [sample, token, 'nonsense']) {
      expect(() => auth.getUnverifiedJwtClaims(given)).toThrow(
        /cannot be read without verifying them: use verify/,
      )
      expect(() => auth.getUnverifiedJwtHeaders(given)).toThrow(TypeError)
    }
  })
})

describe('what is refused', () => {
  test('is every plain token', async () => {
    const token = await plain.createAccessToken('ada')
    expect(await outcomeOf(token)).toBe('not_encrypted')
    expect(await outcomeOf('a.b.c')).toBe('not_encrypted')
  })

  test('is an encrypted one where nothing is encrypted', async () => {
    expect(await outcomeOf(sample, plain)).toBe('malformed')
  })

  test('is a token of another key, also under our name', async () => {
    const other = create({ key: newSecret(32) })
    expect(await outcomeOf(await other.createAccessToken('ada'))).toBe('key_unknown')
    expect(await outcomeOf(await seal('a', undefined, randomBytes(32)))).toBe('decryption_failed')
  })

  test('is a signature inside that is not ours: encryption signs nobody in', async () => {
    const inner = forge({ alg: 'HS256', typ: 'JWT' }, goodClaims(), newSecret())
    expect(await outcomeOf(await seal(inner))).toBe('signature_invalid')
  })

  const unsigned = `${encode({ alg: 'none' })}.${encode(goodClaims())}.`
  test.each([
    ['an unsigned token', unsigned, 'alg_forbidden'],
    ['bare claims', JSON.stringify(goodClaims()), 'malformed'],
    ['nothing', '', 'not_encrypted'],
    ['text', 'hello', 'malformed'],
    ['another encrypted token', sample, 'malformed'],
  ])('is %s inside', async (_what, text, reason) => {
    expect(await outcomeOf(await seal(text))).toBe(reason)
  })

  test('is an encrypted JWT of bare claims, as other libraries make them', async () => {
    const header = decodeProtectedHeader(sample) as never
    const token = await new EncryptJWT(goodClaims()).setProtectedHeader(header).encrypt(bytes)
    expect(await outcomeOf(token)).toBe('malformed')
  })

  const header = decodeProtectedHeader(sample)
  const headers: readonly (readonly [Record<string, unknown>, string])[] = [
    [{ ...header, zip: 'DEF' }, 'header_invalid'],
    [{ ...header, crit: ['x'], x: 1 }, 'header_invalid'],
    [{ ...header, jku: 'https://a.example' }, 'header_invalid'],
    [{ ...header, cty: 'JWK' }, 'header_invalid'],
    [{ ...header, p2c: 1_000_000 }, 'header_invalid'],
    [{ ...header, alg: 'A256GCMKW' }, 'alg_forbidden'],
    [{ ...header, alg: 'PBES2-HS256+A128KW' }, 'alg_forbidden'],
    [{ ...header, alg: 'RSA-OAEP' }, 'alg_forbidden'],
    [{ ...header, alg: 'none' }, 'alg_forbidden'],
    [{ ...header, alg: undefined }, 'alg_forbidden'],
    [{ ...header, enc: 'A128CBC-HS256' }, 'alg_forbidden'],
    [{ ...header, enc: 'A128GCM' }, 'alg_forbidden'],
    [{ ...header, kid: undefined }, 'key_unknown'],
    [{ ...header, kid: 1 }, 'key_unknown'],
    [{ ...header, kid: '__proto__' }, 'key_unknown'],
    [{ ...header, note: 1 }, 'header_invalid'],
  ]
  test.each(headers)('is the header %j', async (given, reason) => {
    const token = sample.replace(/^[^.]+/, encode(given))
    expect(await outcomeOf(token)).toBe(reason)
  })

  test('is any change of any part', async () => {
    const parts = sample.split('.')
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(0, 2, 3, 4),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        async (part, at, mask) => {
          const changed = Buffer.from(parts[part] ?? '', 'base64url')
          const index = at % changed.length
          changed[index] = (changed[index] ?? 0) ^ mask
          const token = parts.with(part, changed.toString('base64url')).join('.')
          const outcome = await outcomeOf(token)
          return typeof outcome === 'string' && outcome !== 'ada'
        },
      ),
      { numRuns: 500 },
    )
  })

  test('is another spelling of the same bytes', async () => {
    const parts = sample.split('.')
    const spare = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    for (const part of [3, 4]) {
      const text = parts[part] ?? ''
      const bytesOf = (value: string): string => Buffer.from(value, 'base64url').toString('hex')
      const spellings = [...spare].map((last) => text.slice(0, -1) + last)
      for (const other of spellings.filter((one) => one !== text && bytesOf(one) === bytesOf(text)))
        expect(await outcomeOf(parts.with(part, other).join('.'))).toMatch(/malformed|not_encrypted/)
    }
  })

  test('are parts that are missing, empty, or too many', async () => {
    const parts = sample.split('.')
    const broken = [
      parts.slice(0, 4),
      [...parts, ''],
      parts.with(1, 'AAAA'),
      parts.with(2, ''),
      parts.with(2, 'AAAA'),
      parts.with(3, ''),
      parts.with(4, ''),
      parts.with(4, (parts[4] ?? '').slice(0, -1)),
      parts.with(0, ''),
      parts.with(0, '!'),
    ]
    for (const one of broken) expect(await outcomeOf(one.join('.'))).toMatch(/not_encrypted|malformed/)
  })

  test('is random text, without another error', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.base64String(), { minLength: 5, maxLength: 5 }), async (parts) => {
        const code = await codeOf(() => auth.verify(parts.join('.')))
        return code === 'token_invalid'
      }),
    )
  })
})

describe('moving', () => {
  test('to encryption, with servers of both at a time, signs nobody out', async () => {
    const steps = [plain, create({ plain: 'make' }), create({ plain: 'accept' }), create()]
    for (const [index, young] of steps.slice(1).entries()) {
      const old = steps[index] ?? plain
      for (const maker of [old, young]) {
        const token = await maker.createAccessToken('ada')
        // From the last step on, plain tokens are those of a life ago.
        if (index === 2 && maker === plain) continue
        for (const reader of [old, young]) expect(await outcomeOf(token, reader)).toBe('ada')
      }
    }
    expect((await create({ plain: 'make' }).createAccessToken('ada')).split('.')).toHaveLength(3)
    expect((await create({ plain: 'accept' }).createAccessToken('ada')).split('.')).toHaveLength(5)
  })

  test('to another key signs nobody out', async () => {
    const next = newSecret(32)
    const steps = [
      create(),
      create({ decryptKeys: [next] }),
      create({ key: next, decryptKeys: [key] }),
      create({ key: next }),
    ]
    for (const [index, young] of steps.slice(1).entries()) {
      const old = steps[index] ?? auth
      if (index === 2) continue
      for (const maker of [old, young]) {
        const token = await maker.createAccessToken('ada')
        for (const reader of [old, young]) expect(await outcomeOf(token, reader)).toBe('ada')
      }
    }
    expect(await outcomeOf(sample, steps[3])).toBe('key_unknown')
  })
})

describe('the key', () => {
  const good: Readonly<Record<string, unknown>> = {
    'base64url text': key,
    'base64 text': bytes.toString('base64'),
    bytes: new Uint8Array(bytes),
    'a JWK': { kty: 'oct', k: key },
    'a JWK that says what for': { kty: 'oct', k: key, alg: 'A256GCM', use: 'enc' },
    'a KeyObject': createSecretKey(bytes),
  }
  test.each(Object.keys(good))('can be given as %s', async (name) => {
    expect(await outcomeOf(sample, create({ key: good[name] as never }))).toBe('ada')
  })

  const bad: Readonly<Record<string, unknown>> = {
    nothing: undefined,
    'no text': '',
    'a number': 1,
    '31 bytes': randomBytes(31),
    '33 bytes': randomBytes(33),
    '64 bytes': randomBytes(64),
    'text of 32 characters': newSecret(24),
    'text of 64 bytes': newSecret(64),
    'text in hex': bytes.toString('hex'),
    zeros: new Uint8Array(32),
    'few different bytes': Buffer.alloc(32, 'abc'),
    'a public key': pairs.rsa.publicKey,
    'a PEM': publicPem(pairs.rsa),
    'a JWK for signing': { kty: 'oct', k: key, use: 'sig' },
    'a JWK of another algorithm': { kty: 'oct', k: key, alg: 'HS256' },
    'a JWK that is public': { kty: 'EC', crv: 'P-256', x: key, y: key },
    'a JWK without a key': { kty: 'oct' },
  }
  test.each(Object.keys(bad))('is refused as %s, without a word of it', (name) => {
    for (const encryption of [{ key: bad[name] }, { key, decryptKeys: [bad[name]] }]) {
      const message = refusalOf(() => createAuth({ secretKey, encryption: encryption as never }))
      expect(message).toMatch(/- encryption\.(?:key|decryptKeys\[0\]) (?:must be|repeats)/)
      expect(message).not.toContain(key)
      if (typeof bad[name] === 'string' && bad[name].length > 20) expect(message).not.toContain(bad[name])
    }
  })

  test.each([
    [null, /encryption must be an object/],
    ['a', /encryption must be an object/],
    [{ key, plian: 'accept' }, /encryption\.plian is no option: did you mean plain\?/],
    [{ key, plain: true }, /encryption\.plain must be/],
    [{ key, decryptKeys: key }, /encryption\.decryptKeys must be a list/],
    [{ key, decryptKeys: [key] }, /encryption\.decryptKeys holds one key twice/],
  ])('is refused in the option %j', (encryption, says) => {
    expect(refusalOf(() => createAuth({ secretKey, encryption: encryption as never }))).toMatch(says)
  })

  test('is refused when it signs too: one key, one purpose', () => {
    const hmac = { kid: 'h', algorithm: 'HS256' } as const
    const options: AuthOptions[] = [
      { secretKey: key },
      { secretKey: bytes },
      { keys: [{ ...hmac, secretKey: key }] },
      { keys: [{ ...hmac, secretKey: bytes }] },
    ]
    for (const one of options) {
      for (const encryption of [{ key }, { key: newSecret(32), decryptKeys: [key] }])
        expect(refusalOf(() => createAuth({ ...one, encryption }))).toMatch(
          /secretKey is the key of encryption too/,
        )
    }
    const ring = createRing([{ ...hmac, secretKey }], { encryption: { key } })
    expect(() => ring.setKeys([{ ...hmac, secretKey: key }])).toThrow(
      /\(kid "h"\): secretKey is the key of encryption too/,
    )
  })

  test('is in no option that can be read', () => {
    expect(auth.options).not.toHaveProperty('encryption')
    expect(JSON.stringify(auth)).not.toContain(key)
  })
})
