/** The one error class and the one table of codes; no message here may ever hold a token, a key or a claim value. */

interface CodeEntry {
  readonly status: number
  readonly message: string
  /** The `error` attribute of the RFC 6750 challenge; absent where no credentials were presented (section 3.1). */
  readonly challenge?: 'invalid_request' | 'invalid_token' | 'insufficient_user_authentication'
}

/** The machine-readable name of a refusal: stable, and safe to show to anyone. */
export type AuthErrorCode =
  | 'token_missing'
  | 'header_invalid'
  | 'token_invalid'
  | 'token_expired'
  | 'token_too_large'
  | 'wrong_token_type'
  | 'fresh_token_required'
  | 'token_revoked'
  | 'refresh_reused'
  | 'csrf_missing'
  | 'csrf_mismatch'
  | 'origin_forbidden'
  | 'cookie_ambiguous'
  | 'user_not_found'
  | 'cookie_too_large'
  | 'store_unavailable'

/** Every way in which a request can be refused: its status, its public sentence, its RFC 6750 error. */
export const errorCodes: Readonly<Record<AuthErrorCode, CodeEntry>> = {
  token_missing: { status: 401, message: 'Missing JWT' },
  header_invalid: { status: 401, message: 'Bad Authorization header', challenge: 'invalid_request' },
  token_invalid: { status: 401, message: 'The token is invalid', challenge: 'invalid_token' },
  token_expired: { status: 401, message: 'Signature has expired', challenge: 'invalid_token' },
  token_too_large: { status: 401, message: 'The token is too large', challenge: 'invalid_token' },
  wrong_token_type: { status: 401, message: 'Only access tokens are allowed', challenge: 'invalid_token' },
  fresh_token_required: {
    status: 401,
    message: 'Fresh token required',
    challenge: 'insufficient_user_authentication',
  },
  token_revoked: { status: 401, message: 'Token has been revoked', challenge: 'invalid_token' },
  refresh_reused: { status: 401, message: 'Refresh token has already been used', challenge: 'invalid_token' },
  csrf_missing: { status: 401, message: 'Missing CSRF Token', challenge: 'invalid_request' },
  csrf_mismatch: {
    status: 401,
    message: 'CSRF double submit tokens do not match',
    challenge: 'invalid_request',
  },
  origin_forbidden: {
    status: 403,
    message: 'Cross-site request refused: its origin is not in trustedOrigins',
  },
  cookie_ambiguous: { status: 401, message: 'Two cookies of one name', challenge: 'invalid_request' },
  user_not_found: { status: 401, message: 'Error loading the user', challenge: 'invalid_token' },
  cookie_too_large: { status: 500, message: 'The cookie is too large' },
  store_unavailable: { status: 503, message: 'The session store cannot be asked at the moment' },
}

const rejectionReasons = [
  'malformed',
  'header_invalid',
  'alg_forbidden',
  'key_unknown',
  'signature_invalid',
  /** A plain token where the option `encryption` asks for an encrypted one. */
  'not_encrypted',
  'decryption_failed',
  'claims_invalid',
  'not_active',
  'issuer_invalid',
  'audience_invalid',
  'schema_invalid',
  'too_old',
  'ambiguous',
  /** The token before the newest one, and the session lives on. */
  'late',
] as const

/** Why exactly a token was refused: for logs and events, never part of an answer. */
export type RejectionReason = (typeof rejectionReasons)[number]

/** The body of a refusal (RFC 9457), served as `application/problem+json`. */
export interface Problem {
  readonly type: 'about:blank'
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: AuthErrorCode
}

/** The body of a refusal under the option `compat`, served as `application/json`: the sentence under one name. */
export type TwinAnswer = { readonly detail: string } | { readonly msg: string }

/** What `TwinAnswer` calls its sentence. */
export type TwinAnswerName = 'detail' | 'msg'

const titles: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  422: 'Unprocessable Content',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
}

/** What a status is called in a problem and in a status line. */
export function titleOf(status: number): string {
  return titles[status] ?? 'Error'
}

/** Marks our errors across copies of the package, where `instanceof` fails. */
const brand = Symbol.for('tallystick.AuthError')

