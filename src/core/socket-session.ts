/** Who an open socket belongs to, and for how long: ends it when its token or its key does, and can be renewed in band. */

import { Buffer } from 'node:buffer'
import { checkRevocation, checkType, findUser } from './check.ts'
import type { Identity } from './check.ts'
import type { Claims } from './claims.ts'
import type { Engine } from './engine.ts'
import { unavailable } from './deadline.ts'
import { AuthError, invalidToken, reasonOf } from './errors.ts'
import type { AuthErrorCode } from './errors.ts'
import { chain } from './maybe.ts'
import type { MaybePromise } from './maybe.ts'
import { redeemTicket } from './socket-ticket.ts'
import type { Watched } from './socket-watch.ts'
import type { VerifiedToken } from './token.ts'

/** What closes a socket; the reason is the code of a refusal, or `going_away`. */
export type CloseSocket = (code: number, reason: AuthErrorCode | 'going_away') => void

/** RFC 6455 section 7.4 and the registry of close codes; 4000 to 4999 are applications' own. */
const goingAway = 1001
const tryAgainLater = 1013
const unauthorized = 4401

/** The code to close a socket with for a refusal. */
export function closeCodeOf(error: AuthError): number {
  return error.code === 'store_unavailable' ? tryAgainLater : unauthorized
}

/** The sign-in of one open socket. */
export class SocketSession<UserClaims = Record<string, unknown>> {
  readonly #engine: Engine
  readonly #close: CloseSocket
  readonly #checksRevocation: boolean
  /** `null` for nobody's, with which no time ends. */
  #verified: VerifiedToken | null
  /** What it was verified by, and after how many changes of keys. */
  #credential: string | null
  #keyChanges = Number.NaN
  #isChecking = false
  #isOpen = true
  readonly #watched: Watched

