// Proves the rules of the source's layout, from the source as text. The tables come first: a new file needs a row.

import { readdirSync, readFileSync } from 'node:fs'
import { posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { countCodeLines, depthOf, lineOf, readSource } from './_source.ts'
import type { Source } from './_source.ts'

/** What each file may import, for its code or for its types; files are named from src/, `*` stands for any ending. */
const layout: Readonly<Record<string, readonly string[]>> = {
  'core/errors': [],
  'core/json': [],
  'core/maybe': [],
  'core/duration': [],
  'core/cache': [],
  'core/request': ['core/maybe'],
  'core/suggestion': [],
  'core/own': ['core/suggestion'],
  'core/schema': ['core/json'],
  'core/claims': ['core/errors', 'core/json'],
  'core/pyjwt': ['core/errors'],
  'core/compat': [
    'core/claims',
    'core/cookie',
    'core/errors',
    'core/json',
    'core/location',
    'core/pyjwt',
    'core/request',
  ],
  'core/cookie': ['core/errors'],
  'core/origin': ['core/request'],
  'core/hmac': [],
  'core/equality': [],
  'core/signature': [],
  'core/jws': ['core/equality', 'core/errors', 'core/hmac', 'core/json', 'core/maybe', 'core/signature'],
  'core/key-material': ['core/jws', 'core/asymmetric-strength', 'core/secret-strength'],
  'core/public-jwk': [],
  'core/signer': ['core/deadline', 'core/jws', 'core/maybe'],
  'core/key': ['core/jws', 'core/key-material', 'core/public-jwk'],
  'core/key-ring': [
    'core/jws',
    'core/key',
    'core/key-material',
    'core/own',
    'core/public-jwk',
    'core/signer',
    'core/suggestion',
  ],
  'core/jwks': ['core/duration', 'core/own', 'core/public-jwk'],
  'core/remote-keys': [
    'core/deadline',
    'core/errors',
    'core/events',
    'core/jws',
    'core/key-material',
    'core/maybe',
  ],
  'core/encryption': ['core/errors', 'core/jws', 'core/maybe'],
  'core/encryption-key': ['core/encryption', 'core/key-material', 'core/own', 'core/suggestion'],
  'core/resolve-keys': [
    'core/encryption',
    'core/encryption-key',
    'core/jws',
    'core/key',
    'core/key-material',
    'core/key-ring',
    'core/options',
    'core/own',
  ],
  'core/asymmetric-strength': ['core/jws'],
  'core/secret-strength': ['core/jws'],
  'core/token-options': ['core/claims', 'core/duration', 'core/json', 'core/jws', 'core/schema'],
  'core/token': [
    'core/token-options',
    'core/claims',
    'core/own',
    'core/cache',
    'core/duration',
    'core/encryption',
    'core/errors',
    'core/json',
    'core/jws',
    'core/maybe',
    'core/remote-keys',
    'core/schema',
  ],
  'core/csrf': ['core/errors', 'core/equality', 'core/maybe', 'core/request', 'core/claims', 'core/token'],
  'core/location': ['core/claims', 'core/cookie', 'core/errors', 'core/maybe', 'core/request'],
  'core/events': ['core/errors', 'core/location', 'core/maybe'],
  'core/store': [],
  'core/generation': [],
  'core/failure': [],
  'core/deadline': ['core/errors', 'core/failure', 'core/maybe'],
  'core/store-answer': ['core/deadline', 'core/store'],
  'core/store-client': ['core/deadline', 'core/events', 'core/store', 'core/store-answer'],
  'core/revocation-set': ['core/store'],
  'core/revocation-queue': ['core/store'],
  'core/revocations': [
    'core/claims',
    'core/events',
    'core/options',
    'core/revocation-queue',
    'core/revocation-set',
    'core/revocation-target',
    'core/store',
    'core/store-client',
  ],
  'core/revocation-target': ['core/claims', 'core/store', 'core/generation'],
  'core/follower': [
    'core/deadline',
    'core/revocation-set',
    'core/store',
    'core/store-answer',
    'core/store-client',
  ],
  'core/session': [
    'core/deadline',
    'core/errors',
    'core/events',
    'core/follower',
    'core/maybe',
    'core/options',
    'core/revocations',
    'core/revocation-target',
    'core/store',
    'core/store-client',
    'core/generation',
    'core/claims',
    'core/token',
  ],
  'core/socket-watch': [],
  'core/socket-ticket': ['core/engine', 'core/json', 'core/maybe', 'core/token'],
  'core/socket-session': [
    'core/check',
    'core/claims',
    'core/deadline',
    'core/engine',
    'core/errors',
    'core/maybe',
    'core/socket-ticket',
    'core/socket-watch',
    'core/token',
  ],
  'core/session-access': [
    'core/claims',
    'core/engine',
    'core/generation',
    'core/own',
    'core/session',
    'core/store',
  ],
  'core/rule': ['core/cookie', 'core/csrf', 'core/duration', 'core/errors', 'core/origin', 'core/own'],
  'core/options': ['core/*'],
  'core/resolve': [
    'core/compat',
    'core/options',
    'core/own',
    'core/cookie',
    'core/csrf',
    'core/duration',
    'core/errors',
    'core/events',
    'core/jws',
    'core/resolve-keys',
    'core/location',
    'core/rule',
    'core/schema',
    'core/suggestion',
    'core/claims',
    'core/token',
  ],
  'core/environment': ['core/options', 'core/resolve', 'core/suggestion'],
  'core/guard': ['core/duration', 'core/location', 'core/own', 'core/claims', 'core/token'],
  'core/engine': [
    'core/compat',
    'core/errors',
    'core/equality',
    'core/cookie',
    'core/csrf',
    'core/encryption',
    'core/events',
    'core/guard',
    'core/location',
    'core/options',
    'core/remote-keys',
    'core/resolve-keys',
    'core/session',
    'core/socket-watch',
    'core/claims',
    'core/token',
  ],
  'core/cookie-writer': [
    'core/cookie',
    'core/engine',
    'core/origin',
    'core/request',
    'core/claims',
    'core/token',
  ],
  'core/check': [
    'core/jws',
    'core/own',
    'core/csrf',
    'core/deadline',
    'core/engine',
    'core/errors',
    'core/guard',
    'core/location',
    'core/maybe',
    'core/origin',
    'core/request',
    'core/claims',
    'core/token',
  ],
  'core/exchange': [
    'core/check',
    'core/cookie-writer',
    'core/engine',
    'core/errors',
    'core/guard',
    'core/maybe',
    'core/request',
    'core/claims',
    'core/token',
  ],
  'core/token-cookies': [
    'core/check',
    'core/cookie-writer',
    'core/errors',
    'core/exchange',
    'core/guard',
    'core/own',
    'core/request',
    'core/claims',
    'core/token',
  ],
  'core/live-token': ['core/errors', 'core/exchange', 'core/location', 'core/claims', 'core/token'],
  'core/sign-out': [
    'core/check',
    'core/csrf',
    'core/errors',
    'core/exchange',
    'core/live-token',
    'core/location',
    'core/maybe',
    'core/own',
    'core/session',
    'core/claims',
    'core/token',
  ],
  'core/sign-in': [
    'core/claims',
    'core/own',
    'core/check',
    'core/cookie-writer',
    'core/errors',
    'core/exchange',
    'core/json',
    'core/live-token',
    'core/session',
    'core/store',
    'core/token-cookies',
    'core/token',
  ],
  'core/authorize': ['core/*'],
  'core/auth': ['core/*'],
  client: ['core/errors'],
  openapi: ['core/*'],
  'adapters/*': ['index', 'core/*', 'adapters/_*'],
  'stores/*': ['core/store', 'core/errors', 'stores/_*'],
  cli: ['cli/_run'],
  'cli/*': ['index', 'core/*', 'stores/*', 'cli/*'],
  index: ['core/*'],
  testing: ['index', 'core/*', 'contract/*'],
  'contract/*': ['index', 'core/*', 'contract/*', 'stores/memory'],
}

/** The modules of Node that are used at all, and by whom. */
const nodeModules: Readonly<Record<string, readonly string[]>> = {
  'node:buffer': ['core/*', 'cli/*'],
  'node:fs': ['stores/_sqlite-connection', 'cli/*'],
  'node:util': ['cli/_arguments'],
  'node:crypto': [
    'core/equality',
    'core/hmac',
    'core/signature',
    'core/jws',
    'core/key-material',
    'core/key',
    'core/key-ring',
    'core/public-jwk',
    'core/jwks',
    'core/encryption',
    'core/encryption-key',
    'core/asymmetric-strength',
    'core/secret-strength',
    'core/generation',
    'stores/*',
    'cli/*',
  ],
  'node:diagnostics_channel': ['core/events'],
  'node:http': [
    'adapters/_node',
    'adapters/_h3-1',
    'adapters/_nest-context',
    'adapters/ws',
    'contract/*',
    'cli/_http',
  ],
  'node:https': ['cli/_http'],
  'node:timers/promises': ['cli/_session-checks'],
  'node:stream': ['adapters/ws'],
  'node:assert/strict': ['contract/*', 'testing'],
  'node:net': ['contract/*'],
}

/** The packages that are used at all, as types or lazily, and by whom. */
const packages: Readonly<Record<string, readonly string[]>> = {
  elysia: ['adapters/elysia', 'adapters/_elysia'],
  express: ['adapters/express'],
  fastify: ['adapters/fastify', 'adapters/_fastify', 'adapters/_nest-context'],
  hono: ['adapters/hono'],
  ioredis: ['cli/_store-place'],
  jose: ['core/remote-keys', 'core/encryption'],
  koa: ['adapters/koa'],
  libsql: ['cli/_store-place'],
  pg: ['cli/_store-place'],
  postgres: ['cli/_store-place'],
  redis: ['cli/_store-place'],
  '@nestjs/common': ['adapters/nest', 'adapters/_nest-*'],
  '@nestjs/core': ['adapters/nest', 'adapters/_nest-*'],
  next: ['adapters/next', 'adapters/_next-*'],
}

/** Who may import a package at once: what decorators write is known to Nest alone, and a plugin of Elysia is an Elysia. */
const eagerImporters: Readonly<Record<string, readonly string[]>> = {
  '@nestjs/common': ['adapters/nest', 'adapters/_nest-*'],
  '@nestjs/core': ['adapters/nest', 'adapters/_nest-*'],
  elysia: ['adapters/_elysia'],
}

/** The globals that are not for everybody, and who may use them. */
/** Stores have clocks of their own; remote keys measure when to fetch again; the follower measures how old its knowledge is, and the
 * browser client how long a refresh has taken. */
const clockReaders = [
  'client',
  'cli',
  'core/resolve',
  'core/follower',
  'core/remote-keys',
  'stores/memory',
  'stores/sqlite',
  'contract/_session-route-cases',
]
const environmentReaders = ['cli']
const webCryptoUsers = ['cli/_guard-checks', 'core/token', 'contract/*', 'testing', 'stores/*']
/** When to try again is spread a little; nothing else may depend on chance that can be guessed. */
const guessableChanceUsers = ['core/errors', 'core/follower']

const maxCodeLines = 300
const maxAdapterCodeLines = 80
const maxStoreCodeLines = 120
const drawers = new Set(['types', 'utils', 'util', 'helpers', 'helper', 'common', 'constants', 'misc'])

const root = fileURLToPath(new URL('../src/', import.meta.url))
const sources = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .map((path) => path.replaceAll('\\', '/'))
  .filter((path) => path.endsWith('.ts'))
  .toSorted()
  .map((path) => readSource(path.replace(/\.ts$/, ''), readFileSync(`${root}${path}`, 'utf8')))

/** Where a file breaks a rule, and how. */
interface Breach {
  readonly offset: number
  readonly problem: string
}

interface Rule {
  readonly find: (source: Source) => readonly Breach[]
  /** Files that the rule must refuse: a rule that finds nothing anywhere proves nothing. */
  readonly refuses: readonly (readonly [name: string, text: string])[]
}

function rule(title: string, { find, refuses }: Rule): void {
  test(title, () => {
    for (const [name, text] of refuses) {
      expect(find(readSource(name, text)), `the rule lets this pass as ${name}:\n${text}`).not.toEqual([])
    }
    expectNone(
      sources.flatMap((source) =>
        find(source).map(
          ({ offset, problem }) => `src/${source.name}.ts:${lineOf(source, offset)} ${problem}`,
        ),
      ),
    )
  })
}

function expectNone(breaches: readonly string[]): void {
  expect(breaches, `\n${breaches.join('\n')}\n`).toEqual([])
}

describe('imports', () => {
  rule('every file imports only what its row in the table allows', {
    find: ({ name, imports }) =>
      imports
        .filter(({ specifier }) => isRelative(specifier) || specifier === '')
        .filter(({ specifier }) => !matches(rowOf(name) ?? [], resolve(name, specifier)))
        .map(({ offset, specifier }) => ({ offset, problem: `may not import '${specifier}'` })),
    refuses: [
      ['core/errors', "import { parseJsonObject } from './json.ts'"],
      ['core/jws', "import type {\n  AuthOptions,\n} from './options.ts'"],
      ['core/jws', "export * from './options.ts'"],
      ['core/jws', "export { a } from './options.ts'"],
      ['core/jws', "import './options.ts'"],
      ['core/jws', "const options = await import('./options.ts')"],
      ['core/jws', 'const options = import(`./${name}.ts`)'],
      ['core/jws', "import { a } from './errors.js'"],
      ['core/auth', "import { honoAuth } from '../adapters/hono.ts'"],
      ['adapters/hono', "import { expressAuth } from './express.ts'"],
      ['index', "import { honoAuth } from './adapters/hono.ts'"],
      ['elsewhere/new', "import { AuthError } from '../core/errors.ts'"],
    ],
  })

  test('every file has a row in the table, and every row has a file', () => {
    const names = sources.map(({ name }) => name)
    expectNone([
      ...names.filter((name) => rowOf(name) === undefined).map((name) => `src/${name}.ts has no row`),
      ...Object.keys(layout)
        .filter((row) => !names.some((name) => matches([row], name)))
        .map((row) => `the row '${row}' has no file`),
    ])
  })

  test('no import goes round in a circle, not even for types', () => {
    const circle = [
      readSource('core/a', "import { b } from './b.ts'"),
      readSource('core/b', "import type { c } from './c.ts'"),
      readSource('core/c', "export * from '../core/a.ts'"),
    ]
    expect(findCircles(circle)).toEqual(['core/a -> core/b -> core/c -> core/a'])
    expectNone(findCircles(sources))
  })

  rule('the modules of Node are used only where the table names them', {
    find: ({ name, imports }) =>
      imports
        .filter(({ specifier }) => specifier.startsWith('node:'))
        .filter(({ specifier }) => !matches(nodeModules[specifier] ?? [], name))
        .map(({ offset, specifier }) => ({ offset, problem: `may not import '${specifier}'` })),
    refuses: [
      ['core/token', "import { randomUUID } from 'node:crypto'"],
      ['core/token', "import type { KeyObject } from 'node:crypto'"],
      ['core/auth', "import { channel } from 'node:diagnostics_channel'"],
      ['core/auth', "import { readFileSync } from 'node:fs'"],
    ],
  })

  rule('only adapters and what needs jose import a package, each its own and never before it is asked to', {
    find: ({ name, imports }) =>
      imports
        .filter(
          ({ specifier }) => specifier !== '' && !isRelative(specifier) && !specifier.startsWith('node:'),
        )
        .filter(({ kind, specifier }) => {
          const importers = kind === 'eager' ? eagerImporters : packages
          return !matches(importers[packageOf(specifier)] ?? [], name)
        })
        .map(({ offset, specifier }) => ({ offset, problem: `may not import '${specifier}' like this` })),
    refuses: [
      ['adapters/hono', "import { Hono } from 'hono'"],
      // What is left of it at run time is `import {} from 'hono'`.
      ['adapters/hono', "import { type Context } from 'hono'"],
      ['adapters/express', "import type { Context } from 'hono'"],
      ['adapters/web', "import type { Context } from 'hono/tiny'"],
      ['adapters/express', "import { Inject } from '@nestjs/common'"],
      ['adapters/_nest-context', "import { fastify } from 'fastify'"],
      ['core/auth', "import type { Request } from 'express'"],
      ['adapters/elysia', "import { Elysia } from 'elysia'"],
      ['adapters/_node', "import { Elysia } from 'elysia'"],
      ['core/jws', "import { sign } from 'jose'"],
      ['core/jws', "import { sign } from 'crypto'"],
    ],
  })
})

describe('globals', () => {
  rule('the system clock is read as the default of the clock and nowhere else', {
    find: forbid(
      /\bDate\s*\.\s*now\b|\bnew\s+Date\s*(?:\(\s*\)|(?![\s(]))|\bperformance\s*\./g,
      clockReaders,
    ),
    refuses: [
      ['core/token', 'const nowSeconds = Date.now() / 1000'],
      ['core/token', 'const now = new Date()'],
      ['core/token', 'const now = performance.now()'],
    ],
  })

  rule('no file reads the environment or writes to the console', {
    find: forbid(
      /\bprocess\b(?!\s*\??\.\s*(?!env\b)[\w$])|\b(?:Deno|Bun|import\.meta)\s*\.\s*env\b|\bconsole\b/g,
      environmentReaders,
    ),
    refuses: [
      ['core/options', 'const secret = process.env.SECRET'],
      ['core/options', 'const secret = globalThis.process?.env.SECRET'],
      ['core/options', "const secret = process['env'].SECRET"],
      ['core/options', 'const { env } = process'],
      ['core/options', "console.warn('weak')"],
    ],
  })

  rule('cryptography outside node:crypto is used only where it is named', {
    find: forbid(/\bcrypto\s*(?:\?\.|[.[])/g, webCryptoUsers),
    refuses: [
      ['core/csrf', 'const value = crypto.randomUUID()'],
      ['core/csrf', 'const value = globalThis.crypto.randomUUID()'],
    ],
  })

  rule('nothing that matters depends on chance that can be guessed', {
    find: forbid(/\bMath\s*\.\s*random\b/g, guessableChanceUsers),
    refuses: [['core/token', 'const jti = String(Math.random())']],
  })
})

describe('modules', () => {
  rule('no module holds state that changes', {
    find: forbidAtTopLevel(
      /^[ \t]*(?:export\s+)?(?:let|var)\b|\bnew\s+(?:Weak)?(?:Map|Set)\s*(?:<.*>)?\s*\(\s*\)|=\s*(?:\[\s*\]|\{\s*\})/gm,
      'is state that changes, and all users of the module share it',
    ),
    refuses: [
      ['core/auth', 'let count = 0'],
      ['core/auth', 'export let count = 0'],
      ['core/auth', 'const authorizations = new WeakMap<object, Map<string, () => void>>()'],
      ['core/auth', 'const seen: string[] = []'],
    ],
  })

  rule('no module waits while it is loaded', {
    find: forbidAtTopLevel(/\bawait\b/g, 'waits while it is loaded, so that require() fails'),
    refuses: [['core/jws', "const { subtle } = await import('node:crypto')"]],
  })

  rule('no module has a default export', {
    find: forbid(/\bexport\s+default\b|\bas\s+default\b/g),
    refuses: [
      ['core/auth', 'export default createAuth'],
      ['core/auth', 'export { createAuth as default }'],
    ],
  })
})

describe('files', () => {
  rule('every file opens with a sentence that says what it is for', {
    find: ({ text }) => {
      const opening = /^(?:#![^\n]*\n)?(?:\/\*\*([^]*?)\*\/|((?:\/\/[^\n]*\n)+))/.exec(text)
      const words = (opening?.[1] ?? opening?.[2] ?? '').replaceAll(/^\s*(?:\*|\/\/)\s?/gm, '').trim()
      return /^[A-Z`][^]*\.$/.test(words)
        ? []
        : [{ offset: 0, problem: 'does not open with a sentence in a comment' }]
    },
    refuses: [
      ['core/auth', "import { a } from './a.ts'\n"],
      ['core/auth', "/** auth */\n\nimport { a } from './a.ts'\n"],
      ['core/auth', "\n/** Too late. */\nimport { a } from './a.ts'\n"],
    ],
  })

  rule('no file is a drawer', {
    find: ({ name }) =>
      name.split('/').some((part) => drawers.has(part.replace(/^_/, '')))
        ? [
            {
              offset: 0,
              problem: 'is named after nothing: a type or a helper lives with what gives it meaning',
            },
          ]
        : [],
    refuses: [
      ['core/types', ''],
      ['adapters/_utils', ''],
      ['helpers/cookie', ''],
    ],
  })

  rule(
    `no file is longer than ${maxCodeLines} code lines, no adapter than ${maxAdapterCodeLines}, no store than ${maxStoreCodeLines}`,
    {
      find: (source) => {
        const lines = countCodeLines(source)
        const limit = limitOf(source.name)
        return lines > limit ? [{ offset: 0, problem: `has ${lines} code lines, over ${limit}` }] : []
      },
      refuses: [
        ['core/auth', 'const a = 1\n'.repeat(maxCodeLines + 1)],
        ['adapters/hono', 'const a = 1\n'.repeat(maxAdapterCodeLines + 1)],
        ['stores/redis', 'const a = 1\n'.repeat(maxStoreCodeLines + 1)],
      ],
    },
  )

  rule('no type is any', {
    find: forbid(/(?<![.\w$])any(?![\w$]|\s*[(:])/g),
    refuses: [
      ['core/auth', 'const claims: any = {}'],
      ['core/auth', 'const claims = token as any'],
      ['core/auth', 'type Handler = (...parameters: any[]) => Promise<any>'],
    ],
  })
})

describe('the reader of these rules', () => {
  test.each([
    ['a comment', "// import './a.ts'\n/* let a */ const b = 1", 'const b = 1'],
    ['a string', `const a = "let // b" + 'it\\'s'`, `const a = " " + ' '`],
    [
      'a template',
      'const a = `let ${b + `x${c}` + { d: 1 }.d} any`',
      'const a = ` ${b + ` ${c}` + { d: 1 }.d} `',
    ],
    ['a regular expression', 'const a = /["\'`/*[/"]]/.test(b) / 2 / c', 'const a = / /.test(b) / 2 / c'],
  ])('is not misled by %s', (_what, text, code) => {
    const source = readSource('core/a', text)
    expect(source.code.replaceAll(/ +/g, ' ').trim()).toBe(code)
    expect(source.code).toHaveLength(text.length)
    expect(source.imports).toEqual([])
  })
})

function limitOf(name: string): number {
  if (/^adapters\/[^_]/.test(name)) return maxAdapterCodeLines
  return /^stores\/[^_]/.test(name) ? maxStoreCodeLines : maxCodeLines
}

function isRelative(specifier: string): boolean {
  return specifier.startsWith('.')
}

/** The name of the imported file; what does not end in `.ts` has none. */
function resolve(name: string, specifier: string): string {
  return specifier.endsWith('.ts') ? posix.join(posix.dirname(name), specifier.slice(0, -3)) : ''
}

function packageOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
}

function rowOf(name: string): readonly string[] | undefined {
  return layout[name] ?? layout[`${posix.dirname(name)}/*`]
}

function matches(patterns: readonly string[], name: string): boolean {
  return patterns.some((pattern) =>
    pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern,
  )
}

function forbid(pattern: RegExp, exceptions: readonly string[] = []): Rule['find'] {
  return ({ name, code }) =>
    matches(exceptions, name)
      ? []
      : [...code.matchAll(pattern)].map((match) => ({
          offset: match.index,
          problem: `may not have '${match[0].trim()}'`,
        }))
}

function forbidAtTopLevel(pattern: RegExp, problem: string): Rule['find'] {
  return (source) =>
    [...source.code.matchAll(pattern)]
      .filter((match) => depthOf(source, match.index) === 0)
      .map((match) => ({ offset: match.index, problem: `'${match[0].trim()}' ${problem}` }))
}

/** Each circle once, from its first file in the order given. */
function findCircles(files: readonly Source[]): readonly string[] {
  const edges = new Map(
    files.map(({ name, imports }) => [name, imports.map(({ specifier }) => resolve(name, specifier))]),
  )
  const circles: string[] = []
  const done = new Set<string>()
  const visit = (name: string, path: readonly string[]): void => {
    if (path.includes(name)) circles.push([...path.slice(path.indexOf(name)), name].join(' -> '))
    if (path.includes(name) || done.has(name)) return
    for (const next of edges.get(name) ?? []) visit(next, [...path, name])
    done.add(name)
  }
  for (const { name } of files) visit(name, [])
  return circles
}
