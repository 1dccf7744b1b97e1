// The command line itself: help, mistakes, secrets in arguments, streams that are closed, colours.

import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { exitCodes } from '../../src/cli/_failure.ts'
import { createAuth } from '../../src/index.ts'
import { cli, shell, stackTrace } from './_cli.ts'

describe('help', () => {
  test.each([['--help'], ['-h'], ['help']])('%s lists every command and every exit code', async (word) => {
    const { code, stdout, stderr } = await cli([word])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain('tallystick <command>')
    expect(stdout.match(/^ {2}[0-4] {2}/gm)).toHaveLength(5)
  })

  test('--version is that of the package, as text and as JSON', async () => {
    expect((await cli(['--version'])).stdout).toBe(`${manifest.version}\n`)
    expect(JSON.parse((await cli(['--version', '--json'])).stdout)).toEqual({ version: manifest.version })
  })

  test('a command tells its own options', async () => {
    const { code, stdout } = await cli(['secret', '--help'])
    expect(code).toBe(0)
    expect(stdout).toContain('--algorithm NAME')
    expect(stdout).toContain('--json')
  })
})

test('docs/cli.md names every command with all its options, and every exit code', async () => {
  const text = await readFile(new URL('../../docs/cli.md', import.meta.url), 'utf8')
  const { commands } = JSON.parse((await cli(['--help', '--json'])).stdout) as {
    readonly commands: readonly { readonly name: string }[]
  }
  const helps = await Promise.all(
    commands.map(async ({ name }) => {
      const { stdout } = await cli([...name.split(' '), '--help', '--json'])
      return { name, ...(JSON.parse(stdout) as { readonly options: Readonly<Record<string, unknown>> }) }
    }),
  )
  const words = helps.flatMap(({ name, options }) => [
    name,
    ...Object.keys(options).map((option) => `\`--${option}`),
  ])
  const codes = Object.entries(exitCodes).map(([code, meaning]) => `${code} | ${meaning}`)
  const flat = text.replaceAll(/ +/g, ' ')
  expect([...words, ...codes].filter((word) => !flat.includes(word))).toEqual([])
  expect(commands.length).toBeGreaterThan(8)
})

describe('mistakes', () => {
  test.each([
    ['no command', [], 'Which command?'],
    ['an unknown command', ['secrt'], 'There is no such command: secrt: did you mean secret?'],
    ['an unknown option', ['secret', '--algorithms', 'HS256'], 'did you mean --algorithm?'],
    ['an option without its value', ['secret', '--algorithm'], '--algorithm needs a value'],
    ['an option in place of a value', ['secret', '--algorithm', '--json'], '--algorithm needs a value'],
    ['an option that is given twice', ['secret', '--name', 'A', '--name', 'B'], '--name is given twice'],
    ['a switch with a value', ['secret', '--json=yes'], '--json takes no value'],
    ['an argument too many', ['secret', 'more'], 'takes no arguments'],
    ['an algorithm that is none', ['secret', '--algorithm', 'HS1'], '--algorithm must be'],
    ['an algorithm with a pair', ['secret', '--algorithm', 'ES256'], 'tallystick keys generate'],
    ['a name that is none', ['secret', '--name', 'A B'], '--name must be'],
    ['a name of every object', ['secret', '--constructor'], 'has no option --constructor'],
    ['a command that every object has', ['constructor'], 'There is no such command'],
  ])('%s is told in a sentence, with exit code 2 and nothing on stdout', async (_, parameters, message) => {
    const { code, stdout, stderr } = await cli(parameters)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(message)
    expect(stderr).not.toMatch(stackTrace)
  })

  test('with --json a failure is a document too, on stderr', async () => {
    const { code, stdout, stderr } = await cli(['secret', '--wrong', '--json'])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(JSON.parse(stderr)).toEqual({
      error: { exitCode: 2, message: expect.stringContaining('has no option --wrong') as string },
    })
  })
})

describe('secrets in arguments', async () => {
  const auth = createAuth({ secretKey: crypto.getRandomValues(new Uint8Array(32)) })
  const token = await auth.createAccessToken('alice')
  const password = 'correct-horse-battery'
  test.each([
    ['a token', ['secret', token], token],
    ['a bearer header', ['secret', `Bearer ${token}`], token],
    ['a Cookie header', ['secret', `access_token_cookie=${token}`], token],
    ['a token in place of a command', [token], token],
    ['a token as an option', ['secret', `--${token}`], token],
    ['a token as the value of an option', ['secret', '--name', token], token],
    ['a token as an inline value', ['secret', `--name=${token}`], token],
    ['an address with a password', ['secret', `redis://user:${password}@host/0`], password],
    ['a private key', ['secret', '-----BEGIN PRIVATE KEY-----\nMC4CAQAw'], 'MC4CAQAw'],
    ['an option that asks for a secret', ['secret', '--secret-key', password], password],
    ['an option that asks for a password', ['secret', `--password=${password}`], password],
    ['a short option that asks for one', ['secret', '-p', password], password],
  ])('%s is refused and not repeated', async (_, parameters, secret) => {
    for (const mode of [[], ['--json']]) {
      const { code, stdout, stderr } = await cli([...parameters, ...mode])
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
      expect(stderr).not.toContain(secret)
    }
  })
})

describe('streams', () => {
  test('a reader that is gone ends the command without a word', async () => {
    const { code, stdout, stderr } = await shell('$cli --help | true; echo "${PIPESTATUS[0]}"')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^[03]\n$/)
  })

  test('a closed input, output or error stream is survived', async () => {
    const { stdout, stderr } = await shell(
      '$cli secret <&-; echo $?; $cli secret >&-; echo $?; $cli wrong 2>&-; echo $?',
    )
    expect(stdout).toMatch(/^AUTHJWT_SECRET_KEY=[\w-]{86}\n0\n[03]\n2\n$/)
    expect(stderr).not.toMatch(stackTrace)
  })

  test('a disk that is full is told', async () => {
    const { stdout, stderr } = await shell('$cli secret >/dev/full; echo $?')
    expect(stdout).toBe('3\n')
    expect(stderr).toBe('tallystick: Standard output cannot be written: the disk is full\n')
  })
})
