/** Speaks to ioredis and node-redis alike, importing neither; takes no client that sends a command later than it was asked to. */

import type { Script } from './_redis-scripts.ts'

/** What is used of a client of ioredis: a `Redis` or a `Cluster`. */
export interface IoredisClient {
  readonly options: object
  readonly isCluster: boolean
  evalsha(sha1: string, keyCount: number, ...parameters: string[]): Promise<unknown>
  eval(script: string, keyCount: number, ...parameters: string[]): Promise<unknown>
  duplicate(...overrides: never[]): IoredisSubscriber
  readonly status: string
  on(event: 'ready' | 'close', listener: () => void): unknown
  off(event: 'ready' | 'close', listener: () => void): unknown
  /** Of a `Cluster`. */
  nodes?(role: 'master'): readonly { ping(): Promise<unknown> }[]
}

/** What is used of a duplicated client of ioredis. */
export interface IoredisSubscriber {
  on(event: 'error' | 'message', listener: () => void): unknown
  subscribe(channel: string): Promise<unknown>
  disconnect(): void
}

/** What is used of a client of node-redis: of `createClient` or `createCluster`. */
export interface NodeRedisClient {
  evalSha(sha1: string, options: NodeRedisParameters): Promise<unknown>
  eval(script: string, options: NodeRedisParameters): Promise<unknown>
  duplicate(...overrides: never[]): NodeRedisSubscriber
}

/** The parameters of a script. */
export interface NodeRedisParameters {
  readonly keys: string[]
  readonly arguments: string[]
}

/** What is used of a duplicated client of node-redis. */
export interface NodeRedisSubscriber {
  readonly isOpen: boolean
  on(event: 'error', listener: () => void): unknown
  connect(): Promise<unknown>
  subscribe(channel: string, listener: () => void): Promise<unknown>
  destroy(): void
}

/** A client, whichever it is. */
export interface Connection {
  readonly isCluster: boolean
  /** Waits until every node can be asked: the first commands to one that is only just connecting are refused. */
  connect(): Promise<void>
  /** Runs a script by its hash, and by its text on a server that has forgotten it. */
  evaluate(script: Script, keys: readonly string[], values: readonly string[]): Promise<unknown>
  /** Hears a channel over a connection of its own, which comes back when it breaks; returns what ends it. */
  listen(channel: string, hear: () => void): () => void
}

type Options = Readonly<Record<string, unknown>>
type Demand = readonly [option: string, isMet: (options: Options) => boolean]

const ioredisDemands: readonly Demand[] = [
  ['enableOfflineQueue: false', ({ enableOfflineQueue }) => enableOfflineQueue === false],
  [
    'autoResendUnfulfilledCommands: false',
    ({ autoResendUnfulfilledCommands }) => autoResendUnfulfilledCommands === false,
  ],
  // Without it a command whose connection broke is never answered, once nothing is sent again.
  ['maxRetriesPerRequest: 0', ({ maxRetriesPerRequest }) => maxRetriesPerRequest === 0],
  ["role: 'master'", ({ role }) => role !== 'slave'],
  ['readOnly: false', ({ readOnly }) => readOnly !== true],
]

const ioredisClusterDemands: readonly Demand[] = [
  ['enableOfflineQueue: false', ({ enableOfflineQueue }) => enableOfflineQueue === false],
  // It sends a command again whose connection broke, though that may have been executed.
  ['retryDelayOnFailover: 0', ({ retryDelayOnFailover }) => retryDelayOnFailover === 0],
  // With it the connections to the nodes keep queues of their own.
  [
    'clusterNodeRetryStrategy: null',
    ({ clusterNodeRetryStrategy }) => typeof clusterNodeRetryStrategy !== 'function',
  ],
  ["scaleReads: 'master'", ({ scaleReads }) => scaleReads === 'master'],
]

const nodeRedisDemands: readonly Demand[] = [
  ['disableOfflineQueue: true', ({ disableOfflineQueue }) => disableOfflineQueue === true],
  ['readonly: false', ({ readonly }) => readonly !== true],
]

const nodeRedisClusterDemands: readonly Demand[] = [
  [
    'defaults: { disableOfflineQueue: true }',
    ({ defaults }) => optionsOf(defaults)['disableOfflineQueue'] === true,
  ],
  ['defaults: { readonly: false }', ({ defaults }) => optionsOf(defaults)['readonly'] !== true],
  ['useReplicas: false', ({ useReplicas }) => useReplicas !== true],
]

/** @throws {TypeError} for what is no such client, and for one whose options let commands wait or go out twice */
export function connectionOf(client: IoredisClient | NodeRedisClient): Connection {
  const given = optionsOf(client)
  const hasMethods = (...names: readonly string[]): boolean =>
    names.every((name) => typeof given[name] === 'function')
  if ('evalsha' in given && 'isCluster' in given && hasMethods('evalsha', 'eval', 'duplicate')) {
    return ofIoredis(client as IoredisClient)
  }
  if (hasMethods('evalSha', 'eval', 'duplicate')) return ofNodeRedis(client as NodeRedisClient)
  throw new TypeError(
    'redisStore needs a client: new Redis() or new Cluster() of ioredis, or createClient() or createCluster() of redis',
  )
}

