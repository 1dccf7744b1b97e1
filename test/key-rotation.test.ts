// Keys that change while people are signed in: through the front door, over time, and in the middle of requests.

import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AuthError, createAuth } from '../src/index.ts'
import type { Auth, AuthOptions, RingKey } from '../src/index.ts'
import { webAuth } from '../src/adapters/web.ts'
import { memoryStore } from '../src/stores/memory.ts'
import { headerOf, keyOf, newSecret, pairs, verifying } from './_keys.ts'
import { codeOf, cookieHeader, cookiesOf, createClock } from './_setup.ts'
import type { TestClock } from './_setup.ts'

/** A browser at the site of an `Auth`, which can be exchanged for the one of another deployment. */
function createBrowser() {
  let jar: Record<string, string> = {}
  const headers = (type: 'access' | 'refresh'): Record<string, string> => ({
    cookie: cookieHeader(jar),
    'x-csrf-token': jar[`csrf_${type}_token`] ?? '',
    'sec-fetch-site': 'same-origin',
  })
  const keep = (response: Response): Response => {
    jar = { ...jar, ...cookiesOf(response) }
    return response
  }
  return {
    token: (type: 'access' | 'refresh'): string => jar[`${type}_token_cookie`] ?? '',
    async login(auth: Auth): Promise<Response> {
      const web = webAuth(auth)
      const handler = web.authErrors(async (request: Request) => {
        await web.authorize(request).login('ada', { userClaims: { role: 'editor' } })
        return new Response('in')
      })
      return keep(await handler(new Request('https://app.example/login', { method: 'POST' })))
    },
    async visit(auth: Auth): Promise<Response> {
      const web = webAuth(auth)
      const handler = web.jwtRequired()((request: Request) => new Response(web.authorize(request).subject()))
      return handler(
        new Request('https://app.example/orders', { method: 'POST', headers: headers('access') }),
      )
    },
    async refresh(auth: Auth): Promise<Response> {
      const web = webAuth(auth)
      const handler = web.authErrors(async (request: Request) => {
        await web.authorize(request).refresh()
        return new Response('on')
      })
      return keep(
        await handler(
          new Request('https://app.example/refresh', { method: 'POST', headers: headers('refresh') }),
        ),
      )
    },
  }
}

const first = { kid: '2026-01', algorithm: 'HS256', secretKey: newSecret() } as const
const second = { kid: '2026-02', algorithm: 'HS256', secretKey: newSecret() } as const
const third = { kid: '2026-03', algorithm: 'ES256', privateKey: pairs.p256.privateKey } as const

const lifeSeconds = 2_592_000

