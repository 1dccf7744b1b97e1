/** How `userLookup` gives `user()` its type, and what the callbacks are told; compiled, never run. */

import { z } from 'zod'
import { createAuth } from '../../src/index.ts'
import type { AuthRequest, AuthResponse } from '../../src/index.ts'
import { expectNoAny, expectType } from './_assert.ts'
import type { Equal } from './_assert.ts'

declare const request: AuthRequest
declare const response: AuthResponse

interface User {
  readonly id: number
  readonly name: string
}

declare function find(subject: string): User | undefined
declare function findLater(subject: string): Promise<User | null>

const immediate = createAuth({
  secretKey: 'x',
  userLookup: (claims) => {
    expectType<Equal<typeof claims.sub, string>>()
    expectNoAny<typeof claims>(claims)
    return find(claims.sub) ?? null
  },
})
const immediateUser = immediate.authorize(request, response).user()
expectType<Equal<typeof immediateUser, User>>()

const later = createAuth({ secretKey: 'x', userLookup: async ({ sub }) => findLater(sub) })
const laterUser = later.authorize(request, response).user()
expectType<Equal<typeof laterUser, User>>()

const mixed = createAuth({ secretKey: 'x', userLookup: ({ sub }) => (sub === '' ? null : findLater(sub)) })
const mixedUser = mixed.authorize(request, response).user()
expectType<Equal<typeof mixedUser, User>>()

const none = createAuth({ secretKey: 'x' })
const noUser = none.authorize(request, response).user()
expectType<Equal<typeof noUser, unknown>>()
// @ts-expect-error nobody said what a user is
void noUser.name

const typed = createAuth({
  secretKey: 'x',
  claims: z.object({ role: z.enum(['admin', 'user']) }),
  userLookup: ({ sub, role }) => {
    expectType<Equal<typeof role, 'admin' | 'user'>>()
    return { sub, isAdmin: role === 'admin' }
  },
  denylist: ({ jti, role }) => jti === '' && role === 'user',
})
const typedUser = typed.authorize(request, response).user()
expectType<Equal<typeof typedUser.isAdmin, boolean>>()
// @ts-expect-error no such member
void typedUser.name

createAuth({ secretKey: 'x', denylist: async () => true })
createAuth({ secretKey: 'x', denylist: (claims) => claims['role'] === 'blocked' })
// @ts-expect-error undefined is not "not revoked"
createAuth({ secretKey: 'x', denylist: () => undefined })
// @ts-expect-error nor is a text
createAuth({ secretKey: 'x', denylist: async () => 'no' })
createAuth({
  secretKey: 'x',
  claims: z.object({ role: z.string() }),
  // @ts-expect-error the schema knows no such claim
  denylist: (claims) => claims.blocked === true,
})
