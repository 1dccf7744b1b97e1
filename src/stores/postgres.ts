/** Sessions in PostgreSQL, one round trip for each step; must never end the client that it was given. */

import type {
  CreateOptions,
  NewSession,
  OpenedStore,
  Revocation,
  RevocationPage,
  RevokeTarget,
  RotateResult,
  Rotation,
  Session,
  Store,
  TokenFacts,
} from '../core/store.ts'
import { connectionOf } from './_postgres-client.ts'
import type { Connection, PostgresClient } from './_postgres-client.ts'
import { channelOf } from './_postgres-schema.ts'
import { Steps } from './_postgres-steps.ts'
import * as wire from './_postgres-wire.ts'
import { Wakers } from './_wakers.ts'

export type { PostgresClient } from './_postgres-client.ts'

/** What `postgresStore` can be told. */
export interface PostgresStoreOptions {
  /** Where its tables and functions lie, and nothing else: one namespace of subjects. @default 'tallystick' */
  readonly schema?: string | undefined
  /** Seconds since 1970, for tests. @default the server's */
  readonly clock?: (() => number) | undefined
}

class PostgresStore implements Store {
  readonly #connection: Connection
  readonly #channel: string
  readonly #steps: Steps
  /** One connection listens for all of them. */
  readonly #wakers = new Wakers()

  constructor(connection: Connection, { schema = 'tallystick', clock }: PostgresStoreOptions) {
    if (typeof schema !== 'string' || !/^[a-z_][a-z0-9_]{0,40}$/.test(schema))
      throw new TypeError('schema must be made of a-z, 0-9 and _, and not begin with a digit')
    this.#connection = connection
    this.#channel = channelOf(schema)
    this.#steps = new Steps(connection, schema, clock)
  }

  async open(): Promise<OpenedStore> {
    return this.#steps.open()
  }

  async create(session: NewSession, options: CreateOptions = {}): Promise<wire.Created> {
    return this.#steps.take('create', { session, ...options }, wire.isCreated)
  }

  async rotate(rotation: Rotation): Promise<RotateResult> {
    return this.#steps.take('rotate', rotation, wire.isRotateResult)
  }

  async get(sid: string): Promise<Session | null> {
    return this.#steps.take('get', { sid }, wire.isSessionOrNull)
  }

  async list(subject: string): Promise<readonly Session[]> {
    return this.#steps.take('list', { subject }, wire.isSessions)
  }

  async revoke(target: RevokeTarget): Promise<readonly Revocation[]> {
    return this.#steps.take('revoke', target, wire.isRevocations)
  }

  async isRevoked(token: TokenFacts): Promise<boolean> {
    return this.#steps.take('check', token, wire.isBoolean)
  }

  async revocations(cursor: string | null, signal: AbortSignal): Promise<RevocationPage> {
    signal.throwIfAborted()
    const isUsable = cursor !== null && /^[\da-f-]{36}( [\d:,]+){2,5}$/.test(cursor)
    const page = this.#steps.take('feed', { cursor: isUsable ? cursor : null }, wire.isRevocationPage)
    return untilAborted(page, signal)
  }

  watch(wake: () => void): () => void {
    const listen = (): (() => void) => this.#connection.listen(this.#channel, () => this.#wakers.wakeAll())
    return this.#wakers.add(wake, listen)
  }

  async sweep(limit: number): Promise<number> {
    return this.#steps.take('sweep', { limit }, wire.isCount)
  }

  async close(): Promise<void> {
    this.#wakers.clear()
  }
}

/** The statement itself goes on, and its answer is not used: no driver could stop it without another connection. */
async function untilAborted<Value>(answer: Promise<Value>, signal: AbortSignal): Promise<Value> {
  let abort: (() => void) | undefined
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason as Error)
    signal.addEventListener('abort', abort)
  })
  return Promise.race([answer, aborted]).finally(() => abort && signal.removeEventListener('abort', abort))
}

/**
 * Makes a store over a `Pool` of pg, a postgres.js or a PGlite, of PostgreSQL 13 or later, and never over a replica.
 *
 * Its schema is made when it is first used, which takes the right to create one. `watch` takes one connection of a pool
 * for itself until the store is closed, so close the store before you end the pool. After a restore from a backup drop
 * the schema: what was revoked since the backup would live again.
 *
 * @throws {TypeError} for a wrong option
 */
export function postgresStore(client: PostgresClient, options: PostgresStoreOptions = {}): Store {
  return new PostgresStore(connectionOf(client), options)
}
