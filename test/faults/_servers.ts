/** Servers of a test's own, that may be stopped, killed and paused, with their data; holds no test itself. */

import { execFile, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { until } from '../stores/_redis.ts'

const run = promisify(execFile)
const redisProgram = 'redis-server'

/** A server on a free port of this machine. */
export abstract class OwnServer {
  readonly port: number
  protected readonly folder: string
  #process: ChildProcess | undefined

  protected constructor(port: number, folder: string) {
    this.port = port
    this.folder = folder
  }

  protected abstract launch(): ChildProcess
  protected abstract isUp(): Promise<boolean>

  /** Starts it with the data that it had. */
  async start(): Promise<void> {
    this.#process = this.launch()
    await until(() => this.isUp())
  }

  async stop(signal: NodeJS.Signals): Promise<void> {
    const server = this.#process
    if (server?.pid === undefined || server.exitCode !== null || server.signalCode !== null) return
    const ended = new Promise((resolve) => server.once('exit', resolve))
    const family = await familyOf(server.pid)
    // What stands still would not hear it.
    signalAll(family, 'SIGCONT')
    server.kill(signal)
    await ended
    if (signal === 'SIGKILL') signalAll(family.slice(1), 'SIGKILL')
  }

  /** The server and all processes that it has made. */
  async signal(signal: 'SIGSTOP' | 'SIGCONT'): Promise<void> {
    signalAll(await familyOf(this.#process?.pid ?? 0), signal)
  }

  async remove(): Promise<void> {
    await this.stop('SIGKILL')
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

export class OwnRedis extends OwnServer {
  static async start(): Promise<OwnRedis> {
    const folder = await mkdtemp(join(tmpdir(), 'tallystick-redis-'))
    const server = new OwnRedis(await freePort(), folder)
    await server.start()
    return server
  }

  protected launch(): ChildProcess {
    const place = ['--port', `${this.port}`, '--bind', '127.0.0.1', '--dir', this.folder]
    const data = ['--save', '', '--appendonly', 'yes', '--appendfsync', 'always']
    return spawn(redisProgram, [...place, ...data], { stdio: 'ignore' })
  }

  protected async isUp(): Promise<boolean> {
    return (await this.command('ping')).startsWith('PONG')
  }

  async command(...words: readonly string[]): Promise<string> {
    return (await run('redis-cli', ['-p', `${this.port}`, ...words], { timeout: 5000 })).stdout
  }
}

interface User {
  readonly uid: number
  readonly gid: number
}

export class OwnPostgres extends OwnServer {
  readonly #programs: string
  readonly #user: User | undefined

  private constructor(port: number, folder: string, programs: string, user: User | undefined) {
    super(port, folder)
    this.#programs = programs
    this.#user = user
  }

  static async start(): Promise<OwnPostgres> {
    const programs = await postgresPrograms()
    const user = await postgresUser()
    const folder = await mkdtemp(join(tmpdir(), 'tallystick-postgres-'))
    await chmod(folder, 0o700)
    await mkdir(join(folder, 'data'), { mode: 0o700 })
    if (user !== undefined) {
      await chown(folder, user.uid, user.gid)
      await chown(join(folder, 'data'), user.uid, user.gid)
    }
    const make = ['-D', join(folder, 'data'), '--auth=trust', '-U', 'postgres', '--no-sync', '-E', 'UTF8']
    await run(join(programs, 'initdb'), make, { cwd: folder, ...user })
    const server = new OwnPostgres(await freePort(), folder, programs, user)
    await server.start()
    return server
  }

  protected launch(): ChildProcess {
    const settings = [
      'listen_addresses=127.0.0.1',
      `port=${this.port}`,
      `unix_socket_directories=${this.folder}`,
      'fsync=off',
      'max_connections=60',
      'shared_buffers=16MB',
    ].flatMap((setting) => ['-c', setting])
    const words = ['-D', join(this.folder, 'data'), ...settings]
    return spawn(join(this.#programs, 'postgres'), words, {
      cwd: this.folder,
      stdio: 'ignore',
      ...this.#user,
    })
  }

  protected async isUp(): Promise<boolean> {
    return (await this.query('select 1')).length === 1
  }

  /** Runs a statement as an operator would. */
  async query(text: string): Promise<readonly unknown[]> {
    const client = new pg.Client({
      connectionString: postgresUrl(this.port),
      connectionTimeoutMillis: 5000,
      options: '-c client_min_messages=warning',
    })
    client.on('error', () => undefined)
    await client.connect()
    try {
      return (await client.query<Record<string, unknown>>(text)).rows
    } finally {
      await client.end()
    }
  }
}

function postgresUrl(port: number): string {
  return `postgres://postgres@127.0.0.1:${port}/postgres`
}

async function postgresPrograms(): Promise<string> {
  const versions = await readdir('/usr/lib/postgresql').catch(() => [])
  const newest = versions.toSorted((left, right) => Number(right) - Number(left))[0]
  return newest === undefined ? '' : `/usr/lib/postgresql/${newest}/bin`
}

/** PostgreSQL refuses to run as root. */
async function postgresUser(): Promise<User | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const users = await readFile('/etc/passwd', 'utf8')
  const [, uid = '', gid = ''] = /^postgres:[^:]*:(\d+):(\d+):/m.exec(users) ?? []
  return { uid: Number(uid), gid: Number(gid) }
}

/** A process first, and then those that it made. */
async function familyOf(pid: number): Promise<readonly number[]> {
  const children = await run('ps', ['-o', 'pid=', '--ppid', `${pid}`]).catch(() => ({ stdout: '' }))
  return [pid, ...(children.stdout.match(/\d+/g) ?? []).map(Number)]
}

function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      if (pid > 0) process.kill(pid, signal)
    } catch {
      // It has ended by itself.
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** Whether there is a program; where there must be and is none, this rejects. */
export async function isInstalled(program: 'redis-server' | 'postgres'): Promise<boolean> {
  const path = program === 'postgres' ? join(await postgresPrograms(), program) : program
  try {
    await run(path, ['--version'])
    return true
  } catch (error) {
    if (process.env['CI'] === 'true') throw error
    process.stderr.write(`There is no ${program} on this machine: what needs one of its own is skipped\n`)
    return false
  }
}
