// Builds the app of examples/nitro with Nitro 3, as its reader would, and goes through it by HTTP.

import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe } from 'vitest'
import { environment, startBuilt, testApp } from './_nitro.ts'
import type { BuiltApp } from './_nitro.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

describe('a Nitro 3 app', () => {
  let folder: string
  let app: BuiltApp

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tallystick-nitro-'))
    await cp(join(root, 'examples/nitro'), folder, { recursive: true })
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
    await mkdir(join(folder, 'node_modules'))
    for (const [name, target] of [
      ['tallystick', root],
      ['nitro', join(root, 'node_modules/nitro')],
    ] as const) {
      await symlink(target, join(folder, 'node_modules', name), 'junction')
    }
    const command = join(root, 'node_modules/nitro/dist/cli/index.mjs')
    await promisify(execFile)(process.execPath, [command, 'build'], { cwd: folder, env: environment({}) })
    app = await startBuilt(folder, process.execPath)
  }, 60_000)

  afterAll(async () => {
    await app.stop()
    await rm(folder, { recursive: true, force: true })
  })

  testApp(() => app)
})
