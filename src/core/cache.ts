/** Remembers tokens whose signature was verified, under their exact bytes; decides nothing else and stays bounded. */

import { Buffer } from 'node:buffer'

interface Entry<T> {
  readonly token: string
  readonly value: T
}

/** A signature is as good as random: its end tells tokens apart, and is sooner hashed than all of it. */
const keyLength = 32

/**
 * A bounded map in two generations: when the young one is full it becomes the old one, whose entries are
 * forgotten unless they are asked for again. A hit in the young one writes nothing.
 */
export class TokenCache<T> {
  readonly #limit: number
  #young = new Map<string, Entry<T>>()
  #old = new Map<string, Entry<T>>()

  /** @param limit Most entries held at a time; 0 keeps nothing. */
  constructor(limit: number) {
    this.#limit = limit
  }

  get(token: string): T | undefined {
    const key = token.slice(-keyLength)
    const young = this.#young.get(key)
    if (young !== undefined) return young.token === token ? young.value : undefined
    const old = this.#old.get(key)
    if (old?.token !== token) return undefined
    // By a key of its own: the one above is cut out of the request's header.
    this.#add(old.token.slice(-keyLength), old)
    return old.value
  }

  set(token: string, value: T): void {
    if (this.#limit === 0) return
    // A token cut out of a Cookie header would keep the whole header alive: keep a copy of its own.
    const copy = Buffer.from(token, 'latin1').toString('latin1')
    this.#add(copy.slice(-keyLength), { token: copy, value })
  }

  #add(key: string, entry: Entry<T>): void {
    if (this.#young.size >= Math.max(1, Math.floor(this.#limit / 2))) {
      this.#old = this.#limit === 1 ? this.#old : this.#young
      this.#young = new Map()
    }
    this.#young.set(key, entry)
  }
}
