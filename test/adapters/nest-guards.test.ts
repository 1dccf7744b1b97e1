// Guards of NestJS on handlers, controllers and applications, and what handlers are given; run on both majors, by two projects of the runner.

import {
  All,
  Catch,
  Controller,
  Get,
  HttpCode,
  Inject,
  Injectable,
  Module,
  Post,
  Scope,
  UseFilters,
  UseGuards,
  UseInterceptors,
} from '@nestjs/common'
import type {
  ArgumentsHost,
  CallHandler,
  CanActivate,
  ExceptionFilter,
  ExecutionContext,
  NestInterceptor,
  PipeTransform,
} from '@nestjs/common'
import { APP_FILTER, APP_GUARD } from '@nestjs/core'
import type { Response as ExpressResponse } from 'express'
import type { FastifyReply } from 'fastify'
import type { Observable } from 'rxjs'
import { describe, expect, test } from 'vitest'
import {
  authToken,
  Authorize,
  FreshJwtRequired,
  InjectAuth,
  JwtClaims,
  JwtOptional,
  JwtRequired,
  nestAuth,
  Public,
  Subject,
  TallystickModule,
} from '../../src/adapters/nest.ts'
import { AuthError } from '../../src/index.ts'
import type { Auth, Authorize as Bound, Claims } from '../../src/index.ts'
import { codeAt, FaultFilter, namesSet, nestSetup, open, openCaught, platforms } from './_nest.ts'
import type { Opened } from './_nest.ts'

