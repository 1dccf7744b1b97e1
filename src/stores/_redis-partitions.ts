/** Runs scripts where the keys of a subject lie; all that one call touches must share a slot. */

import { createHash, randomUUID } from 'node:crypto'
import type { StoreState } from '../core/store.ts'
import type { Connection } from './_redis-client.ts'
import { open } from './_redis-scripts.ts'
import type { Script } from './_redis-scripts.ts'
import { encoded, readReply, textOf, writeRequest } from './_redis-wire.ts'
import type { Reply } from './_redis-wire.ts'

/** What is asked of a script about a subject, and maybe one of its sessions. */
interface SubjectRequest {
  readonly subject: string
  readonly sid?: string | undefined
}

/** The keys of one prefix, spread over as many slots as there are partitions. */
export class Partitions {
  readonly #connection: Connection
  readonly #prefix: string
  readonly #clock: (() => number) | undefined
  readonly count: number
  #isCounted = false

  constructor(connection: Connection, prefix: string, count: number, clock: (() => number) | undefined) {
    this.#connection = connection
    this.#prefix = prefix
    this.#clock = clock
    this.count = count
  }

  /** On this channel the scripts tell that there is news, for all partitions. */
  get channel(): string {
    return `${this.#prefix}:wake`
  }

  /** @throws {TypeError} for data with another number of partitions */
  async ask(script: Script, partition: number, request: object, ...own: readonly string[]): Promise<Reply> {
    // The first partition decides how many there are, for all stores and before there is another.
    if (partition > 0 && !this.#isCounted) await this.ask(open, 0, {})
    const base = `{${this.#prefix}:${partition}}:`
    const now = this.#clock === undefined ? '' : String(Math.floor(this.#clock() * 1000))
    const keys = ['m', 'r', 'c', 'f', ...own].map((name) => `${base}${name}`)
    const values = [now, randomUUID(), String(this.count), this.channel, writeRequest(request)]
    const reply = readReply(await this.#connection.evaluate(script, keys, values), this.count)
    this.#isCounted = true
    return reply
  }

  /** Where all of a subject lies. */
  async askFor(script: Script, request: SubjectRequest): Promise<Reply> {
    const hash = createHash('sha256').update(request.subject).digest()
    const index = hash.toString('hex')
    const rows = request.sid === undefined ? [] : [`s:${encoded(request.sid)}`]
    return this.ask(script, hash.readUInt8(0) % this.count, { ...request, index }, `u:${index}`, ...rows)
  }

  /** Where a session lies whose subject is not known; `null` for an id that tallystick did not make. */
  async askAbout(script: Script, request: { readonly sid: string }): Promise<Reply | null> {
    const { sid } = request
    const firstByte = /^[\da-f]{2}/i.exec(sid)?.[0]
    if (firstByte === undefined) return null
    return this.ask(script, Number.parseInt(firstByte, 16) % this.count, request, `s:${encoded(sid)}`)
  }

  /** In all of them at once, each its own. */
  async askAll(script: Script, requests: readonly object[]): Promise<readonly Reply[]> {
    return Promise.all(requests.map((request, partition) => this.ask(script, partition, request)))
  }

  /** In all but the first at once. */
  async askOthers(script: Script, request: object): Promise<readonly Reply[]> {
    const others = Array.from({ length: this.count - 1 }, (_, index) => index + 1)
    return Promise.all(others.map((partition) => this.ask(script, partition, request)))
  }
}

/** The state of all partitions together: what was lost in one of them makes all of the older tokens doubtful. */
export function stateOf(replies: readonly Reply[]): StoreState {
  const feedIds = replies.map(({ feedId }) => feedId).join(' ')
  return {
    feedId: createHash('sha256').update(feedIds).digest('base64url'),
    bornAt: Math.max(...replies.map(({ bornAt }) => bornAt)),
    now: Math.min(...replies.map(({ now }) => now)),
  }
}

/** What the servers say of themselves when they are opened. */
export function warningsOf(replies: readonly Reply[]): readonly string[] {
  const policies = new Set(replies.map(({ values }) => textOf(values[1])))
  return [...policies]
    .filter((policy) => policy !== '' && policy !== 'noeviction')
    .map(
      (policy) =>
        `Redis may forget sessions and revocations: its maxmemory-policy is ${policy}, not noeviction`,
    )
}
