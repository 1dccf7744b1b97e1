/** `h3` 2, and what is built on it (Nitro 3): guards as middleware, cookies on whatever the handler returns. */

import type { Auth } from '../core/auth.ts'
import type { Authorize } from '../core/authorize.ts'
import { AuthError } from '../core/errors.ts'
import type { Guard } from '../core/guard.ts'
import type { AuthResponse } from '../core/request.ts'
import type { UserClaimsSchema } from '../core/schema.ts'
import { FetchRequest } from './_fetch.ts'
import { createGuards } from './_guards.ts'
import type { Guards } from './_guards.ts'

/** What is used of an `H3Event`: Nitro has them without a package `h3` beside ours, which types could come from. */
export interface H3AuthEvent {
  /** A `Request`, which h3 types in ways of its own. */
  readonly req: object
  readonly res: { readonly headers: Headers; readonly errHeaders: Headers }
  readonly runtime?: { readonly node?: { readonly res?: { readonly headersSent: boolean } } } | undefined
}

/** A `Middleware` of h3. */
export type H3AuthMiddleware = (event: H3AuthEvent, next: () => unknown) => Promise<unknown>

/** What `h3Auth` gives. */
export interface H3Auth<Schema extends UserClaimsSchema, User> extends Guards<H3AuthMiddleware> {
  readonly authorize: (event: H3AuthEvent) => Authorize<Schema, User>
  /** Middleware, mounted first: answers refusals that handlers throw, of which h3 would keep status and headers only. */
  readonly authErrors: H3AuthMiddleware
}

class Outgoing implements AuthResponse {
  readonly #event: H3AuthEvent
  readonly #prepared: H3AuthEvent['res']

  constructor(event: H3AuthEvent) {
    this.#event = event
    this.#prepared = event.res
  }

  /** Once h3 has made its answer of what was prepared, the event has a new `res`, which nobody will see. */
  get sent(): boolean {
    return this.#event.res !== this.#prepared || this.#event.runtime?.node?.res?.headersSent === true
  }

  /** h3 puts one list on good answers and the other on bad ones. */
  append(name: string, value: string): void {
    this.#prepared.headers.append(name, value)
    this.#prepared.errHeaders.append(name, value)
  }

  set(name: string, value: string): void {
    this.#prepared.headers.set(name, value)
    this.#prepared.errHeaders.set(name, value)
  }

  /** The event and what it prepares are the bound response itself. */
  of(target: unknown): AuthResponse | undefined {
    return target === this.#event || target === this.#prepared ? this : undefined
  }
}

/** Binds an `Auth` to h3. @throws {TypeError} when it is no `Auth` */
export function h3Auth<Schema extends UserClaimsSchema, User>(
  auth: Auth<Schema, User>,
): H3Auth<Schema, User> {
  const authorize = (event: H3AuthEvent): Authorize<Schema, User> =>
    auth.bind(event, () => [new FetchRequest(requestOf(event)), new Outgoing(event)])

  const authErrors: H3AuthMiddleware = async (event, next) => {
    // Before any answer is made, so that cookies which come after it are noticed.
    authorize(event)
    try {
      return await next()
    } catch (error) {
      return answer(error)
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
        return answer(error)
      }
      return next()
    }

  return { authorize, authErrors, ...createGuards('h3Auth', auth, wrap) }
}

/** Shows the request that the event has at the moment: validation puts another one there. */
function requestOf(event: H3AuthEvent): { readonly raw: Request } {
  return {
    get raw(): Request {
      if (event.req instanceof Request) return event.req
      throw new TypeError('h3Auth() takes events of h3 2 (Nitro 3): those of h3 1 hold no Request')
    },
  }
}

function answer(error: unknown): Response {
  if (AuthError.is(error)) return error.getResponse()
  throw error
}
