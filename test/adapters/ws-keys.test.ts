// Open sockets and the tickets that renew them, with every kind of key: rings, key services, encryption, keys of another service.

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { sign } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import { createAuth } from '../../src/index.ts'
import type { AuthOptions, RingKey } from '../../src/index.ts'
import { headerOf, keyOf, newSecret, pairs, verifying } from '../_keys.ts'
import { createSite } from '../_sessions.ts'
import type { Browser } from '../_sessions.ts'
import { codeOf, createClock, forge, goodClaims, startSeconds } from '../_setup.ts'
import { Client, listenForSockets } from './_ws.ts'

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
})

const old = { kid: 'old', algorithm: 'HS256', secretKey: newSecret() } as const
const next = { kid: 'next', algorithm: 'HS256', secretKey: newSecret() } as const
const pair = { kid: 'pair', algorithm: 'ES256', privateKey: pairs.otherP256.privateKey } as const
const encryption = { key: newSecret(32) }

type Sign = (bytes: Uint8Array) => Promise<Uint8Array>

const atService: Sign = async (bytes) => {
  await wait(5)
  return sign('sha256', bytes, { key: pairs.p256.privateKey, dsaEncoding: 'ieee-p1363' })
}

const service = (ask: Sign = atService): RingKey => ({
  kid: 'kms',
  algorithm: 'ES256',
  publicKey: pairs.p256.publicKey,
  sign: (bytes) => ask(bytes),
})

async function open(options: AuthOptions) {
  const site = createSite({ secretKey: undefined, ...options })
  await site.auth.ready()
  const live = await listenForSockets(site.auth)
  ends.push(
    () => live.close(),
    () => site.auth.close(),
  )
  const browser = site.browser()
  await browser.login('ada')
  return { ...site, ...live, site, live, browser, connect: () => connectAs(browser.jar, live) }
}

async function connectAs(
  jar: Readonly<Record<string, string>>,
  { host, origin }: { readonly host: string; readonly origin: string },
): Promise<Client> {
  const headers = { cookie: `access_token_cookie=${jar['access_token_cookie']}`, origin }
  const client = new Client(host, headers, ['chat', `tallystick.csrf.${jar['csrf_access_token']}`])
  ends.push(() => client.socket.terminate())
  expect(await client.outcome).toBe('open')
  await client.message()
  return client
}

const ticketOf = async (browser: Browser): Promise<string> => {
  const { body } = await browser.send('POST', async (authorize) => {
    await authorize.jwtRequired()
    return { ticket: await authorize.createSocketTicket() }
  })
  return String(body['ticket'])
}

const slowSchema = {
  '~standard': {
    version: 1 as const,
    vendor: 'test',
    async validate(value: unknown) {
      await wait(20)
      return { value: value as Record<string, unknown> }
    },
  },
}

/** Longer than what sockets are looked at in. */
const rounds = 2200

const kinds: Readonly<Record<string, AuthOptions>> = {
  'a ring of secrets': { keys: [old, verifying(next)] },
  'a ring whose key makes tokens without a kid': { keys: [{ ...old, legacy: 'sign' }] },
  'a ring with a pair': { keys: [pair, verifying(old)] },
  'a key service': { keys: [service()] },
  encryption: { secretKey: newSecret(), encryption },
  'a key service and encryption': { keys: [service(), verifying(old)], encryption },
}

describe.each(Object.keys(kinds))('with %s', (kind) => {
  const options = kinds[kind] ?? {}

  test('a socket goes on by a ticket, and closes at the end of its token', async () => {
    const { browser, connect, clock, sessions } = await open(options)
    const client = await connect()
    clock.advance(600)
    await browser.refresh()
    const claims = await sessions[0]?.renew(await ticketOf(browser))
    expect(claims).toMatchObject({ sub: 'ada', type: 'access', exp: clock() + 900 })
    clock.advance(899)
    await wait(rounds)
    client.socket.send('still here')
    expect(await client.message(2)).toBe('still here')
    clock.advance(1)
    expect(await client.closed).toBe('4401 token_expired')
  })

  test('a ticket is made as tokens are, and is none', async () => {
    const { browser, auth } = await open(options)
    const ticket = await ticketOf(browser)
    const token = browser.jar['access_token_cookie'] ?? ''
    expect(ticket.split('.')).toHaveLength(token.split('.').length)
    if (options.encryption === undefined) {
      expect(headerOf(ticket)).toEqual({ ...headerOf(token), typ: 'ticket+jwt' })
      expect(auth.getUnverifiedJwtClaims(ticket)).not.toHaveProperty('csrf')
    }
    expect(await codeOf(() => auth.verify(ticket))).toBe('wrong_token_type')
    const thief = browser.copy()
    thief.jar['access_token_cookie'] = ticket
    expect((await thief.get()).code).toBe('wrong_token_type')
    const either = await thief.send('GET', (authorize) => authorize.jwtRequired({ verifyType: false }))
    expect(either.code).toBe('wrong_token_type')
    thief.jar['refresh_token_cookie'] = ticket
    expect((await thief.refresh()).code).toBe('wrong_token_type')
  })

  test('a ticket of another user or another session renews nothing', async () => {
    const { browser, connect, sessions, site } = await open(options)
    await connect()
    for (const name of ['ada', 'bob']) {
      const other = site.browser()
      await other.login(name)
      const ticket = await ticketOf(other)
      expect(await codeOf(() => sessions[0]?.renew(ticket))).toBe('token_invalid')
    }
    const own = await ticketOf(browser)
    expect(await codeOf(() => sessions[0]?.renew(own))).toBe('passed')
  })
})

