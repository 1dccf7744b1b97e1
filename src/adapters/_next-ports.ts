/** Requests and responses as Next shows them: to a route handler, to a server action, to a component. */

import type { cookies, headers } from 'next/headers.js'
import type { ResolvedOptions } from '../core/options.ts'
import type { AuthRequest, AuthResponse } from '../core/request.ts'
import { FetchRequest } from './_fetch.ts'
import { renewCookies, toNextCookie } from './_next-cookies.ts'

export type NextCookies = Awaited<ReturnType<typeof cookies>>
export type NextHeaders = Awaited<ReturnType<typeof headers>>

/** What Next has at hand for the code that runs. */
export interface NextRequestScope {
  /** Another object for each request, and for what is rendered after an action: what requests are bound by. */
  readonly cookies: NextCookies
  readonly headers: NextHeaders
  /** Whether a component is rendered, or what comes after the answer: nothing can be set there. */
  readonly isReadOnly: boolean
}

/** @throws what Next throws where there is no request */
export async function readScope(): Promise<NextRequestScope> {
  const next = await import('next/headers.js')
  const store = await next.cookies()
  // Where nothing can be set, Next has one function for all that would: it throws.
  return { cookies: store, headers: await next.headers(), isReadOnly: store.set === store.delete }
}

export class RouteRequest extends FetchRequest {
  readonly source: Request

  constructor(request: Request) {
    super({ raw: request })
    this.source = request
  }
}

/** Of a server action or a component there is no `Request`, only what Next tells of it. */
class ScopeRequest implements AuthRequest {
  readonly method: string
  readonly source: { readonly headers: NextHeaders }

  constructor(method: string, { headers }: NextRequestScope) {
    this.method = method
    this.source = { headers }
  }

  header(name: string): string | undefined {
    return this.source.headers.get(name) ?? undefined
  }
}

/** Actions are always POST. A form sends no header: what its hidden field holds stands in for that. */
export class ActionRequest extends ScopeRequest {
  readonly #form: FormData | undefined
  readonly #fields: readonly (readonly [header: string, field: string])[]

  constructor(scope: NextRequestScope, form: FormData | undefined, options: ResolvedOptions) {
    super('POST', scope)
    this.#form = form
    this.#fields = [
      [options.accessCsrfHeaderName.toLowerCase(), options.accessCsrfFieldName],
      [options.refreshCsrfHeaderName.toLowerCase(), options.refreshCsrfFieldName],
    ]
  }

  override header(name: string): string | undefined {
    const sent = super.header(name)
    if (sent !== undefined) return sent
    const values = this.#fields.map(([header, field]) => (header === name ? this.#form?.get(field) : null))
    return values.find((value) => typeof value === 'string')
  }
}

/** What a component does is a GET to us, whatever request it is rendered for: it changes nothing. */
export class ComponentRequest extends ScopeRequest {
  readonly #cookies: string

  constructor(scope: NextRequestScope, tokenCookies: readonly string[]) {
    super('GET', scope)
    const store = scope.cookies
    this.#cookies = renewCookies(super.header('cookie') ?? '', tokenCookies, (name) => store.get(name)?.value)
  }

  override header(name: string): string | undefined {
    return name === 'cookie' ? this.#cookies : super.header(name)
  }
}

/**
 * Writes cookies where Next lets an action write them. Its store keeps one of each name: of several deletions, the last;
 * and Next never lets the answer to an action be stored, so that there is no header to set.
 */
export class ActionResponse implements AuthResponse {
  readonly #store: NextCookies
  sent = false

  constructor(store: NextCookies) {
    this.#store = store
  }

  append(_name: string, value: string): void {
    this.#store.set(toNextCookie(value))
  }

  set(): void {}
}
