/** Verifies tokens with the public keys that another service publishes; fetches when its set is old, and never more often for what tokens say. */

import { ask, unavailable } from './deadline.ts'
import { AuthError } from './errors.ts'
import type { Emitter } from './events.ts'
import { algorithmProblem, importKey, isJwk } from './key-material.ts'
import { algorithms, createJwsKey, verifyJws } from './jws.ts'
import type { AlgorithmEntry, JwsKey, JwsKeys, VerifiedJws } from './jws.ts'
import type { MaybePromise } from './maybe.ts'

/** The option `jwksUri`, resolved; all times in seconds. */
export interface RemoteKeySettings {
  readonly uri: string
  /** For how long a set is used before it is fetched again. */
  readonly maxAge: number
  /** The least time between two fetches, and after one that failed. */
  readonly cooldown: number
  readonly timeout: number
}

/** The part of jose's remote set that is used. */
interface RemoteSet {
  readonly fresh: boolean
  readonly coolingDown: boolean
  reload(): Promise<void>
  jwks(): { readonly keys: readonly unknown[] } | undefined
}

const message = 'The keys of the service that signs cannot be fetched at the moment'

/** An honest set has some dozens of keys at most, and each takes its time to be judged. */
const mostBytes = 262_144
const mostKeys = 100

/** The keys behind one address. */
export class RemoteKeys {
  readonly #settings: RemoteKeySettings
  readonly #names: readonly string[]
  readonly #emitter: Emitter
  readonly #onChange: () => void
  #remote: RemoteSet | undefined
  #keys: JwsKeys | undefined
  /** What the keys were made of. */
  #text = ''
  #reloading: Promise<void> | undefined
  #failure: { readonly at: number; readonly cause: unknown } | undefined

  /**
   * @param names The allow-list of algorithms.
   * @param onChange Is told when keys have come or gone.
   */
  constructor(settings: RemoteKeySettings, names: readonly string[], emitter: Emitter, onChange: () => void) {
    this.#settings = settings
    this.#names = names
    this.#emitter = emitter
    this.#onChange = onChange
  }

