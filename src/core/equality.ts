/** Compares secret texts in time that depends on their lengths alone. */

import { Buffer } from 'node:buffer'
import { timingSafeEqual } from 'node:crypto'

/** Whether two texts are the same, code unit by code unit. */
export type Equality = (left: string, right: string) => boolean

const bytesPerUnit = 2

/** Makes one that keeps the memory that it compares in: its callers compare texts of one length, again and again. */
export function createEquality(): Equality {
  let leftBytes = Buffer.alloc(0)
  let rightBytes = Buffer.alloc(0)
  return (left, right) => {
    if (left.length !== right.length) return false
    if (leftBytes.length !== left.length * bytesPerUnit) {
      leftBytes = Buffer.alloc(left.length * bytesPerUnit)
      rightBytes = Buffer.alloc(left.length * bytesPerUnit)
    }
    // Of all encodings only this one keeps every text apart from every other, lone surrogates included.
    leftBytes.write(left, 'utf16le')
    rightBytes.write(right, 'utf16le')
    return timingSafeEqual(leftBytes, rightBytes)
  }
}
