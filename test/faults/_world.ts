/** Two servers on one store, of which one can lose it; holds no test itself. */

import { webAuth } from '../../src/adapters/web.ts'
import type { Store } from '../../src/index.ts'
import { createSite } from '../_sessions.ts'
import type { Browser, Site } from '../_sessions.ts'
import { cookieHeader } from '../_setup.ts'
import type { Driver, Line } from './_lines.ts'
import { Relay } from './_relay.ts'

/** What an operator would least like to see; whatever it is, no test of these files may cause it. */
export const problems: unknown[] = []
for (const name of ['unhandledRejection', 'uncaughtException'] as const) {
  process.on(name, (problem: unknown) => problems.push(problem))
}

export interface World {
  /** The prefix or schema. */
  readonly place: string
  /** Talks to the store through the relay. */
  readonly here: Site
  /** Talks to it directly. */
  readonly there: Site
  readonly relay: Relay
  /** How many milliseconds ago the last read of the feed was sent from here that has been answered. */
  age(): number
  /** Waits for a read of the feed that is sent from here from now on. */
  read(): Promise<void>
  close(): Promise<void>
}

const systemClock = (): number => Date.now() / 1000

/** Runs a test with two servers, and ends them. */
export async function withWorld(
  driver: Driver,
  port: number,
  play: (world: World) => Promise<void>,
  wrap: (store: Store) => Store = (store) => store,
): Promise<void> {
  const world = await createWorld(driver, port, wrap)
  try {
    await play(world)
    if (problems.length > 0) throw new AggregateError(problems, 'Nobody has caught these')
  } finally {
    await world.close()
  }
}

async function createWorld(driver: Driver, port: number, wrap: (store: Store) => Store): Promise<World> {
  const place = `faults_${crypto.randomUUID().slice(0, 8)}`
  const relay = await Relay.open(port)
  const lines: Line[] = []
  let lastSent = -Infinity
  const connect = async (through: number, note: (sent: number) => void): Promise<Site> => {
    const line = await driver.connect(through, place)
    lines.push(line)
    const store = noting(through === relay.port ? wrap(line.store) : line.store, note)
    const site = createSite({ clock: systemClock, maxStaleness: 1, storeTimeout: 1, store })
    await site.auth.ready()
    return site
  }
  const here = await connect(relay.port, (sent) => {
    lastSent = sent
  })
  const there = await connect(port, () => undefined)
  const age = (): number => performance.now() - lastSent
  return {
    place,
    here,
    there,
    relay,
    age,
    async read() {
      const start = performance.now()
      await until('a read of the feed', () => lastSent >= start)
    },
    async close() {
      await Promise.all([here.auth.close(), there.auth.close()])
      await Promise.all(lines.map((line) => line.end()))
      await relay.close()
    },
  }
}

/** The same store, of which every answered read of the feed is noted. */
function noting(store: Store, note: (sent: number) => void): Store {
  const revocations: Store['revocations'] = async (cursor, signal) => {
    const sent = performance.now()
    const page = await store.revocations(cursor, signal)
    note(sent)
    return page
  }
  return changed(store, { revocations })
}

/** The same store, but for some of its methods. */
export function changed(store: Store, changes: Partial<Store>): Store {
  return new Proxy(store, {
    get(target, name) {
      if (Object.hasOwn(changes, name)) return Reflect.get(changes, name) as unknown
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
}

/** Waits until something is so, and not for ever. */
export async function until(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  seconds = 20,
): Promise<void> {
  for (const end = performance.now() + seconds * 1000; ;) {
    if (await isSo()) return
    if (performance.now() > end) throw new Error(`Not within ${seconds} seconds: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
}

/** The same cookies, at the other server. */
export function at(site: Site, browser: Browser): Browser {
  const same = site.browser()
  same.jar = { ...browser.jar }
  return same
}

export async function signedIn(site: Site, subject: string): Promise<Browser> {
  const browser = site.browser()
  const { code } = await browser.login(subject)
  if (code !== 'ok') throw new Error(`The sign-in of ${subject} was answered ${code}`)
  return browser
}

export function sidOf(browser: Browser): string {
  return String(browser.claims()['sid'])
}

/** What a protected route answers, with its headers. */
export async function visit({ auth }: Site, { jar }: Browser): Promise<Response> {
  const route = webAuth(auth).jwtRequired()((_request: Request) => Response.json({}))
  return route(new Request('https://app.example/', { headers: { cookie: cookieHeader(jar) } }))
}
