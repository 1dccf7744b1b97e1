/** The shape of a row of the attack tables; holds no row itself. */

import type { AuthErrorCode, AuthOptions, GuardOptions, RejectionReason } from '../src/index.ts'
import type { Wire, World } from './_wire.ts'

/** One request against a protected route, or against sign-in, refresh or sign-out. */
export interface Sent {
  readonly note: string
  readonly wire: (world: World) => Wire
  /** `port` for what a `Request` cannot carry; else both doors are tried. */
  readonly door?: 'port'
  readonly via?: 'guard' | 'refresh' | 'login' | 'logout'
  readonly guard?: GuardOptions
  readonly code: AuthErrorCode | 'passed'
  readonly reason?: RejectionReason
  /** What Set-Cookie is there, by kind; none unless stated. */
  readonly cookies?: 'deletions' | 'tokens'
  readonly options?: AuthOptions
}

/** Options that `createAuth` must refuse. */
export interface Refused {
  readonly note: string
  /** As JavaScript would pass them, so of any type. */
  readonly options: Readonly<Record<string, unknown>>
  /** The option that the message must name. */
  readonly names: string
}

/** Anything that is no single request. */
export interface Proved {
  readonly note: string
  readonly prove: () => Promise<void> | void
}

/** One row of the catalogue with its neighbours. */
export interface Row {
  readonly id: number
  readonly input: string
  readonly sent?: readonly Sent[]
  readonly refused?: readonly Refused[]
  readonly proved?: readonly Proved[]
}
