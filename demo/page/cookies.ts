// The panel "Your cookies": what the browser holds, and what of it script can see. It never touches a token.

import type { Life } from './life.ts'
import { fillTemplate } from './template.ts'

export type Cookie = { name: string; value: string }
type Change = 'new' | 'changed'

/** A cookie as the server got it, with the flags that it sets. */
export type HeldCookie = {
  name: string
  bytes: number
  path: string
  httpOnly: boolean
  secure: boolean
  sameSite: string
}

export type Lives = { access: Life | null; refresh: Life | null }

export function readCookies(): Cookie[] {
  return document.cookie
    .split('; ')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const [name = '', ...rest] = pair.split('=')
      return { name, value: rest.join('=') }
    })
}

/**
 * Returns a function that shows the cookies of this moment and tags what has changed since its last call.
 *
 * @param held What the server says; `null` where it does not, and what script sees is all that is known.
 */
export function createCookiePanel(
  list: HTMLElement,
  empty: HTMLElement,
): (held: readonly HeldCookie[] | null, lives: Lives) => void {
  let before: ReadonlyMap<string, string> | undefined
  let changes: ReadonlyMap<string, Change> = new Map()

  return (held, lives) => {
    // Browsers list them by age, so that each refresh would swap the rows.
    const readable = readCookies().toSorted((left, right) => left.name.localeCompare(right.name))
    const now = new Map(readable.map(({ name, value }) => [name, value]))
    // A tag stays until the next change, however often the panel is drawn meanwhile.
    if (before !== undefined && !isSame(before, now)) changes = changesOf(before, now)
    before = now
    const rows =
      held?.map((cookie) => heldRow(cookie, now, changes, lives)) ??
      readable.map(({ name, value }) => {
        return fillTemplate('cookie-row', {
          name,
          value,
          change: changes.get(name) ?? null,
          sight: 'Script reads',
          flags: null,
        })
      })
    list.replaceChildren(...rows)
    empty.hidden = rows.length > 0
  }
}

function isSame(left: ReadonlyMap<string, string>, right: ReadonlyMap<string, string>): boolean {
  return left.size === right.size && [...left].every(([name, value]) => right.get(name) === value)
}

function changesOf(
  before: ReadonlyMap<string, string>,
  now: ReadonlyMap<string, string>,
): ReadonlyMap<string, Change> {
  const changed = [...now].filter(([name, value]) => before.get(name) !== value)
  return new Map(changed.map(([name]) => [name, before.has(name) ? 'changed' : 'new']))
}

function heldRow(
  { name, httpOnly, bytes, path, secure, sameSite }: HeldCookie,
  readable: ReadonlyMap<string, string>,
  changes: ReadonlyMap<string, Change>,
  lives: Lives,
): DocumentFragment {
  const value = readable.get(name)
  const life = lifeOf(name, lives)
  const flags = [
    httpOnly ? 'HttpOnly' : null,
    secure ? 'Secure' : null,
    `SameSite=${sameSite.replace(/^./, (letter) => letter.toUpperCase())}`,
    `Path=${path}`,
    `${bytes} bytes`,
    life === null ? null : `until ${life}`,
  ].filter((flag) => flag !== null)
  const row = fillTemplate('cookie-row', {
    name,
    change: changes.get(name) ?? null,
    sight: value === undefined ? 'Script sees nothing of it' : 'Script reads',
    value: value ?? null,
    flags: flags.join(' · '),
  })
  row.firstElementChild?.setAttribute('data-seen', value === undefined ? 'no' : 'yes')
  return row
}

const timeFormat = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' })
const dayFormat = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium' })
const daySeconds = 86_400

/** Each cookie goes when its token ends. */
function lifeOf(name: string, { access, refresh }: Lives): string | null {
  const life = name.includes('refresh') ? refresh : access
  if (life?.exp === undefined) return null
  const isLong = life.exp - life.iat > daySeconds
  return (isLong ? dayFormat : timeFormat).format(life.exp * 1000)
}
