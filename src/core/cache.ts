/** Remembers tokens whose signature was verified, under their exact bytes; decides nothing else and stays bounded. */

import { Buffer } from 'node:buffer'

/**
 * A bounded map in two generations: when the young one is full it becomes the old one, whose entries are
 * forgotten unless they are asked for again. A hit in the young one writes nothing.
 */
export class TokenCache<T> {
  readonly #limit: number
  #young = new Map<string, T>()
  #old = new Map<string, T>()

  /** @param limit Most entries held at a time; 0 keeps nothing. */
  constructor(limit: number) {
    this.#limit = limit
  }

  get(token: string): T | undefined {
    const found = this.#young.get(token)
    if (found !== undefined) return found
    const old = this.#old.get(token)
    if (old !== undefined) this.set(token, old)
    return old
  }

  set(token: string, entry: T): void {
    if (this.#limit === 0) return
    if (this.#young.size >= Math.max(1, Math.floor(this.#limit / 2))) {
      this.#old = this.#limit === 1 ? this.#old : this.#young
      this.#young = new Map()
    }
    // A token cut out of a Cookie header would keep the whole header alive: keep a copy of its own.
    this.#young.set(Buffer.from(token, 'latin1').toString('latin1'), entry)
  }
}
