/** Properties that hold for whatever comes in: round trips, refusals, and parsers that never throw by accident. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AuthError, createAuth, optionsFromEnv } from '../src/index.ts'
import type { AuthRequest, AuthResponse } from '../src/index.ts'
import { ambiguous, findCookie, isCookieDomain, isCookieName } from '../src/core/cookie.ts'
import { isCookiePath, serializeCookie, serializeDeletion, tossedScopes } from '../src/core/cookie.ts'
import { parseDuration } from '../src/core/duration.ts'
import { copyJson, parseJsonObject } from '../src/core/json.ts'
import { parseUnverified, verifyJws } from '../src/core/jws.ts'
import type { JwsKeys } from '../src/core/jws.ts'
import { resolveKeys } from '../src/core/key.ts'
import { insecureHost, isNavigation, isOriginAllowed } from '../src/core/origin.ts'
import { mediaType, splitUrl } from '../src/core/request.ts'
import { flawsOf } from './_json.ts'
import { forge, goodClaims, secretKey, setup, startSeconds } from './_setup.ts'

/** One seed for all, so that a failure can be run again. */
const seed = 6265

function check(property: fc.IRawProperty<unknown>, numRuns = 500): void {
  fc.assert(property as fc.IProperty<unknown>, { seed, numRuns })
}

async function checkAsync(property: fc.IAsyncProperty<unknown>, numRuns = 300): Promise<void> {
  await fc.assert(property, { seed, numRuns })
}

const binaryText = fc.string({ unit: 'binary' })

/** What JSON makes of a value, so that the two zeros are one. */
const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value)) as unknown

const registeredNames = 'sub iat nbf jti exp iss aud type fresh csrf auth_time sid gen'.split(' ')

// ---- Tokens ----

describe('tokens', () => {
  const userClaims = fc.dictionary(
    fc
      .oneof(binaryText, fc.constantFrom('__proto__', 'constructor', 'toString', 'Sub', 'roles', ''))
      .filter((name) => !registeredNames.includes(name)),
    fc.jsonValue({ maxDepth: 4 }),
    { maxKeys: 6 },
  )

  test('any subject and any user claims come back as they went in', async () => {
    const { auth } = setup()
    const property = fc.asyncProperty(
      fc.string({ unit: 'binary', minLength: 1 }),
      userClaims,
      fc.boolean(),
      async (subject, claims, fresh) => {
        const access = await auth.verify(await auth.createAccessToken(subject, { userClaims: claims, fresh }))
        const refresh = await auth.verify(await auth.createRefreshToken(subject, { userClaims: claims }), {
          type: 'refresh',
        })
        for (const read of [access, refresh]) {
          const user = Object.entries(read).filter(([name]) => !registeredNames.includes(name))
          expect(user).toEqual(Object.entries(asJson(claims) as object))
          expect(read.sub).toBe(subject)
          expect(Object.isFrozen(read)).toBe(true)
        }
        expect(access.fresh).toBe(fresh)
        expect(refresh.fresh).toBeUndefined()
      },
    )
    await checkAsync(property)
  })

  test('no user claim can stand in for a registered one', async () => {
    const { auth } = setup()
    for (const name of registeredNames) {
      await expect(auth.createAccessToken('test', { userClaims: { [name]: 'x' } })).rejects.toThrow(TypeError)
    }
  })

  test('a token with one character changed, added or left out is refused, wherever it is', async () => {
    const { auth } = setup()
    const token = await auth.createAccessToken('test')
    await auth.verify(token)
    const letters = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ \n\0\u{e9}']
    let seen = 0
    for (let at = 0; at <= token.length; at++) {
      const before = token.slice(0, at)
      const after = token.slice(at + 1)
      const others = [0, 1, 2].map((step) => letters[(at * 7 + step * 23) % letters.length] ?? '')
      const changed = [...others.map((letter) => before + letter + after), before + after]
      const longer = others.map((letter) => before + letter + token.slice(at))
      for (const broken of [...changed, ...longer].filter((text) => text !== token)) {
        const rejection = await auth.verify(broken).catch((error: unknown) => error)
        expect(AuthError.is(rejection, 'token_invalid'), broken).toBe(true)
        seen++
      }
    }
    expect(seen).toBeGreaterThan(token.length * 6)
  })

  test('any text in place of a token is refused and nothing else happens', async () => {
    const { auth } = setup()
    const token = await auth.createAccessToken('test')
    const [header = '', payload = '', signature = ''] = token.split('.')
    const part = fc.oneof(fc.constantFrom(header, payload, signature, ''), fc.base64String(), binaryText)
    const text = fc.oneof(
      binaryText,
      fc.array(part, { maxLength: 5 }).map((parts) => parts.join('.')),
    )
    const property = fc.asyncProperty(text, async (broken) => {
      fc.pre(broken !== token)
      const rejection = await auth.verify(broken).catch((error: unknown) => error)
      expect(AuthError.is(rejection, 'token_invalid')).toBe(true)
    })
    await checkAsync(property)
  })

  test('no two of 100,000 tokens share their jti or their CSRF value', async () => {
    const { auth } = setup()
    const ids = new Set<unknown>()
    const values = new Set<unknown>()
    for (let made = 0; made < 100_000; made += 1000) {
      const tokens = await Promise.all(Array.from({ length: 1000 }, () => auth.createAccessToken('test')))
      for (const token of tokens) {
        const [, payload = ''] = token.split('.')
        const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>
        ids.add(claims['jti'])
        values.add(claims['csrf'])
      }
    }
    expect([ids.size, values.size]).toEqual([100_000, 100_000])
    for (const id of ids) expect(values.has(id)).toBe(false)
  }, 30_000)
})

