/**
 * Revokes in the background and tries again while the store is away; holds at most 10,000 steps, of which the oldest
 * go first, and drops the rest at `close`.
 */

/** One thing to tell the store; fails as long as that cannot be done. */
export type RevocationStep = () => Promise<unknown>

const firstPauseMilliseconds = 250
const longestPauseMilliseconds = 5000
/** An outage in which more people sign out than this loses the oldest. */
const maxSteps = 10_000

export class RevocationQueue {
  #steps: RevocationStep[] = []
  #pause = firstPauseMilliseconds
  #working: Promise<void> | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #isClosed = false

  /** Has a step taken, now or as soon as the store can be told. */
  add(step: RevocationStep): void {
    if (this.#steps.push(step) > maxSteps) this.#steps.shift()
    if (this.#timer === undefined && this.#working === undefined) this.#work()
  }

  /** Tries once more what is left, and then lets go. */
  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    await this.#working
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#steps.length === 0) return
    await this.#tell()
    this.#steps = []
  }

  #work(): void {
    this.#timer = undefined
    this.#working = this.#tell().finally(() => {
      this.#working = undefined
      if (this.#steps.length === 0 || this.#isClosed) return
      this.#timer = setTimeout(() => this.#work(), this.#pause)
      // A process that has nothing else to do may end.
      this.#timer.unref?.()
      this.#pause = Math.min(this.#pause * 2, longestPauseMilliseconds)
    })
  }

  async #tell(): Promise<void> {
    const waiting = this.#steps.slice()
    for (const step of waiting) {
      try {
        await step()
      } catch {
        // The store is still away: whatever the reason, it will be asked again, beginning with another one.
        this.#steps = [...this.#steps.filter((one) => one !== step), step]
        return
      }
      this.#steps = this.#steps.filter((one) => one !== step)
      this.#pause = firstPauseMilliseconds
    }
  }
}
