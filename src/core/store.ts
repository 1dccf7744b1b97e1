/** What a store of sessions and revocations does: the contract, and the table by which it judges a refresh token. */

/** The most entries of a page of the feed. */
export const maxPageEntries = 10_000

/** What was noted about a sign-in, for people to recognise it by; 256 bytes each at most. */
export interface SessionMetadata {
  readonly userAgent?: string
  readonly address?: string
  /** How long its cookies are to be kept, if the sign-in said so; stores keep it as it is. */
  readonly maxAge?: 'token' | 'session' | number
}

/** One sign-in. No token can be made from it. Times are milliseconds of the store's clock unless a name says more. */
export interface Session {
  /** The `sid` of its tokens. */
  readonly id: string
  readonly subject: string
  /** The `gen` of the newest refresh token; 0 at sign-in. */
  readonly generation: number
  /** 128 random bits of this generation, in base64url; worth nothing without the refresh token before it. */
  readonly salt: string
  /** The `iat` of this generation's tokens, in seconds. */
  readonly issuedAtSeconds: number
  /** When the user proved who they are, in seconds. */
  readonly authTimeSeconds: number
  readonly createdAt: number
  /** The last refresh, or the sign-in. */
  readonly lastSeenAt: number
  readonly rotatedAt: number | null
  /**
   * Until when an access token of this session can be accepted anywhere: the later of now and `issuedAtSeconds`, plus
   * `accessLifetime`. It only ever moves ahead.
   */
  readonly accessUntil: number
  readonly idleExpiresAt: number
  readonly expiresAt: number
  readonly revokedAt: number | null
  readonly metadata: SessionMetadata
}

/** A sign-in to be kept. Durations are milliseconds from the store's now. */
export interface NewSession {
  readonly id: string
  readonly subject: string
  readonly salt: string
  readonly issuedAtSeconds: number
  readonly authTimeSeconds: number
  /** How long an access token made now can be accepted anywhere: leeway and clock skew included. */
  readonly accessLifetime: number
  readonly idleLifetime: number
  /** The absolute end, in milliseconds since 1970. */
  readonly expiresAt: number
  readonly metadata: SessionMetadata
}

/** What else happens in the step that creates a session. */
export interface CreateOptions {
  /** A session of the same subject that ends; another subject's is left alone. */
  readonly replaces?: string | undefined
  /** The most live sessions of the subject, this one included: the longest idle ones over it end. */
  readonly limit?: number | undefined
}

/** A refresh token that was presented, and what its session becomes if it is good. */
export interface Rotation {
  readonly sid: string
  readonly subject: string
  /** The `gen` that was presented. */
  readonly generation: number
  /** For how many milliseconds after a rotation the token before it is still answered. */
  readonly grace: number
  /** Whether a token before the newest ends the session once the grace has passed. */
  readonly lateReplay: 'revoke' | 'refuse'
  /** How long an access token made now can be accepted anywhere, in milliseconds. */
  readonly accessLifetime: number
  /** `null` only judges, and writes nothing. */
  readonly successor: Successor | null
  /** For a token that belongs to no session yet. */
  readonly adoption: Adoption | null
}

/** The next generation. */
export interface Successor {
  readonly salt: string
  readonly issuedAtSeconds: number
  /** Milliseconds from the store's now. */
  readonly idleLifetime: number
}

/** What a session is made of for a refresh token that was issued without one. */
export interface Adoption {
  /** The token's own `jti` and `iat`: a revocation of either kind forbids the adoption. */
  readonly jti: string
  readonly issuedAtSeconds: number
  readonly authTimeSeconds: number
  /** The absolute end, in milliseconds since 1970. */
  readonly expiresAt: number
  readonly metadata: SessionMetadata
}

/** What a presented refresh token turned out to be. */
export type Outcome = 'rotated' | 'kept' | 'grace' | 'reused' | 'late' | 'unknown' | 'revoked' | 'expired'

/** What a rotation came to. */
export interface RotateResult {
  readonly outcome: Outcome
  /** The session as it is after this step; `null` where there is none, or it is another subject's. */
  readonly session: Session | null
  /** The entries that this step made: of a reused token, the end of its session. */
  readonly revoked: readonly Revocation[]
  /** The store's clock, in milliseconds. */
  readonly now: number
}

/** Something that is accepted no more. */
export interface Revocation {
  /** A session by its `sid`, one token by its `jti`, or a subject's tokens that belong to no session. */
  readonly kind: 'session' | 'token' | 'subject'
  readonly id: string
  /** Of a subject: tokens with an `iat` up to here are meant, in seconds; else `null`. */
  readonly cutSeconds: number | null
  /**
   * When nothing that is meant can be accepted any more, and the entry may be forgotten. An entry that is published
   * again never moves this, or `cutSeconds`, back, and then comes last in the feed.
   */
  readonly until: number
}

/** What to end. */
export type RevokeTarget =
  | {
      readonly kind: 'session'
      readonly sid: string
      /** Ends it only if it is this subject's. */
      readonly subject?: string | undefined
      readonly accessLifetime: number
    }
  | {
      /** The cut of its entry is the store's now, in whole seconds: rounded down. */
      readonly kind: 'subject'
      readonly subject: string
      /** A session that stays. */
      readonly except?: string | undefined
      readonly accessLifetime: number
      /** How long tokens without a session can be accepted or adopted, in milliseconds from now. */
      readonly tokenLifetime: number
    }
  | {
      readonly kind: 'token'
      readonly jti: string
      /** Whose it is: of two steps, this and the token's adoption, the later one sees the earlier. */
      readonly subject: string
      /** Until when the token can be accepted anywhere, in milliseconds since 1970. */
      readonly until: number
    }

