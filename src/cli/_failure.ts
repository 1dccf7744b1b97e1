/** Why a command ends without having done its work; the message is for people, and never holds a secret. */

import { visible } from './_visible.ts'

/** What a command's exit code says. */
export type ExitCode = 0 | 1 | 2 | 3 | 4

/** The exit codes, for help and documents. */
export const exitCodes: Readonly<Record<ExitCode, string>> = {
  0: 'done, and nothing is wrong',
  1: 'done, and the answer is no: something is wrong, unknown or not due yet',
  2: 'wrong use of the command',
  3: 'could not be done: a file, a server, a driver or the input is missing or unusable',
  4: 'a fault of tallystick itself',
}

/** What a command throws to end with a message and an exit code. */
export class Failure extends Error {
  readonly exitCode: ExitCode

  constructor(exitCode: ExitCode, message: string) {
    super(message)
    this.name = 'Failure'
    this.exitCode = exitCode
  }
}

/** The command was used wrongly. */
export function misuse(message: string): Failure {
  return new Failure(2, message)
}

/** What was asked for cannot be done here and now. */
export function unable(message: string): Failure {
  return new Failure(3, message)
}

/** The word of the system or of a driver, in one short line; of an error with a secret in its message, only its code. */
export function reasonOf(error: unknown, secrets: readonly string[] = []): string {
  if (error instanceof AggregateError) return error.errors.map((inner) => reasonOf(inner, secrets)).join(', ')
  const { code, message } = Object(error) as { readonly code?: unknown; readonly message?: unknown }
  const word = typeof code === 'string' && code !== '' ? code : 'no reason can be shown'
  const known = systemReasons[word]
  if (known !== undefined) return known
  const text = typeof message === 'string' && message !== '' ? message : word
  const isSecret = secrets.some((secret) => secret !== '' && text.includes(secret))
  return visible((isSecret ? word : text).replaceAll(/\s+/g, ' ').replace(/\.$/, ''), 300)
}

const systemReasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  EACCES: 'this user may not',
  EPERM: 'this user may not',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of its path is no folder',
  EROFS: 'the file system can only be read',
  ENOSPC: 'the disk is full',
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection was cut',
  ENOTFOUND: 'there is no host of that name',
  EAI_AGAIN: 'the name of the host cannot be looked up now',
  ETIMEDOUT: 'there was no answer in time',
  ABORT_ERR: 'there was no answer in time',
  EFBIG: 'the file may not become that long',
}
