/** Sessions of one `Auth`: begins, rotates and checks them in its store; signs nothing, and sees no request. */

import { ask } from './deadline.ts'
import { AuthError, invalidToken } from './errors.ts'
import type { Emitter } from './events.ts'
import { Follower } from './follower.ts'
import type { FollowerMember } from './follower.ts'
import { adoptedSessionId, createSalt, createSessionId, deriveGeneration } from './generation.ts'
import type { GenerationValues } from './generation.ts'
import { chain } from './maybe.ts'
import type { MaybePromise } from './maybe.ts'
import type { ResolvedOptions } from './options.ts'
import { accessLifetimeMilliseconds, statelessLifetimeSeconds } from './revocation-target.ts'
import { Revocations } from './revocations.ts'
import { StoreClient } from './store-client.ts'
import type {
  RotateResult,
  Rotation,
  Session,
  SessionMetadata,
  Store,
  Successor,
  TokenFacts,
} from './store.ts'
import type { Claims } from './claims.ts'

/** The store is swept after so many sign-ins and refreshes. */
const sweepEvery = 100
const sweepLimit = 1000
/** A million revocations take some seconds. */
const readySeconds = 60

/** A session that is about to begin: what its tokens carry. */
export interface PendingSession {
  readonly sid: string
  readonly salt: string
  readonly generation: 0
  readonly issuedAtSeconds: number
}

/** A refresh token on its way to the next generation. */
export interface PendingRotation {
  readonly rotation: Rotation & { readonly successor: Successor }
  readonly claims: Claims
  /** When the user proved who they are. */
  readonly authTimeSeconds: number
}

/** What the tokens of one generation are made of. */
export interface Generation {
  readonly sid: string
  readonly generation: number
  readonly issuedAtSeconds: number
  readonly values: GenerationValues
}

export class Sessions {
  readonly #options: ResolvedOptions
  readonly #emitter: Emitter
  readonly #client: StoreClient
  readonly #store: Store
  readonly #follower: Follower
  readonly #member: FollowerMember
  /** Ends sessions and tokens. */
  readonly revocations: Revocations
  #untilSweep = sweepEvery

  constructor(store: Store, options: ResolvedOptions, emitter: Emitter) {
    const { storeTimeout, revocation } = options
    this.#store = store
    this.#options = options
    this.#emitter = emitter
    this.#client = new StoreClient(store, storeTimeout, emitter)
    this.#follower = Follower.of(store)
    this.revocations = new Revocations(this.#client, this.#follower.set, options, emitter)
    this.#member = {
      client: this.#client,
      timeoutSeconds: storeTimeout,
      wantsSet: revocation === 'replicated',
      warn: (warnings) => warnings.forEach((remedy) => emitter.emit({ type: 'store.warning', remedy })),
    }
    this.#follower.join(this.#member)
  }

