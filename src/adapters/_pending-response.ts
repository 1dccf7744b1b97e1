/** Keeps the headers that are set on a response which does not exist yet. */

import type { AuthResponse } from '../core/request.ts'

export class PendingResponse implements AuthResponse {
  readonly #headers: [name: string, value: string, isAppended: boolean][] = []
  #isTaken = false

  /** Once a response was made with them, nothing can be added. */
  get sent(): boolean {
    return this.#isTaken
  }

  /** The Set-Cookie lines that wait. */
  get cookies(): string[] {
    return this.#headers.flatMap(([name, value]) => (name === 'set-cookie' ? [value] : []))
  }

  append(name: string, value: string): void {
    this.#headers.push([name, value, true])
  }

  set(name: string, value: string): void {
    this.#headers.push([name, value, false])
  }

  /** A copy of the response with the headers on it; the response itself when there are none. */
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
