// The panel "What script can see": shows document.cookie as it is, and never touches the token cookies.

import { fillTemplate } from './template.ts'

export type Cookie = { name: string; value: string }
type Change = '' | 'new' | 'changed'

export function readCookies(): Cookie[] {
  return document.cookie
    .split('; ')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const [name = '', ...rest] = pair.split('=')
      return { name, value: rest.join('=') }
    })
}

/** Returns a function that shows the cookies of this moment and tags what has changed since its last call. */
export function createCookiePanel(list: HTMLElement, empty: HTMLElement): () => void {
  let before: Map<string, string> | undefined

  return () => {
    // Browsers list them by age, so that each refresh would swap the rows.
    const cookies = readCookies().toSorted((left, right) => left.name.localeCompare(right.name))
    const rows = cookies.map((cookie) => cookieRow(cookie, changeSince(before, cookie)))
    list.replaceChildren(...rows)
    empty.hidden = cookies.length > 0
    before = new Map(cookies.map(({ name, value }) => [name, value]))
  }
}

function changeSince(before: Map<string, string> | undefined, { name, value }: Cookie): Change {
  if (before === undefined || before.get(name) === value) return ''
  return before.has(name) ? 'changed' : 'new'
}

function cookieRow({ name, value }: Cookie, change: Change): DocumentFragment {
  return fillTemplate('cookie-row', { name, value, change: change === '' ? null : change })
}
