/** Ends sessions and tokens of one `Auth`: in its store, in this process at once, and later where the store is away. */

import type { Claims } from './claims.ts'
import type { Emitter } from './events.ts'
import type { ResolvedOptions } from './options.ts'
import { RevocationQueue } from './revocation-queue.ts'
import type { RevocationSet } from './revocation-set.ts'
import { refusalOf, sessionTarget, signOutTargets, subjectTarget, tokenTargets } from './revocation-target.ts'
import type { StoreClient } from './store-client.ts'
import type { Revocation, RevokeTarget } from './store.ts'

export class Revocations {
  readonly #client: StoreClient
  readonly #set: RevocationSet
  readonly #options: ResolvedOptions
  readonly #emitter: Emitter
  readonly #queue: RevocationQueue = new RevocationQueue()

  constructor(client: StoreClient, set: RevocationSet, options: ResolvedOptions, emitter: Emitter) {
    this.#client = client
    this.#set = set
    this.#options = options
    this.#emitter = emitter
  }

  /** What could not be revoked yet is tried once more. */
  async close(): Promise<void> {
    await this.#queue.close()
  }

  /**
   * Takes over what the store says is revoked, so that this process refuses it at once.
   *
   * @param storeNow The store's clock in milliseconds, where it has told.
   */
  apply(revoked: readonly Revocation[], storeNow: number = Number.POSITIVE_INFINITY): void {
    this.#set.add(revoked)
    // Where nothing is followed, nothing else does so; by whichever clock is behind.
    this.#set.forget(Math.min(storeNow, this.#options.clock() * 1000))
    if (revoked.length > 0) this.#emitter.emit({ type: 'session.revoked', count: revoked.length })
  }

  async #revoke(target: RevokeTarget): Promise<readonly Revocation[]> {
    const revoked = await this.#client.revoke(target)
    this.apply(revoked)
    return revoked
  }

  /** Ends one session. @returns whether there is such a session. @throws {AuthError} `store_unavailable` */
  async revokeSession(sid: string, subject: string | undefined): Promise<boolean> {
    return (await this.#revoke(sessionTarget(sid, subject, this.#options))).length > 0
  }

  /** Ends all sessions of a subject but one. @throws {AuthError} `store_unavailable` */
  async revokeSubject(subject: string, except: string | undefined): Promise<void> {
    await this.#revoke(subjectTarget(subject, except, this.#options))
  }

  /** Denies one token; of a refresh token, its session. @throws {AuthError} `store_unavailable` */
  async revokeToken(claims: Claims): Promise<void> {
    for (const target of tokenTargets(claims, this.#options)) await this.#revoke(target)
  }

  /**
   * Signs out whoever holds these tokens. If the store fails, this process refuses them at once, and the store is told
   * as soon as it can be.
   *
   * @throws {AuthError} `store_unavailable`
   */
  async signOut(tokens: readonly Claims[], isEverywhere: boolean): Promise<void> {
    const targets = tokens.flatMap((claims) => signOutTargets(claims, this.#options))
    const [first] = tokens
    if (isEverywhere && first !== undefined) targets.push(subjectTarget(first.sub, undefined, this.#options))
    for (const [index, target] of targets.entries()) {
      try {
        const revoked = await this.#revoke(target)
        if (revoked.length === 0) await this.#denyTokensOf(target, tokens)
      } catch (error) {
        // One answer that does not come is enough to wait for.
        for (const untold of targets.slice(index)) this.#later(untold)
        throw error
      }
    }
  }

  /** The row of a session that is alive may be lost, or past its end by the store's clock alone. */
  async #denyTokensOf(target: RevokeTarget, tokens: readonly Claims[]): Promise<void> {
    for (const claims of tokens) {
      const isOfSession = target.kind === 'session' && claims.sid === target.sid
      if (isOfSession && claims.type === 'access') await this.revokeToken(claims)
    }
  }

  /**
   * Does the same later, as the store is away: all else of the user too, if these tokens turn out to be good then.
   *
   * @param isGood Asks the store; fails while it is away.
   */
  signOutEverywhereLater(tokens: readonly Claims[], isGood: () => Promise<boolean>): void {
    const [first] = tokens
    if (first === undefined) return
    const targets = tokens.flatMap((claims) => signOutTargets(claims, this.#options))
    for (const target of targets) this.#set.add([refusalOf(target, this.#options)])
    this.#queue.add(async () => {
      // Before their own sessions end, and with them every proof.
      const all = (await isGood()) ? [subjectTarget(first.sub, undefined, this.#options)] : []
      for (const target of [...all, ...targets]) await this.#revoke(target)
    })
  }

  #later(target: RevokeTarget): void {
    this.#set.add([refusalOf(target, this.#options)])
    this.#queue.add(() => this.#revoke(target))
  }

  /** Ends a session of somebody else whose cookies a sign-in overwrites; the sign-in does not wait for it. */
  revokeInBackground(sid: string, subject: string): void {
    this.#queue.add(() => this.#revoke(sessionTarget(sid, subject, this.#options)))
  }
}
