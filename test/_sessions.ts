/** Browsers against an `Auth` with a store, through the front door; holds no test itself. */

import { createAuth } from '../src/index.ts'
import type { Auth, AuthEvent, AuthOptions, Authorize, Store } from '../src/index.ts'
import { webAuth } from '../src/adapters/web.ts'
import type { WebAuth } from '../src/adapters/web.ts'
import { memoryStore } from '../src/stores/memory.ts'
import { cookieHeader, createClock, secretKey } from './_setup.ts'
import type { TestClock } from './_setup.ts'

export interface Site {
  readonly auth: Auth
  readonly store: Store
  readonly clock: TestClock
  readonly events: AuthEvent[]
  /** A browser without cookies. */
  browser(): Browser
}

/** A server with sessions, by default in memory and by the test's own clock. */
export function createSite(options: AuthOptions = {}, clock: TestClock = createClock()): Site {
  const events: AuthEvent[] = []
  const store = options.store ?? memoryStore({ clock })
  const auth = createAuth({ secretKey, clock, onEvent: (event) => events.push(event), ...options, store })
  const web = webAuth(auth)
  return { auth, store, clock, events, browser: () => new Browser(web) }
}

/** What came back. */
export interface Answer {
  readonly status: number
  /** `ok`, or the code of the refusal. */
  readonly code: string
  readonly body: Record<string, unknown>
  readonly setCookies: readonly string[]
}

/** Keeps cookies as a browser does, and can be copied as a thief does. */
export class Browser {
  readonly #web: WebAuth<never, unknown>
  jar: Record<string, string> = {}

  constructor(web: unknown) {
    this.#web = web as WebAuth<never, unknown>
  }

  /** Another one with the same cookies. */
  copy(): Browser {
    const copy = new Browser(this.#web)
    copy.jar = { ...this.jar }
    return copy
  }

  login(subject = 'test', options: Parameters<Authorize['login']>[1] = {}): Promise<Answer> {
    return this.send('POST', (authorize) => authorize.login(subject, options))
  }

  refresh(options: Parameters<Authorize['refresh']>[0] = {}): Promise<Answer> {
    return this.send('POST', (authorize) => authorize.refresh(options), 'csrf_refresh_token')
  }

  logout(options: Parameters<Authorize['logout']>[0] = {}): Promise<Answer> {
    const csrf = 'access_token_cookie' in this.jar ? 'csrf_access_token' : 'csrf_refresh_token'
    return this.send('DELETE', (authorize) => authorize.logout(options), csrf)
  }

  /** A protected route. */
  get(): Promise<Answer> {
    return this.send('GET', (authorize) => authorize.jwtRequired())
  }

  /** Any handler; what it gives is the body. */
  async send(
    method: string,
    handle: (authorize: Authorize) => Promise<unknown>,
    csrf = 'csrf_access_token',
  ): Promise<Answer> {
    const request = new Request('https://app.example/', {
      method,
      headers: {
        cookie: cookieHeader(this.jar),
        'user-agent': 'browser',
        ...(this.jar[csrf] !== undefined && { 'x-csrf-token': this.jar[csrf] }),
      },
    })
    const handler = this.#web.authErrors(async (bound: Request) =>
      Response.json((await handle(this.#web.authorize(bound) as unknown as Authorize)) ?? {}),
    )
    const response = await handler(request)
    const setCookies = response.headers.getSetCookie()
    for (const line of setCookies) this.#keep(line)
    const body = (await response.json()) as Record<string, unknown>
    return { status: response.status, code: response.ok ? 'ok' : String(body['code']), body, setCookies }
  }

  #keep(line: string): void {
    const [pair = ''] = line.split(';')
    const equals = pair.indexOf('=')
    const name = pair.slice(0, equals)
    if (/; Max-Age=0;/.test(line)) Reflect.deleteProperty(this.jar, name)
    else this.jar[name] = pair.slice(equals + 1)
  }

  /** The claims of a cookie, by whatever is in it. */
  claims(type: 'access' | 'refresh' = 'refresh'): Record<string, unknown> {
    const token = this.jar[`${type}_token_cookie`] ?? ''
    return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString() || '{}')
  }
}