// ---- Cookies ----

/**
 * RFC 6265bis section 4.2.1: `cookie-string = cookie-pair *( ";" SP cookie-pair )`, and a pair is divided at its
 * first "="; blanks around a pair are none of it.
 */
function referenceFind(header: string, name: string): string | null | typeof ambiguous {
  const pairs = header
    .split(';')
    .map((pair) => pair.replace(/^[ \t]+/, '').replace(/[ \t]+$/, ''))
    .filter((pair) => pair.includes('='))
    .map((pair) => ({ name: pair.slice(0, pair.indexOf('=')), value: pair.slice(pair.indexOf('=') + 1) }))
  const values = new Set(pairs.filter((pair) => pair.name === name).map(({ value }) => value))
  const [value = null] = values
  return values.size > 1 ? ambiguous : value
}

describe('the Cookie header', () => {
  const names = ['name', 'a', 'aa', '__Host-name', 'NAME', 'na', '$Version', "!#$%&'*+.^_`|~-"]
  const noise = [
    '\0',
    '\r\n',
    '\v',
    '\u{a0}',
    '\u{e9}',
    '\u{feff}',
    '\u{1f36a}',
    '%3B',
    '%3D',
    '"',
    '\\',
    '\\;',
  ]
  const separators = ['=', '==', ';', '; ', ' ', '  ', '\t', ',', ', ']
  const starts = names.map((name) => `${name}=`)
  const pairs = ['v', 'w', 'name=v', 'name=v; name=v']
  const fragment = fc.constantFrom(...names, ...starts, ...separators, ...pairs, ...noise)
  const pair = fc
    .tuple(fc.constantFrom(...names), fc.constantFrom('v', 'w'))
    .map(([name, value]) => `${name}=${value}`)
  const anyHeader = fc.oneof(
    {
      weight: 3,
      arbitrary: fc.array(fragment, { maxLength: 24, size: 'max' }).map((fragments) => fragments.join('')),
    },
    { weight: 3, arbitrary: fc.array(pair, { maxLength: 6, size: 'max' }).map((pairs) => pairs.join('; ')) },
    { weight: 1, arbitrary: binaryText },
  )

  test('is read as the plain implementation reads it', () => {
    const found = new Map<string, number>()
    const property = fc.property(anyHeader, fc.constantFrom(...names), (header, name) => {
      const value = findCookie(header, name)
      expect(value).toBe(referenceFind(header, name))
      const kind = value === null ? 'absent' : value === ambiguous ? 'ambiguous' : 'found'
      found.set(kind, (found.get(kind) ?? 0) + 1)
    })
    check(property, 10_000)
    for (const kind of ['absent', 'ambiguous', 'found']) expect(found.get(kind)).toBeGreaterThan(100)
  })

  test('gives a value that was set under that very name, whatever stands around it and in which order', () => {
    const cookieText = fc.string({ unit: fc.constantFrom(...'nameNAME=v%"\\, \t'), maxLength: 12 })
    const others = fc.array(fc.tuple(fc.constantFrom(...names, 'nam', 'xname', 'name '), cookieText), {
      size: 'max',
      maxLength: 8,
    })
    const property = fc.property(others, cookieText, fc.nat(), (cookies, value, where) => {
      const pairs = cookies.map(([name, other]) => `${name}=${other}`)
      pairs.splice(where % (pairs.length + 1), 0, `name=${value}`)
      const trimmed = (text: string): string => text.replace(/[ \t]+$/, '')
      const set = new Set(
        [value, ...cookies.filter(([name]) => name === 'name').map(([, other]) => other)].map(trimmed),
      )
      for (const header of [pairs.join('; '), pairs.join(';'), pairs.toReversed().join(' ;\t')]) {
        expect(findCookie(header, 'name')).toBe(set.size > 1 ? ambiguous : trimmed(value))
      }
    })
    check(property, 3000)
  })

  test('gives back what Set-Cookie has set', () => {
    const octet = fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code))
    const value = fc.string({ unit: octet.filter((letter) => !'";,\\'.includes(letter)) })
    const maxAge = fc.option(fc.nat())
    const property = fc.property(
      fc.constantFrom(...names),
      value,
      maxAge,
      anyHeader,
      (name, text, age, noise) => {
        const line = serializeCookie(
          { name, path: '/', flags: '; HttpOnly; Secure; SameSite=Lax' },
          text,
          age,
        )
        const [pair = '', ...attributes] = line.split('; ')
        expect(attributes).toEqual([
          ...(age === null ? [] : [`Max-Age=${age}`]),
          'Path=/',
          'HttpOnly',
          'Secure',
          'SameSite=Lax',
        ])
        expect(findCookie(pair, name)).toBe(text)
        const among = findCookie(`${noise}; ${pair}; ${noise}`, name)
        expect(among === ambiguous || among === text).toBe(true)
      },
    )
    check(property, 2000)
  })

  test('a cookie of more than 4096 bytes is never set, one of 4096 is', () => {
    const property = fc.property(
      fc.integer({ min: 4000, max: 4200 }),
      fc.constantFrom(...names),
      (bytes, name) => {
        const write = (): string =>
          serializeCookie({ name, path: '/', flags: '' }, 'x'.repeat(bytes - name.length), 1)
        if (bytes <= 4096) expect(write()).toHaveLength(bytes + '=; Max-Age=1; Path=/'.length)
        else expect(write).toThrow(AuthError)
      },
    )
    check(property)
  })
})

