// What the tests of NestJS share: applications on both platforms, closed after each test.

import { Catch, Module } from '@nestjs/common'
import type { ArgumentsHost, ExceptionFilter, INestApplication, ModuleMetadata } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { ExpressAdapter } from '@nestjs/platform-express'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import type { Response as ExpressResponse } from 'express'
import type { FastifyReply } from 'fastify'
import { afterEach, expect } from 'vitest'
import type { AuthOptions } from '../../src/index.ts'
import { cookieHeader, setup } from '../_setup.ts'
import { originOf } from './_node.ts'

export const names = [
  'access_token_cookie',
  'csrf_access_token',
  'refresh_token_cookie',
  'csrf_refresh_token',
]

/** Closed after each test. */
export const running: INestApplication[] = []

afterEach(async () => {
  await Promise.all(running.splice(0).map(async (app) => app.close()))
})

const adapters = { Express: () => new ExpressAdapter(), Fastify: () => new FastifyAdapter() }
export type Platform = keyof typeof adapters
export const platforms = Object.keys(adapters) as Platform[]

export interface Opened {
  readonly origin: string
}

/** Notes what nobody else catches. */
@Catch()
export class FaultFilter implements ExceptionFilter {
  readonly faults: unknown[] = []

  catch(error: unknown, host: ArgumentsHost): void {
    this.faults.push(error)
    const response = host.switchToHttp().getResponse<ExpressResponse | FastifyReply>()
    response.status(418)
    response.send({ fault: true })
  }
}

export async function create(platform: Platform, metadata: ModuleMetadata): Promise<INestApplication> {
  @Module(metadata)
  class RootModule {}
  return NestFactory.create(RootModule, adapters[platform](), { logger: false, abortOnError: false })
}

export async function open(
  platform: Platform,
  metadata: ModuleMetadata,
  change: (app: INestApplication) => unknown = () => undefined,
): Promise<Opened> {
  const app = await create(platform, metadata)
  running.push(app)
  change(app)
  await app.listen(0, '127.0.0.1')
  return { origin: originOf(app.getHttpServer()) }
}

/** As `open`, with a filter that catches everything, as many applications have one. */
export async function openCaught(
  platform: Platform,
  metadata: ModuleMetadata,
): Promise<Opened & { readonly faults: unknown[] }> {
  const filter = new FaultFilter()
  const { origin } = await open(platform, metadata, (app) => app.useGlobalFilters(filter))
  return { origin, faults: filter.faults }
}

export async function nestSetup(options: AuthOptions = {}) {
  const { auth } = setup(options)
  const access = await auth.createAccessToken('ada')
  return { auth, access, headers: { cookie: cookieHeader({ access_token_cookie: access }) } }
}

export async function codeAt(url: string, init?: RequestInit): Promise<unknown> {
  const response = await fetch(url, init)
  expect(response.headers.get('content-type')).toBe('application/problem+json')
  return ((await response.json()) as { code: string }).code
}

export function namesSet(response: Response): string[] {
  return response.headers.getSetCookie().map((line) => line.slice(0, line.indexOf('=')))
}
