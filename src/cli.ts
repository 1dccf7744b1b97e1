#!/usr/bin/env node
/** The command `tallystick`: gives a process's streams to the commands, and ends it by what they came to. */

import { runCommandLine } from './cli/_run.ts'

const { env: environment, stdin: input, stdout: output, stderr: errors } = process
// Where nothing is left to wait for, and no command has said what it came to.
process.exitCode = 4
const ended = runCommandLine({ environment, input, output, errors, now: Date.now }, process.argv.slice(2))
// A driver that goes on trying to connect would keep the process.
void ended.then((exitCode) => process.exit(exitCode))
