// What a guard costs in this process, and how that grows with revocations, cookies and claims.

import { setTimeout as sleep } from 'node:timers/promises'
import { createAuth } from 'tallystick'
import type { Auth } from 'tallystick'
import { crowdedStore } from './crowd.ts'
import type { Effort } from './effort.ts'
import { guardOf, messageOf, passing } from './guard.ts'
import { secret } from './http/stack.ts'
import type { Credentials } from './http/stack.ts'
import { signIn } from './http/tallystick.ts'
import type { Table } from './report.ts'
import { time } from './time.ts'
import type { Call } from './time.ts'

export async function measureGuards(effort: Effort): Promise<readonly Table[]> {
  return [await measureRevocations(effort), await measureRequests(effort), await measureCache()]
}

type Method = 'GET' | 'POST'

function call(auth: Auth, method: Method, { cookie, headers }: Credentials): Call {
  return passing(guardOf(auth), messageOf(method, { cookie, ...(method === 'POST' && headers) }))
}

async function one(auth: Auth): Promise<Credentials> {
  const [credentials] = await signIn(auth, 1)
  if (credentials === undefined) throw new Error('nobody could sign in')
  return credentials
}

async function measureRevocations(effort: Effort): Promise<Table> {
  const calls = new Map<string, Call>()
  const auths: Auth[] = []
  const loads = new Map<string, readonly [megabytes: number, milliseconds: number]>()
  for (const count of [null, 0, 10_000, 1_000_000]) {
    const label = count === null ? 'no store' : `${count.toLocaleString('en')} revocations`
    const before = await heapBytes()
    const start = performance.now()
    const auth = createAuth({ secretKey: secret, ...(count !== null && { store: crowdedStore(count) }) })
    await auth.ready()
    loads.set(label, [((await heapBytes()) - before) / 1e6, performance.now() - start])
    auths.push(auth)
    const credentials = await one(auth)
    for (const method of ['GET', 'POST'] as const)
      calls.set(`${label} ${method}`, call(auth, method, credentials))
  }
  const [first] = auths
  if (first !== undefined) {
    const credentials = await one(first)
    const pass = passing(
      (_request, _reply, done) => done(),
      messageOf('POST', { cookie: credentials.cookie }),
    )
    calls.set('a hook that does nothing GET', pass).set('a hook that does nothing POST', pass)
  }
  const microseconds = await time(calls, effort)
  for (const auth of auths) await auth.close()
  return {
    title: 'A guard in process: microseconds for a request whose token was seen before',
    columns: ['', 'GET', 'POST with CSRF', 'set MB', 'loaded in ms'],
    rows: ['a hook that does nothing', ...loads.keys()].map((label) => [
      label,
      microseconds.get(`${label} GET`) ?? Number.NaN,
      microseconds.get(`${label} POST`) ?? Number.NaN,
      ...(loads.get(label) ?? ['', '']).map((figure) => (label.endsWith('revocations') ? figure : '')),
    ]),
    notes: ['Making the request is part of each figure; the first row is that and nothing else.'],
  }
}

async function measureRequests(effort: Effort): Promise<Table> {
  const auth = createAuth({ secretKey: secret })
  const cold = createAuth({ secretKey: secret, verifiedTokenCache: 0 })
  const calls = new Map<string, Call>()
  const add = (label: string, credentials: Credentials): void => {
    calls.set(`${label} again`, call(auth, 'GET', credentials))
    calls.set(`${label} new`, call(cold, 'GET', credentials))
  }
  const credentials = await one(auth)
  for (const count of [1, 10, 50]) {
    const others = Array.from({ length: count - 1 }, (_, index) => `preference_${index}=${'x'.repeat(20)}`)
    const [own = ''] = credentials.cookie.split('; ')
    add(`${count} cookie${count === 1 ? '' : 's'}`, { ...credentials, cookie: [...others, own].join('; ') })
  }
  for (const kilobytes of [0.3, 1, 3.9]) {
    const padding = Math.max(0, Math.floor((kilobytes * 1024 - 390) * 0.75))
    const token = await auth.createAccessToken('user', {
      userClaims: padding > 0 ? { note: 'x'.repeat(padding) } : {},
    })
    add(`a token of ${(token.length / 1024).toFixed(1)} kB`, {
      cookie: `access_token_cookie=${token}`,
      headers: {},
    })
  }
  const microseconds = await time(calls, effort)
  const labels = [...calls.keys()].filter((key) => key.endsWith(' again')).map((key) => key.slice(0, -6))
  return {
    title: 'Growth of a guard (GET): microseconds',
    columns: ['', 'token seen before', 'token new'],
    rows: labels.map((label) => [
      label,
      microseconds.get(`${label} again`) ?? Number.NaN,
      microseconds.get(`${label} new`) ?? Number.NaN,
    ]),
  }
}

/** Tokens come as they do from browsers, cut out of a Cookie header, and twice, so that both halves of it are filled. */
async function measureCache(): Promise<Table> {
  const auth = createAuth({ secretKey: secret })
  const count = 10_000
  const calls = (await signIn(auth, count)).map((credentials) => call(auth, 'GET', credentials))
  const before = await heapBytes()
  for (const pass of [...calls, ...calls]) pass()
  const megabytes = ((await heapBytes()) - before) / 1e6
  return {
    title: 'The cache of verified tokens',
    columns: ['tokens', 'MB'],
    // Named here, the requests live until the end and do not count.
    rows: [[calls.length, megabytes]],
    notes: ['As many tokens as the default holds, of the default claims.'],
  }
}

async function heapBytes(): Promise<number> {
  for (let round = 0; round < 3; round++) {
    globalThis.gc?.()
    await sleep(10)
  }
  return process.memoryUsage().heapUsed
}
