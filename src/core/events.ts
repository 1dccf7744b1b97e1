/** Tells observers what was decided, through `onEvent` and the diagnostics channel; never decides anything itself. */

import { channel } from 'node:diagnostics_channel'
import type { AuthErrorCode, RejectionReason } from './errors.ts'
import type { FoundToken } from './location.ts'
import { settle } from './maybe.ts'

/** What happened. No event holds a token, a key, a CSRF value or a claim. */
export type AuthEvent =
  | {
      readonly type: 'rejected'
      readonly code: AuthErrorCode
      /** The fine reason, where the code has several. */
      readonly reason?: RejectionReason
      /** Where the token came from, as far as one was found. */
      readonly location?: FoundToken['location']
      /** The refused origin (`origin_forbidden`); an origin is no secret. */
      readonly origin?: string
      /** What the operator can do about it. */
      readonly remedy?: string
    }
  | {
      readonly type: 'cookie.insecure_transport'
      readonly host: string
      readonly remedy: string
    }
  | {
      /** A sign-in, a refresh, and one that came with the token before it, as racing tabs do. */
      readonly type: 'session.created' | 'session.rotated' | 'session.grace'
    }
  | {
      /** A refresh token that had long been replaced came back: it was copied, or its answer got lost. */
      readonly type: 'session.reused'
      /** How many generations it is behind the newest one. */
      readonly distance: number
      /** How long ago the newest one was made. */
      readonly ageSeconds: number
      /** Whether this has ended the session. */
      readonly hasEnded: boolean
    }
  | {
      readonly type: 'session.revoked'
      /** How many sessions, tokens and subjects. */
      readonly count: number
    }
  | {
      /** The store does not answer as it should, and does again; once each. */
      readonly type: 'store.unavailable' | 'store.recovered'
    }
  | {
      /** The key set of `jwksUri` cannot be fetched, and can again; once each. The last one goes on serving. */
      readonly type: 'keys.unavailable' | 'keys.recovered'
    }
  | {
      /** The store works, or the key set could be fetched, but an operator should put something right. */
      readonly type: 'store.warning' | 'keys.warning'
      readonly remedy: string
    }

/** Publishes events; costs nothing while nobody listens. */
export interface Emitter {
  /** Whether an event would reach anyone: ask before building one. */
  readonly active: () => boolean
  readonly emit: (event: AuthEvent) => void
}

/** Joins the option `onEvent` and the channel `tallystick` of `node:diagnostics_channel`. */
export function createEmitter(onEvent: ((event: AuthEvent) => void) | undefined): Emitter {
  const subscribers = channel('tallystick')
  return {
    active: () => onEvent !== undefined || subscribers.hasSubscribers,
    emit(event) {
      if (subscribers.hasSubscribers) subscribers.publish(event)
      if (onEvent === undefined) return
      try {
        const result = settle<unknown>(onEvent(event))
        if (result instanceof Promise) result.catch(warn)
      } catch {
        warn()
      }
    },
  }
}

/** An observer that fails must not turn a refusal into something else; what it threw may hold anything. */
function warn(): void {
  globalThis.process?.emitWarning?.('tallystick: onEvent threw an error, which was ignored')
}
