/** Asks the functions of the PostgreSQL store, and makes them where they are missing; must never ask one in two trips. */

import type { OpenedStore } from '../core/store.ts'
import type { Connection } from './_postgres-client.ts'
import { callOf, install } from './_postgres-schema.ts'
import { isOpenedStore, readReply, writeRequest } from './_postgres-wire.ts'
import type { Is } from './_postgres-wire.ts'

/** The atomic steps that one schema offers. */
export class Steps {
  readonly #connection: Connection
  readonly #schema: string
  readonly #clock: (() => number) | undefined
  #opened: Promise<OpenedStore> | undefined

  constructor(connection: Connection, schema: string, clock: (() => number) | undefined) {
    this.#connection = connection
    this.#schema = schema
    this.#clock = clock
  }

  open(): Promise<OpenedStore> {
    const opening = this.#open()
    this.#opened = opening
    opening.catch(() => {
      if (this.#opened === opening) this.#opened = undefined
    })
    return opening
  }

  async #open(): Promise<OpenedStore> {
    const opened = await this.#ask('open', {}, isOpenedStore, () =>
      this.#connection.ask(install(this.#schema), []),
    )
    return { ...opened, warnings: [...opened.warnings, ...this.#connection.warnings] }
  }

  /** Takes one step; where the data was lost, nothing was done, and what is made now is born now. */
  async take<Value>(step: string, input: object, isMeant: Is<Value>): Promise<Value> {
    await (this.#opened ?? this.open())
    return this.#ask(step, input, isMeant, () => this.open())
  }

  async #ask<Value>(
    step: string,
    input: object,
    isMeant: Is<Value>,
    repair: () => Promise<unknown>,
  ): Promise<Value> {
    const ask = (): Promise<readonly unknown[]> => {
      const now = this.#clock && Math.floor(this.#clock() * 1000)
      return this.#connection.ask(callOf(this.#schema, step), [writeRequest({ ...input, now })])
    }
    const rows = await ask().catch(async (error: unknown) => {
      if (!isMissing(error)) throw error
      await repair()
      return ask()
    })
    return readReply(rows, isMeant)
  }
}

/** A schema, a function, a table or the type of its rows is not there. */
const missing: ReadonlySet<unknown> = new Set(['3F000', '42883', '42P01', '42704'])

function isMissing(error: unknown): boolean {
  return missing.has(((error ?? {}) as { readonly code?: unknown }).code)
}
