/**
 * The browser's side: a `fetch` that sends the CSRF value along, refreshes once for all tabs, and knows of sign-ins.
 * Imports nothing, patches nothing, and never sees a token: those stay in `HttpOnly` cookies.
 */

import type { AuthErrorCode } from './core/errors.ts'

/** What `createAuthFetch` can be told; names and times as on the server. */
export interface AuthFetchOptions {
  /** Where the access token is renewed, by POST. @default '/refresh' */
  readonly refreshUrl?: string
  /** Where the user signs out: goes there with what is left, as a sign-out needs no new tokens. @default '/logout' */
  readonly logoutUrl?: string
  /** Other origins that get the cookies and the CSRF value, such as `https://api.example.com`. @default none */
  readonly origins?: readonly string[]
  /** @default 'csrf_access_token' */
  readonly accessCsrfCookieName?: string
  /** @default 'csrf_refresh_token' */
  readonly refreshCsrfCookieName?: string
  /** @default 'X-CSRF-Token' */
  readonly csrfHeaderName?: string
  /** Seconds in which the server takes a refresh token again. @default 30 */
  readonly rotationGrace?: number
  /** Seconds after which a refresh that got no answer is sent again, while the grace lasts. @default 5 */
  readonly refreshTimeout?: number
  /** Called when this browser is signed out: here, in another tab, or since its session has ended. */
  readonly onSignedOut?: () => void
  /** What sends the requests. @default the page's own `fetch` */
  readonly fetch?: typeof fetch
}

/** A function of `fetch`'s type. */
export interface AuthFetch {
  (input: RequestInfo | URL, init?: RequestInit): Promise<Response>
  /** Whether the readable cookies say that somebody is signed in. Whether that is still true, the server decides. */
  readonly signedIn: boolean
  /**
   * Refreshes now: once for all who ask meanwhile, in all tabs.
   *
   * @returns the server's refusal, `undefined` when there are new cookies
   * @throws {TypeError} when the server cannot be reached, as `fetch` does
   */
  readonly refresh: () => Promise<Response | undefined>
  /** Calls back on each sign-in and sign-out, of other tabs too. @returns what ends it */
  readonly subscribe: (listener: () => void) => () => void
}

/** A refusal of tallystick: the members of RFC 9457 and its code. */
export interface AuthProblem {
  readonly code: AuthErrorCode
  readonly status: number
  readonly title: string
  readonly detail: string
}

/** What the server does not check for CSRF by default. */
const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

/** What a refresh can mend; of an ended session (`token_revoked`) it lets the server take the cookies away. */
const renewable: ReadonlySet<string> = new Set(['token_expired', 'token_missing', 'token_revoked'])

const maxAttempts = 3

/**
 * Reads the refusal in a response, whose body stays unread; `undefined` where there is none of tallystick's.
 *
 * @example
 * const problem = await readProblem(response)
 * if (problem?.code === 'fresh_token_required') askForThePassword()
 */
export async function readProblem(response: Response): Promise<AuthProblem | undefined> {
  if (response.headers.get('content-type') !== 'application/problem+json') return undefined
  const problem = await response
    .clone()
    .json()
    .catch(() => undefined)
  return typeof problem?.code === 'string' ? problem : undefined
}

/**
 * Makes a `fetch` for pages whose tokens are in cookies. Requests to the page's own origin, and to `origins`, carry the
 * CSRF value that the readable cookie has at that moment. Where the access token has ended it is renewed, before the
 * request or after its refusal, and the request is sent again once, unless its body is a stream.
 *
 * Responses are those of the server, refusals too: see `readProblem`. When a refresh is not refused but fails (503, no
 * network), then that is what the request ends in.
 *
 * @throws {TypeError} for `origins` that are none
 * @example
 * const authFetch = createAuthFetch({ onSignedOut: () => location.assign('/login') })
 * await authFetch('/orders', { method: 'POST', body: JSON.stringify(order) })
 */
