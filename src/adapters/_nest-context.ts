/** Sees Nest's HTTP contexts, on Express and on Fastify, as the ports; answers refusals; names what is injected. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { Catch } from '@nestjs/common'
import type { ArgumentsHost, ExceptionFilter, ExecutionContext } from '@nestjs/common'
import { Reflector } from '@nestjs/core'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Auth } from '../core/auth.ts'
import type { Authorize } from '../core/authorize.ts'
import { AuthError } from '../core/errors.ts'
import type { Guard } from '../core/guard.ts'
import type { UserClaimsSchema } from '../core/schema.ts'
import { IncomingRequest, OutgoingReply, replyProblem } from './_fastify.ts'
import { NodeRequest, NodeResponse, sendProblem } from './_node.ts'

type HttpRequest = FastifyRequest | (IncomingMessage & { readonly res?: ServerResponse })
type HttpResponse = FastifyReply | ServerResponse

/**
 * How the module is imported for an `Auth` of that name; what errors say, those of Nest's injector too.
 *
 * @throws {TypeError} for a name that is none
 */
export function importOf(name: string | undefined): string {
  if (name !== undefined && typeof name !== 'string')
    throw new TypeError('The name of an Auth must be a string')
  return name === undefined
    ? 'TallystickModule.forRoot(auth)'
    : `TallystickModule.forRoot(auth, { name: '${name}' })`
}

/** The injection token of an `Auth`. */
export function authToken(name?: string): string {
  return `Auth of ${importOf(name)}`
}

/** The injection token of the `Authorize` of the request that a provider is made for. */
export function authorizeToken(name?: string): string {
  return `Authorize of ${importOf(name)}`
}

/** @throws {TypeError} when nobody provides the `Auth` */
export function demandModule<T>(auth: T | undefined, place: string, name: string | undefined): T {
  if (auth !== undefined) return auth
  throw new TypeError(`${place} needs the module: put ${importOf(name)} into the imports of the root module`)
}

/** Binds an `Auth` to the request of a context. @throws {TypeError} for messages, events and GraphQL */
export function bindContext<Schema extends UserClaimsSchema, User>(
  auth: Auth<Schema, User>,
  host: ArgumentsHost,
): Authorize<Schema, User> {
  const type = host.getType<string>()
  if (type !== 'http') {
    throw new TypeError(
      `tallystick/nest guards HTTP handlers, not those of '${type}': a token is checked there with auth.verify()`,
    )
  }
  return bindRequest(auth, host.getArgByIndex<HttpRequest>(0), host.getArgByIndex<HttpResponse>(1))
}

function bindRequest<Schema extends UserClaimsSchema, User>(
  auth: Auth<Schema, User>,
  request: HttpRequest,
  response: HttpResponse,
): Authorize<Schema, User> {
  return 'raw' in request
    ? auth.bind(request.raw, () => [
        new IncomingRequest(request),
        new OutgoingReply(response as FastifyReply),
      ])
    : auth.bind(request, () => [new NodeRequest(request), new NodeResponse(response as ServerResponse)])
}

/** Where Fastify's requests keep their replies, which Express's requests know by themselves. */
const replyOf = Symbol('tallystick/nest')

/** Notes the reply of each request of Fastify, for providers that are made before any context is there. */
export function noteReplies(adapter: { getType(): string; getInstance(): unknown } | undefined): void {
  if (adapter?.getType() !== 'fastify') return
  const instance = adapter.getInstance() as {
    addHook(name: 'onRequest', hook: (request: object, reply: object, done: () => void) => void): void
  }
  instance.addHook('onRequest', (request, reply, done) => {
    Object.assign(request, { [replyOf]: reply })
    done()
  })
}

/** Binds an `Auth` to what Nest injects as `REQUEST`. @throws {TypeError} for what is no HTTP request */
export function bindInjected<Schema extends UserClaimsSchema, User>(
  auth: Auth<Schema, User>,
  injected: object,
): Authorize<Schema, User> {
  const request = injected as HttpRequest
  const response: unknown = 'raw' in request ? Reflect.get(request, replyOf) : request.res
  if (response !== undefined) return bindRequest(auth, request, response as HttpResponse)
  throw new TypeError(
    'Authorize can be injected into what is made for an HTTP request, and into nothing else',
  )
}

const reflector = new Reflector()
/** The metadata of `@Public()`. */
export const publicKey = 'tallystick:public'

/**
 * What a guard of Nest does; what it refuses is thrown, and a filter answers it.
 *
 * @param inner What `@Public()` can stand on to take a handler out of this guard: what is nearer to the handler.
 */
export function activate<Schema extends UserClaimsSchema, User>(
  auth: Auth<Schema, User>,
  guard: Guard,
  context: ExecutionContext,
  inner: readonly Parameters<Reflector['get']>[1][],
): boolean | Promise<boolean> {
  const bound = bindContext(auth, context)
  if (inner.some((target) => reflector.get(publicKey, target) === true)) return true
  const passed = bound.pass(guard)
  return passed instanceof Promise ? passed.then(() => true) : true
}

/** Answers refusals as problem+json; those of other contexts than HTTP are left to Nest. */
export class AuthErrorFilter implements ExceptionFilter<AuthError> {
  catch(error: AuthError, host: ArgumentsHost): void {
    // Nest treats what a filter gives no answer to as if there were no filter.
    if (host.getType<string>() !== 'http') return
    const response = host.getArgByIndex<HttpResponse>(1)
    const raw = 'raw' in response ? response.raw : response
    // As Nest's own filter does: an answer that has begun can only be ended.
    if (raw.headersSent) raw.end()
    else if ('raw' in response) replyProblem(error, response)
    else sendProblem(error, response)
  }
}
Catch(AuthError)(AuthErrorFilter)
