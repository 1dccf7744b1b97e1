/** Runs the attack table against the front door: every token on every way in, every option, every argument. */

import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { createSecretKey, generateKeyPairSync } from 'node:crypto'
import net from 'node:net'
import { AuthError, createAuth } from '../src/index.ts'
import type {
  AnyUserClaims,
  Auth,
  AuthEvent,
  AuthOptions,
  TokenLocation,
  UserClaimsSchema,
} from '../src/index.ts'
import { webAuth } from '../src/adapters/web.ts'
import type { WebAuth } from '../src/adapters/web.ts'
import { codeOf, createClock, encode, forge, secretKey, setup, startSeconds } from './_setup.ts'
import {
  allAlgorithms,
  claims,
  ecdsaAlgorithms,
  goodToken,
  malleated,
  markers,
  privatePem,
  verifierFor,
  withSignature,
} from './attacks-token-forge.ts'
import {
  catalogue,
  laterRows,
  optionsAttacks,
  scenarios,
  signingAttacks,
  tokenAttacks,
} from './attacks-token.ts'
import type { Outcome, TokenAttack } from './attacks-token.ts'

const rejections: unknown[] = []
const note = (reason: unknown): void => {
  rejections.push(reason)
}

beforeAll(() => {
  process.on('unhandledRejection', note)
  vi.spyOn(globalThis, 'fetch').mockRejectedValue(new Error('nothing may be fetched'))
  vi.spyOn(net.Socket.prototype, 'connect').mockImplementation(() => {
    throw new Error('nothing may be connected')
  })
})

afterAll(() => {
  process.off('unhandledRejection', note)
  vi.restoreAllMocks()
})

/** The title of a row. */
function titled<Row extends { readonly id: number; readonly input: string }>(
  rows: readonly Row[],
): [string, Row][] {
  return rows.map((row) => [`#${row.id} ${row.input}`, row])
}

const hs256 = { alg: 'HS256', typ: 'JWT' }

/** Cuts a token, and what is known of its content, into what nobody may see again. */
function secretsOf(token: string): string[] {
  const parts = [token, ...token.split('.')]
    .filter((part) => part.length >= 8)
    .map((part) => part.slice(0, 4000))
  return [...parts, ...Object.values(markers), secretKey]
}

function expectSilence(texts: readonly string[], secrets: readonly string[]): void {
  const all = texts.join('\n')
  expect(secrets.filter((secret) => all.includes(secret))).toEqual([])
}

function textsOf(error: unknown): string[] {
  if (!(error instanceof Error)) return [JSON.stringify(error) ?? '']
  return [
    error.message,
    error.stack ?? '',
    JSON.stringify(error),
    ...(error.cause === undefined ? [] : textsOf(error.cause)),
  ]
}

async function thrownBy(step: () => unknown): Promise<unknown> {
  try {
    await step()
  } catch (error) {
    return error
  }
  return undefined
}

interface Carried {
  readonly name: string
  readonly location: TokenLocation
  readonly guard: 'jwtRequired' | 'jwtOptional' | 'jwtRefreshTokenRequired' | 'freshJwtRequired'
  readonly method: string
  readonly url: string
  readonly headers: Record<string, string>
  readonly body?: string
}

/** Every way of a token into a server. */
function carriersOf({ guard = 'jwtRequired' }: TokenAttack, token: string): Carried[] {
  const isRefresh = guard === 'jwtRefreshTokenRequired'
  const cookie = `${isRefresh ? 'refresh' : 'access'}_token_cookie=${token}`
  const csrf = { 'x-csrf-token': markers.csrf }
  const url = 'https://app.example/'
  const json = JSON.stringify({ [isRefresh ? 'refresh_token' : 'access_token']: token })
  const query = `${url}?jwt=${encodeURIComponent(token)}`
  const length = String(Buffer.byteLength(json))
  const all: Carried[] = [
    { name: 'cookie', location: 'cookies', guard, method: 'GET', url, headers: { cookie } },
    {
      name: 'cookie and CSRF',
      location: 'cookies',
      guard,
      method: 'POST',
      url,
      headers: { cookie, ...csrf },
    },
    {
      name: 'header',
      location: 'headers',
      guard,
      method: 'GET',
      url,
      headers: { authorization: `Bearer ${token}` },
    },
    { name: 'query', location: 'query', guard, method: 'GET', url: query, headers: {} },
    {
      name: 'body',
      location: 'json',
      guard,
      method: 'POST',
      url,
      headers: { 'content-type': 'application/json', 'content-length': length },
      body: json,
    },
  ]
  const optional: Carried = {
    name: 'cookie, optional',
    location: 'cookies',
    guard: 'jwtOptional',
    method: 'GET',
    url,
    headers: { cookie },
  }
  // Longer bodies are not searched for a token.
  const fitting = json.length > 60_000 ? all.filter(({ location }) => location !== 'json') : all
  return guard === 'jwtRequired' ? [...fitting, optional] : fitting
}

interface Server {
  readonly auth: Auth
  readonly web: WebAuth<AnyUserClaims, unknown>
  readonly events: AuthEvent[]
}

