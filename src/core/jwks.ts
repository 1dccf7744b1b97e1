/** Answers requests for the public keys of an `Auth`, in a form that every framework can send. */

import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'
import { parseDuration } from './duration.ts'
import type { Duration } from './duration.ts'
import { ownOptions } from './own.ts'
import type { JwkSet } from './public-jwk.ts'

/** Any framework's request, or what carries its headers. */
export interface JwksRequest {
  readonly headers:
    { get(name: string): string | null } | { readonly [name: string]: string | readonly string[] | undefined }
}

/** How `jwksAnswer` answers. */
export interface JwksOptions {
  /** For how long caches may keep the keys: a new key must be in the set that long before it signs. @default '5m' */
  readonly maxAge?: Duration | undefined
}

/** An answer to be sent; `getResponse()` gives it as a Fetch API `Response`. */
export interface JwksAnswer {
  readonly status: 200 | 304
  /** Lower-case. */
  readonly headers: Readonly<Record<string, string>>
  /** Empty for a client that has these keys already. */
  readonly body: string
  getResponse(): Response
}

const defaultMaxAgeSeconds = 300

/** Makes the answer; a `Request` that is not given has no conditions. @throws {TypeError} for a wrong option */
export function answerJwks(jwks: JwkSet, request: JwksRequest | undefined, options: JwksOptions): JwksAnswer {
  const { maxAge = defaultMaxAgeSeconds } = ownOptions(options, 'jwksAnswer()', ['maxAge'])
  const maxAgeSeconds = parseDuration(maxAge)
  if (maxAgeSeconds === null) throw new TypeError("maxAge must be positive seconds or a text like '5m'")
  const text = JSON.stringify(jwks)
  const tag = `"${createHash('sha256').update(Buffer.from(text)).digest('base64url')}"`
  const isKnown = request !== undefined && matches(conditionOf(request), tag)
  const status = isKnown ? 304 : 200
  const body = isKnown ? '' : text
  const headers = {
    ...(!isKnown && { 'content-type': 'application/jwk-set+json' }),
    'cache-control': `public, max-age=${maxAgeSeconds}`,
    etag: tag,
  }
  const getResponse = (): Response => new Response(isKnown ? null : text, { status, headers })
  return { status, headers, body, getResponse }
}

function conditionOf({ headers }: JwksRequest): string {
  if (typeof headers !== 'object' || headers === null)
    throw new TypeError('jwksAnswer() takes a request, whose headers it reads')
  const value =
    'get' in headers && typeof headers.get === 'function'
      ? headers.get('if-none-match')
      : (headers as Readonly<Record<string, string | readonly string[] | undefined>>)['if-none-match']
  return typeof value === 'string' ? value : (value ?? []).join(', ')
}

/** RFC 9110 section 13.1.2: any of the tags listed, weak ones too, or a star for whatever there is. */
function matches(condition: string, tag: string): boolean {
  return condition.split(',').some((item) => {
    const given = item.trim()
    return given === '*' || given === tag || given === `W/${tag}`
  })
}
