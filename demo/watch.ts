// Notes what the server decided about each request, for the browser that sent it or started the attack.

import type { Context, MiddlewareHandler } from 'hono'
import { getCookie, setCookie } from 'hono/cookie'
import type { Auth, AuthEvent } from 'tallystick'
import { checksOf } from './checks.ts'
import type { Journal } from './journal.ts'

/** By which the demo knows a browser again; another host could not plant one of that prefix. */
export const browserCookie = '__Host-demo_browser'

export function setBrowserCookie(c: Context, browser: string): void {
  setCookie(c, browserCookie, browser, { path: '/', httpOnly: true, secure: true, sameSite: 'Strict' })
}

/** The answer's number in the journal, for the page to find it. */
const noteHeader = 'X-Demo-Note'

/** Longer than any host name with its scheme and port. */
const mostCharacters = 300
const mostCookies = 10

/** What the page reads by itself would only hide the rest. */
const isQuiet = (method: string, route: string): boolean => method === 'GET' && route === '/sessions'

/**
 * @param prefix What the routes stand under, and is no part of their names.
 */
export function watch(journal: Journal, auth: Auth, prefix: string): MiddlewareHandler {
  return async (c, next) => {
    const events = await journal.listen(next)
    const run = c.req.query('run')
    const attacked = journal.browserOfRun(run)
    const browser = attacked ?? getCookie(c, browserCookie)
    const { method } = c.req
    const route = c.req.path.slice(prefix.length).replace(/^(\/sessions)\/.+/s, '$1/:id')
    if (!journal.knows(browser) || isQuiet(method, route)) return
    const { code, detail } = await readProblem(c)
    const rejection = events.find(isRejection)
    const reason = rejection?.reason ?? null
    const { fetchMetadata, cookieCsrfProtect: csrfProtected } = auth.options
    const facts = { method, route, code, reason, fetchMetadata }
    const id = journal.add(browser, {
      ...facts,
      time: Date.now(),
      // Only a name that the journal has given: any page could make one up, and it may be long.
      run: attacked === undefined ? null : (run ?? null),
      origin: shorten(c.req.header('origin')),
      site: shorten(c.req.header('sec-fetch-site')),
      cookies: tokenCookiesOf(c, auth),
      csrfHeader: c.req.header('x-csrf-token') !== undefined,
      status: c.res.status,
      detail,
      events: events.filter((event) => !isRejection(event)).map(({ type }) => type),
      checks: checksOf({ ...facts, csrfProtected, accepted: c.res.ok }),
    })
    c.header(noteHeader, String(id))
  }
}

function shorten(text: string | undefined): string | null {
  return text?.slice(0, mostCharacters) ?? null
}

function isRejection(event: AuthEvent): event is AuthEvent & { type: 'rejected' } {
  return event.type === 'rejected'
}

function tokenCookiesOf(c: Context, { options }: Auth): string[] {
  const keys = [options.accessCookieKey, options.refreshCookieKey]
  const names = new Set(keys.map((key) => options.cookiePrefix + key))
  return (c.req.header('cookie') ?? '')
    .split('; ')
    .map((pair) => pair.split('=', 1).join())
    .filter((name) => names.has(name))
    .slice(0, mostCookies)
}

/** The answers of the routes hold no secret: a refusal's members are those of RFC 9457. */
async function readProblem(c: Context): Promise<{ code: string | null; detail: string | null }> {
  if (c.res.ok || !/json/.test(c.res.headers.get('content-type') ?? '')) return { code: null, detail: null }
  const { code, detail } = Object(await c.res.clone().json())
  return {
    code: typeof code === 'string' ? code : null,
    detail: typeof detail === 'string' ? detail : null,
  }
}