describe.each(['without a store', 'with a store'])('%s', (kind) => {
  const createOn = (clock: TestClock): ((keys: AuthOptions) => Auth) => {
    // A store lives by the clock of the machine unless it is told.
    const store = kind === 'with a store' ? { store: memoryStore({ clock }) } : {}
    return (options) => createAuth({ clock, ...store, ...options })
  }

  test('a secret is replaced, and then secrets by a key pair, and nobody is signed out', async () => {
    const clock = createClock()
    const create = createOn(clock)
    const auth = create({ keys: [first] })
    await auth.ready()
    const browser = createBrowser()
    await browser.login(auth)
    const steps: (readonly RingKey[])[] = [
      [first, verifying(second)],
      [second, verifying(first)],
      [second],
      [second, verifying(third)],
      [third, verifying(second)],
      [third],
    ]
    for (const [index, keys] of steps.entries()) {
      // A key is dropped only when the longest token life is over; without a store, so is every sign-in by then.
      if (keys.length === 1) {
        clock.advance(lifeSeconds / 3)
        await (kind === 'with a store' ? browser.refresh(auth) : browser.login(auth))
      }
      auth.setKeys(keys)
      for (let minutes = 0; minutes < 4; minutes++) {
        expect((await browser.visit(auth)).status, `step ${index}`).toBe(200)
        clock.advance(600)
        expect((await browser.refresh(auth)).status, `step ${index}`).toBe(200)
      }
    }
    expect(headerOf(browser.token('access'))['kid']).toBe('2026-03')
    await auth.close()
  })

  test('servers of two deployments take turns, at each step of a rotation', async () => {
    const clock = createClock()
    const create = createOn(clock)
    const rings: (readonly RingKey[])[] = [[first], [first, verifying(second)], [second, verifying(first)]]
    for (const [index, keys] of rings.entries()) {
      const old = create({ keys: rings[index - 1] ?? keys })
      const young = create({ keys })
      await Promise.all([old.ready(), young.ready()])
      const browser = createBrowser()
      await browser.login(old)
      for (const auth of [young, old, young, young, old]) {
        expect((await browser.visit(auth)).status).toBe(200)
        clock.advance(60)
        expect((await browser.refresh(auth)).status).toBe(200)
      }
      await Promise.all([old.close(), young.close()])
    }
  })

  test('a lone secret becomes a ring, with servers of both at a time, and nobody is signed out', async () => {
    const clock = createClock()
    const create = createOn(clock)
    const { secretKey, algorithm, kid } = first
    const steps: AuthOptions[] = [
      { secretKey },
      { keys: [{ kid, algorithm, secretKey, legacy: 'sign' }] },
      { keys: [{ kid, algorithm, secretKey, legacy: true }] },
      { keys: [second, { kid, algorithm, secretKey, legacy: true, use: 'verify' }] },
    ]
    const browser = createBrowser()
    // The ring before the last step has to know the key that is to come.
    steps.splice(3, 0, { keys: [{ kid, algorithm, secretKey, legacy: true }, verifying(second)] })
    let old = create(steps[0] ?? {})
    await old.ready()
    await browser.login(old)
    for (const options of steps.slice(1)) {
      const young = create(options)
      await young.ready()
      for (const auth of [young, old, young, old]) {
        expect((await browser.visit(auth)).status).toBe(200)
        clock.advance(60)
        expect((await browser.refresh(auth)).status).toBe(200)
      }
      await old.close()
      old = young
    }
    await browser.refresh(old)
    expect(headerOf(browser.token('access'))['kid']).toBe('2026-02')
    await old.close()
  })
})

describe('a legacy key', () => {
  const clock = createClock()
  const { secretKey, algorithm, kid } = first

  test('takes tokens from before the ring, and names its own', async () => {
    const lone = createAuth({ secretKey, clock })
    const ring = createAuth({ keys: [{ kid, algorithm, secretKey, legacy: true }], clock })
    const old = await lone.createAccessToken('ada')
    expect((await ring.verify(old)).sub).toBe('ada')
    const young = await ring.createAccessToken('ada')
    expect(headerOf(young)).toEqual({ alg: 'HS256', typ: 'JWT', kid })
    expect(await codeOf(() => lone.verify(young))).toBe('token_invalid')
  })

  test("with 'sign' makes tokens that servers without a ring take", async () => {
    const lone = createAuth({ secretKey, clock })
    const ring = createAuth({ keys: [{ kid, algorithm, secretKey, legacy: 'sign' }], clock })
    const token = await ring.createAccessToken('ada', { headers: { x: 1 } })
    expect(headerOf(token)).toEqual({ alg: 'HS256', typ: 'JWT', x: 1 })
    for (const auth of [lone, ring]) expect((await auth.verify(token)).sub).toBe('ada')
    const marked = createAuth({ keys: [{ kid, algorithm, secretKey }], clock })
    expect((await ring.verify(await marked.createAccessToken('ada'))).sub).toBe('ada')
  })

  test('of a key pair takes tokens from before the ring too', async () => {
    const { privateKey } = pairs.ed25519
    const lone = createAuth({ privateKey, algorithm: 'EdDSA', clock })
    const keys: RingKey[] = [second, { algorithm: 'EdDSA', privateKey, legacy: true, use: 'verify' }]
    const token = await lone.createAccessToken('ada')
    expect((await createAuth({ keys, clock }).verify(token)).sub).toBe('ada')
  })

  test('is the only one that is asked, and only by its own algorithm', async () => {
    const ring = createAuth({ keys: [second, { kid, algorithm, secretKey, legacy: true }], clock })
    const other = createAuth({ secretKey: second.secretKey, clock })
    const longer = createAuth({ secretKey, algorithm: 'HS512', clock })
    for (const auth of [other, longer])
      expect(await codeOf(async () => ring.verify(await auth.createAccessToken('ada')))).toBe('token_invalid')
  })
})

