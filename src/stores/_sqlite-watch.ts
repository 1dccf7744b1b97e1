/** Looks for what other processes wrote, since SQLite tells nobody; must never keep this process alive. */

import { Wakers } from './_wakers.ts'

/** To look takes some microseconds. */
const lookMilliseconds = 100

export class Watch {
  readonly #look: () => number | null
  readonly #wakers = new Wakers()
  #seen: number | null = null

  /** @param look What changes when there are news; `null` when that cannot be told. */
  constructor(look: () => number | null) {
    this.#look = look
  }

  /** Returns what takes it away again. */
  add(wake: () => void): () => void {
    return this.#wakers.add(wake, () => this.#start())
  }

  #start(): () => void {
    const timer = setInterval(() => this.#tick(), lookMilliseconds)
    timer.unref?.()
    return () => {
      clearInterval(timer)
      this.#seen = null
    }
  }

  #tick(): void {
    const seen = this.#look()
    if (seen === null || seen === this.#seen) return
    this.#seen = seen
    this.#wakers.wakeAll()
  }

  stop(): void {
    this.#wakers.clear()
  }
}
