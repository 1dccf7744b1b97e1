// The documents say what is true: their code compiles, their tables are complete, their files exist.

import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { afterAll, describe, expect, test } from 'vitest'
import { errorCodes } from '../src/core/errors.ts'
import { optionNames } from '../src/core/resolve.ts'

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')
const readme = read('README.md')
const docs = readdirSync(new URL('../docs/', import.meta.url)).map((name) => `docs/${name}`)

/** Code in TypeScript, with the name of the example that a comment above it promises. */
interface Fence {
  readonly example: string | undefined
  readonly code: string
}

function fencesOf(markdown: string): Fence[] {
  const pattern = /(?:<!-- (examples\/[\w.-]+) -->\n+)?```ts\n([\s\S]*?)```/g
  return [...markdown.matchAll(pattern)].map(([, example, code = '']) => ({ example, code }))
}

/** The part of a document under one heading. */
function section(markdown: string, heading: string): string {
  return markdown.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? ''
}

/** The words in backticks in the first column of the tables. */
function firstColumn(markdown: string): string[] {
  const rows = markdown.split('\n').filter((line) => line.startsWith('|'))
  return rows.flatMap((row) =>
    [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, word = '']) => word),
  )
}

function sourceFiles(folder = 'src'): string[] {
  return readdirSync(new URL(`../${folder}`, import.meta.url), { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? sourceFiles(`${folder}/${entry.name}`) : [`${folder}/${entry.name}`],
  )
}

/**
 * What docs/ uses of frameworks too heavy to be installed for it, or that want another TypeScript. Written by hand after
 * SvelteKit 2, Astro 5, SolidStart 1 and next-auth 5: these snippets are held against this and not against them.
 */
const foreignTypes = `
declare module '@sveltejs/kit' {
  interface RequestEvent { readonly request: Request; readonly params: Partial<Record<string, string>>; readonly locals: object }
  type MaybePromise<T> = T | Promise<T>
  export type Handle = (input: { event: RequestEvent; resolve: (event: RequestEvent) => MaybePromise<Response> }) => MaybePromise<Response>
  export type RequestHandler = (event: RequestEvent) => MaybePromise<Response>
}
declare module 'astro' {
  interface APIContext { readonly request: Request; readonly params: Record<string, string | undefined>; readonly url: URL }
  export type APIRoute = (context: APIContext) => Response | Promise<Response>
  export type MiddlewareHandler = (context: APIContext, next: () => Promise<Response>) => Promise<Response> | Response | Promise<void> | void
}
declare module '@solidjs/start/server' {
  export interface APIEvent { readonly request: Request; readonly params: Record<string, string>; readonly locals: object }
}
declare module 'next-auth' {
  interface NextAuthRequest extends Request { readonly auth: { readonly user?: { readonly name?: string | null } } | null }
  type Handler = (request: NextAuthRequest) => Response | Promise<Response>
  export default function NextAuth(config: { readonly providers: readonly unknown[]; readonly session?: { readonly strategy?: 'jwt' | 'database' } }): {
    readonly handlers: { readonly GET: Handler; readonly POST: Handler }
    readonly auth: (handler: Handler) => Handler
  }
}
declare module 'next-auth/providers/github' {
  export default function GitHub(options?: object): object
}
declare module 'next-auth/jwt' {
  export { getToken } from '@auth/core/jwt'
}
`

describe('README.md and docs/', () => {
  const folder = new URL('.fences/', import.meta.url)
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  test('every piece of TypeScript compiles under the strict settings of the project', () => {
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder)
    for (const [index, { code }] of [readme, ...docs.map(read)].flatMap(fencesOf).entries()) {
      writeFileSync(new URL(`fence-${index}.ts`, folder), `${code}\nexport {}\n`)
    }
    writeFileSync(new URL('foreign.d.ts', folder), foreignTypes)
    writeFileSync(
      new URL('tsconfig.json', folder),
      '{ "extends": "../../tsconfig.json", "include": ["*.ts"] }',
    )
    const tsc = new URL('../node_modules/typescript/bin/tsc', import.meta.url).pathname
    execFileSync(process.execPath, [tsc, '--noEmit', '-p', folder.pathname], { encoding: 'utf8' })
    expect(fencesOf(readme).length).toBeGreaterThan(5)
  }, 120_000)

  const shown = fencesOf(readme).filter(({ example }) => example !== undefined)
  test.each(shown)('the program shown is the file $example, which a test runs', ({ example = '', code }) => {
    expect(code).toBe(read(example))
  })

  test('the options table names every option and nothing else', () => {
    expect(firstColumn(section(readme, 'Options')).toSorted()).toEqual([...optionNames].toSorted())
  })

  test('the table of refusals names every code', () => {
    expect(firstColumn(section(readme, 'Refusals')).toSorted()).toEqual(Object.keys(errorCodes).toSorted())
  })

  test('the program shown in docs/observability.md is the file in examples/', () => {
    const programs = fencesOf(read('docs/observability.md')).filter(({ example }) => example !== undefined)
    expect(programs).toHaveLength(2)
    for (const { example = '', code } of programs) expect(code).toBe(read(example))
  })

  test('the table of events names every event with its fields', () => {
    const rows = section(read('docs/observability.md'), 'Events')
      .split('\n')
      .filter((line) => line.startsWith('| `'))
    const wordsOf = (cell = ''): string[] =>
      [...cell.matchAll(/`([\w.]+)`/g)].map(([, word = '']) => word).toSorted()
    const documented = rows.map((row) => [row.split('|')[1], row.split('|')[2]].map(wordsOf))
    // What the type says, read from its source: each member has its names in `type`, and then its fields.
    const [, union = ''] = read('src/core/events.ts').split('export type AuthEvent =')
    const members = (union.split('/** Publishes events')[0] ?? '').split(/^ {2}\| \{$/m).slice(1)
    const declared = members.flatMap((member) => {
      const [, types = ''] = /readonly type: (.*)/.exec(member) ?? []
      const fields = [...member.matchAll(/readonly (\w+)\??:/g)].map(([, name = '']) => name)
      const others = fields.filter((name) => name !== 'type').toSorted()
      return [...types.matchAll(/'([\w.]+)'/g)].map(([, name = '']) => [[name], others])
    })
    const byName = (left: string[][], right: string[][]): number =>
      String(left[0]).localeCompare(String(right[0]))
    expect(declared.length).toBeGreaterThan(12)
    expect(documented.toSorted(byName)).toEqual(declared.toSorted(byName))
  })

  test('the table of runtimes names the versions that are tried', () => {
    const manifest = JSON.parse(read('test/runtimes/binaries/package.json')) as {
      optionalDependencies: Record<string, string>
    }
    const versions = Object.values(manifest.optionalDependencies).map(
      (alias) => alias.split('@').at(-1) ?? '',
    )
    const rows = section(readme, 'Runtimes')
      .split('\n')
      .filter((line) => line.startsWith('|'))
    const named = rows.flatMap((row) => (row.split('|')[2] ?? '').match(/\d+(?:\.\d+)+/g) ?? [])
    expect(named.toSorted()).toEqual(versions.toSorted())
  })

  test('the table of subpaths names every export of the package', () => {
    const { exports } = JSON.parse(read('package.json')) as { exports: Record<string, unknown> }
    const subpaths = Object.keys(exports).filter((name) => name !== './package.json')
    const names = firstColumn(section(readme, 'Subpaths'))
    expect(names.toSorted()).toEqual(subpaths.map((name) => name.replace(/^\./, 'tallystick')).toSorted())
  })
})

test('ARCHITECTURE.md has one line for each source file', () => {
  expect(firstColumn(section(read('ARCHITECTURE.md'), 'Files')).toSorted()).toEqual(sourceFiles().toSorted())
})

test('SECURITY.md names only files and tests that exist', () => {
  const rows = section(read('SECURITY.md'), 'Threats, defences, tests')
  const paths = [...rows.matchAll(/`((?:core|stores|test)\/[\w./-]+)`/g)].map(([, path = '']) => path)
  const missing = paths.filter(
    (path) => !existsSync(new URL(`../${path.replace(/^(?=core|stores)/, 'src/')}`, import.meta.url)),
  )
  expect(paths.length).toBeGreaterThan(20)
  expect(missing).toEqual([])
})

test.each(['README.md', 'ARCHITECTURE.md', 'SECURITY.md', 'CHANGELOG.md', ...docs])(
  'every link within %s leads somewhere',
  (document) => {
    const targets = [...read(document).matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, target = '']) => target)
    const base = new URL(`../${document}`, import.meta.url)
    expect(targets.filter((target) => !existsSync(new URL(target, base)))).toEqual([])
  },
)
