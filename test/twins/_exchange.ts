// The shape of what was recorded of a Python service, and the tokens in it; holds no recording itself.

import { forge } from '../_setup.ts'

/** The secret of the services that were recorded. */
export const twinSecret = 'secret'

export const jwtHeader = { alg: 'HS256', typ: 'JWT' }

/** A token of the recording: what is in it, in its order, and the signature that the service gave it. */
export interface RecordedToken {
  readonly claims: Readonly<Record<string, unknown>>
  readonly signature: string
}

/** A token signed with the recorded secret. */
export function signed(claims: unknown, header: unknown = jwtHeader): string {
  return forge(header, claims, twinSecret)
}

/** A request, and what the service answered. */
export interface Exchange {
  readonly title: string
  readonly method?: 'GET' | 'POST' | 'DELETE'
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly status: number
  readonly body: unknown
  /** Set-Cookie: names, and their attributes in alphabetical order. */
  readonly cookies?: Readonly<Record<string, readonly string[]>>
  /** What the service did instead, where it was wrong. */
  readonly defect?: string
}

/** The cookies of a sign-in, which no attribute but these protects. */
export const setAccess = {
  access_token_cookie: ['HttpOnly', 'Path=/'],
  csrf_access_token: ['Path=/'],
}
export const setBoth = {
  ...setAccess,
  refresh_token_cookie: ['HttpOnly', 'Path=/'],
  csrf_refresh_token: ['Path=/'],
}
