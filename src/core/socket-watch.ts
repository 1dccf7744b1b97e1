/** Looks at all open sockets of an `Auth` by one timer, once a second and upon news; knows neither tokens nor sockets. */

/** Something that is open for as long as somebody may use it. */
export interface Watched {
  /** When it ends by itself, in seconds since 1970. */
  readonly endSeconds: number
  /**
   * Ends it if its time has come.
   *
   * @param isTurn Whether it may ask somebody who would not like to be asked for every socket each second.
   */
  review(isTurn: boolean): void
  /** Ends it because nobody watches any more. */
  abandon(): void
}

const roundMilliseconds = 1000
/** News that come together are one look. */
const newsMilliseconds = 100
const shortestMilliseconds = 10
/** Everybody's turn to ask comes once in so many seconds, and they take turns. */
const roundsPerTurn = 10

export class SocketWatch {
  readonly #clock: () => number
  readonly #subscribe: (listener: () => void) => (() => void) | undefined
  /** With the round, of those in a turn, that is its own. */
  readonly #watched = new Map<Watched, number>()
  #round = 0
  #nextRound = 0
  /** How long ago the last round was. */
  #sinceRound = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  #early: { readonly milliseconds: number; readonly timer: ReturnType<typeof setTimeout> } | undefined
  #unsubscribe: (() => void) | undefined

  /** @param subscribe Has a listener called when something was revoked; gives what ends that. */
  constructor(clock: () => number, subscribe: (listener: () => void) => (() => void) | undefined) {
    this.#clock = clock
    this.#subscribe = subscribe
  }

  add(watched: Watched): void {
    this.#watched.set(watched, this.#nextRound++ % roundsPerTurn)
    if (this.#timer === undefined) {
      this.#unsubscribe = this.#subscribe(() => this.#lookEarly(newsMilliseconds))
      this.#arm(roundMilliseconds)
    }
    const left = this.#millisecondsUntil(watched.endSeconds)
    if (left < roundMilliseconds) this.#lookEarly(left)
  }

  remove(watched: Watched): void {
    if (!this.#watched.delete(watched) || this.#watched.size > 0) return
    clearTimeout(this.#timer)
    clearTimeout(this.#early?.timer)
    this.#unsubscribe?.()
    this.#timer = undefined
    this.#early = undefined
    this.#unsubscribe = undefined
  }

  close(): void {
    for (const watched of this.#watched.keys()) watched.abandon()
  }

  #millisecondsUntil(seconds: number): number {
    return Math.max(shortestMilliseconds, Math.ceil((seconds - this.#clock()) * 1000))
  }

  #arm(milliseconds: number): void {
    const timer = setTimeout(() => {
      this.#sinceRound += milliseconds
      const isRound = this.#sinceRound >= roundMilliseconds
      if (isRound) {
        this.#sinceRound = 0
        this.#round = (this.#round + 1) % roundsPerTurn
      }
      const next = this.#look(isRound)
      // Where the last one has gone there is no timer, and one that came since has brought its own.
      if (this.#timer === timer) this.#arm(next)
    }, milliseconds)
    // A process that has nothing else to do may end.
    timer.unref?.()
    this.#timer = timer
  }

  /** One look soon, whatever the timer does; never put off by the next one who wants that. */
  #lookEarly(milliseconds: number): void {
    if (this.#early !== undefined && this.#early.milliseconds <= milliseconds) return
    clearTimeout(this.#early?.timer)
    const timer = setTimeout(() => {
      this.#early = undefined
      this.#look(false)
    }, milliseconds)
    timer.unref?.()
    this.#early = { milliseconds, timer }
  }

  /** @returns when to look again */
  #look(isRound: boolean): number {
    let earliest = Number.POSITIVE_INFINITY
    // A copy, since one that closes may be followed by another at once, which is not to be looked at in the same look.
    const all = [...this.#watched]
    for (const [watched, round] of all) {
      watched.review(isRound && round === this.#round)
      earliest = Math.min(earliest, watched.endSeconds)
    }
    return Math.min(roundMilliseconds, this.#millisecondsUntil(earliest))
  }
}
