// What `describeAuth` says is valid OpenAPI 3.1, and true: each described scheme is one that the guards take.

// oxlint-disable-next-line import/no-unassigned-import -- what Nest's decorators write to
import 'reflect-metadata'
import swagger from '@fastify/swagger'
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { Controller, Module, Post } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { ApiExtension, ApiOperation, DocumentBuilder, SwaggerModule } from '@nestjs/swagger'
import { Validator } from '@seriousme/openapi-schema-validator'
import Fastify from 'fastify'
import { describe, expect, test } from 'vitest'
import { fastifyAuth } from '../src/adapters/fastify.ts'
import { honoAuth } from '../src/adapters/hono.ts'
import type { AuthOptions } from '../src/index.ts'
import { describeAuth } from '../src/openapi.ts'
import type { GuardName } from '../src/core/guard.ts'
import { memoryStore } from '../src/stores/memory.ts'
import { cookieHeader, setup } from './_setup.ts'

const guards: readonly GuardName[] = [
  'jwtRequired',
  'jwtOptional',
  'jwtRefreshTokenRequired',
  'freshJwtRequired',
]
const methods = ['get', 'put', 'post', 'delete', 'patch'] as const

async function expectValid(document: object): Promise<void> {
  const { valid, errors } = await new Validator().validate(structuredClone(document) as never)
  expect(errors).toBeUndefined()
  expect(valid).toBe(true)
}

/** A document with every guard under every method. */
function documentOf(options: AuthOptions) {
  const { auth } = setup(options)
  const { components, operation } = describeAuth(auth)
  const paths = Object.fromEntries(
    guards.map((guard) => [
      `/${guard}`,
      Object.fromEntries(methods.map((method) => [method, operation(guard, method)])),
    ]),
  )
  return { openapi: '3.1.0', info: { title: 'Test', version: '1' }, paths, components }
}

const variations: readonly (readonly [title: string, options: AuthOptions])[] = [
  ['the defaults', {}],
  ['every location', { tokenLocation: ['headers', 'cookies', 'query', 'json'] }],
  ['a bearer header alone', { tokenLocation: ['headers'] }],
  ['a bare header', { tokenLocation: ['headers'], headerName: 'X-Token', headerType: '' }],
  ['no CSRF protection', { cookieCsrfProtect: false }],
  [
    'prefixed cookies and other names',
    { cookiePrefix: '__Host-', accessCookieKey: 'a', accessCsrfHeaderName: 'X-A' },
  ],
  ['a store', { store: memoryStore() }],
  ['other statuses', { statusCodes: { token_invalid: 422, csrf_missing: 400 } }],
  ['the place of fastapi-jwt-auth', { compat: 'fastapi-jwt-auth', tokenLocation: ['headers', 'cookies'] }],
  ['the place of flask-jwt-extended', { compat: 'flask-jwt-extended', tokenLocation: ['cookies'] }],
  ['CSRF on some methods', { csrfMethods: ['PATCH'] }],
]

describe.each(variations)('with %s', (_title, options) => {
  test('the document is valid, and names no scheme and no response that it does not hold', async () => {
    const document = documentOf(options)
    await expectValid(document)
    const operations = Object.values(document.paths).flatMap((item) => Object.values(item))
    const used = new Set(operations.flatMap(({ security }) => security.flatMap((one) => Object.keys(one))))
    expect([...used].toSorted()).toEqual(Object.keys(document.components.securitySchemes).toSorted())
    const named = new Set(
      operations.flatMap(({ responses }) => Object.values(responses)).map(({ $ref }) => $ref),
    )
    expect([...named].map((ref) => ref.replace('#/components/responses/', '')).toSorted()).toEqual(
      Object.keys(document.components.responses).toSorted(),
    )
  })
})

test('a cookie goes with its CSRF header where the method is checked, and alone where it is not', () => {
  const { operation, components } = describeAuth(setup().auth)
  expect(operation('jwtRequired', 'GET').security).toEqual([{ accessCookie: [] }])
  expect(operation('jwtRequired', 'post').security).toEqual([{ accessCookie: [], accessCsrf: [] }])
  expect(operation('jwtRequired', 'GET', { csrf: 'always' }).security).toEqual([
    { accessCookie: [], accessCsrf: [] },
  ])
  expect(operation('jwtRefreshTokenRequired', 'POST').security).toEqual([
    { refreshCookie: [], refreshCsrf: [] },
  ])
  expect(operation('jwtOptional', 'GET').security).toEqual([{ accessCookie: [] }, {}])
  expect(components.securitySchemes['accessCookie']).toMatchObject({
    in: 'cookie',
    name: 'access_token_cookie',
  })
  expect(components.securitySchemes['accessCsrf']).toMatchObject({ in: 'header', name: 'X-CSRF-Token' })
})

test.each<[AuthOptions, object]>([
  [{}, { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'The access token.' }],
  [{ headerType: 'JWT' }, { type: 'http', scheme: 'jwt', description: 'The access token.' }],
  [
    { headerType: '' },
    { type: 'apiKey', in: 'header', name: 'Authorization', description: 'The access token.' },
  ],
  [
    { headerName: 'X-Token' },
    {
      type: 'apiKey',
      in: 'header',
      name: 'X-Token',
      description: 'The access token. The value begins with "Bearer ".',
    },
  ],
])('a header is described as the guards read it, with %j', async (options, scheme) => {
  const { auth } = setup({ tokenLocation: ['headers'], ...options })
  expect(describeAuth(auth).components.securitySchemes['accessHeader']).toEqual(scheme)
  await expectValid(documentOf({ tokenLocation: ['headers'], ...options }))
})

