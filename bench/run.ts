// Runs measurements, prints their tables and writes them as JSON. Asserts no speed, as machines differ.

import { writeFile } from 'node:fs/promises'
import { availableParallelism, cpus, platform, release } from 'node:os'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { quick, thorough } from './effort.ts'
import type { Effort } from './effort.ts'
import { measureGuards } from './guards.ts'
import { measureRoutes, measureSignIn } from './http.ts'
import { generator } from './load.ts'
import { format } from './report.ts'
import type { Table } from './report.ts'
import { measureConvergence } from './sessions/convergence.ts'
import { measureLag } from './sessions/lag.ts'
import { measureRotations } from './sessions/rotations.ts'
import { measureSizes } from './sessions/sizes.ts'
import { measureStartup } from './startup.ts'
import { measureTokens } from './tokens.ts'

/** What runs when nothing is named; the others need Redis and PostgreSQL. */
const local = ['tokens', 'guards', 'startup', 'routes', 'sign-in']

const measurements = new Map<string, (effort: Effort) => Promise<readonly Table[]>>([
  ['tokens', measureTokens],
  ['guards', measureGuards],
  ['startup', measureStartup],
  ['routes', measureRoutes],
  ['sign-in', measureSignIn],
  ['lag', async ({ rounds }) => [await measureLag(200 * rounds)]],
  ['rotations', async ({ seconds }) => [await measureRotations(2 * seconds)]],
  ['convergence', async ({ rounds }) => [await measureConvergence(200 * rounds, ['redis', 'postgres'])]],
  ['sizes', async () => [await measureSizes()]],
])

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'string', default: 'bench/results.json' },
  },
})
const names = positionals.length > 0 ? positionals : local
const unknown = names.find((name) => !measurements.has(name))
if (unknown === undefined) await run(names)
else {
  console.error(`There is no measurement “${unknown}”: ${[...measurements.keys()].join(', ')}`)
  process.exitCode = 1
}

async function run(chosen: readonly string[]): Promise<void> {
  const machine = {
    node: process.version,
    system: `${platform()} ${release()}`,
    processor: `${availableParallelism()} × ${cpus()[0]?.model ?? 'unknown'}`,
    load: generator,
  }
  console.log(`Node ${machine.node}, ${machine.system}, ${machine.processor}, load by ${machine.load}\n`)
  const tables: Record<string, readonly Table[]> = {}
  for (const name of chosen) {
    const made = (await measurements.get(name)?.(values.quick ? quick : thorough)) ?? []
    tables[name] = made
    console.log(made.map(format).join('\n'))
  }
  const file = resolve(fileURLToPath(new URL('../..', import.meta.url)), values.json)
  await writeFile(file, `${JSON.stringify({ date: new Date().toISOString(), machine, tables }, null, 2)}\n`)
  console.log(`Written to ${values.json}`)
}
