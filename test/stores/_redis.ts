/** Starts Redis servers and clusters of their own on loopback ports, and clients for them; holds no test itself. */

import { execFile, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Cluster, Redis } from 'ioredis'
import type { RedisOptions } from 'ioredis'
import { createClient, createCluster } from 'redis'

const run = promisify(execFile)

/** Where the server lies that tests share: nothing destructive there. */
const sharedUrl = process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379'

/** A server of a test's own, which it may flush and kill. */
export interface OwnServer {
  readonly port: number
  readonly url: string
  stop(): Promise<void>
}

/** Whether there is a server to test with; without one the tests are skipped, but never where CI is `true`. */
export async function isReachable(): Promise<boolean> {
  const client = new Redis(sharedUrl, { retryStrategy: () => null, lazyConnect: true })
  client.on('error', () => undefined)
  try {
    await client.connect()
    await run('redis-server', ['--version'])
    return true
  } catch (error) {
    if (process.env['CI'] === 'true') throw error
    // oxlint-disable-next-line no-console
    console.warn(`No Redis at ${new URL(sharedUrl).host}, or no redis-server here: its tests are skipped`)
    return false
  } finally {
    client.disconnect()
  }
}

export async function startServer(...settings: readonly string[]): Promise<OwnServer> {
  const port = await freePort()
  const directory = await mkdtemp(join(tmpdir(), 'tallystick-redis-'))
  const base = [
    '--port',
    `${port}`,
    '--bind',
    '127.0.0.1',
    '--dir',
    directory,
    '--save',
    '',
    '--appendonly',
    'no',
  ]
  const server = spawn('redis-server', [...base, ...settings], { stdio: 'ignore' })
  await until(async () => (await run('redis-cli', ['-p', `${port}`, 'ping'])).stdout.startsWith('PONG'))
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    async stop() {
      await end(server)
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** Three primaries, with all slots between them. */
export async function startCluster(): Promise<{ readonly ports: readonly number[]; stop(): Promise<void> }> {
  const servers = await Promise.all(
    Array.from({ length: 3 }, () =>
      startServer('--cluster-enabled', 'yes', '--cluster-node-timeout', '5000'),
    ),
  )
  const ports = servers.map(({ port }) => port)
  const addresses = ports.map((port) => `127.0.0.1:${port}`)
  await run('redis-cli', ['--cluster', 'create', ...addresses, '--cluster-replicas', '0', '--cluster-yes'])
  for (const port of ports) {
    await until(async () =>
      (await run('redis-cli', ['-p', `${port}`, 'cluster', 'info'])).stdout.includes('cluster_state:ok'),
    )
  }
  return { ports, stop: async () => void (await Promise.all(servers.map((server) => server.stop()))) }
}

export async function connectIoredis(
  url: string = sharedUrl,
  options: Omit<RedisOptions, 'replyMapping'> = {},
): Promise<Redis> {
  const client = new Redis(url, {
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    ...options,
  })
  client.on('error', () => undefined)
  await new Promise((resolve) => client.once('ready', resolve))
  return client
}

export async function connectIoredisCluster(ports: readonly number[]): Promise<Cluster> {
  const nodes = ports.map((port) => ({ host: '127.0.0.1', port }))
  const client = new Cluster(nodes, { enableOfflineQueue: false, retryDelayOnFailover: 0 })
  client.on('error', () => undefined)
  await new Promise((resolve) => client.once('ready', resolve))
  return client
}

export async function connectNodeRedis(url: string = sharedUrl, RESP: 2 | 3 = 3) {
  const client = createClient({ url, RESP, disableOfflineQueue: true })
  client.on('error', () => undefined)
  await client.connect()
  return client
}

export async function connectNodeRedisCluster(ports: readonly number[]) {
  const client = createCluster({
    rootNodes: ports.map((port) => ({ url: `redis://127.0.0.1:${port}` })),
    defaults: { disableOfflineQueue: true },
  })
  client.on('error', () => undefined)
  await client.connect()
  return client
}

export async function until(isTrue: () => boolean | Promise<boolean>, seconds = 20): Promise<void> {
  for (const deadline = performance.now() + seconds * 1000; performance.now() < deadline;) {
    if (await Promise.resolve(isTrue()).catch(() => false)) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`Not true within ${seconds} seconds: ${isTrue.toString()}`)
}

/** From the shared server, where nothing else may be touched. */
export async function removeKeys(pattern: string): Promise<void> {
  const client = new Redis(sharedUrl)
  for await (const keys of client.scanStream({ match: pattern, count: 1000 }) as AsyncIterable<string[]>) {
    if (keys.length > 0) await client.unlink(keys)
  }
  client.disconnect()
}

/** With room for the port of a cluster's bus, which lies 10,000 above. */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  await new Promise((resolve) => server.close(resolve))
  return port > 0 && port <= 55_535 ? port : freePort()
}

async function end(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null) return
  const ended = new Promise((resolve) => server.once('exit', resolve))
  server.kill('SIGKILL')
  await ended
}