export function createAuthFetch(options: AuthFetchOptions = {}): AuthFetch {
  for (const origin of options.origins ?? []) {
    // Otherwise it would match no request, and these would go out without a word.
    if (!URL.canParse(origin) || new URL(origin).origin !== origin)
      throw new TypeError(`origins takes origins like https://api.example.com, not '${origin}'`)
  }
  const state = new SignInState(options)
  const refresh = createRefresh(options, state)

  async function authFetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
    const { href, origin } = new URL(input instanceof Request ? input.url : input, location.href)
    const isOwn = origin === location.origin
    if (!isOwn && options.origins?.includes(origin) !== true) return send(options, input, init)
    const given = new Request(input, init)
    if (given.credentials === 'omit') return send(options, given)
    const request = isOwn ? given : new Request(given, { credentials: 'include' })
    const isAt = (path: string): boolean => href === new URL(path, location.href).href
    const isLogout = isAt(options.logoutUrl ?? '/logout')
    const isRefresh = isAt(options.refreshUrl ?? '/refresh')
    const isStream = init?.body instanceof ReadableStream

    let csrf: string | undefined
    const attempt = async (): Promise<Response> => {
      csrf = isRefresh ? state.refreshCsrf : (state.accessCsrf ?? (isLogout ? state.refreshCsrf : undefined))
      const copy = isStream ? request : request.clone()
      if (csrf !== undefined && !safeMethods.has(copy.method)) copy.headers.set(headerName(options), csrf)
      const response = await send(options, copy)
      state.compare()
      return response
    }
    /** What the request ends in when the refresh fails for another reason than a refusal. */
    const renew = async (): Promise<Response | undefined> => {
      const response = await untilAborted(refresh(csrf), request.signal)
      return response?.status === 401 ? undefined : response?.clone()
    }

    if (isRefresh) return attempt()
    if (!isLogout && state.accessCsrf === undefined && state.canRefresh) {
      const failure = await renew()
      if (failure !== undefined) return failure
    }
    const response = await attempt()
    if (response.status !== 401 || isStream) return response
    const code = (await readProblem(response))?.code ?? ''
    const hasChanged = (): boolean => state.accessCsrf !== undefined && state.accessCsrf !== csrf
    // An access token that has just ended leaves the sign-out to the refresh token, whose CSRF value is another.
    const canMend = renewable.has(code) || (isLogout && code === 'csrf_mismatch')
    if (canMend && !hasChanged() && state.canRefresh) {
      const failure = await renew()
      if (failure !== undefined) return failure
    }
    return hasChanged() ? attempt() : response
  }

  return Object.defineProperty(
    Object.assign(authFetch, {
      signedIn: false,
      refresh: () => refresh(),
      subscribe: (listener: () => void) => state.subscribe(listener),
    }),
    'signedIn',
    { get: () => state.isSignedIn },
  )
}

const send = (options: AuthFetchOptions, ...request: Parameters<typeof fetch>): Promise<Response> =>
  (options.fetch ?? fetch)(...request)

const headerName = (options: AuthFetchOptions): string => options.csrfHeaderName ?? 'X-CSRF-Token'

/** What the readable cookies say, and who wants to know of it, here and in other tabs. */
class SignInState {
  readonly #options: AuthFetchOptions
  readonly #name: string
  readonly #listeners = new Set<() => void>()
  #channel: BroadcastChannel | undefined
  /** The CSRF value of a refresh token that the server has refused. */
  #refused: string | undefined
  /** That of the refresh token which this page knows of. */
  #seen: string | undefined
  #wasSignedIn: boolean

