// Keys that a service keeps: signatures come late, wrong or not at all, and then nobody is signed in or rotated.

import { generateKeyPairSync, sign } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { createLocalJWKSet, jwtVerify } from 'jose'
import { describe, expect, test } from 'vitest'
import { AuthError, createAuth } from '../src/index.ts'
import type { AuthOptions, RingKey, Store } from '../src/index.ts'
import { webAuth } from '../src/adapters/web.ts'
import { memoryStore } from '../src/stores/memory.ts'
import { createRing, headerOf, keyOf, pairs, verifying } from './_keys.ts'
import { codeOf, cookieHeader, cookiesOf } from './_setup.ts'

const { privateKey, publicKey } = pairs.p256

/** What a key service does with bytes. */
type Service = (bytes: Uint8Array) => unknown

const right: Service = (bytes) =>
  new Uint8Array(sign('sha256', bytes, { key: privateKey, dsaEncoding: 'ieee-p1363' }))

function keyAt(service: Service, changes: Partial<RingKey> = {}): RingKey {
  return { kid: 'kms', algorithm: 'ES256', sign: service, publicKey, ...changes } as RingKey
}

describe('a signer', () => {
  const algorithms = {
    RS256: (bytes: Uint8Array) => sign('sha256', bytes, pairs.rsa.privateKey),
    ES256: (bytes: Uint8Array) => sign('sha256', bytes, { key: privateKey, dsaEncoding: 'ieee-p1363' }),
    ES512: (bytes: Uint8Array) =>
      sign('sha512', bytes, { key: pairs.p521.privateKey, dsaEncoding: 'ieee-p1363' }),
    EdDSA: (bytes: Uint8Array) => sign(null, bytes, pairs.ed25519.privateKey),
  } as const
  const publicKeys = { RS256: pairs.rsa, ES256: pairs.p256, ES512: pairs.p521, EdDSA: pairs.ed25519 }

  test.each(Object.keys(algorithms) as (keyof typeof algorithms)[])(
    'of %s makes tokens that are taken here and elsewhere',
    async (algorithm) => {
      const seen: unknown[] = []
      const auth = createRing([
        {
          algorithm,
          publicKey: publicKeys[algorithm].publicKey,
          async sign(bytes) {
            seen.push(bytes)
            await sleep(2)
            return algorithms[algorithm](bytes)
          },
        },
      ])
      const token = await auth.createAccessToken('ada', { headers: { x: 1 } })
      expect(seen).toEqual([new TextEncoder().encode(token.slice(0, token.lastIndexOf('.')))])
      expect((await auth.verify(token)).sub).toBe('ada')
      const [key] = auth.jwks().keys
      expect(headerOf(token)).toEqual({ alg: algorithm, typ: 'JWT', kid: key?.kid, x: 1 })
      expect((await jwtVerify(token, createLocalJWKSet(auth.jwks() as never))).payload.sub).toBe('ada')
    },
  )

  test('may answer at once', async () => {
    const auth = createRing([keyAt(right)])
    expect((await auth.verify(await auth.createAccessToken('ada'))).sub).toBe('ada')
  })

  test('that only stands by is not asked', async () => {
    const service = (): never => {
      throw new Error('asked')
    }
    const auth = createRing([keyOf.EdDSA(), verifying(keyAt(service))])
    expect(headerOf(await auth.createAccessToken('ada'))['alg']).toBe('EdDSA')
    const other = createRing([keyAt(right)])
    expect((await auth.verify(await other.createAccessToken('bob'))).sub).toBe('bob')
  })

  test('can take the place of another in a running process', async () => {
    const auth = createRing([keyOf.EdDSA()])
    auth.setKeys([keyAt(right), verifying(keyOf.EdDSA())])
    expect(headerOf(await auth.createAccessToken('ada'))['kid']).toBe('kms')
  })

  test('can be the key of tokens without a kid', async () => {
    const auth = createRing([keyAt(right, { legacy: 'sign' })])
    const token = await auth.createAccessToken('ada')
    expect(headerOf(token)).toEqual({ alg: 'ES256', typ: 'JWT' })
    expect((await createAuth({ publicKey, algorithm: 'ES256' }).verify(token)).sub).toBe('ada')
  })
})

const other = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })

