// How the tests run. `npm test` builds first: the tests of the package, the demo and the examples read dist/.

import { fileURLToPath } from 'node:url'
import { configDefaults, defineConfig } from 'vitest/config'

/** The packages of NestJS 11, which lie together in a folder of their own. */
const nest11 = fileURLToPath(new URL('node_modules/@nestjs', import.meta.resolve('nest11/package.json')))

export default defineConfig({
  test: {
    maxWorkers: 2,
    testTimeout: 10_000,
    // Servers and browsers start in hooks.
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'tallystick',
          include: ['test/**/*.test.ts'],
          exclude: [...configDefaults.exclude, 'test/nest11/**'],
        },
      },
      {
        extends: true,
        // The same files, and with them the adapter, on the other major.
        resolve: { alias: [{ find: /^@nestjs\/([\w-]+)$/, replacement: `${nest11}/$1` }] },
        test: { name: 'NestJS 11', include: ['test/adapters/nest*.test.ts', 'test/nest11/*.test.ts'] },
      },
    ],
  },
})
