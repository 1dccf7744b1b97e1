/** What a command is: its words, its options and operands, and what it does. */

import type { ExitCode } from './_failure.ts'
import type { Terminal } from './_terminal.ts'

/** An option with a value, or a switch. */
export interface OptionSpec {
  readonly about: string
  /** What stands for the value in the help; a switch has none. */
  readonly value?: string
}

export interface OperandSpec {
  readonly name: string
  readonly about: string
}

/** One command of the program. */
export interface Command {
  /** `keys rotate`. */
  readonly name: string
  /** One line for the list of commands. */
  readonly summary: string
  /** What it needs to know beyond the table of options; whole sentences. */
  readonly about: readonly string[]
  readonly operands: readonly OperandSpec[]
  readonly options: Readonly<Record<string, OptionSpec>>
  /** Where its secrets come from, as they are never arguments. */
  readonly secrets: string
  run(call: Call): Promise<ExitCode>
}

/** One use of a command. */
export class Call {
  readonly terminal: Terminal
  readonly #operands: readonly string[]
  readonly #options: ReadonlyMap<string, string | true>

  constructor(terminal: Terminal, operands: readonly string[], options: ReadonlyMap<string, string | true>) {
    this.terminal = terminal
    this.#operands = operands
    this.#options = options
  }

  /** The operand at this place: they are counted before a command runs. */
  operand(index: number): string {
    return this.#operands[index] ?? ''
  }

  text(name: string): string | undefined {
    const value = this.#options.get(name)
    return typeof value === 'string' ? value : undefined
  }

  isOn(name: string): boolean {
    return this.#options.get(name) === true
  }
}
