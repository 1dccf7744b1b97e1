/** Cases of the contract about bodies: a guard reads what the framework has parsed, and leaves it to the handler. */

import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { Agent } from 'node:http'
import type { Auth } from '../index.ts'
import { visit, withApp } from './_app.ts'
import type { ContractCase, ContractRoute } from './_app.ts'
import { assertProblem, jsonOf } from './_client.ts'
import type { Answer, Ask, Client } from './_client.ts'

const form: ContractRoute = {
  method: 'POST',
  path: '/form',
  guard: 'jwtRequired',
  body: 'form',
  handle: async ({ authorize, body }) => ({ user: authorize().subject(), body: await body() }),
}
const json: ContractRoute = { ...form, path: '/json', body: 'json' }
const asJson = { tokenLocation: ['json', 'cookies'] as const }

const formTypes = {
  urlencoded: 'application/x-www-form-urlencoded',
  multipart: 'multipart/form-data; boundary=json-edge',
} as const

function encode(fields: Record<string, string>, kind: keyof typeof formTypes): string {
  if (kind === 'urlencoded') return new URLSearchParams(fields).toString()
  const parts = Object.entries(fields).map(
    ([name, value]) => `--json-edge\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  )
  return `${parts.join('')}--json-edge--\r\n`
}

function formCase(kind: keyof typeof formTypes): ContractCase['run'] {
  return (start) =>
    withApp(start, { routes: [form], options: { csrfCheckForm: true } }, async (client, auth) => {
      const { cookie, accessCsrf, refreshCsrf } = await visit(auth)
      const post = async (fields: Record<string, string>) =>
        client.send({
          method: 'POST',
          path: '/form',
          headers: { cookie, 'content-type': formTypes[kind] },
          body: encode(fields, kind),
        })
      const fields = { csrf_token: accessCsrf, note: 'å & b' }
      deepEqual(jsonOf(await post(fields)), { user: 'ada', body: fields })
      assertProblem(await post({ csrf_token: refreshCsrf }), 'csrf_mismatch')
      assertProblem(await post({ note: 'none' }), 'csrf_missing')
    })
}

async function postJson(
  client: Client,
  body: string,
  { headers = {}, agent }: Partial<Ask> = {},
): Promise<Answer> {
  const all = { 'content-type': 'application/json', ...headers }
  return client.send({ method: 'POST', path: '/json', headers: all, body, ...(agent && { agent }) })
}

/** Bodies that hold no token that a guard could read. */
const badBodies = async (auth: Auth): Promise<Readonly<Record<string, string>>> => {
  const token = await auth.createAccessToken('ada')
  return {
    broken: `{"access_token":"${token}"`,
    'not an object': JSON.stringify([token]),
    empty: '',
    oversized: JSON.stringify({ padding: 'x'.repeat(1_200_000), access_token: token }),
    'of the wrong type': JSON.stringify({ access_token: { token } }),
    'without a token': JSON.stringify({ other: token }),
    'with an inherited name': '{"__proto__":{"access_token":"a.b.c"}}',
  }
}

export const bodyCases: readonly ContractCase[] = [
  {
    title: 'the CSRF value is taken from a form field, and the handler still has the form',
    run: formCase('urlencoded'),
  },
  {
    title: 'the CSRF value is taken from a multipart form, and the handler still has the form',
    limit: 'multipart',
    run: formCase('multipart'),
  },
  {
    title: 'a token is taken from a JSON body, and the handler still has the body',
    run: (start) =>
      withApp(start, { routes: [json], options: asJson }, async (client, auth) => {
        const body = { access_token: await auth.createAccessToken('ada'), note: 'å' }
        deepEqual(jsonOf(await postJson(client, JSON.stringify(body))), { user: 'ada', body })
      }),
  },
  {
    title: 'a token is taken from a JSON body that comes in chunks, without a length',
    run: (start) =>
      withApp(start, { routes: [json], options: asJson }, async (client, auth) => {
        const body = { access_token: await auth.createAccessToken('ada') }
        const headers = { 'transfer-encoding': 'chunked' }
        deepEqual(jsonOf(await postJson(client, JSON.stringify(body), { headers })), { user: 'ada', body })
      }),
  },
  {
    title: 'a JSON body without a token leaves the next location to be asked',
    run: (start) =>
      withApp(start, { routes: [json], options: asJson }, async (client, auth) => {
        const { cookie, accessCsrf } = await visit(auth)
        const body = { note: 'mine' }
        const headers = { cookie, 'x-csrf-token': accessCsrf }
        deepEqual(jsonOf(await postJson(client, JSON.stringify(body), { headers })), { user: 'ada', body })
      }),
  },
  {
    title: 'the type of a JSON body may be written in any case, with parameters',
    run: (start) =>
      withApp(start, { routes: [json], options: asJson }, async (client, auth) => {
        const body = { access_token: await auth.createAccessToken('ada') }
        const headers = { 'content-type': 'Application/JSON; Charset=UTF-8' }
        deepEqual(jsonOf(await postJson(client, JSON.stringify(body), { headers })), { user: 'ada', body })
      }),
  },
  {
    title: 'a body of 90 kB reaches the handler whole, whoever has searched it',
    run: (start) =>
      withApp(start, { routes: [json], options: asJson }, async (client, auth) => {
        const { cookie, accessCsrf } = await visit(auth)
        const body = { note: 'x'.repeat(90_000) }
        const headers = { cookie, 'x-csrf-token': accessCsrf }
        deepEqual(jsonOf(await postJson(client, JSON.stringify(body), { headers })), { user: 'ada', body })
      }),
  },
  {
    title: 'broken, empty and oversized bodies are a 4xx',
    run: (start) =>
      withApp(start, { routes: [json], options: asJson }, async (client, auth) => {
        for (const [name, body] of Object.entries(await badBodies(auth))) {
          // On a socket of its own: what was not read of a body can end it.
          const agent = new Agent({ keepAlive: true })
          const { status, text } = await postJson(client, body, { agent })
          agent.destroy()
          ok(status >= 400 && status < 500, `a body that is ${name} got ${status}: ${text}`)
        }
      }),
  },
  {
    title: 'a handler without a guard reads bodies that no guard has touched',
    run: (start) => {
      const route: ContractRoute = {
        method: 'POST',
        path: '/json',
        body: 'json',
        handle: async ({ authorize, body }) => ({ body: await body(), user: authorize().getJwtSubject() }),
      }
      return withApp(start, { routes: [route], options: asJson }, async (client) => {
        deepEqual(jsonOf(await postJson(client, '{"a":1}')), { body: { a: 1 }, user: null })
      })
    },
  },
  {
    title: 'a body that nobody has parsed is a fault of the server that names the parser',
    limit: 'unparsedBodies',
    run: (start) => {
      const { body: _parser, ...unparsed } = json
      return withApp(start, { routes: [unparsed], options: asJson }, async (client) => {
        const { status, text } = await postJson(client, '{"access_token":"a.b.c"}')
        equal(status, 500)
        match(text, /JSON parser/)
      })
    },
  },
]