// ---- JSON ----

describe('parseJsonObject', () => {
  const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

  function reference(bytes: Uint8Array): unknown {
    try {
      const text = utf8.decode(bytes)
      const value = JSON.parse(text) as unknown
      const { namesTwice, depth, overflows } = flawsOf(text)
      const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
      return isObject && !namesTwice && depth <= 32 && !overflows ? value : null
    } catch {
      return null
    }
  }

  const name = fc.constantFrom(
    '"a"',
    '"b"',
    String.raw`"\u0061"`,
    '"\\""',
    '"a:"',
    '""',
    '"__proto__"',
    '"{"',
  )
  const blank = fc.constantFrom('', '', '', ' ', '\n', '\r\t')
  const { value } = fc.letrec<{ value: string }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.constantFrom(
        '0',
        '-1.5e3',
        '1e999',
        '-1e999',
        '1e-999',
        'true',
        'null',
        '"x"',
        String.raw`"\\"`,
        '"\\":{"',
      ),
      fc.array(tie('value'), { maxLength: 3 }).map((items) => `[${items.join(',')}]`),
      fc
        .array(fc.tuple(blank, name, blank, tie('value')), { maxLength: 3 })
        .map(
          (members) =>
            `{${members.map(([before, key, after, text]) => `${before}${key}${after}:${text}`).join()}}`,
        ),
    ),
  }))
  const members = fc.array(fc.tuple(name, value), { maxLength: 3 })
  const objectText = members.map((list) => `{${list.map(([key, text]) => `${key}:${text}`).join()}}`)
  const nested = fc
    .tuple(fc.integer({ min: 28, max: 36 }), fc.constantFrom('[]', '{}'))
    .map(([depth, brackets]) => {
      const [open, close] = brackets === '[]' ? ['[', ']'] : ['{"a":', '}']
      return `{"a":${open.repeat(depth - 1)}0${close.repeat(depth - 1)}}`
    })
  const spoilt = fc
    .tuple(
      objectText,
      fc.nat(),
      fc.constantFrom('', '"', ':', ',', '{', '}', '[', ']', '\\', '0', '\u{feff}', ' '),
    )
    .map(([text, where, inserted]) => {
      const at = where % (text.length + 1)
      return text.slice(0, at) + inserted + text.slice(inserted === '' ? at + 1 : at)
    })

  test('takes what JSON.parse takes, but for doubled names, depth, overflow, byte order marks and bad UTF-8', () => {
    const verdicts = { taken: 0, refused: 0 }
    const text = fc.oneof(objectText, objectText, spoilt, nested, value, fc.json(), binaryText)
    const bytes = fc.oneof(
      { weight: 6, arbitrary: text.map((json) => Buffer.from(json)) },
      { weight: 1, arbitrary: fc.uint8Array() },
      {
        weight: 1,
        arbitrary: fc
          .tuple(objectText, fc.uint8Array({ maxLength: 3 }), fc.nat())
          .map(([json, inserted, where]) => {
            const whole = Buffer.from(json)
            const at = where % (whole.length + 1)
            return Buffer.concat([whole.subarray(0, at), inserted, whole.subarray(at)])
          }),
      },
    )
    const property = fc.property(bytes, (input) => {
      const expected = reference(input)
      const parsed = parseJsonObject(input)
      expect(parsed).toEqual(expected)
      verdicts[parsed === null ? 'refused' : 'taken']++
    })
    check(property, 8000)
    expect(verdicts.taken).toBeGreaterThan(1500)
    expect(verdicts.refused).toBeGreaterThan(1500)
  })

  test.each([
    ['names given twice', '{"a":1,"a":1}'],
    ['names given twice by an escape', String.raw`{"a":1,"\u0061":1}`],
    ['names given twice inside', '{"list":[{"a":{"b":1,"b":1}}]}'],
    ['names given twice, the first with members of its own', '{"a":{"b":1},"a":{"b":1}}'],
    ['__proto__ given twice', '{"__proto__":1,"__proto__":2}'],
    ['33 levels', `{"a":${'['.repeat(32)}${']'.repeat(32)}}`],
    ['a number that overflows', '{"a":1e999}'],
    ['a number that overflows inside', '{"a":[{"b":-1e999}]}'],
    ['a byte order mark', '\u{feff}{}'],
    ['an array', '[]'],
    ['a text', '"a"'],
    ['null', 'null'],
    ['nothing', ''],
    ['a comma too many', '{"a":1,}'],
    ['a text that does not end', '{"a'],
  ])('refuses %s', (_, text) => {
    expect(parseJsonObject(Buffer.from(text))).toBeNull()
  })

  test.each([
    ['overlong', [0xc0, 0xaf]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['cut off', [0xe2, 0x82]],
    ['beyond Unicode', [0xf4, 0x90, 0x80, 0x80]],
    ['Latin-1', [0xe9]],
  ])('refuses UTF-8 that is %s', (_, bytes) => {
    const text = Buffer.concat([Buffer.from('{"a":"'), Buffer.from(bytes), Buffer.from('"}')])
    expect(parseJsonObject(text)).toBeNull()
  })

  test('takes 32 levels, and freezes all of them', () => {
    const value = parseJsonObject(Buffer.from(`{"a":${'['.repeat(31)}${']'.repeat(31)}}`))
    let level: unknown = value
    let depth = 0
    for (; level !== undefined; depth++) {
      expect(Object.isFrozen(level)).toBe(true)
      level = Array.isArray(level) ? level[0] : (level as Record<string, unknown>)['a']
    }
    expect(depth).toBe(32)
  })
})

