/** The revocations that still matter, in memory; an entry leaves only when nothing that it means can be accepted. */

import { isBeforeBirth, isCut } from './store.ts'
import type { Revocation, TokenFacts } from './store.ts'

interface Cut {
  readonly cutSeconds: number
  readonly untilSeconds: number
}

/** How many entries are looked at in one step of forgetting. */
const forgettingStep = 20_000

/** Ends are kept in whole seconds: small integers take no memory of their own. */
export class RevocationSet {
  readonly #sessions = new Map<string, number>()
  readonly #tokens = new Map<string, number>()
  readonly #subjects = new Map<string, Cut>()
  #bornAt = Number.NEGATIVE_INFINITY
  #forgetting: Iterator<unknown> | undefined
  readonly #listeners = new Set<() => void>()

  get size(): number {
    return this.#sessions.size + this.#tokens.size + this.#subjects.size
  }

  /** Takes entries in; one that is known only ever lasts longer. */
  add(entries: readonly Revocation[]): void {
    for (const { kind, id, cutSeconds, until } of entries) {
      const untilSeconds = Math.ceil(until / 1000)
      if (kind === 'subject') this.#addSubject(id, cutSeconds ?? 0, untilSeconds)
      else {
        const known = kind === 'session' ? this.#sessions : this.#tokens
        known.set(id, Math.max(untilSeconds, known.get(id) ?? 0))
      }
    }
    if (entries.length > 0) for (const listener of this.#listeners) listener()
  }

  /** Calls whenever something was added, until the function that it gives is called. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #addSubject(id: string, cutSeconds: number, untilSeconds: number): void {
    const known = this.#subjects.get(id)
    this.#subjects.set(id, {
      cutSeconds: Math.max(cutSeconds, known?.cutSeconds ?? 0),
      untilSeconds: Math.max(untilSeconds, known?.untilSeconds ?? 0),
    })
  }

  /** Notes when the store's data began; never earlier than it was noted before. */
  noteBirth(bornAt: number): void {
    this.#bornAt = Math.max(this.#bornAt, bornAt)
  }

  has({ subject, jti, sid, issuedAtSeconds }: TokenFacts): boolean {
    if (sid !== undefined) {
      return isBeforeBirth(this.#bornAt, issuedAtSeconds) || this.#sessions.has(sid) || this.#tokens.has(jti)
    }
    const cut = this.#subjects.get(subject)
    return this.#tokens.has(jti) || (cut !== undefined && isCut(cut.cutSeconds, issuedAtSeconds))
  }

  /** Looks at some entries and forgets those past their end, so that no call takes long. */
  forget(now: number): void {
    this.#forgetting ??= this.#past(now)
    if (this.#forgetting.next().done === true) this.#forgetting = undefined
  }

  *#past(now: number): Generator {
    const nowSeconds = now / 1000
    let looked = 0
    for (const known of [this.#sessions, this.#tokens]) {
      for (const [id, untilSeconds] of known) {
        if (untilSeconds <= nowSeconds) known.delete(id)
        if (++looked % forgettingStep === 0) yield
      }
    }
    for (const [id, { untilSeconds }] of this.#subjects) {
      if (untilSeconds <= nowSeconds) this.#subjects.delete(id)
      if (++looked % forgettingStep === 0) yield
    }
  }
}
