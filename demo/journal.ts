// What happened, for the page's timeline: the newest requests of each browser. It keeps no token, value or claim.

import { AsyncLocalStorage } from 'node:async_hooks'
import type { AuthEvent } from 'tallystick'
import type { Check } from './checks.ts'

/** One request and its answer, in words that are no secrets. */
export type Note = {
  id: number
  /** Milliseconds since 1970. */
  time: number
  /** The attack that it belongs to. */
  run: string | null
  method: string
  /** The path, with a name in place of what it names. */
  route: string
  /** Whether the route stands behind the origin check. */
  fetchMetadata: boolean
  /** What the browser says of the page that sent it: the headers Origin and Sec-Fetch-Site. */
  origin: string | null
  site: string | null
  /** The names of the token cookies that came along; one that came twice stands there twice. */
  cookies: string[]
  csrfHeader: boolean
  status: number
  code: string | null
  detail: string | null
  reason: string | null
  /** The types of the events of this request, but for its refusal. */
  events: string[]
  checks: Check[]
}

export type Journal = {
  /** Give it to `createAuth`: it is told which request an event belongs to by the request's asynchronous context. */
  onEvent: (event: AuthEvent) => void
  /** Runs the handler of a request, and gives the events that it has caused. */
  listen: (handler: () => Promise<void>) => Promise<AuthEvent[]>
  /** A browser that has not been here yet: the name by which its requests are filed. */
  open: () => string
  knows: (browser: string | undefined) => browser is string
  /** An attack that this browser starts: the requests that carry its name are filed here too. */
  openRun: (browser: string) => string
  browserOfRun: (run: string | undefined) => string | undefined
  add: (browser: string, note: Omit<Note, 'id'>) => number
  /** The requests after the one with that number, the oldest first. */
  since: (browser: string, id: number) => Note[]
}

const mostBrowsers = 100
const mostRuns = 500
const mostNotes = 100
const mostEvents = 20

export function createJournal(): Journal {
  const contexts = new AsyncLocalStorage<AuthEvent[]>()
  const browsers = new Map<string, Note[]>()
  const runs = new Map<string, string>()
  let lastId = 0

  return {
    onEvent(event) {
      const events = contexts.getStore()
      if (events !== undefined && events.length < mostEvents) events.push(event)
    },
    async listen(handler) {
      const events: AuthEvent[] = []
      await contexts.run(events, handler)
      return events
    },
    open() {
      const browser = crypto.randomUUID()
      keep(browsers, browser, [], mostBrowsers)
      return browser
    },
    knows: (browser): browser is string => browser !== undefined && browsers.has(browser),
    openRun(browser) {
      const run = crypto.randomUUID()
      keep(runs, run, browser, mostRuns)
      return run
    },
    browserOfRun: (run) => (run === undefined ? undefined : runs.get(run)),
    add(browser, note) {
      const notes = browsers.get(browser) ?? []
      lastId += 1
      notes.push({ id: lastId, ...note })
      if (notes.length > mostNotes) notes.shift()
      // The one that was used last goes last.
      if (browsers.delete(browser)) browsers.set(browser, notes)
      return lastId
    },
    since: (browser, id) => (browsers.get(browser) ?? []).filter((note) => note.id > id),
  }
}

/** Forgets the oldest entry when there are too many. */
function keep<Value>(map: Map<string, Value>, key: string, value: Value, most: number): void {
  map.set(key, value)
  const [oldest] = map.keys()
  if (map.size > most && oldest !== undefined) map.delete(oldest)
}
