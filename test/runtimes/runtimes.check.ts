// The built package, installed from its tarball, on every runtime that README.md names.

import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { storeContract } from '../../src/testing.ts'
import { secretKey } from '../_setup.ts'
import { createTask, kinds, refusedOptions } from './_keys.ts'
import type { ForeignTask } from './_keys.ts'
import { isInstalled, run, runtimes, serve } from './_runtimes.ts'
import type { RunningServer } from './_runtimes.ts'
import { steps } from './_steps.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const here = fileURLToPath(new URL('.', import.meta.url))
const command = promisify(execFile)

/** Adapters that are made of their framework's own parts, which no runtime has here. */
const needsFramework: ReadonlySet<string> = new Set(['./elysia', './nest'])
/** All other ways into the package. */
const subpaths = Object.keys(manifest.exports)
  .filter((subpath) => subpath !== './package.json' && !needsFramework.has(subpath))
  .map((subpath) => subpath.replace(/^\./, 'tallystick'))

let folder: string
let tasks: ReadonlyMap<string, ForeignTask>

/** A folder as a user has it: the tarball installed, and beside it what each runtime is to run. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tallystick-runtimes-'))
  // Without scripts: `npm run test:runtimes` has built already.
  await command('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], { cwd: root })
  await writeFile(join(folder, 'package.json'), '{ "private": true, "type": "module" }')
  const tarball = `tallystick-${manifest.version}.tgz`
  const quietly = ['--no-audit', '--no-fund', '--ignore-scripts', '--cache', join(folder, 'cache')]
  await command('npm', ['install', '--offline', ...quietly, join(folder, tarball)], { cwd: folder })
  const names = [
    'servers/node',
    'servers/bun',
    'servers/deno',
    'servers/workerd',
    'scripts/stores',
    'scripts/ends',
  ]
  const common = { bundle: true, format: 'esm', target: 'es2023', logLevel: 'silent' } as const
  await build({
    ...common,
    entryPoints: names.map((name) => `${here}${name}.ts`),
    entryNames: '[name]',
    outdir: folder,
    platform: 'node',
    external: ['tallystick', 'tallystick/*'],
  })
  // A Worker is one file, the package in it, as Wrangler makes it.
  await build({
    ...common,
    entryPoints: [join(folder, 'workerd.js')],
    outfile: join(folder, 'worker.js'),
    external: ['node:*'],
  })
  await writeFile(join(folder, 'workerd.capnp'), workerConfig)
  await writeFile(
    join(folder, 'require.cjs'),
    `for (const name of ${JSON.stringify(subpaths)}) process.stdout.write(\`\${name} \${typeof require(name)}\\n\`)`,
  )
  await mkdir(join(folder, 'data'))
  tasks = new Map(await Promise.all(kinds.map(async (kind) => [kind, await createTask(kind)] as const)))
})

afterAll(async () => rm(folder, { recursive: true, force: true }))

const workerConfig = `
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = (
    modules = [(name = "worker.js", esModule = embed "worker.js")],
    bindings = [(name = "AUTHJWT_SECRET_KEY", text = "${secretKey}")],
    compatibilityDate = "2026-01-01",
    compatibilityFlags = ["nodejs_compat"],
  ))],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
`

function taskOf(kind: string): ForeignTask {
  const task = tasks.get(kind)
  if (task === undefined) throw new Error(`There is no task for ${kind}`)
  return task
}

for (const runtime of runtimes) {
  const { name, lacks, script, sqlite } = runtime
  const isSkipped = !isInstalled(runtime) && process.env['CI'] !== 'true'
  if (isSkipped) process.stderr.write(`${name} could not be installed here: its tests are skipped\n`)

  describe.skipIf(isSkipped)(name, () => {
    let server: RunningServer

    beforeAll(async () => {
      server = await serve(runtime, folder)
      return server.stop
    })

    async function ask(path: string, body: unknown): Promise<string> {
      const init = { method: 'POST', body: JSON.stringify(body) }
      const response = await fetch(server.origin + path, init)
      const text = await response.text()
      expect(response.status, text).toBe(200)
      return text
    }

    async function problemOf(options: unknown): Promise<unknown> {
      return (JSON.parse(await ask('/create', options)) as { readonly problem: unknown }).problem
    }

    test.concurrent.for(steps)('$title', async ({ run: take }, { expect }) => {
      await expect(take(server.origin)).resolves.toBeUndefined()
    })

    test
      .runIf(script !== null)
      .concurrent('every way into the package can be required', async ({ expect }) => {
        const output = await run(runtime, folder, ['require.cjs'])
        expect(output.trim().split('\n')).toEqual(subpaths.map((subpath) => `${subpath} object`))
      })

    test.runIf(script !== null).concurrent('a process that only follows a store ends', async ({ expect }) => {
      expect(await run(runtime, folder, ['ends.js'])).toBe('tally')
    })

    test.runIf(script !== null).concurrent(
      sqlite === undefined
        ? 'the store in memory passes the contract'
        : `the stores in memory and over ${sqlite[0]} pass the contract`,
      // What is committed has to reach the disk.
      { timeout: 60_000 },
      async ({ expect }) => {
        const output = await run(runtime, folder, ['stores.js', 'data', ...(sqlite ?? [])])
        const passed = storeContract(() => expect.unreachable()).length * (sqlite === undefined ? 1 : 2)
        expect(JSON.parse(output)).toEqual({ passed, failures: [] })
      },
    )

    test.each(kinds.filter((kind) => lacks[kind] === undefined))(
      '%s signs, verifies and refuses, with every form of key, and agrees with another library',
      async (kind) => {
        const { task, subjectOf } = taskOf(kind)
        const { token } = JSON.parse(await ask('/self-test', task)) as { readonly token: string }
        expect(await subjectOf(token)).toBe('tally')
      },
    )

    test.each(Object.entries(lacks))('%s is refused at start-up, with the reason', async (kind, says) => {
      const { algorithm, key } = taskOf(kind).task
      const privateKey = 'privatePem' in key ? key.privatePem : ''
      expect(await problemOf({ algorithm, privateKey })).toContain(says)
    })

    test.each(refusedOptions)('%s is refused at start-up', async (_what, options, says) => {
      expect(await problemOf(options)).toMatch(says)
    })
  })
}
