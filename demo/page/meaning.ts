// One plain sentence for each exchange. It decides nothing: it reads what was sent and what came back.

import type { Note } from './notes.ts'
import { outcomeOf } from './outcome.ts'
import type { Exchange } from './requests.ts'

export type Circumstances = { csrfProtected: boolean; signedInBefore: boolean; signedInNow: boolean }

type Sentence = string | ((exchange: Exchange, circumstances: Circumstances) => string)

const notToldYet =
  'The cookies were removed; the store cannot be reached, and is told of it as soon as it is back.'

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
    '/transfer 200',
    (_, { csrfProtected }) =>
      csrfProtected
        ? 'Both halves came along and match, so it was done.'
        : 'The access cookie alone was enough.',
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
    ({ csrfRenewed }, { csrfProtected }) => {
      if (!csrfProtected) return 'The refresh cookie alone was enough, because CSRF protection is off.'
      if (csrfRenewed)
        return 'Both halves matched: both tokens are new, with new CSRF values, and the old ones are spent.'
      return 'You refreshed a moment ago, so the same tokens came back: racing tabs must not look like theft.'
    },
  ],
  ['/refresh token_missing', 'No refresh token came along: sign in first.'],
  [
    '/refresh refresh_reused',
    'That refresh token was replaced before, so somebody may have a copy: the session has ended.',
  ],
  [
    '/refresh token_revoked',
    'This session was ended elsewhere, and the cookies were removed here: sign in again.',
  ],
  ['/logout 200', 'Signed out: the session has ended, and the cookies were removed.'],
  ['/logout store_unavailable', notToldYet],
  [
    '/sessions 200',
    ({ body }) =>
      body.includes('everywhere')
        ? 'Signed out everywhere: every session of yours has ended, and the cookies were removed.'
        : 'Signed out here only: a session that has ended may not end the others. The cookies were removed.',
  ],
  ['/sessions store_unavailable', notToldYet],
  [
    '/sessions/:id 200',
    ({ call: { endsItself } }) =>
      endsItself === true
        ? 'That was this session: it has ended, and the cookies were removed.'
        : 'That session has ended: its tokens are refused from now on.',
  ],
  ['/sessions/:id 404', 'There is no such session of yours any more.'],
  [
    'store_unavailable',
    'The server cannot reach its store, so it lets nobody through. Try again in a moment.',
  ],
  ['csrf_missing', 'The cookie came without its other half, as it would from a foreign site: refused.'],
  ['csrf_mismatch', 'The header does not belong to this token, perhaps because of another tab: try again.'],
  ['token_expired', 'The token is genuine, but its time is over: refresh to get a new one.'],
  ['token_invalid', 'This server did not sign that token; it may have a new secret: sign out, then sign in.'],
  ['token_revoked', 'This session was ended elsewhere: sign in again.'],
  ['origin_forbidden', 'The request came from another site, so it was refused.'],
])

export function meaningOf(exchange: Exchange, circumstances: Circumstances): string {
  const {
    call: { path, route = path },
    status,
    code,
  } = exchange
  if (status === 0) return 'The server did not answer. Is it still running?'
  const keys = [`${route} ${code}`, `${route} ${status}`, `${code}`]
  const sentence = keys.map((key) => sentences.get(key)).find((found) => found !== undefined)
  if (typeof sentence === 'function') return sentence(exchange, circumstances)
  if (sentence !== undefined) return sentence
  return status < 500 ? 'The server refused this request.' : 'The server failed; its console says why.'
}

/** Of a request that this page did not send by a button: an attack, another tab, or a refresh that became due. */
export function meaningOfNote(note: Note): string {
  const { route, status, code, run, site } = note
  if (run !== null && site === 'same-origin') {
    if (status < 300) return 'Your own request after the attack: accepted.'
    if (code === 'token_missing') return 'Your access token went with the planted one: the page renews it.'
    return outcomeOf(note, null).why
  }
  if (run !== null) return `Attack. ${outcomeOf(note, null).why}`
  if (route === '/refresh' && status === 200)
    return 'The access token was renewed without anybody pressing a button.'
  const sentence = sentences.get(`${route} ${code}`) ?? sentences.get(`${code}`)
  if (typeof sentence === 'string') return sentence
  return status < 300 ? 'Sent by another tab of this browser, and accepted.' : 'Refused.'
}
