/** NestJS 11 and 12 on Express and Fastify: a module that brings an `Auth`, decorators that guard and read. */

import { Inject } from '@nestjs/common'
import type { CanActivate, DynamicModule, ExceptionFilter, ExecutionContext } from '@nestjs/common'
import type { FactoryProvider, ModuleMetadata, NestModule } from '@nestjs/common'
import { HttpAdapterHost } from '@nestjs/core'
import { demandAuth } from '../core/auth.ts'
import type { Auth } from '../core/auth.ts'
import type { Authorize } from '../core/authorize.ts'
import type { Guard } from '../core/guard.ts'
import type { UserClaimsSchema } from '../core/schema.ts'
import { createGuards } from './_guards.ts'
import type { Guards } from './_guards.ts'
import { activate, AuthErrorFilter, authToken, bindContext, noteReplies } from './_nest-context.ts'
import { describeModule, readOptions } from './_nest-module.ts'
import type { TallystickModuleOptions } from './_nest-module.ts'

export { authToken } from './_nest-context.ts'
export { Authorize, InjectAuth, JwtClaims, Public, Subject } from './_nest-decorators.ts'
export { FreshJwtRequired, JwtOptional, JwtRefreshTokenRequired, JwtRequired } from './_nest-decorators.ts'
export type { AuthorizeOf, GuardDecorator, NamedAuth } from './_nest-decorators.ts'
export type { TallystickModuleOptions } from './_nest-module.ts'

/** An `Auth` that is made of what Nest injects. */
export interface TallystickModuleAsyncOptions<Schema extends UserClaimsSchema, User>
  extends TallystickModuleOptions, Pick<ModuleMetadata, 'imports'> {
  readonly inject?: FactoryProvider['inject']
  readonly useFactory: FactoryProvider<Auth<Schema, User> | Promise<Auth<Schema, User>>>['useFactory']
}

/** Provides an `Auth` to the whole application, for the decorators. */
export class TallystickModule implements NestModule {
  readonly #host: HttpAdapterHost

  /** @internal */
  constructor(host: HttpAdapterHost) {
    this.#host = host
  }

  /** Called by Nest before it registers routes. */
  configure(): void {
    noteReplies(this.#host.httpAdapter)
  }

  /** Provides an `Auth`, which stays yours to close. @throws {TypeError} when it is none */
  static forRoot<Schema extends UserClaimsSchema, User>(
    auth: Auth<Schema, User>,
    given: TallystickModuleOptions = {},
  ): DynamicModule {
    const caller = 'TallystickModule.forRoot'
    demandAuth(auth, caller)
    const options = readOptions(given, caller)
    return describeModule(this, { provide: authToken(options.name), useValue: auth }, options, false)
  }

  /** Provides an `Auth` that is made at start-up, and closes it with the application. */
  static forRootAsync<Schema extends UserClaimsSchema, User>(
    given: TallystickModuleAsyncOptions<Schema, User>,
  ): DynamicModule {
    const caller = 'TallystickModule.forRootAsync'
    const options = readOptions(given, caller, ['imports', 'inject', 'useFactory'])
    const { name, imports = [], inject = [], useFactory } = options
    if (typeof useFactory !== 'function')
      throw new TypeError(`${caller} needs useFactory, which makes the Auth`)
    const make = async (...injected: unknown[]): Promise<Auth<Schema, User>> => {
      const auth = await useFactory(...injected)
      demandAuth(auth, caller)
      return auth
    }
    const provider = { provide: authToken(name), inject, useFactory: make }
    return { ...describeModule(this, provider, options, true), imports }
  }
}
Inject(HttpAdapterHost)(TallystickModule, undefined, 0)

/** What `nestAuth` gives, as objects: for guards that are global, and for those of your own. */
export interface NestAuth<Schema extends UserClaimsSchema, User> extends Guards<CanActivate> {
  readonly authorize: (context: ExecutionContext) => Authorize<Schema, User>
  /** Answers refusals, where `TallystickModule` is not imported. */
  readonly authErrors: ExceptionFilter
}

/** Binds an `Auth` to Nest without a module. @throws {TypeError} when it is no `Auth` */
export function nestAuth<Schema extends UserClaimsSchema, User>(
  auth: Auth<Schema, User>,
): NestAuth<Schema, User> {
  const authorize = (context: ExecutionContext): Authorize<Schema, User> => bindContext(auth, context)
  const wrap = (guard: Guard): CanActivate => ({
    canActivate: (context) => activate(auth, guard, context, [context.getHandler(), context.getClass()]),
  })
  return { authorize, authErrors: new AuthErrorFilter(), ...createGuards('nestAuth', auth, wrap) }
}
