/** What sessions are to do, in as few lines as possible, and the real thing beside it; holds no test itself. */

/* oxlint-disable vitest/no-standalone-expect -- these run inside tests */

import { expect } from 'vitest'
import type { AuthOptions, Store } from '../src/index.ts'
import { createClock, startSeconds } from './_setup.ts'
import type { TestClock } from './_setup.ts'
import { createSite } from './_sessions.ts'
import type { Answer, Browser, Site } from './_sessions.ts'

const graceSeconds = 30
const accessSeconds = 900
/** Beyond the end of an access token its revocation is remembered for so long. */
const marginSeconds = 360
const skewSeconds = 5

/** A session as the specification has it. */
interface ModelSession {
  generation: number
  rotatedAt: number | null
  isAlive: boolean
  /** Whether it ended in a step whose answer got lost, so that no process knows but the store. */
  isUntold: boolean
}

/** Cookies that a browser once had; a thief may still have them. */
export interface Jar {
  readonly sid: string
  readonly generation: number
  readonly issuedAt: number
}

/** What a refresh token may turn out to be, and the code that answers it. */
const codes = {
  rotated: 'ok',
  kept: 'ok',
  grace: 'ok',
  late: 'refresh_reused',
  reused: 'refresh_reused',
  revoked: 'token_revoked',
}

type Verdict = keyof typeof codes

const lost = (verdict: Verdict): string => `${verdict}, and the answer got lost`

/** What the runs have to come to if they are to prove anything. */
export const verdicts: readonly string[] = [...Object.keys(codes), lost('rotated'), lost('reused')]

export class Model {
  now: number = startSeconds
  /** The latest time that there was, before clocks stepped back. */
  latest: number = startSeconds
  /** `lost`: the store does what it is asked, and nobody hears of it. */
  fault: 'away' | 'lost' | null = null
  readonly #isStrict: boolean
  readonly sessions = new Map<string, ModelSession>()
  readonly jars: Jar[] = []

  readonly #reached: Set<string>

  constructor({ revocation }: AuthOptions, reached: Set<string>) {
    this.#isStrict = revocation === 'strict'
    this.#reached = reached
  }

  get isFaulty(): boolean {
    return this.fault !== null
  }

  session({ sid }: Jar): ModelSession {
    const session = this.sessions.get(sid)
    if (session === undefined) throw new Error('the model knows no such session')
    return session
  }

  isYetToCome({ issuedAt }: Jar): boolean {
    return issuedAt > this.now + skewSeconds
  }

  /** The code of a refresh, and what it does to the session. */
  refresh(jar: Jar): string {
    const unasked = this.#unasked(jar)
    if (unasked !== null) return unasked
    const session = this.session(jar)
    const verdict = this.#judge(jar)
    this.#reached.add(this.isFaulty ? lost(verdict) : verdict)
    if (verdict === 'rotated') Object.assign(session, { generation: jar.generation + 1, rotatedAt: this.now })
    if (verdict === 'reused') this.end(session)
    return this.isFaulty ? 'store_unavailable' : codes[verdict]
  }

  /** The code of a guard of refresh tokens, which changes nothing. */
  judge(jar: Jar): string {
    return this.#unasked(jar) ?? (this.isFaulty ? 'store_unavailable' : codes[this.#judge(jar)])
  }

