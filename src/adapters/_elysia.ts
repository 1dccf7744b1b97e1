/** Sees Elysia's context as the ports, and works around what Elysia does to the cookies of an answer. */

import { Elysia, ElysiaCustomStatusResponse, ElysiaFile } from 'elysia'
import type { Context, InternalRoute } from 'elysia'
import type { AuthResponse } from '../core/request.ts'
import { FetchRequest, maxBodyBytes } from './_fetch.ts'
import type { Guards } from './_guards.ts'

/** What is used of Elysia's context. */
export type BoundContext = Pick<Context, 'request' | 'set'> & { readonly body?: unknown }

/** What hooks that run before the handler use besides. */
export type HookContext = BoundContext & Pick<Context, 'status'>

/** An answer that is about to be made; with an error, by an error handler. */
export type Answering = BoundContext & { readonly responseValue: unknown; readonly error?: unknown }

/**
 * What a macro adds to a route; besides, a `transform`, which runs before Elysia validates what strangers send. That a
 * `transform` may answer is in Elysia's code (1.4.30, `compose`) but not in its types.
 */
export interface GuardHooks {
  readonly introspect: (hook: object) => void
  readonly mapResponse: (context: Answering) => Promise<Response | undefined>
}

/** A guard as a property of a route: `true`, or how to guard it. */
export type GuardMacro<Options> = (options: true | Options) => GuardHooks

type GuardMacros = {
  readonly [Name in keyof Guards<GuardHooks>]: GuardMacro<
    NonNullable<Parameters<Guards<GuardHooks>[Name]>[0]>
  >
}

/** `{}`, as Elysia has it. */
// oxlint-disable-next-line typescript/no-generated-empty-object-type -- others would not merge with what users add
type Nothing = Record<never, never>

/** What the plugin adds to the types of an instance that uses it. */
export type ElysiaPlugin<Authorize> = Elysia<
  '',
  { decorator: Nothing; store: Nothing; derive: Nothing; resolve: Nothing },
  { typebox: Nothing; error: Nothing },
  {
    schema: Nothing
    standaloneSchema: Nothing
    macro: { readonly [Name in keyof GuardMacros]?: Parameters<GuardMacros[Name]>[0] }
    macroFn: GuardMacros
    parser: Nothing
    response: Nothing
  },
  Nothing,
  {
    derive: { readonly authorize: Authorize }
    resolve: Nothing
    schema: Nothing
    standaloneSchema: Nothing
    response: Nothing
  }
>

export class ElysiaRequest extends FetchRequest {
  readonly #context: BoundContext

  constructor(context: BoundContext) {
    super({ raw: context.request })
    this.#context = context
  }

  /** What Elysia has parsed; where it has parsed nothing, what a copy holds. */
  override body(): unknown {
    const { body } = this.#context
    if (body === undefined) return super.body()
    return Number(this.header('content-length') ?? 0) > maxBodyBytes ? null : body
  }
}

export class ElysiaResponse implements AuthResponse {
  readonly #set: Context['set']
  readonly #cookies: string[] = []
  sent = false

  constructor(set: Context['set']) {
    this.#set = set
  }

  append(_name: string, cookie: string): void {
    this.#cookies.push(cookie)
    this.#hold()
  }

  set(name: string, value: string): void {
    this.#set.headers[name] = value
  }

  /** Keeps our cookies in the header whoever writes it: Elysia puts those of `set.cookie` in place of all others. */
  #hold(): void {
    const { headers } = this.#set
    let others = this.#withoutOurs(headers['set-cookie'])
    Object.defineProperty(headers, 'set-cookie', {
      configurable: true,
      enumerable: true,
      get: () => [...others, ...this.#cookies],
      set: (lines: unknown) => {
        others = [...(this.sent ? others : []), ...this.#withoutOurs(lines)]
        // Elysia comes back with them for what `status()` holds, and would then put them in place of all others.
        if (this.sent) this.#set.cookie = {}
      },
    })
  }

  #withoutOurs(lines: unknown): unknown[] {
    const ours: readonly unknown[] = this.#cookies
    return [lines ?? []].flat().filter((line) => !ours.includes(line))
  }

