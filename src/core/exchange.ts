/** One request on its way to an answer: who it comes from, what is set on the response, what observers are told. */

import { runGuard } from './check.ts'
import type { Identity, Trace } from './check.ts'
import { CookieWriter } from './cookie-writer.ts'
import type { Engine } from './engine.ts'
import { AuthError, reasonOf } from './errors.ts'
import type { AuthErrorCode } from './errors.ts'
import type { Guard } from './guard.ts'
import { chain } from './maybe.ts'
import type { MaybePromise } from './maybe.ts'
import type { AuthRequest, AuthResponse } from './request.ts'
import type { TokenType } from './claims.ts'

/** Errors that `optionalErrors: 'anonymous'` turns into "nobody". */
const anonymousCodes: ReadonlySet<AuthErrorCode> = new Set<AuthErrorCode>([
  'token_expired',
  'token_invalid',
  'token_revoked',
  'wrong_token_type',
  'header_invalid',
  'user_not_found',
])

/** The state of one request, which its `Authorize` shows to the handler. */
export class Exchange {
  readonly engine: Engine
  readonly request: AuthRequest
  readonly response: AuthResponse
  /** The framework's own request, or context. */
  readonly raw: object
  /** Whom a guard has found. */
  identity: Identity | null = null
  /** Whether a CORS preflight was let through. */
  isPreflight = false
  /** Whether an optional guard has found nobody. */
  isAnonymous = false
  /** The CSRF values of the cookies that this response sets. */
  csrf: { readonly [Type in TokenType]?: string | undefined } = {}
  /** A guard that has passed but for the CSRF value. */
  #pending: Guard | null = null
  readonly trace: Trace = { location: undefined, token: undefined }
  #writer: CookieWriter | undefined

  constructor(engine: Engine, raw: object, request: AuthRequest, response: AuthResponse) {
    this.engine = engine
    this.raw = raw
    this.request = request
    this.response = response
  }

  /** Made when it is needed: most requests set no cookie. */
  get cookies(): CookieWriter {
    this.#writer ??= new CookieWriter(this.engine, this.request, this.response)
    return this.#writer
  }

  /** Runs a guard and publishes whom it found; synchronous where nothing has to be waited for. */
  check(guard: Guard): MaybePromise<Identity | null> {
    this.#forgetTrace()
    try {
      const found = this.identify(guard)
      if (!(found instanceof Promise)) return this.#conclude(guard, found)
      return found
        .then((identity) => this.#conclude(guard, identity))
        .catch((error: unknown) => this.#refuse(guard, error))
    } catch (error) {
      return this.#refuse(guard, error)
    }
  }

  #forgetTrace(): void {
    this.trace.location = undefined
    this.trace.token = undefined
  }

  /** Runs a guard and publishes nothing. */
  identify(guard: Guard): MaybePromise<Identity | null> {
    return runGuard(this.engine, this.request, guard, this.identity, this.trace)
  }

  #conclude(guard: Guard, identity: Identity | null): Identity | null {
    const isDue = guard.csrf === 'later' && identity?.location === 'cookies'
    if (!isDue || !this.engine.options.cookieCsrfProtect) return this.publish(identity)
    this.#pending = guard
    return null
  }

  /** Whether a guard still waits for the CSRF value. */
  get isPending(): boolean {
    return this.#pending !== null
  }

  /** Runs the guard that waits once more from its beginning, with the value that has come. @throws {AuthError} */
  confirm(csrfToken: string): MaybePromise<Identity | null> {
    if (this.#pending === null) throw new TypeError('No guard waits for a CSRF value')
    return chain(this.check({ ...this.#pending, csrf: 'always', csrfToken }), (identity) => {
      this.#pending = null
      return identity
    })
  }

  publish(identity: Identity | null): Identity | null {
    if (identity === null) this.isAnonymous = true
    else this.identity = identity
    return identity
  }

  #refuse(guard: Guard, error: unknown): null {
    const rejection = this.#reject(error)
    // What a weaker guard has published must not outlive the refusal; a sign-in that is only too old may.
    if (!AuthError.is(rejection, 'fresh_token_required')) this.identity = null
    const isForgiven = guard.isOptional && this.engine.options.optionalErrors === 'anonymous'
    if (!isForgiven || !AuthError.is(rejection) || !anonymousCodes.has(rejection.code)) throw rejection
    this.publish(null)
    return null
  }

  /** Runs what answers a request; a refusal is told to observers and may change cookies on its way out. */
  async answer<T>(step: () => Promise<T>): Promise<T> {
    this.#forgetTrace()
    try {
      return await step()
    } catch (error) {
      const rejection = this.#reject(error)
      if (endsSignIn(rejection)) {
        this.identity = null
        // A token from elsewhere says nothing of the cookies.
        const isFromCookie = this.engine.hasCookies && this.trace.location === 'cookies'
        if (isFromCookie) this.cookies.writeIfPossible(this.cookies.deletions())
      }
      throw rejection
    }
  }

  /** Tells observers, clears planted cookies and puts it into words; what is no refusal passes unchanged. */
  #reject(error: unknown): unknown {
    if (!AuthError.is(error)) return error
    if (error.code === 'cookie_ambiguous') this.cookies.writeIfPossible(this.cookies.tossedDeletions())
    if (error.code === 'csrf_mismatch') this.cookies.writeIfPossible(this.cookies.twinDeletions())
    this.#tell(error)
    return this.engine.wordRefusal(error, this.trace.token)
  }

  #tell(error: AuthError): void {
    const { emitter } = this.engine
    const { location } = this.trace
    if (!emitter.active()) return
    const reason = reasonOf(error)
    const origin = error.code === 'origin_forbidden' ? this.request.header('origin') : undefined
    emitter.emit({
      type: 'rejected',
      code: error.code,
      ...(reason !== undefined && { reason }),
      ...(location !== undefined && { location }),
      ...(origin !== undefined && { origin }),
      ...(error.code === 'origin_forbidden' && { remedy: 'add the origin to trustedOrigins if it is yours' }),
    })
  }
}

/** Whether what the refused token belongs to has ended; a late one whose session lives on may have a good successor. */
function endsSignIn(error: unknown): boolean {
  const isReused = AuthError.is(error, 'refresh_reused') && error.cause !== 'late'
  return isReused || AuthError.is(error, 'token_revoked')
}
