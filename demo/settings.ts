// What the environment says about one run of the demo. It never prints the secret.

export type Settings = {
  port: number
  csrfProtected: boolean
  secretKey: string | Uint8Array
  secretIsRandom: boolean
}

/** @throws {TypeError} one line that names the variable and the values it may have */
export function readSettings(environment: Record<string, string | undefined>): Settings {
  const { PORT, CSRF_PROTECT, AUTHJWT_SECRET_KEY } = environment
  return {
    port: readPort(PORT ?? '3000'),
    csrfProtected: readSwitch(CSRF_PROTECT ?? 'on'),
    // An empty secret is not a missing one: createAuth refuses it and says why.
    secretKey: AUTHJWT_SECRET_KEY ?? crypto.getRandomValues(new Uint8Array(32)),
    secretIsRandom: AUTHJWT_SECRET_KEY === undefined,
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
