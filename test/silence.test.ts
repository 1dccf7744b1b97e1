// Listens while every table of hostile input is run: nothing that is said holds a token, a key, a CSRF value or a claim.

import { subscribe } from 'node:diagnostics_channel'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Silence as SilenceType } from './_silence.ts'
import type { WebMiddleware } from '../src/adapters/web.ts'

/** Before anything of the library is loaded: its error class inherits from what stands here. */
const { silence, said } = await vi.hoisted(async () => {
  const { Silence, watchErrors } = await import('./_silence.ts')
  const words = [
    'access_token_cookie refresh_token_cookie csrf_access_token csrf_refresh_token access_token refresh_token',
    'https://app.example http://localhost https://evil.example',
  ]
  const listener = new Silence(words)
  const errors = new Map<string, Error>()
  watchErrors((error) => {
    const cause = typeof error.cause === 'string' ? error.cause : ''
    // The same refusal thousands of times is looked at once.
    const key = error.cause instanceof Error ? `${errors.size}` : `${error.message}\n${cause}`
    if (errors.size < 5000 && !errors.has(key)) errors.set(key, error)
  })
  return { silence: listener as SilenceType, said: errors }
})

vi.mock('../src/core/resolve.ts', async (original) => {
  const module = await original<typeof import('../src/core/resolve.ts')>()
  const resolveOptions = (input: unknown): ReturnType<typeof module.resolveOptions> => {
    const { secretKey, privateKey, keys, encryption } = Object(input) as Record<string, unknown>
    for (const material of [secretKey, privateKey, (encryption as { key?: unknown } | undefined)?.key]) {
      silence.learnKey(material)
    }
    for (const key of Array.isArray(keys) ? (keys as unknown[]) : []) {
      const ring = Object(key) as Record<string, unknown>
      silence.learnKey(ring['secretKey'])
      silence.learnKey(ring['privateKey'])
    }
    return module.resolveOptions(input)
  }
  return { ...module, resolveOptions }
})

vi.mock('../src/core/token.ts', async (original) => {
  const module = await original<typeof import('../src/core/token.ts')>()
  class Tokens extends module.Tokens {
    override verify(...parameters: Parameters<InstanceType<typeof module.Tokens>['verify']>) {
      silence.learnToken(parameters[0])
      return super.verify(...parameters)
    }
    override make(...parameters: Parameters<InstanceType<typeof module.Tokens>['make']>) {
      silence.learn('claim', parameters[1])
      silence.learn(
        'claim',
        Object.values(Object((parameters[2] as { userClaims?: unknown } | null)?.userClaims)),
      )
      const made = super.make(...parameters)
      const note = ({ token }: { token: string }): void => silence.learnToken(token)
      if (made instanceof Promise) void made.then(note, () => undefined)
      else note(made)
      return made
    }
  }
  return { ...module, Tokens }
})

vi.mock('../src/core/exchange.ts', async (original) => {
  const module = await original<typeof import('../src/core/exchange.ts')>()
  class Exchange extends module.Exchange {
    constructor(...parameters: ConstructorParameters<typeof module.Exchange>) {
      super(...parameters)
      const [, , request] = parameters
      try {
        const pairs = (request.header('cookie') ?? '').split(';')
        for (const pair of pairs) silence.learnToken(pair.slice(pair.indexOf('=') + 1).trim())
        silence.learnToken(request.header('authorization')?.split(' ').at(-1))
        silence.learnToken(request.header('x-csrf-token'))
      } catch {
        // What fails is the test's own doing.
      }
    }
  }
  return { ...module, Exchange }
})

vi.mock('../src/adapters/web.ts', async (original) => {
  const module = await original<typeof import('../src/adapters/web.ts')>()
  const listening =
    (middleware: WebMiddleware): WebMiddleware =>
    (handler) => {
      const wrapped = middleware(handler)
      return async (...parameters) => {
        try {
          const response = await wrapped(...parameters)
          await hearResponse(response)
          return response
        } catch (error) {
          silence.hear('thrown by a route', error)
          throw error
        }
      }
    }
  const webAuth: typeof module.webAuth = (auth) => {
    const bound = module.webAuth(auth)
    const guards = ['jwtRequired', 'jwtOptional', 'jwtRefreshTokenRequired', 'freshJwtRequired'] as const
    const made = guards.map((name) => [name, (...options: []) => listening(bound[name](...options))])
    return { ...bound, ...Object.fromEntries(made), authErrors: listening(bound.authErrors) }
  }
  return { ...module, webAuth }
})

async function hearResponse(response: Response): Promise<void> {
  for (const [name, value] of response.headers) {
    if (name === 'set-cookie') silence.learnToken(/^[^=]*=([^;]*)/.exec(value)?.[1])
    else silence.hear(`header ${name}`, value)
  }
  // What a route answers with 200 is the application's own.
  if (response.status >= 400) silence.hear('body', await response.clone().text())
}

/** Whether an error is the library's: by its class, or by the file that made it. */
function isOurs(error: Error): boolean {
  if ('code' in error && 'toJSON' in error) return true
  const frames = String(error.stack)
    .split('\n')
    .filter((line) => /^\s+at /.test(line) && !line.includes('_silence'))
  return /\/src\/(?!contract|testing)/.test(frames[0] ?? '')
}

subscribe('tallystick', (event) => silence.hear('event', event))

const emitWarning = process.emitWarning.bind(process)
process.emitWarning = (warning: string | Error, ...parameters: never[]) => {
  silence.hear('warning', warning)
  emitWarning(warning as string, ...parameters)
}
for (const level of ['log', 'info', 'warn', 'error', 'debug'] as const) {
  const original = console[level].bind(console)
  console[level] = (...parameters: unknown[]) => {
    silence.hear('console', parameters)
    original(...parameters)
  }
}

function leaks(): string[] {
  for (const error of said.values()) if (isOurs(error)) silence.hear('error', error)
  said.clear()
  return silence.leaks()
}

const tables = {
  //'attacks-request': () => import('./attacks-request.test.ts'),
  //'attacks-session': () => import('./attacks-session.test.ts'),
  'attacks-token': () => import('./attacks-token.test.ts'),
}

vi.setConfig({ testTimeout: 60_000 })

let heard = 0

describe.each(Object.entries(tables))('nothing is told by test/%s.test.ts:', async (_, load) => {
  afterEach(() => {
    heard += silence.heard + said.size
    expect(leaks()).toEqual([])
  })
  await load()
})

test('something was heard at all', () => {
  expect(heard).toBeGreaterThan(1000)
})

describe('the listener', () => {
  beforeEach(() => {
    leaks()
  })
  test('finds nothing where nothing is', () => {
    silence.learn('key', 'a secret of many letters')
    silence.hear('message', new Error('nothing to see here'))
    expect(silence.leaks()).toEqual([])
  })
})
