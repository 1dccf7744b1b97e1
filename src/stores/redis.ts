/** Sessions in Redis or Valkey, alone or as a Cluster, over a client of the user's; must never end that client. */

import { maxPageEntries } from '../core/store.ts'
import type {
  CreateOptions,
  NewSession,
  OpenedStore,
  Outcome,
  Revocation,
  RevocationPage,
  RevokeTarget,
  RotateResult,
  Rotation,
  Session,
  Store,
  TokenFacts,
} from '../core/store.ts'
import { connectionOf } from './_redis-client.ts'
import type { Connection, IoredisClient, NodeRedisClient } from './_redis-client.ts'
import { readCursor, writeCursor } from './_redis-cursor.ts'
import { Partitions, stateOf, warningsOf } from './_redis-partitions.ts'
import * as scripts from './_redis-scripts.ts'
import { booleanOf, numberOf, revocationsOf, sessionOf, sessionsOf, textOf } from './_redis-wire.ts'
import { Wakers } from './_wakers.ts'

export type { IoredisClient, NodeRedisClient } from './_redis-client.ts'

/** What `redisStore` can be told. */
export interface RedisStoreOptions {
  /** What every key begins with: one namespace of subjects. Letters, digits and `-_.:`. @default 'tallystick' */
  readonly prefix?: string | undefined
  /**
   * Over how many slots of a Cluster the subjects are spread, 1 to 256. It is kept with the data, which opens with no
   * other. @default 1, and 16 for a Cluster
   */
  readonly partitions?: number | undefined
  /** Seconds since 1970, for tests. @default the server's */
  readonly clock?: (() => number) | undefined
}

class RedisStore implements Store {
  readonly #connection: Connection
  readonly #partitions: Partitions
  /** One connection listens for all of them. */
  readonly #wakers = new Wakers()

  constructor(connection: Connection, partitions: Partitions) {
    this.#connection = connection
    this.#partitions = partitions
  }

  async open(): Promise<OpenedStore> {
    await this.#connection.connect()
    const first = await this.#partitions.ask(scripts.open, 0, {})
    const rest = await this.#partitions.askOthers(scripts.open, {})
    const replies = [first, ...rest]
    return { ...stateOf(replies), version: numberOf(first.values[0]), warnings: warningsOf(replies) }
  }

  async create(
    session: NewSession,
    options?: CreateOptions,
  ): Promise<{ readonly session: Session; readonly revoked: readonly Revocation[] }> {
    const { id: sid, subject } = session
    const request = { ...options, session, subject, sid }
    const { values } = await this.#partitions.askFor(scripts.create, request)
    return { session: sessionOf(values[0]), revoked: revocationsOf(values[1]) }
  }

  async rotate(rotation: Rotation): Promise<RotateResult> {
    const { values, now } = await this.#partitions.askFor(scripts.rotate, rotation)
    const [session = null] = sessionsOf(values[1])
    return { outcome: textOf(values[0]) as Outcome, session, revoked: revocationsOf(values[2]), now }
  }

  async get(sid: string): Promise<Session | null> {
    const reply = await this.#partitions.askAbout(scripts.get, { sid })
    return reply === null ? null : (sessionsOf(reply.values)[0] ?? null)
  }

  async list(subject: string): Promise<readonly Session[]> {
    const { values } = await this.#partitions.askFor(scripts.list, { subject })
    return sessionsOf(values).toSorted((left, right) => right.createdAt - left.createdAt)
  }

  async revoke(target: RevokeTarget): Promise<readonly Revocation[]> {
    const { subject } = target
    const sid = target.kind === 'session' ? target.sid : undefined
    const reply =
      subject === undefined
        ? await this.#partitions.askAbout(scripts.revoke, { ...target, sid: sid ?? '' })
        : await this.#partitions.askFor(scripts.revoke, { ...target, subject, sid })
    return reply === null ? [] : revocationsOf(reply.values)
  }

  async isRevoked(token: TokenFacts): Promise<boolean> {
    const { values } = await this.#partitions.askFor(scripts.isRevoked, token)
    return booleanOf(values[0])
  }

  async revocations(cursor: string | null, signal: AbortSignal): Promise<RevocationPage> {
    signal.throwIfAborted()
    const { count: partitions } = this.#partitions
    const count = Math.floor(maxPageEntries / partitions)
    const requests = readCursor(cursor, partitions).map((place) => ({ ...place, count }))
    const replies = await this.#partitions.askAll(scripts.revocations, requests)
    return {
      ...stateOf(replies),
      entries: replies.flatMap(({ values }) => revocationsOf(values[2])),
      cursor: writeCursor(replies.map(({ values }) => values[0])),
      more: replies.some(({ values }) => booleanOf(values[1])),
    }
  }

  watch(wake: () => void): () => void {
    const listen = (): (() => void) =>
      this.#connection.listen(this.#partitions.channel, () => this.#wakers.wakeAll())
    return this.#wakers.add(wake, listen)
  }

  async sweep(limit: number): Promise<number> {
    let swept = 0
    for (let partition = 0; partition < this.#partitions.count && swept < limit; partition++) {
      const reply = await this.#partitions.ask(scripts.sweep, partition, { limit: limit - swept })
      swept += numberOf(reply.values[0])
    }
    return swept
  }

  async close(): Promise<void> {
    this.#wakers.clear()
  }
}

/**
 * Makes a store over a client of ioredis or node-redis, which stays the caller's: it must be connected, and is not
 * ended by `close()`.
 *
 * The client must not keep commands for later, nor send any again: a rotation that is executed for a tab long closed
 * would end the session. So a `Redis` of ioredis needs `enableOfflineQueue: false`,
 * `autoResendUnfulfilledCommands: false` and `maxRetriesPerRequest: 0`; its `Cluster` needs `enableOfflineQueue: false`
 * and `retryDelayOnFailover: 0`; a client of node-redis needs `disableOfflineQueue: true`, its cluster the same in
 * `defaults`.
 *
 * @example
 * const client = createClient({ url, disableOfflineQueue: true })
 * await client.on('error', log).connect()
 * const store = redisStore(client)
 *
 * @throws {TypeError} for another client or a wrong option
 */
export function redisStore(
  client: IoredisClient | NodeRedisClient,
  { prefix = 'tallystick', partitions, clock }: RedisStoreOptions = {},
): Store {
  const connection = connectionOf(client)
  const count = partitions ?? (connection.isCluster ? 16 : 1)
  if (!/^[\w.:-]+$/.test(prefix)) throw new TypeError('prefix must be made of letters, digits and -_.:')
  if (!Number.isInteger(count) || count < 1 || count > 256)
    throw new TypeError('partitions must be a whole number from 1 to 256')
  return new RedisStore(connection, new Partitions(connection, prefix, count, clock))
}
