/** What may be told of an error that a store, a denylist or a key service threw; never a value that it was asked about. */

import { Buffer } from 'node:buffer'

/** Drivers keep the commands and rows that failed as properties of their errors; those are left behind. */
interface Told extends Error {
  code?: string | number
}

/** Longer messages quote something. */
const longestMessage = 1000
const deepest = 4
/** Shorter values are taken out where they stand alone, or they would take harmless words apart. */
const longEnough = 8

/**
 * A copy with name, code, message, stack and causes, out of which the values are taken that were asked about.
 *
 * @param given What was asked: any object, whose texts are those values.
 */
export function describeFailure(error: Error, given?: unknown): Error {
  const values = textsOf(given).toSorted((left, right) => right.length - left.length)
  return copyOf(error, (text) => scrub(text, values), 0)
}

function copyOf(error: Error, clean: (text: string) => string, depth: number): Error {
  const cause = read(error, 'cause')
  const errors = read(error, 'errors')
  const others = Array.isArray(errors) ? errors.slice(0, deepest) : []
  const isDeep = depth >= deepest
  const told = (value: unknown): Error | undefined =>
    value instanceof Error && !isDeep ? copyOf(value, clean, depth + 1) : undefined
  const inner = told(cause) ?? others.map(told).find((other) => other !== undefined)
  const message = clean(textAt(error, 'message')).slice(0, longestMessage)
  const copy: Told = new Error(message, inner === undefined ? undefined : { cause: inner })
  const name = clean(textAt(error, 'name')).slice(0, 64) || 'Error'
  const frames = textAt(error, 'stack').match(/^ {4}at .*$/gm) ?? []
  Object.defineProperty(copy, 'name', { value: name, configurable: true, writable: true })
  const lines = [`${name}: ${message}`, ...frames.map(clean)]
  Object.defineProperty(copy, 'stack', { value: lines.join('\n'), configurable: true, writable: true })
  const code = read(error, 'code')
  if (
    typeof code === 'number' ||
    (typeof code === 'string' && /^\w{1,64}$/.test(code) && clean(code) === code)
  )
    copy.code = code
  return copy
}

/** What threw may be anything: its getters too. */
function read(error: Error, name: string): unknown {
  try {
    return Reflect.get(error, name)
  } catch {
    return undefined
  }
}

function textAt(error: Error, name: string): string {
  const text = read(error, name)
  return typeof text === 'string' ? text : ''
}

function textsOf(given: unknown): string[] {
  if (typeof given === 'string') return given === '' ? [] : spellingsOf(given)
  if (typeof given !== 'object' || given === null) return []
  return Object.values(given).flatMap(textsOf)
}

/** As drivers may write it. */
function spellingsOf(text: string): string[] {
  const bytes = Buffer.from(text)
  const encoded = [bytes.toString('base64'), bytes.toString('base64url'), bytes.toString('hex')]
  return [
    ...new Set([text, JSON.stringify(text).slice(1, -1), encodeURIComponent(wellFormed(text)), ...encoded]),
  ]
}

/** `encodeURIComponent` throws for a lone surrogate. */
function wellFormed(text: string): string {
  return Buffer.from(text).toString()
}

function scrub(text: string, values: readonly string[]): string {
  // The password in the address of a server.
  let clean = text.replaceAll(/\/\/[^\s/@]+@/g, '//…@')
  for (const value of values) {
    if (value.length >= longEnough) clean = clean.replaceAll(value, '…')
    else clean = clean.replaceAll(standingAlone(value), '…')
  }
  return clean
}

function standingAlone(value: string): RegExp {
  return new RegExp(`(?<![\\w-])${value.replaceAll(/[^\w\s]/g, String.raw`\$&`)}(?![\\w-])`, 'g')
}
