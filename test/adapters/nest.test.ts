// What is special about NestJS: the module, the decorators, contexts that are not HTTP; run on both majors, by two projects of the runner.

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Controller, Get, Injectable, Module, UseGuards } from '@nestjs/common'
import { ContextIdFactory, ExternalContextCreator, ModuleRef } from '@nestjs/core'
import { describe, expect, test } from 'vitest'
import {
  Authorize,
  FreshJwtRequired,
  InjectAuth,
  JwtClaims,
  JwtOptional,
  JwtRefreshTokenRequired,
  JwtRequired,
  Public,
  Subject,
  TallystickModule,
} from '../../src/adapters/nest.ts'
import { AuthError, createAuth } from '../../src/index.ts'
import type { Auth, Authorize as Bound } from '../../src/index.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { secretKey, setup } from '../_setup.ts'
import { create, nestSetup, open, platforms, running } from './_nest.ts'

const guards = { JwtRequired, JwtOptional, JwtRefreshTokenRequired, FreshJwtRequired }
const readers = { Authorize, JwtClaims, Subject }

test('the project of the runner leads to the major that it is named after', async ({ task }) => {
  const wanted = task.file.projectName === 'NestJS 11' ? '11' : '12'
  @Controller()
  class Traces {
    @Get()
    trace(): string {
      return new Error('trace').stack ?? ''
    }
  }
  const { origin } = await open('Express', { controllers: [Traces] })
  const stacks = [await (await fetch(origin)).text()]
  try {
    UseGuards('no guard' as never)(Traces)
  } catch (error) {
    stacks.push((error as Error).stack ?? '')
  }
  const versions = ['core', 'common'].map((name, index) => {
    const folder =
      new RegExp(`((?:file://)?/[^\\s()]*/node_modules/@nestjs/${name})/`).exec(stacks[index] ?? '')?.[1] ??
      ''
    const path = `${folder.startsWith('file:') ? fileURLToPath(folder) : folder}/package.json`
    return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version
  })
  expect(versions.map((version) => version.split('.')[0])).toEqual([wanted, wanted])
})

