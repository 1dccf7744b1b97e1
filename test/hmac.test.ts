// HMAC by two hashes against Node's own, and what it falls back to where there is no such hash.

import { createHmac, createSecretKey } from 'node:crypto'
import fc from 'fast-check'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { createMac } from '../src/core/hmac.ts'

afterEach(() => {
  vi.doUnmock('node:crypto')
  vi.resetModules()
})

const hashes = ['sha256', 'sha384', 'sha512']

/** Around the lengths of a block, where keys begin to be hashed themselves. */
const keyBytes = fc.uint8Array({ minLength: 1, maxLength: 300 })

const asciiText = fc.string({
  unit: fc.integer({ min: 0, max: 127 }).map((code) => String.fromCharCode(code)),
  maxLength: 500,
})

describe.each(hashes)('the MAC by %s', (hash) => {
  const expected = (key: Uint8Array, text: string): string =>
    createHmac(hash, key).update(text, 'latin1').digest('base64url')

  test('is that of node:crypto, for every key and text, also when it is used again', () => {
    fc.assert(
      fc.property(keyBytes, fc.array(asciiText, { minLength: 1, maxLength: 4 }), (key, texts) => {
        const mac = createMac(hash, createSecretKey(key))
        for (const text of texts) expect(mac(text)).toBe(expected(key, text))
      }),
      { numRuns: 300 },
    )
  })

  test.each([0, 1, 8191, 8192, 8193, 100_000])(
    'is right for a text of %d characters, and after it',
    (length) => {
      const key = new Uint8Array(64).fill(7)
      const mac = createMac(hash, createSecretKey(key))
      for (const text of ['x'.repeat(length), 'short']) expect(mac(text)).toBe(expected(key, text))
    },
  )

  test('is the same where the runtime has no crypto.hash', async () => {
    vi.doMock('node:crypto', async (importOriginal) => {
      const original = await importOriginal<typeof import('node:crypto')>()
      return { ...original, hash: undefined }
    })
    vi.resetModules()
    const older = await import('../src/core/hmac.ts')
    const key = new Uint8Array(48).fill(9)
    expect(older.createMac).not.toBe(createMac)
    expect(older.createMac(hash, createSecretKey(key))('text')).toBe(expected(key, 'text'))
  })
})