  /** @internal */
  constructor(engine: Engine, identity: Identity | null, close: CloseSocket) {
    this.#engine = engine
    this.#close = close
    this.#verified = identity?.verified ?? null
    this.#credential = identity === null ? null : copyOf(identity.token)
    this.#checksRevocation = identity?.isRevocationChecked ?? false
    const endSeconds = (): number =>
      (this.#verified?.claims.exp ?? Number.POSITIVE_INFINITY) + engine.options.decodeLeeway
    this.#watched = {
      get endSeconds() {
        return endSeconds()
      },
      review: (isTurn) => this.#review(isTurn),
      abandon: () => this.#end(goingAway, 'going_away'),
    }
    engine.sockets.add(this.#watched)
  }

  /** The claims of its newest token. @throws {TypeError} when `jwtOptional` has found nobody */
  claims(): Claims<UserClaims> {
    // The schema of this Auth made the user claims; without one they are read as unknown.
    if (this.#verified !== null) return this.#verified.claims as Claims<UserClaims>
    throw new TypeError(
      'claims() has nothing to give: jwtOptional() found nobody (getRawJwt() gives null then)',
    )
  }

  /** Whom its token names. @throws {TypeError} when `jwtOptional` has found nobody */
  subject(): string {
    return this.claims().sub
  }

  /** The claims of its newest token, or `null` for nobody's. */
  getRawJwt(): Claims<UserClaims> | null {
    return this.#verified === null ? null : this.claims()
  }

  /**
   * Goes on with a newer token of the same sign-in, whose end is then the socket's.
   *
   * @param credential A ticket of `createSocketTicket()`, or an access token, where the client has one.
   * @returns The claims from now on.
   * @throws {AuthError} as `auth.verify`; `token_invalid` for what is older, or belongs to another user or session.
   * The socket is then as it was, and closes when its own time is over.
   */
  async renew(credential: string): Promise<Claims<UserClaims>> {
    const current = this.#verified
    if (current === null) throw new TypeError('renew() needs a socket that belongs to somebody')
    try {
      const { keyChanges } = this.#engine.tokens
      const renewed = await this.#verifyNewer(credential, current)
      // Another one may have come while this one was looked at, or the end.
      if (!this.#isOpen) throw new AuthError('token_expired')
      demandNewer(renewed.claims, (this.#verified ?? current).claims)
      this.#verified = renewed
      this.#credential = copyOf(credential)
      this.#keyChanges = keyChanges
    } catch (error) {
      this.#tell(error)
      throw error
    }
    return this.claims()
  }

  async #verifyNewer(credential: unknown, current: VerifiedToken): Promise<VerifiedToken> {
    // What comes over a socket is whatever somebody sends.
    if (typeof credential !== 'string') throw invalidToken('malformed')
    const renewed = redeemTicket(await this.#engine.tokens.verify(credential))
    checkType(this.#engine.guards.jwtRequired, renewed)
    demandSameSignIn(renewed.claims, current.claims)
    await checkRevocation(this.#engine, renewed.claims, false)
    await findUser(this.#engine, renewed)
    return renewed
  }

  /** Stops watching: the socket has closed. */
  stop(): void {
    this.#isOpen = false
    this.#engine.sockets.remove(this.#watched)
  }

  #review(isTurn: boolean): void {
    const verified = this.#verified
    if (verified === null) return
    try {
      this.#engine.tokens.recheck(verified)
      if (this.#isChecking) return
      const isDue = this.#checksRevocation && (isTurn || this.#isCheap(verified))
      const checked = chain(this.#verifyAgain(), () =>
        isDue ? checkRevocation(this.#engine, verified.claims, false) : undefined,
      )
      if (checked instanceof Promise) this.#await(checked)
    } catch (error) {
      this.#refuse(error)
    }
  }

  /** What a key has opened that got out, or is gone, must not stay open: whoever has the key chooses when its tokens end. */
  #verifyAgain(): MaybePromise<void> {
    const { tokens } = this.#engine
    const { keyChanges } = tokens
    const credential = this.#credential
    if (credential === null || keyChanges === this.#keyChanges) return undefined
    const isCurrent = (): boolean => this.#credential === credential
    const note = (): void => {
      if (isCurrent()) this.#keyChanges = keyChanges
    }
    const again = tokens.verify(credential)
    if (!(again instanceof Promise)) return note()
    return again.then(note, (error: unknown) => {
      // It may have been renewed meanwhile.
      if (isCurrent()) throw error
    })
  }

  /** Whether memory alone answers whether a token was revoked. */
  #isCheap({ claims }: VerifiedToken): boolean {
    const { denylist, denylistEnabled, denylistTokenChecks, revocation } = this.#engine.options
    const isListed = denylist !== undefined && denylistEnabled && denylistTokenChecks.includes(claims.type)
    return claims.type === 'access' && !isListed && revocation === 'replicated'
  }

  #await(checked: Promise<void>): void {
    this.#isChecking = true
    void checked
      .catch((error: unknown) => this.#refuse(error))
      .then(() => {
        this.#isChecking = false
      })
  }

  #refuse(error: unknown): void {
    const refusal = AuthError.is(error) ? error : unavailable(error, undefined, this.#verified?.claims)
    if (!this.#isOpen) return
    this.#tell(refusal)
    this.#end(closeCodeOf(refusal), refusal.code)
  }

  #end(code: number, reason: AuthErrorCode | 'going_away'): void {
    if (!this.#isOpen) return
    this.stop()
    try {
      this.#close(code, reason)
    } catch {
      // One socket that cannot be closed must not keep the others open; what was thrown may hold anything.
      globalThis.process?.emitWarning?.(
        'tallystick: a function given to watch() threw an error, and its socket may be open',
      )
    }
  }

  #tell(error: unknown): void {
    const { emitter } = this.#engine
    if (!AuthError.is(error) || !emitter.active()) return
    const reason = reasonOf(error)
    emitter.emit({ type: 'rejected', code: error.code, ...(reason !== undefined && { reason }) })
  }
}

/** A token cut out of a header would keep the whole header alive. */
function copyOf(token: string): string {
  return Buffer.from(token, 'latin1').toString('latin1')
}

/** @throws {AuthError} `token_invalid` for a token of another user, session or, where there are none, sign-in */
function demandSameSignIn(renewed: Claims, current: Claims): void {
  const isSame =
    renewed.sub === current.sub &&
    renewed.sid === current.sid &&
    (current.sid !== undefined || renewed.auth_time === current.auth_time)
  if (!isSame) throw invalidToken('claims_invalid')
}

/** What an older token said may have been taken back since. @throws {AuthError} `token_invalid` */
function demandNewer(renewed: Claims, current: Claims): void {
  if (!((renewed.iat ?? 0) >= (current.iat ?? 0))) throw invalidToken('too_old')
}
