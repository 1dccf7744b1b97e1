// Fills the <template> elements of index.html; text goes in as text, never as markup.

/** Clones a template and fills each `data-part`; `null` removes the part, with the `data-row` around it. */
export function fillTemplate(id: string, texts: Record<string, string | null>): DocumentFragment {
  const template = findElement(`template#${id}`, HTMLTemplateElement)
  const fragment = document.importNode(template.content, true)
  for (const [name, text] of Object.entries(texts)) {
    const part = findElement(`[data-part="${name}"]`, HTMLElement, fragment)
    if (text === null) (part.closest('[data-row]') ?? part).remove()
    else part.textContent = text
  }
  return fragment
}

/** The one element that the page must have; an error that names it otherwise. */
export function findElement<T extends Element>(
  selector: string,
  kind: abstract new () => T,
  root: ParentNode = document,
): T {
  const element = root.querySelector(selector)
  if (element instanceof kind) return element
  throw new TypeError(`The page has no ${kind.name} ${selector}`)
}
