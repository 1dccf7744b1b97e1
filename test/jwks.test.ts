// What other services verify with: the set of public keys, and the answer that carries it, through every adapter here.

import { serve } from '@hono/node-server'
import express from 'express'
import { fastify } from 'fastify'
import { Hono } from 'hono'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import { calculateJwkThumbprint, createLocalJWKSet, jwtVerify } from 'jose'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createAuth } from '../src/index.ts'
import type { Algorithm, Auth, RingKey } from '../src/index.ts'
import { createRing, headerOf, keyOf, newSecret, pairs, verifying } from './_keys.ts'
import { secretKey } from './_setup.ts'

// Of its key pairs only the last one signs.
const ring = createRing(
  Object.values(keyOf)
    .map((make): RingKey => make())
    .map((key) => (key.algorithm === 'EdDSA' ? key : verifying(key))),
)

const publicMembers = new Set(['kty', 'kid', 'alg', 'use', 'e', 'n', 'crv', 'x', 'y', 'pub'])

describe('jwks()', () => {
  test('holds every key pair, also those that only verify, and no secret', () => {
    const { keys } = ring.jwks()
    expect(keys.map(({ alg }) => alg)).toEqual(Object.keys(keyOf).filter((name) => !name.startsWith('HS')))
    for (const { use, kty } of keys) {
      expect(use).toBe('sig')
      expect(kty).not.toBe('oct')
    }
  })

  test('holds no private part', () => {
    for (const key of ring.jwks().keys)
      expect(Object.keys(key).filter((name) => !publicMembers.has(name))).toEqual([])
  })

  test('names keys by their thumbprints, as another library computes them', async () => {
    for (const key of ring.jwks().keys) expect(key.kid).toBe(await calculateJwkThumbprint(key as never))
  })

  test('names keys as another library does, whatever their numbers are', async () => {
    const kinds: readonly (readonly [Algorithm, () => { privateKey: unknown }])[] = [
      ['ES256', () => generateKeyPairSync('ec', { namedCurve: 'prime256v1' })],
      ['ES512', () => generateKeyPairSync('ec', { namedCurve: 'secp521r1' })],
      ['EdDSA', () => generateKeyPairSync('ed25519')],
    ]
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...kinds), async ([algorithm, generate]) => {
        const { privateKey } = generate()
        const [key] = createRing([{ algorithm, privateKey } as RingKey]).jwks().keys
        expect(key?.kid).toBe(await calculateJwkThumbprint(key as never))
      }),
      { numRuns: 100 },
    )
  })

  test.each(['RS256', 'PS256', 'ES256', 'ES384', 'ES512', 'EdDSA'] as const)(
    'lets another library verify tokens of %s',
    async (algorithm) => {
      const auth = createRing([keyOf[algorithm](), { ...keyOf.RS512(), use: 'verify' }])
      const token = await auth.createAccessToken('ada')
      const { payload, protectedHeader } = await jwtVerify(token, createLocalJWKSet(auth.jwks() as never))
      expect(payload.sub).toBe('ada')
      expect(protectedHeader.kid).toBe(headerOf(token)['kid'])
    },
  )

  test('of a lone key pair lets another library verify too', async () => {
    const auth = createAuth({ privateKey: pairs.rsa.privateKey, algorithm: 'RS256' })
    const [key, ...further] = auth.jwks().keys
    expect(further).toEqual([])
    expect(key).toMatchObject({ alg: 'RS256', use: 'sig', kid: await calculateJwkThumbprint(key as never) })
    const token = await auth.createAccessToken('ada')
    expect((await jwtVerify(token, createLocalJWKSet(auth.jwks() as never))).payload.sub).toBe('ada')
  })

  test('of a lone key pair with two algorithms names neither', () => {
    const { privateKey } = pairs.rsa
    const auth = createAuth({ privateKey, algorithm: 'RS256', decodeAlgorithms: ['RS256', 'PS256'] })
    expect(auth.jwks().keys[0]).not.toHaveProperty('alg')
  })

  test('is empty for secrets, and for the keys of another service', () => {
    expect(createAuth({ secretKey }).jwks()).toEqual({ keys: [] })
    expect(createRing([{ kid: 'a', algorithm: 'HS256', secretKey: newSecret() }]).jwks()).toEqual({
      keys: [],
    })
    const uri = 'https://keys.example/jwks.json'
    expect(createAuth({ jwksUri: uri, decodeAlgorithms: ['RS256'] }).jwks()).toEqual({ keys: [] })
  })

  test('cannot be changed by who asked before', () => {
    const set = ring.jwks() as { keys: unknown[] }
    const count = set.keys.length
    set.keys.length = 0
    expect(ring.jwks().keys).toHaveLength(count)
  })
})

