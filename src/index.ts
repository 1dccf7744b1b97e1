/** The public surface: what makes an `Auth`, what it throws, and the types of both. */

export { createAuth } from './core/auth.ts'
export { optionsFromEnv } from './core/environment.ts'
export { AuthError } from './core/errors.ts'
export type { Auth, ClaimsOf, VerifyExpectations } from './core/auth.ts'
export type { Authorize } from './core/authorize.ts'
export type { Compat } from './core/compat.ts'
export type { CookieOptions } from './core/cookie-writer.ts'
export type { CookieScope } from './core/cookie.ts'
export type { Duration } from './core/duration.ts'
export type {
  AuthErrorCode,
  AuthErrorFacts,
  Problem,
  RejectionReason,
  TwinAnswer,
  TwinAnswerName,
} from './core/errors.ts'

export type { AuthEvent } from './core/events.ts'
export type { FreshGuardOptions, GuardOptions } from './core/guard.ts'
export type { JsonObject, JsonValue } from './core/json.ts'
export type { Algorithm } from './core/jws.ts'
export type { EncryptionOptions } from './core/encryption-key.ts'
export type { JwksAnswer, JwksOptions, JwksRequest } from './core/jwks.ts'
export type { Jwk, KeyInput } from './core/key-material.ts'
export type { RingKey } from './core/key-ring.ts'
export type { JwkSet, PublicJwk } from './core/public-jwk.ts'
export type { RemoteKeySettings } from './core/remote-keys.ts'
export type { SignBytes } from './core/signer.ts'
export type { TokenLocation } from './core/location.ts'
export type { AuthOptions, JwksUriOptions, ResolvedOptions } from './core/options.ts'
export type { AuthRequest, AuthResponse, ResponseTarget } from './core/request.ts'
export type {
  AnyUserClaims,
  IntegerSubjects,
  UserClaimsInput,
  UserClaimsOutput,
  UserClaimsSchema,
} from './core/schema.ts'
export type { OwnSession, OwnSessions, SessionDirectory, SessionInfo } from './core/session-access.ts'
export type { CloseSocket, SocketSession } from './core/socket-session.ts'
export type { LoginOptions, RefreshOptions, TokenPair } from './core/sign-in.ts'
export type { LogoutOptions } from './core/sign-out.ts'
export type {
  Adoption,
  CreateOptions,
  NewSession,
  OpenedStore,
  Outcome,
  Revocation,
  RevocationPage,
  RevokeTarget,
  RotateResult,
  Rotation,
  Session,
  SessionMetadata,
  Store,
  StoreState,
  Successor,
  TokenFacts,
} from './core/store.ts'
export type { ResponseOption } from './core/token-cookies.ts'
export type { Claims, RegisteredClaims, TokenType } from './core/claims.ts'
export type { AccessTokenOptions, TokenOptions } from './core/token.ts'
