/** Judges the cookies and headers of a sign-in, as a browser would take them. */

import { maxCookieBytes } from '../core/cookie.ts'
import { judge, warn } from './_finding.ts'
import type { Finding } from './_finding.ts'
import type { Answer } from './_http.ts'
import type { SetCookie, SignIn, TokenCookie } from './_site.ts'
import { spanOf } from './_token-times.ts'
import { visible } from './_visible.ts'

/** An access token that lives longer is a long time in the hands of who took it. */
const longestAccessSeconds = 3600

export function checkSignIn({ answer, cookies, access, refresh }: SignIn): Finding[] {
  const tokens = [access, refresh].filter((token) => token !== undefined)
  const readable = cookies.filter(
    ({ value }) => value !== '' && tokens.some(({ claims }) => claims['csrf'] === value),
  )
  return [
    ...tokens.flatMap((token) => [
      judge(
        `httponly ${label(token)}`,
        token.attributes.has('httponly'),
        'no script can read it',
        'every script in the page can read it, and carry it away',
        'set HttpOnly; tallystick has no option that leaves it out',
      ),
      ...checkScope(token),
    ]),
    ...readable.flatMap((cookie) => [
      judge(
        `readable ${label(cookie)}`,
        !cookie.attributes.has('httponly'),
        'the page can read it',
        'it is HttpOnly, so the page cannot send its value back',
        'leave HttpOnly away from CSRF cookies',
      ),
      ...checkScope(cookie),
    ]),
    ...checkLife(access),
    checkBody(answer, tokens),
    checkNoStore('no-store login', answer),
  ]
}

function label({ name }: SetCookie): string {
  return visible(name, 60)
}

function checkScope(cookie: SetCookie): Finding[] {
  const { attributes, bytes, name } = cookie
  const sameSite = attributes.get('samesite')?.toLowerCase()
  const isHost = !attributes.has('domain') && attributes.get('path') === '/' && attributes.has('secure')
  return [
    judge(
      `secure ${label(cookie)}`,
      attributes.has('secure'),
      'it travels over https alone',
      'it travels in the clear over http',
      'set Secure: cookieSecure: true',
    ),
    judge(
      `samesite ${label(cookie)}`,
      sameSite === 'lax' || sameSite === 'strict',
      `SameSite=${visible(sameSite ?? '')}`,
      sameSite === undefined ? 'it has no SameSite' : 'other sites send it along (SameSite=None)',
      "set SameSite=Lax or Strict: cookieSamesite: 'lax'",
    ),
    judge(
      `size ${label(cookie)}`,
      bytes <= maxCookieBytes,
      `${bytes} bytes`,
      `${bytes} bytes, and browsers drop more than ${maxCookieBytes} without a word`,
      'put less into the claims',
    ),
    ...(name.startsWith('__Host-')
      ? [
          judge(
            `prefix ${label(cookie)}`,
            isHost,
            'it is as __Host- demands',
            'browsers drop it: __Host- needs Secure, Path=/ and no Domain',
            "cookiePrefix: '__Host-' sets them",
          ),
        ]
      : []),
    ...(attributes.has('domain')
      ? [
          warn(
            `domain ${label(cookie)}`,
            'every subdomain gets it, and can plant one',
            'leave cookieDomain out, unless subdomains need it',
          ),
        ]
      : []),
  ]
}

function checkLife(access: TokenCookie | undefined): Finding[] {
  if (access === undefined) return []
  const { iat, exp } = access.claims
  if (typeof exp !== 'number')
    return [warn('life of access tokens', 'they never expire', "set accessTokenExpires: '15m'")]
  const life = exp - (typeof iat === 'number' ? iat : exp)
  return life <= longestAccessSeconds
    ? [{ check: 'life of access tokens', verdict: 'good', found: spanOf(life) }]
    : [warn('life of access tokens', spanOf(life), "set accessTokenExpires: '15m', and let pages refresh")]
}

function checkBody({ body, headers }: Answer, tokens: readonly TokenCookie[]): Finding {
  const places = [body, headers.get('location') ?? '']
  return judge(
    'tokens in the answer',
    !tokens.some(({ value }) => places.some((place) => place.includes(value))),
    'only cookies carry them',
    'the body or the Location holds a token, which scripts and logs can read',
    'answer a sign-in without the tokens',
  )
}

export function checkNoStore(check: string, { headers }: Answer): Finding {
  const isThere = /(?:^|[\s,])no-store(?:$|[\s,])/i.test(headers.get('cache-control') ?? '')
  return judge(
    check,
    isThere,
    'Cache-Control: no-store',
    'a cache may keep the answer, with its cookies, and give it to somebody else',
    'set Cache-Control: no-store wherever cookies are set',
  )
}
