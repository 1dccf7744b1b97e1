// `tallystick keys`: the files it makes are what createAuth and setKeys take, and nobody is signed out by a rotation.

import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { chmod, readFile, stat, symlink, lstat, utimes, writeFile } from 'node:fs/promises'
import { createLocalJWKSet, jwtVerify } from 'jose'
import { beforeAll, describe, expect, test } from 'vitest'
import { algorithms } from '../../src/core/jws.ts'
import { createAuth } from '../../src/index.ts'
import type { Auth, RingKey } from '../../src/index.ts'
import { cli, newFolder, shell, stackTrace } from './_cli.ts'
import type { Run } from './_cli.ts'

const path = await newFolder()

function ringIn(file: string): RingKey[] {
  return JSON.parse(readFileSync(file, 'utf8')) as RingKey[]
}

function expectFine({ code, stderr }: Run): void {
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
}

/** As if the last step had been taken so many seconds ago. */
async function age(file: string, seconds: number): Promise<void> {
  const { mtimeMs } = await stat(file)
  const then = mtimeMs / 1000 - seconds
  await utimes(file, then, then)
}

const everyAlgorithm = [...algorithms.keys()]

describe('keys generate', () => {
  test.each(everyAlgorithm)(
    'a ring of %s is taken by createAuth, or told to be impossible here',
    async (name) => {
      const file = path(`${name}.json`)
      // Short keys are made sooner.
      const size = /^[RP]S/.test(name) ? ['--modulus', '2048'] : []
      const run = await cli(['keys', 'generate', file, '--algorithm', name, ...size])
      if (run.code === 3) {
        // Only what this runtime lacks, as createAuth says too.
        expect(name).toMatch(/^ML-DSA/)
        expect(run.stderr).toContain(`cannot be ${name} on this runtime`)
        expect(() =>
          createAuth({
            keys: [{ algorithm: name as 'ML-DSA-44', privateKey: 'x' }],
            tokenLocation: ['headers'],
          }),
        ).toThrow(`cannot be ${name} on this runtime`)
        return
      }
      expectFine(run)
      const auth = createAuth({ keys: ringIn(file), tokenLocation: ['headers'] })
      const token = await auth.createAccessToken('alice')
      await expect(auth.verify(token)).resolves.toMatchObject({ sub: 'alice' })
      expect(run.stdout).toContain(auth.getUnverifiedJwtHeaders(token)['kid'])
      expect(statSync(file).mode & 0o777).toBe(0o600)
    },
  )

  test('what is printed names the key, and holds nothing of it', async () => {
    const file = path('quiet.json')
    for (const mode of [[], ['--json']]) {
      const { stdout } = await cli(['keys', 'generate', file, '--algorithm', 'HS256', '--force', ...mode])
      const [entry] = ringIn(file)
      expect(stdout).toContain(entry?.kid)
      expect(stdout).not.toContain(entry?.secretKey)
    }
  })

  test('- prints the ring, for a pipe', async () => {
    const { code, stdout } = await cli(['keys', 'generate', '-', '--kid', 'mine'])
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject([{ kid: 'mine', algorithm: 'ES256' }])
    const jwks = await cli(['keys', 'jwks', '-'], { input: stdout })
    expect(JSON.parse(jwks.stdout)).toMatchObject({ keys: [{ kid: 'mine', kty: 'EC', use: 'sig' }] })
  })

  test('a file that is there is left alone, and replaced only when that is asked for, and told', async () => {
    const file = path('there.json')
    expectFine(await cli(['keys', 'generate', file]))
    const before = await readFile(file, 'utf8')
    const refused = await cli(['keys', 'generate', file])
    expect(refused.code).toBe(3)
    expect(refused.stderr).toContain('is there already and was left alone')
    expect(await readFile(file, 'utf8')).toBe(before)
    const forced = await cli(['keys', 'generate', file, '--force'])
    expectFine(forced)
    expect(forced.stdout).toMatch(/^Replaced /)
    expect(await readFile(file, 'utf8')).not.toBe(before)
    expect(readdirSync(path('')).filter((name) => name.endsWith('.new'))).toEqual([])
  })

  test.each([
    [['--algorithm', 'none'], 2, '--algorithm must be one of'],
    [['--algorithm', 'HS256', '--modulus', '2048'], 2, '--modulus is for RS and PS'],
    [['--algorithm', 'RS256', '--modulus', '512'], 2, '--modulus must be'],
    [['--kid', 'a b'], 2, '--kid must be'],
  ])('%j is refused', async (options, exitCode, message) => {
    const { code, stderr } = await cli(['keys', 'generate', path('never.json'), ...options])
    expect(code).toBe(exitCode)
    expect(stderr).toContain(message)
  })

  test('a folder that is not there is told', async () => {
    const { code, stderr } = await cli(['keys', 'generate', path('no/such/ring.json')])
    expect(code).toBe(3)
    expect(stderr).toMatch(/cannot be written: there is no such file or folder\n$/)
  })
})