describe.each(platforms)('a guard on %s', (platform) => {
  test('of a controller guards its handlers, and @Public() takes one of them out', async () => {
    const { auth, headers } = await nestSetup()
    @Controller()
    @JwtRequired()
    class Orders {
      @Get('closed')
      closed(@Subject() user: string): object {
        return { user }
      }
      @Get('open')
      @Public()
      open(): object {
        return { open: true }
      }
      @Get('both')
      @Public()
      @JwtRequired()
      both(): object {
        return {}
      }
    }
    const { origin } = await open(platform, {
      imports: [TallystickModule.forRoot(auth)],
      controllers: [Orders],
    })
    expect(await codeAt(`${origin}/closed`)).toBe('token_missing')
    expect(await (await fetch(`${origin}/closed`, { headers })).json()).toEqual({ user: 'ada' })
    expect(await (await fetch(`${origin}/open`)).json()).toEqual({ open: true })
    expect(await codeAt(`${origin}/both`)).toBe('token_missing')
  })

  test('of a feature module finds the Auth that the root module has imported', async () => {
    const { auth, headers } = await nestSetup()
    @Controller()
    class Orders {
      @Get()
      @JwtRequired()
      list(@Subject() user: string): object {
        return { user }
      }
    }
    @Module({ controllers: [Orders] })
    class Feature {}
    const { origin } = await open(platform, { imports: [Feature, TallystickModule.forRoot(auth)] })
    expect(await codeAt(origin)).toBe('token_missing')
    expect(await (await fetch(origin, { headers })).json()).toEqual({ user: 'ada' })
  })

  test('of a controller that is @Public() itself still guards it', async () => {
    const { auth } = await nestSetup()
    @Public()
    @JwtRequired()
    @Controller()
    class Orders {
      @Get()
      list(): object {
        return {}
      }
    }
    const { origin } = await open(platform, {
      imports: [TallystickModule.forRoot(auth)],
      controllers: [Orders],
    })
    expect(await codeAt(origin)).toBe('token_missing')
  })

  test('for the whole application leaves out what is @Public(), a handler or a controller', async () => {
    const { auth, headers } = await nestSetup()
    @Controller()
    class Orders {
      @Get('closed')
      closed(@Subject() user: string): object {
        return { user }
      }
      @Public()
      @Get('open')
      open(): object {
        return { open: true }
      }
    }
    @Public()
    @Controller('pages')
    class Pages {
      @Get('open')
      open(): object {
        return { open: true }
      }
      @FreshJwtRequired()
      @Get('closed')
      closed(): object {
        return {}
      }
    }
    const imports = [TallystickModule.forRoot(auth)]
    const controllers = [Orders, Pages]
    const guard = { provide: APP_GUARD, useValue: nestAuth(auth).jwtRequired() }
    const injected = {
      provide: APP_GUARD,
      inject: [authToken()],
      useFactory: (one: Auth) => nestAuth(one).jwtRequired(),
    }
    const opened = [
      await open(platform, { imports, controllers, providers: [guard] }),
      await open(platform, { imports, controllers, providers: [injected] }),
      await open(platform, { controllers: [Orders] }, (app) => {
        app.useGlobalGuards(nestAuth(auth).jwtRequired()).useGlobalFilters(nestAuth(auth).authErrors)
      }).catch((error: unknown) => error),
    ]
    // Without the module the decorators of the handlers have no Auth.
    expect(String(opened.pop())).toContain('@Subject() in Orders.closed needs the module')
    for (const { origin } of opened as Opened[]) {
      for (const path of ['closed', 'pages/closed'])
        expect(await codeAt(`${origin}/${path}`)).toBe('token_missing')
      expect(await (await fetch(`${origin}/closed`, { headers })).json()).toEqual({ user: 'ada' })
      for (const path of ['open', 'pages/open']) expect((await fetch(`${origin}/${path}`)).status).toBe(200)
    }
  })

  test('and its filter need no module where no decorator is used', async () => {
    const { auth, headers } = await nestSetup()
    const { jwtRequired, authErrors } = nestAuth(auth)
    @Controller()
    class Orders {
      @Get()
      @UseGuards(jwtRequired())
      list(): object {
        return { in: true }
      }
    }
    const { origin } = await open(platform, { controllers: [Orders] }, (app) =>
      app.useGlobalFilters(authErrors),
    )
    expect(await codeAt(origin)).toBe('token_missing')
    expect(await (await fetch(origin, { headers })).json()).toEqual({ in: true })
  })

  test('answers for itself where a filter of the application catches everything', async () => {
    const { auth } = await nestSetup()
    @Controller()
    class Orders {
      @Get('handler')
      @JwtRequired()
      handler(): void {}
      @Get('by-hand')
      async byHand(@Authorize() authorize: Bound): Promise<unknown> {
        return authorize.jwtRequired()
      }
    }
    @JwtRequired()
    @Controller('all')
    class All {
      @Get()
      handler(): void {}
    }
    const metadata = { imports: [TallystickModule.forRoot(auth)], controllers: [Orders, All] }
    const { origin, faults } = await openCaught(platform, metadata)
    expect(await codeAt(`${origin}/handler`)).toBe('token_missing')
    expect(await codeAt(`${origin}/all`)).toBe('token_missing')
    expect(faults).toEqual([])
    // What a handler throws is the application's, which has its own filter for everything.
    expect((await fetch(`${origin}/by-hand`)).status).toBe(418)
    expect(faults.map((fault) => AuthError.is(fault, 'token_missing'))).toEqual([true])
  })

  test('leaves its refusals to a filter above it', async () => {
    const { auth } = await nestSetup()
    @Catch(AuthError)
    class Mine implements ExceptionFilter<AuthError> {
      catch(error: AuthError, host: ArgumentsHost): void {
        const response = host.switchToHttp().getResponse<ExpressResponse | FastifyReply>()
        response.status(error.status)
        response.send({ mine: error.code })
      }
    }
    @Controller()
    class Orders {
      @Get()
      @UseFilters(Mine)
      @JwtRequired()
      list(): void {}
    }
    const { origin } = await open(platform, {
      imports: [TallystickModule.forRoot(auth)],
      controllers: [Orders],
    })
    const response = await fetch(origin)
    expect([response.status, await response.json()]).toEqual([401, { mine: 'token_missing' }])
  })

  test('runs no handler, interceptor or pipe behind it after a refusal', async () => {
    const { auth } = await nestSetup()
    const ran: string[] = []
    class Watch implements NestInterceptor, PipeTransform {
      intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
        ran.push('interceptor')
        return next.handle()
      }
      transform(value: unknown): unknown {
        ran.push('pipe')
        return value
      }
    }
    @Controller()
    class Orders {
      @Get()
      @JwtRequired()
      list(@Subject() _user: string): void {
        ran.push('handler')
      }
    }
    const metadata = { imports: [TallystickModule.forRoot(auth)], controllers: [Orders] }
    const { origin } = await open(platform, metadata, (app) => {
      app.useGlobalInterceptors(new Watch()).useGlobalPipes(new Watch())
    })
    expect(await codeAt(origin)).toBe('token_missing')
    expect(ran).toEqual([])
  })

  test('of two Auths guards with its own eyes, and each decorator reads its own', async () => {
    const { auth, headers } = await nestSetup()
    const admin = await nestSetup({ accessCookieKey: 'admin_cookie' })
    const token = await admin.auth.createAccessToken('root')
    @Controller()
    class Orders {
      @Get('admin')
      @JwtRequired({ auth: 'admin' })
      admin(@Subject('admin') user: string): object {
        return { user }
      }
      @Get('both')
      @JwtRequired()
      @JwtRequired({ auth: 'admin' })
      both(
        @Subject() user: string,
        @JwtClaims('admin') claims: Claims,
        @Authorize('admin') authorize: Bound,
      ): object {
        return { user, admin: claims.sub, same: authorize.getRawJwt() === claims }
      }
    }
    const imports = [TallystickModule.forRoot(auth), TallystickModule.forRoot(admin.auth, { name: 'admin' })]
    const { origin } = await open(platform, { imports, controllers: [Orders] })
    expect(await codeAt(`${origin}/admin`, { headers })).toBe('token_missing')
    const cookie = `${headers.cookie}; admin_cookie=${token}`
    expect(await (await fetch(`${origin}/admin`, { headers: { cookie } })).json()).toEqual({ user: 'root' })
    expect(await (await fetch(`${origin}/both`, { headers: { cookie } })).json()).toEqual({
      user: 'ada',
      admin: 'root',
      same: true,
    })
  })
})