function ofIoredis(client: IoredisClient): Connection {
  const options = optionsOf(client.options)
  const { isCluster } = client
  demand(options, isCluster ? ioredisClusterDemands : ioredisDemands)
  const changes = {
    keyPrefix: '',
    enableOfflineQueue: true,
    autoResubscribe: true,
    maxRetriesPerRequest: null,
    lazyConnect: false,
    retryStrategy: delayOf,
    clusterRetryStrategy: delayOf,
  }
  return {
    isCluster,
    async connect() {
      if (underWay.has(client.status)) await untilConnected(client)
      await Promise.all((client.nodes?.('master') ?? []).map((node) => node.ping()))
    },
    evaluate: ({ text, sha1 }, keys, values) =>
      client
        .evalsha(sha1, keys.length, ...keys, ...values)
        .catch(unlessForgotten(() => client.eval(text, keys.length, ...keys, ...values)))
        .catch(withoutCommand),
    listen(channel, hear) {
      const overrides = isCluster ? [[], changes] : [changes]
      const subscriber = client.duplicate(...(overrides as never[]))
      subscriber.on('error', ignore)
      subscriber.on('message', hear)
      // What cannot be heard is found by the next read.
      subscriber.subscribe(channel).then(hear, ignore)
      return () => subscriber.disconnect()
    },
  }
}

/** What ioredis says of a client that is about to be ready. */
const underWay: ReadonlySet<string> = new Set(['connecting', 'connect', 'reconnecting'])

/** Waits for the end of one attempt to connect; whether it was a good one, the next command tells. */
async function untilConnected(client: IoredisClient): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      client.off('ready', end)
      client.off('close', end)
      resolve()
    }
    client.on('ready', end)
    client.on('close', end)
  })
}

function ofNodeRedis(client: NodeRedisClient): Connection {
  const { options, _options } = client as { readonly options?: unknown; readonly _options?: unknown }
  const isCluster = 'rootNodes' in optionsOf(_options)
  const given = optionsOf(isCluster ? _options : options)
  demand(given, isCluster ? nodeRedisClusterDemands : nodeRedisDemands)
  const changes = (of: Options): object => ({
    disableOfflineQueue: false,
    socket: { ...optionsOf(of['socket']), reconnectStrategy: delayOf },
  })
  return {
    isCluster,
    async connect() {},
    evaluate({ text, sha1 }, keys, values) {
      const parameters = { keys: [...keys], arguments: [...values] }
      return client.evalSha(sha1, parameters).catch(unlessForgotten(() => client.eval(text, parameters)))
    },
    listen(channel, hear) {
      const defaults = optionsOf(given['defaults'])
      const overrides = isCluster
        ? { minimizeConnections: true, defaults: { ...defaults, ...changes(defaults) } }
        : changes(given)
      const subscriber = client.duplicate(overrides as never)
      subscriber.on('error', ignore)
      return keepSubscribed(subscriber, channel, hear)
    },
  }
}

/** A connection that was up comes back by itself; one that never was is tried again here. */
function keepSubscribed(subscriber: NodeRedisSubscriber, channel: string, hear: () => void): () => void {
  let isWanted = true
  const subscribe = async (): Promise<void> => {
    if (!isWanted) return
    try {
      if (!subscriber.isOpen) await subscriber.connect()
      if (!isWanted) return
      await subscriber.subscribe(channel, hear)
      // What was said before there was somebody to hear it.
      hear()
    } catch {
      setTimeout(() => void subscribe(), delayOf(10)).unref()
    }
    if (!isWanted) end()
  }
  const end = (): void => {
    isWanted = false
    if (subscriber.isOpen) subscriber.destroy()
  }
  void subscribe()
  return end
}

function delayOf(attempts: number): number {
  return Math.min(attempts * 100, 2000)
}

function unlessForgotten(again: () => Promise<unknown>): (error: unknown) => Promise<unknown> {
  return (error) => {
    if (error instanceof Error && error.message.startsWith('NOSCRIPT')) return again()
    throw error
  }
}

/** ioredis puts what was sent into its errors, and those end in logs. */
function withoutCommand(error: unknown): never {
  if (typeof error === 'object' && error !== null) Reflect.deleteProperty(error, 'command')
  throw error
}

function demand(options: Options, demands: readonly Demand[]): void {
  const missing = demands.filter(([, isMet]) => !isMet(options)).map(([option]) => option)
  if (missing.length === 0) return
  throw new TypeError(
    `The client may send a command long after it was asked to, or to a replica: make it with ${missing.join(', ')}`,
  )
}

function optionsOf(value: unknown): Options {
  return (typeof value === 'object' || typeof value === 'function') && value !== null
    ? (value as Options)
    : {}
}

function ignore(): void {}