  constructor(options: AuthFetchOptions) {
    this.#options = options
    this.#name = lockName(options)
    this.#seen = this.refreshCsrf
    this.#wasSignedIn = this.isSignedIn
    // A server that renders pages makes one too, and has no other tabs.
    if (typeof document !== 'object') return
    this.#wake()
    addEventListener('pageshow', () => this.#wake())
    // A page with an open channel would not be kept for the way back.
    addEventListener('pagehide', () => {
      this.#channel?.close()
      this.#channel = undefined
    })
  }

  get accessCsrf(): string | undefined {
    return readCookie(this.#options.accessCsrfCookieName ?? 'csrf_access_token')
  }

  get refreshCsrf(): string | undefined {
    return readCookie(this.#options.refreshCsrfCookieName ?? 'csrf_refresh_token')
  }

  get canRefresh(): boolean {
    return this.refreshCsrf !== undefined && this.refreshCsrf !== this.#refused
  }

  get isSignedIn(): boolean {
    return this.refreshCsrf === undefined ? this.accessCsrf !== undefined : this.canRefresh
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Looks whether somebody has signed in or out, as another user too. */
  compare(): void {
    if (this.isSignedIn !== this.#wasSignedIn || this.refreshCsrf !== this.#seen) this.#announce()
  }

  /** Takes new cookies for those of the same user, unless nobody was signed in. */
  noteRefresh(): void {
    this.#seen = this.refreshCsrf
    if (this.isSignedIn === this.#wasSignedIn) this.#channel?.postMessage('refreshed')
    else this.#announce()
  }

  noteRefusal(csrf: string | undefined): void {
    this.#refused = csrf
  }

  #announce(): void {
    this.#channel?.postMessage('changed')
    this.#tell()
  }

  #wake(): void {
    if (this.#channel === undefined) {
      this.#channel = new BroadcastChannel(this.#name)
      this.#channel.addEventListener('message', ({ data }) => {
        if (data === 'refreshed') this.#seen = this.refreshCsrf
        else this.#tell()
      })
    }
    if (this.isSignedIn !== this.#wasSignedIn) this.#tell()
  }

  #tell(): void {
    const isOut = this.#wasSignedIn && !this.isSignedIn
    this.#wasSignedIn = this.isSignedIn
    this.#seen = this.refreshCsrf
    for (const listener of this.#listeners) listener()
    if (isOut) this.#options.onSignedOut?.()
  }
}

type Refresh = (staleCsrf?: string) => Promise<Response | undefined>

/** One refresh for all callers of a page, and with Web Locks of all pages; without them the server's grace makes it right. */
function createRefresh(options: AuthFetchOptions, state: SignInState): Refresh {
  let pending: Promise<Response | undefined> | undefined

  const run = async (staleCsrf: string | undefined): Promise<Response | undefined> => {
    const csrf = state.accessCsrf
    // Another tab has refreshed while this one waited for the lock.
    if (csrf !== undefined && csrf !== staleCsrf) return undefined
    const response = await sendRefresh(options, state)
    state.noteRefresh()
    return response
  }
  const runAlone: typeof run = async (staleCsrf) =>
    navigator.locks === undefined
      ? run(staleCsrf)
      : navigator.locks.request(lockName(options), () => run(staleCsrf))

  return (staleCsrf = state.accessCsrf) => {
    pending ??= runAlone(staleCsrf).finally(() => (pending = undefined))
    return pending
  }
}

const lockName = ({ refreshUrl = '/refresh' }: AuthFetchOptions): string => `tallystick ${refreshUrl}`

/** Sends it until there is an answer, but not beyond the grace: there it would pass for a thief's. */
async function sendRefresh(options: AuthFetchOptions, state: SignInState): Promise<Response | undefined> {
  const { refreshUrl = '/refresh', refreshTimeout = 5, rotationGrace = 30 } = options
  const end = performance.now() + (rotationGrace - 1) * 1000
  for (let attempt = 1; ; attempt++) {
    const csrf = state.refreshCsrf
    let pauseMs = (attempt - 1) * 1000
    const isLast = (): boolean => attempt === maxAttempts || performance.now() + pauseMs > end
    try {
      const response = await send(options, refreshUrl, {
        method: 'POST',
        credentials: 'include',
        headers: csrf === undefined ? {} : { [headerName(options)]: csrf },
        // Its cookies arrive even when the page is left meanwhile.
        keepalive: true,
        signal: AbortSignal.timeout(refreshTimeout * 1000),
      })
      if (response.ok) return undefined
      if (response.status === 503) {
        pauseMs = Math.min(Number(response.headers.get('retry-after')) || 1, 3) * 1000
      } else {
        const isSame = state.refreshCsrf === csrf
        if (response.status === 401 && isSame) state.noteRefusal(csrf)
        // A refusal of cookies that are no longer there, as another tab was quicker, says nothing about the new ones.
        if (response.status !== 401 || isSame || state.refreshCsrf === undefined) return response
      }
      if (isLast()) return response
    } catch (error) {
      if (isLast()) throw error
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
  }
}

/** The value of a cookie that scripts may read. */
function readCookie(name: string): string | undefined {
  if (typeof document !== 'object') return undefined
  const pair = document.cookie.split('; ').find((each) => each.startsWith(`${name}=`))
  // An empty one is on its way out.
  return pair?.slice(name.length + 1) || undefined
}

/** What others wait for too goes on when this caller gives up. */
async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted()
  await Promise.race([
    work,
    new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true })),
  ])
  signal.throwIfAborted()
  return work
}
