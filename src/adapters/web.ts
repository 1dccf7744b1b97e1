/** Any server that speaks `Request` and `Response`: Bun, Deno, Workers, SvelteKit, Remix, Astro. */

import type { Auth } from '../core/auth.ts'
import type { Authorize } from '../core/authorize.ts'
import { AuthError } from '../core/errors.ts'
import type { Guard } from '../core/guard.ts'
import type { UserClaimsSchema } from '../core/schema.ts'
import { FetchRequest } from './_fetch.ts'
import { createGuards } from './_guards.ts'
import type { Guards } from './_guards.ts'
import { PendingResponse } from './_pending-response.ts'

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

/** Binds an `Auth` to Fetch API handlers. @throws {TypeError} when it is no `Auth` */
export function webAuth<Schema extends UserClaimsSchema, User>(
  auth: Auth<Schema, User>,
): WebAuth<Schema, User> {
  const authorize = (request: Request): WebAuthorize<Schema, User> => {
    const pending = new PendingResponse()
    const respond = (response: Response): Response => pending.respond(response)
    const bound = auth.bind(request, () => [new FetchRequest({ raw: request }), pending])
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
