/** Describes an `Auth` in OpenAPI 3.1: where its tokens travel, what a guard asks for, how it refuses. */

import { demandAuth } from './core/auth.ts'
import type { Auth } from './core/auth.ts'
import { dialectOf } from './core/compat.ts'
import { createMethodRule } from './core/csrf.ts'
import { errorCodes } from './core/errors.ts'
import type { TokenType } from './core/claims.ts'
import type { AuthErrorCode, TwinAnswerName } from './core/errors.ts'
import { createGuard } from './core/guard.ts'
import type { FreshGuardOptions, GuardName } from './core/guard.ts'
import type { TokenLocation } from './core/location.ts'
import type { ResolvedOptions } from './core/options.ts'
import type { UserClaimsSchema } from './core/schema.ts'

/** A security scheme object (OpenAPI 3.1, section 4.8.27). */
export type SecurityScheme =
  | { type: 'apiKey'; in: 'cookie' | 'header' | 'query'; name: string; description: string }
  | { type: 'http'; scheme: string; bearerFormat?: 'JWT'; description: string }

/** A security requirement object: all schemes of one must be met, and one of a list. */
export type SecurityRequirement = Record<string, string[]>

/** A response object of a refusal. */
export interface RefusalResponse {
  description: string
  content: { 'application/problem+json': { schema: object } } | { 'application/json': { schema: object } }
}

/** What one operation says of itself. */
export interface SecuredOperation {
  security: SecurityRequirement[]
  /** By status, such as `'401'`. */
  responses: Record<string, { $ref: string }>
}

/** What `describeAuth` gives. */
export interface AuthDescription {
  /** To be merged into the `components` of the document. */
  readonly components: {
    securitySchemes: Record<string, SecurityScheme>
    schemas: Record<string, object>
    responses: Record<string, RefusalResponse>
  }
  /**
   * What to spread into an operation behind that guard.
   *
   * @param method The operation's method, since CSRF values are asked for by method; case does not matter.
   * @throws {TypeError} for an option that no guard has
   */
  operation(guard: GuardName, method: string, options?: FreshGuardOptions): SecuredOperation
}

/** The names that the components have in the document. */
const statusNames: ReadonlyMap<number, string> = new Map([
  [401, 'AuthUnauthorized'],
  [403, 'AuthForbidden'],
  [503, 'AuthUnavailable'],
])

/**
 * Describes an `Auth` from its resolved options.
 *
 * Tokens in a JSON body (`tokenLocation` with `'json'`) have no scheme in OpenAPI, and are left to the body's schema.
 *
 * @example
 * const { components, operation } = describeAuth(auth)
 * const paths = { '/orders': { post: { ...operation('jwtRequired', 'POST') } } }
 *
 * @throws {TypeError} when it is no `Auth`
 */
export function describeAuth<Schema extends UserClaimsSchema, User>(
  auth: Auth<Schema, User>,
): AuthDescription {
  demandAuth(auth, 'describeAuth')
  const { options } = auth
  const { answerName } = dialectOf(options.compat)
  const codes = Object.keys(errorCodes) as AuthErrorCode[]
  const statusOf = (code: AuthErrorCode): number => options.statusCodes[code] ?? errorCodes[code].status
  const refusals = codes.filter((code) => isTold(auth, code) && statusOf(code) !== 500)
  const statuses = [...new Set(refusals.map(statusOf))].toSorted((left, right) => left - right)
  const nameOf = (status: number): string => statusNames.get(status) ?? `AuthRefusal${status}`
  const isCsrfMethod = createMethodRule(options.csrfMethods)

  return {
    components: {
      securitySchemes: securitySchemes(auth),
      schemas: { AuthProblem: answerName === undefined ? problemSchema(refusals) : twinSchema(answerName) },
      responses: Object.fromEntries(
        statuses.map((status) => [
          nameOf(status),
          refusalResponse(
            refusals.filter((code) => statusOf(code) === status),
            answerName,
          ),
        ]),
      ),
    },
    operation(guardName, method, guardOptions) {
      const guard = createGuard(guardName, options.tokenLocation, guardOptions)
      const isChecked = guard.csrf === 'always' || isCsrfMethod(method.toUpperCase())
      const needsCsrf = options.cookieCsrfProtect && isChecked && guard.csrfToken === undefined
      const known = guard.locations.filter((location) => location !== 'json')
      const security = known.map((location): SecurityRequirement => {
        const names = [schemeName(guard.type, location)]
        if (location === 'cookies' && needsCsrf) names.push(`${guard.type}Csrf`)
        return Object.fromEntries(names.map((name) => [name, []]))
      })
      return {
        // An empty requirement: those without a token pass too.
        security: guard.isOptional ? [...security, {}] : security,
        responses: Object.fromEntries(
          statuses.map((status) => [String(status), { $ref: `#/components/responses/${nameOf(status)}` }]),
        ),
      }
    },
  }
}

