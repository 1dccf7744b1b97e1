// What is special about Fastify: error handlers beside ours, encapsulation, hooks, schemas, streams.

import { PassThrough, Readable } from 'node:stream'
import { fastify } from 'fastify'
import type { FastifyRequest } from 'fastify'
import { describe, expect, test } from 'vitest'
import { fastifyAuth } from '../../src/adapters/fastify.ts'
import type { AuthOptions } from '../../src/index.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { cookieHeader, createClock, setup } from '../_setup.ts'

const names = ['access_token_cookie', 'csrf_access_token', 'refresh_token_cookie', 'csrf_refresh_token']

async function fastifySetup(options: AuthOptions = {}) {
  const { auth } = setup(options)
  const access = await auth.createAccessToken('ada')
  return {
    auth,
    access,
    ...fastifyAuth(auth),
    headers: { cookie: cookieHeader({ access_token_cookie: access }) },
  }
}

describe('error handlers', () => {
  test('of the user around ours get what is no refusal', async () => {
    const { authorize, authErrors } = await fastifySetup()
    const app = fastify()
    app.setErrorHandler(async (error: Error, _request, reply) =>
      reply.code(418).send({ mine: error.message }),
    )
    await app.register(async (child) => {
      await child.register(authErrors)
      child.get('/refused', async (request, reply) => authorize(request, reply).jwtRequired())
      child.get('/fault', async () => Promise.reject(new RangeError('fault')))
    })
    const refused = await app.inject('/refused')
    expect([refused.statusCode, refused.json<{ code: string }>().code]).toEqual([401, 'token_missing'])
    const fault = await app.inject('/fault')
    expect([fault.statusCode, fault.json()]).toEqual([418, { mine: 'fault' }])
  })

  test('of the user within ours may throw refusals on', async () => {
    const { authorize, authErrors } = await fastifySetup()
    const app = fastify()
    await app.register(authErrors)
    await app.register(async (child) => {
      child.setErrorHandler((error) => {
        throw error
      })
      child.get('/refused', async (request, reply) => authorize(request, reply).jwtRequired())
    })
    const refused = await app.inject('/refused')
    expect(refused.headers['content-type']).toBe('application/problem+json')
    expect(refused.json()).toMatchObject({ code: 'token_missing', status: 401 })
  })

  test('of the user are not asked about what a guard refuses', async () => {
    const { jwtRequired } = await fastifySetup()
    const app = fastify()
    app.setErrorHandler(async (_error, _request, reply) => reply.code(500).send('mine'))
    app.get('/', { onRequest: jwtRequired() }, async () => 'in')
    expect((await app.inject('/')).json()).toMatchObject({ code: 'token_missing' })
  })

  test('authErrors, registered once, serves the routes beside it and in plugins', async () => {
    const { authorize, authErrors } = await fastifySetup()
    const app = fastify()
    await app.register(authErrors)
    app.get('/beside', async (request, reply) => authorize(request, reply).jwtRequired())
    await app.register(async (child) => {
      child.get('/within', async (request, reply) => authorize(request, reply).jwtRequired())
    })
    for (const url of ['/beside', '/within']) {
      expect((await app.inject(url)).json()).toMatchObject({ code: 'token_missing' })
    }
  })
})

describe('a guard', () => {
  test('as a hook of a plugin guards the routes of that plugin alone', async () => {
    const { authorize, jwtRequired, headers } = await fastifySetup()
    const app = fastify()
    await app.register(async (child) => {
      child.addHook('onRequest', jwtRequired())
      child.get('/closed', async (request, reply) => ({ user: authorize(request, reply).subject() }))
    })
    app.get('/open', async () => ({ user: null }))
    expect((await app.inject('/open')).statusCode).toBe(200)
    expect((await app.inject('/closed')).statusCode).toBe(401)
    expect((await app.inject({ url: '/closed', headers })).json()).toEqual({ user: 'ada' })
  })

  test.each(['onRequest', 'preParsing', 'preValidation', 'preHandler'] as const)(
    'as %s passes and refuses, and no handler runs after a refusal',
    async (hook) => {
      const { jwtRequired, headers } = await fastifySetup()
      let runs = 0
      const app = fastify()
      const guard = jwtRequired()
      const handler = async () => ({ runs: ++runs })
      if (hook === 'preParsing') {
        app.get(
          '/',
          { preParsing: (request, reply, _payload, done) => guard.call(app, request, reply, done) },
          handler,
        )
      } else app.get('/', { [hook]: guard }, handler)
      expect((await app.inject('/')).json()).toMatchObject({ code: 'token_missing' })
      expect(runs).toBe(0)
      expect((await app.inject({ url: '/', headers })).json()).toEqual({ runs: 1 })
    },
  )

  test('answers in full where a schema describes other refusals', async () => {
    const { authorize, authErrors, jwtRequired } = await fastifySetup()
    const response = { '4xx': { type: 'object', properties: { message: { type: 'string' } } } }
    const app = fastify()
    await app.register(authErrors)
    app.get('/guard', { schema: { response }, onRequest: jwtRequired() }, async () => ({}))
    app.get('/handler', { schema: { response } }, async (request, reply) =>
      authorize(request, reply).jwtRequired(),
    )
    for (const url of ['/guard', '/handler']) {
      expect((await app.inject(url)).json()).toMatchObject({ type: 'about:blank', code: 'token_missing' })
    }
  })

  test('takes no part in the answer to an address that is not there', async () => {
    const { jwtRequired } = await fastifySetup()
    const app = fastify()
    await app.register(async (child) => {
      child.addHook('onRequest', jwtRequired())
      child.get('/closed', async () => ({}))
    })
    expect((await app.inject('/elsewhere')).statusCode).toBe(404)
  })
})

