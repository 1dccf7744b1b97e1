// The demo as a Hono app: the routes, the page that tries them and, for development, what shows and attacks them.
// It reads no environment and opens no port.

import { Hono } from 'hono'
import type { MiddlewareHandler } from 'hono'
import type { Auth } from 'tallystick'
import { createAssets } from './assets.ts'
import { createAttacker } from './attacker.ts'
import { createDevelopment } from './development.ts'
import { createHeaders } from './headers.ts'
import { isAttacker, isSite } from './hosts.ts'
import type { Journal } from './journal.ts'
import { createRoutes } from './routes.ts'
import { watch } from './watch.ts'

/** What only a developer's own machine may serve. */
export type Development = {
  /** Has been given to both `Auth`s. */
  journal: Journal
  /** The same as the other `Auth`, on the same store, with `fetchMetadata: false`. */
  lenient: Auth
}

/** Where the same routes stand behind the lenient `Auth`. */
const lenientPrefix = '/origin-check-off'

/**
 * The routes of one user, `test` with the password `test`, and the page.
 *
 * @param auth One with a store: the page lists the sessions in it.
 * @param development Adds what shows and attacks; without it there is nothing of the kind.
 */
export function createDemo(auth: Auth, development?: Development): Hono {
  const app = new Hono()
  const passwords = new Map([['test', 'test']])

  if (development !== undefined) app.use(createGate())
  app.use(createHeaders(development !== undefined))
  if (development === undefined) {
    app.route('/', createRoutes(auth, passwords))
  } else {
    const { journal, lenient } = development
    // The attacker's own account, which nobody else can use.
    passwords.set('mallory', crypto.randomUUID())
    app.route('/', createRoutes(auth, passwords, watch(journal, auth, '')))
    app.route(lenientPrefix, createRoutes(lenient, passwords, watch(journal, lenient, lenientPrefix)))
    app.route('/demo', createDevelopment({ auth, journal, lenientPrefix, passwords, send: app.request }))
  }
  app.route('/', createAssets(auth, development?.journal))
  app.notFound((c) => c.json({ detail: 'Not Found' }, 404))
  return app
}

/** Sends each host its own site. A name that somebody else has pointed at this machine gets nothing. */
function createGate(): MiddlewareHandler {
  const attacker = createAttacker()
  return async (c, next) => {
    const url = new URL(c.req.url)
    if (isAttacker(url)) return attacker.fetch(c.req.raw)
    if (!isSite(url)) return c.json({ detail: 'The demo answers at localhost only' }, 421)
    return next()
  }
}
