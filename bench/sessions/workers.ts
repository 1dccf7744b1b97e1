// Starts workers and talks to them; a worker that fails makes the measurement fail.

import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { on, once } from 'node:events'
import type { Place } from './stores.ts'
import type { Order } from './worker.ts'

export class Worker {
  readonly #child: ChildProcess
  readonly #messages: AsyncIterator<readonly unknown[]>

  constructor() {
    this.#child = fork(new URL('worker.js', import.meta.url))
    this.#messages = on(this.#child, 'message', { close: ['exit'] })
  }

  static async open(place: Place, secretKey: string): Promise<Worker> {
    const worker = new Worker()
    await worker.ask({ do: 'open', place, secretKey })
    return worker
  }

  async ask(order: Order): Promise<Record<string, unknown>> {
    this.#child.send(order)
    return this.next()
  }

  /** What the worker says next. */
  async next(): Promise<Record<string, unknown>> {
    const { done, value } = await this.#messages.next()
    if (done === true) throw new Error('the worker has ended')
    const message = Object(value[0]) as Record<string, unknown>
    if (message['error'] !== undefined) throw new Error(String(message['error']))
    return message
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.send({ do: 'close' } satisfies Order)
    await ended
  }
}
