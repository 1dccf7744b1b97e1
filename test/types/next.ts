/** That wrapped handlers, actions and pages keep their types, and that each place has its `authorize`; never run. */

import type { NextProxy as NextOwnProxy, NextRequest } from 'next/server.js'
import type { ReactNode } from 'react'
import { z } from 'zod'
import { nextAuth } from '../../src/adapters/next.ts'
import { createAuth } from '../../src/index.ts'
import { expectNoAny, expectType } from './_assert.ts'
import type { Equal } from './_assert.ts'

const auth = createAuth({
  secretKey: 'x',
  claims: z.object({ role: z.enum(['admin', 'user']) }),
  userLookup: async ({ sub }) => ({ name: sub }),
})
const onNext = nextAuth(auth, {
  onUnauthenticated: ({ code }) => {
    throw new Error(code)
  },
})

interface Context {
  readonly params: Promise<{ id: string }>
}

export const GET = onNext.jwtRequired()(async (_request: NextRequest, { params }: Context) => {
  const bound = await onNext.authorize()
  const { role } = bound.claims()
  const { name } = bound.user()
  expectType<Equal<typeof role, 'admin' | 'user'>>()
  expectType<Equal<typeof name, string>>()
  return Response.json({ role, name, id: (await params).id })
})
expectType<Equal<typeof GET, (request: NextRequest, context: Context) => Promise<Response>>>()
expectNoAny<ReturnType<typeof GET>>()

export const action = onNext.freshJwtRequired({ within: '5m' })(async (state: number, form: FormData) => {
  const bound = await onNext.authorize()
  const name = form.get('name')
  if (typeof name === 'string') await bound.login(name, { userClaims: { role: 'user' } })
  return state + 1
})
expectType<Equal<typeof action, (state: number, form: FormData) => Promise<number>>>()

export const Page: (props: { readonly title: string }) => ReactNode = onNext.jwtOptional()(
  async ({ title }: { readonly title: string }) => title,
)

export const proxy: NextOwnProxy = onNext.proxy(async (request) => {
  const { role } = onNext.authorize(request).claims()
  expectType<Equal<typeof role, 'admin' | 'user'>>()
})
expectType<Equal<Awaited<ReturnType<typeof onNext.getCsrfToken>>, string | undefined>>()

// @ts-expect-error a guard is made by a call
onNext.jwtRequired(async () => new Response())
// @ts-expect-error freshness is the matter of freshJwtRequired
onNext.jwtRequired({ within: '5m' })
// @ts-expect-error without a request there is a promise
onNext.authorize().claims()
// @ts-expect-error it never comes back from there
nextAuth(auth, { onUnauthenticated: () => 'login' })
// @ts-expect-error an adapter takes what createAuth gave
nextAuth({ secretKey: 'x' })
