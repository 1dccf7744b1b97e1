/** A running site as a browser sees it: signs in, keeps the cookies of a sign-in, and sends what a test needs. */

import { misuse, unable } from './_failure.ts'
import { ask } from './_http.ts'
import type { Answer } from './_http.ts'
import { takeApart } from './_token-parts.ts'

export interface Route {
  readonly method: string
  readonly path: string
}

/** `DELETE /logout`, or a path alone; what begins with two slashes would name another host. @throws {Failure} */
export function readRoute(text: string, method: string, option: string): Route {
  const [, given, path = ''] = /^(?:([A-Z]{3,10}) )?(\/(?![/\\])[\x21-\x7e]*)$/.exec(text) ?? []
  if (path === '') throw misuse(`--${option} must be a path such as /refresh, or 'POST /refresh'`)
  return { method: given ?? method, path }
}

/** A cookie as it was set. */
export interface SetCookie {
  readonly name: string
  readonly value: string
  /** Lower-case names; a flag has the value `''`. */
  readonly attributes: ReadonlyMap<string, string>
  /** Of the whole line. */
  readonly bytes: number
}

export function readSetCookie(line: string): SetCookie {
  const [pair = '', ...rest] = line.split(';').map((part) => part.trim())
  const at = pair.indexOf('=')
  const attributes = rest.map((part) => {
    const [name = '', ...value] = part.split('=')
    return [name.toLowerCase(), value.join('=')] as const
  })
  const [name, value] = [pair.slice(0, Math.max(at, 0)), pair.slice(at + 1)]
  return { name, value, attributes: new Map(attributes), bytes: name.length + value.length }
}

/** Whether a line deletes its cookie. */
export function isDeletion({ value, attributes }: SetCookie): boolean {
  const expires = Date.parse(attributes.get('expires') ?? '')
  return value === '' || attributes.get('max-age') === '0' || expires <= 0
}

/** A token cookie, and what its token says. */
export interface TokenCookie extends SetCookie {
  readonly claims: Readonly<Record<string, unknown>>
}

/** What a sign-in, or a refresh, gave. */
export interface SignIn {
  readonly answer: Answer
  readonly cookies: readonly SetCookie[]
  readonly access: TokenCookie | undefined
  readonly refresh: TokenCookie | undefined
}

export function signInOf(answer: Answer): SignIn {
  const cookies = answer.setCookies.map(readSetCookie)
  const tokens = cookies.flatMap((cookie) => {
    const { claims } = takeApart(cookie.value)
    return claims === null ? [] : [{ ...cookie, claims }]
  })
  const refresh = tokens.find(
    ({ name, claims }) =>
      claims['type'] === 'refresh' || (claims['type'] === undefined && /refresh/i.test(name)),
  )
  return { answer, cookies, refresh, access: tokens.find((token) => token !== refresh) }
}

/** What is sent along. */
export interface Sending {
  readonly cookies?: readonly SetCookie[]
  /** The CSRF value, or nothing. */
  readonly csrf?: string | undefined
  /** In place of those of a page of the site itself. */
  readonly origin?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

export interface SiteOptions {
  readonly url: URL
  readonly csrfHeader: string
  readonly login: Route | undefined
  readonly credentials: string | undefined
}

export class Site {
  readonly url: URL
  readonly #options: SiteOptions

  constructor(options: SiteOptions) {
    this.url = options.url
    this.#options = options
  }

  get canSignIn(): boolean {
    return this.#options.login !== undefined
  }

  async send(
    { method, path }: Route,
    { cookies = [], csrf, origin, headers, body }: Sending = {},
  ): Promise<Answer> {
    const own = { origin: this.url.origin, 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors' }
    const pairs = cookies.map(({ name, value }) => `${name}=${value}`)
    return ask(new URL(path, this.url), {
      method,
      body,
      headers: {
        'user-agent': 'tallystick doctor',
        accept: 'application/json, */*',
        ...(origin ?? own),
        ...(pairs.length > 0 && { cookie: pairs.join('; ') }),
        ...(csrf !== undefined && { [this.#options.csrfHeader]: csrf }),
        ...headers,
      },
    })
  }

  /** @throws {Failure} where that gives no token cookie */
  async signIn(): Promise<SignIn> {
    const { login, credentials } = this.#options
    if (login === undefined) throw misuse('--login is missing')
    const isJson = credentials?.trimStart().startsWith('{') === true
    const type = isJson ? 'application/json' : 'application/x-www-form-urlencoded'
    const answer = await this.send(
      login,
      credentials === undefined ? {} : { body: credentials, headers: { 'content-type': type } },
    )
    const signIn = signInOf(answer)
    if (signIn.access !== undefined) return signIn
    throw unable(
      `The sign-in at ${login.path} was answered with ${answer.status} and set no cookie with a token: are the credentials right?`,
    )
  }
}

/** Whether the site did what it was asked to. */
export function isAccepted({ status, setCookies }: Answer): boolean {
  return (status >= 200 && status < 300) || (status >= 300 && status < 400 && setCookies.length > 0)
}

/** A route that is not there proves nothing. */
export function isAbsent({ status }: Answer): boolean {
  return status === 404 || status === 405
}
