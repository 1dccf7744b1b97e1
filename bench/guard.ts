// What a guard costs in this process: a Fastify hook on requests as Node gives them, without a server around it.

import type { IncomingMessage } from 'node:http'
import type { FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify'
import type { Auth } from 'tallystick'
import { fastifyAuth } from 'tallystick/fastify'
import type { Call } from './time.ts'

/** What a browser sends besides its cookies. */
const browserHeaders = {
  host: 'app.example',
  connection: 'keep-alive',
  'user-agent':
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36',
  accept: '*/*',
  'accept-encoding': 'gzip, deflate, br, zstd',
  'accept-language': 'en-GB,en;q=0.9',
  referer: 'https://app.example/',
  'sec-fetch-site': 'same-origin',
  'sec-fetch-mode': 'cors',
  'sec-fetch-dest': 'empty',
}

/** A request that is new to the guard each time, with headers of its own as a parser makes them. */
export function messageOf(
  method: 'GET' | 'POST',
  headers: Readonly<Record<string, string>>,
): () => IncomingMessage {
  const all = { ...browserHeaders, ...headers }
  return () => ({ method, url: '/', socket: {}, headers: { ...all } }) as unknown as IncomingMessage
}

/** Runs a hook on a request; throws where it lets nobody in. */
export function passing(hook: onRequestHookHandler, message: () => IncomingMessage): Call {
  let isPassed = false
  const done = (): void => {
    isPassed = true
  }
  const reply = { raw: {}, sent: false } as unknown as FastifyReply
  return () => {
    isPassed = false
    const request = { raw: message() } as FastifyRequest
    hook.call(undefined as never, request, reply, done as never)
    if (!isPassed) throw new Error('a guard has let nobody in')
  }
}

export function guardOf(auth: Auth): onRequestHookHandler {
  return fastifyAuth(auth).jwtRequired()
}
