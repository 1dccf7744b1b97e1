/** Notes what is secret and what was said while tests run, and finds the one in the other; holds no test itself. */

import { KeyObject } from 'node:crypto'
import { inspect } from 'node:util'
import { pino } from 'pino'

/** So many characters of a secret in a row, wherever they stand, are a leak; what is shorter cannot be told apart. */
export const leakLength = 12

/** Parts of keys and tokens that are no secret. */
const publicNames = new Set(['kid', 'kty', 'crv', 'alg', 'use', 'key_ops', 'type', 'typ'])

/** Every text inside of a value: of errors also what is not enumerable, of bytes what they spell. */
export function textsIn(value: unknown, seen: Set<unknown> = new Set(), readOne = read): string[] {
  if (typeof value === 'string') return [value]
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return []
  if (seen.has(value)) return []
  seen.add(value)
  if (value instanceof Uint8Array) return [Buffer.from(value).toString('latin1')]
  if (value instanceof Headers) return [...value].flat()
  if (value instanceof KeyObject) return []
  const inside: unknown[] =
    value instanceof Map || value instanceof Set
      ? [...value].flat()
      : Reflect.ownKeys(value).flatMap((name) => [
          typeof name === 'string' ? name : undefined,
          readOne(value, name),
        ])
  if (value instanceof Error)
    inside.push(...['message', 'stack', 'cause'].map((name) => readOne(value, name)))
  return inside.flatMap((item) => textsIn(item, seen, readOne))
}

function read(holder: object, name: PropertyKey): unknown {
  try {
    return Reflect.get(holder, name)
  } catch {
    return undefined
  }
}

function readQuietly(holder: object, name: PropertyKey): unknown {
  if (holder instanceof Error && name === 'stack') return undefined
  return Reflect.getOwnPropertyDescriptor(holder, name)?.value as unknown
}

/** The ways in which a text can be read again: as it is, and out of percent signs, JSON, hex and base64. */
function spellingsOf(text: string): string[] {
  const all = [text]
  if (text.includes('%')) {
    all.push(
      text.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    )
  }
  if (text.includes('\\')) all.push(text.replaceAll(/\\u00([0-9a-f]{2})/gi, '%$1'), text.replaceAll('\\', ''))
  for (const [run] of text.matchAll(/[0-9a-f]{24,}/gi)) all.push(Buffer.from(run, 'hex').toString('latin1'))
  for (const [run] of text.matchAll(/[\w+/-]{16,}/g)) {
    // Where it begins within a larger text is not known.
    for (let skip = 0; skip < 4; skip++) {
      all.push(
        Buffer.from(run.slice(skip).replaceAll('+', '-').replaceAll('/', '_'), 'base64url').toString(
          'latin1',
        ),
      )
    }
  }
  return all
}

/** What a logger writes of a value. */
function linesOf(value: unknown): string[] {
  const lines: string[] = []
  const logger = pino({ base: null, timestamp: false }, { write: (line: string) => lines.push(line) })
  logger.error(value instanceof Error ? { err: value } : { value })
  return [...lines, inspect(value, { depth: Infinity, showHidden: true })]
}

export class Silence {
  readonly #public: Set<string>
  readonly #secrets = new Map<string, string>()
  readonly #said = new Map<string, Set<string>>()

  /** @param publicTexts What everybody knows, and messages may therefore say. */
  constructor(publicTexts: readonly string[]) {
    this.#public = new Set(publicTexts.flatMap((text) => [...windowsOf(text)]))
  }

  /** Notes every text of a value as secret; reads no accessor, and of an error no stack, which names files alone. */
  learn(kind: string, value: unknown): void {
    for (const text of textsIn(value, new Set(), readQuietly)) {
      if (text.length >= leakLength) this.#secrets.set(text.slice(0, 16_384), kind)
    }
  }

