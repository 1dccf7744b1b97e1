/** Those who wait for news of one store, and what is done as long as there are any; must leave nothing running. */

/** A function that is given twice is two of them. */
export class Wakers {
  readonly #entries = new Set<{ readonly wake: () => void }>()
  #stop: (() => void) | undefined

  /**
   * Returns what takes it away again.
   *
   * @param start Begins to look for news, for the first one; returns what ends that when the last one has gone.
   */
  add(wake: () => void, start?: () => () => void): () => void {
    this.#stop ??= start?.()
    const entry = { wake }
    this.#entries.add(entry)
    return () => {
      if (this.#entries.delete(entry) && this.#entries.size === 0) this.clear()
    }
  }

  wakeAll(): void {
    for (const { wake } of this.#entries) wake()
  }

  clear(): void {
    this.#entries.clear()
    this.#stop?.()
    this.#stop = undefined
  }
}
