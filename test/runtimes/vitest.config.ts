// How `npm run test:runtimes` runs; `npm test` knows nothing of it.

import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/runtimes/*.check.ts'],
    // Some steps of a runtime only wait.
    maxConcurrency: 10,
    testTimeout: 20_000,
    hookTimeout: 60_000,
  },
})