/** Sends the request, by the port where a `Request` cannot hold the characters. */
async function send(
  { auth, web }: Server,
  carried: Carried,
): Promise<{ runs: number; response: Response; written: string[] }> {
  const { guard, location, method, url, headers, body } = carried
  const locations = [location]
  let runs = 0
  const written: string[] = []
  if (Object.values(headers).every((value) => /^[\x20-\x7e]*$/.test(value))) {
    const handler = web[guard]({ locations })((_request: Request) => {
      runs++
      return new Response('reached')
    })
    const response = await handler(new Request(url, { method, headers, ...(body !== undefined && { body }) }))
    written.push(...response.headers.getSetCookie())
    return { runs, response, written }
  }
  const request = {
    method,
    url,
    header: (name: string) => headers[name],
    body: () => JSON.parse(body ?? '{}') as unknown,
  }
  const push = (name: string, value: string): unknown => written.push(`${name}: ${value}`)
  const bound = auth.authorize(request, { append: push, set: push, sent: false })
  const error = await thrownBy(async () => {
    await bound[guard]({ locations })
    runs++
  })
  if (error === undefined) return { runs, response: new Response('reached'), written }
  if (!AuthError.is(error)) throw error
  expect(bound.getRawJwt()).toBeNull()
  expectSilence(textsOf(error), Object.values(markers))
  return { runs, response: error.getResponse(), written }
}

/** In a header, what is no visible character is told apart, since it can be seen before any decoding. */
function outcomeIn({ location }: Carried, token: string, expected: Outcome): Outcome {
  if (location !== 'headers' || /^[\x21-\x7e]+$/.test(token)) return expected
  return { code: 'header_invalid' }
}

describe('the table', () => {
  const covered = new Set([
    ...[...tokenAttacks, ...optionsAttacks, ...signingAttacks, ...laterRows].map(({ id }) => id),
    ...Object.values(scenarios),
  ])

  test.each(Object.entries(catalogue))('answers for every row of "%s"', (_, ids) => {
    expect(ids.filter((id) => !covered.has(id))).toEqual([])
  })

  test('names no row that is not in the catalogue', () => {
    const known = new Set(Object.values(catalogue).flat())
    expect([...covered].filter((id) => !known.has(id))).toEqual([])
  })

  test('leaves no row for later that is answered already', () => {
    const now = new Set(tokenAttacks.map(({ id }) => id))
    expect(laterRows.filter(({ id }) => now.has(id))).toEqual([])
  })
})

