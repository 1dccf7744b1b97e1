/** Hono 4 on any runtime: guards as middleware, cookies on whatever response the handler returns. */

import type { Context, MiddlewareHandler } from 'hono'
import type { Auth } from '../core/auth.ts'
import type { Authorize } from '../core/authorize.ts'
import { AuthError } from '../core/errors.ts'
import type { Guard } from '../core/guard.ts'
import type { AuthResponse } from '../core/request.ts'
import type { UserClaimsSchema } from '../core/schema.ts'
import { FetchRequest } from './_fetch.ts'
import { createGuards } from './_guards.ts'
import type { Guards } from './_guards.ts'

/** What `honoAuth` gives. */
export interface HonoAuth<Schema extends UserClaimsSchema, User> extends Guards<MiddlewareHandler> {
  readonly authorize: (context: Context) => Authorize<Schema, User>
  /**
   * Middleware for the whole app: carries cookies over to handlers' own `new Response(…)`, which Hono would send
   * without them unless a guard stands before the handler, and answers refusals that an `onError` does not know.
   */
  readonly authErrors: MiddlewareHandler
}

class Outgoing implements AuthResponse {
  readonly #context: Context
  readonly #cookies: string[] = []

  constructor(context: Context) {
    this.#context = context
  }

  get sent(): boolean {
    return this.#context.env?.outgoing?.headersSent === true
  }

  append(name: string, value: string): void {
    this.#cookies.push(value)
    this.#context.header(name, value, { append: true })
  }

  set(name: string, value: string): void {
    this.#context.header(name, value)
  }

  /** Puts what got lost on the way to this response back on it. */
  complete(): void {
    if (this.#cookies.length === 0 || this.sent) return
    const present = new Set(this.#context.res.headers.getSetCookie())
    const lost = this.#cookies.filter((cookie) => !present.has(cookie))
    if (lost.length === 0) return
    for (const cookie of lost) this.#context.header('set-cookie', cookie, { append: true })
    this.set('cache-control', 'no-store')
  }
}

/** Binds an `Auth` to Hono. @throws {TypeError} when it is no `Auth` */
export function honoAuth<Schema extends UserClaimsSchema, User>(
  auth: Auth<Schema, User>,
): HonoAuth<Schema, User> {
  const authorize = (context: Context): Authorize<Schema, User> =>
    auth.bind(context, () => [new FetchRequest(context.req), new Outgoing(context)])

  const complete = ({ response }: Authorize<Schema, User>): void => {
    if (response instanceof Outgoing) response.complete()
  }

  const authErrors: MiddlewareHandler = async (context, next) => {
    await next()
    if (AuthError.is(context.error)) context.res = context.error.getResponse()
    complete(authorize(context))
  }

  const wrap =
    (guard: Guard): MiddlewareHandler =>
    async (context, next) => {
      const bound = authorize(context)
      try {
        const passed = bound.pass(guard)
        if (passed instanceof Promise) await passed
      } catch (error) {
        if (!AuthError.is(error)) throw error
        const response = error.getResponse()
        return context.newResponse(response.body, response)
      }
      await next()
      complete(bound)
      return undefined
    }

  return { authorize, authErrors, ...createGuards('honoAuth', auth, wrap) }
}
