// The page of the demo: wires the form and the buttons to requests, and shows what each one did.

import { createCookiePanel, readCookies } from './cookies.ts'
import { meaningOf } from './meaning.ts'
import { actions, endCall, loginCall, send, type Exchange, type Call } from './requests.ts'
import { createSessionPanel } from './sessions.ts'
import { findElement } from './template.ts'
import { addEntry, summaryOf } from './timeline.ts'

const root = document.documentElement
const csrfProtected = root.dataset['csrf'] === 'on'
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

/** Set when the server has said that nobody is signed in, though a CSRF cookie is still there. */
let isLeftOver = false
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
showState()

async function run(call: Call): Promise<void> {
  // As the page shows it: cookies may have gone since without a word.
  const signedInBefore = root.dataset['signedIn'] === 'yes'
  const exchange = await send(call)
  noteSession(exchange)
  showState()
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
  root.dataset['signedIn'] = signedIn ? 'yes' : 'no'
  for (const button of sessionButtons) button.disabled = !signedIn
  if (signedIn) form.reset()
  showCookies()
  void sessionPanel.show(signedIn)
}

/** The CSRF cookies tell. Without them nothing that script can read does, so the page remembers. */
function isSignedIn(): boolean {
  if (isLeftOver) return false
  if (!csrfProtected) return localStorage.getItem(signedInKey) === 'yes'
  return readCookies().some(({ name }) => name === 'csrf_access_token' || name === 'csrf_refresh_token')
}

function noteSession({ call: { path, cookies, endsItself = false }, status, code }: Exchange): void {
  if (cookies === 'left out') return
  const isLogout = ['/logout', '/sessions'].includes(path)
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