const schemeName = (type: string, location: TokenLocation): string =>
  type + { cookies: 'Cookie', headers: 'Header', query: 'Query', json: 'Body' }[location]

/** Whether a guard of this `Auth` can refuse like that. */
function isTold<Schema extends UserClaimsSchema, User>(
  { options }: Auth<Schema, User>,
  code: AuthErrorCode,
): boolean {
  const hasCookies = options.tokenLocation.includes('cookies')
  if (code === 'csrf_missing' || code === 'csrf_mismatch') return hasCookies && options.cookieCsrfProtect
  if (code === 'origin_forbidden') return hasCookies && options.fetchMetadata
  if (code === 'cookie_ambiguous' || code === 'cookie_too_large') return hasCookies
  if (code === 'header_invalid') return options.tokenLocation.includes('headers')
  if (code === 'user_not_found') return options.userLookup !== undefined
  if (code === 'refresh_reused') return options.store !== undefined
  if (code === 'store_unavailable' && options.jwksUri !== undefined) return true
  if (code === 'token_revoked' || code === 'store_unavailable')
    return options.store !== undefined || options.denylist !== undefined
  return true
}

function securitySchemes<Schema extends UserClaimsSchema, User>({
  options,
}: Auth<Schema, User>): Record<string, SecurityScheme> {
  const schemes: Record<string, SecurityScheme> = {}
  for (const type of ['access', 'refresh'] as const) {
    const description = `The ${type} token.`
    const locations: Readonly<Record<TokenLocation, SecurityScheme | null>> = {
      cookies: {
        type: 'apiKey',
        in: 'cookie',
        name: options.cookiePrefix + options[`${type}CookieKey`],
        description,
      },
      headers: headerScheme(options, description),
      query: { type: 'apiKey', in: 'query', name: options.queryName, description },
      json: null,
    }
    for (const location of options.tokenLocation) {
      const scheme = locations[location]
      if (scheme !== null) schemes[schemeName(type, location)] = scheme
    }
    if (options.tokenLocation.includes('cookies') && options.cookieCsrfProtect) {
      schemes[`${type}Csrf`] = {
        type: 'apiKey',
        in: 'header',
        name: options[`${type}CsrfHeaderName`],
        description: csrfDescription(options, type),
      }
    }
  }
  return schemes
}

/** RFC 9110 section 11.4 where the token stands behind a scheme in `Authorization`; else a header of one's own. */
function headerScheme({ headerName, headerType }: ResolvedOptions, description: string): SecurityScheme {
  const scheme = headerType.toLowerCase()
  if (headerName.toLowerCase() !== 'authorization' || scheme === '') {
    const start = scheme === '' ? '' : ` The value begins with "${headerType} ".`
    return { type: 'apiKey', in: 'header', name: headerName, description: description + start }
  }
  if (scheme === 'bearer') return { type: 'http', scheme, bearerFormat: 'JWT', description }
  return { type: 'http', scheme, description }
}

function csrfDescription(options: ResolvedOptions, type: TokenType): string {
  const source = options.csrfInCookies
    ? `The value of the cookie ${options.cookiePrefix}${options[`${type}CsrfCookieKey`]}.`
    : 'The CSRF value that the page was given.'
  const field = options[`${type}CsrfFieldName`]
  return options.csrfCheckForm ? `${source} A form can send it as its field ${field} instead.` : source
}

/** RFC 9457 section 3.1, and the code. */
function problemSchema(codes: readonly AuthErrorCode[]): object {
  return {
    type: 'object',
    required: ['type', 'title', 'status', 'detail', 'code'],
    properties: {
      type: { type: 'string', const: 'about:blank' },
      title: { type: 'string' },
      status: { type: 'integer' },
      detail: { type: 'string' },
      code: { type: 'string', enum: [...codes] },
    },
  }
}

/** A preset of the option `compat` answers with a sentence alone. */
function twinSchema(name: TwinAnswerName): object {
  return { type: 'object', required: [name], properties: { [name]: { type: 'string' } } }
}

function refusalResponse(
  codes: readonly AuthErrorCode[],
  answerName: TwinAnswerName | undefined,
): RefusalResponse {
  const description = `Refused: ${codes.map((code) => `\`${code}\``).join(', ')}.`
  if (answerName !== undefined) {
    const twin = { $ref: '#/components/schemas/AuthProblem' }
    return { description, content: { 'application/json': { schema: twin } } }
  }
  const schema = {
    allOf: [{ $ref: '#/components/schemas/AuthProblem' }, { properties: { code: { enum: [...codes] } } }],
  }
  return {
    description,
    content: { 'application/problem+json': { schema } },
  }
}
