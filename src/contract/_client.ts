/** Talks to a live server as browsers and as attackers do: whole requests by node:http, broken ones byte by byte. */

import { deepEqual, equal, fail, match, ok } from 'node:assert/strict'
import { Agent, request } from 'node:http'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import type { AuthErrorCode } from '../index.ts'

/** One request. */
export interface Ask {
  readonly path: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly agent?: Agent
  readonly signal?: AbortSignal
  /** Is told when the first bytes of the body have come. */
  readonly onFirstChunk?: () => void
}

/** What came back. */
export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** The Set-Cookie lines. */
  readonly cookies: readonly string[]
  readonly text: string
  /** The client's own port, which tells sockets apart. */
  readonly port: number | undefined
}

/** The cookie of the other middleware, which every answer of the app has. */
export const themeCookie = 'theme=dark; Path=/'

/** Longer than anything here takes. */
const timeoutMs = 20_000

export class Client {
  readonly #origin: URL
  readonly #agent = new Agent({ keepAlive: true })

  constructor(origin: string) {
    this.#origin = new URL(origin)
  }

  /** Sends a request; every answer but the framework's own 500 must have the other middleware's cookie. */
  async send({ path, method = 'GET', headers = {}, body, onFirstChunk, ...options }: Ask): Promise<Answer> {
    const isChunked = headers['transfer-encoding'] !== undefined
    const length =
      body === undefined || isChunked ? {} : { 'content-length': String(Buffer.byteLength(body)) }
    const { hostname, port } = this.#origin
    const message = await new Promise<IncomingMessage>((resolve, reject) => {
      const target = { hostname, port, path, method, agent: this.#agent, timeout: timeoutMs }
      const outgoing = request({ ...target, ...options })
      for (const [name, value] of Object.entries({ ...length, ...headers })) outgoing.setHeader(name, value)
      outgoing.once('response', resolve)
      outgoing.on('timeout', () => outgoing.destroy(new Error(`${method} ${path} got no answer`)))
      // Once there is an answer, the promise no longer cares that the rest of a body could not be sent.
      outgoing.on('error', reject)
      outgoing.end(body)
    })
    const clientPort = message.socket.localPort
    let text = ''
    for await (const chunk of message.setEncoding('utf8')) {
      onFirstChunk?.()
      text += String(chunk)
    }
    const answer = {
      status: message.statusCode ?? 0,
      headers: message.headers,
      cookies: message.headers['set-cookie'] ?? [],
      text,
      port: clientPort,
    }
    const isFrameworks = answer.status === 500 && !isProblem(answer)
    ok(isFrameworks || answer.cookies.includes(themeCookie), `${method} ${path} lost the other cookie`)
    return answer
  }

  /** Writes bytes to a socket; gives the answer's status, 0 where the server hung up without a word. */
  async sendBytes(text: string): Promise<number> {
    const socket = connect(Number(this.#origin.port), this.#origin.hostname)
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error('no answer to these bytes')))
    let answer = ''
    const whole = new Promise<void>((resolve, reject) => {
      socket.setEncoding('latin1').on('data', (chunk) => {
        answer += String(chunk)
        if (answer.includes('\r\n\r\n')) resolve()
      })
      socket.on('error', (error) => (answer === '' ? reject(error) : resolve())).on('close', () => resolve())
    })
    socket.write(Buffer.from(text, 'latin1'))
    await whole
    socket.destroy()
    return Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0)
  }

  get host(): string {
    return this.#origin.host
  }

  close(): void {
    this.#agent.destroy()
  }
}

function isProblem({ headers }: Pick<Answer, 'headers'>): boolean {
  return headers['content-type'] === 'application/problem+json'
}

/** The answer as JSON. */
export function jsonOf({ status, text }: Answer): unknown {
  equal(status, 200, `expected 200 with JSON, got ${status}: ${text}`)
  return JSON.parse(text)
}

/** The names of the cookies that an answer sets (`set`) or deletes, the other middleware's left out. */
export function cookieNames(answer: Answer, kind: 'set' | 'deleted'): string[] {
  return answer.cookies
    .filter((line) => line !== themeCookie && /; Max-Age=0;/.test(line) === (kind === 'deleted'))
    .map((line) => line.slice(0, line.indexOf('=')))
    .toSorted()
}

/** A Cookie header of what an answer has set. */
export function cookieHeader(answer: Answer): string {
  return answer.cookies.map((line) => line.split(';', 1)[0]).join('; ')
}

export const allCookies: readonly string[] = [
  'access_token_cookie',
  'csrf_access_token',
  'csrf_refresh_token',
  'refresh_token_cookie',
]

/** Demands a refusal in full: status, headers and body. */
export function assertProblem(answer: Answer, code: AuthErrorCode, status = 401): void {
  const { headers, text } = answer
  if (!isProblem(answer)) fail(`expected ${code}, got ${answer.status} ${headers['content-type']}: ${text}`)
  const { title, detail, ...rest } = JSON.parse(text) as Record<string, unknown>
  deepEqual(rest, { type: 'about:blank', status, code })
  ok(typeof title === 'string' && title !== '' && typeof detail === 'string' && detail !== '')
  equal(answer.status, status)
  equal(headers['cache-control'], 'no-store')
  if (status === 401) match(headers['www-authenticate'] ?? '', /^Bearer(?: error="\w+"|$)/)
  else equal(headers['www-authenticate'], undefined)
  equal(headers['content-length'] ?? String(Buffer.byteLength(text)), String(Buffer.byteLength(text)))
}