test('a ticket that is not encrypted renews nothing where tokens are', async () => {
  const keys = { secretKey: newSecret() }
  const { connect, sessions, site, browser } = await open({ ...keys, encryption })
  await connect()
  const moving = createSite(
    { ...keys, store: site.store, encryption: { ...encryption, plain: 'make' } },
    site.clock,
  )
  ends.push(() => moving.auth.close())
  const stays = moving.browser()
  stays.jar = { ...browser.jar }
  const ticket = await ticketOf(stays)
  expect(ticket.split('.')).toHaveLength(3)
  expect(await codeOf(() => sessions[0]?.renew(ticket))).toBe('token_invalid')
})

test.each([
  ['fails', () => Promise.reject(new Error('quota exceeded'))],
  ['answers nonsense', async () => new Uint8Array(64)],
  ['never answers', () => new Promise<never>(() => undefined)],
] as [string, Sign][])(
  'a key service that %s gives no ticket, and the socket stays',
  async (_what, failing) => {
    let ask = atService
    const { browser, connect, clock } = await open({ keys: [service((bytes) => ask(bytes))] })
    const client = await connect()
    ask = failing
    const refused = await browser.send('POST', async (authorize) => {
      await authorize.jwtRequired()
      return authorize.createSocketTicket()
    })
    expect(refused).toMatchObject({ status: 503, code: 'store_unavailable' })
    clock.advance(60)
    client.socket.send('still here')
    expect(await client.message(2)).toBe('still here')
  },
)

describe('setKeys', () => {
  test('closes sockets that were opened or renewed by a key that is gone, and no others', async () => {
    const { auth, browser, connect, sessions, site, live } = await open({ keys: [old, verifying(next)] })
    const opened = await connect()
    const renewed = await connect()
    await sessions[1]?.renew(await ticketOf(browser))
    auth.setKeys([next, verifying(old)])
    const young = site.browser()
    await young.login('bob')
    const client = await connectAs(young.jar, live)
    // This one's token is of the old key, and its ticket of the new one.
    const moved = await connect()
    await sessions[3]?.renew(await ticketOf(browser))
    await wait(rounds)
    expect([opened, renewed, client, moved].map(({ socket }) => socket.readyState)).toEqual([1, 1, 1, 1])
    auth.setKeys([next])
    expect(await opened.closed).toBe('4401 token_invalid')
    expect(await renewed.closed).toBe('4401 token_invalid')
    await wait(rounds)
    for (const { socket } of [client, moved]) expect(socket.readyState).toBe(1)
  })
})

describe('a socket that somebody opened with a key that got out', () => {
  /** Without an end: whoever has the key decides that. */
  const forged = (secretKey: string, kid: string): string =>
    forge({ alg: 'HS256', typ: 'JWT', kid }, goodClaims({ exp: startSeconds + 1e9 }), secretKey)

  test.each([
    ['', {}],
    [' with a schema that takes its time', { claims: slowSchema }],
    [' while a denylist is asked', { denylist: async () => wait(50).then(() => false) }],
    [' without a cache', { verifiedTokenCache: 0 }],
  ] as [string, AuthOptions][])('is closed when that key is dropped%s', async (_title, options) => {
    const auth = createAuth({
      keys: [old, verifying(next)],
      clock: createClock(),
      tokenLocation: ['headers'],
      ...options,
    })
    const live = await listenForSockets(auth)
    ends.push(
      () => live.close(),
      () => auth.close(),
    )
    const authorization = `Bearer ${forged(old.secretKey, old.kid)}`
    const client = new Client(live.host, { authorization, origin: live.origin })
    ends.push(() => client.socket.terminate())
    await client.message()
    auth.setKeys([{ ...old, secretKey: newSecret() }])
    expect(await client.closed).toBe('4401 token_invalid')
  })

  test('of another service is closed when that withdraws the key, though nobody else asks', async () => {
    const clock = createClock()
    const issuer = createAuth({ keys: [pair], clock })
    let set: unknown = issuer.jwks()
    const server = createServer((_request, response) => response.end(JSON.stringify(set)))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    ends.push(() => server.close())
    const uri = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
    const auth = createAuth({
      jwksUri: { uri, maxAge: 1, cooldown: 1 },
      decodeAlgorithms: ['ES256'],
      tokenLocation: ['headers'],
      clock,
    })
    const live = await listenForSockets(auth)
    ends.push(
      () => live.close(),
      () => auth.close(),
    )
    const authorization = `Bearer ${await issuer.createAccessToken('ada')}`
    const client = new Client(live.host, { authorization, origin: live.origin })
    ends.push(() => client.socket.terminate())
    await client.message()
    await wait(rounds)
    expect(client.socket.readyState).toBe(1)
    set = createAuth({ keys: [keyOf.EdDSA()] }).jwks()
    expect(await client.closed).toBe('4401 token_invalid')
  })
})
