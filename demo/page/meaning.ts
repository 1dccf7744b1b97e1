// One plain sentence for each exchange. It decides nothing: it reads what was sent and what came back.

import type { Exchange } from './requests.ts'

export type Circumstances = { csrfProtected: boolean; signedInBefore: boolean; signedInNow: boolean }

type Sentence = string | ((exchange: Exchange, circumstances: Circumstances) => string)

/** The most telling key wins: path and code, then path and status, then the code alone. */
const sentences = new Map<string, Sentence>([
  [
    '/login 200',
    (_, { csrfProtected, signedInNow }) => {
      if (!csrfProtected) return 'Signed in: two token cookies were set, and script can read neither.'
      if (signedInNow) return 'Signed in: script can read the two new CSRF values, but not the two tokens.'
      return 'Signed in, but the browser dropped the cookies: use http://localhost in Chrome, Edge or Firefox.'
    },
  ],
  ['/login 401', 'Wrong user name or password, so no cookie was set.'],
  ['/login 422', 'The server wants both fields, as text.'],
  [
    '/protected 200',
    (_, { csrfProtected }) =>
      csrfProtected
        ? 'The access token was accepted; no CSRF header is needed for GET.'
        : 'The access token was accepted.',
  ],
  [
    '/protected token_missing',
    ({ call }, { signedInBefore }) => {
      if (call.cookies === 'left out') return 'No cookie came along, so for the server nobody is signed in.'
      if (signedInBefore)
        return 'No access token came along, as its cookie is gone: refresh to get a new one.'
      return 'No access token came along: you are signed out.'
    },
  ],
  [
    '/refresh 200',
    ({ csrfCookie }, { csrfProtected }) => {
      if (!csrfProtected) return 'The refresh cookie alone was enough, because CSRF protection is off.'
      if (csrfCookie === null) return 'A new access token was set.'
      return 'Both halves matched, so a new access token was set, with a new CSRF value.'
    },
  ],
  ['/refresh token_missing', 'No refresh token came along: sign in first.'],
  ['/logout 200', 'Signed out: the cookies were removed.'],
  ['csrf_missing', 'The cookie came without its other half, as it would from a foreign site: refused.'],
  ['csrf_mismatch', 'The header does not belong to this token, perhaps because of another tab: try again.'],
  ['token_expired', 'The token is genuine, but its time is over: refresh to get a new one.'],
  ['token_invalid', 'This server did not sign that token; it may have a new secret: sign out, then sign in.'],
  ['token_revoked', 'This token was withdrawn: sign in again.'],
  ['origin_forbidden', 'The request came from another site, so it was refused.'],
])

export function meaningOf(exchange: Exchange, circumstances: Circumstances): string {
  const {
    call: { path },
    status,
    code,
  } = exchange
  if (status === 0) return 'The server did not answer. Is it still running?'
  const keys = [`${path} ${code}`, `${path} ${status}`, `${code}`]
  const sentence = keys.map((key) => sentences.get(key)).find((found) => found !== undefined)
  if (typeof sentence === 'function') return sentence(exchange, circumstances)
  if (sentence !== undefined) return sentence
  return status < 500 ? 'The server refused this request.' : 'The server failed; its console says why.'
}