describe('copyJson', () => {
  const cycle: Record<string, unknown> = {}
  cycle['self'] = [cycle]
  const getter = Object.defineProperty({}, 'secret', { enumerable: true, get: () => 'marker' })

  test.each<readonly [string, unknown]>([
    ['an accessor', getter],
    ['an accessor inside', { list: [getter] }],
    ['an accessor in a list', Object.defineProperty([1], 0, { enumerable: true, get: () => 'marker' })],
    ['an instance of a class', new URL('https://marker.example')],
    ['a Date', new Date(0)],
    ['a Map', new Map()],
    ['bytes', new Uint8Array(1)],
    ['a boxed text', Object('marker')],
    ['an object with another prototype', Object.create({ marker: 1 })],
    ['a cycle', cycle],
    ['33 levels', JSON.parse('['.repeat(33) + ']'.repeat(33))],
    ['a bigint', 1n],
    ['undefined', undefined],
    ['undefined inside', { a: undefined }],
    ['a hole in a list', Array(1)],
    ['NaN', Number.NaN],
    ['an infinity', { a: [Number.NEGATIVE_INFINITY] }],
    ['a function', () => 'marker'],
    ['toJSON', { toJSON: () => 'marker' }],
    ['a symbol', Symbol('marker')],
    ['a member named by a symbol', { [Symbol('marker')]: 1 }],
  ])('refuses %s, naming the place and not the value', (_, value) => {
    let message = ''
    try {
      copyJson(value, 'userClaims')
    } catch (error) {
      expect(error).toBeInstanceOf(TypeError)
      message = String(error)
    }
    expect(message).toMatch(/^TypeError: userClaims/)
    expect(message).not.toContain('marker')
  })

  test('copies every JSON value, shares nothing with it, and runs no accessor of it', () => {
    const property = fc.property(fc.jsonValue(), (value) => {
      const copy = copyJson(value, 'value')
      expect(asJson(copy)).toEqual(asJson(value))
      if (typeof value !== 'object' || value === null) return
      expect(copy).not.toBe(value)
      const watched = new Proxy(value, {
        get(target, name, receiver) {
          expect(name === 'length' || !Object.hasOwn(target, name), 'a member was read by running it').toBe(
            true,
          )
          return Reflect.get(target, name, receiver) as unknown
        },
      })
      expect(copyJson(watched, 'value')).toEqual(copy)
    })
    check(property)
  })

  test('writes only what it has judged, of a value that is another each time it is looked at', () => {
    for (const good of [1, 2, 3, 4]) {
      let looks = 0
      const fickle = new Proxy<Record<string, unknown>>(
        { a: 1 },
        {
          getOwnPropertyDescriptor() {
            const value = ++looks >= good ? new Date(0) : 'good'
            return { value, enumerable: true, configurable: true, writable: true }
          },
        },
      )
      let copy: unknown = null
      try {
        copy = copyJson(fickle, 'value')
      } catch (error) {
        expect(error).toBeInstanceOf(TypeError)
      }
      expect([null, 'good']).toContain(copy === null ? null : (copy as Record<string, unknown>)['a'])
    }
  })

  test('takes any value or throws a TypeError', () => {
    const anything = fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true })
    const property = fc.property(anything, (value) => {
      try {
        const copy = copyJson(value, 'value')
        expect(JSON.parse(JSON.stringify(copy))).toEqual(JSON.parse(JSON.stringify(value)))
      } catch (error) {
        expect(error).toBeInstanceOf(TypeError)
      }
    })
    check(property, 2000)
  })
})

