// The names under which the demo can be reached, all of them this machine: the site itself, and two attackers.

/** What a browser knows of the site; the last one is there to have a sibling. */
const siteNames: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]', 'app.demo.localhost'])

const attackers = {
  /** Another site: its requests are cross-site for every name of the demo. */
  stranger: 'stranger.localhost',
  /** A sibling of app.demo.localhost: another origin of the same site, to which cookies travel. */
  sibling: 'evil.demo.localhost',
} as const

export function isSite(url: URL): boolean {
  return siteNames.has(url.hostname)
}

export function isAttacker(url: URL): boolean {
  return Object.values<string>(attackers).includes(url.hostname)
}

/** The attackers as they are called at the port of this request. */
export function attackerOrigins(url: URL): Record<keyof typeof attackers, string> {
  return { stranger: originOf(attackers.stranger, url), sibling: originOf(attackers.sibling, url) }
}

/** The site's origins at the port of this request; a content security policy cannot name an address of IPv6. */
export function siteOrigins(url: URL): string[] {
  return [...siteNames].filter((name) => !name.startsWith('[')).map((name) => originOf(name, url))
}

function originOf(name: string, { protocol, port }: URL): string {
  return `${protocol}//${name}${port === '' ? '' : `:${port}`}`
}
