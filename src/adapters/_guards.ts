/** What all adapters share: the four guards under their names, made by whatever a guard is in the framework. */

import { demandAuth } from '../core/auth.ts'
import type { Auth } from '../core/auth.ts'
import type { Authorize } from '../core/authorize.ts'
import type { FreshGuardOptions, Guard, GuardName, GuardOptions } from '../core/guard.ts'
import type { UserClaimsSchema } from '../core/schema.ts'

/** The guards of an adapter; `Result` is the framework's kind of middleware. */
export interface Guards<Result> {
  /** Demands a valid access token. */
  readonly jwtRequired: (options?: GuardOptions) => Result
  /** Lets requests without a token pass as nobody's. */
  readonly jwtOptional: (options?: GuardOptions) => Result
  /** Demands a valid refresh token. */
  readonly jwtRefreshTokenRequired: (options?: GuardOptions) => Result
  /** Demands a token straight from a sign-in. */
  readonly freshJwtRequired: (options?: FreshGuardOptions) => Result
}

/** Makes the guards. @throws {TypeError} when `auth` is no `Auth` */
export function createGuards<Schema extends UserClaimsSchema, User, Result>(
  adapter: string,
  auth: Auth<Schema, User>,
  wrap: (guard: Guard) => Result,
): Guards<Result> {
  demandAuth(auth, adapter)
  const make = (name: GuardName) => (options?: FreshGuardOptions) => wrap(auth.createGuard(name, options))
  return {
    jwtRequired: make('jwtRequired'),
    jwtOptional: make('jwtOptional'),
    jwtRefreshTokenRequired: make('jwtRefreshTokenRequired'),
    freshJwtRequired: make('freshJwtRequired'),
  }
}

/** Runs a guard for a framework of callbacks; calls back at once unless something has to be waited for. */
export function passGuard<Schema extends UserClaimsSchema, User>(
  authorize: Authorize<Schema, User>,
  guard: Guard,
  next: () => void,
  refuse: (error: unknown) => unknown,
): void {
  let passed: unknown
  try {
    passed = authorize.pass(guard)
  } catch (error) {
    refuse(error)
    return
  }
  if (passed instanceof Promise) passed.then(() => next(), refuse)
  else next()
}