  /** The code of what the store has no say in. */
  #unasked(jar: Jar): string | null {
    if (this.isYetToCome(jar)) return 'token_invalid'
    return this.fault === 'away' ? 'store_unavailable' : null
  }

  #judge(jar: Jar): Verdict {
    const { isAlive, generation, rotatedAt } = this.session(jar)
    if (!isAlive) return 'revoked'
    const behind = generation - jar.generation
    const isWithinGrace = rotatedAt !== null && Math.abs(this.now - rotatedAt) <= graceSeconds
    if (behind === 0) return isWithinGrace ? 'kept' : 'rotated'
    if (behind === 1 && isWithinGrace) return 'grace'
    // By a clock that stepped back nobody knows how late it is.
    return behind === 1 && rotatedAt !== null && this.now < rotatedAt ? 'late' : 'reused'
  }

  /** The codes that a guard of the access token may answer. */
  guard(jar: Jar): readonly string[] {
    if (jar.issuedAt + accessSeconds <= this.now) return ['token_expired']
    if (this.isYetToCome(jar)) return ['token_invalid']
    const { isAlive, isUntold } = this.session(jar)
    // What cannot be asked is no yes; what is known to be ended may be said all the same.
    const unasked = this.isFaulty ? ['store_unavailable'] : []
    if (this.isFaulty && this.#isStrict) return isAlive ? unasked : ['token_revoked', ...unasked]
    // What had expired when it was forgotten is valid again by a clock that stepped back.
    const isForgotten = jar.issuedAt + accessSeconds + marginSeconds <= this.latest
    const mayPass = isAlive || isForgotten || (isUntold && this.isFaulty)
    return [...(mayPass ? ['ok'] : []), ...(isAlive ? [] : ['token_revoked']), ...unasked]
  }

  /** A session ends in the store; the process that asked knows, unless the answer gets lost. */
  end(session: ModelSession): void {
    if (!session.isAlive) return
    session.isAlive = false
    session.isUntold = this.isFaulty
  }

  endAll(): void {
    for (const session of this.sessions.values()) this.end(session)
  }

  /**
   * Whose cookies a number means: mostly somebody's whose session lives, since with others little can happen.
   *
   * @returns their place among the jars
   */
  who(number: number): number {
    const all = [...this.jars.keys()]
    const live = all.filter((place) => this.session(this.jar(place)).isAlive)
    const from = number % 4 === 0 || live.length === 0 ? all : live
    return from[Math.floor(number / 4) % from.length] ?? 0
  }

  jar(place: number): Jar {
    const jar = this.jars[place]
    if (jar === undefined) throw new Error('nobody has signed in yet')
    return jar
  }
}

const faults: readonly ((honest: () => unknown) => unknown)[] = [
  () => {
    throw new Error('away')
  },
  async () => Promise.reject(new Error('away')),
  async () => Promise.reject('no error at all'),
  async () => undefined,
  async () => ({}),
  async () => 'no',
  async (honest) => {
    await honest()
    throw new Error('the answer got lost')
  },
]

/** The kinds of faults; the last one does what it is asked. */
export const lastFault: number = faults.length - 1

/** A store that answers as it is told. */
function breakable(store: Store, fault: () => number | null): Store {
  return new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name)
      if (typeof member !== 'function') return member
      return (...parameters: unknown[]): unknown => {
        const kind = name === 'close' || name === 'watch' ? null : fault()
        const honest = (): unknown => Reflect.apply(member, target, parameters)
        const broken = kind === null ? undefined : faults[kind]
        return broken === undefined ? honest() : broken(honest)
      }
    },
  })
}

/** The real thing: a server that can be restarted, and every jar that any browser ever had. */
export class Real {
  readonly #options: AuthOptions
  readonly #store: Store
  readonly #clock: TestClock
  readonly #jars: Readonly<Record<string, string>>[] = []
  /** The claims of each generation that anybody has got. */
  readonly #lineage = new Map<string, string>()
  fault: number | null = null
  site: Site

  constructor(makeStore: (clock: () => number) => Store, options: AuthOptions) {
    this.#clock = createClock()
    this.#store = makeStore(this.#clock)
    this.#options = { ...options, rotationGrace: graceSeconds }
    this.site = this.#start()
  }

  advance(seconds: number): void {
    this.#clock.advance(seconds)
  }

  /** A process of its own: what another one knew of the store is not known to it. */
  #start(): Site {
    const store = breakable(this.#store, () => this.fault)
    return createSite({ ...this.#options, store }, this.#clock)
  }

  async restart(): Promise<void> {
    await this.site.auth.close()
    this.site = this.#start()
    await this.site.auth.ready()
  }

  /** A browser of this server with the cookies of a jar; a new one each time. */
  browser(place: number): Browser {
    const browser = this.site.browser()
    browser.jar = { ...this.#jars[place] }
    return browser
  }

  /** Takes a jar in, and demands that all of one generation hold the same claims. */
  keep(model: Model, browser: Browser, answer: Answer): void {
    expect(answer.setCookies).toHaveLength(4)
    const { sid, gen, iat } = browser.claims()
    const claims = JSON.stringify([browser.claims(), browser.claims('access')])
    const key = `${String(sid)} ${String(gen)}`
    expect(this.#lineage.get(key) ?? claims).toBe(claims)
    this.#lineage.set(key, claims)
    this.#jars.push({ ...browser.jar })
    const jar = { sid: String(sid), generation: Number(gen), issuedAt: Number(iat) }
    model.jars.push(jar)
    expect(model.session(jar).generation).toBe(gen)
  }
}
