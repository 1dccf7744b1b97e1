/** What the module of `tallystick/nest` provides, and what it sees to while the application starts and ends. */

import type { DynamicModule, FactoryProvider, OnApplicationShutdown, OnModuleInit } from '@nestjs/common'
import type { Provider, Type } from '@nestjs/common'
import { APP_FILTER, ModuleRef, REQUEST } from '@nestjs/core'
import type { Auth } from '../core/auth.ts'
import { ownOptions } from '../core/own.ts'
import { AuthErrorFilter, authorizeToken, authToken, bindInjected, importOf } from './_nest-context.ts'

/** What is said of an `Auth` when its module is imported. */
export interface TallystickModuleOptions {
  /** Tells two of them apart: `@JwtRequired({ auth: 'admin' })`, `@Subject('admin')`. */
  readonly name?: string | undefined
  /** Whether refusals of handlers and of global guards are answered by us, not by a filter of yours. @default true */
  readonly authErrors?: boolean | undefined
}

/** What was said of an `Auth`. @throws {TypeError} for an option that does not exist or makes no sense */
export function readOptions<Options extends TallystickModuleOptions>(
  given: Options,
  caller: string,
  furtherNames: readonly string[] = [],
): Options {
  const options = ownOptions(given, caller, ['name', 'authErrors', ...furtherNames])
  const { authErrors } = options
  if (authErrors !== undefined && typeof authErrors !== 'boolean')
    throw new TypeError(`authErrors of ${caller} must be a boolean`)
  return options
}

/** The module for one `Auth`; `isOwner`: whether it was made for this application, and ends with it. */
export function describeModule(
  module: Type,
  provider: Provider,
  { name, authErrors = true }: TallystickModuleOptions,
  isOwner: boolean,
): DynamicModule {
  // What injects REQUEST is made anew for each request.
  const authorize: FactoryProvider = {
    provide: authorizeToken(name),
    inject: [REQUEST, authToken(name)],
    useFactory: (request: object, auth: Auth) => bindInjected(auth, request),
  }
  const keeper: FactoryProvider = {
    provide: Keeper,
    inject: [ModuleRef],
    useFactory: (modules: ModuleRef) => new Keeper(modules, name, isOwner),
  }
  const filter: Provider = { provide: APP_FILTER, useClass: AuthErrorFilter }
  return {
    module,
    global: true,
    providers: [provider, authorize, keeper, ...(authErrors ? [filter] : [])],
    exports: [authToken(name), authorizeToken(name)],
  }
}

class Keeper implements OnModuleInit, OnApplicationShutdown {
  readonly #modules: ModuleRef
  readonly #name: string | undefined
  readonly #isOwner: boolean

  constructor(modules: ModuleRef, name: string | undefined, isOwner: boolean) {
    this.#modules = modules
    this.#name = name
    this.#isOwner = isOwner
  }

  /** Of two under one name, guards would get the one that Nest happens to find first. */
  onModuleInit(): void {
    const auths = this.#modules.get<Auth>(authToken(this.#name), { strict: false, each: true })
    if (new Set(auths).size === 1) return
    throw new TypeError(
      `${importOf(this.#name)} was imported for two Auths: give one of them a name of its own, as { name: 'admin' }`,
    )
  }

  async onApplicationShutdown(): Promise<void> {
    if (this.#isOwner) await this.#modules.get<Auth>(authToken(this.#name)).close()
  }
}
