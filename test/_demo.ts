// The demo as a process, and a client that keeps its cookies; holds no test itself.

import { execFile, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { cookieHeader, cookiesOf } from './_setup.ts'

const server = fileURLToPath(new URL('../demo/dist/server.js', import.meta.url))
const children = new Set<ChildProcess>()

type Environment = Readonly<Record<string, string>>

export interface Demo {
  readonly origin: string
  /** What it says when it starts. */
  readonly greeting: string
  /** Ends it as a terminal or a supervisor does; gives its exit code. */
  stop(): Promise<number | null>
}

/** Ends what a failed test has left behind. */
export function endDemos(): void {
  for (const child of children) child.kill('SIGKILL')
  children.clear()
}

/** Resolves once it says where it is; rejects with what it says instead. */
export async function startDemo(environment: Environment, flags: readonly string[] = []): Promise<Demo> {
  if (!existsSync(server)) throw new Error('There is no demo/dist/: run `npm run build:demo` first.')
  const child = spawn(process.execPath, [server, ...flags], { env: withPath(environment) })
  children.add(child)
  const exit = once(child, 'exit')
  let errors = ''
  child.stderr.on('data', (chunk) => (errors += String(chunk)))
  const greeting = await readUntil(child.stdout, 'Ctrl+C')
  const origin = /http:\/\/localhost:\d+/.exec(greeting)?.[0]
  if (origin === undefined) throw new Error(`The demo did not start: ${errors}`)
  return {
    origin,
    greeting,
    async stop() {
      child.kill('SIGTERM')
      const [code] = (await exit) as [number | null]
      children.delete(child)
      return code
    },
  }
}

/** Goes on listening afterwards, or the process could not write any more. */
async function readUntil(stream: NodeJS.ReadableStream, ending: string): Promise<string> {
  let text = ''
  return new Promise((resolve) => {
    stream.on('data', (chunk) => {
      text += String(chunk)
      if (text.includes(ending)) resolve(text)
    })
    stream.on('end', () => resolve(text))
  })
}

/** What it says when it cannot start, and its exit code. */
export async function refusalOf(
  environment: Environment,
): Promise<{ readonly text: string; readonly code: unknown }> {
  const env = withPath({ PORT: '0', ...environment })
  return promisify(execFile)(process.execPath, [server], { env }).then(
    ({ stderr }) => ({ text: stderr, code: 0 }),
    (error: { readonly stderr: string; readonly code: unknown }) => ({
      text: error.stderr,
      code: error.code,
    }),
  )
}

function withPath(environment: Environment): NodeJS.ProcessEnv {
  return { NODE_ENV: 'production', PATH: process.env['PATH'], ...environment }
}

/** A client that keeps its cookies, and sends the CSRF value that goes with them. */
export interface Client {
  send(method: string, path: string): Promise<Response>
}

export function createClient(
  fetch: (path: string, init: RequestInit) => Response | Promise<Response>,
): Client {
  let jar: Record<string, string> = {}
  return {
    async send(method, path) {
      const csrf = jar[path === '/refresh' ? 'csrf_refresh_token' : 'csrf_access_token']
      const headers = {
        cookie: cookieHeader(jar),
        'user-agent': 'curl/8.0',
        ...(csrf !== undefined && { 'x-csrf-token': csrf }),
        ...(path === '/login' && { 'content-type': 'application/json' }),
      }
      const body = path === '/login' && { body: '{"username":"test","password":"test"}' }
      const response = await fetch(path, { method, headers, ...body })
      const isDeleting = response.headers.getSetCookie().some((line) => line.includes('; Max-Age=0;'))
      jar = isDeleting ? {} : { ...jar, ...cookiesOf(response) }
      return response
    },
  }
}
