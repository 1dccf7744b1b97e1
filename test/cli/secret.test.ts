// `tallystick secret`: what it makes is taken by createAuth.

import { Buffer } from 'node:buffer'
import { expect, test } from 'vitest'
import { createAuth } from '../../src/index.ts'
import type { Algorithm } from '../../src/index.ts'
import { cli } from './_cli.ts'

test('makes one line for an .env file, each time another', async () => {
  const runs = await Promise.all([cli(['secret']), cli(['secret'])])
  for (const { code, stdout, stderr } of runs) {
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^AUTHJWT_SECRET_KEY=[\w-]{86}\n$/)
  }
  expect(runs[0].stdout).not.toBe(runs[1].stdout)
})

test.each([
  ['HS256', 32],
  ['HS384', 48],
  ['HS512', 64],
] satisfies [Algorithm, number][])(
  '%s gets %i random bytes, and signs with them',
  async (algorithm, bytes) => {
    const { stdout } = await cli(['secret', '--algorithm', algorithm, '--json'])
    const made = JSON.parse(stdout) as { readonly value: string }
    expect(made).toEqual({ name: 'AUTHJWT_SECRET_KEY', algorithm, bytes, value: made.value })
    expect(Buffer.from(made.value, 'base64url')).toHaveLength(bytes)
    const auth = createAuth({ secretKey: made.value, algorithm })
    await expect(auth.verify(await auth.createAccessToken('alice'))).resolves.toMatchObject({ sub: 'alice' })
  },
)

test('A256GCM gets a key for encryption, which createAuth takes', async () => {
  const { stdout } = await cli(['secret', '--algorithm', 'A256GCM'])
  const [, key = ''] = /^ENCRYPTION_KEY=([\w-]{43})\n$/.exec(stdout) ?? []
  const secretKey = crypto.getRandomValues(new Uint8Array(32))
  expect(() => createAuth({ secretKey, encryption: { key } })).not.toThrow()
})

test('--name names the variable', async () => {
  expect((await cli(['secret', '--name', 'MY_SECRET'])).stdout).toMatch(/^MY_SECRET=/)
})
