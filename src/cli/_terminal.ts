/** The streams and the environment of one run: the only way in and out for commands. */

import { Buffer } from 'node:buffer'
import { Failure, reasonOf, unable } from './_failure.ts'
import { visibleJson } from './_visible.ts'

/** What a process has. */
export interface Streams {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly input: NodeJS.ReadStream
  readonly output: NodeJS.WriteStream
  readonly errors: NodeJS.WriteStream
  /** Milliseconds since 1970. */
  readonly now: () => number
}

/** The few styles there are, by their codes. */
const styles = { bold: 1, red: 31, green: 32, yellow: 33, dim: 2 } as const

export type Style = keyof typeof styles

/** More of a text that comes on standard input is no token, key or credential. */
const mostInputBytes = 256 * 1024

export class Terminal {
  readonly environment: Streams['environment']
  readonly now: Streams['now']
  readonly #streams: Streams
  /** Whether documents are wanted instead of texts. */
  readonly isJson: boolean
  #failure: unknown

  constructor(streams: Streams, isJson: boolean) {
    this.environment = streams.environment
    this.now = streams.now
    this.#streams = streams
    this.isJson = isJson
    // Who reads may go at any time: told by `finish`, and never as an error that nobody handles.
    streams.output.on('error', (error) => (this.#failure ??= error))
    streams.errors.on('error', () => undefined)
  }

  /** Colours are for people who look at a terminal and have not declined them (https://no-color.org). */
  paint(style: Style, text: string): string {
    const { NO_COLOR = '', TERM } = this.environment
    const isWanted = this.#streams.output.isTTY && NO_COLOR === '' && TERM !== 'dumb'
    return isWanted ? `\u{1b}[${styles[style]}m${text}\u{1b}[0m` : text
  }

  /** Writes what was asked for: the document with `--json`, else the text. */
  print(document: unknown, text: string): void {
    const out = this.isJson ? visibleJson(document) : text
    this.#streams.output.write(`${out}\n`)
  }

  /** Tells what is not the product. With `--json` it belongs into the document, so nothing is written. */
  note(text: string): void {
    if (!this.isJson) this.#streams.errors.write(`${text}\n`)
  }

  fail(failure: Failure): void {
    const { exitCode, message } = failure
    const text = this.isJson ? visibleJson({ error: { exitCode, message } }, 0) : `tallystick: ${message}`
    this.#streams.errors.write(`${text}\n`)
  }

  /** All of standard input. @throws {Failure} for what is empty or too long */
  async readInput(what: string): Promise<Buffer> {
    const { input } = this.#streams
    if (input.isTTY) this.note(`Give ${what}, then press Ctrl+D.`)
    const chunks: Buffer[] = []
    let size = 0
    try {
      for await (const chunk of input) {
        const bytes = Buffer.from(chunk as Uint8Array)
        size += bytes.length
        if (size > mostInputBytes)
          throw unable(`Standard input holds more than ${mostInputBytes / 1024} kB, which is not ${what}`)
        chunks.push(bytes)
      }
    } catch (error) {
      if (error instanceof Failure) throw error
      throw unable(`Standard input cannot be read: ${reasonOf(error)}`)
    }
    if (size === 0) throw unable(`Standard input is empty: give ${what} there`)
    return Buffer.concat(chunks)
  }

  /** Waits until all is written. @throws {Failure} without words where nobody listens any more */
  async finish(): Promise<void> {
    const { output, errors } = this.#streams
    // What a file or a device refuses is told one turn later.
    await new Promise((resolve) => setImmediate(resolve))
    for (const stream of [output, errors]) {
      if (!stream.destroyed && stream.writableLength > 0)
        await new Promise<void>((resolve) => stream.write('', () => resolve()))
    }
    if (this.#failure === undefined) return
    const { code } = Object(this.#failure) as { readonly code?: unknown }
    throw new Failure(
      3,
      code === 'EPIPE' ? '' : `Standard output cannot be written: ${reasonOf(this.#failure)}`,
    )
  }
}
