/** Finds the command that is meant, runs it, and makes an exit code of whatever happens. */

import { readFileSync } from 'node:fs'
import { suggestion } from '../core/suggestion.ts'
import { readArguments } from './_arguments.ts'
import { Call } from './_command.ts'
import type { Command } from './_command.ts'
import { doctorCommand } from './_doctor.ts'
import { Failure, misuse, reasonOf } from './_failure.ts'
import type { ExitCode } from './_failure.ts'
import { describeAll, describeCommand } from './_help.ts'
import { generateCommand, jwksCommand, rotateCommand } from './_keys.ts'
import { inspectCommand } from './_inspect.ts'
import { secretCommand } from './_secret.ts'
import { listCommand, revokeAllCommand, revokeCommand } from './_sessions.ts'
import { Terminal } from './_terminal.ts'
import type { Streams } from './_terminal.ts'

const commands: readonly Command[] = [
  secretCommand,
  generateCommand,
  rotateCommand,
  jwksCommand,
  inspectCommand,
  doctorCommand,
  listCommand,
  revokeCommand,
  revokeAllCommand,
]

/** Runs one command line to its end; never throws. */
export async function runCommandLine(streams: Streams, parameters: readonly string[]): Promise<ExitCode> {
  const terminal = new Terminal(streams, parameters.includes('--json'))
  try {
    const exitCode = await dispatch(terminal, parameters)
    await terminal.finish()
    return exitCode
  } catch (error) {
    const failure = error instanceof Failure ? error : faultOf(error)
    if (failure.message !== '') terminal.fail(failure)
    return await terminal.finish().then(
      () => failure.exitCode,
      () => failure.exitCode,
    )
  }
}

async function dispatch(terminal: Terminal, parameters: readonly string[]): Promise<ExitCode> {
  const [first] = parameters
  if (first === '--version' || first === '-V') {
    const version = readVersion()
    terminal.print({ version }, version)
    return 0
  }
  if (first === '--help' || first === '-h' || first === 'help') {
    terminal.print(
      { commands: commands.map(({ name, summary }) => ({ name, summary })) },
      describeAll(commands),
    )
    return 0
  }
  const command = findCommand(parameters)
  const rest = parameters
    .slice(command.name.split(' ').length)
    .map((parameter) => (parameter === '-h' ? '--help' : parameter))
  const { operands, options } = readArguments(command, rest)
  if (options.has('help')) {
    const { name, summary, about } = command
    terminal.print({ name, summary, about, options: command.options }, describeCommand(command))
    return 0
  }
  return command.run(new Call(terminal, operands, options))
}

function findCommand(parameters: readonly string[]): Command {
  const words = parameters.filter((parameter) => parameter !== '--json')
  if (words.length === 0) throw misuse(`Which command?\n\n${describeAll(commands)}`)
  const found = commands.find(({ name }) => {
    const parts = name.split(' ')
    return parts.every((part, index) => parameters[index] === part)
  })
  if (found !== undefined) return found
  const [first = ''] = words
  const family = commands.filter(({ name }) => name.startsWith(`${first} `)).map(({ name }) => name)
  if (family.length > 0) throw misuse(`Which of these: ${family.join(', ')}?`)
  // What is no word may be a secret that was pasted here.
  const names = commands.map(({ name }) => name.split(' ')[0] ?? '')
  const known = /^[a-z-]{1,20}$/.test(first) ? ` ${first}${suggestion(first, names)}` : ''
  throw misuse(`There is no such command${known && `:${known}`}. See tallystick --help`)
}

function faultOf(error: unknown): Failure {
  const name = error instanceof Error ? error.name : typeof error
  return new Failure(4, `This is a fault of tallystick, please report it: ${name}: ${reasonOf(error)}`)
}

function readVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { readonly version: string }).version
}
