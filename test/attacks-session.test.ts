/** Holds the table of attacks on sessions against the library, through the front door. */

import { describe, expect, test } from 'vitest'
import { catalogueIds, leftOut, rows } from './attacks-session.ts'

describe('the catalogue', () => {
  test('every id is in the table or in the list of those left out, never in both', () => {
    const ids = rows.map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
    const all = [...ids, ...Object.keys(leftOut).map(Number)]
    expect(all.toSorted((left, right) => left - right)).toEqual(catalogueIds)
  })

  test('every row has a proof, and every row left out a reason', () => {
    for (const { proved } of rows) expect(proved.length).toBeGreaterThan(0)
    for (const reason of Object.values(leftOut)) expect(reason).not.toBe('')
  })
})

for (const { id, input, proved } of rows) {
  describe(`${id}: ${input}`, () => {
    test.for(proved.map(({ note, prove }) => [note, prove] as const))('%s', async ([, prove]) => {
      expect.hasAssertions()
      await prove()
    })
  })
}
