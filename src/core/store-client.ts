/** Asks a store within a time limit, and turns every failure or malformed answer into `store_unavailable`. */

import { ask } from './deadline.ts'
import type { Emitter } from './events.ts'
import { demand, isList, isRecord, isRevocation, isRotateResult, isSession } from './store-answer.ts'
import type {
  CreateOptions,
  NewSession,
  Revocation,
  RevokeTarget,
  RotateResult,
  Rotation,
  Session,
  Store,
  TokenFacts,
} from './store.ts'

/** What of a store can fail by itself. */
type Part = 'opening' | 'steps' | 'feed'

/** The store as one `Auth` sees it; every failure is `store_unavailable`. */
export class StoreClient {
  readonly #store: Store
  readonly #timeoutSeconds: number
  readonly #emitter: Emitter
  readonly #down = new Set<Part>()

  constructor(store: Store, timeoutSeconds: number, emitter: Emitter) {
    this.#store = store
    this.#timeoutSeconds = timeoutSeconds
    this.#emitter = emitter
  }

  async create(
    session: NewSession,
    options: CreateOptions,
  ): Promise<{ readonly session: Session; readonly revoked: readonly Revocation[] }> {
    const isCreated = (answer: unknown): answer is Awaited<ReturnType<Store['create']>> =>
      isRecord(answer) &&
      isSession(answer['session'], session.id, session.subject) &&
      answer['session'].revokedAt === null &&
      isList(answer['revoked'], isRevocation)
    return this.#call({ session, options }, () => this.#store.create(session, options), isCreated)
  }

  async rotate(rotation: Rotation): Promise<RotateResult> {
    return this.#call(
      rotation,
      () => this.#store.rotate(rotation),
      (answer) => isRotateResult(answer, rotation),
    )
  }

  async get(sid: string): Promise<Session | null> {
    return this.#call(
      sid,
      () => this.#store.get(sid),
      (answer) => answer === null || isSession(answer, sid),
    )
  }

  async list(subject: string): Promise<readonly Session[]> {
    const isOwn = (value: unknown): value is Session => isSession(value, undefined, subject)
    return this.#call(
      subject,
      () => this.#store.list(subject),
      (answer) => isList(answer, isOwn),
    )
  }

  async revoke(target: RevokeTarget): Promise<readonly Revocation[]> {
    return this.#call(
      target,
      () => this.#store.revoke(target),
      (answer) => isList(answer, isRevocation),
    )
  }

  async isRevoked(token: TokenFacts): Promise<boolean> {
    return this.#call(
      token,
      () => this.#store.isRevoked(token),
      (answer) => typeof answer === 'boolean',
    )
  }

  async #call<Answer>(
    given: unknown,
    question: () => Promise<Answer>,
    isAnswer: (answer: unknown) => answer is Answer,
  ): Promise<Answer> {
    return this.tracked('steps', async () => {
      const answer = await ask(question, this.#timeoutSeconds, 'The store', { given })
      return demand(answer, isAnswer)
    })
  }

  /** Runs a step that asks the store, and tells observers once when it fails and once when all works again. */
  async tracked<Answer>(part: Part, step: () => Promise<Answer>): Promise<Answer> {
    try {
      const answer = await step()
      this.noteSuccess(part)
      return answer
    } catch (error) {
      this.noteFailure(part)
      throw error
    }
  }

  noteFailure(part: Part): void {
    if (this.#down.size === 0) this.#emitter.emit({ type: 'store.unavailable' })
    this.#down.add(part)
  }

  noteSuccess(part: Part): void {
    if (this.#down.delete(part) && this.#down.size === 0) this.#emitter.emit({ type: 'store.recovered' })
  }
}
