/** What runs before a page is rendered: renews the sign-in of who navigates there, and shows the render the new cookies. */

import type { NextFetchEvent, NextRequest } from 'next/server.js'
import type { Auth } from '../core/auth.ts'
import type { Authorize } from '../core/authorize.ts'
import { AuthError } from '../core/errors.ts'
import { isNavigation } from '../core/origin.ts'
import type { UserClaimsSchema } from '../core/schema.ts'
import { applyCookies, toNextCookie } from './_next-cookies.ts'
import { RouteRequest } from './_next-ports.ts'
import { PendingResponse } from './_pending-response.ts'

/** A function of `proxy.ts`. */
export type NextProxy<Result = Promise<Response>> = (request: NextRequest, event: NextFetchEvent) => Result

/** What it may give; nothing lets the request pass. */
export type ProxyAnswer = Response | null | undefined | void

/** Makes the `proxy` of `proxy.ts`. */
export type MakeProxy = (handler?: NextProxy<ProxyAnswer | Promise<ProxyAnswer>>) => NextProxy

/** What browsers, and Next where it shows it to a proxy, send with what nobody has asked for yet. */
const prefetchHeaders = ['next-router-prefetch', 'sec-purpose', 'purpose', 'x-moz']

/** Makes what makes the proxy of an `Auth`. */
export function createProxy<Schema extends UserClaimsSchema, User>(auth: Auth<Schema, User>): MakeProxy {
  return (handler) => {
    // Next itself calls it with a request where it was exported without having been called.
    if (handler !== undefined && typeof handler !== 'function')
      throw new TypeError('proxy() takes a function; without one, write `export const proxy = auth.proxy()`')
    return async (request, event) => {
      const { NextResponse } = await import('next/server.js')
      const pending = new PendingResponse()
      const authorize = auth.bind(request, () => [new RouteRequest(request), pending])
      const early = await refreshBeforePage(auth, request, authorize)
      if (early !== undefined) return pending.respond(early)
      showCookies(request, pending.cookies)
      const given = await run(async () => handler?.(request, event))
      const { cookies } = pending
      const response = pending.respond(given ?? NextResponse.next())
      if (cookies.length === 0) return response
      showCookies(request, cookies)
      forwardCookies(response, request, NextResponse.next({ request: { headers: request.headers } }))
      return response
    }
  }
}

async function run(handler: () => Promise<ProxyAnswer>): Promise<ProxyAnswer> {
  try {
    return await handler()
  } catch (error) {
    if (!AuthError.is(error)) throw error
    return error.getResponse()
  }
}

/**
 * Refreshes where the access token is missing or has expired, on navigations to a document alone.
 *
 * @returns An answer for the router of Next, which can send no CSRF value: it then navigates to the document instead.
 */
async function refreshBeforePage<Schema extends UserClaimsSchema, User>(
  auth: Auth<Schema, User>,
  request: NextRequest,
  authorize: Authorize<Schema, User>,
): Promise<Response | undefined> {
  const port = new RouteRequest(request)
  const isAsked = !prefetchHeaders.some((name) => request.headers.has(name))
  const isDocument = isAsked && isNavigation(port)
  const isRouter = isAsked && request.method === 'GET' && isOfRouter(request.headers)
  if (!isDocument && !isRouter) return undefined
  if (!(await isRefreshDue(auth, request, authorize))) return undefined
  if (isRouter) return new AuthError('token_missing').getResponse()
  try {
    await authorize.refresh({ navigation: true })
  } catch (error) {
    // The page is rendered for nobody; what was refused has been told to observers.
    if (!AuthError.is(error)) throw error
  }
  return undefined
}

/** Next hides from a proxy which requests are its router's, but for the page that they come from. */
function isOfRouter(headers: Headers): boolean {
  return headers.has('next-url') && headers.get('sec-fetch-dest') === 'empty'
}

async function isRefreshDue<Schema extends UserClaimsSchema, User>(
  { options }: Auth<Schema, User>,
  request: NextRequest,
  authorize: Authorize<Schema, User>,
): Promise<boolean> {
  const { cookiePrefix, refreshCookieKey, tokenLocation } = options
  if (!tokenLocation.includes('cookies') || !request.cookies.has(cookiePrefix + refreshCookieKey))
    return false
  try {
    return (await authorize.jwtOptional({ locations: ['cookies'] })) === null
  } catch (error) {
    if (!AuthError.is(error)) throw error
    return error.code === 'token_expired'
  }
}

/** Lets all that reads this request from here on see the cookies that its response will set. */
function showCookies(request: NextRequest, cookies: readonly string[]): void {
  if (cookies.length === 0) return
  const header = applyCookies(request.headers.get('cookie') ?? '', cookies)
  for (const { name, value, maxAge } of cookies.map(toNextCookie)) {
    if (maxAge === 0) request.cookies.delete(name)
    else request.cookies.set(name, value)
  }
  // Set last, since Next has written all cookies of the request anew, each of them only once.
  request.headers.set('cookie', header)
}

const overrideList = 'x-middleware-override-headers'

/** Hands the request's Cookie header on to the render, beside what the response hands on already. */
function forwardCookies(response: Response, request: NextRequest, carrier: Response): void {
  const { headers } = response
  if (!headers.has('x-middleware-next') && !headers.has('x-middleware-rewrite')) return
  const listed = headers.get(overrideList)
  if (listed === null) {
    for (const [name, value] of carrier.headers) {
      if (name !== 'x-middleware-next') headers.set(name, value)
    }
    return
  }
  headers.set(overrideList, [...new Set([...listed.split(','), 'cookie'])].join(','))
  headers.set('x-middleware-request-cookie', request.headers.get('cookie') ?? '')
}