describe.each(titled(tokenAttacks))('%s', (_, attack) => {
  const { auth: options = {}, expected, tokens, guard = 'jwtRequired', onlyByHand = false } = attack
  const server = setup(options)
  const expectations = {
    type: guard === 'jwtRefreshTokenRequired' ? 'refresh' : 'access',
    fresh: guard === 'freshJwtRequired',
  } as const

  test.each(Object.entries(tokens))('by hand: %s', async (_, token) => {
    const error = await thrownBy(() => server.auth.verify(token, expectations))
    if (expected === 'passes') {
      expect(error).toBeUndefined()
      return
    }
    expect(AuthError.is(error, expected.code), textsOf(error).join(' ')).toBe(true)
    const { cause, status } = error as AuthError
    expect(status).toBe(401)
    if (expected.reason !== undefined) expect(cause).toBe(expected.reason)
    expectSilence(textsOf(error), secretsOf(token))
  })

  test.each(Object.entries(tokens))('unverified: %s', async (_, token) => {
    for (const read of [
      () => server.auth.getUnverifiedJwtHeaders(token),
      () => server.auth.getUnverifiedJwtClaims(token),
    ]) {
      const error = await thrownBy(read)
      expect(error === undefined || AuthError.is(error), textsOf(error).join(' ')).toBe(true)
      expectSilence(textsOf(error), secretsOf(token))
    }
  })

  test.each(onlyByHand ? [] : Object.entries(tokens))('through the front door: %s', async (_, token) => {
    for (const carried of carriersOf(attack, token)) {
      server.events.length = 0
      const { runs, response, written } = await send(server, carried)
      const outcome = outcomeIn(carried, token, expected)
      const body = await response.text()
      expect(written, carried.name).toEqual([])
      if (outcome === 'passes') {
        expect([carried.name, response.status, runs]).toEqual([carried.name, 200, 1])
        expect(server.events).toEqual([])
        continue
      }
      const { code } = JSON.parse(body) as { code: string }
      expect([carried.name, response.status, code, runs]).toEqual([carried.name, 401, outcome.code, 0])
      expect(server.events).toHaveLength(1)
      const [event] = server.events
      expect(event).toMatchObject({
        type: 'rejected',
        code: outcome.code,
        ...(outcome.code !== 'header_invalid' && { location: carried.location }),
      })
      if (outcome.reason !== undefined) expect(event).toMatchObject({ reason: outcome.reason })
      expect(response.headers.get('www-authenticate')).toMatch(/^Bearer error="/)
      expectSilence(
        [body, JSON.stringify([...response.headers]), JSON.stringify(server.events)],
        secretsOf(token),
      )
    }
  })
})

/** Long enough texts and bytes inside of options, in the spellings in which a message might repeat them. */
function materialOf(value: unknown, depth = 0): string[] {
  if (depth > 4 || value === null || value === undefined) return []
  if (typeof value === 'string') return value.split(/\s+/).filter((line) => line.length >= 24)
  if (value instanceof Uint8Array && value.length >= 16) {
    const bytes = Buffer.from(value)
    return [
      ...materialOf(bytes.toString('latin1')),
      bytes.toString('base64url'),
      bytes.toString('hex'),
      bytes.toString('base64'),
    ]
  }
  return typeof value === 'object' ? Object.values(value).flatMap((item) => materialOf(item, depth + 1)) : []
}

describe.each(titled(optionsAttacks))('%s: createAuth', (_, { option, options }) => {
  test.each(Object.entries(options))('is refused: %s', async (_, given) => {
    const error = await thrownBy(() => createAuth(given as AuthOptions))
    expect(error, 'createAuth took it').toBeInstanceOf(TypeError)
    expect((error as TypeError).message).toContain(option)
    expectSilence(textsOf(error), materialOf(given))
  })
})

describe.each(titled(signingAttacks))('%s: a token', (_, { names, arguments: all }) => {
  const { auth } = setup()

  test.each(Object.entries(all))('cannot be made: %s', async (_, { subject = 'test', options = {} }) => {
    const port = { method: 'GET', header: () => undefined }
    const bound = auth.authorize(port, { append: () => {}, set: () => {}, sent: false })
    for (const maker of [auth, bound]) {
      for (const name of ['createAccessToken', 'createRefreshToken'] as const) {
        const make = maker[name].bind(maker) as (subject: unknown, options: unknown) => Promise<string>
        const error = await thrownBy(() => make(subject, options))
        expect(error, `${name} took it`).toBeInstanceOf(TypeError)
        expect((error as TypeError).message).toContain(names)
        expectSilence(textsOf(error), [...Object.values(markers), secretKey])
      }
    }
  })
})

/** A schema that takes everything and counts its calls, which is how often a token was not found in the cache. */
function countingSchema(transform: (value: Record<string, unknown>) => unknown = (value) => value): {
  readonly schema: UserClaimsSchema<Record<string, unknown>>
  readonly calls: () => number
} {
  let calls = 0
  const validate = (value: unknown): { value: Record<string, unknown> } => {
    calls++
    return { value: transform(value as Record<string, unknown>) as Record<string, unknown> }
  }
  return { schema: { '~standard': { version: 1, vendor: 'test', validate } }, calls: () => calls }
}

const request = (headers: Record<string, string>, method = 'GET'): Request =>
  new Request('https://app.example/', { method, headers })

const withCookie = (token: string, method = 'GET', csrf?: string): Request =>
  request(
    { cookie: `access_token_cookie=${token}`, ...(csrf !== undefined && { 'x-csrf-token': csrf }) },
    method,
  )

const reached = (_request: Request): Response => new Response('reached')

/** The whole answer, for comparing two refusals. */
async function answerTo(web: WebAuth<AnyUserClaims, unknown>, sent: Request): Promise<string> {
  const response = await web.jwtRequired()(reached)(sent)
  return JSON.stringify([response.status, [...response.headers], await response.text()])
}

/** Which texts a token does not survive as. */
async function survivors(auth: Auth, texts: Iterable<string>): Promise<string[]> {
  const passed: string[] = []
  for (const text of texts) {
    const code = await codeOf(() => auth.verify(text))
    if (code !== 'token_invalid') passed.push(`${code}: ${text}`)
  }
  return passed
}

function* flippedBytes(token: string, bits: readonly number[]): Iterable<string> {
  const parts = token.split('.')
  for (const [part, text] of parts.entries()) {
    const bytes = Buffer.from(text, 'base64url')
    for (let at = 0; at < bytes.length; at++) {
      for (const bit of bits) {
        const changed = Buffer.from(bytes)
        changed[at] = (bytes[at] ?? 0) ^ (1 << ((bit + at) % 8))
        yield parts.with(part, changed.toString('base64url')).join('.')
      }
    }
  }
}

function* flippedCharacters(token: string): Iterable<string> {
  for (let at = 0; at < token.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      yield token.slice(0, at) + String.fromCharCode(token.charCodeAt(at) ^ (1 << bit)) + token.slice(at + 1)
    }
  }
}

const everyBit = [0, 1, 2, 3, 4, 5, 6, 7]

