/** How the claims of a schema reach `login`, `refresh`, `verify` and the readers; compiled, never run. */

import * as v from 'valibot'
import { z } from 'zod'
import { createAuth } from '../../src/index.ts'
import type { Auth, AuthRequest, AuthResponse, ClaimsOf, JsonObject } from '../../src/index.ts'
import type { TokenPair, UserClaimsInput, UserClaimsOutput } from '../../src/index.ts'
import { expectNoAny, expectType } from './_assert.ts'
import type { Equal, IsAny } from './_assert.ts'

declare const request: AuthRequest
declare const response: AuthResponse

// ---- Without a schema ----

const plain = createAuth({ secretKey: 'x' })
type Plain = ClaimsOf<typeof plain>
expectType<Equal<typeof plain, Auth>>()
expectType<Equal<Plain['sub'], string>>()
expectType<Equal<Plain['type'], 'access' | 'refresh'>>()
expectType<Equal<Plain['exp'], number | undefined>>()
expectType<Equal<Plain['role'], unknown>>()
expectType<IsAny<Plain['role']> extends true ? false : true>()

export async function withoutSchema(): Promise<void> {
  const bound = plain.authorize(request, response)
  expectType<Equal<Awaited<ReturnType<typeof bound.login>>, TokenPair>>()
  await bound.login('test')
  await bound.login('test', {})
  await bound.login('test', { userClaims: { anything: [1, { else: true }] }, fresh: false, crossSite: true })
  await bound.refresh()
  await bound.refresh({ userClaims: (old) => ({ ...old, seen: true }) })
  const token: string = await plain.createAccessToken('test', { userClaims: { role: 'admin' }, fresh: true })
  const claims = await plain.verify(token)
  expectNoAny<typeof claims>(claims)
  expectType<Equal<(typeof claims)['role'], unknown>>()
  expectType<Equal<ReturnType<typeof plain.getUnverifiedJwtClaims>, JsonObject>>()
  // @ts-expect-error claims cannot be changed
  claims.sub = 'other'
  // @ts-expect-error what nobody described is unknown
  const role: string = claims.role
  // @ts-expect-error a subject is text
  await bound.login(1)
  // @ts-expect-error a subject is not left out
  await bound.login()
  // @ts-expect-error user claims are an object
  await bound.login('test', { userClaims: 'admin' })
  // @ts-expect-error cookies of a login live as long as the tokens, so `maxAge` is the option
  await bound.login('test', { expiresTime: 60 })
  // @ts-expect-error there is no such option
  await bound.login('test', { claims: {} })
  // @ts-expect-error a refresh token is never fresh
  await plain.createRefreshToken('test', { fresh: true })
  // @ts-expect-error the algorithm is one of the table
  await plain.createAccessToken('test', { algorithm: 'none' })
  // @ts-expect-error a duration has a unit
  await plain.createAccessToken('test', { expiresTime: '15' })
  // @ts-expect-error there are two types
  await plain.verify(token, { type: 'id' })
  // @ts-expect-error a token is text
  await plain.verify(undefined)
  return void role
}

// ---- With zod ----

const zodSchema = z.object({
  role: z.enum(['admin', 'user']),
  level: z.string().transform(Number),
  note: z.string().optional(),
})
const zodAuth = createAuth({ secretKey: 'x', claims: zodSchema })
type ZodClaims = ClaimsOf<typeof zodAuth>
expectType<Equal<ZodClaims['role'], 'admin' | 'user'>>()
expectType<Equal<ZodClaims['level'], number>>()
expectType<Equal<ZodClaims['note'], string | undefined>>()
expectType<Equal<ZodClaims['sub'], string>>()
expectType<Equal<ZodClaims['auth_time'], number | undefined>>()
expectType<Equal<UserClaimsInput<typeof zodSchema>, z.input<typeof zodSchema>>>()
expectType<Equal<UserClaimsOutput<typeof zodSchema>, z.output<typeof zodSchema>>>()