describe('setKeys', () => {
  test('takes effect with the next request, for tokens that were seen before too', async () => {
    const clock = createClock()
    const auth = createAuth({ keys: [first, second], clock })
    const browser = createBrowser()
    await browser.login(auth)
    expect((await browser.visit(auth)).status).toBe(200)
    auth.setKeys([second])
    const refused = await browser.visit(auth)
    expect(refused.status).toBe(401)
    expect(await refused.json()).toMatchObject({ code: 'token_invalid' })
    auth.setKeys([second, first])
    expect((await browser.visit(auth)).status).toBe(200)
  })

  test('keeps out what a verification under way finds out about a key that is gone', async () => {
    let answer = (): void => undefined
    const waiting = new Promise<void>((resolve) => {
      answer = resolve
    })
    let isHeld = true
    const claims = {
      '~standard': {
        version: 1 as const,
        vendor: 'test',
        validate: async (value: unknown) => {
          if (isHeld) await waiting
          return { value: value as Record<string, unknown> }
        },
      },
    }
    const auth = createAuth({ keys: [first, second], claims, clock: createClock() })
    isHeld = false
    const token = await auth.createAccessToken('ada', { userClaims: {} })
    isHeld = true
    const verification = auth.verify(token)
    await sleep(5)
    auth.setKeys([second])
    isHeld = false
    answer()
    // It began before, so it may end well; it must not be remembered.
    await verification
    expect(await codeOf(() => auth.verify(token))).toBe('token_invalid')
  })

  test('while a hundred requests are under way loses none of those whose key stays', async () => {
    const auth = createAuth({
      keys: [first, second],
      clock: createClock(),
      userLookup: async () => {
        await sleep(Math.random() * 5)
        return { name: 'ada' }
      },
    })
    const tokens = await Promise.all(
      Array.from({ length: 100 }, (_, index) => auth.createAccessToken(`user ${index}`)),
    )
    const web = webAuth(auth)
    const handler = web.jwtRequired({ locations: ['headers'] })(
      (request: Request) => new Response(web.authorize(request).subject()),
    )
    const visit = (token: string): Promise<Response> =>
      handler(new Request('https://app.example/', { headers: { authorization: `Bearer ${token}` } }))
    const answers = tokens.map(visit)
    const rings: RingKey[][] = [[first], [second, first], [verifying(first), second]]
    for (const ring of rings) {
      auth.setKeys(ring)
      answers.push(...tokens.map(visit))
      await sleep(1)
    }
    for (const [index, answer] of (await Promise.all(answers)).entries())
      expect(await answer.text()).toBe(`user ${index % 100}`)
  })

  test('in any order takes exactly the tokens of keys that are in the ring', async () => {
    const known = [first, second, third, { ...keyOf.EdDSA(), kid: 'e' } as RingKey]
    const step = fc.uniqueArray(fc.nat({ max: known.length - 1 }), { minLength: 1 })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
        const clock = createClock()
        const tokens = await Promise.all(
          known.map((key) => createAuth({ keys: [key], clock }).createAccessToken('ada')),
        )
        const auth = createAuth({ keys: [first], clock })
        for (const indexes of steps) {
          auth.setKeys(indexes.map((index) => verifying(known[index] as RingKey)))
          for (const [index, token] of tokens.entries()) {
            const outcome = await codeOf(() => auth.verify(token))
            expect(outcome).toBe(indexes.includes(index) ? 'passed' : 'token_invalid')
          }
        }
      }),
      { numRuns: 50 },
    )
  })

  test('does not reach another Auth with the same keys', async () => {
    const clock = createClock()
    const [one, other] = [createAuth({ keys: [first], clock }), createAuth({ keys: [first], clock })]
    const token = await one.createAccessToken('ada')
    one.setKeys([second])
    expect((await other.verify(token)).sub).toBe('ada')
    await expect(one.verify(token)).rejects.toSatisfy((error) => AuthError.is(error, 'token_invalid'))
  })

  test('does not follow later changes of the list it was given', async () => {
    const keys: RingKey[] = [first]
    const auth = createAuth({ keys, clock: createClock() })
    const token = await auth.createAccessToken('ada')
    keys[0] = second
    keys.push(third)
    expect((await auth.verify(token)).sub).toBe('ada')
    expect(auth.jwks().keys).toEqual([])
  })
})
