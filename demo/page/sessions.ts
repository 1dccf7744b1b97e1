// The panel "Where you are signed in": asks for the sessions, and shows each with a button to end it.

import { authFetch } from './requests.ts'
import { fillTemplate, findElement } from './template.ts'

export type Session = {
  id: string
  createdAt: number
  lastSeenAt: number
  current: boolean
  userAgent?: string
  address?: string
}

/** The sessions, or the reason why there are none to show. */
type Answer = { sessions: Session[]; notice: string }

export type SessionPanel = {
  /** Asks anew; with nobody signed in there is nothing to ask. */
  show: (isSignedIn: boolean) => Promise<void>
}

const timeFormat = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' })

/** Of what a client says of itself, where that is not understood. */
const mostCharacters = 60

const silence = 'The server did not answer, so this list is not known.'
const noneNoted = 'None that the server has noted. A refresh notes this one.'
const atItsEnd = 'The access token is at its end: refresh to see the list.'

/** Why the server did not say, by the code of its refusal. */
const refusals = new Map<unknown, string>([
  ['token_missing', atItsEnd],
  ['token_expired', atItsEnd],
  ['token_revoked', 'This session was ended elsewhere. Sign out here, then sign in again.'],
  ['token_invalid', 'This server did not sign that token. Sign out here, then sign in again.'],
  ['store_unavailable', 'The server cannot reach its store, so this list is not known.'],
])

/**
 * @param title Takes the focus of a row that has gone.
 * @param end Is told of the session whose button was pressed.
 */
export function createSessionPanel(
  title: HTMLElement,
  list: HTMLElement,
  notice: HTMLElement,
  end: (session: Session) => void,
): SessionPanel {
  let newest = 0
  const rows = new Map<string, HTMLElement>()

  /** Rows that stay are left where they are: a finger or a screen reader may be on them. */
  function showRows(sessions: readonly Session[]): void {
    const shown = new Map(sessions.map((session) => [keyOf(session), session]))
    for (const [key, row] of rows) {
      if (shown.has(key)) continue
      if (row.contains(document.activeElement)) title.focus()
      row.remove()
      rows.delete(key)
    }
    for (const [index, [key, session]] of [...shown].entries()) {
      const row = rows.get(key) ?? createRow(session, end)
      rows.set(key, row)
      nameRow(row, session)
      if (list.children[index] !== row) list.insertBefore(row, list.children[index] ?? null)
    }
  }

  return {
    async show(isSignedIn) {
      const asked = ++newest
      const answer = isSignedIn ? await ask() : { sessions: [], notice: '' }
      // A later question has been answered, or is under way.
      if (asked !== newest) return
      showRows(answer.sessions)
      // The same words again would be read out again.
      if (notice.textContent !== answer.notice) notice.textContent = answer.notice
    },
  }
}

async function ask(): Promise<Answer> {
  try {
    const response = await authFetch('/sessions')
    const { sessions = [], code }: { sessions?: Session[]; code?: string } = await response.json()
    if (response.ok) return { sessions, notice: sessions.length === 0 ? noneNoted : '' }
    return { sessions: [], notice: refusals.get(code) ?? 'The server does not say.' }
  } catch {
    return { sessions: [], notice: silence }
  }
}

/** What a row shows and never changes. */
function keyOf({ id, current }: Session): string {
  return `${id} ${current}`
}

function createRow(session: Session, end: (session: Session) => void): HTMLElement {
  const fragment = fillTemplate('session-row', {
    name: nameOf(session.userAgent),
    current: session.current ? 'this browser' : null,
    address: session.address ?? null,
    since: timeFormat.format(session.createdAt * 1000),
  })
  findElement('button', HTMLButtonElement, fragment).addEventListener('click', () => end(session))
  return findElement('li', HTMLElement, fragment)
}

/** The moment of the last refresh is what tells two sessions of one kind of browser apart. */
function nameRow(row: HTMLElement, { current, lastSeenAt, userAgent }: Session): void {
  const seen = timeFormat.format(lastSeenAt * 1000)
  findElement('[data-part="seen"]', HTMLElement, row).textContent = seen
  const label = `End ${nameOf(userAgent)}, last seen ${seen}${current ? ', this browser' : ''}`
  findElement('button', HTMLButtonElement, row).setAttribute('aria-label', label)
}

const browsers = [
  ['Edge', /\bEdg(?:A|iOS)?\//],
  ['Opera', /\bOPR\//],
  ['Firefox', /\b(?:Firefox|FxiOS)\//],
  ['Chrome', /\b(?:Headless)?Chrome\/|\bCriOS\//],
  ['Safari', /\bSafari\//],
  ['curl', /^curl\//],
] as const
const systems = [
  ['Windows', /\bWindows\b/],
  ['Android', /\bAndroid\b/],
  ['iOS', /\b(?:iPhone|iPad)\b/],
  ['macOS', /\bMac OS X\b/],
  ['Linux', /\bLinux\b/],
] as const

/** A browser's word on itself in two words, as far as they are known. */
function nameOf(userAgent: string | undefined): string {
  if (userAgent === undefined || userAgent === '') return 'Unknown browser'
  const [browser] = browsers.find(([, pattern]) => pattern.test(userAgent)) ?? []
  const [system] = systems.find(([, pattern]) => pattern.test(userAgent)) ?? []
  if (browser === undefined) return shorten(userAgent)
  return system === undefined ? browser : `${browser} on ${system}`
}

function shorten(text: string): string {
  return text.length > mostCharacters ? `${text.slice(0, mostCharacters)}…` : text
}