// ---- Whatever comes in ----

const environmentNames = (
  'SECRET_KEY ALGORITHM DECODE_ALGORITHMS TOKEN_LOCATION DECODE_LEEWAY ACCESS_TOKEN_EXPIRES COOKIE_SECURE ' +
  'COOKIE_SAMESITE COOKIE_DOMAIN ACCESS_COOKIE_PATH CSRF_METHODS STATUS_CODES TRUSTED_ORIGINS PREVIOUS_COOKIES ' +
  'PUBLIC_KEY DENYLIST CLAIMS HEADER_TYPE __PROTO__ X'
)
  .split(' ')
  .map((name) => `AUTHJWT_${name}`)

describe('whatever comes in', () => {
  const keys = readKeys()
  const { auth } = setup({ tokenLocation: ['headers', 'cookies', 'query', 'json'], csrfCheckForm: true })
  const good = forge({ alg: 'HS256', typ: 'JWT' }, goodClaims())
  const csrf = String(goodClaims()['csrf'])
  const otherToken = forge({ alg: 'HS256' }, goodClaims({ type: 'refresh', fresh: undefined }))

  test('parsers of single values give a value or null', () => {
    const property = fc.property(
      fc.uint8Array({ size: 'large' }),
      binaryText,
      fc.anything(),
      (bytes, text, value) => {
        expect(parseJsonObject(bytes)).toBeTypeOf('object')
        expect(findCookie(text, 'name')).toBe(referenceFind(text, 'name'))
        for (const seconds of [parseDuration(value), parseDuration(text)]) {
          expect(seconds === null || seconds > 0).toBe(true)
        }
      },
    )
    check(property, 2000)
  })

  test('tokens are read, or refused as token_invalid', () => {
    const part = fc.oneof(
      fc.constantFrom(...good.split('.'), ''),
      fc.uint8Array().map((bytes) => Buffer.from(bytes).toString('base64url')),
      fc.json().map((json) => Buffer.from(json).toString('base64url')),
      binaryText,
    )
    const token = fc.oneof(
      fc.array(part, { maxLength: 4 }).map((parts) => parts.join('.')),
      fc.anything(),
    )
    const property = fc.property(token, (text) => {
      const steps = [() => parseUnverified(text), () => typeof text === 'string' && verifyJws(text, keys)]
      for (const step of steps) expect(codeOfSync(step)).toMatch(/^(?:passed|token_invalid)$/)
    })
    check(property, 3000)
  })

  test('signed rubbish is refused as token_invalid or wrong_token_type, whatever its claims are', async () => {
    const claims = fc.dictionary(fc.constantFrom(...registeredNames, '__proto__', 'x'), fc.anything(), {
      size: 'max',
      maxKeys: 6,
    })
    const payload = fc.oneof(claims.map(toJsonText), fc.json(), binaryText)
    const property = fc.asyncProperty(payload, fc.oneof(fc.json(), binaryText), async (text, header) => {
      for (const token of [forge({ alg: 'HS256' }, text), forge(header, text)]) {
        const rejection = await auth.verify(token).catch((error: unknown) => error)
        expect(AuthError.is(rejection)).toBe(true)
      }
    })
    await checkAsync(property, 1000)
  })

  const urlText = fc.oneof(
    fc.webUrl({ withQueryParameters: true, withFragments: true }),
    fc
      .array(
        fc.constantFrom('/', '?', '#', '&', '=', '%', '%ff', 'jwt=', good, '..', '\\', ':', '@', 'a', ' '),
        {
          size: 'max',
          maxLength: 12,
        },
      )
      .map((parts) => parts.join('')),
    binaryText,
  )
  const headerValue = fc.oneof(
    fc.constantFrom(
      good,
      `Bearer ${good}`,
      `bearer  ${good}`,
      'Bearer',
      'Bearer ',
      'Basic x',
      csrf,
      '',
      ',',
      '0',
      '12',
    ),
    fc.constantFrom(
      'https://app.example',
      'http://app.example:80',
      'app.example',
      'null',
      '[::1]',
      'a.b.c.d.e',
      '1.2.3.4',
    ),
    fc.constantFrom('same-origin', 'cross-site', 'none', 'navigate', 'document', 'POST'),
    fc.constantFrom(
      'application/json',
      'application/x+json; charset=utf-8',
      'multipart/form-data',
      ';',
      'a/b',
    ),
    fc.constantFrom(
      `access_token_cookie=${good}; refresh_token_cookie=${otherToken}`,
      `access_token_cookie=${good}; access_token_cookie=x`,
      `refresh_token_cookie=${otherToken}; csrf_access_token=1; csrf_access_token=2`,
      'access_token_cookie=; refresh_token_cookie==;',
    ),
    binaryText,
  )
  const headerNames = (
    'authorization cookie x-csrf-token origin host sec-fetch-site sec-fetch-mode sec-fetch-dest sec-purpose ' +
    'content-type content-length transfer-encoding access-control-request-method'
  ).split(' ')
  const someHeaders = fc.dictionary(fc.constantFrom(...headerNames), headerValue, {
    size: 'max',
    maxKeys: 13,
  })
  const requests = fc.record({
    method: fc.oneof(fc.constantFrom('GET', 'POST', 'OPTIONS', 'get', ''), binaryText),
    url: fc.option(urlText, { nil: undefined }),
    headers: someHeaders,
    body: fc.oneof(
      fc.jsonValue(),
      fc.constantFrom(
        { access_token: good, csrf_token: csrf },
        { refresh_token: otherToken },
        { csrf_token: [csrf] },
      ),
    ),
  })

  function requestOf({ method, url, headers, body }: RequestFacts): AuthRequest {
    return {
      method,
      ...(url !== undefined && { url }),
      header: (name) => (Object.hasOwn(headers, name) ? headers[name] : undefined),
      body: () => body,
    }
  }

  test('origins, media types and URLs are judged without a throw', () => {
    const property = fc.property(requests, fc.array(binaryText), (facts, trustedOrigins) => {
      const request = requestOf(facts)
      expect(typeof isOriginAllowed(request, trustedOrigins)).toBe('boolean')
      expect(typeof isNavigation(request)).toBe('boolean')
      expect(typeof mediaType(request)).toBe('string')
      insecureHost(request)
      const { path, query } = splitUrl(request)
      expect(path).not.toMatch(/[?#]/)
      expect(query).not.toContain('#')
      expect(path).not.toBe('')
    })
    check(property, 3000)
  })

  test('scopes of tossed cookies are few, and each can be written into a header', () => {
    const host = fc.oneof(
      fc.domain(),
      fc.ipV4(),
      fc.ipV6(),
      binaryText,
      fc.string({ unit: fc.constantFrom(...'a.-:1') }),
    )
    const path = fc.oneof(fc.webPath(), binaryText, urlText)
    const property = fc.property(host, path, (hostText, pathText) => {
      const scopes = tossedScopes(hostText, pathText)
      expect(scopes.length).toBeGreaterThan(0)
      expect(scopes.length).toBeLessThanOrEqual(30)
      for (const { path = '', domain, partitioned } of scopes) {
        expect(isCookiePath(path)).toBe(true)
        expect(domain === undefined || isCookieDomain(domain)).toBe(true)
        expect(domain === undefined || `.${hostText}`.includes(`.${domain}`)).toBe(true)
        new Headers().append(
          'set-cookie',
          serializeDeletion({ name: 'n', path, domain, partitioned, flags: '' }),
        )
      }
    })
    check(property, 3000)
  })

  test('requests pass or are refused, and whatever they cause to be set is a header that can be sent', async () => {
    const codes = new Set<string>()
    const property = fc.asyncProperty(requests, async (facts) => {
      for (const act of [
        (bound: Bound) => bound.jwtRequired(),
        (bound: Bound) => bound.jwtOptional(),
        (bound: Bound) => bound.jwtRefreshTokenRequired(),
        (bound: Bound) => bound.freshJwtRequired({ within: '5m', csrf: 'always' }),
        (bound: Bound) => bound.login('test'),
        (bound: Bound) => bound.refresh(),
        (bound: Bound) => bound.refresh({ navigation: true }),
        (bound: Bound) => bound.logout(),
      ]) {
        const headers = new Headers()
        const response: AuthResponse = {
          append: (name, value) => headers.append(name, value),
          set: (name, value) => headers.set(name, value),
          sent: false,
        }
        codes.add(await codeOfAny(async () => act(auth.authorize(requestOf(facts), response))))
        for (const line of headers.getSetCookie()) expect(line).toMatch(/^(?:access|refresh|csrf)_\w+=/)
      }
    })
    await checkAsync(property, 1500)
    for (const code of ['passed', 'token_missing', 'header_invalid', 'token_invalid', 'wrong_token_type']) {
      expect(codes).toContain(code)
    }
    for (const code of ['csrf_missing', 'csrf_mismatch', 'origin_forbidden', 'cookie_ambiguous']) {
      expect(codes).toContain(code)
    }
  })

  test('environments give options or a TypeError, which never quotes a value', () => {
    const marker = 'marker-4711'
    const value = fc.oneof(
      binaryText,
      fc.json(),
      fc.constantFrom(
        'true',
        'FALSE',
        '15m',
        '900',
        '["headers"]',
        'headers,cookies',
        '[',
        '{}',
        'HS512',
        secretKey,
      ),
    )
    const environment = fc.dictionary(
      fc.oneof(
        fc.constantFrom(...environmentNames),
        fc.string().map((name) => `AUTHJWT_${name}`),
        binaryText,
      ),
      fc.tuple(value, fc.boolean()).map(([text, isMarked]) => (isMarked ? text + marker : text)),
      { maxKeys: 4 },
    )
    const property = fc.property(environment, (variables) => {
      try {
        createAuth(optionsFromEnv(variables))
      } catch (error) {
        expect(error).toBeInstanceOf(TypeError)
        expect(String(error)).not.toContain(marker)
      }
    })
    check(property, 1500)
  })

  test('options of any kind give an Auth or a TypeError', () => {
    const names = Object.keys(createAuth({ secretKey }).options)
    const options = fc.dictionary(fc.constantFrom(...names, 'secretKey', 'x'), fc.anything(), {
      maxKeys: 4,
      size: 'max',
    })
    const property = fc.property(fc.oneof(options, fc.anything()), (value) => {
      try {
        createAuth(value as Parameters<typeof createAuth>[0])
      } catch (error) {
        expect(error).toBeInstanceOf(TypeError)
      }
    })
    check(property, 1500)
  })

  test('durations are whole positive seconds, or null', () => {
    const units = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 }
    const unit = fc.constantFrom(...(Object.keys(units) as (keyof typeof units)[]))
    const exact = fc.property(fc.integer({ min: 1, max: 999_999_999 }), unit, (count, name) => {
      expect(parseDuration(`${count}${name}`)).toBe(count * units[name])
      expect(parseDuration(count)).toBe(count)
      expect(parseDuration(-count)).toBeNull()
      expect(parseDuration(count + 0.5)).toBeNull()
    })
    check(exact)
    const any = fc.property(
      fc.oneof(fc.anything(), fc.double(), fc.string({ unit: fc.constantFrom(...'01.-e smhdw') })),
      (value) => {
        const seconds = parseDuration(value)
        if (seconds === null) return
        expect(Number.isSafeInteger(seconds) && seconds > 0).toBe(true)
        expect(typeof value === 'number' ? value === seconds : /^\d+[smhdw]$/.test(String(value))).toBe(true)
      },
    )
    check(any, 3000)
  })

  test('a name that is no cookie name is never taken for one', () => {
    check(
      fc.property(binaryText, (text) => {
        expect(isCookieName(text)).toBe(/^[\w!#$%&'*+.^`|~-]{1,256}$/.test(text))
      }),
      2000,
    )
  })
})

// ---- Worst shapes ----

/** Texts of 8192 characters that punish whoever looks at a character more than a few times. */
const worstShapes: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries({
    quotes: '"',
    backslashes: '\\',
    'escaped quotes': '\\"',
    'opening brackets': '[',
    'opening braces': '{"a":',
    colons: ':',
    blanks: ' ',
    'blanks around a cookie name': ' name ',
    'blanks before a cookie name': '      name',
    'repeated names': 'name',
    'repeated pairs': 'name=v;',
    'repeated empty pairs': 'name=;',
    'names without separator': 'name=',
    semicolons: ';',
    dots: '.',
    'letters and dots': 'a.',
    letters: 'A',
    slashes: '/',
    'question marks': '?',
    commas: ',',
    'percent signs': '%',
    'surrogate halves': '\u{d800}',
  }).map(([title, unit]) => [title, unit.repeat(Math.ceil(8192 / unit.length)).slice(0, 8192)]),
)

describe('work stays linear', () => {
  const keys = readKeys()
  const repetitions = 2000

  test.each(Object.entries(worstShapes))('8192 bytes of %s are done with, 2,000 times', (_, shape) => {
    const json = Buffer.from(`{"a":"${shape}`)
    const bytes = Buffer.from(shape)
    const encoded = bytes.toString('base64url')
    const cookies = `${shape}name=v${shape}`
    const token = `${encoded}.${encoded}.${encoded}`
    const request: AuthRequest = { method: 'POST', url: shape, header: () => shape }
    for (let done = 0; done < repetitions; done++) {
      parseJsonObject(bytes)
      parseJsonObject(json)
      findCookie(shape, 'name')
      findCookie(cookies, 'name')
      codeOfSync(() => parseUnverified(shape))
      codeOfSync(() => verifyJws(shape, keys))
      codeOfSync(() => verifyJws(token, keys))
      mediaType(request)
      splitUrl(request)
      isOriginAllowed(request, [])
      tossedScopes(shape, shape)
      parseDuration(shape)
    }
    expect(shape).toHaveLength(8192)
  })
})

// ---- Helpers ----

type Bound = ReturnType<ReturnType<typeof setup>['auth']['authorize']>

interface RequestFacts {
  readonly method: string
  readonly url: string | undefined
  readonly headers: Readonly<Record<string, string>>
  readonly body: unknown
}

function readKeys(): JwsKeys {
  const options = {
    secretKey,
    algorithm: 'HS256',
    decodeAlgorithms: ['HS256'],
    unsafeAllowWeakSecret: false,
  } as const
  const keys = resolveKeys(options, (option, problem) => {
    throw new Error(`${option} ${problem}`)
  })
  if (keys === undefined) throw new Error('no keys')
  return keys
}

function codeOfSync(step: () => unknown): string {
  try {
    step()
    return 'passed'
  } catch (error) {
    if (AuthError.is(error)) return error.code
    throw error
  }
}

async function codeOfAny(step: () => Promise<unknown>): Promise<string> {
  try {
    await step()
    return 'passed'
  } catch (error) {
    if (AuthError.is(error)) return error.code
    throw error
  }
}

/** JSON as far as it goes: what cannot be written is left out. */
function toJsonText(value: Record<string, unknown>): string {
  const base = { ...goodClaims(), iat: startSeconds + 3600 }
  try {
    return JSON.stringify({ ...base, ...value })
  } catch {
    return JSON.stringify(base)
  }
}
