// Runs the built command as a user's shell does: a process of its own, with nothing of this one's environment.

import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, vi } from 'vitest'

const program = fileURLToPath(new URL('../../dist/cli.js', import.meta.url))
if (!existsSync(program)) throw new Error('There is no dist/cli.js: run `npm run build` first.')

// A process takes its time on a busy machine.
vi.setConfig({ testTimeout: 60_000 })

/** What a run came to. */
export interface Run {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly input?: string | Uint8Array
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
}

/** Runs the command to its end. */
export function cli(parameters: readonly string[], options: RunOptions = {}): Promise<Run> {
  return run(process.execPath, [program, ...parameters], options)
}

/** Runs it in a shell, where `$cli` is the command: for pipes and closed streams. */
export function shell(script: string, options: RunOptions = {}): Promise<Run> {
  const env = { cli: program, node: process.execPath, ...options.env }
  return run('bash', ['--norc', '-c', script.replaceAll('$cli', '"$node" "$cli"')], { ...options, env })
}

function run(command: string, parameters: readonly string[], { input = '', env = {}, cwd }: RunOptions) {
  const child = spawn(command, parameters, {
    env: { NODE_ENV: 'production', PATH: process.env['PATH'] ?? '', ...env },
    ...(cwd !== undefined && { cwd }),
  })
  const chunks: { stdout: Buffer[]; stderr: Buffer[] } = { stdout: [], stderr: [] }
  child.stdout.on('data', (chunk: Buffer) => chunks.stdout.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => chunks.stderr.push(chunk))
  // Who does not read its input may be gone before all of it is written.
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  return new Promise<Run>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) =>
      resolve({
        code,
        stdout: Buffer.concat(chunks.stdout).toString(),
        stderr: Buffer.concat(chunks.stderr).toString(),
      }),
    )
  })
}

/** A folder for one test file, removed at its end. */
export async function newFolder(): Promise<(name: string) => string> {
  const folder = await mkdtemp(join(tmpdir(), 'tallystick-cli-'))
  afterAll(() => rm(folder, { recursive: true, force: true }))
  return (name) => join(folder, name)
}

/** A line of a stack trace. */
export const stackTrace = /^\s+at .+:\d+/m