const courses: Readonly<Record<keyof typeof scenarios, () => Promise<void>>> = {
  async 'a flipped bit anywhere makes a token bad'() {
    const { auth } = setup()
    expect(await survivors(auth, flippedBytes(goodToken(), everyBit))).toEqual([])
    expect(await survivors(auth, flippedCharacters(goodToken()))).toEqual([])
    for (const algorithm of allAlgorithms) {
      const other = setup(verifierFor(algorithm)).auth
      expect(await survivors(other, flippedBytes(goodToken(algorithm), [0])), algorithm).toEqual([])
      expect(await codeOf(() => other.verify(goodToken(algorithm)))).toBe('passed')
    }
  },

  async 'a malleated token is the same token to a denylist'() {
    for (const algorithm of ecdsaAlgorithms) {
      const revoked = new Set<string>()
      const { auth } = setup({ ...verifierFor(algorithm), denylist: ({ jti }) => revoked.has(jti) })
      const twins = [goodToken(algorithm), malleated(algorithm)]
      const identities = await Promise.all(twins.map((token) => auth.verify(token)))
      expect(identities[1]).toEqual(identities[0])
      revoked.add(markers.jti)
      for (const token of twins) expect(await codeOf(() => auth.verify(token))).toBe('token_revoked')
    }
  },

  async 'a verifier cannot sign'() {
    for (const algorithm of allAlgorithms.filter((name) => !name.startsWith('HS'))) {
      const { auth } = setup(verifierFor(algorithm))
      const error = await thrownBy(() => auth.createAccessToken('test'))
      expect(error).toBeInstanceOf(TypeError)
      expect(String(error)).toContain('privateKey')
    }
  },

  async 'ten thousand polluting tokens change no prototype'() {
    const { auth } = setup({ claims: countingSchema((value) => ({ ...value })).schema })
    for (let run = 0; run < 10_000; run++) {
      const polluting = `"__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}},"run":${run}`
      const token = forge(
        `{"alg":"HS256","__proto__":{"admin":true}}`,
        `{${polluting},${JSON.stringify(claims()).slice(1)}`,
      )
      const found = await auth.verify(token)
      expect(Object.getPrototypeOf(found)).toBe(Object.prototype)
      expect((found as { admin?: unknown }).admin).toBeUndefined()
    }
    for (const value of [{}, [], () => {}, '', 0, Object.create(null) as object]) {
      expect((value as { admin?: unknown }).admin).toBeUndefined()
    }
  },

  async 'a then claim does not make the claims a thenable'() {
    const userClaims = {
      then: 'text',
      toJSON: { call: 1 },
      hasOwnProperty: true,
      valueOf: null,
      toString: 'x',
    }
    const { auth, web } = setup()
    const token = await auth.createAccessToken('test', { userClaims })
    expect(await auth.verify(token)).toMatchObject({ sub: 'test', then: 'text', toString: 'x' })
    const authorize = web.authorize(withCookie(token))
    expect(await authorize.jwtRequired()).toBe(authorize.claims())
    expect(authorize.claims()).toMatchObject(userClaims)
  },

  async 'subjects are compared byte by byte and never normalised'() {
    const subjects = ['é', 'e\u0301', 'a', 'A', 'a ', 'a\u0000', '\ud800', '\ufffd', 'ß', 'ss', 'ſ', 's']
    const { auth } = setup()
    const found: string[] = []
    for (const subject of subjects) found.push((await auth.verify(await auth.createAccessToken(subject))).sub)
    expect(found).toEqual(subjects)
    expect(new Set(found).size).toBe(subjects.length)
  },

  async 'leeway is exact'() {
    for (const decodeLeeway of [0, 1, 5, 300]) {
      const { auth, clock } = setup({ decodeLeeway })
      const token = goodToken()
      clock.advance(899 + decodeLeeway)
      expect(await codeOf(() => auth.verify(token))).toBe('passed')
      clock.advance(0.999)
      expect(await codeOf(() => auth.verify(token))).toBe('passed')
      clock.advance(0.001)
      expect(await codeOf(() => auth.verify(token))).toBe('token_expired')
      clock.advance(-901)
      expect(await codeOf(() => auth.verify(token))).toBe('passed')
    }
  },

  async 'no jti is made twice'() {
    const { auth } = setup()
    const seen = new Set<unknown>()
    for (let run = 0; run < 5000; run++) {
      const { jti, csrf } = auth.getUnverifiedJwtClaims(await auth.createAccessToken('test'))
      seen.add(jti).add(csrf)
    }
    expect(seen.size).toBe(10_000)
  },

  async 'a sign-in that is too old needs another'() {
    const { web } = setup()
    const guard = web.freshJwtRequired({ within: '5m' })
    const cases: [unknown, number][] = [
      [startSeconds, 200],
      [startSeconds - 300, 200],
      [startSeconds - 301, 401],
      [startSeconds - 300.001, 401],
      [startSeconds - 89 * 86_400, 401],
      [undefined, 401],
    ]
    for (const [auth_time, status] of cases) {
      const response = await guard(reached)(withCookie(forge(hs256, claims({ auth_time }))))
      expect([auth_time, response.status]).toEqual([auth_time, status])
      if (status === 200) continue
      expect(response.headers.get('www-authenticate')).toContain('error="insufficient_user_authentication"')
      expect(response.headers.get('www-authenticate')).toContain('max_age="300"')
      expect(await response.json()).toMatchObject({ code: 'fresh_token_required' })
    }
  },

  async 'a token cached before the second factor is not fresh after it'() {
    const { web } = setup()
    const token = forge(hs256, claims({ fresh: false }))
    expect((await web.jwtRequired()(reached)(withCookie(token))).status).toBe(200)
    for (let run = 0; run < 3; run++) {
      const response = await web.freshJwtRequired()(reached)(withCookie(token))
      expect(await response.json()).toMatchObject({ code: 'fresh_token_required' })
    }
    const sent = withCookie(token)
    const authorize = web.authorize(sent)
    await authorize.jwtRequired()
    expect(await codeOf(() => authorize.freshJwtRequired())).toBe('fresh_token_required')
  },

  async 'a user who was disabled is refused at once'() {
    const enabled = new Set([markers.subject])
    const { auth, web } = setup({ userLookup: ({ sub }) => (enabled.has(sub) ? { sub } : null) })
    const bySwitch = setup({ denylist: ({ sub }) => !enabled.has(sub) })
    for (const isEnabled of [true, false, true, false]) {
      if (isEnabled) enabled.add(markers.subject)
      else enabled.delete(markers.subject)
      const answer = await answerTo(web, withCookie(goodToken()))
      expect(answer).toContain(isEnabled ? 'reached' : 'user_not_found')
      expect(await codeOf(() => bySwitch.auth.verify(goodToken()))).toBe(
        isEnabled ? 'passed' : 'token_revoked',
      )
    }
    // `verify` is about the token; whom it names is the guards' question.
    expect(await codeOf(() => auth.verify(goodToken()))).toBe('passed')
  },

  async 'a wrong CSRF value is refused alike wherever it differs'() {
    const { web } = setup()
    const answers = new Set<string>()
    for (let at = 0; at < markers.csrf.length; at++) {
      const wrong =
        markers.csrf.slice(0, at) + (markers.csrf[at] === 'x' ? 'y' : 'x') + markers.csrf.slice(at + 1)
      answers.add(await answerTo(web, withCookie(goodToken(), 'POST', wrong)))
    }
    expect(answers.size).toBe(1)
    expect([...answers][0]).toContain('csrf_mismatch')
    expect(await answerTo(web, withCookie(goodToken(), 'POST', markers.csrf))).toContain('reached')
  },

  async 'a CSRF value of another length is refused, not thrown at'() {
    const { web } = setup()
    const { csrf } = markers
    const wrong = [
      csrf.slice(1),
      csrf.slice(0, -1),
      `${csrf}x`,
      `${csrf}, ${csrf}`,
      'x',
      'null',
      csrf.repeat(100),
      'é'.repeat(36),
      csrf.toUpperCase(),
    ]
    const answers = new Set<string>()
    for (const value of wrong) answers.add(await answerTo(web, withCookie(goodToken(), 'POST', value)))
    expect(answers.size).toBe(1)
    expect([...answers][0]).toContain('csrf_mismatch')
    expect(await answerTo(web, withCookie(goodToken(), 'POST', ''))).toContain('csrf_missing')
  },

  async 'every wrong signature is answered alike'() {
    for (const algorithm of allAlgorithms) {
      const { web, events } = setup(verifierFor(algorithm))
      const wrong = [
        (bytes: Buffer) => bytes.with(0, (bytes[0] ?? 0) ^ 1),
        (bytes: Buffer) => bytes.with(bytes.length - 1, (bytes.at(-1) ?? 0) ^ 1),
        (bytes: Buffer) => bytes.subarray(1),
        (bytes: Buffer) => Buffer.concat([bytes, bytes]),
        (bytes: Buffer) => Buffer.alloc(bytes.length),
      ]
      const answers = new Set<string>()
      for (const spoil of wrong) answers.add(await answerTo(web, withCookie(withSignature(algorithm, spoil))))
      expect(answers.size).toBe(1)
      expect(new Set(events.map((event) => JSON.stringify(event))).size).toBe(1)
    }
  },

  async 'a forged token does not tell who exists'() {
    let lookups = 0
    const { web, events } = setup({
      userLookup({ sub }) {
        lookups++
        return sub === markers.subject ? { sub } : null
      },
    })
    const forged = ['nobody', markers.subject].map((sub) =>
      forge(hs256, claims({ sub, type: 'refresh', fresh: undefined }), 'k'.repeat(64)),
    )
    const answers = new Set<string>()
    for (const token of forged) {
      const sent = request({ cookie: `refresh_token_cookie=${token}`, 'x-csrf-token': markers.csrf }, 'POST')
      const response = await web.authErrors(async (refreshed: Request) => {
        await web.authorize(refreshed).refresh()
        return new Response('reached')
      })(sent)
      answers.add(JSON.stringify([response.status, [...response.headers], await response.text()]))
    }
    expect(answers.size).toBe(1)
    expect([...answers][0]).toContain('token_invalid')
    expect(lookups).toBe(0)
    expect(new Set(events.map((event) => JSON.stringify(event))).size).toBe(1)
  },

  async 'a refusal says nothing that it was told'() {
    const hostile = ['<script>alert(1)</script>', '"; drop', 'file:///etc/passwd', '\\u0000']
    const { web, events } = setup({ decodeIssuer: 'https://a.example' })
    const sent = hostile.flatMap((text) => [
      withCookie(forge({ ...hs256, kid: text }, claims())),
      withCookie(forge({ alg: text }, claims())),
      withCookie(forge(hs256, claims({ iss: text }))),
      withCookie(forge(hs256, claims({ sub: text, type: text, iss: 'https://a.example' }))),
      withCookie(encode(text)),
    ])
    const answers: string[] = []
    for (const one of sent) answers.push(await answerTo(web, one))
    expectSilence(
      [...answers, JSON.stringify(events)],
      [...hostile, ...Object.values(markers), 'at ', '.ts', 'node:'],
    )
    expect(events).toHaveLength(sent.length)
  },

  async 'a cached token is held against the clock, the denylist and the user on every hit'() {
    const asked = { denylist: 0, user: 0 }
    const state: { revoked: unknown; user: unknown } = { revoked: false, user: {} }
    const counting = countingSchema()
    const { auth, clock, web } = setup({
      claims: counting.schema,
      maxTokenAge: 600,
      denylist() {
        asked.denylist++
        return state.revoked as boolean
      },
      userLookup() {
        asked.user++
        return state.user
      },
    })
    const token = goodToken()
    const ask = (): Promise<string> => answerTo(web, withCookie(token))
    expect(await ask()).toContain('reached')
    expect(await ask()).toContain('reached')
    expect([counting.calls(), asked]).toEqual([1, { denylist: 2, user: 2 }])
    state.revoked = true
    expect(await ask()).toContain('token_revoked')
    state.revoked = 'no'
    expect(await ask()).toContain('store_unavailable')
    state.revoked = false
    state.user = null
    expect(await ask()).toContain('user_not_found')
    state.user = {}
    expect(await answerTo(web, withCookie(token, 'POST', 'wrong'))).toContain('csrf_mismatch')
    expect(await codeOf(() => auth.verify(token, { type: 'refresh' }))).toBe('wrong_token_type')
    clock.advance(599)
    expect(await ask()).toContain('reached')
    clock.advance(1)
    expect(await ask()).toContain('token_expired')
    clock.advance(300)
    expect(await ask()).toContain('token_expired')
    clock.advance(-906)
    expect(await ask()).toContain('token_invalid')
    clock.advance(6)
    expect(await ask()).toContain('reached')
    expect(counting.calls()).toBe(1)
  },

  async 'claims that were given out cannot be changed'() {
    const { auth, web } = setup()
    const token = forge(hs256, claims({ roles: ['user'], app: { deep: [{ a: 1 }] } }))
    const before = structuredClone(await auth.verify(token))
    const authorize = web.authorize(withCookie(token))
    await authorize.jwtRequired()
    for (const given of [
      await auth.verify(token),
      authorize.claims(),
      authorize.getRawJwt(),
      authorize.getJwtHeaders(),
    ]) {
      const open = given as {
        sub?: unknown
        alg?: unknown
        roles?: unknown[]
        app?: { deep: { a: number }[] }
      }
      expect(() => {
        open.sub = 'attacker'
      }).toThrow(TypeError)
      expect(() => {
        open.alg = 'none'
      }).toThrow(TypeError)
      expect(() => Object.setPrototypeOf(open, { admin: true })).toThrow(TypeError)
      if (open.roles === undefined) continue
      expect(() => open.roles?.push('admin')).toThrow(TypeError)
      expect(() => {
        ;(open.app?.deep[0] ?? { a: 0 }).a = 2
      }).toThrow(TypeError)
    }
    expect(await auth.verify(token)).toEqual(before)
  },

  async 'invalid tokens do not enter the cache'() {
    const counting = countingSchema()
    const { auth } = setup({ claims: counting.schema, verifiedTokenCache: 2 })
    const kept = [goodToken('HS256', { a: 1 }), goodToken('HS256', { a: 2 })]
    for (const token of kept) await auth.verify(token)
    for (let run = 0; run < 20_000; run++) {
      const forged = `${encode(hs256)}.${encode({ run })}.${encode(`no signature ${run}`)}`
      expect(await codeOf(() => auth.verify(forged))).toBe('token_invalid')
    }
    for (const token of kept) await auth.verify(token)
    expect(counting.calls()).toBe(2)
  },

  async 'two Auths share nothing'() {
    const options = { claims: countingSchema().schema }
    const tenants = [
      setup(options),
      setup({ ...options, secretKey: secretKey.split('').toReversed().join('') }),
    ]
    const stricter = setup({ ...options, decodeIssuer: 'https://a.example' })
    const token = goodToken()
    const [first, second] = tenants
    expect(await codeOf(() => first?.auth.verify(token))).toBe('passed')
    expect(await codeOf(() => second?.auth.verify(token))).toBe('token_invalid')
    expect(await codeOf(() => stricter.auth.verify(token))).toBe('token_invalid')
    const sent = withCookie(token)
    await first?.web.authorize(sent).jwtRequired()
    expect(second?.web.authorize(sent).getRawJwt()).toBeNull()
    expect(first?.web.authorize(sent).getRawJwt()).not.toBeNull()
    expect(await answerTo(second?.web ?? webAuth(createAuth({ secretKey })), sent)).toContain('token_invalid')
  },

  async 'a bad token costs no signature check before the cheap ones'() {
    // What is counted here is what comes after; the signature checks themselves are counted in the file beside.
    const counting = countingSchema()
    let asked = 0
    const { auth, web, events } = setup({
      claims: counting.schema,
      denylist() {
        asked++
        return false
      },
    })
    for (let run = 0; run < 1000; run++)
      await answerTo(web, withCookie(`${encode(hs256)}.${encode({ run })}.AAAA`))
    expect([counting.calls(), asked, events.length]).toEqual([0, 0, 1000])
    expect(await codeOf(() => auth.verify('x'.repeat(10_000_000)))).toBe('token_too_large')
  },

  async 'texts of 64 kB are read in one go'() {
    const fill = (unit: string): string => unit.repeat(Math.ceil(65_536 / unit.length))
    const units = [
      ' ',
      '\t',
      ';',
      '; ',
      '=',
      ',',
      '.',
      'a',
      'a.',
      '-',
      '_',
      '%',
      '"',
      'access_token_cookie',
      'access_token_cookie=',
      'access_token_cookie=;',
      ' access_token_cookie',
      'Bearer ',
      '&jwt=',
      'jwt=&',
      ':1',
      '/a',
    ]
    const { web } = setup({ tokenLocation: ['headers', 'cookies', 'query'], csrfCheckForm: true })
    for (const unit of units) {
      const text = fill(unit)
      const headers = {
        cookie: text,
        authorization: `Bearer ${text}`,
        origin: `https://${text}`,
        host: text,
        'content-type': text,
        'x-csrf-token': text,
      }
      for (const [name, value] of Object.entries(headers)) {
        const port = {
          method: 'POST',
          url: `/?${text}`,
          header: (asked: string) => (asked === name ? value : undefined),
        }
        const bound = setup({
          tokenLocation: ['headers', 'cookies', 'query'],
          csrfCheckForm: true,
        }).auth.authorize(port, { append: () => {}, set: () => {}, sent: false })
        expect(await codeOf(() => bound.jwtRequired())).not.toBe('passed')
      }
      const options = [
        'secretKey',
        'cookieDomain',
        'accessCookiePath',
        'accessCookieKey',
        'headerName',
        'accessTokenExpires',
        'algorithm',
      ]
      for (const name of [...options, 'trustedOrigins']) {
        const given = name === 'trustedOrigins' ? [text] : text
        await thrownBy(() => createAuth({ secretKey, [name]: given }))
      }
    }
    expect(await answerTo(web, request({}))).toContain('token_missing')
  },

  async 'no timer outlives its request'() {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const { auth, web } = setup({ denylist: async () => false })
      for (let run = 0; run < 1000; run++) {
        await auth.verify(goodToken())
        await answerTo(web, withCookie(goodToken()))
        await answerTo(web, withCookie(`${goodToken()}x`))
      }
      expect(vi.getTimerCount()).toBe(0)
    } finally {
      vi.useRealTimers()
    }
  },
}

