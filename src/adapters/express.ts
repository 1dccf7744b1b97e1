/** Express 4 and 5: guards as middleware, cookies on the bound response, refusals as problem+json. */

import type { ErrorRequestHandler, Request, RequestHandler, Response } from 'express'
import type { Auth } from '../core/auth.ts'
import type { Authorize } from '../core/authorize.ts'
import { AuthError } from '../core/errors.ts'
import type { Guard } from '../core/guard.ts'
import type { UserClaimsSchema } from '../core/schema.ts'
import { createGuards, passGuard } from './_guards.ts'
import type { Guards } from './_guards.ts'
import { NodeRequest, NodeResponse, sendProblem } from './_node.ts'

/** What `expressAuth` gives. */
export interface ExpressAuth<Schema extends UserClaimsSchema, User> extends Guards<RequestHandler> {
  readonly authorize: (request: Request, response: Response) => Authorize<Schema, User>
  /** Hands what an async handler throws to the error handlers, which Express 4 does not do by itself. */
  readonly route: (handler: (...parameters: Parameters<RequestHandler>) => unknown) => RequestHandler
  /** Error middleware, mounted last: answers refusals that handlers throw. */
  readonly authErrors: ErrorRequestHandler
}

/** Binds an `Auth` to Express. @throws {TypeError} when it is no `Auth` */
export function expressAuth<Schema extends UserClaimsSchema, User>(
  auth: Auth<Schema, User>,
): ExpressAuth<Schema, User> {
  const authorize = (request: Request, response: Response): Authorize<Schema, User> =>
    auth.bind(request, () => [new NodeRequest(request), new NodeResponse(response)])

  const authErrors: ErrorRequestHandler = (error: unknown, _request, response, next) => {
    if (AuthError.is(error) && !response.headersSent) sendProblem(error, response)
    else next(error)
  }

  const wrap =
    (guard: Guard): RequestHandler =>
    (request, response, next) => {
      const refuse = (error: unknown): unknown => authErrors(error, request, response, next)
      passGuard(authorize(request, response), guard, next, refuse)
    }

  const route: ExpressAuth<Schema, User>['route'] = (handler) => (request, response, next) => {
    const run = async (): Promise<unknown> => handler(request, response, next)
    run().catch(next)
  }

  return { authorize, route, authErrors, ...createGuards('expressAuth', auth, wrap) }
}
