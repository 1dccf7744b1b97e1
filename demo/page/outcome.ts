// What became of an attack, from what the server has noted: a verdict, and one sentence on why.

import { senderOf, type Note } from './notes.ts'

export type Outcome = {
  verdict: string
  /** How it is marked: a defence that held, an answer of no use, or an attack that worked. */
  kind: 'held' | 'useless' | 'worked'
  why: string
  /** What was sent, line by line. */
  sent: readonly string[]
  answer: string
}

const reasons = new Map<string, string>([
  ['token_missing', 'SameSite=Lax kept your cookies at home, so the request came as nobody’s.'],
  [
    'origin_forbidden',
    'Your cookies came along, but the browser also said which page sent them, and that origin is not trusted.',
  ],
  [
    'csrf_missing',
    'Your cookies came along, but only this site’s pages can read the value that belongs to them, so the other half was missing.',
  ],
  [
    'csrf_mismatch',
    'The value is genuine, but it is signed into another token: it matches mallory’s, and not yours.',
  ],
  [
    'cookie_ambiguous',
    'Two cookies of one name came, and nobody can tell which one is yours: the server refused, and had both deleted.',
  ],
  [
    'refresh_reused',
    'Each refresh token is good once. An old one that comes back was copied, so its whole session has ended.',
  ],
  ['alg_forbidden', 'The server’s own list says which algorithms count, and never the token’s header.'],
  ['signature_invalid', 'The signature covers every claim: with one letter changed, it fits no more.'],
])

const csrfProtected = document.documentElement.dataset['csrf'] === 'on'

export function outcomeOf(note: Note, sent: readonly string[] | null): Outcome {
  const { status, code, reason, detail } = note
  const lines = sent ?? linesOf(note)
  const answer = [
    status,
    code,
    detail === null ? null : `“${detail}”`,
    reason === null ? null : `(${reason})`,
  ]
  const common = { sent: lines, answer: answer.filter((part) => part !== null).join(' ') }
  if (status < 300 && note.method === 'GET') {
    const why =
      'Your cookies came along, but a GET changes nothing here, and the browser keeps the answer from other origins.'
    return { ...common, kind: 'useless', verdict: 'Answered, to no use', why }
  }
  if (status < 300) return { ...common, kind: 'worked', verdict: 'It worked', why: whyItWorked(note) }
  const why = reasons.get(reason ?? '') ?? reasons.get(code ?? '') ?? 'The server refused it.'
  return { ...common, kind: 'held', verdict: `Refused: ${code ?? status}`, why }
}

function whyItWorked({ site }: Note): string {
  if (csrfProtected) return 'It got through. That should not happen: please report it.'
  return site === null
    ? 'This server runs with CSRF_PROTECT=off: it wants no value.'
    : 'This server runs with CSRF_PROTECT=off, and the origin check is off: nothing is left to stop it.'
}

function linesOf(note: Note): string[] {
  return [
    `${note.method} ${note.route} from ${senderOf(note)}`,
    note.cookies.length === 0 ? 'no cookie of yours' : note.cookies.join(', '),
    note.csrfHeader ? 'a CSRF value' : 'no CSRF value',
  ]
}
