/** Writes the help of the program and of each command, from their tables. */

import { generalOptions } from './_arguments.ts'
import type { Command, OptionSpec } from './_command.ts'
import { exitCodes } from './_failure.ts'

export function describeAll(commands: readonly Command[]): string {
  const rows = commands.map(({ name, operands, summary }) => [
    [name, ...operands.map((operand) => operand.name)].join(' '),
    summary,
  ])
  return [
    'Usage: tallystick <command> [options]',
    '',
    ...columns(rows),
    '',
    'Secrets come from the environment, files or standard input, and never from arguments.',
    'tallystick <command> --help tells more of each; --json makes each write one JSON document.',
    '',
    'Exit codes:',
    ...columns(Object.entries(exitCodes).map(([code, meaning]) => [code, meaning])),
  ].join('\n')
}

export function describeCommand({ name, summary, about, operands, options, secrets }: Command): string {
  const usage = ['tallystick', name, ...operands.map((operand) => operand.name), '[options]'].join(' ')
  const rows = [
    ...operands.map((operand) => [operand.name, operand.about]),
    ...Object.entries({ ...options, ...generalOptions }).map(describeOption),
  ]
  return [`Usage: ${usage}`, '', `${summary}.`, ...about, `Secrets: ${secrets}`, '', ...columns(rows)].join(
    '\n',
  )
}

function describeOption([name, { value, about }]: readonly [string, OptionSpec]): string[] {
  return [value === undefined ? `--${name}` : `--${name} ${value}`, about]
}

function columns(rows: readonly (readonly string[])[]): string[] {
  const width = Math.max(...rows.map(([first = '']) => first.length))
  return rows.map(([first = '', ...rest]) => `  ${first.padEnd(width)}  ${rest.join('  ')}`.trimEnd())
}
