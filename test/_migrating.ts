/** Runs programs of docs/migrating.md as they stand there, and keeps cookies as a browser does; holds no test itself. */

import { once } from 'node:events'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import type { Express } from 'express'
import type { FastifyInstance } from 'fastify'
import type { Hono } from 'hono'

const document = readFileSync(new URL('../docs/migrating.md', import.meta.url), 'utf8')
const folder = new URL('.migrating/', import.meta.url)

/** What the programs import, as it is called here. */
const specifiers: readonly (readonly [string, string])[] = [
  ["'tallystick'", "'../../src/index.ts'"],
  ["'tallystick/", "'../../src/adapters/"],
  // The one hands on what the other exports.
  ["'next-auth/jwt'", "'@auth/core/jwt'"],
]

/** The program that the page calls by this name. */
export function programOf(name: string): string {
  const [, code] = new RegExp(`<!-- run: ${name} -->\\n+\`\`\`ts\\n([^]*?)\`\`\``).exec(document) ?? []
  if (code === undefined) throw new Error(`docs/migrating.md has no program ${name}`)
  return code
}

let loaded = 0

/** Loads a program as if these variables were in its environment. */
export async function load<Module>(
  code: string,
  environment: Readonly<Record<string, string>>,
): Promise<Module> {
  let text = code
  for (const [name, value] of Object.entries(environment)) {
    text = text.replaceAll(`process.env['${name}']`, JSON.stringify(value))
  }
  for (const [from, to] of specifiers) text = text.replaceAll(from, to)
  text = text.replaceAll(/('\.\.\/\.\.\/src\/adapters\/\w+)'/g, "$1.ts'")
  mkdirSync(folder, { recursive: true })
  const file = new URL(`program-${process.pid}-${loaded++}.ts`, folder)
  writeFileSync(file, text)
  return (await import(/* @vite-ignore */ file.pathname)) as Module
}

export function removePrograms(): void {
  rmSync(folder, { recursive: true, force: true })
}

/** A program that listens. */
export interface Site {
  readonly origin: string
  close(): Promise<unknown>
}

export type App = FastifyInstance | Express | Hono

/** Serves an app of any of the three frameworks. */
export async function listen(app: App): Promise<Site> {
  if ('fetch' in app) {
    const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' })
    await once(server, 'listening')
    return {
      origin: originOf(server.address()),
      close: async () => new Promise((resolve) => server.close(resolve)),
    }
  }
  if ('inject' in app) return { origin: await app.listen({ port: 0 }), close: async () => app.close() }
  const server = createServer((request, response) => void app(request, response)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    origin: originOf(server.address()),
    close: async () => new Promise((resolve) => server.close(resolve)),
  }
}

function originOf(address: AddressInfo | string | null): string {
  if (address === null || typeof address === 'string') throw new Error('It does not listen')
  return `http://127.0.0.1:${address.port}`
}

/** A browser with one jar of cookies, which takes Secure ones over plain http too. */
export class Browser {
  readonly jar: Map<string, string>

  constructor(cookies: Readonly<Record<string, string>> = {}) {
    this.jar = new Map(Object.entries(cookies))
  }

  async send(url: string, init: RequestInit & { readonly via?: Via } = {}): Promise<Response> {
    const { via = fetch, ...rest } = init
    const headers = new Headers(rest.headers)
    if (this.jar.size > 0)
      headers.set('cookie', [...this.jar].map(([name, value]) => `${name}=${value}`).join('; '))
    const response = await via(new Request(url, { ...rest, headers, redirect: 'manual' }))
    for (const line of response.headers.getSetCookie()) this.#take(line)
    return response
  }

  #take(line: string): void {
    const [pair = '', ...attributes] = line.split(';')
    const equals = pair.indexOf('=')
    const isGone = attributes.some((text) => {
      const [name = '', value = ''] = text.trim().split('=')
      if (/^max-age$/i.test(name)) return Number(value) <= 0
      return /^expires$/i.test(name) && Date.parse(value) <= Date.now()
    })
    if (isGone) this.jar.delete(pair.slice(0, equals))
    else this.jar.set(pair.slice(0, equals), pair.slice(equals + 1))
  }

  /** The value that a page sends back. */
  csrf(type: 'access' | 'refresh' = 'access'): Record<string, string> {
    return { 'x-csrf-token': this.jar.get(`csrf_${type}_token`) ?? '' }
  }
}

type Via = (request: Request) => Promise<Response>
