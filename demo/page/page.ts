// The page of the demo: wires the form and the buttons to requests, and shows what each one did.

import { createAttackPanel } from './attacks.ts'
import { createCookiePanel, type HeldCookie, type Lives } from './cookies.ts'
import { meaningOf, meaningOfNote } from './meaning.ts'
import { fetchNotes } from './notes.ts'
import { actions, authFetch, endCall, loginCall, send, type Exchange, type Call } from './requests.ts'
import { createDetailsPanel } from './session.ts'
import { createSessionPanel } from './sessions.ts'
import { findElement } from './template.ts'
import { addEntry, addNote, summaryOf } from './timeline.ts'

const root = document.documentElement
const csrfProtected = root.dataset['csrf'] === 'on'
/** Whether the server tells more of this browser than a real site would, and lets itself be attacked. */
const isDevelopment = root.dataset['development'] === 'on'
const signedInKey = 'tallystick-demo-signed-in'
/** A refresh that was refused like this has left no cookie behind. */
const outCodes = new Set(['token_missing', 'token_revoked', 'refresh_reused'])
/** For how long the last answer is repeated over the page on narrow screens. */
const latestMs = 5000

const form = findElement('#login', HTMLFormElement)
const loginRefusal = findElement('#login-refusal', HTMLElement)
const sessionTitle = findElement('#session-title', HTMLElement)
const sessionButtons = document.querySelectorAll<HTMLButtonElement>('[data-needs="sign-in"]')
const entries = findElement('#entries', HTMLElement)
const noRequests = findElement('#no-requests', HTMLElement)
const latest = findElement('#latest', HTMLElement)
const showCookies = createCookiePanel(
  findElement('#cookies', HTMLElement),
  findElement('#no-cookies', HTMLElement),
)

const sessionPanel = createSessionPanel(
  findElement('#sessions-title', HTMLElement),
  findElement('#sessions', HTMLElement),
  findElement('#sessions-notice', HTMLElement),
  (session) => void run(endCall(session)),
)

const detailsPanel = isDevelopment ? createDetailsPanel(findElement('#session', HTMLElement)) : null
const attackPanel = isDevelopment
  ? createAttackPanel(
      findElement('#attacks', HTMLElement),
      findElement('#origin-check', HTMLInputElement),
      showState,
    )
  : null
const ended = findElement('#ended', HTMLElement)
const endedElsewhere = 'This session has ended. Sign in again to go on.'
const endPaths = new Set(['/logout', '/sessions'])
const noLives: Lives = { access: null, refresh: null }

/** Set when the server has said that nobody is signed in, though a CSRF cookie is still there. */
let isLeftOver = false
/** While the user is signing out here. */
let isLeaving = false
/** Of the server's notes, the newest one that the timeline shows. */
let lastNote = 0
let latestTimer: ReturnType<typeof setTimeout> | undefined

form.addEventListener('submit', (event) => {
  event.preventDefault()
  const fields = new FormData(form)
  void run(loginCall(String(fields.get('username')), String(fields.get('password'))))
})

for (const button of document.querySelectorAll<HTMLElement>('[data-action]')) {
  const call = actions.get(button.dataset['action'] ?? '')
  if (call !== undefined) button.addEventListener('click', () => void run(call))
}

// The line that repeats the last answer is of no use while the timeline itself is in view.
new IntersectionObserver((seen) => {
  latest.classList.toggle(
    'idle',
    seen.some(({ isIntersecting }) => isIntersecting),
  )
}).observe(entries)

// Another tab may have signed in or out meanwhile, and another device may have ended this session.
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'visible') showState()
})
window.addEventListener('focus', showState)
authFetch.subscribe(showState)
showState()

async function run(call: Call): Promise<void> {
  // As the page shows it: cookies may have gone since without a word.
  const signedInBefore = root.dataset['signedIn'] === 'yes'
  isLeaving = endPaths.has(call.path) || call.endsItself === true
  const exchange = await send(call)
  noteSession(exchange)
  showState()
  isLeaving = false
  showExchange(exchange, signedInBefore)
  if (isSignedIn() !== signedInBefore) sessionTitle.focus()
}

function showExchange(exchange: Exchange, signedInBefore: boolean): void {
  const meaning = meaningOf(exchange, { csrfProtected, signedInBefore, signedInNow: isSignedIn() })
  addEntry(entries, exchange, meaning)
  noRequests.hidden = true
  latest.textContent = summaryOf(exchange)
  latest.hidden = false
  clearTimeout(latestTimer)
  latestTimer = setTimeout(() => (latest.hidden = true), latestMs)
  if (exchange.call.path === '/login') loginRefusal.textContent = exchange.detail
}

function showState(): void {
  const signedIn = isSignedIn()
  if (signedIn || isLeaving) ended.textContent = ''
  else if (root.dataset['signedIn'] === 'yes') ended.textContent = endedElsewhere
  root.dataset['signedIn'] = signedIn ? 'yes' : 'no'
  for (const button of sessionButtons) button.disabled = !signedIn
  attackPanel?.enable(signedIn)
  if (signedIn) form.reset()
  void showAnswers(signedIn)
}

/** What the server has to be asked for; the first question renews the access token where it has ended. */
async function showAnswers(signedIn: boolean): Promise<void> {
  const lives = (await detailsPanel?.show(signedIn)) ?? noLives
  showCookies(await askCookies(), lives)
  await sessionPanel.show(signedIn && isSignedIn())
  if (isDevelopment) await showNotes()
}

async function askCookies(): Promise<HeldCookie[] | null> {
  if (!isDevelopment) return null
  try {
    const response = await fetch('/demo/cookies')
    const { cookies = [] }: { cookies?: HeldCookie[] } = await response.json()
    return cookies
  } catch {
    return null
  }
}

async function showNotes(): Promise<void> {
  const notes = await fetchNotes(lastNote)
  for (const note of notes.filter(({ id }) => id > lastNote)) {
    addNote(entries, note, meaningOfNote(note))
    lastNote = note.id
    noRequests.hidden = true
  }
}

/** The CSRF cookies tell. Without them nothing that script can read does, so the page remembers. */
function isSignedIn(): boolean {
  if (isLeftOver) return false
  if (!csrfProtected) return localStorage.getItem(signedInKey) === 'yes'
  return authFetch.signedIn
}

function noteSession({ call: { path, cookies, endsItself = false }, status, code }: Exchange): void {
  if (cookies === 'left out') return
  const isLogout = endPaths.has(path)
  const isOut =
    // The cookies go also where the store could not be told yet.
    (isLogout && (status === 200 || code === 'store_unavailable')) ||
    (endsItself && status === 200) ||
    (path === '/refresh' && outCodes.has(String(code)))
  if (isOut || status === 200) {
    isLeftOver = isOut
    localStorage.setItem(signedInKey, isOut ? 'no' : 'yes')
  }
}
