/** Reads options from environment variables under the ancestor's names, so that one `.env` serves both services. */

import { optionNames, optionProblem } from './resolve.ts'
import type { AuthOptions } from './options.ts'
import { suggestion } from './suggestion.ts'

const prefix = 'AUTHJWT_'

/** Options that are text whatever they look like, so that a secret of digits stays one. */
const textOptions = new Set(['secretKey', 'privateKey', 'publicKey'])

/** What no text can hold. */
const unreadable = new Set([
  'keys',
  'encryption',
  'denylist',
  'store',
  'clientAddress',
  'claims',
  'userLookup',
  'onEvent',
  'clock',
])

const variables: ReadonlyMap<string, string> = new Map(
  optionNames.filter((name) => !unreadable.has(name)).map((name) => [variableOf(name), name]),
)

function variableOf(option: string): string {
  return prefix + option.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()
}

/**
 * Collects the options that the variables `AUTHJWT_…` set, such as `AUTHJWT_SECRET_KEY`.
 *
 * Lists are JSON (`["headers","cookies"]`) or comma-separated; booleans are `true` and `false` in any case.
 * A variable that is there counts, also an empty one.
 *
 * @throws {TypeError} for a variable that names no option or holds what the option does not take
 */
export function optionsFromEnv(environment: Readonly<Record<string, string | undefined>>): AuthOptions {
  const options: Record<string, unknown> = {}
  const problems: string[] = []
  for (const [variable, text] of Object.entries(environment)) {
    if (!variable.toUpperCase().startsWith(prefix) || text === undefined) continue
    const option = variables.get(variable.toUpperCase())
    if (option === undefined) {
      problems.push(`${variable} names no option${suggestion(variable, [...variables.keys()])}`)
      continue
    }
    const isText = textOptions.has(option)
    const value = readingsOf(option, text).find(
      (reading) => isText || optionProblem(option, reading) === null,
    )
    if (value === undefined) problems.push(`${variable} ${optionProblem(option, text)} (option ${option})`)
    else options[option] = value
  }
  if (problems.length > 0) {
    throw new TypeError(
      `The environment holds what tallystick cannot use:\n${problems.map((line) => `- ${line}`).join('\n')}`,
    )
  }
  return options
}

/** What a text can mean, the likeliest first; the option's own rule picks. */
function readingsOf(option: string, text: string): unknown[] {
  if (option === 'privateKey' || option === 'publicKey') return [text.replaceAll(String.raw`\n`, '\n')]
  if (textOptions.has(option)) return [text]
  const lower = text.trim().toLowerCase()
  const list = text.split(',').map((item) => item.trim())
  const isNumber = /^\d+$/.test(lower)
  return [
    ...parsed(text),
    ...(lower === 'true' || lower === 'false' ? [lower === 'true'] : []),
    ...(list.length > 1 ? [list] : []),
    text,
    ...(isNumber ? [Number(lower)] : []),
    lower,
    list,
  ]
}

function parsed(text: string): unknown[] {
  if (!/^\s*[[{]/.test(text)) return []
  try {
    return [JSON.parse(text)]
  } catch {
    // Then it is not JSON, and one of the other readings may fit.
    return []
  }
}
