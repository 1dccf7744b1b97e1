/** Options from environment variables, under the names that the ancestor's users already have in their files. */

import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { createAuth, optionsFromEnv } from '../src/index.ts'
import { secretKey } from './_setup.ts'

/** The ancestor's thirty-two settings as its users write them. */
const ancestor: Readonly<Record<string, readonly [text: string, option: string, value: unknown]>> = {
  TOKEN_LOCATION: ['["headers","cookies"]', 'tokenLocation', ['headers', 'cookies']],
  SECRET_KEY: [secretKey, 'secretKey', secretKey],
  PUBLIC_KEY: ['a', 'publicKey', 'a'],
  PRIVATE_KEY: ['a', 'privateKey', 'a'],
  ALGORITHM: ['HS512', 'algorithm', 'HS512'],
  DECODE_ALGORITHMS: ['["HS256","HS512"]', 'decodeAlgorithms', ['HS256', 'HS512']],
  DECODE_LEEWAY: ['10', 'decodeLeeway', 10],
  ENCODE_ISSUER: ['me', 'encodeIssuer', 'me'],
  DECODE_ISSUER: ['me', 'decodeIssuer', 'me'],
  DECODE_AUDIENCE: ['["a","b"]', 'decodeAudience', ['a', 'b']],
  DENYLIST_ENABLED: ['false', 'denylistEnabled', false],
  DENYLIST_TOKEN_CHECKS: ['access', 'denylistTokenChecks', ['access']],
  HEADER_NAME: ['X-Token', 'headerName', 'X-Token'],
  HEADER_TYPE: ['JWT', 'headerType', 'JWT'],
  ACCESS_TOKEN_EXPIRES: ['900', 'accessTokenExpires', 900],
  REFRESH_TOKEN_EXPIRES: ['false', 'refreshTokenExpires', false],
  ACCESS_COOKIE_KEY: ['a', 'accessCookieKey', 'a'],
  REFRESH_COOKIE_KEY: ['r', 'refreshCookieKey', 'r'],
  ACCESS_COOKIE_PATH: ['/a', 'accessCookiePath', '/a'],
  REFRESH_COOKIE_PATH: ['/r', 'refreshCookiePath', '/r'],
  COOKIE_MAX_AGE: ['3600', 'cookieMaxAge', 3600],
  COOKIE_DOMAIN: ['example.com', 'cookieDomain', 'example.com'],
  COOKIE_SECURE: ['True', 'cookieSecure', true],
  COOKIE_SAMESITE: ['lax', 'cookieSamesite', 'lax'],
  COOKIE_CSRF_PROTECT: ['TRUE', 'cookieCsrfProtect', true],
  ACCESS_CSRF_COOKIE_KEY: ['ac', 'accessCsrfCookieKey', 'ac'],
  REFRESH_CSRF_COOKIE_KEY: ['rc', 'refreshCsrfCookieKey', 'rc'],
  ACCESS_CSRF_COOKIE_PATH: ['/ac', 'accessCsrfCookiePath', '/ac'],
  REFRESH_CSRF_COOKIE_PATH: ['/rc', 'refreshCsrfCookiePath', '/rc'],
  ACCESS_CSRF_HEADER_NAME: ['X-A', 'accessCsrfHeaderName', 'X-A'],
  REFRESH_CSRF_HEADER_NAME: ['X-R', 'refreshCsrfHeaderName', 'X-R'],
  CSRF_METHODS: ['["post","PUT"]', 'csrfMethods', ['post', 'PUT']],
}

