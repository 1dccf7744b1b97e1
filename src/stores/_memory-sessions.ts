/** The sessions of `memoryStore`, found by their id and, until they are ended, by their subject. */

import type { Session } from '../core/store.ts'

export class MemorySessions {
  readonly #byId = new Map<string, Session>()
  readonly #bySubject = new Map<string, Set<string>>()

  get size(): number {
    return this.#byId.size
  }

  get(sid: string): Session | undefined {
    return this.#byId.get(sid)
  }

  /** In the order in which they were made. */
  all(): readonly Session[] {
    return [...this.#byId.values()]
  }

  idsOf(subject: string): readonly string[] {
    return [...(this.#bySubject.get(subject) ?? [])]
  }

  put(session: Session): void {
    const before = this.#byId.get(session.id)
    // An id that has expired may come again for somebody else.
    if (before !== undefined && before.subject !== session.subject) this.forget(before)
    this.#byId.set(session.id, session)
    if (session.revokedAt !== null) {
      this.#unlist(session)
      return
    }
    const ids = this.#bySubject.get(session.subject) ?? new Set()
    this.#bySubject.set(session.subject, ids.add(session.id))
  }

  forget(session: Session): void {
    this.#byId.delete(session.id)
    this.#unlist(session)
  }

  #unlist({ id, subject }: Session): void {
    const ids = this.#bySubject.get(subject)
    ids?.delete(id)
    if (ids?.size === 0) this.#bySubject.delete(subject)
  }
}
