// What the server has noted about the requests of this browser, and about the attacks that it started.

export type Check = { name: string; state: 'passed' | 'failed' | 'not asked' | 'not reached' }

export type Note = {
  id: number
  time: number
  run: string | null
  method: string
  route: string
  fetchMetadata: boolean
  origin: string | null
  site: string | null
  cookies: string[]
  csrfHeader: boolean
  status: number
  code: string | null
  detail: string | null
  reason: string | null
  events: string[]
  checks: Check[]
}

/** Asks for those after the one with that number; what cannot be asked is none. */
export async function fetchNotes(after: number): Promise<Note[]> {
  try {
    const response = await fetch(`/demo/timeline?after=${after}`)
    const { notes = [] }: { notes?: Note[] } = await response.json()
    return notes
  } catch {
    return []
  }
}

const pauseMs = 100
const mostTries = 50

/** Waits until the server has noted a request of that attack; `undefined` when none comes. */
export async function awaitNote(
  run: string,
  isWanted: (note: Note) => boolean = () => true,
): Promise<Note | undefined> {
  for (let tries = 0; tries < mostTries; tries++) {
    const found = (await fetchNotes(0)).find((note) => note.run === run && isWanted(note))
    if (found !== undefined) return found
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
  }
  return undefined
}

/** Where a request came from, in words. */
export function senderOf({ origin, site, run }: Note): string {
  if (site === null && origin === null) return run === null ? 'no browser' : 'a machine without a browser'
  if (origin !== null && origin !== location.origin) return origin
  if (site === 'cross-site' || site === 'same-site') return `a ${site} page`
  return 'this site'
}
