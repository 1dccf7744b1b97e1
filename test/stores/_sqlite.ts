/** Files and drivers of SQLite for its tests, and processes that share a file; holds no test itself. */

import { fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import Libsql from 'libsql'
import type { NewSession, Rotation } from '../../src/core/store.ts'
import type { SqliteDatabase } from '../../src/stores/sqlite.ts'
import { startSeconds } from '../_setup.ts'

/** A connection that can be ended. */
export interface ClosableDatabase extends SqliteDatabase {
  close(): unknown
}

type DatabaseClass = new (file: string) => ClosableDatabase

const builtin = process.getBuiltinModule?.('node:sqlite') as
  { readonly DatabaseSync: DatabaseClass } | undefined

/** Each driver that is here; `node:sqlite` is from Node 22.5 on. */
export const drivers: readonly (readonly [name: string, driver: DatabaseClass])[] = [
  ['libsql', Libsql],
  ...(builtin === undefined ? [] : ([['node:sqlite', builtin.DatabaseSync]] as const)),
]

/** A folder for files of one test file, and the connections to them. */
export class Folder {
  readonly #path = mkdtempSync(join(tmpdir(), 'tallystick-sqlite-'))
  readonly #open: ClosableDatabase[] = []
  #files = 0

  file(name: string = `n${this.#files++}`): string {
    return join(this.#path, `${name}.db`)
  }

  connect(driver: DatabaseClass = Libsql, file: string = this.file()): ClosableDatabase {
    const database = new driver(file)
    this.#open.push(database)
    return database
  }

  disconnect(): void {
    for (const database of this.#open.splice(0)) database.close()
  }

  remove(): void {
    this.disconnect()
    rmSync(this.#path, { recursive: true, force: true })
  }
}

/** A process with a store on a file. */
export class Child {
  readonly #process
  readonly #answers = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>()
  readonly ended: Promise<number | null>
  #asked = 0

  constructor(file: string) {
    const script = fileURLToPath(new URL('_sqlite-child.mjs', import.meta.url))
    this.#process = fork(script, [file], { execPath: process.execPath, execArgv: [], stdio: 'inherit' })
    this.ended = new Promise((resolve) => {
      this.#process.once('exit', resolve)
    })
    this.#process.on('message', (message) => this.#take(message as Answer))
  }

  #take({ number, value, error }: Answer): void {
    const answer = this.#answers.get(number)
    if (error === undefined) answer?.resolve(value)
    else answer?.reject(new Error(error))
  }

  ask(deed: string, ...args: readonly unknown[]): Promise<unknown> {
    const number = this.#asked++
    const answer = this.#answer(number)
    this.#process.send({ number, deed, args })
    return answer
  }

  /** Resolves when it is in the midst of its work. */
  async churn(session: NewSession): Promise<void> {
    const churning = this.#answer(-1)
    this.#process.send({ number: this.#asked++, deed: 'churn', args: [session] })
    await churning
  }

  #answer(number: number): Promise<unknown> {
    return new Promise((resolve, reject) => this.#answers.set(number, { resolve, reject }))
  }

  async kill(): Promise<void> {
    this.#process.kill('SIGKILL')
    await this.ended
  }
}

interface Answer {
  readonly number: number
  readonly value?: unknown
  readonly error?: string
}

export function newSession(changes: Partial<NewSession> = {}): NewSession {
  return {
    id: crypto.randomUUID(),
    subject: 'test',
    salt: 'AAAAAAAAAAAAAAAAAAAAAA',
    issuedAtSeconds: startSeconds,
    authTimeSeconds: startSeconds,
    accessLifetime: 1_260_000,
    idleLifetime: 7 * 86_400_000,
    // Far ahead by either clock: processes live by the system's.
    expiresAt: Date.UTC(2100, 0),
    metadata: {},
    ...changes,
  }
}

export function newRotation(sid: string, changes: Partial<Rotation> = {}): Rotation {
  return {
    sid,
    subject: 'test',
    generation: 0,
    grace: 30_000,
    lateReplay: 'revoke',
    accessLifetime: 1_260_000,
    successor: {
      salt: 'BBBBBBBBBBBBBBBBBBBBBB',
      issuedAtSeconds: startSeconds,
      idleLifetime: 7 * 86_400_000,
    },
    adoption: null,
    ...changes,
  }
}
