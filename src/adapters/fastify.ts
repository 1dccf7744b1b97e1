/** Fastify 5: guards as hooks, cookies on the reply, refusals as problem+json. */

import type { FastifyInstance, FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify'
import type { Auth } from '../core/auth.ts'
import type { Authorize } from '../core/authorize.ts'
import { AuthError } from '../core/errors.ts'
import type { Guard } from '../core/guard.ts'
import type { AuthResponse } from '../core/request.ts'
import type { UserClaimsSchema } from '../core/schema.ts'
import { createGuards, passGuard } from './_guards.ts'
import type { Guards } from './_guards.ts'
import { NodeRequest } from './_node.ts'

/** What `fastifyAuth` gives. */
export interface FastifyAuth<Schema extends UserClaimsSchema, User> extends Guards<onRequestHookHandler> {
  readonly authorize: (request: FastifyRequest, reply: FastifyReply) => Authorize<Schema, User>
  /** Plugin, registered once: answers refusals that handlers throw. */
  readonly authErrors: (instance: FastifyInstance) => Promise<void>
}

/** Fastify's own request has the parsed body; the rest is read from Node's. */
class Incoming extends NodeRequest {
  readonly #request: FastifyRequest

  constructor(request: FastifyRequest) {
    super(request.raw)
    this.#request = request
  }

  override body(): unknown {
    return this.#request.body
  }
}

class Outgoing implements AuthResponse {
  readonly #reply: FastifyReply

  constructor(reply: FastifyReply) {
    this.#reply = reply
  }

  get sent(): boolean {
    return this.#reply.sent || this.#reply.raw.headersSent
  }

  /** Fastify's `header` keeps earlier values of Set-Cookie. */
  append(name: string, value: string): void {
    this.#reply.header(name, value)
    // Fastify copies headers when a stream is given to it, which can be long before they go.
    this.#reply.raw.appendHeader(name, value)
  }

  set(name: string, value: string): void {
    this.#reply.header(name, value)
    this.#reply.raw.setHeader(name, value)
  }

  of(target: unknown): AuthResponse | undefined {
    const isReply = typeof target === 'object' && target !== null && 'raw' in target && 'header' in target
    return isReply ? new Outgoing(target as FastifyReply) : undefined
  }
}

/** Binds an `Auth` to Fastify. @throws {TypeError} when it is no `Auth` */
export function fastifyAuth<Schema extends UserClaimsSchema, User>(
  auth: Auth<Schema, User>,
): FastifyAuth<Schema, User> {
  const authorize = (request: FastifyRequest, reply: FastifyReply): Authorize<Schema, User> =>
    auth.bind(request.raw, () => [new Incoming(request), new Outgoing(reply)])

  const wrap =
    (guard: Guard): onRequestHookHandler =>
    (request, reply, done) => {
      const refuse = (error: unknown): void => {
        if (AuthError.is(error)) sendProblem(error, reply)
        else done(error as Error)
      }
      passGuard(authorize(request, reply), guard, done, refuse)
    }

  const authErrors = async (instance: FastifyInstance): Promise<void> => {
    instance.setErrorHandler((error, _request, reply) => {
      if (!AuthError.is(error)) throw error
      sendProblem(error, reply)
    })
  }
  // Without a context of its own, so that the error handler serves the routes beside the plugin.
  return {
    authorize,
    authErrors: Object.assign(authErrors, { [Symbol.for('skip-override')]: true }),
    ...createGuards('fastifyAuth', auth, wrap),
  }
}

function sendProblem(error: AuthError, reply: FastifyReply): void {
  reply.code(error.status).headers(error.headers).serializer(String).send(JSON.stringify(error))
}