  /** Fetches the keys unless they are here. @throws {AuthError} `store_unavailable` @throws {TypeError} without jose */
  async ready(): Promise<void> {
    if (this.#remote?.fresh !== true) await this.#reload()
  }

  /**
   * What has to be waited for before tokens are judged: the first set, and one in place of a set that is old.
   *
   * After a fetch that failed the last set goes on serving, and fetches are tried in the background.
   *
   * @throws {AuthError} `store_unavailable` when there has never been a set
   */
  renew(): Promise<void> | undefined {
    if (this.#remote?.fresh === true) return undefined
    const canFetch = !this.#isCoolingDown()
    if (this.#keys === undefined) {
      if (!canFetch) throw unavailable(this.#failure?.cause, message)
      return this.#reload()
    }
    if (!canFetch) return undefined
    const isFailing = this.#failure !== undefined
    const reloaded = this.#reload().catch(tolerate)
    return isFailing ? undefined : reloaded
  }

  /** Verifies with the set at hand; for a key that is not in it, with a new one, if it was not fetched just now. */
  verify(token: string): MaybePromise<VerifiedJws> {
    const keys = this.#demandKeys()
    try {
      return verifyJws(token, keys)
    } catch (error) {
      const isUnknown = AuthError.is(error, 'token_invalid') && error.cause === 'key_unknown'
      if (!isUnknown || this.#isCoolingDown()) throw error
      return this.#reload()
        .catch(tolerate)
        .then(() => verifyJws(token, this.#demandKeys()))
    }
  }

  #demandKeys(): JwsKeys {
    if (this.#keys === undefined) throw unavailable(this.#failure?.cause, message)
    return this.#keys
  }

  #isCoolingDown(): boolean {
    // One fetch under way answers for all who would start another.
    if (this.#reloading !== undefined) return false
    const { cooldown } = this.#settings
    const failedAt = this.#failure?.at ?? Number.NEGATIVE_INFINITY
    return this.#remote?.coolingDown === true || Date.now() < failedAt + cooldown * 1000
  }

  #reload(): Promise<void> {
    this.#reloading ??= this.#fetch().finally(() => {
      this.#reloading = undefined
    })
    return this.#reloading
  }

  async #fetch(): Promise<void> {
    const { uri, timeout } = this.#settings
    this.#remote ??= await openRemoteSet(this.#settings)
    const remote = this.#remote
    try {
      // Their own limit ends the request; this one ends the waiting, whatever becomes of it.
      await ask(() => remote.reload(), timeout + 1, `The key set at ${uri}`, { isBackground: true, message })
    } catch (error) {
      const isFirst = this.#failure === undefined
      this.#failure = { at: Date.now(), cause: AuthError.is(error) ? error.cause : error }
      if (isFirst && this.#emitter.active()) this.#emitter.emit({ type: 'keys.unavailable' })
      throw error
    }
    const hasFailed = this.#failure !== undefined
    this.#failure = undefined
    if (hasFailed && this.#emitter.active()) this.#emitter.emit({ type: 'keys.recovered' })
    this.#take(remote.jwks()?.keys ?? [])
  }

  #take(jwks: readonly unknown[]): void {
    const text = JSON.stringify(jwks)
    if (text === this.#text && this.#keys !== undefined) return
    const byKid = readKeySet(jwks, this.#names)
    this.#text = text
    this.#keys = {
      defaultAlgorithm: undefined,
      signers: new Map(),
      algorithms: new Set(this.#names),
      verifiers: new Map(),
      byKid,
      byEncodedHeader: new Map([...byKid.values()].map((key) => [key.encodedHeader, key])),
    }
    this.#onChange()
    const unusable = jwks.length - byKid.size
    if (unusable === 0 || !this.#emitter.active()) return
    this.#emitter.emit({
      type: 'keys.warning',
      remedy: `${unusable} of ${jwks.length} keys of jwksUri cannot be used: each needs a kid of its own, "use": "sig" or none, enough strength, and exactly one algorithm of decodeAlgorithms`,
    })
  }
}

/** The failure is remembered, and the last set goes on serving; what is wrong with this program is told all the same. */
function tolerate(error: unknown): void {
  if (!AuthError.is(error, 'store_unavailable')) throw error
}

/** Judges each key as one that is given here; those that fail, or share a name, are left out. */
function readKeySet(jwks: readonly unknown[], names: readonly string[]): Map<string, JwsKey> {
  const entries = names.flatMap((name) => algorithms.get(name) ?? [])
  const byKid = new Map<string, JwsKey>()
  const seen = new Set<string>()
  for (const jwk of jwks) {
    const kid = isJwk(jwk) ? jwk.kid : undefined
    if (typeof kid !== 'string' || kid === '') continue
    const key = readKey(jwk, kid, entries)
    if (key !== undefined && !seen.has(kid)) byKid.set(kid, key)
    // Of two keys of one name neither is the one that is meant.
    if (seen.has(kid)) byKid.delete(kid)
    seen.add(kid)
  }
  return byKid
}

function readKey(jwk: unknown, kid: string, entries: readonly AlgorithmEntry[]): JwsKey | undefined {
  if (!isJwk(jwk)) return undefined
  const imported = importKey({ publicKey: jwk }, () => undefined)
  if (imported === undefined) return undefined
  // The header of a token must not choose: a key that fits several algorithms has to say which one it is for.
  const fitting = entries.filter((entry) => algorithmProblem(entry, imported, false) === null)
  const [algorithm, ...further] = fitting
  if (algorithm === undefined || further.length > 0) return undefined
  return createJwsKey({ algorithm, kid, verify: algorithm.createVerifier(imported.verifying) })
}

async function openRemoteSet({ uri, timeout, maxAge, cooldown }: RemoteKeySettings): Promise<RemoteSet> {
  const { createRemoteJWKSet, customFetch } = await import('jose').catch(() => {
    throw new TypeError("The option jwksUri needs the package 'jose': npm install jose")
  })
  return createRemoteJWKSet(new URL(uri), {
    timeoutDuration: timeout * 1000,
    cacheMaxAge: maxAge * 1000,
    cooldownDuration: cooldown * 1000,
    // It follows no redirect, so that what is fetched comes from where the option says.
    [customFetch]: async (url: string, options: RequestInit): Promise<Response> =>
      readBounded(await fetch(url, options)),
  })
}

/** An answer that never ends must not fill the memory until the time is over. */
async function readBounded(response: Response): Promise<Response> {
  const chunks: Uint8Array<ArrayBuffer>[] = []
  let length = 0
  const reader = response.body?.getReader()
  for (let chunk = await reader?.read(); chunk?.value !== undefined; chunk = await reader?.read()) {
    length += chunk.value.length
    if (length > mostBytes) {
      await reader?.cancel()
      throw new Error(`The key set is longer than ${mostBytes} bytes`)
    }
    chunks.push(chunk.value)
  }
  const body = new Blob(chunks)
  if (response.status === 200) demandFewKeys(await body.text())
  return new Response(body, { status: response.status })
}

function demandFewKeys(text: string): void {
  // What is wrong with it in any other way is found where it is read.
  const { keys } = Object(JSON.parse(text)) as { keys?: unknown }
  if (Array.isArray(keys) && keys.length > mostKeys)
    throw new Error(`The key set holds more than ${mostKeys} keys`)
}