describe('cookies', () => {
  test('get onto streams, empty answers and replies that a hook has changed', async () => {
    const { authorize } = await fastifySetup()
    const app = fastify()
    app.addHook('onSend', async (_request, reply, payload) => {
      reply.header('x-own', '1').header('set-cookie', 'own=1')
      return payload
    })
    app.post('/stream', async (request, reply) => {
      await authorize(request, reply).login('ada')
      return reply.send(Readable.from(['one ', 'two']))
    })
    app.post('/empty', async (request, reply) => {
      await authorize(request, reply).login('ada')
      return reply.code(204).send()
    })
    for (const url of ['/stream', '/empty']) {
      const response = await app.inject({ method: 'POST', url })
      expect(response.cookies.map(({ name }) => name)).toHaveLength(5)
      expect(response.headers['cache-control']).toBe('no-store')
    }
  })

  test('get onto a stream that has been given to the reply, as long as nothing has come of it', async () => {
    const { authorize } = await fastifySetup()
    const app = fastify()
    app.post('/', async (request, reply) => {
      const stream = new PassThrough()
      reply.header('set-cookie', 'own=1').send(stream)
      await authorize(request, reply).login('ada')
      stream.end('late')
      return reply
    })
    const response = await app.inject({ method: 'POST', url: '/' })
    expect(response.body).toBe('late')
    expect(response.cookies.map(({ name }) => name)).toEqual(['own', ...names])
    expect(response.headers['cache-control']).toBe('no-store')
  })

  test('of middleware that writes to the response of Node stay', async () => {
    const { authorize } = await fastifySetup()
    const app = fastify()
    app.addHook('onRequest', async (_request, reply) => {
      reply.raw.setHeader('set-cookie', ['theme=dark', 'size=2'])
    })
    app.post('/raw', async (request, reply) => {
      await authorize(request, reply).login('ada')
      return {}
    })
    app.post('/hijacked', async (request, reply) => {
      await authorize(request, reply).login('ada')
      reply.hijack().raw.end('own')
    })
    for (const url of ['/raw', '/hijacked']) {
      const { cookies } = await app.inject({ method: 'POST', url })
      expect(cookies.map(({ name }) => name)).toEqual(['theme', 'size', ...names])
    }
  })

  test('after a reply was taken out of its hands are a TypeError', async () => {
    const { authorize } = await fastifySetup()
    const errors: unknown[] = []
    const app = fastify()
    app.post('/', async (request, reply) => {
      reply.hijack()
      await authorize(request, reply)
        .login('ada')
        .catch((error: unknown) => errors.push(error))
      reply.raw.end('own')
    })
    expect((await app.inject({ method: 'POST', url: '/' })).body).toBe('own')
    expect(errors.map(String)).toEqual([
      'TypeError: Cookies cannot be set any more: the headers of this response have gone',
    ])
  })

  test('can be set on the reply given by hand', async () => {
    const { authorize, access } = await fastifySetup()
    const app = fastify()
    app.get('/', async (request, reply) => {
      await authorize(request, reply).setAccessCookies(access, { response: reply })
      return {}
    })
    expect((await app.inject('/')).cookies).toHaveLength(2)
  })
})

test('clientAddress is given the request of Fastify, which knows of trusted proxies', async () => {
  const clientAddress = ({ ip }: FastifyRequest): string => ip
  const clock = createClock()
  const { auth, authorize } = await fastifySetup({ clock, store: memoryStore({ clock }), clientAddress })
  const app = fastify({ trustProxy: true })
  app.post('/login', async (request, reply) => {
    await authorize(request, reply).login('ada')
    return {}
  })
  const headers = { 'x-forwarded-for': '192.0.2.7' }
  expect((await app.inject({ method: 'POST', url: '/login', headers })).statusCode).toBe(200)
  expect(await auth.sessions.list('ada')).toMatchObject([{ address: '192.0.2.7' }])
  await auth.close()
})