describe('the module', () => {
  test.each(Object.entries(guards))(
    'is missed by @%s() at start-up, with the fix',
    async (label, decorator) => {
      @Controller()
      class Orders {
        @Get()
        @decorator()
        list(): void {}
      }
      await expect(create('Express', { controllers: [Orders] })).rejects.toThrow(
        new TypeError(
          `@${label}() on Orders.list needs the module: put TallystickModule.forRoot(auth) into the imports of the root module`,
        ),
      )
    },
  )

  test.each(Object.entries(readers))(
    'is missed by @%s() at start-up, with the fix',
    async (label, decorator) => {
      @Controller()
      class Orders {
        @Get()
        list(@decorator('admin') _value: unknown): void {}
      }
      const { auth } = await nestSetup()
      const metadata = { imports: [TallystickModule.forRoot(auth)], controllers: [Orders] }
      await expect(create('Express', metadata)).rejects.toThrow(
        new TypeError(
          `@${label}() in Orders.list needs the module: put TallystickModule.forRoot(auth, { name: 'admin' }) into the imports of the root module`,
        ),
      )
    },
  )

  test('is missed by a guard of a whole controller, which names the controller', async () => {
    @Controller()
    @JwtRequired({ auth: 'admin' })
    class Orders {}
    await expect(create('Express', { controllers: [Orders] })).rejects.toThrow(
      "@JwtRequired() on Orders needs the module: put TallystickModule.forRoot(auth, { name: 'admin' })",
    )
  })

  test('is named by Nest where a provider injects what is not there', async () => {
    @Injectable()
    class Service {
      constructor(@InjectAuth() _auth: Auth) {}
    }
    const metadata = { providers: [Service] }
    await expect(create('Express', metadata)).rejects.toThrow('Auth of TallystickModule.forRoot(auth)')
  })

  test.each([undefined, null, {}, { secretKey: 'x' }])(
    'takes only what createAuth gave, not %j',
    async (impostor) => {
      expect(() => TallystickModule.forRoot(impostor as never)).toThrow(
        new TypeError(
          'TallystickModule.forRoot() takes what createAuth() gave, of the same copy of tallystick',
        ),
      )
      const imports = [TallystickModule.forRootAsync({ useFactory: () => impostor as never })]
      await expect(create('Express', { imports })).rejects.toThrow(
        new TypeError(
          'TallystickModule.forRootAsync() takes what createAuth() gave, of the same copy of tallystick',
        ),
      )
    },
  )

  test.each([
    ['forRoot', { nam: 'admin' }],
    ['forRoot', { authErrors: 'no' }],
    ['forRoot', { name: 1 }],
    ['forRootAsync', { useFactory: 1 }],
    ['forRootAsync', { secretKey }],
  ] as const)('refuses wrong options of %s at once: %j', async (method, options) => {
    const { auth } = await nestSetup()
    const call = () =>
      method === 'forRoot'
        ? TallystickModule.forRoot(auth, options as never)
        : TallystickModule.forRootAsync(options as never)
    expect(call).toThrow(TypeError)
  })

  test('makes an Auth of what is injected, and closes it with the application', async () => {
    let closed = 0
    const store = Object.assign(memoryStore(), { close: async () => void closed++ })
    @Module({ providers: [{ provide: 'SECRET', useValue: secretKey }], exports: ['SECRET'] })
    class Settings {}
    @Controller()
    class Who {
      @Get()
      @JwtRequired()
      who(@Subject() user: string): string {
        return user
      }
    }
    const module = TallystickModule.forRootAsync({
      imports: [Settings],
      inject: ['SECRET'],
      useFactory: async (secret: string) => createAuth({ secretKey: secret, store }),
    })
    const { origin } = await open('Fastify', { imports: [module], controllers: [Who] })
    const token = await createAuth({ secretKey, store: memoryStore() }).createAccessToken('ada')
    expect(await (await fetch(origin, { headers: { cookie: `access_token_cookie=${token}` } })).text()).toBe(
      'ada',
    )
    await running.pop()?.close()
    expect(closed).toBe(1)
  })

  test('leaves an Auth open that it was given', async () => {
    let closed = 0
    const store = Object.assign(memoryStore(), { close: async () => void closed++ })
    const { auth } = setup({ store })
    await auth.ready()
    await (
      await create('Express', { imports: [TallystickModule.forRoot(auth)] }).then(async (app) => app.init())
    ).close()
    expect(closed).toBe(0)
    await auth.close()
    expect(closed).toBe(1)
  })

  test('refuses two Auths under one name, and takes one Auth twice', async () => {
    const { auth } = await nestSetup()
    const other = await nestSetup()
    const twice = await create('Express', {
      imports: [TallystickModule.forRoot(auth), TallystickModule.forRoot(auth)],
    })
    await twice.init()
    await twice.close()
    for (const name of [undefined, 'admin']) {
      const imports = [auth, other.auth].map((one) => TallystickModule.forRoot(one, { name }))
      const both = await create('Fastify', { imports })
      await expect(both.init()).rejects.toThrow(
        /^TallystickModule\.forRoot\(auth.* was imported for two Auths: give one of them a name/,
      )
    }
  })
})

describe('decorators', () => {
  test.each(Object.entries({ ...guards, Public }))(
    '@%s without its parentheses is a TypeError, on a handler and on a controller',
    (label, decorator) => {
      const bare = decorator as unknown as MethodDecorator & ClassDecorator
      const fix = new TypeError(`@${label} must be called: write @${label}()`)
      expect(() => {
        class Orders {
          @bare
          list(): void {}
        }
        return Orders
      }).toThrow(fix)
      expect(() => {
        @bare
        class Orders {}
        return Orders
      }).toThrow(fix)
    },
  )

  test.each(Object.entries(readers))('@%s without its parentheses is a TypeError', (label, decorator) => {
    const bare = decorator as unknown as ParameterDecorator
    expect(() => {
      class Orders {
        list(@bare _value: unknown): void {}
      }
      return Orders
    }).toThrow(new TypeError(`@${label} must be called: write @${label}()`))
  })

  test.each([
    [{ location: [] }, /location/],
    [{ locations: [] }, /locations of jwtRequired/],
    [{ within: '5m' }, /within/],
    [{ csrf: 'never' }, /csrf of jwtRequired/],
    [{ auth: 1 }, /name of an Auth/],
    [{ auth: undefined, name: 'admin' }, /name/],
  ])('refuse the wrong options %j where they are written', (options, message) => {
    expect(() => JwtRequired(options as never)).toThrow(message)
  })

  test.each([JwtClaims, Subject])('of a handler are a TypeError in a constructor', (decorator) => {
    expect(() => {
      class Orders {
        constructor(@decorator() _value: unknown) {}
      }
      return Orders
    }).toThrow(/^@\w+\(\) in Orders: only handlers/)
  })
})

describe.each(['ws', 'rpc', 'graphql'])('in a context of %s', (type) => {
  /** What a library of that context makes of a method, with all that Nest puts before it. */
  async function call(method: 'guarded' | 'read' | 'refused'): Promise<unknown> {
    const { auth } = await nestSetup()
    @Injectable()
    class Gateway {
      @JwtRequired()
      guarded(): string {
        return 'in'
      }
      read(@Authorize() authorize: Bound): string {
        return `in ${authorize.getJwtSubject()}`
      }
      refused(): never {
        throw new AuthError('token_missing')
      }
    }
    const app = await create('Express', { imports: [TallystickModule.forRoot(auth)], providers: [Gateway] })
    running.push(await app.init())
    const gateway = app.get(Gateway)
    const parameters = { exchangeKeyForValue: () => undefined }
    const options = { interceptors: true, guards: true, filters: true }
    const handler = app
      .get(ExternalContextCreator)
      .create(
        gateway,
        gateway[method] as () => unknown,
        method,
        '__routeArguments__',
        parameters,
        undefined,
        undefined,
        options,
        type,
      )
    return handler({}, {}, {})
  }

  test.each(['guarded', 'read'] as const)(
    'a handler that is %s is refused with a TypeError',
    async (method) => {
      await expect(call(method)).rejects.toThrow(
        new TypeError(
          `tallystick/nest guards HTTP handlers, not those of '${type}': a token is checked there with auth.verify()`,
        ),
      )
    },
  )

  test('a refusal of a handler stays what it is', async () => {
    await expect(call('refused')).rejects.toSatisfy((error) => AuthError.is(error, 'token_missing'))
  })
})

test.each(platforms)('Authorize is made for HTTP requests alone, on %s', async (platform) => {
  const { auth } = await nestSetup()
  @Injectable()
  class Orders {
    constructor(@Authorize() _authorize: Bound) {}
  }
  const app = await create(platform, { imports: [TallystickModule.forRoot(auth)], providers: [Orders] })
  running.push(app)
  for (const message of [{ data: 1 }, { raw: {} }]) {
    const contextId = ContextIdFactory.create()
    app.get(ModuleRef).registerRequestByContextId(message, contextId)
    await expect(app.resolve(Orders, contextId)).rejects.toThrow(
      new TypeError('Authorize can be injected into what is made for an HTTP request, and into nothing else'),
    )
  }
})
