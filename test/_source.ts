// Reads TypeScript as text: which parts are code, what is imported, how deep a place lies. Never runs what it reads.

/** How an import takes effect: not at all at run time, when the module is loaded, or when it is asked for. */
export type ImportKind = 'type' | 'eager' | 'lazy'

export interface Import {
  readonly kind: ImportKind
  /** Empty when it is computed. */
  readonly specifier: string
  readonly offset: number
}

export interface Source {
  /** From src/, without `.ts`: `core/jws`. */
  readonly name: string
  readonly text: string
  /** The text without comments; every offset is as in the text. */
  readonly uncommented: string
  /** The text without comments and without what is inside strings, templates and regular expressions. */
  readonly code: string
  readonly imports: readonly Import[]
}

export function readSource(name: string, text: string): Source {
  const { uncommented, code } = mask(text)
  return { name, text, uncommented, code, imports: findImports(text, code) }
}

/** The line, counted from 1. */
export function lineOf(source: Source, offset: number): number {
  return source.text.slice(0, offset).split('\n').length
}

/** How many brackets are open. */
export function depthOf(source: Source, offset: number): number {
  const before = source.code.slice(0, offset)
  return (before.match(/[([{]/g)?.length ?? 0) - (before.match(/[)\]}]/g)?.length ?? 0)
}

/** Lines that hold more than blanks and comments. */
export function countCodeLines(source: Source): number {
  return source.uncommented.split('\n').filter((line) => line.trim() !== '').length
}

const comment = /\/\/[^\n]*|\/\*[^]*?\*\//y
const quoted = /'(?:[^'\\\n]|\\[^])*'|"(?:[^"\\\n]|\\[^])*"/y
const regularExpression = /\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y
const templatePart = /(?:[^`\\$]|\\[^]|\$(?!\{))*(?:`|\$\{)/y

/** After these a slash opens a regular expression; after anything else it divides. */
const beforeExpression = /(?:^|[([{}:;,=!&|?+\-*%<>~^]|\b(?:return|typeof|case|in|of|void|delete|else))$/

function mask(text: string): { readonly uncommented: string; readonly code: string } {
  let uncommented = ''
  let code = ''
  /** One entry for each `${` that is open: how many braces are open inside it. */
  const holes: number[] = []
  const emit = (part: string, masked: string): void => {
    uncommented += part
    code += masked
  }
  const emitTemplatePart = (): void => {
    const part = matchAt(templatePart, text, code.length)
    const end = part.endsWith('${') ? 2 : 1
    emit(part, blank(part.slice(0, -end)) + part.slice(-end))
    if (end === 2) holes.push(0)
  }
  while (code.length < text.length) {
    const at = code.length
    const skipped = matchAt(comment, text, at)
    const literal =
      matchAt(quoted, text, at) ||
      (beforeExpression.test(code.trimEnd()) ? matchAt(regularExpression, text, at) : '')
    const character = text.charAt(at)
    if (skipped !== '') {
      emit(blank(skipped), blank(skipped))
    } else if (literal !== '') {
      emit(literal, `${literal.charAt(0)}${blank(literal.slice(1, -1))}${literal.slice(-1)}`)
    } else {
      emit(character, character)
      const inner = holes.pop()
      if (character === '`') {
        if (inner !== undefined) holes.push(inner)
        emitTemplatePart()
      } else if (inner === 0 && character === '}') {
        emitTemplatePart()
      } else if (inner !== undefined) {
        holes.push(inner + (character === '{' ? 1 : 0) - (character === '}' ? 1 : 0))
      }
    }
  }
  return { uncommented, code }
}

function matchAt(pattern: RegExp, text: string, offset: number): string {
  pattern.lastIndex = offset
  return pattern.exec(text)?.[0] ?? ''
}

function blank(text: string): string {
  return text.replaceAll(/[^\n]/g, ' ')
}

/** Each form ends with its specifier in quotes; only the first two can be types. */
const importForms: readonly { readonly kind: ImportKind; readonly pattern: RegExp }[] = [
  { kind: 'eager', pattern: /^[ \t]*import\s+(type\s)?(?:[\w$\s{},*]+?\sfrom\s*)?(?:'( *)'|"( *)")/gm },
  {
    kind: 'eager',
    pattern: /^[ \t]*export\s+(type\s)?\s*(?:\*(?:\s+as\s+[\w$]+)?|\{[^}]*\})\s*from\s*(?:'( *)'|"( *)")/gm,
  },
  { kind: 'eager', pattern: /\brequire\s*\(()\s*(?:'( *)'|"( *)")?/g },
  { kind: 'lazy', pattern: /\bimport\s*\(()\s*(?:'( *)'|"( *)")?/g },
]

function findImports(text: string, code: string): readonly Import[] {
  return importForms.flatMap(({ kind, pattern }) =>
    [...code.matchAll(pattern)].map((match) => {
      const blanked = match[2] ?? match[3]
      const end = match.index + match[0].length - 1
      const specifier = blanked === undefined ? '' : text.slice(end - blanked.length, end)
      const indent = match[0].length - match[0].trimStart().length
      return { kind: match[1] ? 'type' : kind, specifier, offset: match.index + indent }
    }),
  )
}
