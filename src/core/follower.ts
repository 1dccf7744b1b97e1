/** Follows the revocations of one store for every `Auth` that uses it; never says yes to what it could not read. */

import { ask, unavailable } from './deadline.ts'
import { RevocationSet } from './revocation-set.ts'
import { demandOpened, demandPage } from './store-answer.ts'
import type { StoreClient } from './store-client.ts'
import type { Store } from './store.ts'

/** Pause between the end of one read and the start of the next. */
const pollMilliseconds = 900
/** Wake-ups that come together are one, and those that do not end are a few in a second. */
const wakeMilliseconds = 10
const wakeSpacingMilliseconds = 100
/** Making a schema may take longer than an answer may. */
const openSeconds = 10
/** The longest that any `Auth` lets its store take. */
const maxTimeoutSeconds = 30
/** After a failed read nobody tries for a quarter to half a second. */
const pauseMilliseconds = 250

/** What an `Auth` brings along. */
export interface FollowerMember {
  readonly client: StoreClient
  readonly timeoutSeconds: number
  /** Whether it wants the set, or asks the store each time. */
  readonly wantsSet: boolean
  readonly warn: (warnings: readonly string[]) => void
}

/** When a read was sent, by two clocks: the one stands still while a machine sleeps, the other can be set. */
interface Moment {
  readonly monotonic: number
  readonly wall: number
}

export class Follower {
  /** One for each store object, so that many an `Auth` shares one set; all it holds is found again by its key alone. */
  static readonly #followers = new WeakMap<Store, Follower>()

  static of(store: Store): Follower {
    const known = Follower.#followers.get(store)
    if (known !== undefined) return known
    const follower = new Follower(store)
    Follower.#followers.set(store, follower)
    return follower
  }

  readonly set: RevocationSet = new RevocationSet()
  readonly #store: Store
  readonly #members = new Set<FollowerMember>()
  #opening: Promise<void> | undefined
  #bornAtSeconds = 0
  #cursor: string | null = null
  /** When the last complete read was sent; `undefined` until the first. */
  #completeAsOf: Moment | undefined
  #reading: Promise<void> | undefined
  #isWoken = false
  #pausedUntil = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  #stopWatching: (() => void) | undefined
  /** Of the read that is under way, or of the last one. */
  #abort: AbortController | undefined

  private constructor(store: Store) {
    this.#store = store
  }

  /** When the store's data began, in seconds, as far as that is known. */
  get bornAtSeconds(): number {
    return this.#bornAtSeconds
  }

  /** Whether the set has been loaded and is being followed. */
  get isLoaded(): boolean {
    return this.#completeAsOf !== undefined
  }

  /** Counts an `Auth` in, and follows the store if it is the first that wants to. */
  join(member: FollowerMember): void {
    const isFirst = !this.#isFollowing()
    this.#members.add(member)
    if (isFirst && member.wantsSet) {
      this.#schedule(0)
    }
  }

