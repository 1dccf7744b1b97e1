/** Reads the JSON of tokens more strictly than `JSON.parse`, and copies what goes into tokens; throws before it guesses. */

/** What JSON can hold. */
export type JsonValue =
  string | number | boolean | null | readonly JsonValue[] | { readonly [name: string]: JsonValue }

/** What a JSON object can hold; what the payload of a token is. */
export type JsonObject = { readonly [name: string]: JsonValue }

/** Nesting that no honest token reaches. */
const maxDepth = 32

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Parses UTF-8 bytes into a deeply frozen JSON object, or gives `null` for anything else.
 *
 * Refuses what two parsers may read differently: members named twice (also by an escape), a byte order mark,
 * bytes that are not UTF-8, numbers that overflow, more than 32 levels.
 *
 * @see RFC 8259 sections 4 and 8.1, RFC 7515 section 4 (duplicate names)
 */
export function parseJsonObject(bytes: Uint8Array): JsonObject | null {
  try {
    const text = utf8.decode(bytes)
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return null
    const members = freeze(value)
    return members === countNamesAtMost(text) || members === countMembers(text) ? (value as JsonObject) : null
  } catch {
    // Not UTF-8 or not JSON: the caller answers for both alike.
    return null
  }
}

/**
 * Counts the members that the text spells out, and perhaps some more; -1 where it cannot be done at a glance.
 *
 * Where no quote is escaped and none is followed by white space, every name ends in `":`; so may the first quote of a
 * text that begins with a colon, which counts too many.
 */
function countNamesAtMost(text: string): number {
  if (/\\|"\s/.test(text)) return -1
  let members = 0
  for (let at = text.indexOf('":'); at !== -1; at = text.indexOf('":', at + 2)) members++
  return members
}

/**
 * Counts the members that the text spells out: its colons outside of strings.
 * A name given twice is spelled twice but parsed once, so the parsed value has fewer.
 */
function countMembers(text: string): number {
  let members = 0
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code === 0x22) {
      index = endOfString(text, index)
    } else if (code === 0x3a) {
      members++
    }
  }
  return members
}

/** The index of the quote that closes the string opened at `start`; the length of the text where none does. */
function endOfString(text: string, start: number): number {
  let index = start + 1
  for (; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code === 0x22) break
    if (code === 0x5c) index++
  }
  return index
}

/** Freezes the whole tree and counts its members; NaN for an infinite number, and for one that is nested too deep. */
function freeze(value: unknown, depth = 1): number {
  if (typeof value === 'number') return Number.isFinite(value) ? 0 : Number.NaN
  if (typeof value !== 'object' || value === null) return 0
  if (depth > maxDepth) return Number.NaN
  Object.freeze(value)
  let members = 0
  if (Array.isArray(value)) {
    for (const item of value) members += freeze(item, depth + 1)
    return members
  }
  for (const name of Object.keys(value)) {
    members += 1 + freeze((value as Record<string, unknown>)[name], depth + 1)
  }
  return members
}

/**
 * Copies a value that is to be written into a token, reading each property once.
 *
 * @param path Names the value in the message, which never holds the value itself.
 * @throws {TypeError} for what JSON would change or drop: accessors, class instances, `undefined`, functions,
 * `bigint`, `NaN` and infinities, cycles and more than 32 levels
 */
export function copyJson(value: unknown, path: string, depth = 0): JsonValue {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value
  // JSON has no negative zero.
  if (typeof value === 'number' && Number.isFinite(value)) return value === 0 ? 0 : value
  if (typeof value !== 'object') throw new TypeError(`${path} must be a JSON value, not ${typeOf(value)}`)
  if (depth >= maxDepth)
    throw new TypeError(`${path} is nested more than ${maxDepth} levels deep, or a cycle`)
  if (!Array.isArray(value)) return copyJsonObject(value, path, depth)
  return Array.from(value.keys(), (index) => copyJson(ownValue(value, index, path), `${path}[]`, depth + 1))
}

/** Like `copyJson`, for what must be an object at the top. */
export function copyJsonObject(value: object, path: string, depth = 0): JsonObject {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (
    (prototype !== Object.prototype && prototype !== null) ||
    Object.getOwnPropertySymbols(value).length > 0
  ) {
    throw new TypeError(`${path} must be a plain object`)
  }
  const copy: Record<string, JsonValue> = Object.create(null)
  for (const name of Object.keys(value)) {
    copy[name] = copyJson(ownValue(value, name, path), `${path}.${name}`, depth + 1)
  }
  return copy
}

/** The value of an own property, without running an accessor. */
function ownValue(holder: object, name: PropertyKey, path: string): unknown {
  const property = Object.getOwnPropertyDescriptor(holder, name)
  if (property !== undefined && !('value' in property)) {
    throw new TypeError(`${path}.${String(name)} must be a plain value, not an accessor`)
  }
  return property?.value
}

function typeOf(value: unknown): string {
  return Number.isNaN(value) || typeof value === 'number' ? 'a number that is not finite' : typeof value
}
