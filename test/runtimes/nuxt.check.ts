// Builds the app of examples/nuxt with Nuxt 4 on Node 22, as its reader would, checks its types, and goes through it by HTTP.

import { execFile } from 'node:child_process'
import { cp, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { environment, startBuilt, testApp } from '../adapters/_nitro.ts'
import type { BuiltApp } from '../adapters/_nitro.ts'
import { createAuth } from '../../src/index.ts'
import { cookieHeader, secretKey } from '../_setup.ts'
import { isInstalled, pathOf, runtimes } from './_runtimes.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const packages = fileURLToPath(new URL('nuxt/node_modules', import.meta.url))
const run = promisify(execFile)

const node = runtimes.find(({ name }) => name === 'Node 22')
const isSkipped = (node === undefined || !isInstalled(node)) && process.env['CI'] !== 'true'
if (isSkipped) process.stderr.write('Node 22 could not be installed here: the tests of Nuxt are skipped\n')

describe.skipIf(isSkipped)('a Nuxt 4 app', () => {
  let folder: string
  let app: BuiltApp

  beforeAll(async () => {
    if (node === undefined || !isInstalled(node)) throw new Error('Node 22 could not be installed')
    const binary = pathOf(node)
    folder = await mkdtemp(join(tmpdir(), 'tallystick-nuxt-'))
    await cp(join(root, 'examples/nuxt'), folder, { recursive: true })
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
    await symlink(packages, join(folder, 'node_modules'), 'junction')
    const options = { cwd: folder, env: environment({ NUXT_TELEMETRY_DISABLED: '1' }) }
    await run(binary, [join(packages, 'nuxt/bin/nuxt.mjs'), 'build'], options)
    app = await startBuilt(folder, binary)
  }, 240_000)

  afterAll(async () => {
    await app.stop()
    await rm(folder, { recursive: true, force: true })
  })

  testApp(() => app)

  test('renders a page on the server as whom its cookies name', async () => {
    const access = await createAuth({ secretKey }).createAccessToken('ada')
    const textOf = async (headers: Record<string, string>) => (await fetch(app.origin, { headers })).text()
    expect(await textOf({ cookie: cookieHeader({ access_token_cookie: access }) })).toContain('<p>ada</p>')
    expect(await textOf({})).toContain('<p>nobody</p>')
  })

  test('compiles by the types that Nuxt has made for it', async () => {
    const compiler = join(root, 'node_modules/typescript/bin/tsc')
    const project = ['--noEmit', '--project', join(folder, '.nuxt/tsconfig.server.json')]
    await expect(run(process.execPath, [compiler, ...project])).resolves.toMatchObject({ stdout: '' })
  }, 60_000)
})