/** What an `AuthError` may be told beside its code. */
export interface AuthErrorFacts {
  /** The public sentence, where it differs from the one in the table. */
  readonly message?: string
  /** Replaces the status of the table (option `statusCodes`). */
  readonly status?: number
  /** The fine reason (a word) or the error underneath; never sent to a client. */
  readonly cause?: unknown
  /** Seconds since the sign-in that are acceptable, for the challenge of RFC 9470. */
  readonly maxAgeSeconds?: number
  /** Makes the body plain JSON of that one member (option `compat`), in place of a problem. */
  readonly answerName?: TwinAnswerName | undefined
}

/**
 * A request that was refused.
 *
 * Carries what the default error handlers of the frameworks read (`status`, `statusCode`, `expose`,
 * `headers`, `getResponse()`), so that a refusal thrown in a handler does not become a 500.
 *
 * @see RFC 9457 (problem details), RFC 6750 section 3 (challenge), RFC 9470 (step-up)
 */
export class AuthError extends Error {
  /** Tells our errors from others, also when two copies of the package are loaded. */
  static is(value: unknown): value is AuthError
  static is<Code extends AuthErrorCode>(
    value: unknown,
    code: Code,
  ): value is AuthError & { readonly code: Code }
  static is(value: unknown, code?: AuthErrorCode): boolean {
    if (typeof value !== 'object' || value === null || !(brand in value)) return false
    return code === undefined || (value as Partial<AuthError>).code === code
  }

  readonly code: AuthErrorCode
  readonly status: number
  readonly statusCode: number
  /** Says to http-errors style handlers that `message` may be shown. */
  readonly expose: boolean = true
  /** Header fields of the answer, lower-case. */
  readonly headers: Readonly<Record<string, string>>
  /** Seconds since the sign-in that would have been acceptable (`fresh_token_required` with `within`). */
  readonly maxAgeSeconds?: number
  readonly #answerName: TwinAnswerName | undefined

  constructor(code: AuthErrorCode, facts: AuthErrorFacts = {}) {
    const entry = errorCodes[code]
    const message = facts.message ?? entry.message
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause })
    this.code = code
    this.status = facts.status ?? entry.status
    this.statusCode = this.status
    if (facts.maxAgeSeconds !== undefined) this.maxAgeSeconds = facts.maxAgeSeconds
    this.#answerName = facts.answerName
    const mediaType = facts.answerName === undefined ? 'application/problem+json' : 'application/json'
    this.headers = {
      'content-type': mediaType,
      ...problemHeaders(code, this.status, message, facts.maxAgeSeconds),
    }
    Object.defineProperty(this, brand, { value: true })
  }

  static {
    Object.defineProperty(this.prototype, 'name', { value: 'AuthError' })
  }

  /** The body, ready for `JSON.stringify`: the RFC 9457 object, or that of the option `compat`. */
  toJSON(): Problem | TwinAnswer {
    const { code, message, status } = this
    if (this.#answerName === 'detail') return { detail: message }
    if (this.#answerName === 'msg') return { msg: message }
    return { type: 'about:blank', title: titleOf(status), status, detail: message, code }
  }

  /** The whole answer as a Fetch API `Response`; each call makes a new one. */
  getResponse(): Response {
    return new Response(JSON.stringify(this), { status: this.status, headers: { ...this.headers } })
  }
}

function problemHeaders(
  code: AuthErrorCode,
  status: number,
  message: string,
  maxAgeSeconds: number | undefined,
): Record<string, string> {
  const headers: Record<string, string> = { 'cache-control': 'no-store' }
  if (status === 401) headers['www-authenticate'] = challenge(errorCodes[code], message, maxAgeSeconds)
  if (status === 503) headers['retry-after'] = String(1 + Math.floor(Math.random() * 3))
  return headers
}

/** RFC 6750 section 3: the description takes no quote and no backslash. */
function challenge(entry: CodeEntry, message: string, maxAgeSeconds: number | undefined): string {
  if (entry.challenge === undefined) return 'Bearer'
  const description = message.replaceAll(/[^\x20\x21\x23-\x5b\x5d-\x7e]/g, "'")
  const maxAge = maxAgeSeconds === undefined ? '' : `, max_age="${maxAgeSeconds}"`
  return `Bearer error="${entry.challenge}", error_description="${description}"${maxAge}`
}

/** A refusal for which the public gets one sentence and the operator the reason. */
export function invalidToken(reason: RejectionReason): AuthError {
  return new AuthError('token_invalid', { cause: reason })
}

/** The fine reason of a refusal; a text of somebody else is none. */
export function reasonOf({ cause }: AuthError): RejectionReason | undefined {
  return rejectionReasons.find((reason) => reason === cause)
}
