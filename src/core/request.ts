/** The two ports through which every framework is seen: what is read of a request, what is written to a response. */

import { chain, settle } from './maybe.ts'
import type { MaybePromise } from './maybe.ts'

/** What tallystick reads of a request. */
export interface AuthRequest {
  /** As on the wire, case included. */
  readonly method: string
  /** Absolute, or from the path on. */
  readonly url?: string
  /** The framework's own request, where that is another object than the one it is bound by. */
  readonly source?: object
  /** Gives a header by its lower-case name; repeated ones joined as Node does. */
  header(name: string): string | undefined
  /**
   * What the framework has parsed of the body, `undefined` where nothing did; or a promise of it.
   * Called for the location `json` and for `csrfCheckForm` only.
   */
  body?(): unknown
}

/** What tallystick writes to a response. */
export interface AuthResponse {
  /** Adds a header beside those of the same name. */
  append(name: string, value: string): void
  /** Replaces a header. */
  set(name: string, value: string): void
  /** Whether the headers have gone. */
  readonly sent: boolean
  /** Sees the framework's own response objects as the port; `undefined` for what is none of them. */
  of?(target: unknown): AuthResponse | undefined
}

/** What cookies can be put on instead of the bound response. */
export type ResponseTarget = AuthResponse | Response | Headers

/** Sees any response as the port. @throws {TypeError} for what is none */
export function toAuthResponse(target: unknown): AuthResponse {
  const headers = target instanceof Response ? target.headers : target
  if (headers instanceof Headers) {
    return {
      append: (name, value) => change(() => headers.append(name, value)),
      set: (name, value) => change(() => headers.set(name, value)),
      sent: false,
    }
  }
  if (isAuthResponse(target)) return target
  throw new TypeError('response must be a Response, its Headers, or the response object of the framework')
}

function isAuthResponse(target: unknown): target is AuthResponse {
  const port = target as Partial<AuthResponse> | null
  return (
    typeof port?.append === 'function' && typeof port.set === 'function' && typeof port.sent === 'boolean'
  )
}

function change(write: () => void): void {
  try {
    write()
  } catch (cause) {
    throw new TypeError(
      'The headers of this response cannot be changed: pass a copy, `new Response(response.body, response)`',
      { cause },
    )
  }
}

/** Whether a request is a CORS preflight, which browsers send without cookies (Fetch standard, section 3.3.2). */
export function isPreflight(request: AuthRequest): boolean {
  return (
    request.method === 'OPTIONS' &&
    request.header('origin') !== undefined &&
    request.header('access-control-request-method') !== undefined
  )
}

/**
 * Whether a request asks for a WebSocket, which browsers send with the cookies for any page, whatever CORS says.
 *
 * @see RFC 6455 sections 4.1 and 10.2
 */
export function isHandshake(request: AuthRequest): boolean {
  return request.method === 'GET' && /websocket/i.test(request.header('upgrade') ?? '')
}

/** The media type of the body, lower-case and without parameters; '' where none is given. */
export function mediaType(request: AuthRequest): string {
  const [type = ''] = (request.header('content-type') ?? '').split(';')
  return type.trim().toLowerCase()
}

/** Whether the request says that it has a body. */
function hasBody(request: AuthRequest): boolean {
  const length = request.header('content-length')
  return (length !== undefined && length !== '0') || request.header('transfer-encoding') !== undefined
}

/**
 * The body as the framework parsed it; `undefined` where the request has none.
 *
 * @throws {TypeError} when there is a body and nothing has parsed it, which is the server's mistake
 */
export function readBody(request: AuthRequest, option: string, parser: string): MaybePromise<unknown> {
  return chain(settle(request.body?.()), (body) => {
    if (body !== undefined || !hasBody(request)) return body
    throw new TypeError(
      `${option} needs the parsed body, and nothing has parsed it: mount a ${parser} before the guard`,
    )
  })
}

/** An own member that is text. */
export function ownText(body: unknown, name: string): string | undefined {
  if (typeof body !== 'object' || body === null || !Object.hasOwn(body, name)) return undefined
  const value = (body as Record<string, unknown>)[name]
  return typeof value === 'string' ? value : undefined
}

/** The path and the query of a request, without its fragment. */
export function splitUrl(request: AuthRequest): { readonly path: string; readonly query: string } {
  const [url = ''] = (request.url ?? '').split('#', 1)
  const questionMark = url.indexOf('?')
  const query = questionMark === -1 ? '' : url.slice(questionMark + 1)
  const path = (questionMark === -1 ? url : url.slice(0, questionMark)).replace(
    /^[a-z][a-z0-9+.-]*:\/\/[^/]*/i,
    '',
  )
  return { path: path === '' ? '/' : path, query }
}
