/** A slow and plain reader of JSON text, to hold the fast one against; holds no test itself. */

/** What `JSON.parse` lets pass and a token may not hold. */
export interface JsonFlaws {
  readonly namesTwice: boolean
  readonly depth: number
  readonly overflows: boolean
}

/** One lexical element: a string, a bracket or separator, or a number or word. */
const lexeme = /"(?:[^"\\]|\\[^])*"|[{}[\]:,]|[^\s{}[\]:,"]+/g

/** Looks through a text that `JSON.parse` accepts. */
export function flawsOf(text: string): JsonFlaws {
  const open: (Set<string> | null)[] = []
  let [namesTwice, overflows, deepest] = [false, false, 0]
  const lexemes = text.match(lexeme) ?? []
  for (const [index, part] of lexemes.entries()) {
    if (part === '{') open.push(new Set())
    else if (part === '[') open.push(null)
    else if (part === '}' || part === ']') open.pop()
    else if (/^[-\d]/.test(part)) overflows ||= !Number.isFinite(Number(part))
    else if (part.startsWith('"') && lexemes[index + 1] === ':') {
      const name = String(JSON.parse(part))
      const names = open.at(-1)
      namesTwice ||= names?.has(name) === true
      names?.add(name)
    }
    deepest = Math.max(deepest, open.length)
  }
  return { namesTwice, depth: deepest, overflows }
}
