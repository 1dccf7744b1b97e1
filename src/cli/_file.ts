/** Reads files within bounds, and writes files with secrets: whole or not at all, and for their owner alone. */

import { Buffer } from 'node:buffer'
import {
  closeSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  linkSync,
  openSync,
  readSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { Failure, reasonOf, unable } from './_failure.ts'
import { visible } from './_visible.ts'

/** No file that a command reads is longer. */
const mostFileBytes = 1024 * 1024

const ownerOnly = 0o600

/** The text of a file, without a byte order mark. @throws {Failure} */
export function readText(path: string): string {
  return attempt(`${visible(path)} cannot be read`, () => {
    const descriptor = openSync(path, 'r')
    try {
      return readAll(descriptor, path)
        .toString('utf8')
        .replace(/^\u{feff}/u, '')
    } finally {
      closeSync(descriptor)
    }
  })
}

function readAll(descriptor: number, path: string): Buffer {
  const chunks: Buffer[] = []
  for (let size = 0; ;) {
    const chunk = Buffer.alloc(65_536)
    const count = readSync(descriptor, chunk)
    if (count === 0) return Buffer.concat(chunks)
    size += count
    if (size > mostFileBytes) throw unable(`${visible(path)} holds more than a megabyte, so it is not meant`)
    chunks.push(chunk.subarray(0, count))
  }
}

/** What is known of a file without reading it. */
export interface FileFacts {
  /** Milliseconds since 1970. */
  readonly changedAt: number
  /** Whether others than its owner may read it. */
  readonly isOpenToOthers: boolean
}

export function factsOf(path: string): FileFacts {
  const { mtimeMs, mode } = attempt(`${visible(path)} cannot be read`, () => statSync(path))
  return { changedAt: mtimeMs, isOpenToOthers: (mode & 0o077) !== 0 }
}

/**
 * Makes a file that is not there yet, and is there whole or not at all.
 *
 * @throws {Failure} with the words of `taken` where there is one already
 */
export function createFile(path: string, text: string, taken: string): void {
  withDraft(path, (draft) => {
    draft.write(text)
    try {
      // Unlike a rename it fails where somebody else was first.
      linkSync(draft.path, path)
    } catch (error) {
      if (codeOf(error) === 'EEXIST') throw unable(taken)
      throw error
    }
    rmSync(draft.path)
  })
}

/**
 * Replaces a file in one step, by what is made of its text; of two that do so at once the second fails.
 *
 * Links stay links, and the owner stays the owner.
 */
export function changeFile(path: string, change: (text: string) => string): void {
  const target = attempt(`${visible(path)} cannot be read`, () => realpathSync(path))
  withDraft(target, (draft) => {
    draft.write(change(readText(target)))
    const { uid, gid } = statSync(target)
    if (uid !== process.getuid?.()) draft.giveTo(uid, gid)
    renameSync(draft.path, target)
  })
}

/** Writes a file, whether it is there or not. @returns whether it replaced one */
export function writeOver(path: string, text: string): boolean {
  try {
    statSync(path)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw unable(`${visible(path)} cannot be written: ${reasonOf(error)}`)
    createFile(path, text, `${visible(path)} was made by somebody else at the same time`)
    return false
  }
  changeFile(path, () => text)
  return true
}

interface Draft {
  readonly path: string
  write(text: string): void
  giveTo(uid: number, gid: number): void
}

/** The draft's name is a lock too: it is made only where there is none. */
function withDraft(target: string, fill: (draft: Draft) => void): void {
  const path = `${target}.new`
  const problem = `${visible(target)} cannot be written`
  const descriptor = attempt(problem, () => {
    try {
      return openSync(path, 'wx', ownerOnly)
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error
      throw unable(
        `${visible(path)} is there: another command changes the file right now, or was cut off. If none runs, remove it`,
      )
    }
  })
  try {
    attempt(problem, () =>
      fill({
        path,
        write(text) {
          fchmodSync(descriptor, ownerOnly)
          // Unlike one write, which a full disk can cut short without an error.
          writeFileSync(descriptor, text)
          fsyncSync(descriptor)
        },
        giveTo: (uid, gid) => fchownSync(descriptor, uid, gid),
      }),
    )
  } catch (error) {
    rmSync(path, { force: true })
    throw error
  } finally {
    closeSync(descriptor)
  }
}

function attempt<Value>(problem: string, step: () => Value): Value {
  try {
    return step()
  } catch (error) {
    if (error instanceof Failure) throw error
    throw unable(`${problem}: ${reasonOf(error)}`)
  }
}

function codeOf(error: unknown): unknown {
  return (Object(error) as { readonly code?: unknown }).code
}
