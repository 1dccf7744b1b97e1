/** The runtimes, and how each is started; what is started is stopped again, by its own id. */

import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { secretKey } from '../_setup.ts'
import type { Kind } from './_keys.ts'

const binaries = fileURLToPath(new URL('binaries/node_modules/', import.meta.url))

export interface Runtime {
  readonly name: string
  /** Within binaries/node_modules. */
  readonly binary: string
  /** What makes it serve the app. */
  readonly server: readonly string[]
  /** What comes before the name of a script; `null` where only Workers run. */
  readonly script: readonly string[] | null
  /** The driver of SQLite that it brings, and how that one's class is called. */
  readonly sqlite?: readonly [module: string, exported: string]
  /** What its crypto cannot do, and what is said of it at start-up. */
  readonly lacks: Readonly<Partial<Record<Kind, string>>>
}

/** What Bun and workerd have for OpenSSL. */
const boringSsl = {
  ES256K: 'algorithm cannot be ES256K on this runtime, whose node:crypto lacks the curve secp256k1',
  'PS256 by a key for PSS alone': 'privateKey must be a private key that this runtime can read',
}

function node(version: number, sqlite?: Runtime['sqlite']): Runtime {
  return {
    name: `Node ${version}`,
    binary: `node${version}/bin/node`,
    server: ['node.js'],
    script: [],
    ...(sqlite && { sqlite }),
    lacks: {},
  }
}

const nodeSqlite = ['node:sqlite', 'DatabaseSync'] as const
/** The package itself needs no permission: the server needs its port, and the secret is read by the app. */
const deno = ['run', '--no-prompt', '--cached-only', '--allow-env=AUTHJWT_SECRET_KEY']

export const runtimes: readonly Runtime[] = [
  node(20),
  node(22, nodeSqlite),
  node(24, nodeSqlite),
  node(26, nodeSqlite),
  {
    name: 'Bun',
    binary: 'bun/bin/bun',
    server: ['run', 'bun.js'],
    script: ['run'],
    sqlite: ['bun:sqlite', 'Database'],
    lacks: boringSsl,
  },
  {
    name: 'Deno',
    binary: 'deno/deno',
    server: [...deno, '--allow-net=127.0.0.1', 'deno.js'],
    // `require` looks for packages, and SQLite for its files.
    script: [...deno, '--allow-read=.', '--allow-write=data'],
    sqlite: nodeSqlite,
    lacks: {},
  },
  {
    name: 'workerd',
    binary: 'workerd/bin/workerd',
    server: ['serve', '--control-fd=1', 'workerd.capnp'],
    script: null,
    lacks: boringSsl,
  },
]

export function pathOf({ binary }: Runtime): string {
  return `${binaries}${binary}`
}

export function isInstalled(runtime: Runtime): boolean {
  return existsSync(pathOf(runtime))
}

/** Starts a runtime in a folder; nothing of this process's environment goes with it. */
function start(runtime: Runtime, folder: string, command: readonly string[]): ChildProcess {
  const quiet = { DENO_NO_UPDATE_CHECK: '1', DO_NOT_TRACK: '1', NO_COLOR: '1' }
  return spawn(pathOf(runtime), command, {
    cwd: folder,
    env: { NODE_ENV: 'production', HOME: folder, TMPDIR: folder, AUTHJWT_SECRET_KEY: secretKey, ...quiet },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

/** The app, running. */
export interface RunningServer {
  readonly origin: string
  readonly stop: () => Promise<void>
}

export async function serve(runtime: Runtime, folder: string): Promise<RunningServer> {
  if (!isInstalled(runtime)) throw new Error(`${runtime.name} could not be installed`)
  const child = start(runtime, folder, runtime.server)
  const said = listen(child)
  const ended = new Promise((resolve) => child.once('close', resolve))
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL')
    await ended
  }
  for (let waited = 0; waited < 10_000 && child.exitCode === null; waited += 20) {
    // Ours says `port 1234`, workerd `{"event":"listen","socket":"http","port":1234}`.
    const port = /port"?[ :](\d+)/.exec(said.output)?.[1]
    if (port !== undefined) return { origin: `http://127.0.0.1:${port}`, stop }
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  await stop()
  throw new Error(`${runtime.name} does not listen:\n${said.output}${said.errors}`)
}

/** Runs a script to its end. @throws {Error} with what it said when it fails, complains, or does not end in time */
export async function run(runtime: Runtime, folder: string, script: readonly string[]): Promise<string> {
  const child = start(runtime, folder, [...(runtime.script ?? []), ...script])
  const said = listen(child)
  const timer = setTimeout(() => child.kill('SIGKILL'), 60_000)
  const [code] = await once(child, 'close')
  clearTimeout(timer)
  // Node 22 says so of what it calls experimental; of nothing else.
  const complaints = said.errors.replace(/^.*ExperimentalWarning: SQLite .*\n.*--trace-warnings.*\n/, '')
  if (code !== 0 || complaints !== '')
    throw new Error(
      `${runtime.name} ended ${script.join(' ')} with ${String(code)}:\n${said.output}${said.errors}`,
    )
  return said.output
}

function listen(child: ChildProcess): { output: string; errors: string } {
  const said = { output: '', errors: '' }
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (said.output += text))
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (said.errors += text))
  child.on('error', (error) => (said.errors += error.message))
  return said
}
