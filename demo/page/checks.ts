// The checks of one request as a row of marks.

import type { Check } from './notes.ts'

const marks = { passed: '✓', failed: '✗', 'not asked': '–', 'not reached': '·' } as const

/** Those that were not reached are only counted. */
export function fillChecks(list: Element, checks: readonly Check[]): void {
  const reached = checks.filter(({ state }) => state !== 'not reached')
  const left = checks.length - reached.length
  const items = reached.map(({ name, state }) => createItem(name, state))
  if (left > 0) items.push(createItem(`${left} more`, 'not reached'))
  list.replaceChildren(...items)
}

function createItem(name: string, state: Check['state']): HTMLElement {
  const item = document.createElement('li')
  item.dataset['state'] = state
  const mark = document.createElement('span')
  mark.ariaHidden = 'true'
  mark.textContent = `${marks[state]} `
  item.append(mark, name)
  if (state === 'not asked' || state === 'not reached') item.append(` ${state}`)
  else {
    const words = document.createElement('span')
    words.className = 'visually-hidden'
    words.textContent = `: ${state}`
    item.append(words)
  }
  return item
}
