/** The checks that stand between a request and its identity, in their fixed order; publishes nothing before the last one. */

import { checkCsrf, demandCsrfValue, readCsrfValue } from './csrf.ts'
import { ask, unavailable } from './deadline.ts'
import type { Engine } from './engine.ts'
import { AuthError } from './errors.ts'
import { guardNames } from './guard.ts'
import type { Guard } from './guard.ts'
import { demandSize } from './jws.ts'
import { findToken } from './location.ts'
import type { FoundToken } from './location.ts'
import { chain, settle } from './maybe.ts'
import type { MaybePromise } from './maybe.ts'
import { isNavigation, isOriginAllowed } from './origin.ts'
import { ownOptions } from './own.ts'
import { isHandshake } from './request.ts'
import type { AuthRequest } from './request.ts'
import { clockSkewSeconds } from './token.ts'
import type { Claims, TokenType } from './claims.ts'
import type { VerifiedToken } from './token.ts'

/** Who a request comes from, once everything was checked. */
export interface Identity {
  readonly token: string
  readonly verified: VerifiedToken
  readonly location: FoundToken['location']
  /** What `userLookup` gave. */
  readonly user: unknown
  /** Whether denylist and store were asked, or need not be. */
  readonly isRevocationChecked: boolean
}

/** What is to be known of the way to a refusal: by observers where it was, by the refusal's words which token. */
export interface Trace {
  location: FoundToken['location'] | undefined
  token: string | undefined
}

/**
 * Runs a guard; `null` where an optional one found no token.
 *
 * Order: size and ambiguity, token present, origin, CSRF value present, signature, claims, type, freshness,
 * CSRF compare, revocation, user. Stays synchronous unless something has to be waited for.
 *
 * @param known What an earlier guard of the same request found out: its token is not looked up again.
 * @param trace Is told where the token was found, also when it is then refused.
 */
export function runGuard(
  engine: Engine,
  request: AuthRequest,
  guard: Guard,
  known: Identity | null,
  trace: Trace,
): MaybePromise<Identity | null> {
  const names = engine.names[guard.type]
  const found: MaybePromise<FoundToken | null> =
    guard.token === undefined
      ? findToken(request, guard.locations, names)
      : guard.token === null
        ? null
        : { token: guard.token, location: 'given' }
  return chain(found, (token) => {
    if (token === null) {
      if (guard.isOptional) return null
      throw new AuthError('token_missing', { message: names.dialect.missing(request, guard, names) })
    }
    trace.location = token.location
    trace.token = token.token
    return checkToken(engine, request, guard, token, known)
  })
}

function checkToken(
  engine: Engine,
  request: AuthRequest,
  guard: Guard,
  { token, location }: FoundToken,
  known: Identity | null,
): MaybePromise<Identity> {
  demandSize(token)
  const { comparesCsrfFirst } = engine.dialect
  return chain(demandCsrf(engine, request, guard, location), (csrfValue) => {
    const compare =
      csrfValue === null ? undefined : (claims: Claims) => checkCsrf(engine.isEqual, csrfValue, claims)
    return chain(engine.tokens.verify(token, 0, comparesCsrfFirst ? compare : undefined), (verified) => {
      if (comparesCsrfFirst) compare?.(verified.claims)
      checkType(guard, verified)
      checkFreshness(engine, guard.fresh, verified)
      if (!comparesCsrfFirst) compare?.(verified.claims)
      const isKnown = known?.token === token
      if (isKnown && known.isRevocationChecked) return known
      const isRevocationChecked = isRevocationCheckDue(guard, verified)
      const check = isRevocationChecked
        ? checkRevocation(engine, verified.claims, guard.willRotate)
        : undefined
      return chain(check, () =>
        chain(isKnown ? known.user : findUser(engine, verified), (user) => {
          return { token, verified, location, user, isRevocationChecked }
        }),
      )
    })
  })
}

/** Verifies a token without a request: what `auth.verify` does. */
export function verifyToken(
  engine: Engine,
  token: string,
  expect: { readonly type?: TokenType | undefined; readonly fresh?: boolean | undefined },
): MaybePromise<VerifiedToken['claims']> {
  const { type = 'access', fresh = false } = ownOptions(expect, 'verify()', ['type', 'fresh'])
  if (typeof token !== 'string') throw new TypeError('verify() takes a token, which is a string')
  if (!Object.hasOwn(typeMessages, type)) throw new TypeError("expect.type must be 'access' or 'refresh'")
  const guard = engine.guards[guardNames[type]]
  return chain(engine.tokens.verify(token), (verified) => {
    checkType(guard, verified)
    checkFreshness(engine, fresh, verified)
    return chain(checkRevocation(engine, verified.claims, false), () => verified.claims)
  })
}

/** The claims of a token that somebody wants to revoke; `null` where it has expired by itself. @throws {AuthError} */
export async function claimsToRevoke(engine: Engine, token: unknown): Promise<Claims | null> {
  if (typeof token !== 'string') return demandClaims(token)
  try {
    return (await engine.tokens.verify(token)).claims
  } catch (error) {
    if (AuthError.is(error, 'token_expired')) return null
    throw error
  }
}

function demandClaims(value: unknown): Claims {
  const { sub, jti, type } = Object(value) as Partial<Claims>
  const isComplete = [sub, jti].every((claim) => typeof claim === 'string' && claim !== '')
  if (isComplete && (type === 'access' || type === 'refresh')) return value as Claims
  throw new TypeError('revokeToken() takes a token, or the claims of one with sub, jti and type')
}

