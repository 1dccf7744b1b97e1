/** `h3` 2 and 1, and what is built on them (Nitro, Nuxt): guards as middleware, cookies on whatever the handler returns. */

import type { Auth } from '../core/auth.ts'
import type { Authorize } from '../core/authorize.ts'
import { AuthError } from '../core/errors.ts'
import type { Guard } from '../core/guard.ts'
import type { UserClaimsSchema } from '../core/schema.ts'
import { createGuards } from './_guards.ts'
import type { Guards } from './_guards.ts'
import { isNodeEvent, keepPrivate, nodePorts, refuse } from './_h3-1.ts'
import type { H3NodeEvent } from './_h3-1.ts'
import { webPorts } from './_h3-2.ts'
import type { H3WebEvent } from './_h3-2.ts'

/** What is used of an `H3Event`: Nitro has them without a package `h3` beside ours, which types could come from. */
export type H3AuthEvent = H3WebEvent | H3NodeEvent

/** A `Middleware` of h3 2, and an `EventHandler` of h3 1, for `server/middleware` or `onRequest`; h3 takes what it gives. */
export type H3AuthMiddleware = (event: H3AuthEvent, next?: () => unknown) => Promise<void>

/** What `h3Auth` gives. */
export interface H3Auth<Schema extends UserClaimsSchema, User> extends Guards<H3AuthMiddleware> {
  readonly authorize: (event: H3AuthEvent) => Authorize<Schema, User>
  /**
   * Middleware, mounted first: answers refusals that handlers throw, of which h3 would keep status and headers only.
   * In h3 1, where middleware stands around nothing, it is called with the handler: `authErrors(event, () => …)`.
   */
  readonly authErrors: (event: H3AuthEvent, next: () => unknown) => Promise<unknown>
}

/** Binds an `Auth` to h3. @throws {TypeError} when it is no `Auth` */
export function h3Auth<Schema extends UserClaimsSchema, User>(
  auth: Auth<Schema, User>,
): H3Auth<Schema, User> {
  const authorize = (event: H3AuthEvent): Authorize<Schema, User> =>
    auth.bind(event, () => (isNodeEvent(event) ? nodePorts(event) : webPorts(event)))

  const authErrors: H3Auth<Schema, User>['authErrors'] = async (event, next) => {
    // Before any answer is made, so that cookies which come after it are noticed.
    authorize(event)
    try {
      const given = await next()
      return isNodeEvent(event) ? keepPrivate(given, event) : given
    } catch (error) {
      return answer(error, event)
    }
  }

  // h3 goes on to the handler where a middleware gives nothing, or takes no second parameter: this one does neither.
  const wrap =
    (guard: Guard): H3AuthMiddleware =>
    async (event, next) => {
      try {
        const passed = authorize(event).pass(guard)
        if (passed instanceof Promise) await passed
      } catch (error) {
        return answer(error, event) as void
      }
      return next?.() as void
    }

  return { authorize, authErrors, ...createGuards('h3Auth', auth, wrap) }
}

function answer(error: unknown, event: H3AuthEvent): unknown {
  if (isNodeEvent(event)) return refuse(error, event)
  if (AuthError.is(error)) return error.getResponse()
  throw error
}
