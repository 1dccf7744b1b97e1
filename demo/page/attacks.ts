// The panel "Try to break in": a button for each attack, and what became of it. The attacks and answers are real.

import { showAttacker } from './frame.ts'
import { awaitNote, type Note } from './notes.ts'
import { outcomeOf } from './outcome.ts'
import { authFetch, send, transferCall } from './requests.ts'
import { fillTemplate, findElement } from './template.ts'

type Attack = { attack: string; title: string; about: string }
type Group = { from: 'stranger' | 'sibling' | 'machine'; title: string; about: string; attacks: Attack[] }

const groups: Group[] = [
  {
    from: 'stranger',
    title: 'From another site',
    about: 'stranger.localhost, a page that you happen to visit.',
    attacks: [
      { attack: 'form', title: 'Form from another site', about: 'A hidden form posts to /transfer.' },
      { attack: 'fetch', title: 'Fetch from another site', about: 'A script posts there.' },
      { attack: 'image', title: 'Image from another site', about: 'An image with /protected as its source.' },
    ],
  },
  {
    from: 'sibling',
    title: 'From a sibling host',
    about: 'evil.demo.localhost, of the same site as app.demo.localhost: your cookies travel.',
    attacks: [
      {
        attack: 'form',
        title: 'Form from a sibling',
        about: 'The same form. This time the cookies come along.',
      },
      { attack: 'fetch', title: 'Fetch from a sibling', about: 'The same script, with your cookies.' },
      { attack: 'image', title: 'Image from a sibling', about: 'The same image, with your cookies.' },
      {
        attack: 'plant',
        title: 'Plant a cookie from a sibling',
        about:
          'A second access_token_cookie for the whole domain, then your own Transfer (“cookie tossing”).',
      },
    ],
  },
  {
    from: 'machine',
    title: 'From the attacker’s own machine',
    about: 'Without a browser, so neither SameSite nor the origin check is in the way.',
    attacks: [
      {
        attack: 'replay',
        title: 'Replay an old refresh token',
        about: 'Copied before it was replaced. Takes some seconds.',
      },
      { attack: 'unsigned', title: 'Forge an unsigned token', about: 'Its header says alg: none.' },
      { attack: 'tampered', title: 'Change a claim', about: 'mallory’s own token, with your name in it.' },
      {
        attack: 'foreign-csrf',
        title: 'Use another session’s CSRF value',
        about: 'Your cookies, with the value of mallory’s session.',
      },
    ],
  },
]

export type AttackPanel = {
  /** Attacks need somebody to attack. */
  enable: (isSignedIn: boolean) => void
}