describe.each(platforms)('what a handler is given on %s', (platform) => {
  test('is null where an optional guard has found nobody, and whom it has found otherwise', async () => {
    const { auth, headers } = await nestSetup()
    @Controller()
    class Orders {
      @Get()
      @JwtOptional()
      list(@Subject() user: string | null, @JwtClaims() claims: Claims | null): object {
        return { user, sub: claims?.sub ?? null, isNull: claims === null }
      }
    }
    const { origin } = await open(platform, {
      imports: [TallystickModule.forRoot(auth)],
      controllers: [Orders],
    })
    expect(await (await fetch(origin)).json()).toEqual({ user: null, sub: null, isNull: true })
    expect(await (await fetch(origin, { headers })).json()).toEqual({
      user: 'ada',
      sub: 'ada',
      isNull: false,
    })
  })

  test.each([
    ['Subject', Subject, 'subject'],
    ['JwtClaims', JwtClaims, 'claims'],
  ])('by @%s without a guard is a TypeError that names the guard', async (_label, decorator, reader) => {
    const { auth, headers } = await nestSetup()
    @Controller()
    class Orders {
      @Get()
      list(@decorator() value: unknown): object {
        return { value }
      }
    }
    const { origin, faults } = await openCaught(platform, {
      imports: [TallystickModule.forRoot(auth)],
      controllers: [Orders],
    })
    expect((await fetch(origin, { headers })).status).toBe(418)
    expect(faults.map(String)).toEqual([
      `TypeError: ${reader}() needs a guard that passed: put jwtRequired() before it`,
    ])
  })

  test('is never nobody behind a guard that demands a token, whatever looks like a preflight', async () => {
    const { auth } = await nestSetup()
    @Controller()
    class Orders {
      @All()
      @JwtRequired()
      all(@Subject() user: string): object {
        return { user }
      }
    }
    const { origin } = await open(platform, {
      imports: [TallystickModule.forRoot(auth)],
      controllers: [Orders],
    })
    const headers = { origin: 'https://evil.example', 'access-control-request-method': 'GET' }
    expect(await codeAt(origin, { method: 'OPTIONS', headers })).toBe('token_missing')
  })

  test('comes through global pipes that treat objects and texts, and is a TypeError behind one that replaces all', async () => {
    const { auth, headers } = await nestSetup()
    @Controller()
    class Orders {
      @Get()
      @JwtRequired()
      list(@Authorize() authorize: Bound, @Subject() user: string): object {
        return { user, same: authorize.subject() === user }
      }
    }
    const cloning: PipeTransform = {
      transform: (value: unknown) => (typeof value === 'object' ? { ...value } : value),
    }
    const replacing: PipeTransform = { transform: () => ({}) }
    const metadata = { imports: [TallystickModule.forRoot(auth)], controllers: [Orders] }
    const kept = await open(platform, metadata, (app) => app.useGlobalPipes(cloning))
    expect(await (await fetch(kept.origin, { headers })).json()).toEqual({ user: 'ada', same: true })
    const filter = new FaultFilter()
    const lost = await open(platform, metadata, (app) => {
      app.useGlobalPipes(replacing).useGlobalFilters(filter)
    })
    expect((await fetch(lost.origin, { headers })).status).toBe(418)
    expect(String(filter.faults[0])).toMatch(
      /^TypeError: @\w+\(\) in Orders\.list: a global pipe has replaced/,
    )
  })

  test('is one object in guards, interceptors, request-scoped providers and the handler itself', async () => {
    const { auth, headers } = await nestSetup()
    const { authorize } = nestAuth(auth)
    const seen = new Set<unknown>()
    class Mine implements CanActivate, NestInterceptor {
      canActivate(context: ExecutionContext): boolean {
        return seen.add(authorize(context)).size > 0
      }
      intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
        seen.add(authorize(context))
        return next.handle()
      }
    }
    @Injectable({ scope: Scope.REQUEST })
    class Orders {
      readonly #authorize: Bound
      constructor(@Authorize() bound: Bound) {
        this.#authorize = bound
      }
      list(): object {
        seen.add(this.#authorize)
        return { user: this.#authorize.subject() }
      }
    }
    @Controller()
    class OrdersController {
      readonly #orders: Orders
      constructor(@Inject(Orders) orders: Orders) {
        this.#orders = orders
      }
      @Get()
      @JwtRequired()
      @UseGuards(Mine)
      @UseInterceptors(Mine)
      list(@Authorize() bound: Bound): object {
        seen.add(bound)
        return this.#orders.list()
      }
    }
    const imports = [TallystickModule.forRoot(auth)]
    const { origin } = await open(platform, { imports, controllers: [OrdersController], providers: [Orders] })
    expect(await (await fetch(origin, { headers })).json()).toEqual({ user: 'ada' })
    expect(seen.size).toBe(1)
    expect(await codeAt(origin)).toBe('token_missing')
  })

  test('signs in from a request-scoped provider, of each of two Auths', async () => {
    const { auth } = await nestSetup()
    const admin = await nestSetup({ accessCookieKey: 'admin_cookie', accessCsrfCookieKey: 'admin_csrf' })
    @Injectable()
    class SignIn {
      readonly #both: readonly Bound[]
      constructor(@Authorize() bound: Bound, @Authorize('admin') other: Bound) {
        this.#both = [bound, other]
      }
      async run(): Promise<void> {
        for (const bound of this.#both) {
          await bound.setAccessCookies(await bound.createAccessToken('ada'))
        }
      }
    }
    @Controller()
    class SignInController {
      readonly #signIn: SignIn
      constructor(@Inject(SignIn) signIn: SignIn) {
        this.#signIn = signIn
      }
      @Post()
      @HttpCode(204)
      async login(): Promise<void> {
        await this.#signIn.run()
      }
    }
    const imports = [TallystickModule.forRoot(auth), TallystickModule.forRoot(admin.auth, { name: 'admin' })]
    const { origin } = await open(platform, { imports, controllers: [SignInController], providers: [SignIn] })
    const response = await fetch(origin, { method: 'POST' })
    expect([response.status, namesSet(response)]).toEqual([
      204,
      ['access_token_cookie', 'csrf_access_token', 'admin_cookie', 'admin_csrf'],
    ])
  })

  test('can be the Auth itself, in a provider that lives as long as the application', async () => {
    const { auth, access } = await nestSetup()
    @Controller()
    class Tokens {
      readonly #auth: Auth
      constructor(@InjectAuth() injected: Auth) {
        this.#auth = injected
      }
      @Get()
      async verify(): Promise<object> {
        return { sub: (await this.#auth.verify(access)).sub, same: this.#auth === auth }
      }
    }
    const { origin } = await open(platform, {
      imports: [TallystickModule.forRoot(auth)],
      controllers: [Tokens],
    })
    expect(await (await fetch(origin)).json()).toEqual({ sub: 'ada', same: true })
  })
})

describe('refusals of handlers', () => {
  @Controller()
  class Orders {
    @Get()
    async list(@Authorize() authorize: Bound): Promise<unknown> {
      return authorize.jwtRequired()
    }
  }
  @Catch(AuthError)
  class Mine implements ExceptionFilter<AuthError> {
    catch(error: AuthError, host: ArgumentsHost): void {
      const response = host.switchToHttp().getResponse<ExpressResponse | FastifyReply>()
      response.status(error.status)
      response.send({ mine: error.code })
    }
  }

  test.each(platforms)(
    'on %s are answered by a filter of the application with authErrors: false',
    async (platform) => {
      const { auth } = await nestSetup()
      const { origin } = await open(platform, {
        imports: [TallystickModule.forRoot(auth, { authErrors: false })],
        controllers: [Orders],
        providers: [{ provide: APP_FILTER, useClass: Mine }],
      })
      expect(await (await fetch(origin)).json()).toEqual({ mine: 'token_missing' })
    },
  )

  test.each(platforms)(
    'on %s are answered by ours before an APP_FILTER of the root module',
    async (platform) => {
      const { auth } = await nestSetup()
      const { origin } = await open(platform, {
        imports: [TallystickModule.forRoot(auth)],
        controllers: [Orders],
        providers: [{ provide: APP_FILTER, useClass: FaultFilter }],
      })
      expect(await codeAt(origin)).toBe('token_missing')
    },
  )
})
