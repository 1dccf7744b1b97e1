// `next start` in a process of its own, of an app that `next build` has built.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { RunningApp } from '../../src/testing.ts'

const root = new URL('../../', import.meta.url)

/** Serves the app in a folder of this repository on a port that is free. */
export async function startNext(
  folder: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<RunningApp> {
  if (!existsSync(new URL(`${folder}/.next/BUILD_ID`, root)))
    throw new Error(`There is no ${folder}/.next: run \`npm run build:next\` first.`)
  const next = fileURLToPath(new URL('node_modules/next/dist/bin/next', root))
  const child = spawn(process.execPath, [next, 'start', folder, '--port', '0', '--hostname', 'localhost'], {
    cwd: fileURLToPath(root),
    env: {
      NODE_ENV: 'production',
      NEXT_TELEMETRY_DISABLED: '1',
      NO_COLOR: '1',
      PATH: process.env['PATH'],
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exit = once(child, 'exit')
  let output = ''
  for await (const chunk of child.stdout) {
    output += String(chunk)
    if (output.includes('Ready')) break
  }
  const origin = /http:\/\/localhost:\d+/.exec(output)?.[0]
  if (origin === undefined) throw new Error(`next start did not come up: ${output}`)
  return {
    origin,
    async close() {
      child.kill()
      await exit
    },
  }
}