  /**
   * Takes no more cookies, since Elysia is about to make the response.
   *
   * @returns another answer where Elysia would lose cookies of the one given
   */
  finish(answer: unknown): Response | undefined {
    this.sent = true
    if (this.#cookies.length === 0) return undefined
    this.#hold()
    const isStatus = answer instanceof ElysiaCustomStatusResponse
    const content: unknown = isStatus ? answer.response : answer
    if (isStatus) this.#set.status = answer.code
    // Elysia forgets the type of JSON once there are two cookies.
    if (isPlain(content)) this.#set.headers['content-type'] ??= 'application/json'
    const copy = toResponse(content)
    if (copy === undefined) return undefined
    // Elysia drops the cookies of all others when a response has some of its own.
    this.#cookies.unshift(...copy.headers.getSetCookie())
    copy.headers.delete('set-cookie')
    copy.headers.set('cache-control', 'no-store')
    return copy
  }
}

/** Answers that Elysia has its own ways with, which do not know of more than one cookie. */
function toResponse(content: unknown): Response | undefined {
  if (content instanceof Response) return new Response(content.body, content)
  if (content instanceof Blob) return new Response(content)
  if (!(content instanceof ElysiaFile)) return undefined
  // On Node it is a stream of Node, on Bun a blob.
  return new Response(content.value as Blob, { headers: { 'content-type': String(content.type) } })
}

function isPlain(content: unknown): boolean {
  if (typeof content !== 'object' || content === null) return false
  return Array.isArray(content) || content.constructor === Object || content.constructor === undefined
}

/** A plugin that looks at all routes of its app before a request is let through. */
export class GuardedElysia extends Elysia {
  readonly #transforms = new Set<unknown>()

  /** @param names The macros that a route can ask for. */
  constructor(names: readonly string[]) {
    super()
    let checkedCount = 0
    this.onRequest(() => {
      const routes = this.getGlobalRoutes()
      if (routes.length === checkedCount) return
      for (const route of routes) demandGuarded(route, names, this.#transforms)
      checkedCount = routes.length
    })
  }

  /** Notes what a macro has made. */
  remember(hooks: GuardHooks & { readonly transform: unknown }): GuardHooks {
    this.#transforms.add(hooks.transform)
    return hooks
  }
}

/** Takes `false` and its kin out of a route: Elysia 1.4.30 drops all its hooks, the guard too, where one stands first. */
export function dropFalsy(hook: object): void {
  for (const [name, value] of Object.entries(hook)) if (!value) Reflect.deleteProperty(hook, name)
}

/** Hides the text of a hook: Elysia learns from it what hooks use of the context, and would parse every body for ours. */
export function unread<Given, Result>(hook: (context: Given) => Result): (context: Given) => Result {
  return hook.bind(undefined)
}

/** Without its compiler Elysia runs no hook when it makes a response, and cookies would get lost. @throws {TypeError} */
export function demandCompiled(context: HookContext): HookContext {
  const { error } = context as { readonly error?: unknown }
  if (error !== context.status) return context
  throw new TypeError('elysiaAuth() needs the compiler of Elysia: take `aot: false` out of its options')
}

/** The hooks of which one each make Elysia 1.4.30 skip them all where a route has a value in place of a handler. */
const skippedKinds = ['parse', 'transform', 'beforeHandle', 'afterHandle'] as const

/** Refuses a route that Elysia would serve without its guard, of which it tells nobody. @throws {TypeError} */
function demandGuarded(
  { method, path, handler, hooks }: InternalRoute,
  names: readonly string[],
  transforms: ReadonlySet<unknown>,
): void {
  const unapplied = names.find((name) => name in hooks)
  if (unapplied !== undefined) {
    throw fault(
      `${method} ${path} asks for ${unapplied}, which Elysia has not applied: ` +
        `put .use(elysiaAuth(auth)) before the route, and ${unapplied} before its other macros`,
    )
  }
  if (typeof handler === 'function') return
  const kinds = skippedKinds.map((kind) => functionsOf(hooks[kind]))
  if (kinds.every((kind) => kind.length > 0) && kinds.flat().some((hook) => transforms.has(hook))) {
    throw fault(
      `${method} ${path} has a guard, which Elysia skips for a value beside so many hooks: ` +
        'put a function in place of the value',
    )
  }
}

/** Where Elysia has not come to a route yet, it would answer any error with 200. */
function fault(message: string): TypeError {
  return Object.assign(new TypeError(message), { status: 500 })
}

/** Routes keep each hook in a container. */
function functionsOf(hooks: unknown): unknown[] {
  return [hooks ?? []].flat().map((hook: unknown) => (hook as { readonly fn?: unknown }).fn ?? hook)
}
