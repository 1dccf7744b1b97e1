/** How tallystick speaks for itself, and how in the place of a Python service: a table for each; decides on no request. */

import { checkShape, ownTokens } from './claims.ts'
import type { Claims, RegisteredClaims, TokenDialect, WrittenClaims } from './claims.ts'
import { pastEnd } from './cookie.ts'
import { AuthError, invalidToken } from './errors.ts'
import type { AuthErrorCode, RejectionReason, TwinAnswerName } from './errors.ts'
import type { JsonObject, JsonValue } from './json.ts'
import { checkBare, missingSentence, readBearer } from './location.ts'
import type { LocationDialect, LocationNames, Search, TokenLocation } from './location.ts'
import { pyjwtSentence } from './pyjwt.ts'
import { mediaType } from './request.ts'
import type { AuthRequest } from './request.ts'

/** The services whose place tallystick can take. */
export type Compat = 'fastapi-jwt-auth' | 'flask-jwt-extended'

/** All that differs in the place of another service. */
export interface Dialect {
  /** Of options that are not given. */
  readonly defaults: Readonly<Record<string, unknown>>
  readonly statusCodes: { readonly [Code in AuthErrorCode]?: number }
  /** The order in which the locations of `tokenLocation` are asked. */
  readonly orderLocations: (locations: readonly TokenLocation[]) => readonly TokenLocation[]
  readonly locations: LocationDialect
  readonly tokens: TokenDialect
  /** Whether tokens carry a CSRF value also where cookies are no location. */
  readonly hasCsrfEverywhere: boolean
  /** Whether the CSRF value is compared once the signature held, before end, type and freshness are looked at. */
  readonly comparesCsrfFirst: boolean
  /** What deletes a cookie, ahead of its path, where that is not ours. */
  readonly cookieEnding?: string
  /** The only member of a refusal's body; absent where the body is a problem. */
  readonly answerName?: TwinAnswerName
  /** What it says in the place of our sentences. */
  readonly sentences: ReadonlyMap<string, string>
}

const own: Dialect = {
  defaults: {},
  statusCodes: {},
  orderLocations: (locations) => locations,
  locations: {
    readHeader: readBearer,
    ignoresEmptyCookie: false,
    missing: (_request, search, names) => missingSentence(search, names),
  },
  tokens: ownTokens,
  hasCsrfEverywhere: false,
  comparesCsrfFirst: false,
  sentences: new Map(),
}

/** What both lack: see the docstring of the option. */
const looseDefaults = {
  tokenLocation: ['headers'],
  cookieSecure: false,
  cookieSamesite: undefined,
  cookieMaxAge: 'session',
}

/** Whatever the token itself is to blame for. */
const unprocessable = { header_invalid: 422, token_invalid: 422, token_too_large: 422, wrong_token_type: 422 }

/** What fastapi-jwt-auth 0.5 does; where it lets everybody in or falls over, it is refused as any bad token is. */
const fastapi: Dialect = {
  ...own,
  defaults: looseDefaults,
  statusCodes: { ...unprocessable, token_expired: 422 },
  // A header wins wherever the list has it.
  orderLocations: (locations) =>
    Object.freeze(
      locations.toSorted((left, right) => Number(right === 'headers') - Number(left === 'headers')),
    ),
  locations: {
    readHeader: readFastapiHeader,
    ignoresEmptyCookie: true,
    missing(_request, search, names) {
      if (search.token !== undefined) return `Missing ${names.type} token from Query or Path`
      // Where both are asked, it is the cookie that is missed.
      return search.locations.includes('cookies')
        ? `Missing cookie ${names.cookieName}`
        : missingSentence(search, names)
    },
  },
  tokens: {
    readClaims: readFastapiClaims,
    writeClaims: writeFastapiClaims,
    takesEndless: true,
    takesRefreshWithoutIssuer: true,
    refusesAudience: true,
    hasIntegerSubjects: true,
    hasFreshUntil: false,
  },
  answerName: 'detail',
}

/** What flask-jwt-extended 4.7 does, save for what `OPTIONS` and types of its own would let pass. */
const flask: Dialect = {
  ...own,
  defaults: { ...looseDefaults, accessCsrfHeaderName: 'X-CSRF-TOKEN', refreshCsrfHeaderName: 'X-CSRF-TOKEN' },
  statusCodes: unprocessable,
  locations: { readHeader: readFlaskHeader, ignoresEmptyCookie: true, missing: missingInFlask },
  tokens: {
    readClaims: readFlaskClaims,
    writeClaims: writeFlaskClaims,
    takesEndless: true,
    takesRefreshWithoutIssuer: false,
    refusesAudience: false,
    hasIntegerSubjects: false,
    hasFreshUntil: true,
  },
  hasCsrfEverywhere: true,
  comparesCsrfFirst: true,
  cookieEnding: pastEnd,
  answerName: 'msg',
  sentences: new Map([
    ['Signature has expired', 'Token has expired'],
    ['Only access tokens are allowed', 'Only non-refresh tokens are allowed'],
    ['Missing CSRF Token', 'Missing CSRF token'],
  ]),
}

const dialects: Readonly<Record<Compat, Dialect>> = {
  'fastapi-jwt-auth': fastapi,
  'flask-jwt-extended': flask,
}

/** The values of the option `compat`. */
export const compatNames: readonly string[] = Object.keys(dialects)

export function dialectOf(compat: unknown): Dialect {
  return typeof compat === 'string' && Object.hasOwn(dialects, compat) ? dialects[compat as Compat] : own
}

/** What the words of a refusal depend on. */
export interface Wording {
  readonly compat?: Compat | undefined
  readonly statusCodes: { readonly [Code in AuthErrorCode]?: number | undefined }
  readonly clock: () => number
}

