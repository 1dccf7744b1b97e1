/** Koa 2 and 3: guards as middleware, cookies on the bound response, refusals as problem+json. */

import type { Middleware, ParameterizedContext } from 'koa'
import type { Auth } from '../core/auth.ts'
import type { Authorize } from '../core/authorize.ts'
import { AuthError } from '../core/errors.ts'
import type { Guard } from '../core/guard.ts'
import type { AuthResponse } from '../core/request.ts'
import type { UserClaimsSchema } from '../core/schema.ts'
import { createGuards } from './_guards.ts'
import type { Guards } from './_guards.ts'
import { NodeRequest, NodeResponse } from './_node.ts'

/** What `koaAuth` gives. */
export interface KoaAuth<Schema extends UserClaimsSchema, User> extends Guards<Middleware> {
  readonly authorize: (context: ParameterizedContext) => Authorize<Schema, User>
  /**
   * Middleware, mounted first: answers refusals that handlers throw, which Koa would send without their cookies, and
   * carries cookies over to a body that is a `Response`, whose headers replace all others.
   */
  readonly authErrors: Middleware
}

class Outgoing extends NodeResponse {
  readonly #context: ParameterizedContext
  readonly #cookies: string[] = []

  constructor(context: ParameterizedContext) {
    super(context.res)
    this.#context = context
  }

  override append(name: string, value: string): void {
    this.#cookies.push(value)
    super.append(name, value)
  }

  /** The context and Koa's own response stand for the response of Node that they hold. */
  override of(target: unknown): AuthResponse | undefined {
    return super.of(typeof target === 'object' && target !== null && 'res' in target ? target.res : target)
  }

  /** Puts back what a body that is a `Response` has overwritten. */
  complete(): void {
    if (this.#cookies.length === 0 || this.sent) return
    const { body, res } = this.#context
    const present = new Set([res.getHeader('set-cookie')].flat())
    const lost = this.#cookies.filter((cookie) => !present.has(cookie))
    for (const cookie of lost) super.append('set-cookie', cookie)
    if (lost.length > 0 || body instanceof Response) this.set('cache-control', 'no-store')
  }
}

/** Binds an `Auth` to Koa. @throws {TypeError} when it is no `Auth` */
export function koaAuth<Schema extends UserClaimsSchema, User>(
  auth: Auth<Schema, User>,
): KoaAuth<Schema, User> {
  const authorize = (context: ParameterizedContext): Authorize<Schema, User> =>
    auth.bind(context, () => [new NodeRequest(context.req, context.request), new Outgoing(context)])

  const complete = ({ response }: Authorize<Schema, User>): void => {
    if (response instanceof Outgoing) response.complete()
  }

  const authErrors: Middleware = async (context, next) => {
    try {
      await next()
    } catch (error) {
      answer(error, context)
    }
    complete(authorize(context))
  }

  const wrap =
    (guard: Guard): Middleware =>
    async (context, next) => {
      const bound = authorize(context)
      try {
        const passed = bound.pass(guard)
        if (passed instanceof Promise) await passed
      } catch (error) {
        answer(error, context)
        return
      }
      await next()
      complete(bound)
    }

  return { authorize, authErrors, ...createGuards('koaAuth', auth, wrap) }
}

/** Answers a refusal; headers that others have set stay. Throws on what is none, and what comes too late. */
function answer(error: unknown, context: ParameterizedContext): void {
  if (!AuthError.is(error) || context.headerSent) throw error
  // A handler that took the response over, and fails before it has sent anything, has given it back.
  context.respond = true
  context.status = error.status
  context.set({ ...error.headers })
  context.body = JSON.stringify(error)
}
