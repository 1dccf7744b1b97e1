/**
 * Revokes in the background and tries again while the store is away; holds at most 10,000 targets, of which the oldest
 * go first, and drops the rest at `close`.
 */

import type { RevokeTarget } from './store.ts'

const firstPauseMilliseconds = 250
const longestPauseMilliseconds = 5000
/** An outage in which more people sign out than this loses the oldest. */
const maxTargets = 10_000

export class RevocationQueue {
  readonly #revoke: (target: RevokeTarget) => Promise<void>
  #targets: RevokeTarget[] = []
  #pause = firstPauseMilliseconds
  #working: Promise<void> | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #isClosed = false

  constructor(revoke: (target: RevokeTarget) => Promise<void>) {
    this.#revoke = revoke
  }

  /** Has a target revoked, now or as soon as the store can be told. */
  add(target: RevokeTarget): void {
    if (this.#targets.push(target) > maxTargets) this.#targets.shift()
    if (this.#timer === undefined && this.#working === undefined) this.#work()
  }

  /** Tries once more what is left, and then lets go. */
  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    await this.#working
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#targets.length === 0) return
    await this.#tell()
    this.#targets = []
  }

  #work(): void {
    this.#timer = undefined
    this.#working = this.#tell().finally(() => {
      this.#working = undefined
      if (this.#targets.length === 0 || this.#isClosed) return
      this.#timer = setTimeout(() => this.#work(), this.#pause)
      // A process that has nothing else to do may end.
      this.#timer.unref?.()
      this.#pause = Math.min(this.#pause * 2, longestPauseMilliseconds)
    })
  }

  async #tell(): Promise<void> {
    const waiting = this.#targets.slice()
    for (const target of waiting) {
      try {
        await this.#revoke(target)
      } catch {
        // The store is still away: whatever the reason, it will be asked again, beginning with another one.
        this.#targets = [...this.#targets.filter((one) => one !== target), target]
        return
      }
      this.#targets = this.#targets.filter((one) => one !== target)
      this.#pause = firstPauseMilliseconds
    }
  }
}
