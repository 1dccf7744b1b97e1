/** Holds the attack tables against the presets: what is refused without one is a 4xx with one, save for what it must take. */

import { describe, expect, test } from 'vitest'
import { AuthError, createAuth } from '../src/index.ts'
import type { AuthOptions, Compat } from '../src/index.ts'
import type { Sent } from './_attack.ts'
import { secretKey, setup } from './_setup.ts'
import { errorOf, notedResponse, portOf, signIn } from './_wire.ts'
import { rows } from './attacks-request.ts'
import { markers } from './attacks-token-forge.ts'
import { optionsAttacks, signingAttacks, tokenAttacks } from './attacks-token.ts'
import type { TokenAttack } from './attacks-token.ts'

const presets: readonly Compat[] = ['fastapi-jwt-auth', 'flask-jwt-extended']

const endless = 'its twin takes tokens without an end'
const integer = 'its twin has whole numbers as subjects'

/** Tokens that a preset takes, by where they stand in the table, and why. */
const taken: Readonly<Record<Compat, Readonly<Record<string, string>>>> = {
  'fastapi-jwt-auth': {
    '74 exp of an own __proto__': endless,
    '78 missing': endless,
    '78 in another case': endless,
    '94 2: 0': integer,
    '94 3: 1': integer,
  },
  'flask-jwt-extended': {
    '74 exp of an own __proto__': endless,
    '74 jti of an own __proto__': 'its twin takes tokens without a jti, and nothing is revoked here',
    '78 missing': endless,
    '78 in another case': endless,
    '95 0: undefined': 'its twin takes tokens without a jti, and nothing is revoked here',
    '95 fresh 0': 'its twin has times as freshness, and this one is over',
    '95 fresh 1': 'its twin has times as freshness, and this one is over',
    '98 0: undefined': 'its twin takes tokens without a type for access tokens',
    '99 not fresh': 'its twin writes that into refresh tokens',
  },
}

/** Subjects that tokens can be made for. */
const takenSubjects: Readonly<Record<Compat, readonly unknown[]>> = {
  'fastapi-jwt-auth': [0, 1],
  'flask-jwt-extended': [],
}

/** What a step is refused with, or `null`. */
async function refusalOf(step: () => unknown): Promise<AuthError | null> {
  try {
    await step()
    return null
  } catch (error) {
    if (AuthError.is(error)) return error
    throw error
  }
}

/** The answer of a preset: the client's fault, in one sentence, which holds nothing of what was sent. */
function expectAnswer(error: AuthError, compat: Compat, secrets: readonly string[]): void {
  const name = compat === 'fastapi-jwt-auth' ? 'detail' : 'msg'
  expect(error.toJSON()).toEqual({ [name]: error.message })
  expect(error.headers['content-type']).toBe('application/json')
  const text = JSON.stringify([error.message, error.headers, error.stack])
  expect(secrets.filter((secret) => text.includes(secret))).toEqual([])
}

const isClientsFault = ({ status }: AuthError): boolean => status >= 400 && status < 500

describe.each(presets)('%s', (compat) => {
  /** Preset options that the options of a row can stand beside. */
  const preset = (options: AuthOptions = {}): AuthOptions => {
    const needsSecure =
      Boolean(options.cookiePrefix) || options.cookieSamesite === 'none' || options.cookiePartitioned
    return { compat, tokenLocation: ['cookies'], ...(needsSecure && { cookieSecure: true }), ...options }
  }

  const refusals = rows.flatMap(({ id, sent = [] }) =>
    sent.filter(({ code }) => code !== 'passed').map((item): [string, Sent] => [`#${id} ${item.note}`, item]),
  )
  test.each(refusals)('a request is refused: %s', async (_, item) => {
    const world = await signIn(preset(item.options))
    const authorize = world.auth.authorize(portOf(item.wire(world)), notedResponse())
    const steps = {
      guard: () => authorize.jwtRequired(item.guard),
      refresh: () => authorize.refresh(),
      logout: () => authorize.logout(),
      login: () => authorize.login('test'),
    }
    const error = await refusalOf(steps[item.via ?? 'guard'])
    if (error === null) throw new Error(`#${_} was taken`)
    expect(authorize.getRawJwt()).toBeNull()
    // A cookie that is too large is the application's fault, with or without a preset.
    if (item.code !== 'cookie_too_large' && item.code !== 'store_unavailable')
      expect(error).toSatisfy(isClientsFault)
    const secrets = [secretKey, world.access, world.refresh, world.accessCsrf, world.refreshCsrf]
    expectAnswer(
      error,
      compat,
      secrets.filter((secret) => secret !== ''),
    )
  })

  const attacks = tokenAttacks
    .filter(({ expected }) => expected !== 'passes')
    .map((attack): [string, TokenAttack] => [`#${attack.id} ${attack.input}`, attack])
  test.each(attacks)(
    'a token is refused: %s',
    async (_, { id, auth: options = {}, guard = 'jwtRequired', tokens, onlyByHand = false }) => {
      const server = setup({ compat, tokenLocation: ['headers', 'cookies'], ...options })
      const type = guard === 'jwtRefreshTokenRequired' ? 'refresh' : 'access'
      const expectations = { type, fresh: guard === 'freshJwtRequired' } as const
      for (const [note, token] of Object.entries(tokens)) {
        const isTaken = Object.hasOwn(taken[compat], `${id} ${note}`)
        const secrets = [
          ...Object.values(markers),
          secretKey,
          ...token.split('.').filter((part) => part.length > 8),
        ]
        const headers = { cookie: `${type}_token_cookie=${token}` }
        const authorize = server.auth.authorize(portOf({ headers }), notedResponse())
        for (const step of [
          () => server.auth.verify(token, expectations),
          () => authorize[guard]({ token }),
          // An empty cookie is none, and blanks around a value are not part of it.
          ...(token === '' || onlyByHand ? [] : [() => authorize[guard]()]),
          ...(token === '' || onlyByHand || guard !== 'jwtRequired' ? [] : [() => authorize.jwtOptional()]),
        ]) {
          const error = await refusalOf(step)
          expect([note, error === null], String(error)).toEqual([note, isTaken])
          if (error === null) continue
          expect(error).toSatisfy(isClientsFault)
          expectAnswer(error, compat, secrets)
        }
      }
    },
  )

  test.each(optionsAttacks.map((attack) => [`#${attack.id} ${attack.input}`, attack] as const))(
    'createAuth refuses: %s',
    (_, { option, options }) => {
      for (const given of Object.values(options)) {
        expect(() => createAuth({ compat, ...(given as AuthOptions) })).toThrow(option)
      }
    },
  )

  test.each(signingAttacks.map((attack) => [`#${attack.id} ${attack.input}`, attack] as const))(
    'a token cannot be made: %s',
    async (_, { names, arguments: all }) => {
      const { auth } = setup({ compat })
      for (const [note, { subject = 'test', options = {} }] of Object.entries(all)) {
        const make = auth.createAccessToken.bind(auth) as (
          subject: unknown,
          options: unknown,
        ) => Promise<string>
        if (takenSubjects[compat].includes(subject)) continue
        const error = await errorOf(() => make(subject, options)).catch(() => null)
        expect([note, error instanceof TypeError]).toEqual([note, true])
        expect(error?.message).toContain(names)
      }
    },
  )
})
