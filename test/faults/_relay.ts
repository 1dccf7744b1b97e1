/** What lies between a process and its store, and can fail as networks do: a relay of TCP; holds no test itself. */

import { createServer, connect } from 'node:net'
import type { Server, Socket } from 'node:net'

/**
 * `hole` takes everything and answers nothing, new connections included. `refuse` resets all connections, and new ones
 * at once. A number is by how many milliseconds every answer is late.
 */
export type RelayMode = 'pass' | 'hole' | 'refuse' | number

interface Pair {
  readonly near: Socket
  readonly far: Socket | null
}

function wait(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}

export class Relay {
  readonly #server: Server
  readonly #target: number
  readonly #pairs = new Set<Pair>()
  readonly #forgotten = new WeakSet<Socket>()
  #mode: RelayMode = 'pass'
  #cut: { readonly request: string; readonly done: () => void } | undefined
  port = 0

  private constructor(target: number) {
    this.#target = target
    this.#server = createServer((near) => this.#take(near))
  }

  static async open(target: number): Promise<Relay> {
    const relay = new Relay(target)
    await new Promise<void>((resolve) => relay.#server.listen(0, '127.0.0.1', resolve))
    const address = relay.#server.address()
    relay.port = typeof address === 'object' && address !== null ? address.port : 0
    return relay
  }

  /** @param isForgotten Whether connections that were open meanwhile stay dead, as behind a firewall that forgot them. */
  set(mode: RelayMode, isForgotten = false): void {
    const wasHole = this.#mode === 'hole'
    this.#mode = mode
    if (mode === 'refuse' || (wasHole && !isForgotten)) this.#reset()
    if (wasHole && isForgotten) this.#forget()
  }

  #forget(): void {
    for (const { near } of this.#pairs) this.#forgotten.add(near)
  }

  #reset(): void {
    for (const { near, far } of this.#pairs) {
      near.resetAndDestroy()
      far?.destroy()
    }
  }

  /** Breaks the connection in the midst of the answer to a rotation, by what only its request holds; resolves then. */
  cutAnswerTo(request: string): Promise<void> {
    return new Promise((done) => {
      this.#cut = { request, done }
    })
  }

  #take(near: Socket): void {
    near.on('error', () => near.destroy())
    if (this.#mode === 'refuse') {
      near.resetAndDestroy()
      return
    }
    const far = this.#mode === 'hole' ? null : connect(this.#target, '127.0.0.1')
    const pair = { near, far }
    this.#pairs.add(pair)
    near.on('close', () => {
      this.#pairs.delete(pair)
      // What was asked before is done all the same.
      far?.end()
    })
    if (far === null) near.resume()
    else this.#join(near, far)
  }

  #join(near: Socket, far: Socket): void {
    let isCutting = false
    far.on('error', () => near.destroy())
    far.on('close', () => {
      // Of a connection that is dead nobody hears the end either.
      if (!this.#isDead(near)) near.destroy()
    })
    near.on('data', (bytes) => {
      if (this.#isDead(near)) return
      isCutting ||= this.#cut !== undefined && bytes.includes(this.#cut.request)
      far.write(bytes)
    })
    // However late, bytes never overtake each other.
    let sent = Promise.resolve()
    far.on('data', (bytes) => {
      if (this.#isDead(near)) return
      if (isCutting && bytes.includes('rotated')) {
        this.#cutWithin(bytes, near, far)
        return
      }
      const late = typeof this.#mode === 'number' ? wait(this.#mode) : undefined
      sent = sent.then(() => late).then(() => void near.write(bytes))
    })
  }

  #isDead(near: Socket): boolean {
    return this.#mode === 'hole' || this.#forgotten.has(near)
  }

  #cutWithin(bytes: Buffer, near: Socket, far: Socket): void {
    far.removeAllListeners('data').resume()
    near.write(bytes.subarray(0, Math.ceil(bytes.length / 2)), () => near.destroy())
    this.#cut?.done()
    this.#cut = undefined
  }

  async close(): Promise<void> {
    this.#reset()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}
