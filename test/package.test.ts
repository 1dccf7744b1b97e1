// What users install: the packed tarball, in an empty folder, without a network. Needs dist/, so `npm run build` first.

import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, unlink, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify, stripVTControlCharacters } from 'node:util'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import manifest from '../package.json' with { type: 'json' }

const root = fileURLToPath(new URL('..', import.meta.url))

/** Every subpath that has code, with the file that `import` and `require` get. */
const subpaths = Object.entries(manifest.exports).flatMap(([subpath, target]) =>
  typeof target === 'string' ? [] : [{ subpath, ...target }],
)

/** Names that must be there; of a subpath that is not listed, its own name rule or any export at all. */
const expectedNames: Readonly<Record<string, readonly string[]>> = {
  '.': ['AuthError', 'createAuth', 'optionsFromEnv'],
  './testing': ['adapterContract'],
}

/** The frameworks that a subpath cannot be loaded without, as a folder of node_modules; all others need none. */
const neededFrameworks: Readonly<Record<string, string>> = {
  './elysia': 'elysia',
  './nest': '@nestjs',
}

/** Besides dist/ and src/. */
const expectedDocuments = ['CHANGELOG.md', 'LICENSE', 'README.md', 'SECURITY.md', 'package.json']

let folder: string
let consumer: string
let tarball: string
let packed: readonly string[]

beforeAll(async () => {
  if (!existsSync(join(root, 'dist'))) throw new Error('There is no dist/: run `npm run build` first.')
  folder = await mkdtemp(join(tmpdir(), 'tallystick-package-'))
  consumer = join(folder, 'consumer')
  await mkdir(consumer)
  // Without scripts: `prepack` would clear dist/ under tests that run at the same time.
  const report = await npm(root, 'pack', '--json', '--ignore-scripts', '--pack-destination', folder)
  const [result]: readonly { filename: string; files: readonly { path: string }[] }[] = JSON.parse(report)
  if (result === undefined) throw new Error(`npm pack reported nothing: ${report}`)
  tarball = join(folder, result.filename)
  packed = result.files.map((file) => file.path).toSorted()
  await writeFile(join(consumer, 'package.json'), '{ "private": true }')
  await npm(consumer, 'install', '--offline', '--no-audit', '--no-fund', '--ignore-scripts', tarball)
}, 60_000)

afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})

