/** Decides which Set-Cookie lines a response gets, and writes them all or none; never reads a token. */

import { ambiguous, deletionsElsewhere, earlierScopes, findCookie, isCookieDomain } from './cookie.ts'
import { maxCookieAgeSeconds, serializeCookie, serializeDeletion } from './cookie.ts'
import { tossedScopes, withinBudget } from './cookie.ts'
import type { CookieScope, CookieSpec } from './cookie.ts'
import type { Engine } from './engine.ts'
import { insecureHost } from './origin.ts'
import { splitUrl, toAuthResponse } from './request.ts'
import type { AuthRequest, AuthResponse } from './request.ts'
import type { TokenType } from './claims.ts'
import type { MadeToken } from './token.ts'

/** What can be said of cookies when they are set. */
export interface CookieOptions {
  /** Overrides `cookieMaxAge`. */
  readonly maxAge?: 'token' | 'session' | number | undefined
  /** Overrides `cookieDomain`. */
  readonly domain?: string | undefined
}

const bothTypes: readonly TokenType[] = ['access', 'refresh']

export class CookieWriter {
  readonly #engine: Engine
  readonly #request: AuthRequest
  readonly #response: AuthResponse

  constructor(engine: Engine, request: AuthRequest, response: AuthResponse) {
    this.#engine = engine
    this.#request = request
    this.#response = response
  }

  /** @throws {TypeError} when it is too late for cookies */
  demandWritable(response: AuthResponse = this.#response): void {
    if (response.sent)
      throw new TypeError('Cookies cannot be set any more: the headers of this response have gone')
  }

  /** The lines for a token and its CSRF value. @throws {AuthError} `cookie_too_large` */
  lines(type: TokenType, { token, claims }: MadeToken, options: CookieOptions): string[] {
    const { cookieCsrfProtect, csrfInCookies } = this.#engine.options
    const pair = this.#engine.cookies[type]
    const maxAge = this.#maxAge(claims.exp, options.maxAge)
    const line = (spec: CookieSpec, value: string): string =>
      serializeCookie(
        options.domain === undefined
          ? spec
          : { ...spec, domain: checkDomain(spec, options.domain, this.#engine.options.previousCookies) },
        value,
        maxAge,
      )
    const hasCsrf = cookieCsrfProtect && csrfInCookies && claims.csrf !== undefined
    return [line(pair.token, token), ...(hasCsrf ? [line(pair.csrf, claims.csrf ?? '')] : [])]
  }

  #maxAge(exp: number | undefined, asked: CookieOptions['maxAge']): number | null {
    const { cookieMaxAge, clock } = this.#engine.options
    const maxAge = asked === undefined ? cookieMaxAge : asked
    if (maxAge === 'session') return null
    if (maxAge === 'token') {
      const leftSeconds = exp === undefined ? maxCookieAgeSeconds : Math.ceil(exp - clock())
      return Math.min(Math.max(leftSeconds, 0), maxCookieAgeSeconds)
    }
    const isWithin = Number.isSafeInteger(maxAge) && maxAge > 0 && maxAge <= maxCookieAgeSeconds
    if (!isWithin)
      throw new TypeError(`maxAge must be 'token', 'session' or 1 to ${maxCookieAgeSeconds} whole seconds`)
    return maxAge
  }

  /** The lines that delete our cookies where we set them. */
  deletions(types: readonly TokenType[] = bothTypes): string[] {
    return this.#specs(types).map(serializeDeletion)
  }

  #specs(types: readonly TokenType[] = bothTypes): CookieSpec[] {
    return types.flatMap((type) => [this.#engine.cookies[type].token, this.#engine.cookies[type].csrf])
  }

  /** The lines that delete our names where earlier deployments or a sibling host left them. */
  cleaning(): string[] {
    return this.#elsewhere(this.#specs(), this.#tossedScopes())
  }

  /** The lines that delete every cookie of ours that this request carried twice, so that nobody stays locked out. */
  tossedDeletions(): string[] {
    const specs = this.#specs().filter((spec) => this.#isTossed(spec))
    return [...specs.map(serializeDeletion), ...this.#elsewhere(specs, this.#tossedScopes())]
  }

  /**
   * The lines that delete a planted twin of a CSRF cookie: the page may have read that one and sent it in vain.
   * Our own stays, so that the page finds it when it reads again.
   */
  twinDeletions(): string[] {
    const specs = bothTypes.map((type) => this.#engine.cookies[type].csrf)
    // A browser that knows no partitions would take the other jar of our own place for that place.
    const scopes = this.#tossedScopes().filter(({ domain }) => domain !== undefined)
    return this.#elsewhere(
      specs.filter((spec) => this.#isTossed(spec)),
      scopes,
    )
  }

  /** What is known comes before what may be: there is room for only so much. */
  #elsewhere(specs: readonly CookieSpec[], tossed: readonly CookieScope[]): string[] {
    const earlier = earlierScopes(this.#engine.options)
    const lines = [
      ...specs.flatMap((spec) => deletionsElsewhere(spec, earlier)),
      ...specs
        .filter((spec) => this.#isTossed(spec))
        .flatMap((spec) => deletionsElsewhere(spec, [...earlier, ...tossed])),
    ]
    return withinBudget([...new Set(lines)])
  }

  #isTossed({ name }: CookieSpec): boolean {
    return findCookie(this.#request.header('cookie') ?? '', name) === ambiguous
  }

  #tossedScopes(): CookieScope[] {
    return tossedScopes(this.#request.header('host') ?? '', splitUrl(this.#request).path)
  }

  /**
   * Writes the lines to the bound response, or to the one given.
   *
   * @throws {TypeError} when it is too late, or for what is no response
   */
  write(lines: readonly string[], target?: unknown): void {
    const response =
      target === undefined ? this.#response : (this.#response.of?.(target) ?? toAuthResponse(target))
    this.demandWritable(response)
    for (const line of lines) response.append('set-cookie', line)
    response.set('cache-control', 'no-store')
  }

  /** Writes to the bound response unless it is too late: for refusals, which matter more than their cookies. */
  writeIfPossible(lines: readonly string[]): void {
    if (lines.length > 0 && !this.#response.sent) this.write(lines)
  }

  /** A browser drops a Secure cookie that comes over plain http, which looks like a failing sign-in: say so. */
  warnOfInsecureTransport(): void {
    const { emitter, options } = this.#engine
    if (!options.cookieSecure || !emitter.active()) return
    const host = insecureHost(this.#request)
    if (host === null) return
    emitter.emit({
      type: 'cookie.insecure_transport',
      host,
      remedy: 'serve it by https, or set cookieSecure: false while developing',
    })
  }
}

/** A domain that sign-out does not know of would keep its cookies for ever. */
function checkDomain(
  { name, domain: own }: CookieSpec,
  domain: unknown,
  earlier: readonly CookieScope[],
): string {
  if (name.startsWith('__Host-')) throw new TypeError("domain cannot be set with cookiePrefix '__Host-'")
  if (typeof domain !== 'string' || !isCookieDomain(domain)) {
    throw new TypeError("domain must be a host name such as 'example.com', without a leading dot")
  }
  if (domain === own || earlier.some((scope) => scope.domain === domain)) return domain
  throw new TypeError(
    'domain must be cookieDomain or listed in previousCookies, or sign-out would not delete it',
  )
}
