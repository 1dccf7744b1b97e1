// Shows an attacker's page, which attacks at once, and waits for what it says it could read.

/** A page says so at once, or its script was stopped. */
const reportMs = 10_000

/** @returns What the attacker's page could read of the answer, in its own words; `null` when it did not say. */
export async function showAttacker(place: HTMLElement, url: string): Promise<string | null> {
  const frame = document.createElement('iframe')
  const { origin } = new URL(url)
  frame.title = `The attacker’s page at ${origin}`
  // It may do all that its attack needs, but not lead this page away.
  frame.setAttribute('sandbox', 'allow-scripts allow-forms allow-same-origin')
  frame.src = url
  frame.className = new URL(url).searchParams.get('attack') ?? ''
  const address = document.createElement('p')
  address.className = 'address'
  address.textContent = origin
  const report = listen(frame, origin)
  place.replaceChildren(address, frame)
  return report
}

async function listen(frame: HTMLIFrameElement, origin: string): Promise<string | null> {
  return new Promise((resolve) => {
    const end = (report: string | null): void => {
      clearTimeout(timer)
      removeEventListener('message', hear)
      resolve(report)
    }
    const hear = (event: MessageEvent<unknown>): void => {
      if (event.origin !== origin || event.source !== frame.contentWindow) return
      if (typeof event.data === 'string') end(event.data)
    }
    const timer = setTimeout(() => end(null), reportMs)
    addEventListener('message', hear)
  })
}
