// Making and verifying tokens in this process, beside other libraries and beside what bare cryptography costs.

import { createHmac, createSecretKey, generateKeyPairSync, timingSafeEqual } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { createSigner, createVerifier } from 'fast-jwt'
import { sign as honoSign, verify as honoVerify } from 'hono/jwt'
import { SignJWT, jwtVerify } from 'jose'
import jsonwebtoken from 'jsonwebtoken'
import { createAuth } from 'tallystick'
import type { Effort } from './effort.ts'
import { claimsOf, secret } from './http/stack.ts'
import type { Table } from './report.ts'
import { time } from './time.ts'
import type { Call } from './time.ts'

/** A power of two; no cache of this measurement holds as many. */
const distinctTokens = 4096

const names = ['HS256', 'RS256', 'ES256', 'EdDSA'] as const

type Name = (typeof names)[number]

/** Whoever makes or verifies tokens; one that does not know an algorithm is left out. */
interface Library {
  readonly name: string
  readonly sign?: (user: string) => unknown
  /** Without a cache, or with one that is always too small. */
  readonly verify: (token: string) => unknown
  /** With a cache that holds the token. */
  readonly verifyAgain?: (token: string) => unknown
}

type Keys = { readonly signing: KeyObject; readonly verifying: KeyObject }

export async function measureTokens(effort: Effort): Promise<readonly Table[]> {
  const tables: Table[] = []
  for (const name of names) tables.push(await measureAlgorithm(name, effort))
  return tables
}

async function measureAlgorithm(name: Name, effort: Effort): Promise<Table> {
  const keys = createKeys(name)
  const libraries = createLibraries(name, keys)
  const auth = createAuth(authKeys(name, keys))
  const users = Array.from({ length: distinctTokens }, (_, index) => `user ${index}`)
  const tokens = await Promise.all(users.map((user) => auth.createAccessToken(user)))
  const calls = new Map<string, Call>()
  for (const { name: library, sign, verify, verifyAgain } of libraries) {
    calls.set(`${library} verify`, inTurn(tokens, verify))
    const [token = ''] = tokens
    if (verifyAgain !== undefined) calls.set(`${library} again`, () => verifyAgain(token))
    if (sign !== undefined) calls.set(`${library} sign`, inTurn(users, sign))
  }
  const microseconds = await time(calls, effort)
  const limit = microseconds.get('bare cryptography verify') ?? Number.NaN
  const figure = (key: string): number => microseconds.get(key) ?? Number.NaN
  return {
    title: `${name}: microseconds for a token`,
    columns: ['', 'verify', '× bare', 'verify again', 'sign'],
    rows: libraries.map(({ name: library }) => [
      library,
      figure(`${library} verify`),
      figure(`${library} verify`) / limit,
      figure(`${library} again`),
      figure(`${library} sign`),
    ]),
  }
}

function inTurn(list: readonly string[], call: (one: string) => unknown): Call {
  let at = 0
  return () => call(list[at++ & (distinctTokens - 1)] ?? '')
}

function createKeys(name: Name): Keys {
  if (name === 'HS256') {
    const key = createSecretKey(secret, 'utf8')
    return { signing: key, verifying: key }
  }
  const pair = {
    RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
    ES256: () => generateKeyPairSync('ec', { namedCurve: 'prime256v1' }),
    EdDSA: () => generateKeyPairSync('ed25519'),
  }[name]()
  return { signing: pair.privateKey, verifying: pair.publicKey }
}

function authKeys(name: Name, { signing }: Keys): object {
  return name === 'HS256' ? { secretKey: secret } : { privateKey: signing, algorithm: name }
}

function createLibraries(name: Name, keys: Keys): readonly Library[] {
  const { signing, verifying } = keys
  const auth = createAuth({ ...authKeys(name, keys), verifiedTokenCache: 0 })
  const remembering = createAuth(authKeys(name, keys))
  const signingText = textOf(signing)
  const verifyingText = textOf(verifying)
  const fast = { key: verifyingText, algorithms: [name] }
  const fastSign = createSigner({ key: signingText, algorithm: name })
  const fastVerify = createVerifier({ ...fast, cache: false })
  const fastVerifyAgain = createVerifier({ ...fast, cache: 10_000 })
  const libraries: Library[] = [
    {
      name: 'tallystick',
      sign: (user) => auth.createAccessToken(user),
      verify: (token) => auth.verify(token),
      verifyAgain: (token) => remembering.verify(token),
    },
    {
      name: 'fast-jwt',
      sign: (user) => fastSign(claimsOf(user, 'access')),
      verify: (token) => fastVerify(token),
      verifyAgain: (token) => fastVerifyAgain(token),
    },
    {
      name: 'jose',
      sign: (user) =>
        new SignJWT(claimsOf(user, 'access')).setProtectedHeader({ alg: name, typ: 'JWT' }).sign(signing),
      verify: (token) => jwtVerify(token, verifying, { algorithms: [name] }),
    },
  ]
  if (name !== 'EdDSA') {
    libraries.push({
      name: 'jsonwebtoken',
      sign: (user) => jsonwebtoken.sign(claimsOf(user, 'access'), signing, { algorithm: name }),
      verify: (token) => jsonwebtoken.verify(token, verifying, { algorithms: [name] }),
    })
  }
  if (name === 'HS256') {
    libraries.push(
      {
        name: 'hono/jwt',
        sign: (user) => honoSign(claimsOf(user, 'access'), secret, name),
        verify: (token) => honoVerify(token, secret, name),
      },
      { name: 'bare cryptography', verify: (token) => verifyBare(token, signing) },
    )
  }
  return libraries
}

function textOf(key: KeyObject): string {
  if (key.type === 'secret') return secret
  return String(key.export({ format: 'pem', type: key.type === 'private' ? 'pkcs8' : 'spki' }))
}

/** What nobody can leave out, and no check besides: a MAC, a comparison in constant time, and the claims. */
function verifyBare(token: string, key: KeyObject): unknown {
  const end = token.lastIndexOf('.')
  const mac = createHmac('sha256', key).update(token.slice(0, end)).digest()
  if (!timingSafeEqual(mac, Buffer.from(token.slice(end + 1), 'base64url'))) throw new Error('forged')
  return JSON.parse(Buffer.from(token.slice(token.indexOf('.') + 1, end), 'base64url').toString())
}
