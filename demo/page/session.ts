// The panel "Your session": who is signed in, the claims, and a bar for each token. The tokens stay out of reach.

import { showLife, type Life } from './life.ts'
import type { Lives } from './cookies.ts'
import { authFetch } from './requests.ts'
import { fillTemplate, findElement } from './template.ts'

type AccessClaims = Life & { sub: string; fresh?: boolean } & Record<string, unknown>
type RefreshClaims = Life & { gen?: number }
type Answer = { access: AccessClaims; refresh: RefreshClaims | null; now: number }

export type DetailsPanel = {
  /** Asks anew, and gives how long each token lives. */
  show: (isSignedIn: boolean) => Promise<Lives>
}

const nothing: Lives = { access: null, refresh: null }

export function createDetailsPanel(root: HTMLElement): DetailsPanel {
  let newest = 0
  let tick = (): void => {}
  setInterval(() => tick(), 1000)

  return {
    async show(isSignedIn) {
      newest += 1
      const asked = newest
      const answer = isSignedIn ? await ask() : null
      if (asked !== newest) return answer ?? nothing
      const isOpen = root.querySelector('details')?.open ?? false
      const hasFocus = root.contains(document.activeElement)
      root.replaceChildren()
      tick = () => {}
      if (answer === null) return nothing
      root.append(detailsOf(answer))
      findElement('details', HTMLDetailsElement, root).open = isOpen
      if (hasFocus) findElement('summary', HTMLElement, root).focus()
      const aheadSeconds = answer.now - Date.now() / 1000
      tick = () => {
        for (const type of ['access', 'refresh'] as const) {
          const row = root.querySelector<HTMLElement>(`[data-life="${type}"]`)
          const life = answer[type]
          if (row !== null && life !== null) showLife(row, life, aheadSeconds)
        }
      }
      tick()
      return answer
    },
  }
}

async function ask(): Promise<Answer | null> {
  try {
    const response = await authFetch('/demo/session')
    return response.ok ? await response.json() : null
  } catch {
    return null
  }
}

function detailsOf({ access, refresh }: Answer): DocumentFragment {
  const fragment = fillTemplate('session-details', {
    user: access.sub,
    fresh: access.fresh === true ? 'fresh: straight from the password' : 'not fresh: came by refresh',
    generation: refresh === null ? null : String(refresh.gen ?? 0),
  })
  const list = findElement('.claims', HTMLElement, fragment)
  for (const [name, value] of Object.entries(access)) {
    const row = document.createElement('div')
    const [term, description] = [document.createElement('dt'), document.createElement('dd')]
    term.textContent = name
    description.textContent = typeof value === 'string' ? value : JSON.stringify(value)
    row.append(term, description)
    list.append(row)
  }
  return fragment
}
