/** Takes tokens apart that nobody has verified, and says what no guard would take; stops at nothing that they hold. */

import { Buffer } from 'node:buffer'
import { parseJsonObject } from '../core/json.ts'
import { algorithms, isCanonical, isReservedParameter, maxTokenBytes } from '../core/jws.ts'

/** What can be shown of a token. */
export interface TokenParts {
  readonly form: 'signed' | 'encrypted' | 'unreadable'
  readonly header: Readonly<Record<string, unknown>> | null
  readonly claims: Readonly<Record<string, unknown>> | null
  readonly problems: readonly string[]
}

/** Nesting that no honest token reaches, and that can still be shown. */
const mostLevels = 32

export function takeApart(token: string): TokenParts {
  const problems: string[] = []
  if (token.length > maxTokenBytes)
    problems.push(`It has ${token.length} characters, and no guard reads more than ${maxTokenBytes}`)
  const parts = token.split('.')
  const [headerText = '', payload = '', signature = ''] = parts
  if (parts.length === 5) return { form: 'encrypted', ...headerOnly(headerText, problems) }
  if (parts.length !== 3) {
    problems.push(
      `It has ${parts.length} ${parts.length === 1 ? 'part' : 'parts'} between dots: a signed token has 3, an encrypted one 5`,
    )
    return { form: 'unreadable', header: null, claims: null, problems }
  }
  const header = readPart('header', headerText, problems)
  const claims = readPart('payload', payload, problems)
  if (header !== null) checkHeader(header, problems)
  checkSignature(header, signature, problems)
  return { form: 'signed', header, claims, problems }
}

function headerOnly(text: string, problems: string[]): Omit<TokenParts, 'form'> {
  const header = readPart('header', text, problems)
  return { header, claims: null, problems }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The object in one part; what only some readers take is shown too, and told. */
function readPart(name: string, text: string, problems: string[]): TokenParts['header'] {
  if (text === '') return noted(`The ${name} is empty`)
  if (/[+/=]/.test(text)) return noted(`The ${name} is base64, not base64url without padding`)
  if (!/^[\w-]*$/.test(text)) return noted(`The ${name} holds characters that base64url does not have`)
  if (!isCanonical(text))
    return noted(`The ${name} has an end that no encoder writes: bits to spare that are not 0`)
  const bytes = Buffer.from(text, 'base64url')
  const strict = parseJsonObject(bytes)
  if (strict !== null) return strict
  let value: unknown
  try {
    const decoded = utf8.decode(bytes)
    if (/^[\w-]+\.[\w-]+\.[\w-]*$/.test(decoded))
      return noted(`The ${name} is another token: no guard takes nested ones; inspect that one by itself`)
    value = JSON.parse(decoded)
  } catch {
    return noted(`The ${name} is not JSON in UTF-8`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return noted(`The ${name} is JSON, but not an object`)
  if (levelsOf(value) > mostLevels) return noted(`The ${name} is nested more than ${mostLevels} levels deep`)
  noted(`The ${name} names a member twice, or holds a number too great: readers differ in what it says`)
  return value as Readonly<Record<string, unknown>>

  function noted(problem: string): null {
    problems.push(problem)
    return null
  }
}

/** Counted without recursion: a stranger decides how deep it is. */
function levelsOf(value: unknown): number {
  let levels = 0
  let layer: unknown[] = [value]
  while (layer.length > 0 && levels <= mostLevels) {
    levels++
    layer = layer.flatMap((item) =>
      Object.values(item as object).filter((inner) => typeof inner === 'object' && inner !== null),
    )
  }
  return levels
}

function checkHeader(header: Readonly<Record<string, unknown>>, problems: string[]): void {
  const { alg, kid } = header
  if (typeof alg === 'string' && alg.toLowerCase() === 'none')
    problems.push('Its alg is none: nobody signed it, and anybody can make such a token')
  else if (typeof alg !== 'string' || !algorithms.has(alg))
    problems.push('Its alg is none of those that tallystick knows')
  if (Object.hasOwn(header, 'kid') && typeof kid !== 'string') problems.push('Its kid is no text')
  const forbidden = Object.keys(header).filter(
    (name) => isReservedParameter(name) && !['alg', 'typ', 'kid'].includes(name),
  )
  if (forbidden.length > 0)
    problems.push(
      `Its header holds ${forbidden.join(', ')}, which no guard takes: a token does not choose its key`,
    )
}

/** The length of a signature tells the algorithm, before any key is known. */
function checkSignature(
  header: Readonly<Record<string, unknown>> | null,
  signature: string,
  problems: string[],
): void {
  const { alg } = header ?? {}
  const entry = typeof alg === 'string' ? algorithms.get(alg) : undefined
  if (signature === '') {
    if (entry !== undefined) problems.push('The signature is missing')
    return
  }
  if (!/^[\w-]+$/.test(signature) || !isCanonical(signature))
    problems.push('The signature is not base64url as an encoder writes it')
  if (entry === undefined) return
  const expected = entry.minSecretBytes > 0 ? entry.minSecretBytes : entry.signatureBytes
  const actual = Buffer.from(signature, 'base64url').length
  if (expected !== undefined && actual !== expected)
    problems.push(`The signature has ${actual} bytes, and one of ${entry.name} has ${expected}`)
}
