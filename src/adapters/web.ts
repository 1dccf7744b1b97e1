/** Any server that speaks `Request` and `Response`: Bun, Deno, Workers, SvelteKit, Remix, Astro. */

import type { Auth } from '../core/auth.ts'
import type { Authorize } from '../core/authorize.ts'
import { AuthError } from '../core/errors.ts'
import type { Guard } from '../core/guard.ts'
import type { AuthResponse } from '../core/request.ts'
import type { UserClaimsSchema } from '../core/schema.ts'
import { FetchRequest } from './_fetch.ts'
import { createGuards } from './_guards.ts'
import type { Guards } from './_guards.ts'

/** A handler gets the request itself, or something that carries it as `request`; its further parameters are its own. */
export type WebHandler<Parameters extends unknown[]> = (
  ...parameters: Parameters
) => Response | Promise<Response>

/** Wraps a handler, whose answers then carry the cookies that were set, refusals too. */
export type WebMiddleware = <Parameters extends unknown[]>(
  handler: WebHandler<Parameters>,
) => (...parameters: Parameters) => Promise<Response>

/** An `Authorize` that keeps what it sets until the handler has its response. */
export type WebAuthorize<Schema extends UserClaimsSchema, User> = Authorize<Schema, User> & {
  /** A copy of the response with the cookies set so far; the response itself when there are none. */
  respond(response: Response): Response
}

/** What `webAuth` gives. */
export interface WebAuth<Schema extends UserClaimsSchema, User> extends Guards<WebMiddleware> {
  readonly authorize: (request: Request) => WebAuthorize<Schema, User>
  /** Wraps a handler without a guard, such as that of `/login`: cookies and refusals reach the client. */
  readonly authErrors: WebMiddleware
}

/** Headers in waiting. */
class Outgoing implements AuthResponse {
  readonly #headers: [name: string, value: string, isAppended: boolean][] = []
  #isTaken = false

  /** Once a response was made with them, nothing can be added. */
  get sent(): boolean {
    return this.#isTaken
  }

  append(name: string, value: string): void {
    this.#headers.push([name, value, true])
  }

  set(name: string, value: string): void {
    this.#headers.push([name, value, false])
  }

  respond(response: Response): Response {
    this.#isTaken = true
    if (this.#headers.length === 0) return response
    // A copy, since the headers of redirects and fetched responses cannot be changed.
    const copy = new Response(response.body, response)
    for (const [name, value, isAppended] of this.#headers.splice(0)) {
      if (isAppended) copy.headers.append(name, value)
      else copy.headers.set(name, value)
    }
    return copy
  }
}

/** Binds an `Auth` to Fetch API handlers. @throws {TypeError} when it is no `Auth` */
export function webAuth<Schema extends UserClaimsSchema, User>(
  auth: Auth<Schema, User>,
): WebAuth<Schema, User> {
  const authorize = (request: Request): WebAuthorize<Schema, User> => {
    const outgoing = new Outgoing()
    const respond = (response: Response): Response => outgoing.respond(response)
    const bound = auth.bind(request, () => [new FetchRequest({ raw: request }), outgoing])
    return 'respond' in bound ? (bound as WebAuthorize<Schema, User>) : Object.assign(bound, { respond })
  }

  const wrap =
    (guard: Guard | null): WebMiddleware =>
    (handler) =>
    async (...parameters) => {
      const request = requestOf(parameters[0])
      const bound = authorize(request)
      try {
        if (guard !== null) await bound.pass(guard)
        return bound.respond(await handler(...parameters))
      } catch (error) {
        // Remix and its kin throw redirects.
        if (error instanceof Response) return bound.respond(error)
        if (!AuthError.is(error)) throw error
        return bound.respond(error.getResponse())
      }
    }

  return { authorize, authErrors: wrap(null), ...createGuards('webAuth', auth, wrap) }
}

function requestOf(source: unknown): Request {
  const request =
    source instanceof Request ? source : (source as { readonly request?: unknown } | null)?.request
  if (request instanceof Request) return request
  throw new TypeError('A handler wrapped by webAuth must be called with a Request, or with { request }')
}
