/** Revocations in memory, in the order in which they were made; never gives a number twice. */

import type { Revocation } from '../core/store.ts'

/** A revocation with its place in the feed. */
interface Numbered {
  readonly number: number
  readonly entry: Revocation
}

/** A part of the feed. */
export interface FeedPage {
  readonly entries: readonly Revocation[]
  /** The number of the last one that was looked at. */
  readonly last: number
  readonly more: boolean
}

export class MemoryFeed {
  readonly #entries = new Map<string, Numbered>()
  /** In the order of their numbers, which have no gaps. */
  #feed: Numbered[] = []

  get #last(): number {
    return this.#feed.at(-1)?.number ?? 0
  }

  entry(kind: Revocation['kind'], id: string): Revocation | null {
    return this.#entries.get(keyOf({ kind, id }))?.entry ?? null
  }

  /** Puts an entry at the end; there is only one for each kind and id. */
  publish(entry: Revocation): void {
    const numbered = { number: this.#last + 1, entry }
    this.#feed.push(numbered)
    this.#entries.set(keyOf(entry), numbered)
  }

  pageAfter(number: number, size: number): FeedPage {
    const first = this.#feed[0]?.number ?? 0
    const page = this.#feed.slice(Math.max(0, number + 1 - first)).slice(0, size)
    const last = page.at(-1)?.number ?? Math.max(number, this.#last)
    // An entry that was made anew stands further on; here it would only be a duplicate.
    const entries = page.filter((one) => this.#isNewest(one)).map(({ entry }) => entry)
    return { entries, last, more: last < this.#last }
  }

  #isNewest(one: Numbered): boolean {
    return this.#entries.get(keyOf(one.entry)) === one
  }

  /** Forgets at most so many entries that are past their end; returns how many. */
  sweep(now: number, limit: number): number {
    const past = [...this.#entries].filter(([, { entry }]) => entry.until <= now).slice(0, limit)
    for (const [key] of past) this.#entries.delete(key)
    // Numbers must stay without gaps and never begin anew, so only the beginning can go, and never the last one.
    const firstLive = this.#feed.findIndex((one) => this.#isNewest(one))
    if (firstLive !== 0) this.#feed = this.#feed.slice(firstLive)
    return past.length
  }
}

function keyOf({ kind, id }: Pick<Revocation, 'kind' | 'id'>): string {
  return `${kind} ${id}`
}
