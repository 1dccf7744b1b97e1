// The requests of this page: what each one sends, and what came back. It keeps nothing.

import { createAuthFetch } from '../../dist/client.js'
import { readCookies, type Cookie } from './cookies.ts'

/** Sends the CSRF value along, and renews the access token when it has ended. */
export const authFetch = createAuthFetch({
  rotationGrace: Number(document.documentElement.dataset['grace']),
})

/** By which the answer says how it is called in the server's journal. */
const noteHeader = 'X-Demo-Note'

export type Call = {
  method: 'GET' | 'POST' | 'DELETE'
  path: string
  /** What stands for the path where it names something. */
  route?: string
  /** CSRF cookies that the header is copied from: the first that is there. */
  csrfFrom: readonly string[]
  cookies: 'sent' | 'left out'
  /** Whether it goes out as a page sends it that knows nothing of CSRF. */
  isBare?: boolean
  /** Whether it ends the session that it is sent in. */
  endsItself?: boolean
  body?: Record<string, unknown>
}

export type Exchange = {
  call: Call
  time: Date
  /** The cookie that the CSRF header was copied from; `null` when no header was sent. */
  csrfCookie: string | null
  /** Whether the answer has changed that cookie. */
  csrfRenewed: boolean
  /** 0 when no answer came. */
  status: number
  statusText: string
  body: string
  code: string | null
  detail: string | null
  /** Its number in the server's journal, if there is one. */
  note: number | null
}

const protectedRoute: Call = { method: 'GET', path: '/protected', csrfFrom: [], cookies: 'sent' }
const refresh: Call = { method: 'POST', path: '/refresh', csrfFrom: ['csrf_refresh_token'], cookies: 'sent' }

/** Keyed by the `data-action` of the buttons. */
export const actions = new Map<string, Call>([
  ['protected', protectedRoute],
  ['protected-bare', { ...protectedRoute, cookies: 'left out' }],
  ['refresh', refresh],
  ['refresh-bare', { ...refresh, csrfFrom: [], isBare: true }],
  ['transfer', transferCall('/transfer')],
  [
    'logout',
    {
      method: 'DELETE',
      path: '/logout',
      // The access cookies may have reached their end; then the refresh token names who signs out.
      csrfFrom: ['csrf_access_token', 'csrf_refresh_token'],
      cookies: 'sent',
    },
  ],
  [
    'logout-everywhere',
    {
      method: 'DELETE',
      path: '/sessions',
      csrfFrom: ['csrf_access_token', 'csrf_refresh_token'],
      cookies: 'sent',
    },
  ],
])

/** What attackers want to send in the user's name, sent by the user. */
export function transferCall(path: string): Call {
  return { method: 'POST', path, route: '/transfer', csrfFrom: ['csrf_access_token'], cookies: 'sent' }
}

/** Ends one session of the user. */
export function endCall({ id, current }: { id: string; current: boolean }): Call {
  return {
    method: 'DELETE',
    path: `/sessions/${encodeURIComponent(id)}`,
    route: '/sessions/:id',
    csrfFrom: ['csrf_access_token'],
    cookies: 'sent',
    endsItself: current,
  }
}

export function loginCall(username: string, password: string): Call {
  return { method: 'POST', path: '/login', csrfFrom: [], cookies: 'sent', body: { username, password } }
}

export async function send(call: Call): Promise<Exchange> {
  const csrfCookie = findCsrfCookie(call.csrfFrom)
  const sent = { call, time: new Date(), csrfCookie: csrfCookie?.name ?? null }
  try {
    const response = await (call.isBare === true ? fetch : authFetch)(call.path, fetchOptions(call))
    const body = await response.text()
    const { status, statusText } = response
    const csrfRenewed = findCsrfCookie(call.csrfFrom)?.value !== csrfCookie?.value
    const note = Number(response.headers.get(noteHeader)) || null
    return { ...sent, csrfRenewed, status, statusText, body, note, ...readProblem(body) }
  } catch {
    // fetch tells a page no more than that there was no answer.
    const silence = { status: 0, statusText: '', body: '', code: null, detail: null, note: null }
    return { ...sent, csrfRenewed: false, ...silence }
  }
}

function findCsrfCookie(names: readonly string[]): Cookie | undefined {
  const cookies = readCookies()
  return names.flatMap((name) => cookies.filter((cookie) => cookie.name === name))[0]
}

function fetchOptions(call: Call): RequestInit {
  const headers = new Headers()
  if (call.body !== undefined) headers.set('Content-Type', 'application/json')
  return {
    method: call.method,
    headers,
    credentials: call.cookies === 'sent' ? 'same-origin' : 'omit',
    ...(call.body !== undefined && { body: JSON.stringify(call.body) }),
  }
}

function readProblem(body: string): { code: string | null; detail: string | null } {
  const { code, detail } = parseObject(body)
  return { code: typeof code === 'string' ? code : null, detail: typeof detail === 'string' ? detail : null }
}

function parseObject(text: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(text))
  } catch {
    return {}
  }
}
