/** What the contract and an adapter's own test agree on: the app to build, the routes in it, what it cannot do. */

import { deepEqual, equal } from 'node:assert/strict'
import { AuthError, createAuth } from '../index.ts'
import type { Auth, AuthOptions, Authorize, GuardOptions } from '../index.ts'
import type { GuardName } from '../core/guard.ts'
import { Client } from './_client.ts'

/** What a route's handler is given, in whatever framework it runs. */
export interface ContractContext {
  /** The adapter's `authorize` for this request; calls it anew each time. */
  readonly authorize: () => Authorize
  /** The body as a handler of this framework reads it: parsed, or read by the handler itself. */
  readonly body: () => unknown
}

/** One route of the app under test. */
export interface ContractRoute {
  readonly method: 'GET' | 'POST' | 'DELETE' | 'OPTIONS'
  readonly path: string
  /** The adapter's guard to put before the handler, where bodies are parsed if `body` is given. */
  readonly guard?: GuardName
  readonly guardOptions?: GuardOptions
  /** Which of the framework's parsers runs before the guard; none where this is not given. */
  readonly body?: 'json' | 'form'
  /**
   * How to answer with what `handle` gives.
   *
   * - `json` (default): by the framework's JSON helper.
   * - `raw`: the same text on the barest response that the framework takes, with the cookie `own=1` on it.
   * - `redirect`: what `handle` gave is where to, by the framework's helper.
   * - `stream`: an async iterable of strings, sent as they come.
   */
  readonly answer?: 'json' | 'raw' | 'redirect' | 'stream'
  /** The handler; what it throws, or what its promise ends in, is the framework's to catch. */
  readonly handle: (context: ContractContext) => unknown
}

/** The app to build. A middleware before all else sets the cookie `theme=dark; Path=/`, as any other might. */
export interface ContractApp {
  readonly auth: Auth
  readonly routes: readonly ContractRoute[]
  /** Whether to mount the adapter's `authErrors`. No other error handler is to be registered. */
  readonly authErrors: boolean
}

/** A listening app. */
export interface RunningApp {
  /** For example `http://127.0.0.1:4711`. */
  readonly origin: string
  close(): Promise<void>
}

/** Builds the app on the real framework, and listens on port 0 of 127.0.0.1. */
export type StartContractApp = (app: ContractApp) => Promise<RunningApp>

/**
 * What a framework can be unable to do.
 *
 * - `bareHandlers`: a refusal thrown in a handler without `authErrors` keeps its status.
 * - `bareHeaders`: and its headers.
 * - `unparsedBodies`: a guard can meet a body that nobody has parsed.
 * - `multipart`: the framework parses `multipart/form-data` by itself.
 * - `strangeRequests`: the method TRACE, and targets that no browser sends, are refused with a 4xx.
 */
export type ContractLimit =
  'bareHandlers' | 'bareHeaders' | 'unparsedBodies' | 'multipart' | 'strangeRequests'

/** One thing that every adapter does. */
export interface ContractCase {
  readonly title: string
  /** What keeps a framework from it. */
  readonly limit?: ContractLimit
  readonly run: (start: StartContractApp) => Promise<void>
}

/** What a case starts. */
export interface AppSetup {
  readonly routes: readonly ContractRoute[]
  readonly options?: AuthOptions
  /** @default true */
  readonly authErrors?: boolean
}

/** A secret for the contract alone: 64 bytes that no example has. */
const contractSecret = 'nF7q-2Lx9Wd0KzRbT4vYhPcE8sJmUa6GoQi1ZtXrBkNw5VyDfCjSgHe3MuAlOpI_'

const alive: ContractRoute = { method: 'GET', path: '/alive', handle: () => ({ alive: true }) }

/** Runs a step against an app of its own, which must answer afterwards and leave no rejection unhandled. */
export async function withApp(
  start: StartContractApp,
  { routes, options = {}, authErrors = true }: AppSetup,
  step: (client: Client, auth: Auth) => Promise<void>,
): Promise<void> {
  const auth = createAuth({ secretKey: contractSecret, ...options })
  const unhandled: unknown[] = []
  const note = (reason: unknown): number => unhandled.push(reason)
  process.on('unhandledRejection', note)
  const app = await start({ auth, routes: [...routes, alive], authErrors })
  const client = new Client(app.origin)
  try {
    await step(client, auth)
    const { status, text } = await client.send({ path: '/alive' })
    deepEqual([status, text], [200, '{"alive":true}'], 'the server must go on')
  } finally {
    client.close()
    await app.close()
    await auth.close()
    process.off('unhandledRejection', note)
  }
  deepEqual(unhandled, [], 'no rejection may be left to the process')
}

/** What a signed-in browser would send. */
export interface Visitor {
  readonly cookie: string
  readonly accessCsrf: string
  readonly refreshCsrf: string
}

/** A visitor with good tokens; no request is needed for it. */
export async function visit(auth: Auth, subject = 'ada', fresh = true): Promise<Visitor> {
  const access = await auth.createAccessToken(subject, { fresh })
  const refresh = await auth.createRefreshToken(subject)
  return {
    cookie: `access_token_cookie=${access}; refresh_token_cookie=${refresh}`,
    accessCsrf: csrfOf(auth, access),
    refreshCsrf: csrfOf(auth, refresh),
  }
}

function csrfOf(auth: Auth, token: string): string {
  return auth.getUnverifiedJwtClaims(token)['csrf'] as string
}

/** The code that a step is refused with. */
export async function refusalOf(step: () => unknown): Promise<string> {
  try {
    await step()
  } catch (error) {
    equal(AuthError.is(error), true, `expected an AuthError, got ${String(error)}`)
    return (error as AuthError).code
  }
  return 'passed'
}
