// A hundred refreshes of one token at once, from four processes on one store: one successor, the same for all.

import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import * as postgres from './stores/_postgres.ts'
import * as redis from './stores/_redis.ts'

const run = promisify(execFile)
const script = fileURLToPath(new URL('.bench/sessions/run.js', import.meta.url))
const rounds = 20

const kinds = [
  ['sqlite', true],
  ['redis', await redis.isReachable()],
  ['postgres', await postgres.isReachable()],
] as const

describe.each(kinds)('%s', (kind, isThere) => {
  test.skipIf(!isThere)('has one successor for all, round after round', { timeout: 60_000 }, async () => {
    // A round that went otherwise ends it with an error.
    const { stdout } = await run(process.execPath, [script, `${rounds}`, kind], {
      timeout: 50_000,
    })
    expect(stdout).toContain(
      `${rounds} rounds of 100 refreshes of one token from 4 processes, one successor each`,
    )
    expect(stdout).toMatch(new RegExp(`\\| ${kind} +\\| +\\d`))
  })
})