/** Everything that a service can do instead of signing, and what the operator is told. */
const failures: Readonly<Record<string, readonly [Service, RegExp]>> = {
  throws: [
    () => {
      throw new Error('no route to the service')
    },
    /no route to the service/,
  ],
  rejects: [() => Promise.reject(new Error('quota exceeded')), /quota exceeded/],
  'rejects with no error': [() => Promise.reject({ secret: 'value' }), /failed without an error/],
  'never answers': [() => new Promise(() => undefined), /The signer of the key "kms" gave no answer in 1 s/],
  'answers late': [(bytes) => sleep(1500).then(() => right(bytes)), /gave no answer in 1 s/],
  'answers nothing': [() => undefined, /answered with something that is no Uint8Array/],
  'answers null': [async () => null, /no Uint8Array/],
  'answers with text': [
    async (bytes) => Buffer.from(right(bytes) as Uint8Array).toString('base64url'),
    /no Uint8Array/,
  ],
  'answers with an object': [async (bytes) => ({ Signature: right(bytes) }), /no Uint8Array/],
  'answers as Web Crypto does': [
    async (bytes) => Uint8Array.from(right(bytes) as Uint8Array).buffer,
    /no Uint8Array/,
  ],
  'answers with no bytes': [async () => new Uint8Array(0), /does not verify/],
  'answers with zeros': [async () => new Uint8Array(64), /does not verify/],
  'answers with too many bytes': [
    async (bytes) => Buffer.concat([right(bytes) as Uint8Array, Buffer.alloc(1)]),
    /does not verify/,
  ],
  'answers in DER': [async (bytes) => sign('sha256', bytes, privateKey), /does not verify/],
  'signs with another key': [
    async (bytes) => sign('sha256', bytes, { key: other.privateKey, dsaEncoding: 'ieee-p1363' }),
    /does not verify/,
  ],
  'signs by another hash': [
    async (bytes) => sign('sha384', bytes, { key: privateKey, dsaEncoding: 'ieee-p1363' }),
    /does not verify/,
  ],
  'signs something else': [async () => right(Buffer.from('something else')), /does not verify/],
}

describe('a signer that', () => {
  const names = Object.keys(failures)

  test.each(names)('%s is a 503 with the cause, and no cookie is set', async (name) => {
    const [service, cause] = failures[name] ?? [right, /never/]
    const auth = createRing([keyAt(service)])
    const error: unknown = await auth.createAccessToken('ada').catch((reason: unknown) => reason)
    if (!AuthError.is(error, 'store_unavailable')) throw error
    expect(error.message).toBe('The signing key cannot be asked at the moment')
    expect((error.cause as Error).message).toMatch(cause)
    expect(JSON.stringify(error)).not.toMatch(cause)

    const web = webAuth(auth)
    const login = web.authErrors(async (request: Request) => {
      await web.authorize(request).login('ada')
      return new Response('in')
    })
    const answer = await login(new Request('https://app.example/login', { method: 'POST' }))
    expect(answer.status).toBe(503)
    expect(answer.headers.get('retry-after')).toMatch(/^[123]$/)
    expect(answer.headers.getSetCookie()).toEqual([])
  })

  test.each(names.filter((name) => !/late|never/.test(name)))(
    '%s rotates nothing: the same refresh token is good afterwards',
    async (name) => {
      let service: Service = right
      let rotations = 0
      const store = new Proxy(memoryStore(), {
        get(target, member: keyof Store) {
          const value = target[member]
          if (typeof value !== 'function') return value
          return (...parameters: never[]) => {
            if (member === 'rotate') rotations++
            return Reflect.apply(value, target, parameters)
          }
        },
      })
      const options: AuthOptions = { store, keys: [keyAt((bytes) => service(bytes))] }
      const auth = createAuth(options)
      await auth.ready()
      const web = webAuth(auth)
      const handler = web.authErrors(async (request: Request) => {
        if (request.url.endsWith('login')) await web.authorize(request).login('ada')
        else await web.authorize(request).refresh()
        return new Response('on')
      })
      const send = (path: string, jar: Record<string, string>): Promise<Response> =>
        handler(
          new Request(`https://app.example/${path}`, {
            method: 'POST',
            headers: { cookie: cookieHeader(jar), 'x-csrf-token': jar['csrf_refresh_token'] ?? '' },
          }),
        )
      const jar = cookiesOf(await send('login', {}))
      ;[service] = failures[name] ?? [right]
      const refused = await send('refresh', jar)
      expect(refused.status).toBe(503)
      expect(refused.headers.getSetCookie()).toEqual([])
      service = right
      expect(rotations).toBe(0)
      const renewed = await send('refresh', jar)
      expect(renewed.status).toBe(200)
      expect(rotations).toBe(1)
      expect(cookiesOf(renewed)['refresh_token_cookie']).not.toBe(jar['refresh_token_cookie'])
      await auth.close()
    },
  )

  test('fails stops no guard: tokens are verified without it', async () => {
    const good = createRing([keyAt(right)])
    const token = await good.createAccessToken('ada')
    const [broken = right] = failures['throws'] ?? []
    expect(await codeOf(() => createRing([keyAt(broken)]).verify(token))).toBe('passed')
  })

  test('takes as long as storeTimeout allows is waited for', async () => {
    const slow: Service = (bytes) => sleep(1200).then(() => right(bytes))
    const auth = createRing([keyAt(slow)], { storeTimeout: 2 })
    expect((await auth.verify(await auth.createAccessToken('ada'))).sub).toBe('ada')
  })

  test('keeps and changes the bytes that it was given changes no token', async () => {
    const auth = createRing([
      keyAt(async (bytes) => {
        const signature = right(bytes)
        bytes.fill(0)
        return signature
      }),
    ])
    expect((await auth.verify(await auth.createAccessToken('ada'))).sub).toBe('ada')
  })
})
