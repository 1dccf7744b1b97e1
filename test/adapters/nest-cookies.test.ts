// Cookies on every kind of answer that NestJS has; run on both majors, by two projects of the runner.

import { Readable } from 'node:stream'
import {
  Controller,
  Header,
  HttpCode,
  Post,
  Redirect,
  Res,
  StreamableFile,
  UseInterceptors,
} from '@nestjs/common'
import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common'
import type { Response as ExpressResponse } from 'express'
import type { FastifyReply } from 'fastify'
import { map } from 'rxjs'
import type { Observable } from 'rxjs'
import { describe, expect, test } from 'vitest'
import { Authorize, TallystickModule } from '../../src/adapters/nest.ts'
import type { Authorize as Bound } from '../../src/index.ts'
import { namesSet, names, nestSetup, open, platforms } from './_nest.ts'

describe.each(platforms)('cookies on %s', (platform) => {
  class Wrap implements NestInterceptor {
    intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
      const response = context.switchToHttp().getResponse<ExpressResponse | FastifyReply>()
      return next.handle().pipe(
        map((content: unknown) => {
          response.header('x-own', '1')
          if ('raw' in response) response.header('set-cookie', 'own=1')
          else response.append('set-cookie', 'own=1')
          return { wrapped: content }
        }),
      )
    }
  }

  @Controller()
  class SignIn {
    @Post('plain')
    async plain(@Authorize() authorize: Bound): Promise<object> {
      await authorize.login('ada')
      return {}
    }
    @Post('passthrough')
    async passthrough(
      @Authorize() authorize: Bound,
      @Res({ passthrough: true }) response: ExpressResponse | FastifyReply,
    ): Promise<string> {
      response.status(202)
      await authorize.login('ada')
      return 'text'
    }
    @Post('by-hand')
    async byHand(
      @Authorize() authorize: Bound,
      @Res() response: ExpressResponse | FastifyReply,
    ): Promise<void> {
      await authorize.login('ada')
      response.status(202)
      response.send('text')
    }
    @Post('redirect')
    @Redirect('/elsewhere', 303)
    async redirect(@Authorize() authorize: Bound): Promise<void> {
      await authorize.login('ada')
    }
    @Post('file')
    @Header('x-own', '1')
    async file(@Authorize() authorize: Bound): Promise<StreamableFile> {
      await authorize.login('ada')
      return new StreamableFile(Readable.from([Buffer.from('one '), Buffer.from('two')]))
    }
    @Post('empty')
    @HttpCode(204)
    async empty(@Authorize() authorize: Bound): Promise<void> {
      await authorize.login('ada')
    }
    @Post('wrapped')
    @UseInterceptors(Wrap)
    async wrapped(@Authorize() authorize: Bound): Promise<object> {
      await authorize.login('ada')
      return {}
    }
    @Post('given')
    async given(
      @Authorize() authorize: Bound,
      @Res({ passthrough: true }) response: ExpressResponse,
    ): Promise<object> {
      await authorize.setAccessCookies(await authorize.createAccessToken('ada'), {
        response: response as never,
      })
      return {}
    }
    @Post('late')
    async late(
      @Authorize() authorize: Bound,
      @Res() response: ExpressResponse | FastifyReply,
    ): Promise<void> {
      const raw = 'raw' in response ? response.raw : response
      raw.write('half')
      const error = await authorize.login('ada').catch((caught: unknown) => caught)
      raw.end(String(error))
      await new Promise((resolve) => raw.once('close', resolve))
    }
    @Post('refused-late')
    async refusedLate(
      @Authorize() authorize: Bound,
      @Res() response: ExpressResponse | FastifyReply,
    ): Promise<void> {
      const raw = 'raw' in response ? response.raw : response
      raw.write('half')
      await authorize.jwtRequired()
    }
  }

  async function post(path: string): Promise<Response> {
    const { auth } = await nestSetup()
    const metadata = { imports: [TallystickModule.forRoot(auth)], controllers: [SignIn] }
    const { origin } = await open(platform, metadata)
    return fetch(`${origin}/${path}`, { method: 'POST', redirect: 'manual' })
  }

  test.each([
    ['plain', 201, '{}'],
    ['passthrough', 202, 'text'],
    ['by-hand', 202, 'text'],
    ['redirect', 303, undefined],
    ['file', 201, 'one two'],
    ['empty', 204, ''],
  ])('get onto the answer %s', async (path, status, text) => {
    const response = await post(path)
    expect(response.status).toBe(status)
    expect(namesSet(response)).toEqual(names)
    expect(response.headers.get('cache-control')).toBe('no-store')
    if (text !== undefined) expect(await response.text()).toBe(text)
  })

  test('stay beside those of an interceptor that changes the answer', async () => {
    const response = await post('wrapped')
    expect(await response.json()).toEqual({ wrapped: {} })
    expect(namesSet(response)).toEqual([...names, 'own'])
    expect(response.headers.get('x-own')).toBe('1')
  })

  test('can be set on the response given by hand', async () => {
    expect(namesSet(await post('given'))).toEqual(names.slice(0, 2))
  })

  test('after the headers have gone are a TypeError', async () => {
    expect(await (await post('late')).text()).toBe(
      'halfTypeError: Cookies cannot be set any more: the headers of this response have gone',
    )
  })

  test('a refusal after the headers have gone ends the answer', async () => {
    expect(await (await post('refused-late')).text()).toBe('half')
  })
})