/** The value to compare later, or `null` where this request needs none. */
function demandCsrf(
  engine: Engine,
  request: AuthRequest,
  guard: Guard,
  location: FoundToken['location'],
): MaybePromise<string | null> {
  // A token given by hand may come from a cookie: who asks for the check gets it.
  const isByHand = guard.csrfToken !== undefined || (location === 'given' && guard.csrf === 'always')
  if (location !== 'cookies' && !isByHand) return null
  // A handshake is a GET, but what it opens can do anything, and its answer is no secret to the page that sent it.
  const isChecked = guard.csrf !== 'methods' || engine.isCsrfMethod(request.method) || isHandshake(request)
  if (!isChecked) return null
  // A document that the user navigates to can send no header; its fetch metadata stand in for both layers.
  if (guard.csrf === 'navigation' && isNavigation(request)) return null
  checkOrigin(engine, request)
  if (!engine.options.cookieCsrfProtect || guard.csrf === 'later') return null
  if (guard.csrfToken !== undefined) return demandCsrfValue(guard.csrfToken)
  const { csrfHeader, csrfField } = engine.names[guard.type]
  return chain(readCsrfValue(request, csrfHeader, csrfField), demandCsrfValue)
}

/**
 * Refuses what another site sent. Every browser names the origin of a WebSocket handshake, and nothing but this keeps
 * other sites from it where CSRF protection is off: there it is demanded, and no option leaves it out.
 *
 * @throws {AuthError} `origin_forbidden`
 */
export function checkOrigin(engine: Engine, request: AuthRequest): void {
  const { fetchMetadata, trustedOrigins } = engine.options
  const isSocket = isHandshake(request)
  if (isSocket && request.header('origin') === undefined) throw new AuthError('origin_forbidden')
  if ((fetchMetadata || isSocket) && !isOriginAllowed(request, trustedOrigins)) {
    throw new AuthError('origin_forbidden')
  }
}

const typeMessages: Readonly<Record<TokenType, string>> = {
  access: 'Only access tokens are allowed',
  refresh: 'Only refresh tokens are allowed',
}

/** A token made for another purpose says so: by `typ`, by `type`, or by claims that only the other type has. */
export function checkType(guard: Guard, { header, claims }: VerifiedToken): void {
  const typ = header['typ']
  const isJwt = typ === undefined || (typeof typ === 'string' && typ.toLowerCase() === 'jwt')
  const isEither = claims.type === 'access' || claims.type === 'refresh'
  const isMixed = claims.type === 'access' ? claims.gen !== undefined : claims.fresh !== undefined
  const isRight = guard.isTypeChecked ? claims.type === guard.type : isEither
  if (isJwt && isRight && !isMixed) return
  throw new AuthError('wrong_token_type', { message: typeMessages[guard.type] })
}

function checkFreshness(engine: Engine, fresh: Guard['fresh'], { claims, payload }: VerifiedToken): void {
  if (fresh === false) return
  if (fresh === true) {
    if (claims.fresh === true) return
    // Under a preset it may be a time instead, up to which the token is fresh.
    const until = Object.hasOwn(payload, 'fresh') ? payload['fresh'] : undefined
    if (typeof until === 'number' && until >= engine.options.clock()) return
    throw new AuthError('fresh_token_required')
  }
  const ageSeconds = engine.options.clock() - (claims.auth_time ?? Number.NaN)
  if (!(ageSeconds <= fresh && ageSeconds >= -clockSkewSeconds))
    throw new AuthError('fresh_token_required', { maxAgeSeconds: fresh })
}

/** A refresh token lives long: no option lets one pass unchecked. */
function isRevocationCheckDue(guard: Guard, { claims }: VerifiedToken): boolean {
  return guard.checksRevocation || claims.type === 'refresh'
}

/**
 * Asks the denylist and the store.
 *
 * @param willRotate Whether the refresh token is about to be rotated, which judges it in the same step.
 * @throws {AuthError} `token_revoked` · `refresh_reused` · `store_unavailable` · …
 */
export function checkRevocation(engine: Engine, claims: Claims, willRotate: boolean): MaybePromise<void> {
  return chain(checkDenylist(engine, claims), () => engine.sessions?.check(claims, willRotate))
}

/** Asks the store itself, whatever this process knows. @throws as `checkRevocation` */
export function checkRevocationInStore(engine: Engine, claims: Claims): MaybePromise<void> {
  return chain(checkDenylist(engine, claims), () => engine.sessions?.checkInStore(claims))
}

function checkDenylist({ options }: Engine, claims: Claims): MaybePromise<void> {
  const { denylist, denylistEnabled, denylistTokenChecks, storeTimeout } = options
  if (denylist === undefined || !denylistEnabled || !denylistTokenChecks.includes(claims.type)) return
  return chain(
    ask(() => denylist(claims), storeTimeout, 'The denylist', { given: claims }),
    (isRevoked) => {
      if (isRevoked === true) throw new AuthError('token_revoked')
      if (isRevoked !== false)
        throw unavailable(new TypeError('The denylist answered with something that is no boolean'))
    },
  )
}

/** Whom `userLookup` knows by these claims. An error of the look-up itself is the application's own, and passes as it is. */
export function findUser(engine: Engine, { claims }: VerifiedToken): MaybePromise<unknown> {
  const { userLookup } = engine.options
  if (userLookup === undefined) return undefined
  return chain(settle(userLookup(claims)), (user) => {
    if (user === null || user === undefined || user === false) throw new AuthError('user_not_found')
    return user
  })
}
