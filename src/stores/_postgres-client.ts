/** What the PostgreSQL store uses of a client, one form for the drivers; must never end a client, nor crash for it. */

/** What is used of postgres.js: `postgres(url)`. */
interface PostgresJsClient {
  /** `prepare` is on unless the user has switched it off, for a pooler between. */
  readonly options: { readonly prepare: boolean }
  unsafe(
    text: string,
    values: string[],
    options: { readonly prepare: boolean },
  ): PromiseLike<readonly unknown[]>
  listen(
    channel: string,
    onNotify: (payload: string) => void,
    onListen?: () => void,
  ): PromiseLike<{ unlisten(): Promise<unknown> }>
}

/** What is used of a `Pool` or `Client` of pg, and of a PGlite. */
interface QueryClient {
  query(text: string, values: string[]): Promise<{ readonly rows: readonly unknown[] }>
}

/** A client that `postgresStore` takes. */
export type PostgresClient = PostgresJsClient | QueryClient

/** One way to talk to PostgreSQL. */
export interface Connection {
  /** Runs one statement; prepared under a name only where the client does so anyway. */
  ask(text: string, values: string[]): Promise<readonly unknown[]>
  /** Calls `wake` for every notification, as far as that is possible; returns what stops it. */
  listen(channel: string, wake: () => void): () => void
  /** What an operator should put right about the client. */
  readonly warnings: readonly string[]
}

/** @throws {TypeError} for what is no client */
export function connectionOf(client: PostgresClient): Connection {
  if (isPostgresJs(client)) {
    return {
      // Unprepared, it asks for the types of the parameters first: two round trips.
      ask: async (text, values) => client.unsafe(text, values, { prepare: client.options.prepare }),
      listen: (channel, wake) =>
        listenBy(async (hear) => {
          const listening = await client.listen(channel, hear, hear)
          return () => listening.unlisten()
        }, wake),
      warnings: [],
    }
  }
  if (!has(client, 'query')) throw new TypeError('client must be a Pool of pg, a postgres.js or a PGlite')
  return {
    ask: async (text, values) => (await client.query(text, values)).rows,
    listen(channel, wake) {
      // A pool of one would have nobody left to answer.
      if (isPool(client))
        return client.options.max > 1 ? new PoolListener(client, channel, wake).stop : doNothing
      return isPglite(client) ? listenBy((hear) => client.listen(channel, hear), wake) : doNothing
    },
    warnings: isPool(client) && client.listenerCount('error') === 0 ? [poolWithoutErrorListener] : [],
  }
}

const poolWithoutErrorListener =
  'The Pool of pg has no listener for error, so the loss of an idle connection ends the process: add one'

interface Pool extends QueryClient {
  readonly options: { readonly max: number }
  listenerCount(event: string): number
  connect(): Promise<PoolClient>
}

interface PoolClient extends QueryClient {
  on(event: string, listener: () => void): unknown
  release(isBroken: boolean): void
  unref?(): void
}

interface Pglite extends QueryClient {
  listen(channel: string, hear: () => void): Promise<() => Promise<void>>
}

function has(client: object, method: string): boolean {
  return typeof (client as Record<string, unknown>)[method] === 'function'
}

function isPostgresJs(client: PostgresClient): client is PostgresJsClient {
  return has(client, 'unsafe') && has(client, 'listen')
}

function isPool(client: QueryClient): client is Pool {
  return (
    has(client, 'connect') && has(client, 'listenerCount') && 'totalCount' in client && 'options' in client
  )
}

function isPglite(client: QueryClient): client is Pglite {
  return has(client, 'listen')
}

function doNothing(): void {
  // There is nothing to stop.
}

/** Listens by a client that does so itself, and comes back by itself. */
function listenBy(
  listen: (hear: () => void) => Promise<() => Promise<unknown>>,
  wake: () => void,
): () => void {
  let isStopped = false
  const listening = listen(() => {
    if (!isStopped) wake()
  })
  // Wake-ups are a hint, and the feed is read without them too.
  listening.catch(doNothing)
  return () => {
    if (isStopped) return
    isStopped = true
    listening.then((unlisten) => unlisten()).catch(doNothing)
  }
}

const firstDelay = 500
const longestDelay = 30_000

/** Takes one client out of a pool to listen, and another when that one is lost. */
class PoolListener {
  readonly #pool: Pool
  readonly #channel: string
  readonly #wake: () => void
  #delay = firstDelay
  #isStopped = false
  #release = doNothing
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(pool: Pool, channel: string, wake: () => void) {
    this.#pool = pool
    this.#channel = channel
    this.#wake = wake
    void this.#start()
  }

  async #start(): Promise<void> {
    let release = doNothing
    const lose = once(() => {
      release()
      this.#retry()
    })
    try {
      const client = await this.#pool.connect()
      release = once(() => client.release(true))
      // Without a listener for it, an error would end the process.
      client.on('error', lose)
      client.on('end', lose)
      client.on('notification', () => this.#hear())
      client.unref?.()
      this.#release = release
      if (this.#isStopped) return release()
      await client.query(`listen "${this.#channel}"`, [])
      this.#delay = firstDelay
      // Something may have been told while nobody listened.
      this.#hear()
    } catch {
      lose()
    }
  }

  #hear(): void {
    if (!this.#isStopped) this.#wake()
  }

  #retry(): void {
    if (this.#isStopped) return
    this.#timer = setTimeout(() => void this.#start(), this.#delay)
    this.#timer.unref?.()
    this.#delay = Math.min(this.#delay * 2, longestDelay)
  }

  readonly stop = (): void => {
    this.#isStopped = true
    clearTimeout(this.#timer)
    this.#release()
  }
}

function once(action: () => void): () => void {
  let isDone = false
  return () => {
    if (isDone) return
    isDone = true
    action()
  }
}
