/** Makes an `Auth` that verifies, of keys from a file, an address or the environment; the token never chooses them. */

import { createPrivateKey, createPublicKey } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { AuthError, createAuth, optionsFromEnv } from '../index.ts'
import type { Algorithm, Auth, AuthOptions, Jwk } from '../index.ts'
import { algorithms } from '../core/jws.ts'
import type { Call } from './_command.ts'
import { misuse, unable } from './_failure.ts'
import { readText } from './_file.ts'
import { visible } from './_visible.ts'

/** What a verification came to. */
export interface Verification {
  readonly signature: boolean
  readonly accepted: boolean
  readonly code: string | null
  readonly reason: string | null
}

/** `undefined` where no keys are named. @throws {Failure} for keys that cannot be used */
export function verifierOf(call: Call): Auth | undefined {
  const options = optionsOf(call)
  if (options === undefined) return undefined
  try {
    // Where a token travels is not judged here, but by the rest of inspect.
    return createAuth({ ...options, tokenLocation: ['headers'] })
  } catch (error) {
    if (error instanceof TypeError)
      throw unable(visible(error.message, 2000).replaceAll(String.raw`\u{a}`, '\n'))
    throw error
  }
}

function optionsOf(call: Call): AuthOptions | undefined {
  const file = call.text('keys')
  const uri = call.text('jwks')
  const named = call.text('algorithm')
  if ([file !== undefined, uri !== undefined, call.isOn('env')].filter(Boolean).length > 1)
    throw misuse('--keys, --jwks and --env cannot stand together: give one')
  if (named !== undefined && !algorithms.has(named))
    throw misuse(`--algorithm must be one of ${[...algorithms.keys()].join(', ')}`)
  const algorithm = named as Algorithm | undefined
  if (call.isOn('env')) return environmentOptions(call)
  if (uri !== undefined) return { jwksUri: uri, decodeAlgorithms: algorithm ? [algorithm] : asymmetric() }
  return file === undefined ? undefined : fileOptions(readText(file).trim(), algorithm)
}

/** Only what concerns tokens: where cookies lie, or a store, is not needed. */
function environmentOptions({ terminal }: Call): AuthOptions {
  try {
    return optionsFromEnv(terminal.environment)
  } catch (error) {
    if (error instanceof TypeError) throw unable(error.message)
    throw error
  }
}

function asymmetric(): Algorithm[] {
  return [...algorithms.values()].filter(({ minSecretBytes }) => minSecretBytes === 0).map(({ name }) => name)
}

function fileOptions(text: string, algorithm: Algorithm | undefined): AuthOptions {
  if (text.startsWith('[')) return { keys: parse(text) as NonNullable<AuthOptions['keys']> }
  if (text.startsWith('{')) {
    const value = parse(text) as Partial<Jwk> & { readonly keys?: unknown }
    return Array.isArray(value.keys)
      ? { keys: value.keys.map((jwk) => entryOf(jwk, algorithm)) }
      : jwkOptions()
    function jwkOptions(): AuthOptions {
      const jwk = value as Jwk
      const bound = algorithm ?? (jwk.alg as Algorithm | undefined)
      if (jwk.kty === 'oct') return { secretKey: jwk, ...(bound && { algorithm: bound }) }
      return { publicKey: publicPem(createJwk(jwk)), algorithm: bound ?? algorithmOf(createJwk(jwk)) }
    }
  }
  if (text.includes('-----BEGIN')) {
    const key = readPem(text)
    return { publicKey: publicPem(key), algorithm: algorithm ?? algorithmOf(key) }
  }
  return { secretKey: text, ...(algorithm && { algorithm }) }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // What the parser says quotes the text.
    throw unable('The file of --keys is not JSON, though it begins as JSON does')
  }
}

function entryOf(jwk: Jwk, algorithm: Algorithm | undefined): NonNullable<AuthOptions['keys']>[number] {
  const bound = (jwk?.alg as Algorithm | undefined) ?? algorithm ?? algorithmOf(createJwk(jwk))
  return { algorithm: bound, publicKey: jwk, use: 'verify' }
}

function createJwk(jwk: Jwk): KeyObject {
  return readable(() => createPublicKey({ key: { ...jwk }, format: 'jwk' }))
}

function readPem(text: string): KeyObject {
  return readable(() =>
    text.includes('PRIVATE') ? createPublicKey(createPrivateKey(text)) : createPublicKey(text),
  )
}

function readable(read: () => KeyObject): KeyObject {
  try {
    return read()
  } catch {
    // What the parser says may quote the key.
    throw unable('The file of --keys holds a key that this runtime cannot read')
  }
}

function publicPem(key: KeyObject): string {
  return key.export({ type: 'spki', format: 'pem' }).toString()
}

/** The one algorithm that a key fits, by the table. */
function algorithmOf(key: KeyObject): Algorithm {
  const fitting = [...algorithms.values()].filter(
    ({ keyTypes, curve }) =>
      keyTypes.includes(key.asymmetricKeyType ?? '') &&
      (curve === undefined || curve === key.asymmetricKeyDetails?.namedCurve),
  )
  const [first] = fitting
  if (first !== undefined && fitting.length === 1) return first.name
  throw misuse('The key fits several algorithms, or none: say which with --algorithm')
}

/** What is told of a token whose signature did not hold, or was not even looked at. */
const beforeSignature = new Set(
  'malformed header_invalid alg_forbidden key_unknown signature_invalid not_encrypted decryption_failed'.split(
    ' ',
  ),
)

/** Verifies as guards do. @throws {Failure} where the keys cannot be had */
export async function verifyWith(auth: Auth, token: string, type: unknown): Promise<Verification> {
  try {
    await auth.verify(token, { type: type === 'refresh' ? 'refresh' : 'access' })
    return { signature: true, accepted: true, code: null, reason: null }
  } catch (error) {
    if (error instanceof TypeError) throw unable(error.message)
    if (!AuthError.is(error)) throw error
    if (error.code === 'store_unavailable') throw unable('The keys of --jwks cannot be fetched now')
    const reason = typeof error.cause === 'string' ? error.cause : null
    const isUnread = error.code === 'token_too_large' || (reason !== null && beforeSignature.has(reason))
    return { signature: !isUnread, accepted: false, code: error.code, reason }
  }
}
