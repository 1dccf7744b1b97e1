/** The decorators of `tallystick/nest`: they find the `Auth` by injection, so that an asynchronous module can bring it. */

import {
  applyDecorators,
  createParamDecorator,
  Inject,
  Optional,
  SetMetadata,
  UseFilters,
  UseGuards,
} from '@nestjs/common'
import type { CanActivate, ExecutionContext, PipeTransform, Type } from '@nestjs/common'
import type { Auth } from '../core/auth.ts'
import type { Authorize as Bound } from '../core/authorize.ts'
import { createGuard } from '../core/guard.ts'
import type { FreshGuardOptions, Guard, GuardName, GuardOptions } from '../core/guard.ts'
import { tokenLocations } from '../core/location.ts'
import { withoutPrototype } from '../core/own.ts'
import {
  activate,
  AuthErrorFilter,
  authorizeToken,
  authToken,
  bindContext,
  demandModule,
  publicKey,
} from './_nest-context.ts'

/** Decorates a handler, or a controller and with it all its handlers. */
export type GuardDecorator = ClassDecorator & MethodDecorator

/** What `@Authorize()` gives: `authorize: AuthorizeOf<typeof auth>`. */
export type AuthorizeOf<Instance> =
  Instance extends Auth<infer Schema, infer User> ? Bound<Schema, User> : never

/** Which `Auth` is meant, where there are two: the `name` that its module was given. */
export interface NamedAuth {
  readonly auth?: string | undefined
}

/** Demands a valid access token. @throws {TypeError} for wrong options, at once; without the module, at start-up */
export const JwtRequired: (options?: GuardOptions & NamedAuth) => GuardDecorator =
  guardDecorator('jwtRequired')

/** Lets requests without a token pass as nobody's. @throws {TypeError} as `JwtRequired` */
export const JwtOptional: (options?: GuardOptions & NamedAuth) => GuardDecorator =
  guardDecorator('jwtOptional')

/** Demands a valid refresh token. @throws {TypeError} as `JwtRequired` */
export const JwtRefreshTokenRequired: (options?: GuardOptions & NamedAuth) => GuardDecorator =
  guardDecorator('jwtRefreshTokenRequired')

/** Demands a token straight from a sign-in. @throws {TypeError} as `JwtRequired` */
export const FreshJwtRequired: (options?: FreshGuardOptions & NamedAuth) => GuardDecorator =
  guardDecorator('freshJwtRequired')

/** Takes a handler out of the guards of its controller and of the application, a controller out of the latter. */
export function Public(...misused: never[]): GuardDecorator {
  demandCall('Public', undefined, misused)
  return SetMetadata(publicKey, true)
}

/**
 * Gives a handler, or the constructor of a request-scoped provider, the `Authorize` of the request.
 *
 * @example
 * login(@Authorize() authorize: AuthorizeOf<typeof auth>) { return authorize.login('ada') }
 */
export function Authorize(name?: string, ...misused: never[]): ParameterDecorator {
  const inHandler = reader('Authorize', name, misused, (bound) => bound)
  const inConstructor = Inject(authorizeToken(name))
  return (target, key, index) =>
    key === undefined ? inConstructor(target, key, index) : inHandler(target, key, index)
}

/** Gives a handler the claims that its guard has established; `null` where `JwtOptional` found nobody. */
export function JwtClaims(name?: string, ...misused: never[]): ParameterDecorator {
  return reader('JwtClaims', name, misused, (bound) =>
    bound.isAnonymous ? bound.getRawJwt() : bound.claims(),
  )
}

/** Gives a handler whom the token names; `null` where `JwtOptional` found nobody. */
export function Subject(name?: string, ...misused: never[]): ParameterDecorator {
  return reader('Subject', name, misused, (bound) =>
    bound.isAnonymous ? bound.getJwtSubject() : bound.subject(),
  )
}

/** Injects the `Auth` itself. */
export function InjectAuth(name?: string): PropertyDecorator & ParameterDecorator {
  return Inject(authToken(name))
}

function guardDecorator(name: GuardName): (options?: FreshGuardOptions & NamedAuth) => GuardDecorator {
  const label = `${name.charAt(0).toUpperCase()}${name.slice(1)}`
  return (given = {}, ...misused: never[]) => {
    demandCall(label, given, misused)
    const { auth: authName, ...options } = withoutPrototype(given)
    const token = authToken(authName)
    // What is wrong with them is told where they are written; the guard itself waits for its Auth.
    createGuard(name, tokenLocations, options)
    return (target: object, key?: string | symbol, descriptor?: PropertyDescriptor) => {
      const place = `@${label}() on ${placeOf(target, key)}`
      const isOnHandler = descriptor !== undefined
      class JwtGuard implements CanActivate {
        readonly #auth: Auth
        readonly #guard: Guard

        constructor(auth: Auth | undefined) {
          this.#auth = demandModule(auth, place, authName)
          this.#guard = this.#auth.createGuard(name, options)
        }

        canActivate(context: ExecutionContext): boolean | Promise<boolean> {
          return activate(this.#auth, this.#guard, context, isOnHandler ? [] : [context.getHandler()])
        }
      }
      injectAuth(JwtGuard, token)
      // The filter nearest to the handler answers: one that catches everything would make refusals a 500.
      applyDecorators(UseGuards(JwtGuard), UseFilters(AuthErrorFilter))(target, key, descriptor)
    }
  }
}

/** A parameter has no injection of its own; a pipe of its own has. */
function reader(
  label: string,
  name: string | undefined,
  misused: readonly unknown[],
  read: (bound: Bound) => unknown,
): ParameterDecorator {
  demandCall(label, name, misused)
  const token = authToken(name)
  return (target, key, index) => {
    const place = `@${label}() in ${placeOf(target, key)}`
    if (key === undefined) throw new TypeError(`${place}: only handlers have it, a constructor does not`)
    class JwtPipe implements PipeTransform {
      readonly #auth: Auth

      constructor(auth: Auth | undefined) {
        this.#auth = demandModule(auth, place, name)
      }

      transform(contextOf: unknown): unknown {
        if (typeof contextOf !== 'function')
          throw new TypeError(`${place}: a global pipe has replaced what it does not know`)
        return read(bindContext(this.#auth, contextOf()))
      }
    }
    injectAuth(JwtPipe, token)
    // Global pipes come first; most of them leave a function alone.
    createParamDecorator((_data: unknown, context: ExecutionContext) => () => context)(JwtPipe)(
      target,
      key,
      index,
    )
  }
}

/** Injects the `Auth` into a guard or pipe; what is missing is told by us, with the fix, and not by Nest. */
function injectAuth(enhancer: Type, token: string): void {
  Optional()(enhancer, undefined, 0)
  Inject(token)(enhancer, undefined, 0)
}

function placeOf(target: object, key: string | symbol | undefined): string {
  const { name } = typeof target === 'function' ? target : target.constructor
  return key === undefined ? name : `${name}.${String(key)}`
}

/** A decorator without its parentheses would decorate nothing, and leave the handler open. */
function demandCall(label: string, first: unknown, rest: readonly unknown[]): void {
  if (typeof first === 'function' || rest.length > 0)
    throw new TypeError(`@${label} must be called: write @${label}()`)
}
