/** Reads options by their own properties alone, so that nothing on a polluted prototype can switch a check off. */

import { suggestion } from './suggestion.ts'

/**
 * A copy without a prototype of what a caller was given.
 *
 * @throws {TypeError} for what is no object, and for a name that is none of `names`
 */
export function ownOptions<Options extends object>(
  options: Options,
  caller: string,
  names: readonly string[],
): Options {
  if (typeof options !== 'object' || options === null)
    throw new TypeError(`${caller} takes an object of options`)
  const unknownName = Object.keys(options).find((name) => !names.includes(name))
  if (unknownName !== undefined) {
    throw new TypeError(`${caller} has no option "${unknownName}"${suggestion(unknownName, names)}`)
  }
  return withoutPrototype(options)
}

/** A copy of an object's own properties that inherits nothing. */
export function withoutPrototype<Value extends object>(value: Value): Value {
  return Object.assign(Object.create(null) as Value, value)
}
