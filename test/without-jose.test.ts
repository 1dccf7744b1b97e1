// What is said where the optional package jose is not installed: at start-up, and to whoever did not ask then.

import { describe, expect, test, vi } from 'vitest'
import { createAuth } from '../src/index.ts'
import { newSecret } from './_keys.ts'
import { secretKey } from './_setup.ts'

vi.mock('jose', () => {
  throw new Error("Cannot find package 'jose'")
})

describe('without jose', () => {
  test('jwksUri is told by ready() and by the first token', async () => {
    const auth = createAuth({ jwksUri: 'http://127.0.0.1:1/', decodeAlgorithms: ['RS256'] })
    for (let time = 0; time < 2; time++) {
      await expect(auth.ready()).rejects.toThrow(
        new TypeError("The option jwksUri needs the package 'jose': npm install jose"),
      )
      await expect(auth.verify('a.b.c')).rejects.toThrow(/npm install jose/)
    }
  })

  test('encryption is told by ready() and by the first token', async () => {
    const auth = createAuth({ secretKey, encryption: { key: newSecret(32) } })
    const message = new TypeError("The option encryption needs the package 'jose': npm install jose")
    await expect(auth.ready()).rejects.toThrow(message)
    await expect(auth.createAccessToken('ada')).rejects.toThrow(message)
  })

  test('everything else works', async () => {
    const auth = createAuth({ keys: [{ kid: 'a', algorithm: 'HS256', secretKey }] })
    await auth.ready()
    expect((await auth.verify(await auth.createAccessToken('ada'))).sub).toBe('ada')
  })
})
