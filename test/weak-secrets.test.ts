/** Holds the well-known example secrets of documentation and tutorials against `createAuth`; none may sign a token. */

import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { createAuth } from '../src/index.ts'

/** Copied by thousands of projects; the note says from where. */
const famousSecrets: readonly (readonly [secret: string, source: string])[] = [
  ['secret', 'jwt.io, the first page for years'],
  ['your-256-bit-secret', 'jwt.io'],
  ['your-384-bit-secret', 'jwt.io'],
  ['your-512-bit-secret', 'jwt.io'],
  ['a-string-secret-at-least-256-bits-long', 'jwt.io since 2025'],
  ['a-valid-string-secret-that-is-at-least-384-bits-long', 'jwt.io since 2025, HS384'],
  ['a-valid-string-secret-that-is-at-least-512-bits-long-which-is-very-long', 'jwt.io since 2025, HS512'],
  [
    'AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow',
    'RFC 7515 appendix A.1',
  ],
  ['GawgguFyGrWKav7AX4VKUg', 'RFC 7517 appendix A.3'],
  ['09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7', 'FastAPI tutorial'],
  ['192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf', 'Flask quickstart'],
  ['cc7e0d44fd473002f1c42167459001140ec6389b7353f8088f4d9a95f2f596f2', 'documentation of jose'],
  ['404E635266556A586E3272357538782F413F4428472B4B6250645367566B5970', 'Spring Boot tutorials'],
  [
    'DO NOT USE THIS VALUE. INSTEAD, CREATE A COMPLEX SECRET AND KEEP IT SAFE OUTSIDE OF THE SOURCE CODE.',
    'NestJS documentation',
  ],
  ['reallyreallyreallyreallyverysafe', 'PostgREST tutorial'],
  ['super-secret-jwt-token-with-at-least-32-characters-long', 'Supabase CLI'],
  ['your-super-secret-jwt-token-with-at-least-32-characters-long', 'Supabase, self-hosted'],
  ['complex_password_at_least_32_characters_long', 'iron-session'],
  ['django-insecure-4q$w0d!k1c+u7y9s3x#z5b8n@m2v6t_e', 'Django startproject'],
  ['please-change-me-to-something-long-and-random', 'templates'],
  ['replace-this-with-a-long-random-string-please', 'templates'],
  ['changeme', 'jwt_tool'],
  ['changethis', 'full-stack FastAPI template'],
  ['supersecret', '@fastify/jwt'],
  ['super-secret', 'Flask-JWT-Extended'],
  ['shhhhh', 'jsonwebtoken'],
  ['it-so-secret', 'Hono'],
  ['NeverShareYourSecret', 'hapi-auth-jwt2'],
  ['keyboard cat', 'express-session'],
  ['mySuperSecretKeyThatIsVeryLongAndSecure123', 'tutorials'],
  ['this is my custom Secret key for authentication', 'ASP.NET tutorials'],
  ['my_jwt_secret_that_nobody_should_ever_use_in_production', 'tutorials'],
  ['qwertyuiopasdfghjklzxcvbnm123456', 'Java tutorials'],
  ['12345678901234567890123456789012', 'padded to fit'],
  ['00000000000000000000000000000000', 'padded to fit'],
  ['abcdefghijklmnopqrstuvwxyz012345', 'padded to fit'],
  ['passwordpasswordpasswordpassword', 'padded to fit'],
  ['secretsecretsecretsecretsecretsecret', 'padded to fit'],
]

/** The refusal's text; fails when there is none. */
function refusal(options: Parameters<typeof createAuth>[0]): string {
  try {
    createAuth(options)
  } catch (error) {
    expect(error).toBeInstanceOf(TypeError)
    return (error as TypeError).message
  }
  return expect.fail('createAuth took it')
}

describe('a secret that anybody can look up', () => {
  test.each(famousSecrets)('"%s" (%s) is refused as text and as bytes', (secret) => {
    for (const secretKey of [secret, Buffer.from(secret)]) {
      const message = refusal({ secretKey })
      expect(message).toContain('secretKey')
      // Short ones may be words of the sentence itself.
      if (secret.length > 12) expect(message).not.toContain(secret)
    }
  })

  test.each(famousSecrets)('"%s" (%s) is taken with unsafeAllowWeakSecret', (secret) => {
    const auth = createAuth({ secretKey: secret, unsafeAllowWeakSecret: true })
    expect(JSON.stringify(auth.options)).not.toContain(`"${secret}"`)
  })

  test('the published key of RFC 7515 is refused decoded and as a JWK too', () => {
    const k = 'AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow'
    expect(refusal({ secretKey: Buffer.from(k, 'base64url') })).toContain('secretKey')
    expect(refusal({ secretKey: { kty: 'oct', k } })).toContain('secretKey')
  })

  test.each([
    ['HS256', 31, 32],
    ['HS384', 47, 48],
    ['HS512', 63, 64],
  ] as const)('%s refuses %i random bytes and takes %i', (algorithm, short, enough) => {
    expect(refusal({ secretKey: randomBytes(short), algorithm })).toContain('secretKey')
    expect(createAuth({ secretKey: randomBytes(enough), algorithm }).options.algorithm).toBe(algorithm)
  })

  test('a secret long enough for HS256 is refused when HS512 is to be accepted beside it', () => {
    const decodeAlgorithms = ['HS256', 'HS512'] as const
    expect(refusal({ secretKey: randomBytes(32), decodeAlgorithms })).toContain('secretKey')
  })
})

describe('a secret that nobody can guess', () => {
  const spellings = {
    'base64url text': (bytes: Buffer) => bytes.toString('base64url'),
    'base64 text': (bytes: Buffer) => bytes.toString('base64'),
    'hexadecimal text': (bytes: Buffer) => bytes.toString('hex'),
    bytes: (bytes: Buffer) => bytes,
  }

  test.each(Object.entries(spellings))('1,000 random ones of 64 bytes are taken as %s', (_, spell) => {
    const refused: string[] = []
    for (let run = 0; run < 1000; run++) {
      const secretKey = spell(randomBytes(64))
      try {
        createAuth({ secretKey, algorithm: 'HS512' })
      } catch (error) {
        refused.push((error as Error).message)
      }
    }
    expect(refused).toEqual([])
  })

  test.each([
    ['as JSON does', Buffer.from('{"')],
    ['as indented JSON does', Buffer.from('\n{\r\n"')],
    ['as DER does', Buffer.of(0x30, 0x82, 0x01, 0x22)],
  ])('random bytes that begin %s are taken', (_, start) => {
    const secretKey = Buffer.concat([start, randomBytes(64)])
    expect(createAuth({ secretKey }).options.algorithm).toBe('HS256')
  })
})
