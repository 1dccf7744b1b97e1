/** Sends single requests with exactly the headers it is given, and reads bounded answers; follows nothing. */

import { Buffer } from 'node:buffer'
import { request as requestPlain } from 'node:http'
import { request as requestSecure } from 'node:https'
import { reasonOf, unable } from './_failure.ts'
import { visible } from './_visible.ts'

export interface Answer {
  readonly status: number
  /** Lower-case names; repeated ones joined, save for cookies. */
  readonly headers: ReadonlyMap<string, string>
  readonly setCookies: readonly string[]
  readonly body: string
}

export interface Question {
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | undefined
}

const timeoutMilliseconds = 10_000
const mostBodyBytes = 256 * 1024

/** @throws {Failure} where there is no answer */
export async function ask(url: URL, { method, headers, body }: Question): Promise<Answer> {
  const send = url.protocol === 'https:' ? requestSecure : requestPlain
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
  return new Promise<Answer>((resolve, reject) => {
    const fail = (error: unknown): void =>
      reject(unable(`${visible(url.origin)} cannot be asked: ${reasonOf(error)}`))
    const signal = AbortSignal.timeout(timeoutMilliseconds)
    const request = send(
      url,
      { method, agent: false, signal, headers: { ...headers, ...length } },
      (response) => {
        const chunks: Buffer[] = []
        let size = 0
        const finish = (): void => {
          const known = Object.entries(response.headersDistinct)
          resolve({
            status: response.statusCode ?? 0,
            headers: new Map(known.map(([name, values = []]) => [name, values.join(', ')])),
            setCookies: response.headers['set-cookie'] ?? [],
            body: Buffer.concat(chunks).toString('utf8'),
          })
        }
        response.on('data', (chunk: Buffer) => {
          chunks.push(chunk)
          size += chunk.length
          if (size <= mostBodyBytes) return
          // The rest is not needed to judge it.
          finish()
          request.destroy()
        })
        response.on('end', finish).on('error', fail)
      },
    )
    request.on('error', fail)
    request.on('upgrade', (_response, socket) => {
      socket.destroy()
      fail(new Error('it changed the protocol, which it was not asked to'))
    })
    request.end(body)
  })
}
