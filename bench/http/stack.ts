// One server that is measured: a framework with what protects its routes, or with nothing.

/** What a browser that has signed in sends along. */
export interface Credentials {
  readonly cookie: string
  /** Besides, with a POST. */
  readonly headers: Readonly<Record<string, string>>
  /** Besides, with a refresh, where that is something else. */
  readonly refreshHeaders?: Readonly<Record<string, string>>
}

/**
 * A server with `GET /` and `POST /`, protected or open, and where it can sign in, `POST /login` and `POST /refresh`.
 * It answers with the user it knows, so that nothing is measured that did not happen.
 */
export interface Stack {
  /** Listens on a port of its own choice on 127.0.0.1. */
  listen(): Promise<number>
  /** Signs so many users in; each gets a token of their own. */
  signIn(count: number): Promise<readonly Credentials[]>
}

/** What a route says: who the protected one let in, or that the open one asks nobody. */
export interface Answer {
  readonly user: string
}

export const nobody: Answer = { user: 'nobody' }

/** One secret for all, as long as the longest that anyone asks for. */
export const secret = 'a secret of sixty-four bytes, made for measurements and for nothing'

export const accessSeconds = 900

export const refreshSeconds = 30 * 86_400

/** What all that sign in by hand put into a token, as tallystick does. */
export function claimsOf(user: string, type: 'access' | 'refresh'): Record<string, string | number> {
  const now = Math.floor(Date.now() / 1000)
  const exp = now + (type === 'access' ? accessSeconds : refreshSeconds)
  return { sub: user, iat: now, nbf: now, jti: crypto.randomUUID(), exp, type, auth_time: now }
}
