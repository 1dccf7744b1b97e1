// The checks of one request as a row of marks.

import type { Check } from './notes.ts'

const marks = { passed: '✓', failed: '✗', 'not asked': '–', 'not reached': '·' } as const

export function fillChecks(list: Element, checks: readonly Check[]): void {
  list.replaceChildren(
    ...checks.map(({ name, state }) => {
      const item = document.createElement('li')
      item.dataset['state'] = state
      const mark = document.createElement('span')
      mark.ariaHidden = 'true'
      mark.textContent = `${marks[state]} `
      const words = document.createElement('span')
      words.className = 'visually-hidden'
      words.textContent = `: ${state}`
      item.append(mark, name, words)
      return item
    }),
  )
}
