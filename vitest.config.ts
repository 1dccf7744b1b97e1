// How the tests run. `npm test` builds first: the tests of the package, the demo and the examples read dist/.

import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    maxWorkers: 2,
    testTimeout: 10_000,
    // Servers and browsers start in hooks.
    hookTimeout: 60_000,
  },
})