describe.each([['ES256'], ['HS256']])('keys rotate with %s', (algorithm) => {
  const file = path(`rotating-${algorithm}.json`)
  const tokens: string[] = []
  let auth: Auth
  let kids: string[]

  /** Every token so far is good on a running process that takes the file up. */
  async function expectAllGood(): Promise<void> {
    auth.setKeys(ringIn(file))
    for (const token of tokens) await expect(auth.verify(token)).resolves.toMatchObject({ sub: 'alice' })
    tokens.push(await auth.createAccessToken('alice'))
    kids = ringIn(file).map(({ kid }) => kid ?? '')
  }

  const kidOfLast = (): unknown => auth.getUnverifiedJwtHeaders(tokens.at(-1) ?? '')['kid']

  beforeAll(async () => {
    expectFine(await cli(['keys', 'generate', file, '--algorithm', algorithm, '--kid', 'first']))
    auth = createAuth({ keys: ringIn(file) })
    await expectAllGood()
  })

  test('step 1 adds a key that only verifies', async () => {
    const { code, stdout } = await cli(['keys', 'rotate', file, '--kid', 'second', '--json'])
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      step: 'add',
      kid: 'second',
      next: { step: 'sign' },
      keys: [
        { kid: 'second', algorithm, use: 'verify' },
        { kid: 'first', algorithm, use: 'sign' },
      ],
    })
    await expectAllGood()
    expect(kidOfLast()).toBe('first')
  })

  test('step 2 is not taken before servers and caches can have the file', async () => {
    const before = await readFile(file, 'utf8')
    const early = await cli(['keys', 'rotate', file])
    expect({ code: early.code, stdout: early.stdout }).toEqual({ code: 1, stdout: '' })
    expect(early.stderr).toMatch(/Not yet: step sign is due at \d{4}-\d\d-\d\dT[\d:]+Z/)
    expect(await readFile(file, 'utf8')).toBe(before)
  })

  test('step 2 lets it sign, and keeps of the old one what verifies', async () => {
    await age(file, 15 * 60)
    const { code, stdout } = await cli(['keys', 'rotate', file])
    expect(code).toBe(0)
    expect(stdout).toContain('Step sign: the key second signs from now on')
    await expectAllGood()
    expect(kids).toEqual(['second', 'first'])
    expect(kidOfLast()).toBe('second')
    expect(ringIn(file)[1]).not.toHaveProperty('privateKey')
  })

  test('step 3 is not taken while tokens of the old key can live', async () => {
    await age(file, 29 * 86_400)
    expect((await cli(['keys', 'rotate', file])).code).toBe(1)
    await age(file, 86_400 + 15 * 60)
    expectFine(await cli(['keys', 'rotate', file]))
    auth.setKeys(ringIn(file))
    expect(ringIn(file).map(({ kid }) => kid)).toEqual(['second'])
    await expect(auth.verify(tokens[0] ?? '')).rejects.toMatchObject({ code: 'token_invalid' })
    await expect(auth.verify(tokens.at(-1) ?? '')).resolves.toMatchObject({ sub: 'alice' })
  })

  test('a key that got out is gone in one go with --early', async () => {
    for (const step of ['add', 'sign', 'drop']) {
      expectFine(await cli(['keys', 'rotate', file, '--step', step, '--early']))
      auth.setKeys(ringIn(file))
    }
    expect(ringIn(file).map(({ kid }) => kid)).not.toContain('second')
    await expect(auth.verify(tokens.at(-1) ?? '')).rejects.toMatchObject({ code: 'token_invalid' })
  })
})

