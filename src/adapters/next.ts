/** Next.js 16, App Router: route handlers, server actions, components, and the proxy that refreshes before pages. */

import type { NextRequest } from 'next/server.js'
import type { Auth } from '../core/auth.ts'
import type { Authorize } from '../core/authorize.ts'
import type { Guard } from '../core/guard.ts'
import { ownOptions } from '../core/own.ts'
import type { UserClaimsSchema } from '../core/schema.ts'
import { createGuards } from './_guards.ts'
import type { Guards } from './_guards.ts'
import { NextCalls } from './_next-call.ts'
import type { OnUnauthenticated } from './_next-call.ts'
import { createProxy } from './_next-proxy.ts'
import type { MakeProxy } from './_next-proxy.ts'

/** What `nextAuth` can be told. */
export interface NextAuthOptions {
  /**
   * Is called when a page or a server action is refused with a status below 500, and ends in `redirect()` or the like.
   * Without it, and where it returns, the `AuthError` is thrown. Route handlers answer refusals themselves.
   */
  readonly onUnauthenticated?: OnUnauthenticated | undefined
}

/** Wraps a route handler, a server action or a page; its parameters are its own. */
export type NextMiddleware = <Parameters extends unknown[], Result>(
  handler: (...parameters: Parameters) => Result | Promise<Result>,
) => (...parameters: Parameters) => Promise<Result>

/** What `nextAuth` gives. */
export interface NextAuth<Schema extends UserClaimsSchema, User> extends Guards<NextMiddleware> {
  readonly authorize: {
    /** In components, and in handlers and actions that are wrapped. */
    (): Promise<Authorize<Schema, User>>
    /** In a function that `proxy` wraps. */
    (request: NextRequest): Authorize<Schema, User>
  }
  /** Wraps without a guard, such as the handler of `/login`: cookies and refusals reach the client. */
  readonly authErrors: NextMiddleware
  /** Makes the `proxy` of `proxy.ts`, around yours if there is one: refreshes before a page is rendered. */
  readonly proxy: MakeProxy
  /** The value for the hidden field of a form whose action is guarded; `undefined` for nobody. @throws {AuthError} */
  readonly getCsrfToken: () => Promise<string | undefined>
}

/** Binds an `Auth` to the App Router. @throws {TypeError} when it is no `Auth`, and for wrong options */
export function nextAuth<Schema extends UserClaimsSchema, User>(
  auth: Auth<Schema, User>,
  options: NextAuthOptions = {},
): NextAuth<Schema, User> {
  const { onUnauthenticated } = ownOptions(options, 'nextAuth()', ['onUnauthenticated'])
  if (onUnauthenticated !== undefined && typeof onUnauthenticated !== 'function')
    throw new TypeError('onUnauthenticated of nextAuth() must be a function')

  const wrap =
    (guard: Guard | null): NextMiddleware =>
    (handler) => {
      demandHandler(handler)
      return async (...parameters) => {
        const call = await calls.begin(parameters)
        try {
          if (guard !== null) await call.authorize.pass(guard)
          return call.finish(await handler(...parameters))
        } catch (error) {
          return (await call.fail(error)) as never
        }
      }
    }

  const guards = createGuards('nextAuth', auth, wrap)
  const calls = new NextCalls(auth, onUnauthenticated)

  const authorize = (request?: NextRequest) =>
    request === undefined
      ? calls.current()
      : auth.bind(request, () => {
          throw new TypeError(
            'authorize(request) is for functions that proxy() wraps; in route handlers, call `await authorize()`',
          )
        })

  const getCsrfToken = async (): Promise<string | undefined> => {
    const bound = await calls.current()
    return (await bound.jwtOptional()) === null ? undefined : bound.getCsrfToken()
  }

  return {
    authorize: authorize as NextAuth<Schema, User>['authorize'],
    authErrors: wrap(null),
    proxy: createProxy(auth),
    getCsrfToken,
    ...guards,
  }
}

function demandHandler(handler: unknown): void {
  if (typeof handler === 'function') return
  throw new TypeError('A guard of nextAuth() wraps a function: jwtRequired()(handler), authErrors(handler)')
}
