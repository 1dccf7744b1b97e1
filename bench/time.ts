// Times functions beside each other: in each round each has its turn, and the medians of the rounds are what counts.

import { setTimeout as sleep } from 'node:timers/promises'
import { measure } from 'mitata'
import type { Effort } from './effort.ts'
import { median } from './report.ts'

/** One call of what is measured; what it gives is not looked at. */
export type Call = () => unknown

/** @returns microseconds of each call, by its name. */
export async function time<Name extends string>(
  calls: ReadonlyMap<Name, Call>,
  { rounds, functionSeconds }: Effort,
): Promise<ReadonlyMap<Name, number>> {
  const figures = new Map<Name, number[]>([...calls.keys()].map((name) => [name, []]))
  // The first round is there to warm up.
  for (let round = 0; round <= rounds; round++) {
    for (const [name, call] of calls) {
      // Whatever follows a store needs its turn as well.
      await sleep(20)
      const { p50 } = await measure(call, { min_cpu_time: functionSeconds * 1e9 })
      if (round > 0) figures.get(name)?.push(p50 / 1000)
    }
  }
  return new Map([...figures].map(([name, list]) => [name, median(list)]))
}
