// Texts are equal when every code unit is, and nothing that an encoding would change makes two of them one.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createEquality } from '../src/core/equality.ts'

describe('texts compared in constant time', () => {
  const anyText = fc.string({
    unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)),
    maxLength: 40,
  })

  test('are equal if and only if they are the same, whatever was compared before', () => {
    const isEqual = createEquality()
    fc.assert(
      fc.property(anyText, anyText, (left, right) => {
        expect(isEqual(left, right)).toBe(left === right)
        expect(isEqual(left, left)).toBe(true)
      }),
    )
  })

  test.each([
    ['characters with the same low byte', 'a1', 'a\u0131'],
    ['a lone surrogate and another one', '\ud800', '\ud801'],
    ['a lone surrogate and the replacement character', '\ud800', '\ufffd'],
    ['composed and decomposed letters', '\u00e9', 'e\u0301'],
    ['texts of which one is the start of the other', 'abc', 'abcd'],
    ['nothing and something', '', '\0'],
  ])('keep %s apart', (_what, left, right) => {
    const isEqual = createEquality()
    for (const [one, other] of [
      [left, right],
      [right, left],
    ] as const) {
      expect(isEqual(one, other)).toBe(false)
    }
  })
})
