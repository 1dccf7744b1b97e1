/** Compiles the files of `test/types`, in which every wrong use is marked and must be an error. */

import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = join(root, 'test', 'types')
const run = promisify(execFile)

/** What the compiler has to say; empty when all is well. */
async function compile(project: string): Promise<string> {
  try {
    const { stdout, stderr } = await run('npx', ['tsc', '--noEmit', '-p', project], { cwd: root })
    return stdout + stderr.replaceAll(/^npm warn.*\n/gm, '')
  } catch (error) {
    const { stdout } = error as { stdout?: string }
    if (stdout === undefined || stdout === '') throw error
    return stdout
  }
}

describe('types', () => {
  test('every right use compiles, and every use marked as wrong does not', { timeout: 60_000 }, async () => {
    expect(await compile('test/types/tsconfig.json')).toBe('')
  })

  test('the Express adapter fits the types of Express 4 too', { timeout: 60_000 }, async () => {
    expect(await compile('test/types/express4/tsconfig.json')).toBe('')
  })

  test('the Nest adapter fits the types of NestJS 11 too', { timeout: 60_000 }, async () => {
    expect(await compile('test/types/nest11/tsconfig.json')).toBe('')
  })

  test('the Koa adapter fits the types of Koa 2 too', { timeout: 60_000 }, async () => {
    expect(await compile('test/types/koa2/tsconfig.json')).toBe('')
  })

  // The rest of the project is compiled with skipLibCheck, since the declarations of some frameworks do not hold.
  test('what users get compiles without skipLibCheck', { timeout: 60_000 }, async () => {
    if (!existsSync(join(root, 'dist'))) throw new Error('There is no dist/: run `npm run build` first.')
    expect(await compile('test/types/declarations/tsconfig.json')).toBe('')
  })

  test('every file is compiled, and marks wrong uses', async () => {
    const files = (await readdir(folder)).filter((name) => name.endsWith('.ts') && !name.startsWith('_'))
    expect(files.toSorted()).toEqual([
      'adapters.ts',
      'claims.ts',
      'compat.ts',
      'elysia.ts',
      'errors.ts',
      'h3.ts',
      'koa.ts',
      'nest.ts',
      'next.ts',
      'options.ts',
      'users.ts',
      'ws.ts',
    ])
    for (const name of files) {
      const text = await readFile(join(folder, name), 'utf8')
      expect(text.match(/@ts-expect-error \S/g)?.length, name).toBeGreaterThanOrEqual(4)
      expect(text).toContain("from './_assert.ts'")
    }
  })

  test(
    'the compiler would find a mark that marks nothing, and a leaking any',
    { timeout: 60_000 },
    async () => {
      const copy = await mkdtemp(join(folder, '.check-'))
      try {
        await writeFile(join(copy, 'tsconfig.json'), '{ "extends": "../tsconfig.json", "include": ["*.ts"] }')
        await writeFile(
          join(copy, 'wrong.ts'),
          [
            "import { createAuth } from '../../../src/index.ts'",
            "import { expectNoAny, expectType } from '../_assert.ts'",
            "import type { Equal, IsAny } from '../_assert.ts'",
            '// @ts-expect-error but it is right',
            "createAuth({ secretKey: 'x' })",
            'expectType<Equal<unknown, any>>()',
            'expectType<IsAny<unknown>>()',
            "expectNoAny<any>(JSON.parse('1'))",
          ].join('\n'),
        )
        const lines = (await compile(join(copy, 'tsconfig.json'))).trim().split('\n')
        expect(lines.map((line) => /wrong\.ts\((\d+),/.exec(line)?.[1])).toEqual(['4', '6', '7', '8'])
      } finally {
        await rm(copy, { recursive: true, force: true })
      }
    },
  )
})