test('a CSRF value is said to be where it is', () => {
  const said = (options: AuthOptions): string | undefined =>
    describeAuth(setup(options).auth).components.securitySchemes['refreshCsrf']?.description
  expect(said({ cookiePrefix: '__Host-' })).toBe('The value of the cookie __Host-csrf_refresh_token.')
  expect(said({ csrfInCookies: false })).toBe('The CSRF value that the page was given.')
  expect(said({ csrfCheckForm: true, refreshCsrfFieldName: 'proof' })).toBe(
    'The value of the cookie csrf_refresh_token. A form can send it as its field proof instead.',
  )
})

test.each([
  ['fastapi-jwt-auth', 'detail'],
  ['flask-jwt-extended', 'msg'],
] as const)('in the place of %s refusals are described as they are answered', (compat, name) => {
  const { components } = describeAuth(setup({ compat }).auth)
  expect(components.schemas['AuthProblem']).toMatchObject({ required: [name] })
  for (const response of Object.values(components.responses)) {
    expect(Object.keys(response.content)).toEqual(['application/json'])
  }
  expect(Object.values(components.responses).some((one) => one.description.includes('token_invalid'))).toBe(
    true,
  )
  expect(components.responses['AuthRefusal422']?.description).toContain('token_invalid')
})

test('locations of a guard replace those of the Auth', () => {
  const { operation } = describeAuth(setup({ tokenLocation: ['cookies', 'headers'] }).auth)
  expect(operation('jwtRequired', 'POST', { locations: ['headers'] }).security).toEqual([
    { accessHeader: [] },
  ])
  expect(() => operation('jwtRequired', 'POST', { location: ['headers'] } as never)).toThrow(/location/)
})

test('only refusals that can happen are told', () => {
  const codesOf = (options: AuthOptions): string =>
    JSON.stringify(describeAuth(setup(options).auth).components)
  expect(codesOf({ tokenLocation: ['headers'] })).not.toMatch(
    /csrf|origin_forbidden|ambiguous|reused|unavailable/,
  )
  expect(codesOf({})).toMatch(/csrf_missing.*origin_forbidden/)
  expect(codesOf({})).not.toMatch(/header_invalid|refresh_reused|user_not_found/)
  expect(codesOf({ store: memoryStore() })).toMatch(/refresh_reused.*store_unavailable/)
  expect(codesOf({ userLookup: () => null })).toMatch(/user_not_found/)
})

test('what is no Auth is refused', () => {
  expect(() => describeAuth({} as never)).toThrow(
    new TypeError('describeAuth() takes what createAuth() gave, of the same copy of tallystick'),
  )
})

describe('shown with', () => {
  test('@fastify/swagger', async () => {
    const { auth } = setup()
    const { jwtRequired } = fastifyAuth(auth)
    const { components, operation } = describeAuth(auth)
    const app = Fastify()
    await app.register(swagger, {
      openapi: { openapi: '3.1.0', info: { title: 'T', version: '1' }, components },
    })
    const { security } = operation('jwtRequired', 'POST')
    app.post('/orders', { onRequest: jwtRequired(), schema: { security } }, async () => ({}))
    await app.ready()
    const document = app.swagger()
    await expectValid(document)
    expect(document.paths?.['/orders']?.post?.security).toEqual(security)
    const refused = await app.inject({ method: 'POST', url: '/orders' })
    expect(refused.statusCode).toBe(401)
    await app.close()
  })

  test('@hono/zod-openapi', async () => {
    const { auth } = setup()
    const { jwtRequired, authorize } = honoAuth(auth)
    const { components, operation } = describeAuth(auth)
    const app = new OpenAPIHono()
    for (const [name, scheme] of Object.entries(components.securitySchemes)) {
      app.openAPIRegistry.registerComponent('securitySchemes', name, scheme)
    }
    const { security } = operation('jwtRequired', 'GET')
    const route = createRoute({
      method: 'get',
      path: '/who',
      security,
      middleware: jwtRequired(),
      responses: {
        200: {
          description: 'Who',
          content: { 'application/json': { schema: z.object({ user: z.string() }) } },
        },
      },
    })
    app.openapi(route, (c) => c.json({ user: authorize(c).subject() }, 200))
    const document = app.getOpenAPI31Document({ openapi: '3.1.0', info: { title: 'T', version: '1' } })
    await expectValid(document)
    expect(document.paths?.['/who']?.get?.security).toEqual(security)
    const cookie = cookieHeader({ access_token_cookie: await auth.createAccessToken('ada') })
    expect(await (await app.request('/who', { headers: { cookie } })).json()).toEqual({ user: 'ada' })
  })

  test('@nestjs/swagger', async () => {
    const { components, operation } = describeAuth(setup().auth)
    class Orders {
      create(): object {
        return {}
      }
    }
    const handler = Object.getOwnPropertyDescriptor(Orders.prototype, 'create') ?? {}
    const { security } = operation('jwtRequired', 'POST')
    for (const decorate of [Post(), ApiOperation({ security }), ApiExtension('x-guard', 'jwtRequired')]) {
      decorate(Orders.prototype, 'create', handler)
    }
    Controller('orders')(Orders)
    class App {}
    Module({ controllers: [Orders] })(App)
    const app = await NestFactory.create(App, { logger: false })
    const builder = new DocumentBuilder().setTitle('T').setOpenAPIVersion('3.1.0')
    for (const [name, scheme] of Object.entries(components.securitySchemes)) builder.addSecurity(name, scheme)
    const document = SwaggerModule.createDocument(app, builder.build())
    await expectValid(document)
    expect(document.paths['/orders']?.post?.security).toEqual(security)
    await app.close()
  })
})
