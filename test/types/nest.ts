/** That the decorators of NestJS stand where they may, and handlers have the types of their `Auth`; never run. */

import { Controller, Get, Module, Post, UseGuards } from '@nestjs/common'
import type { CanActivate, DynamicModule, ExceptionFilter, ExecutionContext } from '@nestjs/common'
import { APP_GUARD } from '@nestjs/core'
import { z } from 'zod'
import { Authorize, authToken, FreshJwtRequired, InjectAuth, JwtClaims } from '../../src/adapters/nest.ts'
import { JwtOptional, JwtRefreshTokenRequired, JwtRequired, nestAuth } from '../../src/adapters/nest.ts'
import { Public, Subject, TallystickModule } from '../../src/adapters/nest.ts'
import type { AuthorizeOf } from '../../src/adapters/nest.ts'
import { createAuth } from '../../src/index.ts'
import type { Auth, Authorize as Bound, ClaimsOf } from '../../src/index.ts'
import { expectNoAny, expectType } from './_assert.ts'
import type { Equal } from './_assert.ts'

const auth = createAuth({
  secretKey: 'x',
  claims: z.object({ role: z.enum(['admin', 'user']) }),
  userLookup: async ({ sub }) => ({ name: sub }),
})
type MyAuthorize = AuthorizeOf<typeof auth>
expectNoAny<MyAuthorize>()
expectType<Equal<AuthorizeOf<Auth>, Bound>>()
expectType<Equal<AuthorizeOf<string>, never>>()

@JwtRequired()
@Controller()
export class Orders {
  readonly auth: typeof auth

  constructor(@InjectAuth() injected: typeof auth, @Authorize('admin') _authorize: MyAuthorize) {
    this.auth = injected
  }

  @InjectAuth('admin') readonly admin: typeof auth | undefined

  @Get()
  @JwtRequired({ locations: ['headers'], auth: 'admin' })
  @JwtOptional()
  @JwtRefreshTokenRequired({ csrf: 'always' })
  @FreshJwtRequired({ within: '5m' })
  list(@JwtClaims() claims: ClaimsOf<typeof auth>, @Subject('admin') subject: string): string {
    const { role } = claims
    expectType<Equal<typeof role, 'admin' | 'user'>>()
    return subject
  }

  @Public()
  @Post()
  async login(@Authorize() authorize: MyAuthorize): Promise<string> {
    await authorize.login('ada', { userClaims: { role: 'user' } })
    // @ts-expect-error the schema has required members
    await authorize.login('ada')
    const { name } = authorize.user()
    expectType<Equal<typeof name, string>>()
    return name
  }

  // @ts-expect-error a guard is made by a call
  @JwtRequired
  bare(): void {}

  // @ts-expect-error so is what leaves one out
  @Public
  bareToo(): void {}

  // @ts-expect-error a claim is no guard
  @JwtClaims()
  claims(): void {}

  // @ts-expect-error a guard is no parameter
  guard(@JwtRequired() _value: string): void {}
}

// @ts-expect-error freshness is the matter of FreshJwtRequired
JwtRequired({ within: '5m' })
// @ts-expect-error misspelled
JwtOptional({ location: [] })
// @ts-expect-error the name of an Auth is a text
Subject(1)

// ---- The module ----

const given: DynamicModule = TallystickModule.forRoot(auth, { name: 'admin', authErrors: false })
const made: DynamicModule = TallystickModule.forRootAsync({
  name: 'admin',
  imports: [given],
  inject: ['SECRET', { token: 'OTHER', optional: true }],
  useFactory: async (secretKey: string) => createAuth({ secretKey }),
})
const atOnce: DynamicModule = TallystickModule.forRootAsync({ useFactory: () => auth })

// @ts-expect-error the module takes what createAuth gave
TallystickModule.forRoot({ secretKey: 'x' })
// @ts-expect-error there is no such option
TallystickModule.forRoot(auth, { global: false })
// @ts-expect-error the factory makes an Auth
TallystickModule.forRootAsync({ useFactory: () => ({ secretKey: 'x' }) })
// @ts-expect-error and is needed
TallystickModule.forRootAsync({ inject: [] })

// ---- Without a module ----

const { authErrors, authorize, jwtRequired, freshJwtRequired } = nestAuth(auth)
const guards: CanActivate[] = [jwtRequired(), freshJwtRequired({ within: '5m' })]
const filter: ExceptionFilter = authErrors
void [guards, filter]

@Module({ imports: [made, atOnce], providers: [{ provide: APP_GUARD, useValue: jwtRequired() }] })
export class AppModule {}

export class Mine implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { role } = authorize(context).claims()
    expectType<Equal<typeof role, 'admin' | 'user'>>()
    // @ts-expect-error a request is no context
    authorize(context.switchToHttp().getRequest<Request>())
    return role === 'admin'
  }
}

UseGuards(jwtRequired(), Mine)
export const token: string = authToken('admin')
// @ts-expect-error an adapter takes what createAuth gave
nestAuth(auth.options)