export async function withZod(): Promise<void> {
  const bound = zodAuth.authorize(request, response)
  await bound.login('test', { userClaims: { role: 'admin', level: '3' } })
  await bound.createAccessToken('test', { userClaims: { role: 'admin', level: '3' }, fresh: true })
  await bound.createRefreshToken('test', { userClaims: { role: 'admin', level: '3' } })
  await bound.refresh()
  await bound.refresh({ userClaims: { role: 'user', level: '1' } })
  await bound.refresh({
    userClaims: (old) => {
      expectType<Equal<typeof old.role, 'admin' | 'user'>>()
      // What stands in the token is the schema's input.
      expectType<Equal<typeof old.level, string>>()
      return { ...old, role: 'user' }
    },
  })
  await bound.refresh({ userClaims: async (old) => ({ ...old, note: 'later' }) })
  for (const claims of [
    await bound.jwtRequired(),
    await bound.freshJwtRequired({ within: '5m' }),
    await bound.jwtRefreshTokenRequired(),
    await zodAuth.verify('', { type: 'refresh' }),
    bound.claims(),
  ]) {
    expectType<Equal<typeof claims.level, number>>()
    expectNoAny<typeof claims>(claims)
  }
  const optional = await bound.jwtOptional()
  const raw = bound.getRawJwt()
  expectType<Equal<typeof optional, ZodClaims | null>>()
  expectType<Equal<typeof raw, ZodClaims | null>>()
  // @ts-expect-error nobody may have signed in
  void optional.role
  // @ts-expect-error the schema has required members
  await bound.login('test')
  // @ts-expect-error the schema has required members
  await bound.login('test', {})
  // @ts-expect-error one of them is missing
  await bound.login('test', { userClaims: { role: 'admin' } })
  // @ts-expect-error no such role
  await bound.login('test', { userClaims: { role: 'root', level: '3' } })
  // @ts-expect-error the input is written, not the output
  await bound.login('test', { userClaims: { role: 'admin', level: 3 } })
  // @ts-expect-error unknown members are mistakes
  await bound.login('test', { userClaims: { role: 'admin', level: '3', roles: [] } })
  // @ts-expect-error the schema has required members
  await bound.createAccessToken('test')
  // @ts-expect-error the schema has required members
  await bound.createRefreshToken('test', {})
  // @ts-expect-error the same for the new access token of a refresh
  await bound.refresh({ userClaims: { role: 'user' } })
  // @ts-expect-error the function too gives what the schema takes
  await bound.refresh({ userClaims: () => ({ role: 'user' }) })
  // @ts-expect-error the schema has required members, of a token made by hand too
  await zodAuth.createRefreshToken('test')
  // @ts-expect-error wrong claims of a token made by hand
  await zodAuth.createAccessToken('test', { userClaims: { role: 1, level: '3' } })
  // @ts-expect-error claims cannot be changed
  bound.claims().role = 'admin'
  // @ts-expect-error the schema knows no such member
  void bound.claims().roles
}

// ---- With valibot ----

const valibotSchema = v.object({
  tenant: v.pipe(v.string(), v.minLength(1)),
  scopes: v.optional(v.array(v.string()), []),
})
const valibotAuth = createAuth({ secretKey: 'x', claims: valibotSchema })
type ValibotClaims = ClaimsOf<typeof valibotAuth>
expectType<Equal<ValibotClaims['tenant'], string>>()
expectType<Equal<ValibotClaims['scopes'], string[]>>()
expectType<Equal<UserClaimsInput<typeof valibotSchema>, v.InferInput<typeof valibotSchema>>>()
expectType<Equal<UserClaimsOutput<typeof valibotSchema>, v.InferOutput<typeof valibotSchema>>>()

export async function withValibot(): Promise<void> {
  const bound = valibotAuth.authorize(request, response)
  await bound.login('test', { userClaims: { tenant: 'acme' } })
  await bound.login('test', { userClaims: { tenant: 'acme', scopes: ['read'] } })
  await bound.refresh({ userClaims: ({ tenant }) => ({ tenant }) })
  const { scopes } = await bound.jwtRequired()
  expectType<Equal<typeof scopes, string[]>>()
  // @ts-expect-error the schema has required members
  await bound.login('test')
  // @ts-expect-error a scope is text
  await bound.login('test', { userClaims: { tenant: 'acme', scopes: [1] } })
}

// ---- A schema that asks for nothing ----

const optionalAuth = createAuth({ secretKey: 'x', claims: z.object({ theme: z.string().optional() }) })

export async function withOptionalMembers(): Promise<void> {
  const bound = optionalAuth.authorize(request, response)
  await bound.login('test')
  await bound.login('test', { userClaims: { theme: 'dark' } })
  const { theme } = await bound.jwtRequired()
  expectType<Equal<typeof theme, string | undefined>>()
  // @ts-expect-error a theme is text
  await bound.login('test', { userClaims: { theme: 1 } })
}

// @ts-expect-error a function is no Standard Schema
createAuth({ secretKey: 'x', claims: (claims: unknown) => claims })
// @ts-expect-error nor is a plain object
createAuth({ secretKey: 'x', claims: { role: 'string' } })
// @ts-expect-error what is no Auth has no claims
expectType<Equal<ClaimsOf<string>, string>>()