describe('optionsFromEnv', () => {
  test.for(Object.entries(ancestor))('reads the ancestor’s %s', ([name, [text, option, value]]) => {
    expect(optionsFromEnv({ [`AUTHJWT_${name}`]: text })).toEqual({ [option]: value })
    expect(optionsFromEnv({ [`authjwt_${name.toLowerCase()}`]: text })).toEqual({ [option]: value })
  })

  test('knows all thirty-two', () => {
    expect(Object.keys(ancestor)).toHaveLength(32)
  })

  test('gives createAuth what it takes, all at once', () => {
    const environment = Object.fromEntries(
      Object.entries(ancestor)
        .filter(([name]) => !['PUBLIC_KEY', 'PRIVATE_KEY'].includes(name))
        .map(([name, [text]]) => [`AUTHJWT_${name}`, text]),
    )
    expect(createAuth(optionsFromEnv(environment)).options).toMatchObject({
      algorithm: 'HS512',
      csrfMethods: ['POST', 'PUT'],
    })
  })

  test.for<[string, string, string, unknown]>([
    ['a comma list', 'TOKEN_LOCATION', 'headers, cookies', ['headers', 'cookies']],
    ['a list of one', 'TOKEN_LOCATION', 'headers', ['headers']],
    ['a JSON list with spaces', 'TOKEN_LOCATION', ' [ "query" ] ', ['query']],
    ['methods', 'CSRF_METHODS', 'POST,PUT', ['POST', 'PUT']],
    [
      'origins',
      'TRUSTED_ORIGINS',
      'https://a.example,https://b.example',
      ['https://a.example', 'https://b.example'],
    ],
    ['no origins', 'TRUSTED_ORIGINS', '[]', []],
    ['issuers', 'DECODE_ISSUER', 'a,b', ['a', 'b']],
    ['an issuer that is a number', 'ENCODE_ISSUER', '123', '123'],
    ['an issuer that is a word of JSON', 'ENCODE_ISSUER', 'true', 'true'],
    ['scopes', 'PREVIOUS_COOKIES', '[{"path":"/old"}]', [{ path: '/old' }]],
    ['statuses', 'STATUS_CODES', '{"csrf_missing":403}', { csrf_missing: 403 }],
    ['a duration', 'ACCESS_TOKEN_EXPIRES', '5m', '5m'],
    ['a Max-Age in a word', 'COOKIE_MAX_AGE', 'session', 'session'],
    ['SameSite in capitals', 'COOKIE_SAMESITE', 'Strict', 'strict'],
    ['a boolean with spaces', 'COOKIE_SECURE', ' false ', false],
    ['an empty header type', 'HEADER_TYPE', '', ''],
    ['a prefix', 'COOKIE_PREFIX', '__Host-', '__Host-'],
  ])('reads %s', ([, name, text, value]) => {
    expect(Object.values(optionsFromEnv({ [`AUTHJWT_${name}`]: text }))).toEqual([value])
  })

  test.for([
    '12345678901234567890123456789012345678901234567890',
    'abc,def,ghi-jkl',
    'true',
    'FALSE',
    '[1,2,3]',
    '{"a":1}',
    ' padded ',
    '',
    String.raw`with\nbackslash`,
    '__proto__',
  ])('leaves a secret as it is: %o', (text) => {
    expect(optionsFromEnv({ AUTHJWT_SECRET_KEY: text })).toEqual({ secretKey: text })
  })

  test('takes PEM with written line breaks or real ones', () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    const publicPem = publicKey.export({ type: 'spki', format: 'pem' }).toString()
    for (const [from, to] of [
      ['\n', '\n'],
      ['\n', String.raw`\n`],
    ] as const) {
      const options = optionsFromEnv({
        AUTHJWT_ALGORITHM: 'ES256',
        AUTHJWT_PRIVATE_KEY: pem.replaceAll(from, to),
        AUTHJWT_PUBLIC_KEY: publicPem.replaceAll(from, to),
      })
      expect(options.privateKey).toBe(pem)
      expect(() => createAuth(options)).not.toThrow()
    }
  })

  test.for<[string, string]>([
    ['COOKIE_DOMAIN', ''],
    ['TOKEN_LOCATION', ''],
    ['TOKEN_LOCATION', 'headers,'],
    ['TOKEN_LOCATION', '["headers"'],
    ['TOKEN_LOCATION', 'cookie'],
    ['COOKIE_SECURE', 'yes'],
    ['COOKIE_SECURE', '1'],
    ['COOKIE_SECURE', ''],
    ['DECODE_LEEWAY', '-1'],
    ['DECODE_LEEWAY', '1e2'],
    ['ACCESS_TOKEN_EXPIRES', 'true'],
    ['ACCESS_TOKEN_EXPIRES', '0'],
    ['COOKIE_MAX_AGE', ''],
    ['ALGORITHM', 'none'],
    ['COOKIE_SAMESITE', 'none;'],
  ])('refuses what AUTHJWT_%s does not take: %o', ([name, text]) => {
    expect(() => optionsFromEnv({ [`AUTHJWT_${name}`]: text })).toThrow(TypeError)
    expect(() => optionsFromEnv({ [`AUTHJWT_${name}`]: text })).toThrow(new RegExp(`- AUTHJWT_${name} `))
  })

  test.for([
    ['AUTHJWT_SECRET', 'AUTHJWT_SECRET_KEY'],
    ['AUTHJWT_COOKIE_SAME_SITE', 'AUTHJWT_COOKIE_SAMESITE'],
    ['AUTHJWT_ALGORITM', 'AUTHJWT_ALGORITHM'],
  ] as const)('refuses %s and suggests %s', ([name, meant]) => {
    expect(() => optionsFromEnv({ [name]: 'hunter2' })).toThrow(
      `${name} names no option: did you mean ${meant}?`,
    )
    expect(() => optionsFromEnv({ [name]: 'hunter2' })).not.toThrow(/hunter2/)
  })

  test('lists every problem at once', () => {
    const environment = {
      AUTHJWT_NONSENSE_ZZZZZZZZ: '1',
      AUTHJWT_COOKIE_SECURE: 'maybe',
      AUTHJWT_DENYLIST: 'x',
    }
    for (const name of Object.keys(environment)) {
      expect(() => optionsFromEnv(environment)).toThrow(new RegExp(`^- ${name} `, 'm'))
    }
  })

  test('leaves every other variable alone', () => {
    expect(
      optionsFromEnv({ PATH: '/bin', SECRET_KEY: 'x', JWT_SECRET_KEY: 'y', AUTHJWT_ALGORITHM: undefined }),
    ).toEqual({})
  })
})

test('what a variable must hold is said in the words of its option', () => {
  expect(() => optionsFromEnv({ AUTHJWT_COOKIE_SECURE: '1' })).toThrow(
    /AUTHJWT_COOKIE_SECURE must be true or false \(option cookieSecure\)/,
  )
})
