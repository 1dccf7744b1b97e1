/** Asks a site for what its guards must refuse: forged tokens, missing halves, other origins. */

import { Buffer } from 'node:buffer'
import { judge, skip, warn } from './_finding.ts'
import type { Finding } from './_finding.ts'
import type { Answer } from './_http.ts'
import { isAbsent, isAccepted } from './_site.ts'
import type { Route, Sending, SignIn, Site, TokenCookie } from './_site.ts'

export interface Routes {
  readonly protected: Route
  readonly refresh: Route
  readonly logout: Route
}

const stranger = 'https://attacker.example'
const crossSite = { origin: stranger, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors' }

/** The CSRF value that a page would send back with this token. */
export function csrfOf(token: TokenCookie | undefined): string | undefined {
  const csrf = token?.claims['csrf']
  return typeof csrf === 'string' ? csrf : undefined
}

/** What a browser without any sign-in can find out. */
export async function checkOpenly(site: Site, routes: Routes): Promise<Finding[]> {
  const isLocal = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(site.url.hostname)
  const isSecure = site.url.protocol === 'https:'
  const probe = await site.send(routes.protected)
  return [
    judge(
      'transport',
      isSecure || isLocal,
      isSecure ? 'https' : 'http, on this machine alone',
      'http: everybody on the way reads the cookies',
      'serve the site over https',
    ),
    ...(isSecure && !probe.headers.has('strict-transport-security')
      ? [warn('transport', 'no Strict-Transport-Security', 'send it, so that browsers never try http')]
      : []),
    await checkCors(site, routes.protected, []),
    await checkErrors(site, routes),
  ]
}

export async function checkCors(site: Site, route: Route, cookies: SignIn['cookies']): Promise<Finding> {
  const preflight = { 'access-control-request-method': 'POST' }
  const origins = [stranger, 'null']
  const questions = origins.flatMap((origin) => {
    const sending = { cookies, origin: { ...crossSite, origin } }
    return [
      site.send(route, sending),
      site.send({ ...route, method: 'OPTIONS' }, { ...sending, headers: preflight }),
    ]
  })
  const opened = (await Promise.all(questions)).filter(({ headers }) => {
    const allowed = headers.get('access-control-allow-origin')
    const isForAll = allowed === '*' || allowed === stranger || allowed === 'null'
    return isForAll && headers.get('access-control-allow-credentials') === 'true'
  })
  return judge(
    'cors',
    opened.length === 0,
    'no other site may read answers with cookies',
    'Access-Control-Allow-Origin lets every site in, with credentials',
    'name the origins that may read answers, each exactly',
  )
}

/** Lines of a stack trace in Node, Python, Java, PHP and .NET. */
const trace =
  /^\s*at .+[:(].+:\d+|\bat [\w.<>$]+ \(.*:\d+:\d+\)|Traceback \(most recent call last\)|\bat [\w$.]+\([\w$]+\.java:\d+\)|node_modules\/|Stack trace:|\.cs:line \d+/m

async function checkErrors(site: Site, routes: Routes): Promise<Finding> {
  const garbage = 'x'.repeat(40)
  const cookies = ['access', 'refresh'].map((type) => ({
    name: `${type}_token_cookie`,
    value: `${garbage}.${garbage}.${garbage}`,
    attributes: new Map<string, string>(),
    bytes: 0,
  }))
  const answers = await Promise.all([
    site.send(routes.protected, { cookies }),
    site.send(routes.refresh, { cookies, csrf: garbage }),
    site.send(routes.refresh, { body: '{"', headers: { 'content-type': 'application/json' } }),
    site.send({ method: 'GET', path: '/%c0%ae' }),
  ])
  const failed = answers.some(({ status }) => status >= 500)
  const finding = judge(
    'errors',
    !answers.some(({ body }) => trace.test(body)),
    'no answer tells how the site is built',
    'a bad request is answered with a stack trace',
    'answer errors with a sentence, and keep the trace for your log',
  )
  return finding.verdict === 'good' && failed
    ? warn('errors', 'a bad request is answered with 5xx', 'answer what a client did wrong with 4xx')
    : finding
}

/** What no guard may take for an access token. */
export async function checkForgeries(site: Site, route: Route, signIn: SignIn): Promise<Finding[]> {
  const { access, refresh } = signIn
  if (access === undefined) return []
  const good = await site.send(route, { cookies: [access] })
  if (!isAccepted(good))
    return [
      skip(
        'forged tokens',
        `${route.path} answers a good token with ${good.status}: name a guarded route with --protected`,
      ),
    ]
  const [header = '', payload = '', signature = ''] = access.value.split('.')
  const none = Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url')
  const flipped = `${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`
  const forgeries: Record<string, string> = {
    'a token of alg none': `${none}.${payload}.`,
    'a token without its signature': `${header}.${payload}.`,
    'a token with another signature': `${header}.${payload}.${flipped}`,
    ...(refresh && { 'a refresh token': refresh.value }),
  }
  const taken: string[] = []
  for (const [name, value] of Object.entries(forgeries))
    if (isAccepted(await site.send(route, { cookies: [{ ...access, value }] }))) taken.push(name)
  const without = await site.send(route)
  if (isAccepted(without)) taken.push('no token at all')
  return [
    judge(
      'forged tokens',
      taken.length === 0,
      'all are refused',
      `${route.path} takes ${taken.join(', ')}`,
      'put a guard on the route: jwtRequired()',
    ),
    checkCaching(route, good),
  ]
}

function checkCaching({ path }: Route, { headers }: Answer): Finding {
  const control = headers.get('cache-control') ?? ''
  return judge(
    'cache of guarded answers',
    !/\bpublic\b|\bs-maxage\b/i.test(control),
    'shared caches keep none',
    `${path} lets shared caches keep the answer, and give it to somebody else`,
    'set Cache-Control: private or no-store on what belongs to one user',
  )
}

/** What must be refused on a route that changes something, though the cookies are good. */
export async function checkCrossSite(
  site: Site,
  route: Route,
  type: 'access' | 'refresh',
  signIn: () => Promise<SignIn>,
): Promise<Finding[]> {
  const attempts: readonly (readonly [check: string, fix: string, sendings: (csrf: string) => Sending[]])[] =
    [
      [
        `csrf ${route.path}`,
        'leave cookieCsrfProtect on, and guard the route',
        () => [{}, { csrf: crypto.randomUUID() }],
      ],
      [
        `origin ${route.path}`,
        'leave fetchMetadata on, and name in trustedOrigins only origins of yours',
        (csrf) => [
          { csrf, origin: crossSite },
          { csrf, origin: { origin: stranger } },
          { csrf, origin: { origin: 'null' } },
        ],
      ],
    ]
  const findings: Finding[] = []
  for (const [check, fix, sendings] of attempts) {
    const signedIn = await signIn()
    const token = signedIn[type]
    if (token === undefined) return [skip(check, `the sign-in set no ${type} token`)]
    const answers: Answer[] = []
    for (const sending of sendings(csrfOf(token) ?? ''))
      answers.push(await site.send(route, { cookies: signedIn.cookies, ...sending }))
    if (answers.every(isAbsent)) findings.push(skip(check, `there is no ${route.method} ${route.path}`))
    else
      findings.push(
        judge(
          check,
          !answers.some(isAccepted),
          'refused',
          check.startsWith('csrf')
            ? 'accepted without the CSRF value: other sites can act as the user'
            : 'accepted from another origin',
          fix,
        ),
      )
  }
  return findings
}