/**
 * A refusal with the status that the options give its code, and under `compat` in the words of the twin.
 *
 * @param token What it is about, to tell what PyJWT would say of it; only what its sender can see is told.
 */
export function wordRefusal(
  error: AuthError,
  { compat, statusCodes, clock }: Wording,
  token?: string,
): AuthError {
  const { answerName, sentences } = dialectOf(compat)
  const { code, cause, maxAgeSeconds } = error
  const status = Object.hasOwn(statusCodes, code) ? statusCodes[code] : undefined
  if (answerName === undefined && (status === undefined || status === error.status)) return error
  const isDescribed = answerName !== undefined && code === 'token_invalid'
  const described = isDescribed ? pyjwtSentence(cause as RejectionReason, token, clock()) : undefined
  return new AuthError(code, {
    status: status ?? error.status,
    message: described ?? sentences.get(error.message) ?? error.message,
    cause,
    ...(maxAgeSeconds !== undefined && { maxAgeSeconds }),
    answerName,
  })
}

/** Takes exactly the scheme, in its own case, a space and one word; anything else is bad, another scheme too. */
function readFastapiHeader(value: string, { headerName, headerType }: LocationNames): string {
  const start = headerType === '' ? '' : `${headerType} `
  return checkBare(value.startsWith(start) ? value.slice(start.length) : '', headerName, `${start}<JWT>`)
}

/** Takes the one value of the scheme among several; none, and two, count as absent. */
function readFlaskHeader(value: string, { headerName, headerType }: LocationNames): string | null {
  const start = headerType === '' ? '' : `${headerType} `
  const fields = value.split(',').map((field) => field.trim())
  const fitting = fields.filter((field) => field !== '' && (field === headerType || field.startsWith(start)))
  const [field] = fitting
  if (field === undefined || (fitting.length > 1 && headerType !== '')) return null
  const token = field.slice(start.length)
  if (fitting.length === 1 && /^[\x21-\x7e]+$/.test(token)) return token
  throw new AuthError('header_invalid', {
    message: `Bad ${headerName} header. Expected '${headerName}: ${start}<JWT>'`,
  })
}

const flaskLocations: Readonly<Record<TokenLocation, string>> = {
  headers: 'headers',
  cookies: 'cookies',
  query: 'query_string',
  json: 'json',
}

function missingInFlask(request: AuthRequest, { locations }: Search, names: LocationNames): string {
  const { headerName, headerType } = names
  const fields = (request.header(headerName.toLowerCase()) ?? '').split(',')
  const isJson = mediaType(request) === 'application/json'
  const sentences: Readonly<Record<TokenLocation, string>> = {
    headers: fields.every((field) => field.trim() === '')
      ? `Missing ${headerName} Header`
      : `Missing '${headerType}' type in '${headerName}' header. Expected '${headerName}: ${headerType} <JWT>'`,
    cookies: `Missing cookie "${names.cookieName}"`,
    query: `Missing '${names.queryName}' query paramater`,
    json: isJson
      ? `Missing "${names.jsonKey}" key in json data.`
      : 'Invalid content-type. Must be application/json.',
  }
  const all = locations.map((location) => sentences[location])
  if (all.length === 1) return all.join('')
  const asked = locations.map((location) => flaskLocations[location])
  return `Missing JWT in ${asked.slice(0, -1).join(', ')} or ${asked.at(-1)} (${all.join('; ')})`
}

function toClaims(payload: JsonObject): Claims {
  checkShape(payload)
  // What `checkShape` accepts is what `RegisteredClaims` says.
  return Object.freeze(payload) as unknown as Claims
}

/** Readers get a subject as text; a number that text cannot hold exactly would be another user's too. */
function readFastapiClaims(payload: JsonObject): Claims {
  const { sub } = payload
  if (typeof sub !== 'number') return toClaims(payload)
  if (!Number.isSafeInteger(sub)) throw invalidToken('claims_invalid')
  return toClaims({ ...payload, sub: String(sub) })
}

/** Refresh tokens name no issuer. */
function writeFastapiClaims(claims: RegisteredClaims, { subject }: WrittenClaims): JsonObject {
  const { iss: _issuer, ...withoutIssuer } = claims
  return { ...(claims.type === 'refresh' ? withoutIssuer : claims), sub: subject }
}

/** What a token leaves out is as its twin takes it: an access token, not fresh, and without a name of its own. */
function readFlaskClaims(payload: JsonObject, isRevocable: boolean): Claims {
  const claims: Record<string, JsonValue> = { type: 'access', ...payload }
  if (claims['type'] === 'access') {
    // Until when a token is fresh is read from its payload, each time anew.
    const isTime = typeof claims['fresh'] === 'number'
    claims['fresh'] = !isTime && Object.hasOwn(payload, 'fresh') ? (claims['fresh'] ?? null) : false
  } else if (claims['fresh'] === false) {
    // Refresh tokens say that they are not.
    delete claims['fresh']
  }
  // None was named, which is as good as any where none is ever looked up.
  if (isRevocable || Object.hasOwn(payload, 'jti')) return toClaims(claims)
  return Object.freeze({ ...toClaims({ ...claims, jti: 'none' }), jti: '' })
}

const flaskOrder = 'fresh iat jti type sub nbf csrf aud iss exp auth_time sid gen'.split(' ')

function writeFlaskClaims(claims: RegisteredClaims, { fresh }: WrittenClaims): JsonObject {
  const all: JsonObject = { ...claims, fresh }
  return Object.fromEntries(flaskOrder.flatMap((name) => (name in all ? [[name, all[name] ?? null]] : [])))
}