  /** Counts it out; the last one lets go of the store. Closing twice is closing once. */
  async leave(member: FollowerMember): Promise<void> {
    if (!this.#members.delete(member)) return
    if (!this.#isFollowing()) this.#stop()
    if (this.#members.size > 0) return
    this.#opening = undefined
    await ask(() => this.#store.close(), openSeconds, 'Closing the store')
  }

  #isFollowing(): boolean {
    return [...this.#members].some(({ wantsSet }) => wantsSet)
  }

  #stop(): void {
    clearTimeout(this.#timer)
    this.#stopWatching?.()
    this.#stopWatching = undefined
    this.#abort?.abort()
    this.#reading = undefined
    this.#completeAsOf = undefined
    this.#cursor = null
  }

  /** Opens the store, once for all. @throws what the store says, and `store_unavailable` for no answer */
  async open(): Promise<void> {
    this.#opening ??= this.#open()
    try {
      await this.#opening
    } catch (error) {
      this.#opening = undefined
      throw error
    }
  }

  async #open(): Promise<void> {
    const opened = await ask(() => this.#store.open(), openSeconds, 'Opening the store', {
      isBackground: true,
    })
    const { bornAt, warnings } = demandOpened(opened)
    this.#noteBirth(bornAt)
    for (const { warn } of this.#members) warn(warnings)
  }

  #noteBirth(bornAt: number): void {
    this.set.noteBirth(bornAt)
    // Rounded up: a token dated here is never older than the data.
    this.#bornAtSeconds = Math.max(this.#bornAtSeconds, Math.ceil(bornAt / 1000))
  }

  /** Resolves when the set is loaded. @throws what `open` throws · `store_unavailable` */
  async load(): Promise<void> {
    await this.open()
    if (!this.isLoaded) await this.catchUp()
  }

  /** Whether all that others revoked until so many milliseconds ago is known. */
  isFresh(maxStalenessMilliseconds: number): boolean {
    if (this.#completeAsOf === undefined) return false
    const { monotonic, wall } = this.#completeAsOf
    return (
      performance.now() - monotonic < maxStalenessMilliseconds &&
      Math.abs(Date.now() - wall) < maxStalenessMilliseconds
    )
  }

  /** One read for all who wait. @throws {AuthError} `store_unavailable`, at once while a failed read is recent */
  async catchUp(): Promise<void> {
    if (this.#reading === undefined && performance.now() < this.#pausedUntil) {
      throw unavailable(new Error('The store did not answer a moment ago'))
    }
    this.#reading ??= this.#startReading()
    return this.#reading
  }

  #startReading(): Promise<void> {
    const reading = this.#read().finally(() => {
      // One that was given up since has been followed by another.
      if (this.#reading !== reading) return
      this.#reading = undefined
      if (this.#isFollowing()) this.#schedule(this.#isWoken ? this.#wakePause() : pollMilliseconds)
    })
    return reading
  }

  /** Reads to the end of the feed. What it is worth counts from when its first page was asked for. */
  async #read(): Promise<void> {
    const sent = { monotonic: performance.now(), wall: Date.now() }
    const reading = new AbortController()
    this.#abort = reading
    this.#isWoken = false
    try {
      await this.open()
      let hasMore = true
      while (hasMore) hasMore = await this.#readPage(reading)
      this.#completeAsOf = sent
      for (const { client } of this.#members) client.noteSuccess('feed')
      this.#watch()
    } catch (error) {
      this.#pausedUntil = performance.now() + pauseMilliseconds * (1 + Math.random())
      for (const { client } of this.#members) client.noteFailure('feed')
      throw error
    }
  }

  async #readPage(reading: AbortController): Promise<boolean> {
    const page = demandPage(await this.#askForPage(reading), this.#cursor)
    reading.signal.throwIfAborted()
    this.#noteBirth(page.bornAt)
    this.set.add(page.entries)
    // By whichever clock is behind: one that jumps ahead must not make anybody forget.
    this.set.forget(Math.min(page.now, Date.now()))
    this.#cursor = page.cursor
    return page.more
  }

  /** A read that was given up is told so: it need not go on. */
  async #askForPage(reading: AbortController): Promise<unknown> {
    try {
      const question = (): unknown => this.#store.revocations(this.#cursor, reading.signal)
      return await ask(question, this.#timeoutSeconds(), 'The feed of the store', { isBackground: true })
    } catch (error) {
      reading.abort()
      throw error
    }
  }

  #timeoutSeconds(): number {
    return Math.min(maxTimeoutSeconds, ...[...this.#members].map(({ timeoutSeconds }) => timeoutSeconds))
  }

  #watch(): void {
    if (!this.#isFollowing()) return
    try {
      this.#stopWatching ??= this.#store.watch?.(() => this.#wake())
    } catch {
      // Without hints the feed is read once a second, and the next read asks for them again.
    }
  }

  /** News that come while a read is under way may have come too late for it. */
  #wake(): void {
    if (this.#reading !== undefined) this.#isWoken = true
    else if (!this.#isWoken) {
      this.#isWoken = true
      this.#schedule(this.#wakePause())
    }
  }

  #wakePause(): number {
    const sinceLast = performance.now() - (this.#completeAsOf?.monotonic ?? 0)
    return Math.max(wakeMilliseconds, wakeSpacingMilliseconds - sinceLast)
  }

  #schedule(milliseconds: number): void {
    clearTimeout(this.#timer)
    const pause = Math.max(milliseconds, this.#pausedUntil - performance.now())
    this.#timer = setTimeout(() => this.#follow(), pause)
    // A process that has nothing else to do may end.
    this.#timer.unref?.()
  }

  #follow(): void {
    // Those who wait for it are told; here a failure only means that the next read comes after a pause.
    this.catchUp().catch(() => undefined)
  }
}
