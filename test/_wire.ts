/** A signed-in client, the requests it sends and what it gets back; shared by the tests, holds no test itself. */

import { expect } from 'vitest'
import type { AuthOptions, AuthRequest, AuthResponse } from '../src/index.ts'
import type { WebMiddleware } from '../src/adapters/web.ts'
import { cookieHeader, cookiesOf, setup } from './_setup.ts'

export const site = 'https://app.example'

/** What one request says. */
export interface Wire {
  readonly method?: string
  /** From the path on. */
  readonly path?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** A request of the Fetch API, as a server would make it of the wire. */
export function requestOf({ method = 'GET', path = '/', headers = {}, body }: Wire): Request {
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
  return new Request(new URL(path, site), {
    method,
    headers: { ...length, ...headers },
    ...(body !== undefined && { body }),
  })
}

/** A response port that notes what it is told. */
export interface NotedResponse extends AuthResponse {
  readonly lines: string[]
  readonly headers: Map<string, string>
  sent: boolean
}

export function notedResponse(): NotedResponse {
  const lines: string[] = []
  const headers = new Map<string, string>()
  return {
    lines,
    headers,
    sent: false,
    append: (name, value) => {
      expect(name).toBe('set-cookie')
      lines.push(value)
    },
    set: (name, value) => headers.set(name, value),
  }
}

/** The request port, for methods and header bytes that a `Request` cannot carry. */
export function portOf({ method = 'GET', path = '/', headers = {} }: Wire): AuthRequest {
  const all = new Map(
    Object.entries({ host: new URL(site).host, ...headers }).map(([n, v]) => [n.toLowerCase(), v]),
  )
  return { method, url: site + path, header: (name) => all.get(name) }
}

/** A handler behind a guard that counts its runs. */
export function countedRoute(
  middleware: WebMiddleware,
  handler: (request: Request) => Response | Promise<Response> = () => Response.json({ ok: true }),
): { call(wire: Wire | Request): Promise<Response>; runs(): number } {
  let runs = 0
  const wrapped = middleware((request: Request) => {
    runs++
    return handler(request)
  })
  return {
    call: (wire) => wrapped(wire instanceof Request ? wire : requestOf(wire)),
    runs: () => runs,
  }
}

/** What a refusal says, and `passed` for anything below 400. */
export async function codeOfResponse(response: Response): Promise<string> {
  if (response.status < 400) return 'passed'
  const body = (await response.json()) as { readonly code: string }
  return body.code
}

/** A client that has just signed in. */
export async function signIn(
  options: AuthOptions = {},
  login: { readonly userClaims?: Record<string, unknown> } = {},
) {
  const world = setup(options)
  let tokens = { accessToken: '', refreshToken: '' }
  const response = await world.web.authErrors(async (request: Request) => {
    tokens = await world.web.authorize(request).login('test', login)
    return Response.json({})
  })(requestOf({ method: 'POST', path: '/login' }))
  expect(response.status).toBe(200)
  const jar = cookiesOf(response)
  const csrfOf = (token: string): string => {
    const { csrf } = world.auth.getUnverifiedJwtClaims(token)
    return typeof csrf === 'string' ? csrf : ''
  }
  const { accessToken: access, refreshToken: refresh } = tokens
  world.events.length = 0
  return {
    ...world,
    response,
    jar,
    cookie: cookieHeader(jar),
    access,
    refresh,
    accessCsrf: csrfOf(access),
    refreshCsrf: csrfOf(refresh),
  }
}

export type World = Awaited<ReturnType<typeof signIn>>

/** The headers of a page of ours that writes. */
export function writing({ cookie, accessCsrf }: World): Record<string, string> {
  return { cookie, 'x-csrf-token': accessCsrf }
}

/** The headers of a page of ours that refreshes. */
export function refreshing({ cookie, refreshCsrf }: World): Record<string, string> {
  return { cookie, 'x-csrf-token': refreshCsrf }
}

/** Runs a step that needs the bound request, as a handler without a guard, and gives the answer. */
export async function act(
  world: Pick<World, 'web'>,
  wire: Wire | Request,
  step: (authorize: ReturnType<World['web']['authorize']>) => unknown,
): Promise<Response> {
  const request = wire instanceof Request ? wire : requestOf(wire)
  return world.web.authErrors(async (bound: Request) => {
    await step(world.web.authorize(bound))
    return Response.json({ ok: true })
  })(request)
}

/** The error that a promise or function ends in. */
export async function errorOf(step: () => unknown): Promise<Error> {
  try {
    await step()
  } catch (error) {
    if (error instanceof Error) return error
    throw error
  }
  throw new Error('The step was expected to fail')
}
