// ML-DSA (FIPS 204), which not every runtime has: where it is missing that is told, where it is there it signs.

import { createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { calculateJwkThumbprint, createLocalJWKSet, jwtVerify, SignJWT } from 'jose'
import { describe, expect, test } from 'vitest'
import { AuthError, createAuth } from '../src/index.ts'
import type { AuthOptions, Jwk } from '../src/index.ts'
import { createRing, headerOf, keyOf, pairs, privatePem, publicPem, refusalOf, verifying } from './_keys.ts'
import { encode, goodClaims, startSeconds } from './_setup.ts'

const names = ['ML-DSA-44', 'ML-DSA-65', 'ML-DSA-87'] as const
type Name = (typeof names)[number]

/** The types of Node 20 do not know them. */
const generate = generateKeyPairSync as unknown as (name: string) => {
  privateKey: KeyObject
  publicKey: KeyObject
}

function canGenerate(): boolean {
  try {
    generate('ml-dsa-44')
    return true
  } catch {
    return false
  }
}

const isThere = canGenerate()
const inHeaders: AuthOptions = { tokenLocation: ['headers'], clock: () => startSeconds }

describe.skipIf(isThere)('where the runtime lacks it', () => {
  test.each(names)('%s is told at start-up, and not as the fault of the key', (algorithm) => {
    const privateKey = privatePem(pairs.ed25519)
    for (const options of [
      { privateKey, algorithm },
      { keys: [{ kid: 'a', algorithm, privateKey }] },
    ] as const) {
      const message = refusalOf(() => createAuth({ ...inHeaders, ...options }))
      expect(message).toMatch(new RegExp(`algorithm cannot be ${algorithm} on this runtime`))
      expect(message.split('\n- ')).toHaveLength(2)
    }
  })
})

describe.runIf(isThere)('where the runtime has it', () => {
  describe.each(names)('%s', (algorithm: Name) => {
    const pair = isThere ? generate(algorithm.toLowerCase()) : pairs.ed25519
    const other = isThere ? generate(algorithm.toLowerCase()) : pairs.ed25519

    test('signs and verifies, alone and in a ring', async () => {
      const { privateKey, publicKey } = pair
      const makers = [
        createAuth({ privateKey, algorithm, ...inHeaders }),
        createRing([{ algorithm, privateKey, legacy: true }], inHeaders),
      ]
      const readers = [
        createRing([{ algorithm, publicKey, legacy: true }], inHeaders),
        createRing([keyOf.ES256(), { algorithm, publicKey: publicPem(pair), legacy: true }], inHeaders),
        createRing([{ algorithm, privateKey: privatePem(pair), legacy: true }], inHeaders),
      ]
      for (const maker of makers) {
        const token = await maker.createAccessToken('ada')
        for (const reader of readers) expect((await reader.verify(token)).sub).toBe('ada')
        const [header = '', payload = '', signature = ''] = token.split('.')
        const isRight = verify(
          null,
          Buffer.from(`${header}.${payload}`),
          publicKey,
          Buffer.from(signature, 'base64url'),
        )
        expect(isRight).toBe(true)
      }
    })

    test('is refused when anything is changed', async () => {
      const auth = createRing([{ kid: 'a', algorithm, privateKey: pair.privateKey }], inHeaders)
      const input = `${encode({ alg: algorithm, kid: 'a' })}.${encode(goodClaims())}`
      const right = sign(null, Buffer.from(input), pair.privateKey)
      expect((await auth.verify(`${input}.${right.toString('base64url')}`)).sub).toBe('test')
      const wrong = [
        sign(null, Buffer.from(input), other.privateKey),
        right.subarray(1),
        Buffer.concat([right, Buffer.alloc(1)]),
        Buffer.alloc(right.length),
        Buffer.from(right)
          .fill(right[0] ?? 0, 0, 1)
          .fill((right[9] ?? 0) ^ 1, 9, 10),
      ]
      for (const signature of wrong) {
        const error: unknown = await auth
          .verify(`${input}.${signature.toString('base64url')}`)
          .catch((reason: unknown) => reason)
        expect(AuthError.is(error) && error.cause).toBe('signature_invalid')
      }
    })

    test('is published and named as another library does, which verifies by it', async () => {
      const auth = createRing([{ algorithm, privateKey: pair.privateKey }], inHeaders)
      const [key] = auth.jwks().keys
      expect(key).toMatchObject({
        kty: 'AKP',
        alg: algorithm,
        use: 'sig',
        kid: await calculateJwkThumbprint(key as never),
      })
      expect(Object.keys(key ?? {}).toSorted()).toEqual(['alg', 'kid', 'kty', 'pub', 'use'])
      const token = await auth.createAccessToken('ada')
      expect(headerOf(token)).toEqual({ alg: algorithm, typ: 'JWT', kid: key?.kid })
      expect(
        (
          await jwtVerify(token, createLocalJWKSet(auth.jwks() as never), {
            currentDate: new Date(startSeconds * 1000),
          })
        ).payload.sub,
      ).toBe('ada')
      const theirs = await new SignJWT(goodClaims())
        .setProtectedHeader({ alg: algorithm, kid: key?.kid as string })
        .sign(pair.privateKey)
      expect((await auth.verify(theirs)).sub).toBe('test')
    })

    test('takes JWKs, and none of another size', () => {
      const jwk = pair.publicKey.export({ format: 'jwk' }) as Jwk
      expect(createPublicKey({ key: jwk as never, format: 'jwk' }).equals(pair.publicKey)).toBe(true)
      createRing([{ algorithm, publicKey: jwk }], inHeaders)
      for (const stranger of names.filter((name) => name !== algorithm)) {
        const keys = [{ kid: 'a', algorithm: stranger, publicKey: jwk }] as const
        expect(refusalOf(() => createAuth({ keys, ...inHeaders }))).toMatch(
          /\(kid "a"\): publicKey is a JWK made for another/,
        )
        const publicKey = pair.publicKey
        expect(refusalOf(() => createAuth({ publicKey, algorithm: stranger, ...inHeaders }))).toMatch(
          /is of the wrong kind/,
        )
      }
    })
  })

  test('what no cookie can carry is told at start-up, unless it only verifies', () => {
    for (const algorithm of ['ML-DSA-65', 'ML-DSA-87'] as const) {
      const { privateKey, publicKey } = generate(algorithm.toLowerCase())
      const key = { kid: 'a', algorithm, privateKey } as const
      for (const options of [{ privateKey, algorithm }, { keys: [key] }] as AuthOptions[])
        expect(refusalOf(() => createAuth(options))).toMatch(/whose signatures no cookie can carry/)
      createAuth({ publicKey, algorithm })
      const auth = createRing([keyOf.ES256(), verifying(key)])
      expect(() => auth.setKeys([key])).toThrow(/\(kid "a"\): algorithm cannot be ML-DSA/)
    }
    createRing([{ algorithm: 'ML-DSA-44', privateKey: generate('ml-dsa-44').privateKey }])
  })
})