describe('the tarball', () => {
  test('holds the documents, the sources and what was built from them, and nothing else', () => {
    const built = packed.filter((path) => path.startsWith('dist/'))
    const sources = packed.filter((path) => path.startsWith('src/'))
    const outputs = sources.flatMap((path) => {
      const stem = path.replace(/^src\//, 'dist/').replace(/\.ts$/, '')
      return [`${stem}.d.ts`, `${stem}.d.ts.map`, `${stem}.js`, `${stem}.js.map`]
    })
    expect(sources.filter((path) => !path.endsWith('.ts'))).toEqual([])
    expect(built).toEqual(outputs.toSorted())
    expect(packed.filter((path) => !built.includes(path) && !sources.includes(path))).toEqual(
      expectedDocuments,
    )
  })

  test('exports, or runs as its command, every file of src/ that is neither engine nor private', () => {
    const open = packed.filter((path) => /^src\/(?!core\/)(?:.*\/)?[^_/][^/]*$/.test(path))
    const exported = [...subpaths.map(({ default: file }) => file), manifest.bin.tallystick].map((file) =>
      file.replace('./dist/', 'src/').replace(/\.js$/, '.ts'),
    )
    expect(exported.toSorted()).toEqual(open)
  })

  test('has maps that lead to sources which are in it too', async () => {
    const maps = packed.filter((path) => path.endsWith('.map'))
    const lost = await Promise.all(
      maps.map(async (path) => {
        const { sources }: { sources: readonly string[] } = JSON.parse(
          await readFile(join(root, path), 'utf8'),
        )
        const targets = sources.map((source) => posix.join(posix.dirname(path), source))
        return targets.filter((target) => !packed.includes(target)).map((target) => `${path} -> ${target}`)
      }),
    )
    expect(maps).not.toEqual([])
    expect(lost.flat()).toEqual([])
  })

  test('has declarations for Nest that name neither Express nor Fastify', async () => {
    const declarations = packed.filter((path) => /^dist\/adapters\/_?nest[^/]*\.d\.ts$/.test(path))
    expect(declarations).toContain('dist/adapters/nest.d.ts')
    for (const path of declarations) {
      expect(await readFile(join(root, path), 'utf8')).not.toMatch(/from '(?:\.\/_)?(?:express|fastify)/)
    }
  })

  test('passes publint, where a warning is an error', async () => {
    const bytes = await readFile(tarball)
    const { messages, pkg } = await publint({ pack: { tarball: new Uint8Array(bytes).buffer }, strict: true })
    const complaints = messages.filter((message) => message.type !== 'suggestion')
    expect(complaints.map((message) => formatMessage(message, pkg ?? {}))).toEqual([])
  })

  test('has types that resolve for every subpath', async () => {
    const command = createRequire(import.meta.url).resolve('@arethetypeswrong/cli/package.json')
    const script = join(dirname(command), 'dist', 'index.js')
    const report = await run(
      folder,
      process.execPath,
      script,
      tarball,
      '--profile',
      'esm-only',
      '--format',
      'ascii',
    )
    for (const { subpath } of subpaths) expect(report).toContain(`"${posix.join(manifest.name, subpath)}"`)
  }, 60_000)
})

describe('the installed package', () => {
  test('brings nothing with it', async () => {
    const installed = await readdir(join(consumer, 'node_modules'))
    expect(installed.filter((name) => !name.startsWith('.'))).toEqual([manifest.name])
    expect(manifest).not.toHaveProperty('dependencies')
  })

  test('brings the command, which tells its version', async () => {
    const command = join(consumer, 'node_modules', '.bin', 'tallystick')
    expect(await run(consumer, command, '--version')).toBe(`${manifest.version}\n`)
  })

  describe.each(subpaths)('$subpath', ({ subpath, default: file }) => {
    const specifier = posix.join(manifest.name, subpath)

    const framework = neededFrameworks[subpath]
    const beside = framework === undefined ? 'without any framework' : `beside ${framework} alone`
    const load = async (type: 'module' | 'commonjs', expression: string): Promise<readonly string[]> => {
      if (framework === undefined) return namesAfter(type, expression)
      const link = join(consumer, 'node_modules', framework)
      await symlink(join(root, 'node_modules', framework), link, 'junction')
      return namesAfter(type, expression).finally(async () => unlink(link))
    }

    test(`can be imported ${beside}`, async () => {
      expectNames(await load('module', `await import('${specifier}')`), subpath, file)
    })

    test(`can be required ${beside}`, async () => {
      expectNames(await load('commonjs', `require('${specifier}')`), subpath, file)
    })

    test.runIf(framework !== undefined)('names the framework where it is missing', async () => {
      await expect(namesAfter('module', `await import('${specifier}')`)).rejects.toThrow(
        `Cannot find package '${framework}`,
      )
    })
  })
})

function expectNames(names: readonly string[], subpath: string, file: string): void {
  const adapter = /^\.\/dist\/adapters\/(\w+)\.js$/.exec(file)?.[1]
  const expected = expectedNames[subpath] ?? (adapter === undefined ? names.slice(0, 1) : [`${adapter}Auth`])
  expect(expected).not.toEqual([])
  expect(names).toEqual(expect.arrayContaining([...expected]))
  expect(names).not.toContain('default')
}

async function namesAfter(type: 'module' | 'commonjs', expression: string): Promise<readonly string[]> {
  const code = `console.log(JSON.stringify(Object.keys(${expression})))`
  return JSON.parse(await run(consumer, process.execPath, `--input-type=${type}`, '--eval', code))
}

function npm(cwd: string, ...parameters: readonly string[]): Promise<string> {
  return run(cwd, 'npm', ...parameters, '--cache', join(folder, 'cache'))
}

/** Runs a command as a user's shell would, and puts all that it said into the error if it fails. */
async function run(cwd: string, command: string, ...parameters: readonly string[]): Promise<string> {
  try {
    const shell = command === 'npm' && process.platform === 'win32'
    const { stdout } = await promisify(execFile)(command, parameters, { cwd, env: ownEnvironment(), shell })
    return stdout
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string }
    const output = stripVTControlCharacters(`${stdout}\n${stderr}`)
    throw new Error(`${[command, ...parameters].join(' ')} failed:\n${output}`, { cause: error })
  }
}

/** What `npm test` and the test runner set for their own children is not what a user has. */
function ownEnvironment(): NodeJS.ProcessEnv {
  const foreign = /^(?:npm_|vitest|node_options$|node_env$)/i
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !foreign.test(name)),
  ) as unknown as NodeJS.ProcessEnv
}