describe('the courses of events', () => {
  test.each(Object.entries(scenarios))('%s (#%i)', { timeout: 60_000 }, async (name) => {
    expect.hasAssertions()
    await courses[name as keyof typeof scenarios]()
  })
})

describe('the cache of verified tokens', () => {
  const distinct = (count: number): string[] =>
    Array.from({ length: count }, (_, index) => goodToken('HS256', { index }))

  test.each([0, 1, 2, 3, 4, 10])('of %i entries never holds more than that', async (verifiedTokenCache) => {
    const counting = countingSchema()
    const { auth } = setup({ claims: counting.schema, verifiedTokenCache })
    const tokens = distinct(50)
    for (const token of tokens) await auth.verify(token)
    expect(counting.calls()).toBe(50)
    // The newest first, so that asking does not push out what is still to be asked for.
    let hits = 0
    for (const token of tokens.toReversed()) {
      const before = counting.calls()
      await auth.verify(token)
      if (counting.calls() === before) hits++
      else break
    }
    expect(hits).toBeLessThanOrEqual(verifiedTokenCache)
    if (verifiedTokenCache > 0) expect(hits).toBeGreaterThan(0)
  })

  test('of no entries asks the schema every time', async () => {
    const counting = countingSchema()
    const { auth } = setup({ claims: counting.schema, verifiedTokenCache: 0 })
    const token = goodToken()
    for (let run = 0; run < 3; run++) await auth.verify(token)
    expect(counting.calls()).toBe(3)
  })

  test('takes a token under its exact text only', async () => {
    const { auth } = setup()
    const token = goodToken()
    await auth.verify(token)
    for (const other of [`${token}=`, `${token} `, ` ${token}`, token.toUpperCase(), `${token}\u0000`]) {
      expect(await codeOf(() => auth.verify(other))).toBe('token_invalid')
    }
    // The low byte of each character is that of the cached token.
    const wide = [...token].map((letter) => String.fromCharCode(letter.charCodeAt(0) + 0x100)).join('')
    expect(await codeOf(() => auth.verify(wide))).toBe('token_invalid')
  })

  test('does not keep what a schema refused', async () => {
    let isAccepted = false
    const validate = (
      value: unknown,
    ): { value: Record<string, unknown> } | { issues: { message: string }[] } =>
      isAccepted ? { value: value as Record<string, unknown> } : { issues: [{ message: markers.note }] }
    const { auth } = setup({ claims: { '~standard': { version: 1, vendor: 'test', validate } } })
    const token = goodToken()
    expect(await codeOf(() => auth.verify(token))).toBe('token_invalid')
    isAccepted = true
    expect(await codeOf(() => auth.verify(token))).toBe('passed')
  })

  test.each<[string, (value: Record<string, unknown>) => unknown, (claims: Record<string, unknown>) => void]>(
    [
      [
        'a frozen object with an open one inside',
        (value) => ({ ...value, app: Object.freeze({ roles: ['user'] }) }),
        (open) => (open['app'] as { roles: string[] }).roles.push('admin'),
      ],
      ['a Date', (value) => ({ ...value, when: new Date(0) }), (open) => (open['when'] as Date).setTime(1)],
      [
        'a Map',
        (value) => ({ ...value, rights: new Map([['read', true]]) }),
        (open) => (open['rights'] as Map<string, boolean>).set('admin', true),
      ],
      [
        'a Set',
        (value) => ({ ...value, rights: new Set(['read']) }),
        (open) => (open['rights'] as Set<string>).add('admin'),
      ],
      [
        'an instance of a class',
        (value) => ({
          ...value,
          app: new (class App {
            admin = false
          })(),
        }),
        (open) => {
          ;(open['app'] as { admin: boolean }).admin = true
        },
      ],
      [
        'a list of open objects',
        (value) => ({ ...value, list: [{ a: 1 }] }),
        (open) => {
          const [first = { a: 0 }] = open['list'] as { a: number }[]
          first.a = 2
        },
      ],
    ],
  )('gives %s, made by a schema, to each reader as it was made', async (_, transform, tamper) => {
    const { auth } = setup({ claims: countingSchema(transform).schema })
    const token = goodToken()
    const before = structuredClone(await auth.verify(token))
    await thrownBy(async () => tamper(await auth.verify(token)))
    expect(structuredClone(await auth.verify(token))).toEqual(before)
  })
})

