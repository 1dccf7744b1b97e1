// The app of the contract on NestJS, on Express and on Fastify; the project of the runner says which major it is.

import { Readable } from 'node:stream'
import { Body, Controller, HttpCode, Module, Redirect, RequestMapping } from '@nestjs/common'
import { RequestMethod, Res, StreamableFile } from '@nestjs/common'
import type { INestApplication, Type } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { ExpressAdapter } from '@nestjs/platform-express'
import type { NestExpressApplication } from '@nestjs/platform-express'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import type { NestFastifyApplication } from '@nestjs/platform-fastify'
import express from 'express'
import type { Response as ExpressResponse } from 'express'
import type { FastifyReply } from 'fastify'
import * as nest from '../../src/adapters/nest.ts'
import type { GuardName } from '../../src/core/guard.ts'
import type { Authorize as Bound } from '../../src/index.ts'
import type { ContractApp, ContractLimits, ContractRoute, RunningApp } from '../../src/testing.ts'
import { originOf, theme } from './_node.ts'

const bareHeaders = "Nest's own filter takes the status of an error and not its headers"

export const expressLimits: ContractLimits = {
  bareHeaders,
  unparsedBodies: 'Nest tells the log what is wrong with the server, and not the client',
  multipart: 'Nest parses it in interceptors, which come after the guards',
}

export const fastifyLimits: ContractLimits = {
  bareHeaders,
  unparsedBodies: "Fastify has parsed the body, or refused it, before any of Nest's guards runs",
  multipart: 'Fastify has no parser for it; its plugin parses in the handler',
}

const guards: Readonly<Record<GuardName, typeof nest.FreshJwtRequired>> = {
  jwtRequired: nest.JwtRequired,
  jwtOptional: nest.JwtOptional,
  jwtRefreshTokenRequired: nest.JwtRefreshTokenRequired,
  freshJwtRequired: nest.FreshJwtRequired,
}

const silent = { logger: false, abortOnError: false, forceCloseConnections: true } as const

export async function startOnExpress(app: ContractApp): Promise<RunningApp> {
  const started = await NestFactory.create<NestExpressApplication>(moduleOf(app), new ExpressAdapter(), {
    ...silent,
    bodyParser: false,
  })
  setTheme(started)
  const parsers = { json: express.json(), form: express.urlencoded({ extended: false }) }
  for (const { path, body } of app.routes) if (body !== undefined) started.use(path, parsers[body])
  return listen(started)
}

export async function startOnFastify(app: ContractApp): Promise<RunningApp> {
  const started = await NestFactory.create<NestFastifyApplication>(
    moduleOf(app),
    new FastifyAdapter(),
    silent,
  )
  setTheme(started)
  return listen(started)
}

function setTheme(app: INestApplication): void {
  app.use((_request: unknown, response: ExpressResponse, next: () => void) => {
    response.setHeader('set-cookie', theme)
    next()
  })
}

async function listen(app: INestApplication): Promise<RunningApp> {
  await app.listen(0, '127.0.0.1')
  return { origin: originOf(app.getHttpServer()), close: async () => app.close() }
}

function moduleOf({ auth, routes, authErrors }: ContractApp): Type {
  @Module({
    imports: [nest.TallystickModule.forRoot(auth, { authErrors })],
    controllers: routes.map(controllerOf),
  })
  class ContractModule {}
  return ContractModule
}

function controllerOf(route: ContractRoute): Type {
  const guard: MethodDecorator =
    route.guard === undefined ? () => undefined : guards[route.guard](route.guardOptions)

  @Controller()
  class ContractController {
    @RequestMapping({ path: route.path, method: RequestMethod[route.method] })
    @guard
    @(route.answer === 'redirect' ? Redirect() : HttpCode(200))
    async handle(
      @nest.Authorize() authorize: Bound,
      @Body() body: unknown,
      @Res({ passthrough: true }) response: ExpressResponse | FastifyReply,
    ): Promise<unknown> {
      const content = await route.handle({ authorize: () => authorize, body: () => body })
      return answer(route, response, content)
    }
  }
  return ContractController
}

function answer(route: ContractRoute, response: ExpressResponse | FastifyReply, content: unknown): unknown {
  if (route.answer === 'redirect') return { url: String(content) }
  if (route.answer === 'stream')
    return new StreamableFile(Readable.from(content as AsyncIterable<string>, { objectMode: false }))
  if (route.answer !== 'raw') return content
  if ('raw' in response) response.header('set-cookie', 'own=1')
  else response.appendHeader('set-cookie', 'own=1')
  return new StreamableFile(Buffer.from(JSON.stringify(content)), { type: 'application/json' })
}
