// Load from a process of its own: wrk where it is installed, else autocannon. Against 127.0.0.1 only, for some seconds.

import { execFile, execFileSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** Requests of one method, sent in turn on each connection. */
export interface Load {
  readonly port: number
  readonly method: 'GET' | 'POST'
  readonly path: string
  /** The headers of each request; a list of one is sent again and again. */
  readonly requests: readonly Readonly<Record<string, string>>[]
  readonly seconds: number
}

/** What came of it. */
export interface Answers {
  readonly count: number
  readonly perSecond: number
}

const connections = 32

/** The core of the load; the server has the first one. */
const core = 1

export const generator: 'wrk' | 'autocannon' = isInstalled('wrk', '-v') ? 'wrk' : 'autocannon'

const canPin = isInstalled('taskset', '-V')

function isInstalled(program: string, option: string): boolean {
  try {
    execFileSync(program, [option], { stdio: 'ignore' })
    return true
  } catch (error) {
    // Some say their version and end as if that were a failure.
    return (error as NodeJS.ErrnoException).code !== 'ENOENT'
  }
}

/** The words before a command that keep it on one core, where the system can do that. */
export function pinned(command: readonly string[], to: number): readonly string[] {
  return canPin ? ['taskset', '-c', String(to), ...command] : command
}

/** Sends the load. @throws when an answer is no success, since a refusal is quicker than an answer */
export async function send(load: Load): Promise<Answers> {
  const folder = await mkdtemp(join(tmpdir(), 'tallystick-load-'))
  try {
    return generator === 'wrk' ? await sendByWrk(load, folder) : await sendByAutocannon(load, folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function run(words: readonly string[]): Promise<string> {
  const [program = '', ...parameters] = pinned(words, core)
  const { stdout } = await promisify(execFile)(program, parameters, { maxBuffer: 1e8 })
  return stdout
}

async function sendByWrk(load: Load, folder: string): Promise<Answers> {
  const script = join(folder, 'load.lua')
  await writeFile(script, luaScript(load))
  const url = `http://127.0.0.1:${load.port}${load.path}`
  const duration = `${Math.max(1, Math.round(load.seconds))}s`
  const printed = await run(['wrk', '-t1', `-c${connections}`, `-d${duration}`, '-s', script, url])
  const count = Number(/(\d+) requests in/.exec(printed)?.[1])
  const perSecond = Number(/Requests\/sec:\s+([\d.]+)/.exec(printed)?.[1])
  demandSuccess(load, /Non-2xx or 3xx responses: \d+|Socket errors: .*/.exec(printed)?.[0], count)
  return { count, perSecond }
}

/** Made once and sent as they are, so that the load costs the same however many requests there are. */
function luaScript({ method, path, requests }: Load): string {
  const list = requests.map((headers) => {
    const fields = Object.entries(headers).map(([name, value]) => `[${lua(name)}]=${lua(value)}`)
    return `wrk.format(${lua(method)}, ${lua(path)}, {${fields.join(', ')}})`
  })
  const additions = list.map((request) => `requests[#requests + 1] = ${request}`)
  // Lua takes only so many constants in one function.
  const groups = Array.from({ length: Math.ceil(additions.length / 50) }, (_, index) =>
    ['(function()', ...additions.slice(50 * index, 50 * index + 50), 'end)()'].join('\n'),
  )
  return `
requests = {}
at = 0
function init()
${groups.join(';\n')}
end
function request()
  at = at % #requests + 1
  return requests[at]
end
`
}

function lua(text: string): string {
  if (!/^[\x20-\x7e]*$/.test(text)) throw new Error('only visible characters can be sent')
  return `"${text.replaceAll(/["\\]/g, '\\$&')}"`
}

async function sendByAutocannon(load: Load, folder: string): Promise<Answers> {
  const file = join(folder, 'load.json')
  await writeFile(file, JSON.stringify({ ...load, connections }))
  const program = new URL('cannon.js', import.meta.url)
  const printed = await run([process.execPath, program.pathname, file])
  const { count, perSecond, failures }: Answers & { failures: number } = JSON.parse(printed)
  demandSuccess(load, failures === 0 ? undefined : `${failures} failed`, count)
  return { count, perSecond }
}

function demandSuccess({ method, path }: Load, failure: string | undefined, count: number): void {
  if (failure === undefined && count > 0) return
  throw new Error(`${method} ${path}: ${failure ?? 'no answer'}`)
}
