/** What is tried inside of a runtime: each algorithm with each form of its key; imports no package at run time. */

import { Buffer } from 'node:buffer'
import { createPrivateKey, createPublicKey, createSecretKey } from 'node:crypto'
import type { Algorithm, Auth, AuthOptions, createAuth as CreateAuth, Jwk } from 'tallystick'

/** One key of an algorithm, in the forms in which keys come. */
export type KeyMaterial =
  | { readonly secret: string }
  | {
      readonly privatePem: string
      readonly publicPem: string
      /** RFC 7517 has none for a key that is for PSS alone. */
      readonly privateJwk?: Jwk
      readonly publicJwk?: Jwk
      /** PKCS #8 and SPKI in base64. */
      readonly privateDer: string
      readonly publicDer: string
    }

/** What the driver asks. */
export interface SelfTestTask {
  readonly algorithm: Algorithm
  readonly key: KeyMaterial
  /** A second one of the same kind. */
  readonly otherKey: KeyMaterial
  /** What another library signed with the key, for the subject `foreign`. */
  readonly foreignToken: string
  /** The same, out of date. */
  readonly expiredToken: string
  /** Signed with the key, but not as the algorithm says. */
  readonly missignedTokens: readonly string[]
}

type KeyChoice = Pick<AuthOptions, 'secretKey' | 'privateKey' | 'publicKey'>

/** Goes through it, and gives a token for another library to verify. @throws {Error} that says which step failed */
export async function selfTest(
  createAuth: typeof CreateAuth,
  task: SelfTestTask,
): Promise<{ readonly token: string }> {
  const { algorithm } = task
  const make = (key: KeyChoice): Auth => createAuth({ ...(key as AuthOptions), algorithm })
  const tokens: string[] = []
  for (const [form, signing, verifying] of formsOf(task.key)) {
    const signer = make(signing)
    const token = await signer.createAccessToken('tally')
    for (const auth of [signer, make(verifying)]) {
      demand((await auth.verify(token)).sub === 'tally', `${form}: the token gives its subject`)
      demand((await auth.verify(task.foreignToken)).sub === 'foreign', `${form}: a foreign token is taken`)
      demand((await codeOf(auth, task.expiredToken)) === 'token_expired', `${form}: its time is looked at`)
      for (const missigned of task.missignedTokens)
        demand(
          (await codeOf(auth, missigned)) === 'token_invalid',
          `${form}: a wrong kind of signature is refused`,
        )
    }
    tokens.push(token)
  }
  const [token = ''] = tokens
  const [[, signing] = []] = formsOf(task.key)
  const auth = make(signing ?? {})
  for (const other of tokens) demand((await auth.verify(other)).sub === 'tally', 'all forms are one key')
  for (const [what, broken] of brokenFormsOf(token)) {
    demand((await codeOf(auth, broken)) === 'token_invalid', `${what} is refused`)
  }
  const [[, otherSigning] = []] = formsOf(task.otherKey)
  const stranger = make(otherSigning ?? {})
  demand((await codeOf(stranger, token)) === 'token_invalid', 'a token of another key is refused')
  return { token }
}

function formsOf(
  key: KeyMaterial,
): readonly (readonly [form: string, signing: KeyChoice, verifying: KeyChoice])[] {
  if ('secret' in key) {
    const bytes = Buffer.from(key.secret)
    const jwk = { kty: 'oct', k: bytes.toString('base64url') }
    const forms = { text: key.secret, bytes: new Uint8Array(bytes), jwk, object: createSecretKey(bytes) }
    return Object.entries(forms).map(([form, secretKey]) => [form, { secretKey }, { secretKey }])
  }
  const { privatePem, publicPem, privateJwk, publicJwk, privateDer, publicDer } = key
  return [
    ['PEM', { privateKey: privatePem }, { publicKey: publicPem }],
    ...(privateJwk && publicJwk
      ? [['JWK', { privateKey: privateJwk }, { publicKey: publicJwk }] as const]
      : []),
    [
      'DER',
      { privateKey: Buffer.from(privateDer, 'base64') },
      { publicKey: Buffer.from(publicDer, 'base64') },
    ],
    ['KeyObject', { privateKey: createPrivateKey(privatePem) }, { publicKey: createPublicKey(publicPem) }],
    ['pair', { privateKey: privatePem, publicKey: publicJwk ?? publicPem }, { publicKey: publicPem }],
  ]
}

function brokenFormsOf(token: string): readonly (readonly [what: string, token: string])[] {
  const [header = '', payload = '', signature = ''] = token.split('.')
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object
  const admin = Buffer.from(JSON.stringify({ ...claims, sub: 'admin' })).toString('base64url')
  const none = Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url')
  const bytes = Buffer.from(signature, 'base64url')
  const flipped = (index: number): string => {
    const copy = Buffer.from(bytes)
    copy[index] = (copy[index] ?? 0) ^ 1
    return copy.toString('base64url')
  }
  const signatures: Readonly<Record<string, string>> = {
    'a changed first byte': flipped(0),
    'a changed last byte': flipped(bytes.length - 1),
    'a signature that is cut off': bytes.subarray(0, -1).toString('base64url'),
    'a signature with a byte more': Buffer.concat([bytes, Buffer.alloc(1)]).toString('base64url'),
    'a signature of zeros': Buffer.alloc(bytes.length).toString('base64url'),
    'no signature': '',
  }
  return [
    ['another subject', `${header}.${admin}.${signature}`],
    ['alg none', `${none}.${payload}.`],
    ...Object.entries(signatures).map(([what, broken]) => [what, `${header}.${payload}.${broken}`] as const),
  ]
}

async function codeOf(auth: Auth, token: string): Promise<string> {
  try {
    await auth.verify(token)
    return 'passed'
  } catch (error) {
    const { code } = error as { readonly code?: unknown }
    if (typeof code === 'string' && (error as Error).name === 'AuthError') return code
    throw error
  }
}

function demand(holds: boolean, sentence: string): void {
  if (!holds) throw new Error(`This does not hold: ${sentence}`)
}
