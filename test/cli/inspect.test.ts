// `tallystick inspect`: what it tells of good tokens, and that nothing in a hostile one reaches the terminal as it is.

import { Buffer } from 'node:buffer'
import { generateKeyPairSync } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createAuth } from '../../src/index.ts'
import { cli, newFolder, shell, stackTrace } from './_cli.ts'

const path = await newFolder()
const secretKey = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64url')
const auth = createAuth({ secretKey })
const access = await auth.createAccessToken('alice', { userClaims: { role: 'admin' } })
const refresh = await auth.createRefreshToken('alice')
const csrfOf = (token: string): string => {
  const { csrf } = auth.getUnverifiedJwtClaims(token)
  return typeof csrf === 'string' ? csrf : ''
}

interface Report {
  readonly tokens: readonly {
    readonly cookie: string | null
    readonly form: string
    readonly header: Readonly<Record<string, unknown>> | null
    readonly claims: Readonly<Record<string, unknown>> | null
    readonly times: Readonly<Record<string, { readonly words: string }>>
    readonly problems: readonly string[]
    readonly warnings: readonly string[]
    readonly verification: Readonly<Record<string, unknown>> | null
  }[]
  readonly problems: readonly string[]
  readonly warnings: readonly string[]
}

async function inspect(
  input: string | Uint8Array,
  parameters: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<Report & { readonly code: number | null }> {
  const { code, stdout, stderr } = await cli(['inspect', '--json', ...parameters], { input, env })
  expect(stderr).toBe('')
  return { code, ...(JSON.parse(stdout) as Report) }
}

const encode = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
const signature = 'A'.repeat(43)
/** An unsigned look-alike. */
const forge = (header: unknown, payload: unknown, end = signature): string =>
  `${encode(header)}.${encode(payload)}.${end}`
const hs256 = { alg: 'HS256', typ: 'JWT' }
const now = Math.floor(Date.now() / 1000)
const good = { sub: 'alice', type: 'access', iat: now, exp: now + 900 }

describe('a good token', () => {
  test.each([
    ['bare', access],
    ['with a scheme', `Bearer ${access}`],
    ['as a header', `Authorization: Bearer ${access}\r\n`],
    ['in quotes', `'${access}'\n`],
  ])(
    '%s is shown with its times in words, and with the warning that nothing was verified',
    async (_, input) => {
      const { code, tokens, warnings } = await inspect(input)
      expect(code).toBe(0)
      expect(tokens).toMatchObject([
        {
          cookie: null,
          form: 'signed',
          header: hs256,
          claims: { sub: 'alice', role: 'admin', type: 'access', csrf: '(not shown)' },
          times: { exp: { words: expect.stringMatching(/^in 1\d minutes$/) as string } },
          problems: [],
          verification: null,
        },
      ])
      expect(warnings).toEqual([expect.stringContaining('Nothing was verified') as string])
    },
  )

  test('as text neither signature nor CSRF value is shown', async () => {
    const { code, stdout } = await cli(['inspect'], { input: access })
    expect(code).toBe(0)
    expect(stdout).toContain('"alice"')
    expect(stdout).toContain('lives 15 minutes')
    expect(stdout).not.toContain(access.split('.')[2])
    expect(stdout).not.toContain(csrfOf(access))
    expect(stdout).not.toContain('\u{1b}')
  })

  test('colours are for terminals, and not with NO_COLOR', async () => {
    const inTerminal = (env: Readonly<Record<string, string>>) =>
      shell(
        `script -qec '$cli inspect <"$file"' /dev/null`
          .replaceAll('"', '\\"')
          .replace(/^script -qec '(.*)' /, 'script -qec "$1" '),
        {
          env: { file: path('token'), TERM: 'xterm', ...env },
        },
      )
    await writeFile(path('token'), access)
    const coloured = await inTerminal({})
    expect(coloured.stdout).toContain('\u{1b}[33m! Nothing was verified')
    expect((await inTerminal({ NO_COLOR: '1' })).stdout).not.toContain('\u{1b}[')
    expect((await inTerminal({ TERM: 'dumb' })).stdout).not.toContain('\u{1b}[')
  })
})

describe('a Cookie header', () => {
  test('is searched for tokens, and their halves are held against each other', async () => {
    const cookies = `theme=dark; access_token_cookie=${access}; csrf_access_token=${csrfOf(access)}; refresh_token_cookie=${refresh}`
    const fine = await inspect(`Cookie: ${cookies}`)
    expect(fine).toMatchObject({
      code: 0,
      tokens: [{ cookie: 'access_token_cookie' }, { cookie: 'refresh_token_cookie' }],
    })
    const wrong = await inspect(`${cookies}; csrf_refresh_token=${csrfOf(access)}`)
    expect(wrong.code).toBe(1)
    expect(wrong.problems).toEqual([expect.stringContaining('csrf_mismatch') as string])
    expect(JSON.stringify(wrong)).not.toContain(csrfOf(access))
  })

  test('with several cookies of one name is told to be refused', async () => {
    const { code, tokens, problems } = await inspect(
      `access_token_cookie=${access}; access_token_cookie=${access}; access_token_cookie=evil`,
    )
    expect(code).toBe(1)
    expect(tokens).toHaveLength(3)
    expect(problems).toEqual([expect.stringContaining('is there with 2 values') as string])
  })

  test('a Set-Cookie line is read up to its attributes', async () => {
    const { code, tokens } = await inspect(
      `Set-Cookie: __Host-access_token_cookie=${access}; Path=/; HttpOnly`,
    )
    expect(code).toBe(0)
    expect(tokens).toMatchObject([{ cookie: '__Host-access_token_cookie' }])
  })

  test('a cookie that browsers would drop is told', async () => {
    const long = await auth.createAccessToken('alice', { userClaims: { note: 'n'.repeat(3000) } })
    const { code, tokens } = await inspect(`access_token_cookie=${long}`)
    expect(code).toBe(1)
    expect(tokens[0]?.problems).toEqual([expect.stringContaining('more than 4096 bytes') as string])
  })
})

describe('what is wrong', () => {
  const cases: [title: string, token: string, problem: string][] = [
    ['expired', forge(hs256, { ...good, iat: now - 20_000, exp: now - 11_000 }), 'It expired 3 hours ago'],
    ['not valid yet', forge(hs256, { ...good, nbf: now + 4000 }), 'It is not valid yet'],
    ['from the future', forge(hs256, { ...good, iat: now + 500 }), 'made in the future'],
    ['in milliseconds', forge(hs256, { ...good, exp: Date.now() + 900_000 }), 'are these milliseconds?'],
    ['without numbers', forge(hs256, { ...good, exp: 'tomorrow' }), 'exp is no number'],
    ['without a subject', forge(hs256, { ...good, sub: 7 }), 'sub is missing, or no text'],
    ['of another maker', forge(hs256, { ...good, type: undefined }), "neither 'access' nor 'refresh'"],
    ['alg none', forge({ alg: 'none' }, good, ''), 'nobody signed it'],
    ['alg nOnE', forge({ alg: 'nOnE' }, good, ''), 'nobody signed it'],
    ['an unknown alg', forge({ alg: 'HS1' }, good), 'none of those that tallystick knows'],
    ['an alg of every object', forge({ alg: 'constructor' }, good), 'none of those that tallystick knows'],
    [
      'a key in its header',
      forge({ ...hs256, jwk: { kty: 'oct' } }, good),
      'holds jwk, which no guard takes',
    ],
    ['no signature', forge(hs256, good, ''), 'The signature is missing'],
    ['a signature of another alg', forge({ alg: 'HS512' }, good), 'has 32 bytes, and one of HS512 has 64'],
    [
      'members named twice',
      forge(hs256, '{"sub":"alice","sub":"bob","type":"access"}'),
      'names a member twice',
    ],
    [
      'members named twice by an escape',
      forge(hs256, String.raw`{"sub":"alice","s\u0075b":"bob"}`),
      'names a member twice',
    ],
    ['another token inside', forge(hs256, access), 'is another token'],
    ['a list for claims', forge(hs256, '[1]'), 'not an object'],
    ['no JSON', forge(hs256, '{"sub":'), 'is not JSON in UTF-8'],
    [
      'bytes that are no UTF-8',
      `${encode(hs256)}.${Buffer.from([0x7b, 0xff, 0x7d]).toString('base64url')}.${signature}`,
      'is not JSON in UTF-8',
    ],
    [
      'base64 with padding',
      `${Buffer.from(JSON.stringify(hs256)).toString('base64')}.e30=.${signature}`,
      'is base64, not base64url',
    ],
    ['stray bits', `${encode(hs256)}.e31.${signature}`, 'bits to spare'],
    ['two parts', `${encode(hs256)}.${encode(good)}`, 'It has 2 parts between dots'],
    ['no token at all', 'hello', 'It has 1 part between dots'],
    ['far too long', forge(hs256, { ...good, note: 'n'.repeat(9000) }), 'no guard reads more than 8192'],
    ['deep beyond sense', forge(hs256, `{"a":${'['.repeat(5000)}${']'.repeat(5000)}}`), 'levels deep'],
    ['a number without end', forge(hs256, '{"sub":"a","exp":1e999}'), 'a number too great'],
  ]
  const reports = new Map<string, string>()

  // A process takes its time, and can be given as many tokens as a request can carry.
  beforeAll(async () => {
    for (let at = 0; at < cases.length; at += 15) {
      const batch = cases.slice(at, at + 15).map(([, token]) => token)
      const { code, tokens } = await inspect(batch.join('\n'))
      if (code !== 1) throw new Error(`the exit code is ${code}`)
      for (const [index, { problems }] of tokens.entries())
        reports.set(batch[index] ?? '', problems.join('\n'))
    }
  })

  test.each(cases)('%s is told', (_, token, problem) => {
    expect(reports.get(token)).toContain(problem)
  })

  test('a claim that holds a token is warned of, and not opened', async () => {
    const { code, tokens } = await inspect(forge(hs256, { ...good, inner: access }))
    expect(code).toBe(0)
    expect(tokens).toHaveLength(1)
    expect(tokens[0]?.warnings).toEqual([expect.stringContaining('holds a token') as string])
  })

  test('of an encrypted token the header is shown', async () => {
    const { code, tokens } = await inspect(`${encode({ alg: 'dir', enc: 'A256GCM' })}..aaaa.bbbb.cccc`)
    expect(code).toBe(0)
    expect(tokens).toMatchObject([{ form: 'encrypted', header: { alg: 'dir' }, claims: null }])
  })
})

describe('hostile input', () => {
  const controls =
    '\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m\r\u{8}\u{202e}\u{2066}\u{200b}\u{feff}\u{e000}\u{e0041}\u{d800}'
  test.each([
    ['a claim', forge(hs256, { ...good, sub: controls, [controls]: controls })],
    ['the header', forge({ ...hs256, kid: controls, [controls]: 1 }, good)],
    ['the name of a cookie', `Cookie: a${controls.replace('\r', '')}b=${access}; c${controls}=x`],
    ['no token', `${controls.replaceAll(/[\r\n]/g, '')}x`],
  ])('controls in %s do not reach the terminal, as text or as JSON', async (_, input) => {
    for (const mode of [[], ['--json']]) {
      const { code, stdout, stderr } = await cli(['inspect', ...mode], { input })
      expect([0, 1]).toContain(code)
      expect(stdout + stderr).toMatch(/^[\n\x20-\x7e✗✓!…\ufffd]*$/)
      if (mode.length > 0 && stdout !== '') expect(() => JSON.parse(stdout) as unknown).not.toThrow()
    }
  })

  test.each([
    ['nothing', '', 3, 'Standard input is empty'],
    ['blanks', ' \n\t\n', 1, 'There is no token'],
    ['bytes', Buffer.from([0xff, 0xfe, 0x00, 0x80]), 1, 'is not text'],
    ['cookies without a token', 'Cookie: theme=dark; lang=en', 1, 'None of the 2 cookies holds a token'],
    ['megabytes', 'ey'.repeat(2_000_000), 3, 'more than 256 kB'],
    ['more tokens than a request has', `${access}\n`.repeat(30), 1, 'more than any request carries'],
  ])('%s is answered in a sentence', async (_, input, exitCode, message) => {
    const { code, stdout, stderr } = await cli(['inspect'], { input })
    expect({ code, stdout }).toEqual({ code: exitCode, stdout: '' })
    expect(stderr).toContain(message)
    expect(stderr).not.toMatch(stackTrace)
  })

  test('a name of every object is a claim like others', async () => {
    const { tokens } = await inspect(
      forge(hs256, '{"sub":"a","type":"access","__proto__":{"x":1},"constructor":2}'),
    )
    expect(Object.keys(tokens[0]?.claims ?? {})).toEqual(['sub', 'type', '__proto__', 'constructor'])
  })
})

describe('verification', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const signer = createAuth({ keys: [{ algorithm: 'ES256', privateKey }] })
  let token: string
  const { kid } = signer.jwks().keys[0] ?? {}
  const server = createServer((_, response) => {
    response.setHeader('content-type', 'application/json').end(JSON.stringify(signer.jwks()))
  })
  let uri: string

  beforeAll(async () => {
    token = await signer.createAccessToken('alice')
    await writeFile(
      path('ring.json'),
      JSON.stringify([
        { kid, algorithm: 'ES256', publicKey: publicKey.export({ type: 'spki', format: 'pem' }) },
      ]),
    )
    await writeFile(path('jwks.json'), JSON.stringify(signer.jwks()))
    await writeFile(path('secret.txt'), `${secretKey}\n`)
    await writeFile(path('broken.json'), `{"k":"${secretKey}"`)
    await writeFile(path('pair.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }))
    await once(server.listen(0, '127.0.0.1'), 'listening')
    uri = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`
  })
  afterAll(() => server.close())

  test('with a ring, a JWKS in a file or at an address, a secret or the environment', async () => {
    const runs: [string, readonly string[], Readonly<Record<string, string>>?][] = [
      [token, ['--keys', path('ring.json')]],
      [token, ['--keys', path('jwks.json')]],
      [token, ['--jwks', uri]],
      [access, ['--keys', path('secret.txt')]],
      [access, ['--env'], { AUTHJWT_SECRET_KEY: secretKey }],
    ]
    for (const [input, parameters, env] of runs) {
      const { code, tokens, warnings } = await inspect(input, parameters, env)
      expect({ parameters, code, warnings }).toEqual({ parameters, code: 0, warnings: [] })
      expect(tokens[0]?.verification).toMatchObject({ signature: true, accepted: true })
    }
  })

  test('a private key in a PEM verifies tokens that name no key', async () => {
    const lone = await createAuth({ privateKey, algorithm: 'ES256' }).createRefreshToken('alice')
    expect(await inspect(lone, ['--keys', path('pair.pem')])).toMatchObject({
      code: 0,
      tokens: [{ verification: { accepted: true } }],
    })
  })

  test.each([
    [
      'another key',
      () => access,
      { code: 'token_invalid', reason: 'key_unknown', signature: false },
      'ring.json',
    ],
    [
      'a forged signature',
      () => forge(hs256, good),
      { code: 'token_invalid', reason: 'signature_invalid', signature: false },
      'secret.txt',
    ],
    [
      'alg none',
      () => forge({ alg: 'none' }, good, ''),
      { code: 'token_invalid', reason: 'alg_forbidden', signature: false },
      'secret.txt',
    ],
  ])('%s is refused, in the words of a guard', async (_, make, verification, file) => {
    const names =
      file === 'ring.json'
        ? { ...verification, reason: expect.stringMatching(/key_unknown|alg_forbidden/) as string }
        : verification
    const { code, tokens } = await inspect(make(), ['--keys', path(file)])
    expect(code).toBe(1)
    expect(tokens[0]?.verification).toEqual({ ...names, accepted: false })
  })

  test.each([
    ['a file that is not there', ['--keys', 'nowhere.pem'], {}, 3, 'there is no such file'],
    ['a file that is broken', ['--keys', 'broken.json'], {}, 3, 'is not JSON'],
    ['an address without keys', ['--jwks', 'http://127.0.0.1:1/'], {}, 3, 'cannot be fetched now'],
    ['an address in the clear', ['--jwks', 'http://keys.example/'], {}, 3, 'https:'],
    ['an environment without a key', ['--env'], {}, 3, 'secretKey is missing'],
    ['an environment with a weak key', ['--env'], { AUTHJWT_SECRET_KEY: 'short' }, 3, 'is shorter than'],
    ['two sources of keys', ['--env', '--keys', 'secret.txt'], {}, 2, 'cannot stand together'],
    ['an algorithm that is none', ['--keys', 'secret.txt', '--algorithm', 'X'], {}, 2, '--algorithm must be'],
  ] as const)('%s is told, without any of the key', async (_, parameters, env, exitCode, message) => {
    const { code, stdout, stderr } = await cli(['inspect', ...parameters], {
      input: access,
      env,
      cwd: path(''),
    })
    expect({ code, stdout }).toEqual({ code: exitCode, stdout: '' })
    expect(stderr).toContain(message)
    expect(stderr).not.toContain(secretKey)
    expect(stderr).not.toMatch(stackTrace)
  })
})