describe('jwksAnswer()', () => {
  const answer = ring.jwksAnswer()
  const tag = answer.headers['etag'] ?? ''

  test('is the set, to be kept for five minutes, under a strong tag', async () => {
    expect(answer.status).toBe(200)
    expect(answer.headers).toEqual({
      'content-type': 'application/jwk-set+json',
      'cache-control': 'public, max-age=300',
      etag: expect.stringMatching(/^"[\w-]{43}"$/),
    })
    expect(JSON.parse(answer.body)).toEqual(ring.jwks())
    const response = answer.getResponse()
    expect(response.status).toBe(200)
    expect(Object.fromEntries(response.headers)).toEqual(answer.headers)
    expect(await response.text()).toBe(answer.body)
  })

  test.each([tag, `W/${tag}`, `"other", ${tag}`, `"other",W/${tag} , "more"`, '*', ` ${tag} `])(
    'is 304 and empty for If-None-Match: %s',
    async (condition) => {
      const requests = [
        new Request('https://a.example', { headers: { 'if-none-match': condition } }),
        { headers: { 'if-none-match': condition } },
      ]
      for (const request of requests) {
        const { status, body, headers, getResponse } = ring.jwksAnswer(request)
        expect([status, body]).toEqual([304, ''])
        expect(headers).toEqual({ 'cache-control': 'public, max-age=300', etag: tag })
        expect(getResponse().status).toBe(304)
        expect(await getResponse().text()).toBe('')
      }
    },
  )

  test.each(['', '"other"', tag.slice(0, -1), tag.slice(1, -1), `${tag}x`, 'W/*', 'null'])(
    'is whole for If-None-Match: %s',
    (condition) => {
      expect(ring.jwksAnswer({ headers: { 'if-none-match': condition } }).status).toBe(200)
    },
  )

  test('is whole for a request without the header, or with a list of them that has none', () => {
    expect(ring.jwksAnswer(new Request('https://a.example')).status).toBe(200)
    expect(ring.jwksAnswer({ headers: {} }).status).toBe(200)
    expect(ring.jwksAnswer({ headers: { 'if-none-match': ['"a"', '"b"'] } }).status).toBe(200)
    expect(ring.jwksAnswer({ headers: { 'if-none-match': ['"a"', tag] } }).status).toBe(304)
  })

  test('gets another tag with other keys', () => {
    const auth = createRing([keyOf.ES256()])
    const before = auth.jwksAnswer().headers['etag'] ?? ''
    auth.setKeys([keyOf.ES256(), keyOf.EdDSA()])
    const after = auth.jwksAnswer({ headers: { 'if-none-match': before } })
    expect(after.status).toBe(200)
    expect(after.headers['etag']).not.toBe(before)
    expect(JSON.parse(after.body)).toMatchObject({ keys: [{ alg: 'ES256' }, { alg: 'EdDSA' }] })
  })

  test('takes another time', () => {
    expect(ring.jwksAnswer(undefined, { maxAge: '1h' }).headers['cache-control']).toBe('public, max-age=3600')
  })

  test.each([{ maxAge: 0 }, { maxAge: '5' }, { maxAge: -1 }, { maxAge: Number.NaN }, { age: 5 }, null, 1])(
    'refuses the options %j',
    (options) => {
      expect(() => ring.jwksAnswer(undefined, options as never)).toThrow(TypeError)
    },
  )

  test.each([{}, { headers: null }, { headers: 'a' }, 1, 'a', null])('refuses %j as a request', (request) => {
    expect(() => ring.jwksAnswer(request as never)).toThrow(TypeError)
  })
})

/** A server of each framework, with the lines that the documentation shows. */
const servers: Readonly<
  Record<string, (auth: Auth) => Promise<{ readonly port: number; readonly close: () => unknown }>>
> = {
  async hono(auth) {
    const app = new Hono()
    app.get('/jwks.json', (c) => auth.jwksAnswer(c.req.raw).getResponse())
    return new Promise((resolve) => {
      const server = serve({ fetch: app.fetch, port: 0 }, ({ port }) =>
        resolve({ port, close: () => server.close() }),
      )
    })
  },
  async express(auth) {
    const app = express()
    app.get('/jwks.json', (req, res) => {
      const { status, headers, body } = auth.jwksAnswer(req)
      res.status(status).set(headers).end(body)
    })
    return new Promise((resolve) => {
      const server = app.listen(0, () =>
        resolve({ port: (server.address() as AddressInfo).port, close: () => server.close() }),
      )
    })
  },
  async fastify(auth) {
    const app = fastify()
    app.get('/jwks.json', async (request, reply) => {
      const { status, headers, body } = auth.jwksAnswer(request)
      return reply.code(status).headers(headers).send(body)
    })
    await app.listen({ port: 0 })
    return { port: (app.server.address() as AddressInfo).port, close: () => app.close() }
  },
  async node(auth) {
    const server = createServer((request, response) => {
      const { status, headers, body } = auth.jwksAnswer(request)
      response.writeHead(status, headers).end(body)
    })
    return new Promise((resolve) => {
      server.listen(0, () =>
        resolve({ port: (server.address() as AddressInfo).port, close: () => server.close() }),
      )
    })
  },
}

test.each(Object.keys(servers))('a server of %s serves the set, and 304 to who has it', async (name) => {
  const server = await servers[name]?.(ring)
  if (server === undefined) throw new Error('no server')
  onTestFinished(() => void server.close())
  const url = `http://localhost:${server.port}/jwks.json`
  const first = await fetch(url)
  expect(first.status).toBe(200)
  expect(first.headers.get('content-type')).toMatch(/^application\/jwk-set\+json\b/)
  expect(first.headers.get('cache-control')).toBe('public, max-age=300')
  expect(await first.json()).toEqual(ring.jwks())
  const etag = first.headers.get('etag') ?? ''
  const second = await fetch(url, { headers: { 'if-none-match': etag } })
  expect(second.status).toBe(304)
  expect(second.headers.get('etag')).toBe(etag)
  expect(await second.text()).toBe('')
  const head = await fetch(url, { method: 'HEAD' })
  expect(head.headers.get('etag')).toBe(etag)
})
