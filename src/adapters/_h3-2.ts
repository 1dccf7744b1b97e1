/** `h3` 2 (Nitro 3): its event holds a `Request`, and two lists of headers for the answer. */

import type { AuthRequest, AuthResponse } from '../core/request.ts'
import { FetchRequest } from './_fetch.ts'

/** What is used of an `H3Event` of h3 2. */
export interface H3WebEvent {
  /** A `Request`, which h3 types in ways of its own. */
  readonly req: object
  readonly res: { readonly headers: Headers; readonly errHeaders: Headers }
  readonly runtime?: { readonly node?: { readonly res?: { readonly headersSent: boolean } } } | undefined
}

class Outgoing implements AuthResponse {
  readonly #event: H3WebEvent
  readonly #prepared: H3WebEvent['res']

  constructor(event: H3WebEvent) {
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

export function webPorts(event: H3WebEvent): [AuthRequest, AuthResponse] {
  return [new FetchRequest(requestOf(event)), new Outgoing(event)]
}

/** Shows the request that the event has at the moment: validation puts another one there. */
function requestOf(event: H3WebEvent): { readonly raw: Request } {
  return {
    get raw(): Request {
      if (event.req instanceof Request) return event.req
      throw new TypeError('h3Auth() takes events of h3: of h3 2 with a Request, of h3 1 with those of Node')
    },
  }
}