/** @param done Is called when an attack is over: it may have changed what the other panels show. */
export function createAttackPanel(
  root: HTMLElement,
  originCheck: HTMLInputElement,
  done: () => void,
): AttackPanel {
  const hasSibling = location.hostname === 'app.demo.localhost'
  const buttons: { button: HTMLButtonElement; isPossible: boolean }[] = []
  /** Rows whose attack is under way or waits for its turn. */
  const busy = new Set<HTMLElement>()
  let last = Promise.resolve()

  // A verdict holds for the defences that stood when it was given.
  originCheck.addEventListener('change', () => {
    for (const row of root.querySelectorAll<HTMLElement>('.attack')) if (!busy.has(row)) clear(row)
  })

  for (const { attacks, from, ...texts } of groups) {
    const fragment = fillTemplate('attack-group', texts)
    const isPossible = from !== 'sibling' || hasSibling
    if (!isPossible) findElement('.hint', HTMLElement, fragment).append(siblingLink())
    const list = findElement('ul', HTMLElement, fragment)
    for (const attack of attacks) {
      const row = fillTemplate('attack-row', { title: attack.title, about: attack.about })
      const item = findElement('li', HTMLElement, row)
      const button = findElement('button', HTMLButtonElement, item)
      const hint = findElement('.hint', HTMLElement, item)
      hint.id = `about-${from}-${attack.attack}`
      button.setAttribute('aria-describedby', hint.id)
      buttons.push({ button, isPossible })
      button.addEventListener('click', () => queue(item, attack, from))
      list.append(row)
    }
    root.append(fragment)
  }

  /** One at a time, with the origin check as it is when the button is pressed. */
  function queue(row: HTMLElement, { attack }: Attack, from: Group['from']): void {
    if (busy.has(row)) return
    const withOriginCheck = originCheck.checked
    clear(row)
    findElement('.attack-result', HTMLElement, row).textContent = 'Waits for the attack before it…'
    busy.add(row)
    last = last.then(() => run(row, attack, from, withOriginCheck))
  }

  async function run(row: HTMLElement, attack: string, from: Group['from'], isOn: boolean): Promise<void> {
    const result = findElement('.attack-result', HTMLElement, row)
    const place = findElement('.attack-frame', HTMLElement, row)
    shrinkOthers(row)
    result.textContent = 'Under way…'
    try {
      const outcome = await attackWith(place, attack, from, isOn)
      // Turned meanwhile, the switch would say something else than the verdict.
      if (isOn === originCheck.checked) result.replaceChildren(outcome)
      else clear(row)
    } catch {
      result.textContent = 'The server did not answer.'
    }
    busy.delete(row)
    done()
  }

  function clear(row: HTMLElement): void {
    for (const part of ['.attack-frame', '.attack-result']) row.querySelector(part)?.replaceChildren()
  }

  /** Of earlier attacks the verdict stays, so that the page does not grow out of sight. */
  function shrinkOthers(row: HTMLElement): void {
    for (const other of root.querySelectorAll('.attack')) {
      if (other === row) continue
      other.querySelector('.attack-frame')?.replaceChildren()
      const verdict = other.querySelector('.status')
      const kind = other.querySelector<HTMLElement>('.result')?.dataset['kind']
      if (verdict === null || kind === undefined) continue
      const short = document.createElement('div')
      short.className = 'result short'
      short.dataset['kind'] = kind
      short.append(verdict)
      other.querySelector('.attack-result')?.replaceChildren(short)
    }
  }

  return {
    enable(isSignedIn) {
      for (const { button, isPossible } of buttons) button.disabled = !isSignedIn || !isPossible
    },
  }
}

/** Cookies of localhost have no sibling to travel from. */
function siblingLink(): HTMLElement {
  const place = document.createElement('span')
  const link = document.createElement('a')
  const url = new URL(location.href)
  url.hostname = 'app.demo.localhost'
  link.href = url.href
  link.textContent = `Open ${url.host} and sign in there`
  place.append(' ', link, ' to try these.')
  return place
}

async function attackWith(
  place: HTMLElement,
  attack: string,
  from: Group['from'],
  originCheck: boolean,
): Promise<Node> {
  const asked = from === 'machine' ? { attack, originCheck } : { attack, from, originCheck }
  const response = await authFetch('/demo/attacks', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(asked),
  })
  if (!response.ok)
    return document.createTextNode('The server did not start it: press Refresh, or sign in again.')
  const { run, frame, sent }: { run: string; frame?: string; sent?: string[] } = await response.json()
  const read = frame === undefined ? null : await showAttacker(place, frame)
  if (attack === 'plant') return useSite(run, originCheck, read)
  const note = await awaitNote(run)
  return note === undefined ? neverArrived() : resultOf(note, sent ?? null, read)
}

function neverArrived(): Node {
  return document.createTextNode('No request of it has reached the server.')
}

/** After a cookie was planted: what the user does next, twice, to see whether the first answer clears the way. */
async function useSite(run: string, originCheck: boolean, read: string | null): Promise<Node> {
  const call = transferCall(`${originCheck ? '' : '/origin-check-off'}/transfer?run=${run}`)
  const first = await send(call)
  const second = await send(call)
  const note = await awaitNote(run, ({ id }) => id === first.note)
  if (note === undefined) return neverArrived()
  const result = resultOf(note, null, read)
  const next = second.status === 200 ? 'got a new token and went through' : `got ${second.status}`
  findElement('.why', HTMLElement, result).append(` Your next request ${next}.`)
  return result
}

function resultOf(note: Note, sent: readonly string[] | null, read: string | null): DocumentFragment {
  const { kind, sent: lines, ...texts } = outcomeOf(note, sent)
  const fragment = fillTemplate('attack-result', { ...texts, read })
  const items = lines.map((line) => Object.assign(document.createElement('li'), { textContent: line }))
  findElement('.sent', HTMLElement, fragment).append(...items)
  findElement('.result', HTMLElement, fragment).dataset['kind'] = kind
  return fragment
}