describe('the file of a ring', () => {
  test('stays with its owner alone, and a link stays a link', async () => {
    const file = path('linked.json')
    expectFine(await cli(['keys', 'generate', file]))
    await chmod(file, 0o644)
    await symlink(file, path('link.json'))
    const { code, stderr } = await cli(['keys', 'rotate', path('link.json')])
    expect(code).toBe(0)
    expect(stderr).toMatch(/^Others than its owner could read .*: no more\.\n$/)
    expect((await lstat(path('link.json'))).isSymbolicLink()).toBe(true)
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect(ringIn(file)).toHaveLength(2)
  })

  test('of commands that change it at once none is lost without a word', async () => {
    const file = path('raced.json')
    expectFine(await cli(['keys', 'generate', file]))
    const runs = await Promise.all(
      ['a', 'b', 'c'].map((kid) => cli(['keys', 'rotate', file, '--step', 'add', '--kid', kid])),
    )
    const won = runs.filter(({ code }) => code === 0)
    for (const { code, stderr } of runs) {
      expect([0, 3]).toContain(code)
      if (code === 3) expect(stderr).toContain('another command changes the file right now')
    }
    expect(ringIn(file)).toHaveLength(1 + won.length)
    expect(won).not.toEqual([])
  })

  test('a disk that is full leaves the ring as it was', async () => {
    const file = path('full.json')
    const generate = ['keys', 'generate', file, '--algorithm', 'RS256', '--modulus', '2048']
    expectFine(await cli(generate))
    const before = await readFile(file, 'utf8')
    // A kilobyte is less than an RSA key has: the first write is cut short, and only the next one fails.
    const { stdout, stderr } = await shell('ulimit -f 1; $cli keys rotate "$file"; echo $?', {
      env: { file },
    })
    expect(stdout).toBe('3\n')
    expect(stderr).toContain('cannot be written: the file may not become that long')
    expect(await readFile(file, 'utf8')).toBe(before)
    expect(readdirSync(path('')).filter((name) => name.startsWith('full.json'))).toEqual(['full.json'])
  })

  test('a draft that was cut off is not written over', async () => {
    const file = path('cut-off.json')
    expectFine(await cli(['keys', 'generate', file]))
    writeFileSync(`${file}.new`, 'half of a key')
    expect((await cli(['keys', 'rotate', file])).code).toBe(3)
    expect(readFileSync(`${file}.new`, 'utf8')).toBe('half of a key')
  })

  const secret = 'QmFzZTY0VGV4dE9mQVNlY3JldFRoYXRNdXN0Tm90QmVTaG93bg'
  test.each([
    ['no JSON', `{"secretKey":"${secret}"`, 'is not JSON'],
    ['no list', `{"keys":[{"secretKey":"${secret}"}]}`, 'must be a list of keys'],
    ['a key without a name', `[{"algorithm":"HS256","secretKey":"${secret}"}]`, 'kid is missing'],
    [
      'an unknown member',
      `[{"kid":"a","algorithm":"HS256","secretKey":"${secret}","made":1}]`,
      'made is no member',
    ],
    [
      'a secret that is too short',
      `[{"kid":"a","algorithm":"HS512","secretKey":"${secret}"}]`,
      'is shorter than',
    ],
    [
      'controls in a name',
      `[{"kid":"\\u001b[2J","algorithm":"HS256","secretKey":"${secret}"}]`,
      'kid must be',
    ],
    [
      'nothing that signs',
      `[{"kid":"a","algorithm":"HS256","secretKey":"${secret}","use":"verify"}]`,
      'No key of this ring signs',
    ],
    [
      'a key still without names',
      `[{"kid":"b","algorithm":"HS256","secretKey":"${secret}x","use":"verify"},{"kid":"a","algorithm":"HS256","secretKey":"${secret}","legacy":"sign"}]`,
      'legacy: true',
    ],
    ['an empty file', '', 'is not JSON'],
    ['much more than a ring', ' '.repeat(1_100_000), 'more than a megabyte'],
  ])('with %s is refused, left alone, and none of it is shown', async (_, text, message) => {
    const file = path('bad.json')
    await writeFile(file, text)
    const { code, stdout, stderr } = await cli(['keys', 'rotate', file, '--early'])
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' })
    expect(stderr).toContain(message)
    expect(stderr).not.toContain(secret)
    expect(stderr).not.toMatch(stackTrace)
    expect(stderr).not.toContain('\u{1b}')
    expect(await readFile(file, 'utf8')).toBe(text)
  })
})

describe('keys jwks', () => {
  test('prints public keys alone, with which jose verifies tokens of the ring', async () => {
    const file = path('published.json')
    expectFine(await cli(['keys', 'generate', file, '--algorithm', 'EdDSA']))
    expectFine(await cli(['keys', 'rotate', file, '--algorithm', 'RS256']))
    const { code, stdout } = await cli(['keys', 'jwks', file])
    expect(code).toBe(0)
    const jwks = JSON.parse(stdout) as { keys: { kid: string; kty: string }[] }
    expect(jwks.keys.map(({ kty }) => kty)).toEqual(['RSA', 'OKP'])
    for (const key of jwks.keys) for (const part of ['d', 'p', 'q', 'k']) expect(key).not.toHaveProperty(part)
    const token = await createAuth({ keys: ringIn(file) }).createAccessToken('alice')
    const { payload } = await jwtVerify(token, createLocalJWKSet(jwks))
    expect(payload.sub).toBe('alice')
  })

  test('a ring of secrets has nothing to publish, which is told', async () => {
    const ring = await cli(['keys', 'generate', '-', '--algorithm', 'HS256'])
    const { code, stdout, stderr } = await cli(['keys', 'jwks', '-'], { input: ring.stdout })
    expect(code).toBe(1)
    expect(JSON.parse(stdout)).toEqual({ keys: [] })
    expect(stderr).toContain('nothing to publish')
  })

  test('a file that is not there is told', async () => {
    const { code, stderr } = await cli(['keys', 'jwks', path('nowhere.json')])
    expect(code).toBe(3)
    expect(stderr).toMatch(/cannot be read: there is no such file or folder\n$/)
  })
})