/** What a revocation check is told of a token. */
export interface TokenFacts {
  readonly subject: string
  readonly jti: string
  readonly sid?: string | undefined
  /** `iat`; a token without one counts as made at the beginning of time. */
  readonly issuedAtSeconds: number
}

/** What a store says of itself when it is opened. */
export interface StoreState {
  /** Changes when the data was lost. For operators and tests; not read by `Auth`. */
  readonly feedId: string
  /** When this data began; sessions from before have been forgotten, so their tokens are accepted no more. */
  readonly bornAt: number
  /** The store's clock, in milliseconds. That of `open` is for operators and tests; not read by `Auth`. */
  readonly now: number
}

/** What `open` gives. */
export interface OpenedStore extends StoreState {
  /** The version of the schema. For operators and tests; not read by `Auth`. */
  readonly version: number
  /** What an operator should put right, each a sentence without any value of a user. */
  readonly warnings: readonly string[]
}

/** A part of the revocations. */
export interface RevocationPage extends StoreState {
  readonly entries: readonly Revocation[]
  /** Where the next read begins; opaque. */
  readonly cursor: string
  /** Whether the next read would give more at once. */
  readonly more: boolean
}

/**
 * Keeps sessions and revocations. `storeContract` of `tallystick/testing` proves an implementation.
 *
 * Every method is one atomic step, is idempotent, rejects on any doubt, and never answers from a replica.
 */
export interface Store {
  /** Creates or upgrades the schema, safe beside others that do the same; rejects data that needs a newer reader. */
  open(): Promise<OpenedStore>
  /** Inserts a session and ends those that make way; a session of that id which exists is returned unchanged. */
  create(
    session: NewSession,
    options?: CreateOptions,
  ): Promise<{ readonly session: Session; readonly revoked: readonly Revocation[] }>
  /**
   * Judges a refresh token by `judge` and writes what follows; `reused` ends the session in the same step.
   *
   * With `adoption` a session that does not exist is created and rotated, unless the token or its subject was revoked
   * (`revoked`) or its absolute end has passed (`expired`).
   */
  rotate(rotation: Rotation): Promise<RotateResult>
  /** One session, an ended one too, until its absolute end. */
  get(sid: string): Promise<Session | null>
  /** The live sessions of a subject, newest first. */
  list(subject: string): Promise<readonly Session[]>
  /**
   * Ends what the target names, and makes the entries for others to read in the same step. A session that is unknown, or
   * another subject's, gives `[]`; one that has ended already gives its entry again.
   */
  revoke(target: RevokeTarget): Promise<readonly Revocation[]>
  /**
   * Whether an entry concerns this token, or its session is older than the data. Entries of subjects concern only tokens
   * without `sid`.
   */
  isRevoked(token: TokenFacts): Promise<boolean>
  /**
   * The entries made since `cursor`, at most `maxPageEntries` (10,000) in a page; all live ones for `null` and for a
   * cursor that is of no use. An entry may come twice but is never left out; a page may be empty.
   */
  revocations(cursor: string | null, signal: AbortSignal): Promise<RevocationPage>
  /** Calls `wake` when there may be news: a hint, which may be lost, late or false. Returns what stops it. */
  watch?(wake: () => void): () => void
  /** Deletes at most `limit` rows and entries past their end, safe beside others; returns how many. */
  sweep(limit: number): Promise<number>
  /** Lets go of what the store opened itself; never ends a client that it was given. */
  close(): Promise<void>
}

/**
 * The table of outcomes. The first line that fits decides.
 *
 * A generation never advances twice within one grace, so tabs that race cannot look like theft. A clock that stepped
 * back past the last rotation leaves the age unknown: then the newest token rotates, and the one before it is only
 * refused.
 */
export function judge(
  session: Session | null,
  { subject, generation, grace, lateReplay }: Rotation,
  now: number,
): Outcome {
  if (session === null || session.subject !== subject) return 'unknown'
  if (session.revokedAt !== null) return 'revoked'
  if (now >= session.expiresAt || now >= session.idleExpiresAt) return 'expired'
  const isWithinGrace = session.rotatedAt !== null && Math.abs(now - session.rotatedAt) <= grace
  // We signed it, so it was current once: the store has lost a write.
  if (generation > session.generation) return 'rotated'
  if (generation === session.generation) return isWithinGrace ? 'kept' : 'rotated'
  if (generation < session.generation - 1) return 'reused'
  if (isWithinGrace) return 'grace'
  // By a clock that stepped back nobody knows how late it is: it gets nothing, and ends nothing.
  const isAgeKnown = session.rotatedAt === null || now >= session.rotatedAt
  return isAgeKnown && lateReplay === 'revoke' ? 'reused' : 'late'
}

/** Whether a token with this `iat` is meant by a subject's entry: the same second is. */
export function isCut(cutSeconds: number | null, issuedAtSeconds: number): boolean {
  return cutSeconds !== null && !(issuedAtSeconds > cutSeconds)
}

/** Whether a session's token is older than the data of the store. */
export function isBeforeBirth(bornAt: number, issuedAtSeconds: number): boolean {
  return !(issuedAtSeconds >= Math.floor(bornAt / 1000))
}
