/** Every option given wrongly, and what createAuth says then; what it keeps of the options, and what it never shows. */

import { createSecretKey, generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { memoryStore } from '../src/stores/memory.ts'
import { createAuth } from '../src/index.ts'
import type { AuthOptions } from '../src/index.ts'
import { secretKey } from './_setup.ts'

/** The refusal's text; fails when there is none. */
function refusal(options: unknown): string {
  try {
    createAuth(options as AuthOptions)
  } catch (error) {
    expect(error).toBeInstanceOf(TypeError)
    return (error as TypeError).message
  }
  throw new Error('createAuth took these options')
}

const notBoolean = [1, 0, 'true', null, {}, []]
const notName = [1, '', 'a b', 'a:b', 'a\r\nb', '\u00e9', null, [], {}]
const notText = [1, '', null, true, {}, []]
const notDuration = [
  0,
  -1,
  1.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  '15',
  '15 m',
  '1.5m',
  '-1m',
  '0m',
  'm',
  '',
  true,
  null,
  {},
  [],
]
const notCookieName = [1, '', 'a b', 'a;b', 'a=b', '\u00e9', null, [], {}]
const notPath = [1, '', 'a', '/a;b', '/\u00e9', '/a\nb', null, [], {}]
const notFunction = [true, 'f', {}, null, []]

/** Values that each option must refuse. */
const wrong: Readonly<Record<string, readonly unknown[]>> = {
  algorithm: ['none', 'hs256', 'HS257', '', 1, null, ['HS256'], '__proto__', 'constructor'],
  decodeAlgorithms: [[], 'HS256', ['none'], ['HS256', 'HS256'], [1], null, {}, ['HS256', 'none']],
  unsafeAllowWeakSecret: notBoolean,
  decodeLeeway: [-1, 301, 1.5, '10', '10s', Number.NaN, null, true],
  encodeIssuer: notText,
  decodeIssuer: [...notText, ['a', 'a'], ['a', 1], ['']],
  jwksUri: [
    null,
    1,
    '',
    'jwks.json',
    'http://keys.example/jwks.json',
    'http://localhost.example/jwks.json',
    'http://10.0.0.1/jwks.json',
    'https://user:word@keys.example/',
    'file:///etc/passwd',
    'data:application/json,{"keys":[]}',
    {},
    { url: 'https://keys.example/' },
    { uri: 1 },
    { uri: 'https://keys.example/', timeout: 0 },
    { uri: 'https://keys.example/', timeout: '5s' },
    { uri: 'https://keys.example/', maxAge: 0 },
    { uri: 'https://keys.example/', maxAge: '2d' },
    { uri: 'https://keys.example/', cooldown: -1 },
    { uri: 'https://keys.example/', cooldown: 0 },
    { uri: 'https://keys.example/', retries: 1 },
  ],
  encodeAudience: [...notText, ['a', 'a'], ['a', 1], ['']],
  decodeAudience: [...notText, ['a', 'a'], ['a', 1], ['']],
  accessTokenExpires: notDuration,
  refreshTokenExpires: notDuration,
  maxTokenAge: [...notDuration, false],
  sessionExpires: [...notDuration, false],
  tokenLocation: [
    [],
    'cookies',
    ['cookie'],
    ['cookies', 'cookies'],
    [1],
    null,
    {},
    new Set(['cookies']),
    ['Cookies'],
  ],
  headerName: notName,
  headerType: notName.filter((value) => value !== ''),
  queryName: notText,
  jsonKey: notText,
  refreshJsonKey: notText,
  accessCookieKey: notCookieName,
  refreshCookieKey: notCookieName,
  accessCsrfCookieKey: notCookieName,
  refreshCsrfCookieKey: notCookieName,
  cookiePrefix: ['__Http-', '__host-', 'a', ' ', 1, null],
  accessCookiePath: notPath,
  refreshCookiePath: notPath,
  accessCsrfCookiePath: notPath,
  refreshCsrfCookiePath: notPath,
  cookieDomain: ['', '.example.com', 'a b', 'a;b', 'https://a', 'a:1', 1, null, []],
  cookieSecure: [...notBoolean, 'auto'],
  cookieSamesite: ['Lax', 'LAX', '', 'laxx', 1, true, null],
  cookiePartitioned: notBoolean,
  previousCookies: [
    {},
    'a',
    null,
    [1],
    [null],
    ['a'],
    [{ name: 'a' }],
    [{ path: 'a' }],
    [{ domain: '.a' }],
    [{ path: null }],
    [{ partitioned: 'yes' }],
  ],
  cookieMaxAge: ['Token', '60', 0, -1, 1.5, Number.NaN, 34_560_001, true, false, null],
  cookieCsrfProtect: notBoolean,
  csrfMethods: [[], 'POST', ['PO ST'], [''], [1], ['post', 'POST'], null, {}, ['M\u00c9']],
  accessCsrfHeaderName: notName,
  refreshCsrfHeaderName: notName,
  csrfCheckForm: notBoolean,
  accessCsrfFieldName: notText,
  refreshCsrfFieldName: notText,
  csrfInCookies: notBoolean,
  trustedOrigins: [
    'https://a.example',
    ['*'],
    ['a.example'],
    ['https://a.example/'],
    ['null'],
    [1],
    null,
    {},
  ],
  fetchMetadata: notBoolean,
  denylist: notFunction,
  denylistEnabled: notBoolean,
  denylistTokenChecks: [[], 'access', ['acess'], ['access', 'access'], [1], null],
  store: [null, 1, 'redis://127.0.0.1', true, {}, [], () => true, { open: () => true }],
  rotationGrace: [0, -1, 61, '61s', '2m', 1.5, '30', false, null],
  lateReplay: ['', 'Revoke', 'allow', true, false, null],
  revocation: ['', 'Strict', 'none', true, false, null],
  maxStaleness: [0, -1, 1.5, '5', false, null],
  sessionLimit: [0, -1, 1.5, '100', 10_001, false, null],
  adoptStatelessTokens: notBoolean,
  clientAddress: notFunction,
  storeTimeout: [0, 31, -1, 1.5, '1', '1s', Number.POSITIVE_INFINITY, null],
  claims: [{}, 1, 'a', null, true, { '~standard': {} }, { '~standard': null }, () => true],
  userLookup: notFunction,
  compat: ['fastapi', 'flask-jwt-Extended', '', true, null, ['fastapi-jwt-auth']],
  optionalErrors: ['Throw', 'anon', '', true, null],
  statusCodes: [
    [],
    'a',
    1,
    null,
    { csrf_missing: 399 },
    { csrf_missing: 600 },
    { csrf_missing: 200 },
    { csrf_missing: '401' },
    { csrf_missing: 401.5 },
    { nonsense: 401 },
    { toString: 401 },
  ],
  verifiedTokenCache: [-1, 1.5, '1', Number.NaN, 10_000_001, true, null],
  onEvent: notFunction,
  clock: [...notFunction, 0],
  secretKey: ['', 1, null, true, {}, [], new Uint8Array(0), () => 'a', 'short', 'secret'],
}

const store = memoryStore()

const cases = Object.entries(wrong).flatMap(([name, values]) => values.map((value) => ({ name, value })))

describe('createAuth', () => {
  test('the table of wrong values knows every option', () => {
    const { options } = createAuth({ secretKey })
    const known = ['secretKey', 'unsafeAllowWeakSecret', ...Object.keys(options)]
    expect(Object.keys(wrong).toSorted()).toEqual(known.toSorted())
  })

  test.for(cases)('refuses $name: $value, and names option and fix', ({ name, value }) => {
    const lines = refusal({ secretKey, [name]: value })
      .split('\n- ')
      .slice(1)
    const own = lines.filter((line) => line.startsWith(`${name} `))
    expect(own).toHaveLength(1)
    expect(own[0]).toMatch(
      / must be | must not | holds an item that must be | is too | is a |needs|bytes|known/,
    )
  })

  test.for([
    { list: 'tokenLocation' },
    { list: 'decodeAudience' },
    { list: 'csrfMethods' },
    { list: 'trustedOrigins' },
  ])('refuses a list with a hole: $list', ({ list }) => {
    const holed: string[] = []
    holed[1] =
      {
        tokenLocation: 'cookies',
        decodeAudience: 'a',
        csrfMethods: 'POST',
        trustedOrigins: 'https://a.example',
      }[list] ?? ''
    expect(refusal({ secretKey, [list]: holed })).toContain(`- ${list} `)
  })

  test.for([undefined, null, 'secret', 1, true])('refuses %o instead of options', (options) => {
    expect(refusal(options)).toContain('options')
  })

  test('lists every problem at once, each on its own line', () => {
    const text = refusal({ cookieSecure: 1, cookieSamesite: 'Lax', algoritm: 'HS256', accessTokenExpires: 0 })
    for (const name of ['cookieSecure', 'cookieSamesite', 'algoritm', 'accessTokenExpires', 'secretKey']) {
      expect(text).toContain(`\n- ${name} `)
    }
    expect(text.split('\n- ')).toHaveLength(6)
  })

  test('says how to make a secret that is missing, and where to put it', () => {
    const text = refusal({})
    expect(text).toContain('secretKey is missing')
    expect(text).toContain('randomBytes(64)')
    expect(text).toContain('AUTHJWT_SECRET_KEY')
  })

  test('never repeats a value, which may be a secret in the wrong place', () => {
    const value = 'hunter2 hunter2'
    const names = Object.keys(wrong).filter(
      (name) =>
        ![
          'encodeIssuer',
          'decodeIssuer',
          'encodeAudience',
          'decodeAudience',
          'queryName',
          'jsonKey',
          'refreshJsonKey',
          'accessCsrfFieldName',
          'refreshCsrfFieldName',
        ].includes(name),
    )
    for (const name of names) expect(refusal({ secretKey, [name]: value })).not.toContain('hunter2')
  })

  test.for([
    ['algoritm', 'algorithm'],
    ['cookieSameSite', 'cookieSamesite'],
    ['csrfMethod', 'csrfMethods'],
    ['trustedOrigin', 'trustedOrigins'],
    ['tokenLocations', 'tokenLocation'],
    ['secretkey', 'secretKey'],
    ['denyList', 'denylist'],
  ] as const)('suggests for %s the option %s', ([name, meant]) => {
    expect(refusal({ secretKey, [name]: true })).toContain(`${name} is no option: did you mean ${meant}?`)
  })

  test('suggests nothing where nothing is near', () => {
    expect(refusal({ secretKey, zzzzzzzzzz: true })).toMatch(/zzzzzzzzzz is no option$/m)
  })

  test.for<[string, Record<string, unknown>, string]>([
    ['none without Secure', { cookieSamesite: 'none', cookieSecure: false }, 'cookieSamesite'],
    ['Partitioned without Secure', { cookiePartitioned: true, cookieSecure: false }, 'cookiePartitioned'],
    ['__Host- with a domain', { cookiePrefix: '__Host-', cookieDomain: 'a.example' }, 'cookieDomain'],
    ['__Host- with a path', { cookiePrefix: '__Host-', refreshCookiePath: '/a' }, 'refreshCookiePath'],
    ['a prefix without Secure', { cookiePrefix: '__Secure-', cookieSecure: false }, 'cookiePrefix'],
    ['two cookies of one name', { accessCookieKey: 'a', refreshCookieKey: 'a' }, 'refreshCookieKey'],
    ['a token cookie named like a default', { accessCookieKey: 'csrf_access_token' }, 'accessCsrfCookieKey'],
    [
      'a session that ends before its tokens',
      { sessionExpires: '1d', refreshTokenExpires: '2d' },
      'sessionExpires',
    ],
    ['a denylist that is on and missing', { denylistEnabled: true }, 'denylistEnabled'],
    ['an option of sessions without a store', { rotationGrace: 30 }, 'rotationGrace'],
    ['access tokens without end in a store', { store, accessTokenExpires: false }, 'accessTokenExpires'],
    ['refresh tokens without end in a store', { store, refreshTokenExpires: false }, 'refreshTokenExpires'],
    ['a grace in which access tokens die', { store, accessTokenExpires: 30 }, 'rotationGrace'],
    ['guards blind for longer than tokens live', { store, maxStaleness: '16m' }, 'maxStaleness'],
    ['sessions of centuries', { store, sessionExpires: '9999w' }, 'sessionExpires'],
    ['two kinds of key', { publicKey: 'a' }, 'secretKey'],
    ['a key of another kind than the algorithm', { algorithm: 'RS256' }, 'secretKey'],
  ])('refuses %s', ([, options, name]) => {
    expect(refusal({ secretKey, ...options })).toContain(`\n- ${name} `)
  })

  test.for(['privateKey', 'publicKey'])('refuses a %s that is none', (name) => {
    for (const value of [
      '',
      'x',
      1,
      null,
      {},
      new Uint8Array(3),
      '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----',
      createSecretKey(secretKey, 'utf8'),
    ]) {
      expect(refusal({ algorithm: 'RS256', [name]: value })).toContain(`\n- ${name} `)
    }
  })

  test('takes undefined as not given, for every option', () => {
    const { options } = createAuth({ secretKey })
    const unset = Object.fromEntries(Object.keys(wrong).map((name) => [name, undefined]))
    const { clock, ...others } = createAuth({ ...unset, secretKey }).options
    expect(others).toEqual({ ...options, clock: undefined })
    expect(clock).toBe(options.clock)
  })

  test('reads own properties only', () => {
    const options = Object.create({ cookieSecure: false, unknown: 1, secretKey: 'x' }) as Record<
      string,
      unknown
    >
    options['secretKey'] = secretKey
    expect(createAuth(options).options.cookieSecure).toBe(true)
  })
})

describe('auth.options', () => {
  const lists = {
    trustedOrigins: ['https://a.example'],
    decodeAudience: ['a'],
    csrfMethods: ['post'],
    previousCookies: [{ path: '/a' }],
  }

  test('are a frozen copy with every default and lifetimes in seconds', () => {
    const { options } = createAuth({ secretKey, accessTokenExpires: '5m', ...lists })
    expect(options).toMatchObject({
      accessTokenExpires: 300,
      refreshTokenExpires: 2_592_000,
      sessionExpires: 7_776_000,
      tokenLocation: ['cookies'],
      decodeAlgorithms: ['HS256'],
      csrfMethods: ['POST'],
      decodeAudience: ['a'],
      cookieSecure: true,
      cookieSamesite: 'lax',
      storeTimeout: 1,
      verifiedTokenCache: 10_000,
    })
    const frozen = (value: unknown): boolean =>
      typeof value !== 'object' ||
      value === null ||
      (Object.isFrozen(value) && Object.values(value).every(frozen))
    expect(frozen(options)).toBe(true)
    lists.trustedOrigins.push('https://evil.example')
    lists.decodeAudience.push('evil')
    expect(options.trustedOrigins).toEqual(['https://a.example'])
    expect(options.decodeAudience).toEqual(['a'])
  })

  /** Everything that can be reached from a value, symbols and hidden members included. */
  function reachable(value: unknown, seen = new Set<unknown>()): Set<unknown> {
    if (seen.has(value)) return seen
    seen.add(value)
    if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return seen
    for (const name of Reflect.ownKeys(value)) {
      const { value: member } = Object.getOwnPropertyDescriptor(value, name) ?? {}
      reachable(name, seen)
      reachable(member, seen)
    }
    return seen
  }

  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const pem = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()

  test.for<[string, AuthOptions, string]>([
    ['text', { secretKey }, secretKey],
    ['bytes', { secretKey: Buffer.from(secretKey) }, secretKey],
    ['a JWK', { secretKey: { kty: 'oct', k: Buffer.from(secretKey).toString('base64url') } }, secretKey],
    ['a KeyObject', { secretKey: createSecretKey(secretKey, 'utf8') }, secretKey],
    ['PEM', { algorithm: 'ES256', privateKey: pem }, pem],
  ])('hold no key material given as %s, nor does the Auth itself', ([, options, secret]) => {
    const auth = createAuth(options)
    for (const value of reachable(auth)) {
      if (typeof value === 'string') expect(value).not.toContain(secret)
      expect(
        value instanceof Uint8Array || Object.prototype.toString.call(value) === '[object KeyObject]',
      ).toBe(false)
    }
    expect(Object.keys(auth.options)).not.toEqual(expect.arrayContaining(['secretKey']))
    expect(auth.options).not.toHaveProperty('privateKey')
    expect(auth.options).not.toHaveProperty('unsafeAllowWeakSecret')
    expect(JSON.stringify(auth)).not.toContain(secret)
  })
})
