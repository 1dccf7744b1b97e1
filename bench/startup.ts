// What it costs to have tallystick at all: the time and memory of an import, and the bytes of a bundle.

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { bundleSizes } from './bundles.ts'
import type { Effort } from './effort.ts'
import { median } from './report.ts'
import type { Table } from './report.ts'

const script = (specifier: string): string => `
const memory = process.memoryUsage().heapUsed
const start = performance.now()
await import(${JSON.stringify(specifier)})
console.log(JSON.stringify([performance.now() - start, process.memoryUsage().heapUsed - memory]))
`

export async function measureStartup({ rounds }: Effort): Promise<readonly Table[]> {
  const sizes = await bundleSizes(new URL('../../', import.meta.url))
  const imports = new Map(
    [...sizes.keys()].map((subpath) => [subpath, { ms: [] as number[], kB: [] as number[] }]),
  )
  for (let round = 0; round < rounds; round++) {
    for (const [subpath, { ms, kB }] of imports) {
      const [milliseconds, bytes] = await importOnce(`tallystick${subpath.slice(1)}`)
      ms.push(milliseconds)
      kB.push(bytes / 1024)
    }
  }
  return [
    {
      title: 'Start-up: the import of each subpath in a process of its own, and its bundle',
      columns: ['', 'ms', 'heap kB', 'minified B', 'gzip B'],
      rows: [...sizes].map(([subpath, { minified, gzip }]) => {
        const { ms = [], kB = [] } = imports.get(subpath) ?? {}
        return [`tallystick${subpath.slice(1)}`, median(ms), median(kB), minified, gzip]
      }),
      notes: ['Bundles are minified and hold the core; frameworks and drivers stay outside.'],
    },
  ]
}

async function importOnce(specifier: string): Promise<[number, number]> {
  const parameters = ['--input-type=module', '--eval', script(specifier)]
  const { stdout } = await promisify(execFile)(process.execPath, parameters, {
    cwd: new URL('..', import.meta.url),
  })
  return JSON.parse(stdout)
}
