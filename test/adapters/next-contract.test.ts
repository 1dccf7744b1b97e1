// The contract on a live Next.js 16, in a file of its own: the app takes a while to be there.

import { afterEach, beforeEach, describe, test, vi } from 'vitest'
import { adapterContract } from '../../src/testing.ts'
import { limits, start } from './next.ts'

describe('Next.js 16', () => {
  beforeEach(() => void vi.spyOn(console, 'error').mockReturnValue())
  afterEach(() => void vi.restoreAllMocks())

  for (const { title, run } of adapterContract(start, limits)) {
    // oxlint-disable-next-line vitest/expect-expect -- the contract asserts by itself
    test(title, run)
  }
})
