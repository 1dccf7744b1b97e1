// What the page may ask about its own browser, and where it starts attacks. For development, and for the page alone.

import { Hono } from 'hono'
import type { Context, MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { getCookie } from 'hono/cookie'
import { AuthError, type Auth, type Claims } from 'tallystick'
import { honoAuth } from 'tallystick/hono'
import { z } from 'zod'
import { attackerOrigins } from './hosts.ts'
import type { Journal } from './journal.ts'
import { attackFromMachine, machineAttacks, type Send } from './machine.ts'
import { browserCookie, setBrowserCookie } from './watch.ts'

type Parts = {
  auth: Auth
  journal: Journal
  /** Where the routes stand without the origin check. */
  lenientPrefix: string
  passwords: ReadonlyMap<string, string>
  /** Sends a request to the demo itself. */
  send: Send
}

const siteAttacks = ['form', 'fetch', 'image', 'plant'] as const

const attackSchema = z.union([
  z.strictObject({
    attack: z.enum(siteAttacks),
    from: z.enum(['stranger', 'sibling']),
    originCheck: z.boolean(),
  }),
  z.strictObject({ attack: z.enum(machineAttacks), originCheck: z.boolean() }),
])

const limit = bodyLimit({
  maxSize: 1024,
  onError: (c) => c.json({ detail: 'Request body over 1024 bytes' }, 413),
})

export function createDevelopment({ auth, journal, lenientPrefix, passwords, send }: Parts): Hono {
  const { authorize, jwtRequired } = honoAuth(auth)
  const app = new Hono()
  app.use(ownPagesOnly)

  app.get('/session', jwtRequired(), async (c) => {
    const access = authorize(c).claims()
    return c.json({
      access: withoutSecrets(access),
      refresh: await readRefresh(c, auth),
      now: auth.options.clock(),
    })
  })

  app.get('/cookies', (c) => c.json({ cookies: cookiesOf(c, auth) }))

  app.get('/timeline', (c) => {
    const browser = getCookie(c, browserCookie)
    // The server has been restarted since the page was opened.
    if (!journal.knows(browser)) setBrowserCookie(c, journal.open())
    const after = Number(c.req.query('after') ?? 0)
    return c.json({ notes: browser === undefined ? [] : journal.since(browser, after) })
  })

  app.post('/attacks', limit, jwtRequired(), async (c) => {
    const browser = getCookie(c, browserCookie)
    if (!journal.knows(browser)) return c.json({ detail: 'Load the page first' }, 409)
    const { data: asked } = attackSchema.safeParse(await c.req.json().catch(() => null))
    if (asked === undefined) return c.json({ detail: 'No such attack' }, 422)
    const run = journal.openRun(browser)
    const prefix = asked.originCheck ? '' : lenientPrefix
    if ('from' in asked) return c.json({ run, frame: frameOf(c, asked, `${prefix}/`, run) })
    const victim = c.req.header('cookie') ?? ''
    const target = { origin: new URL(c.req.url).origin, prefix, run, victim, passwords, auth }
    const sent = await attackFromMachine(asked.attack, target, (request) => send(request, {}, c.env))
    return c.json({ run, sent })
  })

  return app
}

/** Browsers say who sent a request, and no page can forge it; nothing else has business here. */
const ownPagesOnly: MiddlewareHandler = async (c, next) => {
  if (c.req.header('sec-fetch-site') !== 'same-origin') {
    return c.json({ detail: 'Only the demo’s own page may ask this' }, 403)
  }
  c.header('Cache-Control', 'no-store')
  return next()
}

/** The attacker's page for this attack, aimed at the host by which the demo was called. */
function frameOf(
  c: Context,
  { attack, from }: { attack: string; from: 'stranger' | 'sibling' },
  prefix: string,
  run: string,
): string {
  const url = new URL(c.req.url)
  const target = new URL(`${prefix}${attack === 'image' ? 'protected' : 'transfer'}`, url)
  target.searchParams.set('run', run)
  const page = new URL(attackerOrigins(url)[from])
  page.searchParams.set('attack', attack)
  page.searchParams.set('target', target.href)
  return page.href
}

/** The CSRF value is no claim to show, though the page could read it from its cookie. */
function withoutSecrets(claims: Claims): Record<string, unknown> {
  return Object.fromEntries(Object.entries(claims).filter(([name]) => name !== 'csrf'))
}

async function readRefresh(c: Context, auth: Auth): Promise<Record<string, unknown> | null> {
  try {
    // A request of its own: what this one has established stays.
    const { req } = c
    const port = { method: 'GET', url: req.url, header: (name: string) => req.header(name) }
    const nowhere = { append() {}, set() {}, sent: false }
    return withoutSecrets(await auth.authorize(port, nowhere).jwtRefreshTokenRequired())
  } catch (error) {
    if (AuthError.is(error)) return null
    throw error
  }
}

/** What came along, by name and size; flags are those that this server sets, as no browser tells them. */
function cookiesOf(c: Context, { options }: Auth): unknown[] {
  const { cookiePrefix, cookieSecure, cookieSamesite, cookieDomain } = options
  const specs = [
    { name: options.accessCookieKey, path: options.accessCookiePath, httpOnly: true },
    { name: options.accessCsrfCookieKey, path: options.accessCsrfCookiePath, httpOnly: false },
    { name: options.refreshCookieKey, path: options.refreshCookiePath, httpOnly: true },
    { name: options.refreshCsrfCookieKey, path: options.refreshCsrfCookiePath, httpOnly: false },
  ]
  const pairs = (c.req.header('cookie') ?? '').split('; ')
  return specs.flatMap(({ name: key, path, httpOnly }) => {
    const name = cookiePrefix + key
    return pairs
      .filter((pair) => pair.startsWith(`${name}=`))
      .map((pair) => {
        const bytes = Buffer.byteLength(pair) - 1
        return {
          name,
          bytes,
          path,
          httpOnly,
          secure: cookieSecure,
          sameSite: cookieSamesite,
          domain: cookieDomain,
        }
      })
  })
}
