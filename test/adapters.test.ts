// The contract of tallystick/testing on live servers of every framework, and what is special about each.

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { adapterContract } from '../src/testing.ts'
import type { ContractLimits, StartContractApp } from '../src/testing.ts'
import { elysiaAuth } from '../src/adapters/elysia.ts'
import { expressAuth } from '../src/adapters/express.ts'
import { fastifyAuth } from '../src/adapters/fastify.ts'
import { h3Auth } from '../src/adapters/h3.ts'
import { honoAuth } from '../src/adapters/hono.ts'
import { koaAuth } from '../src/adapters/koa.ts'
import { nestAuth } from '../src/adapters/nest.ts'
import { nextAuth } from '../src/adapters/next.ts'
import { webAuth } from '../src/adapters/web.ts'
import * as elysia from './adapters/elysia.ts'
import * as express from './adapters/express.ts'
import * as fastify from './adapters/fastify.ts'
import * as h3 from './adapters/h3.ts'
import * as h3of1 from './adapters/h3-1.ts'
import * as hono from './adapters/hono.ts'
import * as koa from './adapters/koa.ts'
import * as nest from './adapters/nest.ts'
import * as web from './adapters/web.ts'

const frameworks: Readonly<Record<string, { start: StartContractApp; limits: ContractLimits }>> = {
  web: { start: web.start, limits: web.limits },
  'Hono 4': { start: hono.start, limits: hono.limits },
  'Express 5': { start: express.startOn5, limits: express.limits },
  'Express 4': { start: express.startOn4, limits: express.limits },
  'Elysia 1.4': { start: elysia.start, limits: elysia.limits },
  'Fastify 5': { start: fastify.start, limits: fastify.limits },
  'NestJS 12 on Express': { start: nest.startOnExpress, limits: nest.expressLimits },
  'NestJS 12 on Fastify': { start: nest.startOnFastify, limits: nest.fastifyLimits },
  'Koa 3': { start: koa.startOn3, limits: koa.limits },
  'Koa 2': { start: koa.startOn2, limits: koa.limits },
  'h3 2': { start: h3.start, limits: h3.limits },
  'h3 1': { start: h3of1.start, limits: h3of1.limits },
}

const adapters = [
  webAuth,
  honoAuth,
  expressAuth,
  fastifyAuth,
  koaAuth,
  nestAuth,
  elysiaAuth,
  h3Auth,
  nextAuth,
]

test.each(adapters)('%o takes only what createAuth gave', (adapter) => {
  for (const impostor of [undefined, null, {}, { secretKey: 'x' }, () => undefined]) {
    expect(() => adapter(impostor as never)).toThrow(
      new TypeError(`${adapter.name}() takes what createAuth() gave, of the same copy of tallystick`),
    )
  }
})

test('a limit that holds no more fails its test', async () => {
  const limit = { ...web.limits, multipart: 'it was said to parse none' }
  const claims = adapterContract(web.start, limit).filter(({ title }) => title.includes(limit.multipart))
  expect(claims).toHaveLength(1)
  await expect(claims[0]?.run()).rejects.toThrow(
    'The limit "multipart" holds no more: take it out of the list',
  )
})

describe.each(Object.entries(frameworks))('%s', (_name, { start, limits }) => {
  // Hono writes every error that it turns into a 500 to the console.
  beforeEach(() => void vi.spyOn(console, 'error').mockReturnValue())
  afterEach(() => void vi.restoreAllMocks())

  for (const { title, run } of adapterContract(start, limits)) {
    // oxlint-disable-next-line vitest/expect-expect -- the contract asserts by itself
    test(title, run)
  }
})
