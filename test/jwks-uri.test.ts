// Tokens of another service, verified with the keys that it publishes: over real HTTP, in good times and in bad ones.

import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { AuthError, createAuth } from '../src/index.ts'
import type { Auth, AuthEvent, AuthOptions } from '../src/index.ts'
import { webAuth } from '../src/adapters/web.ts'
import { createRing, keyOf, newSecret, pairs, privateJwk, publicJwk, refusalOf } from './_keys.ts'
import { encode, forge, goodClaims, secretKey, startSeconds } from './_setup.ts'

const clock = (): number => startSeconds

type Answer = (request: IncomingMessage, response: ServerResponse) => unknown

const json =
  (value: unknown, status = 200): Answer =>
  (_request, response) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))

/** A server of a key set whose answer can be exchanged, and which counts how often it was asked. */
async function createKeyServer(first: Answer) {
  const state = { answer: first, requests: 0 }
  const server = createServer((request, response) => {
    state.requests++
    state.answer(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return Object.assign(state, { uri: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json` })
}

function createReader(uri: string, options: AuthOptions = {}): { auth: Auth; events: AuthEvent[] } {
  const events: AuthEvent[] = []
  const auth = createAuth({
    jwksUri: { uri, timeout: 1 },
    decodeAlgorithms: ['ES256', 'RS256', 'EdDSA'],
    clock,
    onEvent: (event) => events.push(event),
    ...options,
  })
  return { auth, events }
}

const first = createRing([{ ...keyOf.ES256(), kid: 'first' }], { clock })
const second = createRing([{ ...keyOf.EdDSA(), kid: 'second' }], { clock })
const both = { keys: [...first.jwks().keys, ...second.jwks().keys] }
const byFirst = await first.createAccessToken('ada')
const bySecond = await second.createAccessToken('bob')

const outcomeOf = async (auth: Auth, token: string): Promise<unknown> => {
  try {
    return (await auth.verify(token)).sub
  } catch (error) {
    if (!AuthError.is(error)) throw error
    return error.code === 'token_invalid' ? error.cause : error.code
  }
}

/** Only the clock of the machine is moved; timers and sockets go on. */
function passSeconds(seconds: number): void {
  const now = Date.now()
  if (!vi.isFakeTimers()) vi.useFakeTimers({ toFake: ['Date'] })
  vi.setSystemTime(now + seconds * 1000)
}

afterEach(() => {
  vi.useRealTimers()
})

describe('a set that can be fetched', () => {
  test('verifies tokens of all of its keys, and is fetched once', async () => {
    const server = await createKeyServer(json(both))
    const { auth } = createReader(server.uri)
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, (_, index) => outcomeOf(auth, index % 2 === 0 ? byFirst : bySecond)),
    )
    expect(new Set(outcomes)).toEqual(new Set(['ada', 'bob']))
    expect(server.requests).toBe(1)
  })

  test('opens routes, and signs nobody in', async () => {
    const server = await createKeyServer(json(both))
    const { auth } = createReader(server.uri, { tokenLocation: ['headers'] })
    const web = webAuth(auth)
    const handler = web.jwtRequired()((request: Request) => new Response(web.authorize(request).subject()))
    const answer = await handler(
      new Request('https://app.example/', { headers: { authorization: `Bearer ${byFirst}` } }),
    )
    expect(await answer.text()).toBe('ada')
    await expect(auth.createAccessToken('ada')).rejects.toThrow(/no key that signs, and can only verify/)
  })

  test('is not asked for again by unknown keys, however many tokens name one', async () => {
    const server = await createKeyServer(json(both))
    const { auth } = createReader(server.uri)
    await auth.ready()
    for (let index = 0; index < 2000; index++) {
      const header = { alg: 'ES256', kid: `k${index}` }
      expect(await outcomeOf(auth, forge(header, goodClaims()))).toBe('key_unknown')
    }
    expect(server.requests).toBe(1)
    passSeconds(31)
    const flood = Array.from({ length: 500 }, (_, index) =>
      outcomeOf(auth, forge({ alg: 'ES256', kid: `m${index}` }, goodClaims())),
    )
    expect(new Set(await Promise.all(flood))).toEqual(new Set(['key_unknown']))
    expect(server.requests).toBe(2)
  })

  test('is fetched again for a key that is not in it yet, once the cool-down is over', async () => {
    const server = await createKeyServer(json(first.jwks()))
    const { auth } = createReader(server.uri)
    expect(await outcomeOf(auth, byFirst)).toBe('ada')
    server.answer = json(both)
    expect(await outcomeOf(auth, bySecond)).toBe('key_unknown')
    passSeconds(31)
    expect(await outcomeOf(auth, bySecond)).toBe('bob')
    expect(server.requests).toBe(2)
  })

  test('is fetched again when it is old, and what was verified under a key that is gone is forgotten', async () => {
    const server = await createKeyServer(json(both))
    const { auth } = createReader(server.uri)
    expect(await outcomeOf(auth, byFirst)).toBe('ada')
    server.answer = json(second.jwks())
    passSeconds(590)
    expect(await outcomeOf(auth, byFirst)).toBe('ada')
    expect(server.requests).toBe(1)
    passSeconds(11)
    expect(await outcomeOf(auth, byFirst)).toBe('key_unknown')
    expect(await outcomeOf(auth, bySecond)).toBe('bob')
    expect(server.requests).toBe(2)
  })

  test('obeys its own times', async () => {
    const server = await createKeyServer(json(first.jwks()))
    const { auth } = createReader('', { jwksUri: { uri: server.uri, maxAge: '1m', cooldown: '5s' } })
    expect(auth.options.jwksUri).toEqual({ uri: server.uri, maxAge: 60, cooldown: 5, timeout: 5 })
    await auth.ready()
    await auth.ready()
    expect(server.requests).toBe(1)
    passSeconds(6)
    expect(await outcomeOf(auth, bySecond)).toBe('key_unknown')
    expect(server.requests).toBe(2)
    passSeconds(61)
    expect(await outcomeOf(auth, byFirst)).toBe('ada')
    expect(server.requests).toBe(3)
  })

  test('is asked for by a header that names another address at no time', async () => {
    const server = await createKeyServer(json(both))
    const stranger = await createKeyServer(json(both))
    const { auth } = createReader(server.uri)
    for (const name of ['jku', 'x5u']) {
      const token = forge({ alg: 'ES256', kid: 'first', [name]: stranger.uri }, goodClaims())
      expect(await outcomeOf(auth, token)).toBe('header_invalid')
    }
    expect(stranger.requests).toBe(0)
  })
})

/** What a server can do instead of answering with a set. */
const bad: Readonly<Record<string, Answer>> = {
  'a 500': json(both, 500),
  'a 404': json(both, 404),
  'a 204': (_request, response) => response.writeHead(204).end(),
  'a redirect': (_request, response) => response.writeHead(302, { location: '/elsewhere' }).end(),
  'no JSON': (_request, response) => response.end('<html>'),
  nothing: (_request, response) => response.end(),
  'JSON that is no object': json([1]),
  'a set without keys': json({ key: [] }),
  'a set of nonsense': json({ keys: [1, 'a'] }),
  'a set that is longer than any': json({ ...both, note: 'x'.repeat(262_144) }),
  'more keys than any service has': json({
    keys: Array.from({ length: 101 }, (_, index) => ({ ...both.keys[0], kid: `k${index}` })),
  }),
  'a closed connection': (request) => request.socket.destroy(),
  'half an answer': (request, response) => {
    response.writeHead(200, { 'content-length': 1000 })
    response.write('{"keys":[', () => request.socket.destroy())
  },
  'no answer': () => undefined,
  'an answer without an end': (_request, response) => {
    response.writeHead(200)
    const timer = setInterval(() => response.write(' '.repeat(10)), 50)
    response.on('close', () => clearInterval(timer))
  },
  'an endless flood': (_request, response) => {
    response.writeHead(200)
    const pour = (): void => {
      while (!response.destroyed && response.write(' '.repeat(65_536)));
      if (!response.destroyed) response.once('drain', pour)
    }
    pour()
  },
}

describe.each(Object.keys(bad))('a server that gives %s', (name) => {
  const answer = bad[name] ?? json({})

  test('from the start is a 503 for every token, and is not asked again within the cool-down', async () => {
    const server = await createKeyServer(answer)
    const { auth, events } = createReader(server.uri)
    await expect(auth.ready()).rejects.toSatisfy((error) => AuthError.is(error, 'store_unavailable'))
    expect(await outcomeOf(auth, byFirst)).toBe('store_unavailable')
    const error: unknown = await auth.verify(byFirst).catch((reason: unknown) => reason)
    expect(AuthError.is(error) && error.message).toBe(
      'The keys of the service that signs cannot be fetched at the moment',
    )
    expect(AuthError.is(error) && error.cause).toBeInstanceOf(Error)
    expect(server.requests).toBe(1)
    server.answer = json(both)
    passSeconds(31)
    expect(await outcomeOf(auth, byFirst)).toBe('ada')
    expect(events.map(({ type }) => type)).toEqual(['keys.unavailable', 'keys.recovered'])
  })

  test('after a good set leaves that one in place, and then makes nobody wait', async () => {
    const server = await createKeyServer(json(both))
    const { auth, events } = createReader(server.uri)
    expect(await outcomeOf(auth, byFirst)).toBe('ada')
    server.answer = answer
    passSeconds(601)
    expect(await outcomeOf(auth, byFirst)).toBe('ada')
    expect(server.requests).toBe(2)
    expect(await outcomeOf(auth, bySecond)).toBe('bob')
    expect(server.requests).toBe(2)
    expect(events.map(({ type }) => type)).toEqual(['keys.unavailable'])
    server.answer = json(second.jwks())
    passSeconds(31)
    // Tried in the background: this one is still judged by the last set.
    expect(await outcomeOf(auth, byFirst)).toBe('ada')
    await vi.waitFor(() => expect(events.at(-1)).toEqual({ type: 'keys.recovered' }))
    expect(await outcomeOf(auth, byFirst)).toBe('key_unknown')
    expect(await outcomeOf(auth, bySecond)).toBe('bob')
    expect(server.requests).toBe(3)
  })
})

// ---- Which keys of a set are used ----

const rsaToken = await createRing([{ ...keyOf.RS256(), kid: 'r' }], { clock }).createAccessToken('ada')
const rsaJwk = { ...publicJwk(pairs.rsa), kid: 'r', alg: 'RS256', use: 'sig' }
const weak = createAuth({ privateKey: pairs.rsa.privateKey, algorithm: 'RS256', clock })
const rs256Header = { alg: 'RS256', typ: 'JWT', kid: 'r' }

test('a set may hold as many keys as any service has', async () => {
  const others = Array.from({ length: 99 }, (_, index) => ({ ...both.keys[0], kid: `k${index}` }))
  const server = await createKeyServer(json({ keys: [...others, both.keys[0]] }))
  expect(await outcomeOf(createReader(server.uri).auth, byFirst)).toBe('ada')
})

describe('a key of the set', () => {
  const usable: Readonly<Record<string, unknown>> = {
    'with all members': rsaJwk,
    'without alg, where one algorithm fits': { ...rsaJwk, alg: undefined },
    'without use': { ...rsaJwk, use: undefined },
    'with operations that include ours': { ...rsaJwk, key_ops: ['verify'] },
    'with members that nobody knows': { ...rsaJwk, x5t: 'a', ext: true, note: [1] },
  }
  test.each(Object.keys(usable))('%s is used', async (name) => {
    const server = await createKeyServer(json({ keys: [usable[name]] }))
    const { auth, events } = createReader(server.uri)
    expect(await outcomeOf(auth, rsaToken)).toBe('ada')
    expect(events).toEqual([])
  })

  const unusable: Readonly<Record<string, unknown>> = {
    'without a kid': { ...rsaJwk, kid: undefined },
    'with an empty kid': { ...rsaJwk, kid: '' },
    'with a kid that is a number': { ...rsaJwk, kid: 1 },
    'for another algorithm': { ...rsaJwk, alg: 'RS512' },
    'for no algorithm that there is': { ...rsaJwk, alg: 'none' },
    'for encryption': { ...rsaJwk, use: 'enc' },
    'for other operations': { ...rsaJwk, key_ops: ['encrypt'] },
    'that is private': { ...privateJwk(pairs.rsa), kid: 'r', alg: 'RS256' },
    'with the private exponent alone': { ...rsaJwk, d: privateJwk(pairs.rsa)['d'] },
    'with a private member that cannot be read': { ...rsaJwk, d: null },
    'that is a secret': { kty: 'oct', kid: 'r', k: Buffer.from(secretKey).toString('base64url') },
    'that is too short': { ...publicJwk(pairs.shortRsa), kid: 'r', alg: 'RS256' },
    'with an exponent of one': { ...rsaJwk, e: 'AQ' },
    'of a kind that does not exist': { kty: 'XYZ', kid: 'r' },
    'on another curve': { ...publicJwk(pairs.p384), kid: 'r' },
    'with a broken number': { ...rsaJwk, n: '!' },
    'without a number': { ...rsaJwk, n: undefined },
  }
  test.each(Object.keys(unusable))('%s is not, and an operator is told', async (name) => {
    const server = await createKeyServer(json({ keys: [unusable[name], ...first.jwks().keys] }))
    const { auth, events } = createReader(server.uri)
    expect(await outcomeOf(auth, rsaToken)).toBe('key_unknown')
    expect(await outcomeOf(auth, byFirst)).toBe('ada')
    expect(events).toContainEqual({
      type: 'keys.warning',
      remedy: expect.stringMatching(/^1 of 2 keys of jwksUri cannot be used/),
    })
  })

  test('whose kid another one has is not used, nor is the other', async () => {
    const twin = { ...publicJwk(pairs.otherRsa), kid: 'r', alg: 'RS256' }
    for (const keys of [
      [rsaJwk, twin],
      [twin, rsaJwk],
      [rsaJwk, twin, rsaJwk],
      [rsaJwk, { ...rsaJwk, use: 'enc' }],
    ]) {
      const server = await createKeyServer(json({ keys }))
      expect(await outcomeOf(createReader(server.uri).auth, rsaToken)).toBe('key_unknown')
    }
  })

  test('without alg is not used where several algorithms fit: no header chooses', async () => {
    const server = await createKeyServer(json({ keys: [{ ...rsaJwk, alg: undefined }] }))
    const { auth } = createReader(server.uri, { decodeAlgorithms: ['RS256', 'PS256'] })
    expect(await outcomeOf(auth, rsaToken)).toBe('key_unknown')
  })

  test('is not used with an algorithm outside of decodeAlgorithms', async () => {
    const server = await createKeyServer(json({ keys: [rsaJwk, ...both.keys] }))
    const { auth } = createReader(server.uri, { decodeAlgorithms: ['ES256'] })
    expect(await outcomeOf(auth, rsaToken)).toBe('alg_forbidden')
    expect(await outcomeOf(auth, byFirst)).toBe('ada')
  })

  test('is no secret, whatever the header of a token says', async () => {
    const server = await createKeyServer(json({ keys: [rsaJwk] }))
    const { auth } = createReader(server.uri)
    for (const key of [JSON.stringify(rsaJwk), String(publicJwk(pairs.rsa)['n'])]) {
      expect(await outcomeOf(auth, forge({ alg: 'HS256', kid: 'r' }, goodClaims(), key))).toBe(
        'alg_forbidden',
      )
      expect(await outcomeOf(auth, forge(rs256Header, goodClaims(), key))).toBe('signature_invalid')
    }
    expect(await outcomeOf(auth, `${encode({ alg: 'none', kid: 'r' })}.${encode(goodClaims())}.`)).toBe(
      'alg_forbidden',
    )
  })

  test('is asked for by its name alone: tokens without a kid find none', async () => {
    const server = await createKeyServer(json({ keys: [rsaJwk] }))
    const { auth } = createReader(server.uri)
    expect(await outcomeOf(auth, await weak.createAccessToken('ada'))).toBe('key_unknown')
  })
})

describe('createAuth', () => {
  const uri = 'https://keys.example/jwks.json'
  const beside: Readonly<Record<string, AuthOptions>> = {
    decodeAlgorithms: {},
    secretKey: { secretKey: newSecret(), decodeAlgorithms: ['RS256'] },
    privateKey: { privateKey: pairs.rsa.privateKey, decodeAlgorithms: ['RS256'] },
    publicKey: { publicKey: pairs.rsa.publicKey, decodeAlgorithms: ['RS256'] },
    algorithm: { algorithm: 'RS256', decodeAlgorithms: ['RS256'] },
  }
  test.each(Object.keys(beside))('with jwksUri tells of %s', (name) => {
    expect(refusalOf(() => createAuth({ jwksUri: uri, ...beside[name] }))).toMatch(
      new RegExp(`- ${name} (?:is missing|cannot stand beside jwksUri)`),
    )
  })

  test('with jwksUri refuses secrets as an algorithm', () => {
    expect(refusalOf(() => createAuth({ jwksUri: uri, decodeAlgorithms: ['RS256', 'HS256'] }))).toMatch(
      /decodeAlgorithms cannot hold HS256 with jwksUri/,
    )
  })

  test.each(['http://localhost:8080/', 'http://127.0.0.1/', 'http://[::1]:1/', 'https://a.example/'])(
    'takes %s',
    (address) => {
      expect(createAuth({ jwksUri: address, decodeAlgorithms: ['RS256'] }).options.jwksUri?.uri).toBe(address)
    },
  )

  test('with jwksUri takes no cooldown that a set would outlive its maxAge by', () => {
    const create = (times: object): unknown =>
      createAuth({ jwksUri: { uri, ...times }, decodeAlgorithms: ['RS256'] }).options.jwksUri
    expect(refusalOf(() => create({ maxAge: '1m', cooldown: '2m' }))).toMatch(
      /- jwksUri must be an object whose cooldown is not longer than its maxAge/,
    )
    expect(create({ maxAge: '1m', cooldown: '1m' })).toMatchObject({ maxAge: 60, cooldown: 60 })
    expect(create({ maxAge: 10 })).toMatchObject({ maxAge: 10, cooldown: 10 })
    for (const times of [{ maxAge: null }, { cooldown: null }, { maxAge: 0 }, { cooldown: '0s' }])
      expect(refusalOf(() => create(times))).toMatch(/- jwksUri has a (?:maxAge|cooldown) that/)
  })

  test('with jwksUri has no ring to change', () => {
    const auth = createAuth({ jwksUri: uri, decodeAlgorithms: ['RS256'] })
    expect(() => auth.setKeys([keyOf.RS256()])).toThrow(/setKeys\(\) needs the option keys/)
  })
})

test('the set of one Auth is what another verifies with', async () => {
  const issuer = createRing([{ ...keyOf.ES256() }, { ...keyOf.RS256(), use: 'verify' }], { clock })
  const server = await createKeyServer((_request, response) => {
    const { status, headers, body } = issuer.jwksAnswer()
    response.writeHead(status, headers).end(body)
  })
  const { auth } = createReader(server.uri)
  expect(await outcomeOf(auth, await issuer.createAccessToken('ada'))).toBe('ada')
  issuer.setKeys([keyOf.RS256(), { ...keyOf.ES256(), use: 'verify' }])
  expect(await outcomeOf(auth, await issuer.createAccessToken('bob'))).toBe('bob')
})
