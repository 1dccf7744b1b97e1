// Looks at a page as people do: what axe finds, and what is cut off.

import { readFile } from 'node:fs/promises'
import type { Page } from 'playwright-core'

const axeScript = new URL('../../node_modules/axe-core/axe.min.js', import.meta.url)

/** Runs axe in the page: evaluated by the browser's own tools, as the page's policy lets no other script in. */
export async function findProblems(page: Page): Promise<readonly unknown[]> {
  await page.evaluate(await readFile(axeScript, 'utf8'))
  const { problems, passed } = await page.evaluate(async () => {
    const { axe } = window as unknown as { readonly axe: Axe }
    const { violations, passes } = await axe.run(document, { iframes: false })
    const problems = violations.flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => [id, html, failureSummary]),
    )
    return { problems, passed: passes.length }
  })
  // A page that is not there breaks no rule either.
  return passed > 10 ? problems : ['axe has hardly found anything to look at']
}

interface Axe {
  run(
    root: Document,
    options: { readonly iframes: boolean },
  ): Promise<{
    readonly violations: readonly { readonly id: string; readonly nodes: readonly AxeNode[] }[]
    readonly passes: readonly unknown[]
  }>
}

interface AxeNode {
  readonly html: string
  readonly failureSummary?: string
}

/** The elements whose text is wider than they are, or reaches out of the page. */
export function findCutText(): string[] {
  const visible = [...document.querySelectorAll('main *')].filter(
    (element) => element.getClientRects().length > 0 && element.closest('.visually-hidden, svg') === null,
  )
  return visible
    .filter((element) => {
      const box = element.getBoundingClientRect()
      const isCut =
        element.scrollWidth > element.clientWidth + 1 && getComputedStyle(element).display !== 'inline'
      return isCut || box.right > innerWidth || box.left < 0
    })
    .map((element) => `${element.tagName} ${element.className} ${element.textContent?.slice(0, 40)}`)
}
