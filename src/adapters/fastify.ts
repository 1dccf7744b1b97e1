/** Fastify 5: guards as hooks, cookies on the reply, refusals as problem+json. */

import type { FastifyInstance, FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify'
import type { Auth } from '../core/auth.ts'
import type { Authorize } from '../core/authorize.ts'
import { AuthError } from '../core/errors.ts'
import type { Guard } from '../core/guard.ts'
import type { UserClaimsSchema } from '../core/schema.ts'
import { IncomingRequest, OutgoingReply, replyProblem } from './_fastify.ts'
import { createGuards, passGuard } from './_guards.ts'
import type { Guards } from './_guards.ts'

/** What `fastifyAuth` gives. */
export interface FastifyAuth<Schema extends UserClaimsSchema, User> extends Guards<onRequestHookHandler> {
  readonly authorize: (request: FastifyRequest, reply: FastifyReply) => Authorize<Schema, User>
  /** Plugin, registered once: answers refusals that handlers throw. */
  readonly authErrors: (instance: FastifyInstance) => Promise<void>
}

/** Binds an `Auth` to Fastify. @throws {TypeError} when it is no `Auth` */
export function fastifyAuth<Schema extends UserClaimsSchema, User>(
  auth: Auth<Schema, User>,
): FastifyAuth<Schema, User> {
  const authorize = (request: FastifyRequest, reply: FastifyReply): Authorize<Schema, User> =>
    auth.bind(request.raw, () => [new IncomingRequest(request), new OutgoingReply(reply)])

  const wrap =
    (guard: Guard): onRequestHookHandler =>
    (request, reply, done) => {
      const refuse = (error: unknown): void => {
        if (AuthError.is(error)) replyProblem(error, reply)
        else done(error as Error)
      }
      passGuard(authorize(request, reply), guard, done, refuse)
    }

  const authErrors = async (instance: FastifyInstance): Promise<void> => {
    instance.setErrorHandler((error, _request, reply) => {
      if (!AuthError.is(error)) throw error
      replyProblem(error, reply)
    })
  }
  // Without a context of its own, so that the error handler serves the routes beside the plugin.
  return {
    authorize,
    authErrors: Object.assign(authErrors, { [Symbol.for('skip-override')]: true }),
    ...createGuards('fastifyAuth', auth, wrap),
  }
}