  /** Resolves when revocations can be answered. @throws {AuthError} `store_unavailable`, with what the store says */
  async ready(): Promise<void> {
    const load = async (): Promise<void> => this.#follower.load()
    const open = async (): Promise<void> => this.#client.tracked('opening', () => this.#follower.open())
    await ask(this.#member.wantsSet ? load : open, readySeconds, 'Loading the revocations')
  }

  /** Stops following; what could not be revoked yet is tried once more. */
  async close(): Promise<void> {
    await this.revocations.close()
    await this.#follower.leave(this.#member)
  }

  /**
   * Refuses a token that was revoked: an access token by the set in memory, a refresh token by its session.
   *
   * @param willRotate Whether the refresh token is about to be rotated, which judges it in the same step.
   * @throws {AuthError} `token_revoked` · `refresh_reused` · `token_expired` · `token_invalid` · `store_unavailable`
   */
  check(claims: Claims, willRotate: boolean): MaybePromise<void> {
    const facts = this.#factsOf(claims)
    if (claims.type === 'refresh') {
      this.#demandGeneration(claims)
      if (this.#follower.set.has(facts)) throw new AuthError('token_revoked')
      return willRotate ? undefined : this.#judge(claims)
    }
    return chain(this.#isRevoked(facts), (isRevoked) => {
      if (isRevoked) throw new AuthError('token_revoked')
    })
  }

  /** Asks the store, whatever this process knows. @throws as `check` */
  async checkInStore(claims: Claims): Promise<void> {
    if (claims.type === 'refresh') return this.#judge(claims)
    if (await this.#client.isRevoked(this.#factsOf(claims))) throw new AuthError('token_revoked')
  }

  #isRevoked(facts: TokenFacts): MaybePromise<boolean> {
    const { set } = this.#follower
    const { maxStaleness, storeTimeout } = this.#options
    // What this process knows to be revoked is so, however old the rest of its knowledge is.
    if (set.has(facts)) return true
    if (!this.#member.wantsSet || !this.#follower.isLoaded) return this.#client.isRevoked(facts)
    if (this.#follower.isFresh(maxStaleness * 1000)) return false
    const caughtUp = ask(() => this.#follower.catchUp(), storeTimeout, 'The feed of the store')
    return chain(caughtUp, () => {
      if (this.#follower.isFresh(maxStaleness * 1000)) return set.has(facts)
      throw new AuthError('store_unavailable')
    })
  }

  /** Asks what would become of a refresh token; the store writes nothing. */
  async #judge(claims: Claims): Promise<void> {
    const rotation = { ...this.#questionOf(claims, {}), successor: null }
    this.#demandGood(rotation, await this.#client.rotate(rotation))
  }

  /** What the store is asked about a token. A token without `iat` could not be cut off, one without end not forgotten. */
  #factsOf(claims: Claims): TokenFacts {
    const { sub, jti, iat, auth_time: authTime } = claims
    const sid = sidOf(claims)
    if (iat === undefined) throw invalidToken('claims_invalid')
    const { clock, decodeLeeway, sessionExpires } = this.#options
    // Nobody remembers what was revoked of a token that is older than this.
    const endSeconds =
      sid === undefined
        ? iat + Math.min(sessionExpires, statelessLifetimeSeconds(this.#options) + decodeLeeway)
        : (authTime ?? iat) + sessionExpires
    if (!(endSeconds > clock())) throw new AuthError('token_expired', { cause: 'too_old' })
    return { subject: sub, jti, sid, issuedAtSeconds: Math.floor(iat) }
  }

  /** Calls whenever this process learns of revocations, until the function that it gives is called. */
  onRevoked(listener: () => void): () => void {
    return this.#follower.set.listen(listener)
  }

  /** Resolves when it is known since when the store's data exists. @throws {AuthError} `store_unavailable` */
  async opened(): Promise<void> {
    const open = async (): Promise<void> => this.#follower.open()
    await this.#client.tracked('opening', async () => {
      await ask(open, this.#options.storeTimeout, 'Opening the store')
    })
  }

  /** A new session for a subject; nothing of it is stored yet. Call `opened` before. */
  prepareSession(subject: string): PendingSession {
    return {
      sid: createSessionId(subject),
      salt: createSalt(),
      generation: 0,
      issuedAtSeconds: this.#issuedAtSeconds(),
    }
  }

  /** Never before the store's data began: a session's older tokens are refused. */
  #issuedAtSeconds(): number {
    return Math.max(Math.floor(this.#options.clock()), this.#follower.bornAtSeconds)
  }

  /** Stores a session, and ends the one that it replaces and those over the limit. @throws {AuthError} */
  async create(
    subject: string,
    { sid, salt, issuedAtSeconds }: PendingSession,
    authTimeSeconds: number,
    metadata: SessionMetadata,
    replaces: string | undefined,
  ): Promise<void> {
    const { sessionLimit: limit } = this.#options
    const session = {
      id: sid,
      subject,
      salt,
      issuedAtSeconds,
      authTimeSeconds,
      expiresAt: (authTimeSeconds + this.#options.sessionExpires) * 1000,
      accessLifetime: accessLifetimeMilliseconds(this.#options),
      idleLifetime: this.#idleLifetime,
      metadata,
    }
    this.revocations.apply((await this.#client.create(session, { replaces, limit })).revoked)
    this.#emitter.emit({ type: 'session.created' })
    this.#sweep()
  }

  get #idleLifetime(): number {
    // Never `false` here: `checkStoreOptions` refuses that with a store.
    return (Number(this.#options.refreshTokenExpires) + this.#options.decodeLeeway) * 1000
  }

  /** What a refresh token and its successor ask of the store; nothing is stored yet. @throws as `check` */
  prepareRotation(claims: Claims, metadata: SessionMetadata): PendingRotation {
    const question = this.#questionOf(claims, metadata)
    const issuedAtSeconds = this.#issuedAtSeconds()
    const successor = { salt: createSalt(), issuedAtSeconds, idleLifetime: this.#idleLifetime }
    return { rotation: { ...question, successor }, claims, authTimeSeconds: authTimeSecondsOf(claims) }
  }

  #questionOf(claims: Claims, metadata: SessionMetadata): Omit<Rotation, 'successor'> {
    const { sub, jti, iat = 0 } = claims
    const generation = this.#demandGeneration(claims)
    const sid = sidOf(claims)
    const authTimeSeconds = authTimeSecondsOf(claims)
    const expiresAt = (authTimeSeconds + this.#options.sessionExpires) * 1000
    const adoption = { jti, issuedAtSeconds: Math.floor(iat), authTimeSeconds, expiresAt, metadata }
    return {
      sid: sid ?? adoptedSessionId(sub, jti),
      subject: sub,
      generation,
      grace: this.#options.rotationGrace * 1000,
      lateReplay: this.#options.lateReplay,
      accessLifetime: accessLifetimeMilliseconds(this.#options),
      adoption: sid === undefined ? adoption : null,
    }
  }

  /** @returns 0 for a token that belongs to no session. @throws {AuthError} for that, if it is not to be adopted */
  #demandGeneration(claims: Claims): number {
    const { gen } = claims
    const isOfSession = sidOf(claims) !== undefined
    if (isOfSession !== (gen !== undefined)) throw invalidToken('claims_invalid')
    if (gen !== undefined && !(Number.isSafeInteger(gen) && gen >= 0)) throw invalidToken('claims_invalid')
    if (!isOfSession && !this.#options.adoptStatelessTokens) throw new AuthError('token_revoked')
    return gen ?? 0
  }

  /** The generation that a token will become if it is the first to ask. */
  nextGeneration({ rotation, claims }: PendingRotation): Generation {
    const { salt, issuedAtSeconds } = rotation.successor
    return generationOf(rotation, claims.jti, rotation.generation + 1, salt, issuedAtSeconds)
  }

  /**
   * Rotates. Whoever was not the first gets the generation that the first one made.
   *
   * @returns `isNext`: whether it is the generation that `nextGeneration` gave.
   * @throws {AuthError} `token_revoked` · `refresh_reused` · `store_unavailable`
   */
  async rotate({ rotation, claims }: PendingRotation): Promise<{
    readonly isNext: boolean
    readonly generation: Generation
    readonly metadata: SessionMetadata
  }> {
    const result = await this.#client.rotate(rotation)
    this.revocations.apply(result.revoked, result.now)
    const { salt, generation, issuedAtSeconds, metadata } = this.#demandGood(rotation, result)
    if (result.outcome !== 'kept') this.#emitter.emit({ type: `session.${nameOf(result)}` })
    this.#sweep()
    return {
      isNext: result.outcome === 'rotated',
      generation: generationOf(rotation, claims.jti, generation, salt, issuedAtSeconds),
      metadata,
    }
  }

  #demandGood({ generation }: Rotation, { outcome, session, revoked, now }: RotateResult): Session {
    const isGood = outcome === 'rotated' || outcome === 'kept' || outcome === 'grace'
    if (isGood && session !== null) return session
    if ((outcome !== 'reused' && outcome !== 'late') || session === null) throw new AuthError('token_revoked')
    this.#emitter.emit({
      type: 'session.reused',
      distance: session.generation - generation,
      ageSeconds: Math.round((now - (session.rotatedAt ?? session.createdAt)) / 1000),
      hasEnded: revoked.length > 0,
    })
    throw new AuthError('refresh_reused', outcome === 'late' ? { cause: 'late' } : {})
  }

  async get(sid: string): Promise<Session | null> {
    return this.#client.get(sid)
  }

  async list(subject: string): Promise<readonly Session[]> {
    return this.#client.list(subject)
  }

  /** Now and then, beside the requests, and without a timer: also where nothing runs between requests. */
  #sweep(): void {
    if (--this.#untilSweep > 0) return
    this.#untilSweep = sweepEvery
    const sweep = async (): Promise<number> => this.#store.sweep(sweepLimit)
    // What was not swept now will be the next time.
    sweep().catch(() => undefined)
  }
}

/** Its own, so that nothing on a polluted prototype puts a token into a session. */
function sidOf(claims: Claims): string | undefined {
  return Object.hasOwn(claims, 'sid') ? claims.sid : undefined
}

/** RFC 7519 section 2 lets other issuers write fractions; a store keeps whole seconds. */
function authTimeSecondsOf({ auth_time: authTime, iat = 0 }: Claims): number {
  return Math.floor(authTime ?? iat)
}

function generationOf(
  { sid, generation: presented }: Rotation,
  jti: string,
  generation: number,
  salt: string,
  issuedAtSeconds: number,
): Generation {
  const values = deriveGeneration(salt, generation, { sid, jti, generation: presented })
  return { sid, generation, issuedAtSeconds, values }
}

function nameOf({ outcome }: RotateResult): 'rotated' | 'grace' {
  return outcome === 'grace' ? 'grace' : 'rotated'
}
