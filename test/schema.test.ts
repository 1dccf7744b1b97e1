/** What the option `claims` does with the schemas of zod and valibot, when tokens are made and when they are read. */

import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { AuthError, createAuth } from '../src/index.ts'
import type { Auth, AuthEvent, UserClaimsSchema } from '../src/index.ts'
import { webAuth } from '../src/adapters/web.ts'
import { codeOf, cookieHeader, cookiesOf, createClock, forge, goodClaims, secretKey } from './_setup.ts'

const marker = 'marker-4711'

interface Setup<Schema extends UserClaimsSchema> {
  readonly auth: Auth<Schema>
  readonly events: AuthEvent[]
}

function setupSchema<Schema extends UserClaimsSchema>(
  claims: Schema,
  verifiedTokenCache = 100,
): Setup<Schema> {
  const events: AuthEvent[] = []
  const auth = createAuth({
    secretKey,
    clock: createClock(),
    claims,
    verifiedTokenCache,
    onEvent: (event) => events.push(event),
  })
  return { auth, events }
}

function payloadOf(token: string): Record<string, unknown> {
  const [, payload = ''] = token.split('.')
  return JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>
}

/** The reason in the cause of a `token_invalid`. */
async function reasonOf(step: Promise<unknown>): Promise<unknown> {
  const error: unknown = await step.catch((thrown: unknown) => thrown)
  if (AuthError.is(error, 'token_invalid')) return error.cause
  throw error
}

