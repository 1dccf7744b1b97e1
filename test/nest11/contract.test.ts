// The contract of tallystick/testing on NestJS 11: this folder has its packages, the project of the runner leads there.

import { describe, test } from 'vitest'
import { adapterContract } from '../../src/testing.ts'
import * as nest from '../adapters/nest.ts'

describe.each([
  { platform: 'Express', start: nest.startOnExpress, limits: nest.expressLimits },
  { platform: 'Fastify', start: nest.startOnFastify, limits: nest.fastifyLimits },
])('NestJS 11 on $platform', ({ start, limits }) => {
  for (const { title, run } of adapterContract(start, limits)) {
    // oxlint-disable-next-line vitest/expect-expect -- the contract asserts by itself
    test(title, run)
  }
})
