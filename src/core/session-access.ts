/** Sessions as applications see them: for an operator, and for the user who is signed in; without salts. */

import type { Claims } from './claims.ts'
import type { Engine } from './engine.ts'
import { adoptedSessionId } from './generation.ts'
import { ownOptions } from './own.ts'
import type { Sessions } from './session.ts'
import type { Session } from './store.ts'

/** One sign-in; times are seconds since 1970. */
export interface SessionInfo {
  /** The `sid` of its tokens; not a secret, and good for nothing but naming the session. */
  readonly id: string
  readonly subject: string
  readonly createdAt: number
  /** When the user proved who they are. */
  readonly authTime: number
  /** The last refresh. */
  readonly lastSeenAt: number
  /** The absolute end, however often refreshed. */
  readonly expiresAt: number
  readonly revokedAt: number | null
  /** What the browser said of itself at sign-in. */
  readonly userAgent?: string
  /** What the option `clientAddress` gave at sign-in. */
  readonly address?: string
}

/** A session of the signed-in user. */
export interface OwnSession extends SessionInfo {
  /** Whether this request belongs to it. */
  readonly current: boolean
}

function infoOf({ id, subject, authTimeSeconds, metadata, ...times }: Session): SessionInfo {
  const { userAgent, address } = metadata
  return {
    id,
    subject,
    createdAt: seconds(times.createdAt),
    authTime: authTimeSeconds,
    lastSeenAt: seconds(times.lastSeenAt),
    expiresAt: seconds(times.expiresAt),
    revokedAt: times.revokedAt === null ? null : seconds(times.revokedAt),
    ...(userAgent !== undefined && { userAgent }),
    ...(address !== undefined && { address }),
  }
}

function seconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000)
}

function demandText(value: unknown, name: string): asserts value is string {
  if (typeof value === 'string' && value !== '') return
  throw new TypeError(`${name} must be a non-empty string`)
}

/** The sessions of everybody: `auth.sessions`. Every method throws `store_unavailable` when the store does not answer. */
export class SessionDirectory {
  readonly #sessions: Sessions
  readonly #engine: Pick<Engine, 'worded'>

  /** @internal */
  constructor(sessions: Sessions, engine: Pick<Engine, 'worded'>) {
    this.#sessions = sessions
    this.#engine = engine
  }

  /** The live sessions of a subject, newest first. @throws {AuthError} `store_unavailable` */
  async list(subject: string): Promise<readonly SessionInfo[]> {
    demandText(subject, 'subject')
    return this.#engine.worded(async () => (await this.#sessions.list(subject)).map(infoOf))
  }

  /** One session, an ended one too, until its absolute end. @throws {AuthError} `store_unavailable` */
  async get(id: string): Promise<SessionInfo | null> {
    demandText(id, 'id')
    const session = await this.#engine.worded(async () => this.#sessions.get(id))
    return session === null ? null : infoOf(session)
  }

  /**
   * Ends a session, with its access tokens: here at once, elsewhere within a second as long as the store answers.
   *
   * @returns whether there is such a session; one that has ended already counts.
   * @throws {AuthError} `store_unavailable`
   */
  async revoke(id: string, options: { readonly subject?: string | undefined } = {}): Promise<boolean> {
    const { subject } = ownOptions(options, 'sessions.revoke()', ['subject'])
    demandText(id, 'id')
    if (subject !== undefined) demandText(subject, 'subject')
    return this.#engine.worded(async () => this.#sessions.revocations.revokeSession(id, subject))
  }

  /** Ends all sessions of a subject, after a new password for example. @throws {AuthError} `store_unavailable` */
  async revokeAll(subject: string, options: { readonly except?: string | undefined } = {}): Promise<void> {
    const { except } = ownOptions(options, 'sessions.revokeAll()', ['except'])
    demandText(subject, 'subject')
    if (except !== undefined) demandText(except, 'except')
    await this.#engine.worded(async () => this.#sessions.revocations.revokeSubject(subject, except))
  }
}

/** The sessions of the signed-in user: `authorize.sessions`. No other user's session can be seen or ended by it. */
export class OwnSessions {
  readonly #sessions: Sessions
  readonly #engine: Pick<Engine, 'worded'>
  readonly #claims: () => Claims

  /** @internal */
  constructor(sessions: Sessions, engine: Pick<Engine, 'worded'>, claims: () => Claims) {
    this.#sessions = sessions
    this.#engine = engine
    this.#claims = claims
  }

  /** Where this user is signed in, newest first. @throws {AuthError} @throws {TypeError} when no guard has passed */
  async list(): Promise<readonly OwnSession[]> {
    const claims = this.#claims()
    const sessions = await this.#engine.worded(async () => this.#sessions.list(claims.sub))
    return sessions.map((session) => ({ ...infoOf(session), current: session.id === sessionIdOf(claims) }))
  }

  /** Ends one of this user's sessions. @returns whether there is one of that id. @throws {AuthError} */
  async revoke(id: string): Promise<boolean> {
    const { sub } = this.#claims()
    demandText(id, 'id')
    return this.#engine.worded(async () => this.#sessions.revocations.revokeSession(id, sub))
  }

  /** Ends all of this user's sessions but the one of this request. @throws {AuthError} */
  async revokeOthers(): Promise<void> {
    const claims = this.#claims()
    await this.#engine.worded(async () =>
      this.#sessions.revocations.revokeSubject(claims.sub, sessionIdOf(claims)),
    )
  }
}

/** The session of a token; a refresh token without one has been adopted into it, or would be. */
function sessionIdOf({ sub, sid, jti, type }: Claims): string | undefined {
  return sid ?? (type === 'refresh' ? adoptedSessionId(sub, jti) : undefined)
}