async function messageOf(step: Promise<unknown>): Promise<string> {
  const error: unknown = await step.then(
    () => 'passed',
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(TypeError)
  return error instanceof Error ? error.message : String(error)
}

const later = async <T>(value: T): Promise<T> => {
  await Promise.resolve()
  return value
}

/** One and the same schema in both libraries, once synchronous and once not. */
const schemas = {
  zod: z.object({
    role: z.enum(['admin', 'user']),
    level: z.string().transform(Number),
    scopes: z.array(z.string()).default([]),
    address: z.object({ city: z.string() }).optional(),
  }),
  'zod, asynchronous': z
    .object({
      role: z.enum(['admin', 'user']),
      level: z.string().transform(async (text) => later(Number(text))),
      scopes: z.array(z.string()).default([]),
      address: z.object({ city: z.string() }).optional(),
    })
    .refine(async ({ role }) => later(role !== undefined)),
  valibot: v.object({
    role: v.picklist(['admin', 'user']),
    level: v.pipe(v.string(), v.transform(Number)),
    scopes: v.optional(v.array(v.string()), []),
    address: v.optional(v.object({ city: v.string() })),
  }),
  'valibot, asynchronous': v.pipeAsync(
    v.objectAsync({
      role: v.picklist(['admin', 'user']),
      level: v.pipeAsync(
        v.string(),
        v.transformAsync(async (text) => later(Number(text))),
      ),
      scopes: v.optional(v.array(v.string()), []),
      address: v.optional(v.object({ city: v.string() })),
    }),
    v.checkAsync(async ({ role }) => later(role !== undefined)),
  ),
}

describe.each(Object.keys(schemas) as (keyof typeof schemas)[])('a schema of %s', (name) => {
  const schema: UserClaimsSchema<
    { role: 'admin' | 'user'; level: string; scopes?: string[] | undefined },
    { role: 'admin' | 'user'; level: number; scopes: string[] }
  > = schemas[name]

  test('its input is written, its output is read', async () => {
    const { auth } = setupSchema(schema)
    const token = await auth.createAccessToken('test', { userClaims: { role: 'admin', level: '3' } })
    expect(payloadOf(token)).toMatchObject({ sub: 'test', role: 'admin', level: '3' })
    expect(payloadOf(token)).not.toHaveProperty('scopes')
    const claims = await auth.verify(token)
    expect(claims).toMatchObject({ sub: 'test', type: 'access', role: 'admin', level: 3, scopes: [] })
  })

  test.each([0, 100])('reads the same at every use of a token, with a cache of %i', async (size) => {
    const { auth } = setupSchema(schema, size)
    const userClaims = { role: 'user', level: '12', scopes: ['read'] } as const
    const token = await auth.createRefreshToken('test', { userClaims: { ...userClaims, scopes: ['read'] } })
    const first = await auth.verify(token, { type: 'refresh' })
    expect(first).toMatchObject({ level: 12, scopes: ['read'] })
    expect(await auth.verify(token, { type: 'refresh' })).toEqual(first)
  })

  test('a token whose claims do not fit is token_invalid, and only the cause says why', async () => {
    const { auth } = setupSchema(schema)
    for (const wrong of [{}, { role: 'root', level: '1' }, { role: 'user', level: 1 }, { role: 'user' }]) {
      const token = forge({ alg: 'HS256' }, goodClaims({ ...wrong, note: marker }))
      expect(await reasonOf(auth.verify(token))).toBe('schema_invalid')
      // Not cached as good either.
      expect(await reasonOf(auth.verify(token))).toBe('schema_invalid')
      const error: unknown = await auth.verify(token).catch((thrown: unknown) => thrown)
      expect(JSON.stringify(error)).toContain('"detail":"The token is invalid"')
      expect(String(error)).not.toContain(marker)
    }
  })

  test('the event of such a token tells the reason and no claim', async () => {
    const { auth, events } = setupSchema(schema)
    const token = forge({ alg: 'HS256' }, goodClaims({ role: marker }))
    const request = new Request('https://app.example/', {
      headers: { cookie: `access_token_cookie=${token}` },
    })
    const response = await webAuth(auth).jwtRequired()((_request: Request) => new Response())(request)
    expect(response.status).toBe(401)
    expect(await response.text()).not.toMatch(/schema|role|marker/)
    expect(events).toEqual([
      { type: 'rejected', code: 'token_invalid', reason: 'schema_invalid', location: 'cookies' },
    ])
  })

  test('the signature and the registered claims are judged before the schema is asked', async () => {
    const { auth } = setupSchema(schema)
    const unsigned = forge(
      { alg: 'HS256' },
      goodClaims({ role: 'root' }),
      'another key of at least 32 bytes in length',
    )
    expect(await reasonOf(auth.verify(unsigned))).toBe('signature_invalid')
    const shapeless = forge({ alg: 'HS256' }, goodClaims({ role: 'root', jti: 1 }))
    expect(await reasonOf(auth.verify(shapeless))).toBe('claims_invalid')
  })

  test('claims that do not fit make no token: a TypeError names the path and not the value', async () => {
    const { auth } = setupSchema(schema)
    const wrong = [
      [{ role: marker, level: '1' }, 'role'],
      [{ role: 'user', level: '1', scopes: ['read', 4711] }, 'scopes.1'],
      [{ role: 'user', level: '1', address: { city: 4711 } }, 'address.city'],
      [{ role: marker, level: 4711 }, 'role, level'],
      [undefined, 'role, level'],
    ] as const
    for (const [userClaims, path] of wrong) {
      for (const make of [auth.createAccessToken.bind(auth), auth.createRefreshToken.bind(auth)]) {
        const message = await messageOf(make('test', { userClaims: userClaims as never }))
        expect(message).toBe(`userClaims do not fit the schema of the option claims: ${path}`)
        expect(message).not.toMatch(/marker|4711/)
      }
    }
  })

  test('what it gives is frozen, all the way down', async () => {
    const { auth } = setupSchema(schema)
    const userClaims = { role: 'user', level: '1', scopes: ['read'], address: { city: 'Berlin' } } as const
    const token = await auth.createAccessToken('test', { userClaims: { ...userClaims, scopes: ['read'] } })
    for (const claims of [await auth.verify(token), await auth.verify(token)]) {
      expect(Object.isFrozen(claims)).toBe(true)
      expect(Object.isFrozen(claims.scopes)).toBe(true)
      expect(Object.isFrozen((claims as { address?: unknown }).address)).toBe(true)
      expect(() => claims.scopes.push('write')).toThrow(TypeError)
    }
  })

  test('login, refresh and guards work with it from end to end', async () => {
    const { auth } = setupSchema(schema)
    const web = webAuth(auth)
    const url = 'https://app.example/'
    const login = web.authErrors(async (request: Request) => {
      await web.authorize(request).login('test', { userClaims: { role: 'user', level: '7' } })
      return new Response()
    })
    const refresh = web.authErrors(async (request: Request) => {
      await web.authorize(request).refresh({ userClaims: (old) => ({ ...old, level: `${old.level}0` }) })
      return new Response()
    })
    const read = web.jwtRequired()((request: Request) => Response.json(web.authorize(request).claims()))

    const jar = cookiesOf(await login(new Request(url, { method: 'POST' })))
    expect(
      await (await read(new Request(url, { headers: { cookie: cookieHeader(jar) } }))).json(),
    ).toMatchObject({
      role: 'user',
      level: 7,
      fresh: true,
    })
    const headers = { cookie: cookieHeader(jar), 'x-csrf-token': jar['csrf_refresh_token'] ?? '' }
    const refreshed = { ...jar, ...cookiesOf(await refresh(new Request(url, { method: 'POST', headers }))) }
    const answer = await read(new Request(url, { headers: { cookie: cookieHeader(refreshed) } }))
    expect(await answer.json()).toMatchObject({ role: 'user', level: 70, fresh: false })
  })

  test('a refresh whose new claims do not fit makes no token and sets no cookie', async () => {
    const { auth } = setupSchema(schema)
    const web = webAuth(auth)
    const token = await auth.createRefreshToken('test', { userClaims: { role: 'user', level: '7' } })
    const csrf = String(payloadOf(token)['csrf'])
    const headers = { cookie: `refresh_token_cookie=${token}`, 'x-csrf-token': csrf }
    const bound = web.authorize(new Request('https://app.example/', { method: 'POST', headers }))
    const message = await messageOf(bound.refresh({ userClaims: () => ({ role: marker }) as never }))
    expect(message).toContain('role, level')
    expect(message).not.toContain(marker)
    expect(bound.respond(new Response()).headers.getSetCookie()).toEqual([])
  })
})

describe('the output of a schema', () => {
  const impostor = {
    sub: 'admin',
    jti: 'x',
    type: 'refresh',
    exp: 9e9,
    fresh: true,
    csrf: 'x',
    aud: 'x',
    sid: 'x',
  }
  const impostors: readonly (readonly [string, UserClaimsSchema<{ role: string }, object>])[] = [
    ['zod', z.object({ role: z.string() }).transform((claims) => ({ ...claims, ...impostor }))],
    [
      'valibot',
      v.pipe(
        v.object({ role: v.string() }),
        v.transform((claims) => ({ ...claims, ...impostor })),
      ),
    ],
  ]

  test.each(impostors)('cannot stand in for a registered claim (%s)', async (_, schema) => {
    const { auth } = setupSchema(schema)
    const token = await auth.createAccessToken('test', { userClaims: { role: 'user' } })
    const written = payloadOf(token)
    expect(await auth.verify(token)).toMatchObject(written)
    expect(await codeOf(async () => auth.verify(token, { fresh: true }))).toBe('fresh_token_required')
    expect(await codeOf(async () => auth.verify(token, { type: 'refresh' }))).toBe('wrong_token_type')
  })

  test.each(impostors)(
    'cannot invent a registered claim that the token does not have (%s)',
    async (_, schema) => {
      const { auth } = setupSchema(schema)
      const token = await auth.createAccessToken('test', { userClaims: { role: 'user' } })
      expect(await auth.verify(token)).toEqual(payloadOf(token))
    },
  )

  test.each([
    ['a text', z.object({}).transform(() => 'text')],
    ['null', z.object({}).transform(() => null)],
    ['nothing', z.object({}).transform(() => undefined)],
    ['a list', z.object({}).transform(() => [])],
  ])('that is %s is refused, as no claims can be read of it', async (_, schema) => {
    const { auth } = setupSchema(schema as UserClaimsSchema)
    const token = forge({ alg: 'HS256' }, goodClaims())
    expect(await reasonOf(auth.verify(token))).toBe('schema_invalid')
  })

  test('may hold what JSON cannot, which is then made anew for every reader', async () => {
    const { auth } = setupSchema(z.object({ since: z.string().transform((text) => new Date(text)) }))
    const token = await auth.createAccessToken('test', { userClaims: { since: '2026-01-01' } })
    const { since } = await auth.verify(token)
    expect(since).toEqual(new Date('2026-01-01'))
    since.setFullYear(1970)
    expect((await auth.verify(token)).since).toEqual(new Date('2026-01-01'))
  })

  test('leaves out what the schema does not know, from tokens as old as another schema', async () => {
    const { auth } = setupSchema(z.object({ role: z.string() }))
    const token = forge({ alg: 'HS256' }, goodClaims({ role: 'user', old: marker }))
    expect(await auth.verify(token)).not.toHaveProperty('old')
  })

  test('that refuses unknown members refuses the token', async () => {
    const { auth } = setupSchema(z.strictObject({ role: z.string() }))
    expect(await codeOf(async () => auth.verify(forge({ alg: 'HS256' }, goodClaims({ role: 'user' }))))).toBe(
      'passed',
    )
    const token = forge({ alg: 'HS256' }, goodClaims({ role: 'user', extra: 1 }))
    expect(await reasonOf(auth.verify(token))).toBe('schema_invalid')
  })
})

describe('the schema itself', () => {
  const standard = (validate: (value: unknown) => unknown): UserClaimsSchema =>
    ({ '~standard': { version: 1, vendor: 'test', validate } }) as UserClaimsSchema

  test('sees the user claims alone, as a copy of its own', async () => {
    const seen: unknown[] = []
    const { auth } = setupSchema(
      standard((value) => {
        seen.push({ ...(value as object) })
        Object.assign(value as object, { role: 'admin', sub: 'admin' })
        return { value: {} }
      }),
    )
    const userClaims = { role: 'user' }
    const token = await auth.createAccessToken('test', { userClaims })
    expect(userClaims).toEqual({ role: 'user' })
    expect(payloadOf(token)).toMatchObject({ sub: 'test', role: 'user' })
    expect((await auth.verify(token)).sub).toBe('test')
    expect(seen).toEqual([{ role: 'user' }, { role: 'user' }])
  })

  test('is asked once for a token that is used again, since its output is frozen', async () => {
    let calls = 0
    const { auth } = setupSchema(
      standard((value) => {
        calls++
        return { value }
      }),
    )
    const token = forge({ alg: 'HS256' }, goodClaims())
    await auth.verify(token)
    await auth.verify(token)
    expect(calls).toBe(1)
  })

  test('that refuses the whole is named as such', async () => {
    const { auth } = setupSchema(
      z.object({ a: z.number(), b: z.number() }).refine(({ a, b }) => a < b, marker),
    )
    const message = await messageOf(auth.createAccessToken('test', { userClaims: { a: 2, b: 1 } }))
    expect(message).toBe('userClaims do not fit the schema of the option claims: (whole)')
  })

  test('that throws is the application’s own error when a token is made, and a refusal when one is read', async () => {
    const failure = new RangeError('broken')
    for (const validate of [
      () => {
        throw failure
      },
      async () => Promise.reject(failure),
    ]) {
      const { auth } = setupSchema(standard(validate))
      await expect(auth.createAccessToken('test')).rejects.toBe(failure)
      const verified = auth.verify(forge({ alg: 'HS256' }, goodClaims()))
      await expect(verified).rejects.toMatchObject({ code: 'token_invalid', cause: 'schema_invalid' })
    }
  })

  test('cannot let a registered claim in among the user claims', async () => {
    const { auth } = setupSchema(z.object({ sub: z.string() }))
    const message = await messageOf(auth.createAccessToken('test', { userClaims: { sub: 'admin' } }))
    expect(message).toBe('userClaims cannot name the registered claim "sub"')
  })

  test.each<readonly [string, unknown]>([
    ['a function', () => true],
    ['an object', { role: 'string' }],
    ['a text', 'role'],
    ['a schema without validate', { '~standard': { version: 1, vendor: 'test' } }],
    ['null', null],
  ])('is no schema when it is %s', (_, claims) => {
    expect(() => createAuth({ secretKey, claims: claims as never })).toThrow(
      /claims must be a Standard Schema, such as one of zod, valibot or arktype/,
    )
  })
})
