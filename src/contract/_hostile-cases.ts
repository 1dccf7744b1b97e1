/** Cases of the contract about requests that no browser sends: each is a 4xx, and the server goes on. */

import { ok } from 'node:assert/strict'
import { withApp } from './_app.ts'
import type { ContractCase, ContractRoute } from './_app.ts'

const routes: readonly ContractRoute[] = (['GET', 'POST', 'DELETE'] as const).map((method) => ({
  method,
  path: '/guarded',
  guard: 'jwtRequired',
  handle: ({ authorize }) => ({ user: authorize().subject() }),
}))

/** A request line and header lines, as bytes of latin1. */
function bytes(line: string, ...headers: string[]): string {
  return [line, 'Host: 127.0.0.1', ...headers, 'Connection: close', '', ''].join('\r\n')
}

const get = 'GET /guarded HTTP/1.1'
const hostile: Readonly<Record<string, string>> = {
  'a cookie header of separators': bytes(get, 'Cookie: ;;; , =;access_token_cookie;=x'),
  'a cookie header of 8 kB of separators': bytes(get, `Cookie: ${'; '.repeat(4000)}`),
  'a cookie that is no token': bytes(get, 'Cookie: access_token_cookie=%%%'),
  'a cookie that is an empty token': bytes(get, 'Cookie: access_token_cookie=..'),
  'a cookie of 12 kB': bytes(get, `Cookie: access_token_cookie=${'a'.repeat(12_000)}`),
  'two cookie headers': bytes(get, 'Cookie: access_token_cookie=a', 'Cookie: access_token_cookie=b'),
  'a header of 20 kB': bytes(get, `X-Large: ${'x'.repeat(20_000)}`),
  'two thousand headers': bytes(get, ...Array.from({ length: 2000 }, (_, index) => `A${index}: 1`)),
  'bytes beyond ASCII in the cookie': bytes(get, 'Cookie: access_token_cookie=\xc3\xa5\xff\x80.\xfe.\xfd'),
  'bytes beyond ASCII in the CSRF value': bytes(
    'POST /guarded HTTP/1.1',
    'Content-Length: 0',
    'Cookie: access_token_cookie=a.b.c',
    'X-CSRF-Token: \xc3\xa5\xff',
  ),
  'bytes beyond ASCII in the origin': bytes(
    'POST /guarded HTTP/1.1',
    'Content-Length: 0',
    'Cookie: access_token_cookie=a.b.c',
    'Origin: https://\xe5\xff.example',
  ),
  'a NUL in the cookie': bytes(get, 'Cookie: access_token_cookie=a\0b'),
  'a cookie header folded over two lines': bytes(get, 'Cookie: a=b;\r\n access_token_cookie=c'),
  'a method that Node knows and nobody serves': bytes('PROPFIND /guarded HTTP/1.1'),
  'a method that nobody knows': bytes('FOO /guarded HTTP/1.1'),
  'a method in lower case': bytes('get /guarded HTTP/1.1'),
  'the method TRACE': bytes('TRACE /guarded HTTP/1.1'),
  'an absolute target': bytes('GET http://evil.example/guarded HTTP/1.1'),
  'an absolute target of another scheme': bytes('GET ftp://evil.example/guarded HTTP/1.1'),
  'a target that is a host alone': bytes('GET //evil.example/guarded HTTP/1.1'),
  'a target without a path': bytes('GET ?jwt=a.b.c HTTP/1.1'),
  'the target *': bytes('OPTIONS * HTTP/1.1'),
  'a target of broken escapes': bytes('GET /guarded/%ff%zz?%ff=%zz HTTP/1.1'),
  'a query of broken escapes': bytes('GET /guarded?jwt=%ff%zz&%=% HTTP/1.1'),
  'no host on HTTP/1.0': 'GET /guarded HTTP/1.0\r\n\r\n',
  'no host on HTTP/1.1': 'GET /guarded HTTP/1.1\r\nConnection: close\r\n\r\n',
  'an empty host': 'GET /guarded HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n',
  'a host that is none': 'GET /guarded HTTP/1.1\r\nHost: a b/c?d#e\r\nConnection: close\r\n\r\n',
  'an origin that is no URL, without a host': [
    'POST /guarded HTTP/1.0',
    'Content-Length: 0',
    'Cookie: access_token_cookie=a.b.c',
    'Origin: ///',
    '\r\n',
  ].join('\r\n'),
  'two different lengths': bytes('POST /guarded HTTP/1.1', 'Content-Length: 1', 'Content-Length: 2'),
  'a broken chunk': `${bytes('POST /guarded HTTP/1.1', 'Transfer-Encoding: chunked')}zz\r\n`,
  'a length that is no number': bytes('DELETE /guarded HTTP/1.1', 'Content-Length: many'),
}

/** What some frameworks answer before any handler, with a redirect or with a 500. */
const strange: ReadonlySet<string> = new Set([
  'the method TRACE',
  'an absolute target',
  'an absolute target of another scheme',
  'a target that is a host alone',
  'the target *',
  'a target of broken escapes',
])

export const hostileCases: readonly ContractCase[] = Object.entries(hostile).map(([name, text]) => ({
  title: `${name}: a 4xx, and the server goes on`,
  ...(strange.has(name) && { limit: 'strangeRequests' as const }),
  run: (start) =>
    withApp(
      start,
      { routes, options: { tokenLocation: ['query', 'cookies', 'headers'] } },
      async (client) => {
        const status = await client.sendBytes(text)
        ok(status >= 400 && status < 500, `got ${status}`)
      },
    ),
}))
