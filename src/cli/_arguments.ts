/** Reads arguments with Node's own parser, by the table of a command; never repeats a value, which may be a secret. */

import { parseArgs } from 'node:util'
import { suggestion } from '../core/suggestion.ts'
import type { Command, OptionSpec } from './_command.ts'
import { misuse } from './_failure.ts'

/** What every command takes. */
export const generalOptions: Readonly<Record<string, OptionSpec>> = {
  json: { about: 'write one JSON document instead of text' },
  help: { about: 'tell how the command is used' },
}

export interface Arguments {
  readonly operands: readonly string[]
  readonly options: ReadonlyMap<string, string | true>
}

/** Names under which people hand secrets over; whoever can list processes would read them. */
const secretNames =
  /^-*(?:p|u|user|[\w-]*(?:secret|password|passwd|passphrase|credential|token|cookie|jwt|authorization)[\w-]*|(?:private-?|public-?|store-?)?(?:key|store|url|uri))$/i

/** A token, a key, a Cookie header, or an address with a password in it. */
const secretText =
  /^\s*(?:bearer\s+)?ey[\w-]+\.[\w-]*\.[\w-]*|-----BEGIN |[\w-]+_token\w*=\S|"(?:d|k|secretKey|privateKey|password)"\s*:|:\/\/[^/?#]*:[^/?#]*@/i

/** @throws {Failure} that names the mistake, and the right way */
export function readArguments(command: Command, parameters: readonly string[]): Arguments {
  const table = { ...command.options, ...generalOptions }
  const { tokens } = parseArgs({
    args: [...parameters],
    options: Object.fromEntries(
      Object.entries(table).map(([name, { value }]) => [
        name,
        { type: value === undefined ? 'boolean' : 'string' },
      ]),
    ),
    allowPositionals: true,
    strict: false,
    tokens: true,
  })
  const operands: string[] = []
  const options = new Map<string, string | true>()
  for (const token of tokens) {
    if (token.kind === 'positional') operands.push(token.value)
    if (token.kind !== 'option') continue
    const { name, rawName, value } = token
    const spec = Object.hasOwn(table, name) ? table[name] : undefined
    if (spec === undefined) throw unknownOption(command, rawName)
    if (options.has(name)) throw misuse(`${rawName} is given twice`)
    options.set(name, readValue(command, spec, rawName, value, token.inlineValue))
  }
  if (!options.has('help')) checkOperands(command, operands)
  return { operands, options }
}

function readValue(
  command: Command,
  spec: OptionSpec,
  rawName: string,
  value: string | undefined,
  isInline: boolean | undefined,
): string | true {
  if (spec.value === undefined) {
    if (value !== undefined) throw misuse(`${rawName} takes no value`)
    return true
  }
  const isMissing = value === undefined || value === '' || (isInline === false && /^-./.test(value))
  if (isMissing) throw misuse(`${rawName} needs a value: ${rawName} ${spec.value}`)
  if (secretText.test(value)) throw exposed(command, `The value of ${rawName}`)
  return value
}

function unknownOption(command: Command, rawName: string): Error {
  // What is no name may be a secret that begins with a dash.
  const isName = /^--?[a-z][a-z-]{0,30}$/i.test(rawName)
  if (isName && secretNames.test(rawName)) return exposed(command, `${rawName} asks for`)
  if (!isName) return misuse(`There is an option that ${command.name} does not have: see --help`)
  const names = Object.keys({ ...command.options, ...generalOptions }).map((name) => `--${name}`)
  return misuse(`${command.name} has no option ${rawName}${suggestion(rawName, names) || ': see --help'}`)
}

function checkOperands({ name, operands, ...command }: Command, given: readonly string[]): void {
  const extra = given.slice(operands.length)
  if ([...given].some((text) => secretText.test(text)))
    throw exposed({ name, operands, ...command }, 'An argument')
  const missing = operands[given.length]
  if (missing !== undefined || given.some((text) => text === ''))
    throw misuse(
      `${missing?.name ?? 'An argument'} is missing: tallystick ${[name, ...operands.map((operand) => operand.name)].join(' ')}`,
    )
  if (extra.length > 0)
    throw misuse(
      operands.length === 0
        ? `${name} takes no arguments but options: ${command.secrets}`
        : `${name} takes only ${operands.map((operand) => operand.name).join(' ')}: see --help`,
    )
}

function exposed({ secrets }: Command, what: string): Error {
  const verb = what.endsWith('asks for') ? '' : ' looks like'
  return misuse(
    `${what}${verb} a secret, and arguments can be read by everybody on this machine, and stay in the shell's history: ${secrets}`,
  )
}
