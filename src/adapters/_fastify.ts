/** Sees Fastify's request and reply as the ports, for Fastify and for the frameworks that are built on it. */

import type { FastifyReply, FastifyRequest } from 'fastify'
import type { AuthError } from '../core/errors.ts'
import type { AuthResponse } from '../core/request.ts'
import { NodeRequest } from './_node.ts'

/** Fastify's own request has the parsed body; the rest is read from Node's. */
export class IncomingRequest extends NodeRequest {
  readonly source: FastifyRequest

  constructor(request: FastifyRequest) {
    super(request.raw)
    this.source = request
  }

  override body(): unknown {
    return this.source.body
  }
}

export class OutgoingReply implements AuthResponse {
  readonly #reply: FastifyReply

  constructor(reply: FastifyReply) {
    this.#reply = reply
  }

  get sent(): boolean {
    return this.#reply.sent || this.#reply.raw.headersSent
  }

  append(name: string, value: string): void {
    const { raw } = this.#reply
    // Both before the first change, since to remove a header from the reply can remove it from the raw response too.
    const lines = linesOf(this.#reply.getHeader(name))
    const rawLines = linesOf(raw.getHeader(name))
    // What middleware of Node has set is on the raw response alone, where the reply's own headers would replace it.
    this.#reply.removeHeader(name).header(name, [...lines, value])
    // Fastify copies headers when a stream is given to it, which can be long before they go.
    raw.setHeader(name, [...rawLines, value])
  }

  set(name: string, value: string): void {
    this.#reply.header(name, value)
    this.#reply.raw.setHeader(name, value)
  }

  of(target: unknown): AuthResponse | undefined {
    const isReply = typeof target === 'object' && target !== null && 'raw' in target && 'header' in target
    return isReply ? new OutgoingReply(target as FastifyReply) : undefined
  }
}

function linesOf(header: number | string | string[] | undefined): string[] {
  return [header ?? []].flat().map(String)
}

/** Sends a refusal as problem+json past the serializers of the route's schema. */
export function replyProblem(error: AuthError, reply: FastifyReply): void {
  reply.code(error.status).headers(error.headers).serializer(String).send(JSON.stringify(error))
}
