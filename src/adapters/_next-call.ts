/** One call of something that a guard wraps: how it is bound to its request, and how it ends. */

import type { Auth } from '../core/auth.ts'
import type { Authorize } from '../core/authorize.ts'
import { AuthError } from '../core/errors.ts'
import type { GuardName } from '../core/guard.ts'
import type { UserClaimsSchema } from '../core/schema.ts'
import { toNextCookie } from './_next-cookies.ts'
import { ActionRequest, ActionResponse, ComponentRequest, RouteRequest, readScope } from './_next-ports.ts'
import type { NextRequestScope } from './_next-ports.ts'
import { noResponse, refuseCookies } from './_no-cookies.ts'
import { PendingResponse } from './_pending-response.ts'

/** Where a refused visitor goes: ends in `redirect()`, `notFound()` or `unauthorized()` of Next. */
export type OnUnauthenticated = (error: AuthError) => never | Promise<never>

/** What is done around a handler. */
export interface NextCall<Schema extends UserClaimsSchema, User> {
  readonly authorize: Authorize<Schema, User>
  /** Completes what the handler gave. */
  readonly finish: <Result>(result: Result) => Result
  /** Answers what it threw, or throws. */
  readonly fail: (error: unknown) => unknown
}

const noCookies = refuseCookies(
  'A server component sets no cookies: call login(), refresh() and logout() in a route handler or in a server action that a guard or authErrors() wraps, and let proxy() refresh before pages',
)

const strictGuards: readonly GuardName[] = ['jwtRequired', 'jwtRefreshTokenRequired', 'freshJwtRequired']

/** Binds the calls of one `Auth`. */
export class NextCalls<Schema extends UserClaimsSchema, User> {
  readonly #auth: Auth<Schema, User>
  readonly #onUnauthenticated: OnUnauthenticated | undefined
  readonly #tokenCookies: readonly string[]

  constructor(auth: Auth<Schema, User>, onUnauthenticated: OnUnauthenticated | undefined) {
    const { cookiePrefix, accessCookieKey, refreshCookieKey } = auth.options
    this.#auth = auth
    this.#onUnauthenticated = onUnauthenticated
    this.#tokenCookies = [cookiePrefix + accessCookieKey, cookiePrefix + refreshCookieKey]
  }

  /** What `await authorize()` gives. */
  async current(): Promise<Authorize<Schema, User>> {
    const scope = await readScope()
    if (scope.isReadOnly) return this.#component(scope)
    return this.#auth.bind(scope.cookies, () => {
      throw new TypeError(
        'authorize() knows too little of this request: wrap the route handler or server action by a guard or by authErrors(); in proxy(), pass the request',
      )
    })
  }

  /** Begins a call by what a handler was called with. */
  async begin(parameters: readonly unknown[]): Promise<NextCall<Schema, User>> {
    const [request] = parameters
    const scope = await readScope()
    if (request instanceof Request) return this.#beginRoute(scope, request)
    if (!scope.isReadOnly) return this.#beginAction(scope, parameters)
    const fail = async (error: unknown): Promise<never> => this.#refuse(error)
    return { authorize: this.#component(scope), finish: (result) => result, fail }
  }

  #beginRoute(scope: NextRequestScope, request: Request): NextCall<Schema, User> {
    const pending = new PendingResponse()
    const authorize = this.#auth.bind(scope.cookies, () => [new RouteRequest(request), pending])
    // A guard around another one has begun the call, and ends it.
    const isOuter = authorize.response === pending
    const respond = (response: Response): Response => (isOuter ? pending.respond(response) : response)
    return {
      authorize,
      finish: (result) => (result instanceof Response ? (respond(result) as typeof result) : result),
      fail(error) {
        if (AuthError.is(error)) return respond(error.getResponse())
        // The answer to redirect() and its kin is made by Next, with what is in its own store.
        for (const line of isOuter ? pending.cookies : []) scope.cookies.set(toNextCookie(line))
        throw error
      },
    }
  }

  #beginAction(scope: NextRequestScope, parameters: readonly unknown[]): NextCall<Schema, User> {
    const form = parameters.find((parameter) => parameter instanceof FormData)
    const response = new ActionResponse(scope.cookies)
    const authorize = this.#auth.bind(scope.cookies, () => [
      new ActionRequest(scope, form, this.#auth.options),
      response,
    ])
    return {
      authorize,
      finish(result) {
        response.sent = true
        return result
      },
      fail: async (error) => {
        response.sent = true
        return this.#refuse(error)
      },
    }
  }

  /** Bound once for each render; what sets cookies does not work, and refusals go the user's way. */
  #component(scope: NextRequestScope): Authorize<Schema, User> {
    const authorize = this.#auth.bind(scope.cookies, () => [
      new ComponentRequest(scope, this.#tokenCookies),
      noResponse,
    ])
    if (Object.hasOwn(authorize, 'login')) return authorize
    const guards = strictGuards.map((name) => {
      const guard = authorize[name].bind(authorize)
      return [name, (options?: object) => guard(options).catch((error: unknown) => this.#refuse(error))]
    })
    return Object.assign(authorize, noCookies, Object.fromEntries(guards))
  }

  /** @throws what `onUnauthenticated` throws, else the error */
  async #refuse(error: unknown): Promise<never> {
    // Who cannot be judged since a store is away is not sent off to sign in.
    if (AuthError.is(error) && error.status < 500) await this.#onUnauthenticated?.(error)
    throw error
  }
}
