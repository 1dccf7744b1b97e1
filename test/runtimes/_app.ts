/** The app that every runtime serves: two `Auth`s behind plain `Request` handlers; imports no package at run time. */

import type { AuthOptions, createAuth as CreateAuth } from 'tallystick'
import type { memoryStore as CreateMemoryStore } from 'tallystick/stores/memory'
import type { webAuth as CreateWebAuth } from 'tallystick/web'
import { selfTest } from './_self-test.ts'

/** The package, as the runtime has loaded it. */
export interface Package {
  readonly createAuth: typeof CreateAuth
  readonly webAuth: typeof CreateWebAuth
  readonly memoryStore: typeof CreateMemoryStore
}

/** How long racing tabs get one successor on `/stored`. */
export const graceSeconds = 3

type Handler = (request: Request) => Response | Promise<Response>

/**
 * Makes the handler. `/plain/…` has tokens alone, `/stored/…` sessions in memory, `/self-test` and `/create` are what
 * happens in the process itself.
 *
 * @param revocation How the guards of `/stored` learn of revocations.
 */
export function createApp(
  tallystick: Package,
  revocation: 'replicated' | 'strict' = 'replicated',
): (request: Request) => Promise<Response> {
  // At once, at the top level of a module: where no random value is to be had on some runtimes.
  const plain = createRoutes(tallystick, { csrfCheckForm: true, cookieSamesite: 'strict' })
  let stored: ReadonlyMap<string, Handler> | undefined
  const routesOf = (name: string | undefined): ReadonlyMap<string, Handler> | undefined => {
    if (name === 'plain') return plain
    if (name !== 'stored') return undefined
    stored ??= createRoutes(tallystick, {
      store: tallystick.memoryStore(),
      revocation,
      maxStaleness: 1,
      rotationGrace: graceSeconds,
    })
    return stored
  }
  return async (request) => {
    const { pathname } = new URL(request.url)
    if (pathname === '/') return new Response('up')
    if (pathname === '/self-test')
      return answer(async () => selfTest(tallystick.createAuth, await request.json()))
    if (pathname === '/create') return answer(async () => problemOf(tallystick, await request.json()))
    const [, name, path] = pathname.split('/')
    const handler = routesOf(name)?.get(`${request.method} ${path}`)
    return handler?.(request) ?? new Response('', { status: 404 })
  }
}

function createRoutes({ createAuth, webAuth }: Package, options: AuthOptions): ReadonlyMap<string, Handler> {
  const auth = createAuth({ secretKey: process.env['AUTHJWT_SECRET_KEY'], ...options })
  const { authorize, authErrors, freshJwtRequired, jwtOptional, jwtRequired } = webAuth(auth)
  const whoami = (request: Request): Response => Response.json({ user: authorize(request).getJwtSubject() })
  const routes: Record<string, Handler> = {
    'POST login': authErrors(async (request: Request) => {
      await authorize(request).login(new URL(request.url).searchParams.get('user') ?? 'test')
      return Response.json({ msg: 'in' })
    }),
    'POST refresh': authErrors(async (request: Request) => {
      await authorize(request).refresh()
      return Response.json({ msg: 'renewed' })
    }),
    'DELETE logout': authErrors(async (request: Request) => {
      const everywhere = new URL(request.url).searchParams.has('everywhere')
      return Response.json(await authorize(request).logout({ everywhere }))
    }),
    'GET protected': jwtRequired()(whoami),
    'GET optional': jwtOptional()(whoami),
    'GET fresh': freshJwtRequired()(whoami),
    'POST echo': jwtRequired()(async (request: Request) => new Response(await request.text())),
    'GET raw': jwtRequired()(
      (request: Request) =>
        new Response(new Blob([authorize(request).subject()]).stream(), { headers: { 'x-raw': 'yes' } }),
    ),
  }
  if (options.store !== undefined) {
    routes['GET sessions'] = jwtRequired()(async (request: Request) =>
      Response.json(await authorize(request).sessions.list()),
    )
  }
  return new Map(Object.entries(routes))
}

/** What is wrong with options that came as JSON, or `null`. */
function problemOf({ createAuth }: Package, options: AuthOptions): { readonly problem: string | null } {
  try {
    createAuth(options)
    return { problem: null }
  } catch (error) {
    return { problem: String(error) }
  }
}

async function answer(step: () => Promise<unknown>): Promise<Response> {
  try {
    return Response.json(await step())
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return new Response(text, { status: 500 })
  }
}
