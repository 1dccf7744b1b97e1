// A process of the measurement's own that answers questions one after another; one that fails makes it fail.

import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { on, once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { pinned } from './load.ts'

export class Child {
  readonly #process: ChildProcess
  readonly #messages: AsyncIterator<readonly unknown[]>

  /** On the first core, where the system can do that. */
  constructor(file: URL, parameters: readonly string[]) {
    const command = [process.execPath, '--expose-gc', fileURLToPath(file), ...parameters]
    const [program = '', ...words] = pinned(command, 0)
    this.#process = spawn(program, words, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    this.#messages = on(this.#process, 'message', { close: ['exit'] })
  }

  /** What the process says next. */
  async next(): Promise<unknown> {
    const { done, value } = await this.#messages.next()
    if (done === true) throw new Error('a process of the measurement has ended')
    const { said, error } = Object(value[0]) as { readonly said?: unknown; readonly error?: unknown }
    if (error !== undefined) throw new Error(String(error))
    return said
  }

  async ask(question: object): Promise<unknown> {
    this.#process.send(question)
    return this.next()
  }

  /** Lets go of it, upon which it ends by itself. */
  async end(): Promise<void> {
    if (this.#process.exitCode !== null) return
    const ended = once(this.#process, 'exit')
    this.#process.disconnect()
    await ended
  }
}