  /** Notes a token, its parts, and the values of its claims. */
  learnToken(token: unknown): void {
    if (typeof token !== 'string' || this.#secrets.has(token)) return
    this.learn('token', token)
    // Of one that no claim of is ever looked at, the beginning will do.
    if (token.length > 100_000) return
    const [, payload = ''] = token.split('.')
    try {
      this.learn('claim', valuesOf(JSON.parse(Buffer.from(payload, 'base64url').toString())))
    } catch {
      // No claims, no values.
    }
  }

  /** Notes the private part of key material, in the forms in which it may be repeated. */
  learnKey(material: unknown): void {
    if (typeof material === 'string') {
      const lines = material.split(/\r?\n|\\n/).filter((line) => !line.includes('-----'))
      this.learn('key', material.includes('-----') ? lines : material)
    } else if (material instanceof Uint8Array) this.learn('key', spelled(material))
    else if (material instanceof KeyObject) {
      if (material.type === 'secret') this.learn('key', spelled(material.export()))
      else if (material.type === 'private')
        this.learn('key', spelled(material.export({ format: 'der', type: 'pkcs8' })).slice(1))
    } else this.learn('key', valuesOf(material))
  }

  /** Notes what was said, and what a logger would make of it. */
  hear(place: string, value: unknown): void {
    const texts = typeof value === 'string' ? [value] : [...textsIn(value), ...linesOf(value)]
    for (const line of texts) {
      // Names of files and functions of the program.
      const text = line.replaceAll(/(?:\n|\\n)\s+at [^\n\\"]+/g, '')
      const places = this.#said.get(text) ?? new Set()
      this.#said.set(text, places.add(place))
    }
  }

  /** How many different texts were heard since the last `leaks`. */
  get heard(): number {
    return this.#said.size
  }

  /** What was heard of a secret since the last time; with that, all is forgotten. */
  leaks(): string[] {
    const windows = new Map<string, string>()
    for (const [text, places] of this.#said) {
      for (const spelling of spellingsOf(text)) {
        for (const window of windowsOf(spelling))
          windows.set(window, `${[...places].join(', ')}: ${text.slice(0, 300)}`)
      }
    }
    const found = new Map<string, string>()
    for (const [secret, kind] of this.#secrets) {
      for (const window of windowsOf(secret)) {
        const where = windows.get(window)
        if (where === undefined || this.#public.has(window)) continue
        found.set(`${kind} in ${where}`, `${kind} ${JSON.stringify(secret.slice(0, 60))} in ${where}`)
        break
      }
    }
    this.#said.clear()
    this.#secrets.clear()
    return [...found.values()]
  }
}

function* windowsOf(text: string): Iterable<string> {
  for (let at = 0; at + leakLength <= text.length; at++) yield text.slice(at, at + leakLength)
}

function spelled(bytes: Uint8Array): string[] {
  const buffer = Buffer.from(bytes)
  return [buffer.toString('latin1'), buffer.toString('base64url'), buffer.toString('hex')]
}

/** The values of an object without those of public names, and without the names. */
function valuesOf(value: unknown): unknown {
  if (
    value instanceof KeyObject ||
    value instanceof Uint8Array ||
    typeof value !== 'object' ||
    value === null
  )
    return value
  return Object.entries(value).flatMap(([name, inner]) => (publicNames.has(name) ? [] : [valuesOf(inner)]))
}

/** Has a function called with every error that is made, of whatever class, for as long as the tests of a file run. */
export function watchErrors(note: (error: Error) => void): void {
  for (const name of ['Error', 'TypeError', 'RangeError', 'SyntaxError'] as const) {
    const original = globalThis[name]
    globalThis[name] = new Proxy(original, {
      construct(target, parameters, maker) {
        const error = Reflect.construct(target, parameters, maker) as Error
        note(error)
        return error
      },
      apply(target, self, parameters) {
        const error = Reflect.apply(target as () => Error, self, parameters)
        note(error)
        return error
      },
    })
  }
}
