/** What PyJWT 2 says of a token that was refused, found out afterwards from its parts; decides nothing, and quotes nothing. */

import { Buffer } from 'node:buffer'
import type { RejectionReason } from './errors.ts'

type Parsed = Readonly<Record<string, unknown>>

/** The reasons that look at no claim. */
const sentences: { readonly [Reason in RejectionReason]?: string } = {
  alg_forbidden: 'The specified alg value is not allowed',
  signature_invalid: 'Signature verification failed',
  key_unknown: 'Signature verification failed',
  schema_invalid: 'User claims verification failed',
}

/**
 * The sentence for a reason; `undefined` where PyJWT has none, since it would have taken the token.
 *
 * @param token `undefined` where it is not known: then only the reason speaks.
 */
export function pyjwtSentence(
  reason: RejectionReason,
  token: string | undefined,
  nowSeconds: number,
): string | undefined {
  if (token === undefined) return sentences[reason]
  const parts = readParts(token)
  if (typeof parts === 'string') return parts
  if (reason === 'key_unknown' && typeof parts.header['kid'] !== 'string' && 'kid' in parts.header)
    return 'Key ID header parameter must be a string'
  const sentence = sentences[reason]
  if (sentence !== undefined) return sentence
  const payload = readJson(parts.payload, 'payload')
  return typeof payload === 'string' ? payload : claimsSentence(reason, payload, nowSeconds)
}

/** What is to be read before any key is used: the parts, or what is wrong with them. */
function readParts(token: string): string | { readonly header: Parsed; readonly payload: Buffer } {
  const headerEnd = token.indexOf('.')
  const payloadEnd = token.lastIndexOf('.')
  if (headerEnd === payloadEnd) return 'Not enough segments'
  const headerBytes = decode(token.slice(0, headerEnd))
  if (headerBytes === null) return 'Invalid header padding'
  const header = readJson(headerBytes, 'header')
  if (typeof header === 'string') return header
  const payload = decode(token.slice(headerEnd + 1, payloadEnd))
  if (payload === null) return 'Invalid payload padding'
  if (decode(token.slice(payloadEnd + 1)) === null) return 'Invalid crypto padding'
  return { header, payload }
}

/** Base64url; one character alone in the last group of four is no byte. */
function decode(part: string): Buffer | null {
  const bytes = Buffer.from(part, 'base64url')
  return part.replaceAll(/[^\w-]/g, '').length % 4 === 1 ? null : bytes
}

function readJson(bytes: Buffer, part: 'header' | 'payload'): string | Parsed {
  try {
    const value: unknown = JSON.parse(bytes.toString())
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Parsed
    return `Invalid ${part} string: must be a json object`
  } catch {
    // Python also says where; past the beginning that would say what is there.
    return `Invalid ${part} string: Expecting value: line 1 column 1 (char 0)`
  }
}

/** In the order in which PyJWT looks at claims, and after it the twins. */
function claimsSentence(reason: RejectionReason, payload: Parsed, nowSeconds: number): string | undefined {
  const { iat, nbf, exp } = payload
  if (reason === 'not_active') {
    if (typeof iat === 'number' && iat > nowSeconds) return 'The token is not yet valid (iat)'
    return typeof nbf === 'number' && nbf > nowSeconds ? 'The token is not yet valid (nbf)' : undefined
  }
  if (reason === 'issuer_invalid')
    return 'iss' in payload ? 'Invalid issuer' : 'Token is missing the "iss" claim'
  if (reason === 'audience_invalid')
    return 'aud' in payload ? 'Invalid audience' : 'Token is missing the "aud" claim'
  if (reason !== 'claims_invalid') return undefined
  if (isWrong(iat)) return 'Issued At claim (iat) must be an integer.'
  if (isWrong(nbf)) return 'Not Before claim (nbf) must be an integer.'
  if (isWrong(exp)) return 'Expiration Time claim (exp) must be an integer.'
  const missing = ['sub', 'jti', 'csrf'].find((name) => !Object.hasOwn(payload, name))
  return missing === undefined ? undefined : `Missing claim: ${missing}`
}

function isWrong(time: unknown): boolean {
  return time !== undefined && typeof time !== 'number'
}
