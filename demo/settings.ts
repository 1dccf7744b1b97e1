// What the environment says about one run of the demo. It never prints a secret or a password.

import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Where sessions are kept. */
export type Place =
  { kind: 'sqlite'; file: string } | { kind: 'redis' | 'postgres'; url: string } | { kind: 'memory' }

export type Settings = {
  port: number
  csrfProtected: boolean
  /** Whether it shows what a real site would keep to itself, and lets itself be attacked. */
  isDevelopment: boolean
  /** Without one, the demo keeps a random one beside its sessions. */
  secretKey: string | undefined
  place: Place
}

// Tests run this file where it is, `npm start` its copy in dist/.
const folder = new URL(import.meta.url.endsWith('.ts') ? './.data/' : '../.data/', import.meta.url)
const defaultFile = fileURLToPath(new URL('sessions.sqlite', folder))

/** @throws {TypeError} one line that names the variable and the values it may have */
export function readSettings(
  environment: Record<string, string | undefined>,
  flags: readonly string[] = [],
): Settings {
  const { PORT, CSRF_PROTECT, AUTHJWT_SECRET_KEY, STORE } = environment
  return {
    port: readPort(PORT ?? '3000'),
    csrfProtected: readSwitch(CSRF_PROTECT ?? 'on'),
    isDevelopment: readFlags(flags),
    // An empty secret is not a missing one: createAuth refuses it and says why.
    secretKey: AUTHJWT_SECRET_KEY,
    place: readPlace(STORE ?? `sqlite:${defaultFile}`),
  }
}

function readPort(text: string): number {
  const port = Number(text)
  if (/^\d{1,5}$/.test(text) && port <= 65535) return port
  throw new TypeError(`PORT must be a whole number from 0 to 65535 (0 takes any free one), not '${text}'`)
}

function readSwitch(text: string): boolean {
  if (text === 'on' || text === 'off') return text === 'on'
  throw new TypeError(`CSRF_PROTECT must be 'on' or 'off', not '${text}'`)
}

/** Never by the name of an environment, which is easily left as it was: `npm start` says so. */
function readFlags(flags: readonly string[]): boolean {
  const unknown = flags.find((flag) => flag !== '--development')
  if (unknown === undefined) return flags.length > 0
  throw new TypeError(`'${unknown}' is not known: there is --development and nothing else`)
}

function readPlace(text: string): Place {
  const [, scheme = '', rest = ''] = /^([a-z]+):(.*)$/s.exec(text) ?? []
  if (scheme === 'memory' && rest === '') return { kind: 'memory' }
  // A path and nothing else: what drivers understand beside paths is none of these.
  if (scheme === 'sqlite' && rest !== '') return { kind: 'sqlite', file: resolve(rest) }
  const isUrl = /^\/\/./s.test(rest) && URL.canParse(text)
  if (isUrl && (scheme === 'redis' || scheme === 'rediss')) return { kind: 'redis', url: text }
  if (isUrl && (scheme === 'postgres' || scheme === 'postgresql')) return { kind: 'postgres', url: text }
  // What was written may hold a password, so it is not repeated.
  throw new TypeError("STORE must be 'redis://…', 'postgres://…', 'sqlite:<file>' or 'memory:'")
}

/** The place in words, without passwords. */
export function describePlace(place: Place): string {
  if (place.kind === 'memory') return 'memory'
  if (place.kind === 'sqlite') return place.file
  const { protocol, host, pathname } = new URL(place.url)
  return `${protocol}//${host}${pathname}`
}

/** The file that keeps the secret: beside the database, or in the demo's own folder if that is a server. */
export function secretFileOf(place: Place): string {
  return `${place.kind === 'sqlite' ? place.file : defaultFile}.secret`
}