describe('neighbours of the rows', () => {
  test('#58 only blanks may stand around an Authorization header', async () => {
    const { auth } = setup({ tokenLocation: ['headers'] })
    for (const space of ['\u00a0', '\u{feff}', '\v', '\f', '\r', '\n', '\u2003', '\u3000', '\u2028']) {
      for (const authorization of [`Bearer ${goodToken()}${space}`, `${space}Bearer ${goodToken()}`]) {
        const port = {
          method: 'GET',
          header: (name: string) => (name === 'authorization' ? authorization : undefined),
        }
        const bound = auth.authorize(port, { append: () => {}, set: () => {}, sent: false })
        expect([JSON.stringify(space), await codeOf(() => bound.jwtRequired())]).not.toEqual([
          JSON.stringify(space),
          'passed',
        ])
      }
    }
  })

  test('#71 a token that is only decoded is held to the same size', async () => {
    const { auth } = setup()
    const token = goodToken('HS256', { long: 'x'.repeat(10_000) })
    expect(await codeOf(() => auth.getUnverifiedJwtClaims(token))).toBe('token_too_large')
    expect(await codeOf(() => auth.getUnverifiedJwtHeaders(token))).toBe('token_too_large')
  })

  test('#91 a refresh token whose audience is an empty list is refused or refreshed, never a fault of the server', async () => {
    const { web } = setup()
    for (const aud of [[], '', ['']]) {
      const token = forge(hs256, claims({ type: 'refresh', fresh: undefined, aud }))
      const sent = request({ cookie: `refresh_token_cookie=${token}`, 'x-csrf-token': markers.csrf }, 'POST')
      expect(await codeOf(() => web.authorize(sent).refresh())).toMatch(/passed|token_invalid/)
    }
  })

  test('#98 an expectation that does not exist is a mistake of the caller', async () => {
    const { auth } = setup()
    for (const type of ['toString', 'constructor', '__proto__', 'both', '', null]) {
      const verify = auth.verify.bind(auth) as (token: string, expect: unknown) => Promise<unknown>
      expect(await thrownBy(() => verify(goodToken(), { type })), String(type)).toBeInstanceOf(TypeError)
    }
  })

  test('#103 a list with an accessor is refused unread', async () => {
    const { auth } = setup()
    let reads = 0
    const list = Object.defineProperty([1], 0, {
      get() {
        reads++
        return 1
      },
      enumerable: true,
    })
    expect(await thrownBy(() => auth.createAccessToken('test', { userClaims: { list } }))).toBeInstanceOf(
      TypeError,
    )
    expect(reads).toBe(0)
  })

  test('#27 a key that says it is for signatures is taken (control)', async () => {
    const k = createSecretKey(Buffer.from(secretKey)).export({ format: 'jwk' }).k ?? ''
    const jwk = { kty: 'oct', k, use: 'sig', key_ops: ['sign', 'verify'], alg: 'HS256' }
    const auth = createAuth({ secretKey: jwk, clock: createClock() })
    expect(await codeOf(() => auth.verify(goodToken()))).toBe('passed')
  })

  test('#10 an RSA-PSS key of the right hash is taken (control)', async () => {
    const hashes = { hashAlgorithm: 'sha256', mgf1HashAlgorithm: 'sha256' }
    const { privateKey } = generateKeyPairSync('rsa-pss', { modulusLength: 2048, ...hashes })
    const { auth } = setup({ algorithm: 'PS256', privateKey })
    expect(await codeOf(async () => auth.verify(await auth.createAccessToken('test')))).toBe('passed')
  })

  test('#26 a sound RSA key is taken (control)', async () => {
    const { auth } = setup({ algorithm: 'RS256', privateKey: privatePem('rsa') })
    expect(await codeOf(async () => auth.verify(await auth.createAccessToken('test')))).toBe('passed')
  })
})

test('nothing was fetched, connected or left unhandled', async () => {
  await new Promise((resolve) => setImmediate(resolve))
  expect(rejections).toEqual([])
  expect(vi.mocked(globalThis.fetch).mock.calls).toEqual([])
})
