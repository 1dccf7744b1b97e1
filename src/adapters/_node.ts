/** Sees Node's request and response as the ports, for the frameworks that are built on them. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AuthError } from '../core/errors.ts'
import type { AuthRequest, AuthResponse } from '../core/request.ts'

/** What body parsers and routers add to a request. */
interface Additions {
  readonly body?: unknown
  readonly originalUrl?: string
}

export class NodeRequest implements AuthRequest {
  readonly #message: IncomingMessage & Additions
  readonly #additions: Additions

  /** @param additions Where the framework adds to a request of its own, and not to Node's. */
  constructor(message: IncomingMessage & Additions, additions: Additions = message) {
    this.#message = message
    this.#additions = additions
  }

  get method(): string {
    return this.#message.method ?? ''
  }

  get url(): string {
    const { socket, originalUrl = this.#additions.originalUrl, url = '/' } = this.#message
    const scheme = 'encrypted' in socket ? 'https' : 'http'
    return `${scheme}://${this.header('host') ?? ''}${originalUrl ?? url}`
  }

  header(name: string): string | undefined {
    const { headers } = this.#message
    const value = Object.hasOwn(headers, name) ? headers[name] : undefined
    if (value === undefined && name === 'host') return headers[':authority'] as string | undefined
    return typeof value === 'string' ? value : value?.join(', ')
  }

  body(): unknown {
    // A parser that has run and found nothing of its kind leaves the member, empty: that is no body, not a missing parser.
    return this.#additions.body ?? ('body' in this.#additions ? null : undefined)
  }
}

export class NodeResponse implements AuthResponse {
  readonly #response: ServerResponse

  constructor(response: ServerResponse) {
    this.#response = response
  }

  get sent(): boolean {
    return this.#response.headersSent
  }

  append(name: string, value: string): void {
    this.#response.appendHeader(name, value)
  }

  set(name: string, value: string): void {
    this.#response.setHeader(name, value)
  }

  of(target: unknown): AuthResponse | undefined {
    return isServerResponse(target) ? new NodeResponse(target) : undefined
  }
}

function isServerResponse(target: unknown): target is ServerResponse {
  return typeof target === 'object' && target !== null && 'appendHeader' in target && 'headersSent' in target
}

/** Writes a refusal as problem+json; headers that others have set stay. */
export function sendProblem(error: AuthError, response: ServerResponse): void {
  response.statusCode = error.status
  for (const [name, value] of Object.entries(error.headers)) response.setHeader(name, value)
  response.end(JSON.stringify(error))
}
