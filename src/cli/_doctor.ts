/** The command `doctor`: looks at a running site from outside, and says what is wrong and what puts it right. */

import { parseDuration } from '../core/duration.ts'
import type { Call, Command } from './_command.ts'
import { checkSignIn } from './_cookie-checks.ts'
import { misuse } from './_failure.ts'
import { readText } from './_file.ts'
import type { Finding, Verdict } from './_finding.ts'
import { checkCors, checkCrossSite, checkForgeries, checkOpenly } from './_guard-checks.ts'
import type { Routes } from './_guard-checks.ts'
import { checkLogout, checkRefresh } from './_session-checks.ts'
import { readRoute, Site } from './_site.ts'
import type { Route } from './_site.ts'
import type { Style, Terminal } from './_terminal.ts'
import { visible } from './_visible.ts'

export const doctorCommand: Command = {
  name: 'doctor',
  summary: 'Looks at a running site, and tells what is wrong with its cookies, headers, CSRF and sign-out',
  about: [
    'With --login it signs in a few times, as a user that you have for this, and signs out again.',
    'The credentials are the body of that request: {"username":"…","password":"…"}, or a form.',
    'Ask only sites of yours: it sends forged tokens, and requests as of another site.',
  ],
  operands: [{ name: 'URL', about: 'the site, such as https://app.example' }],
  options: {
    login: { value: 'ROUTE', about: 'where to sign in: /login is a POST there' },
    credentials: {
      value: 'FILE',
      about: 'what to send there; - is standard input; else TALLYSTICK_CREDENTIALS',
    },
    protected: { value: 'ROUTE', about: 'a route with a guard: /protected' },
    refresh: { value: 'ROUTE', about: "where tokens are renewed: 'POST /refresh'" },
    logout: { value: 'ROUTE', about: "where one signs out: 'DELETE /logout'" },
    'csrf-header': { value: 'NAME', about: 'the header of the CSRF value: X-CSRF-Token' },
    grace: {
      value: 'TIME',
      about: 'wait for so long, longer than rotationGrace, before a token is used twice',
    },
  },
  secrets:
    'credentials come from TALLYSTICK_CREDENTIALS, or from the file or standard input of --credentials.',
  async run(call) {
    const { terminal } = call
    const site = await openSite(call)
    const routes: Routes = {
      protected: routeOf(call, 'protected', 'GET', '/protected'),
      refresh: routeOf(call, 'refresh', 'POST', '/refresh'),
      logout: routeOf(call, 'logout', 'DELETE', '/logout'),
    }
    const grace = graceOf(call)
    const findings = await examine(site, routes, grace)
    const counts = countOf(findings)
    const origin = site.url.origin
    terminal.print({ url: origin, findings, counts }, describe(terminal, findings, counts))
    return counts.bad > 0 ? 1 : 0
  },
}

async function examine(site: Site, routes: Routes, grace: number | undefined): Promise<Finding[]> {
  const open = await checkOpenly(site, routes)
  if (!site.canSignIn)
    return [
      ...open,
      { check: 'sign-in', verdict: 'skipped', found: '--login tells where; most is seen only then' },
    ]
  const signIn = site.signIn.bind(site)
  const first = await signIn()
  const cors = await checkCors(site, routes.protected, first.cookies)
  return [
    ...open.filter(({ check }) => check !== 'cors'),
    open.find(({ check, verdict }) => check === 'cors' && verdict === 'bad') ?? cors,
    ...checkSignIn(first),
    ...(await checkForgeries(site, routes.protected, first)),
    ...(await checkCrossSite(site, routes.refresh, 'refresh', signIn)),
    ...(await checkCrossSite(site, routes.logout, 'access', signIn)),
    ...(await checkRefresh(site, routes, grace, signIn)),
    ...(await checkLogout(site, routes, signIn)),
  ]
}

async function openSite(call: Call): Promise<Site> {
  const url = readUrl(call.operand(0))
  const login = call.text('login')
  const header = call.text('csrf-header') ?? 'X-CSRF-Token'
  if (!/^[\w-]{1,64}$/.test(header)) throw misuse('--csrf-header must be the name of a header')
  return new Site({
    url,
    csrfHeader: header.toLowerCase(),
    login: login === undefined ? undefined : readRoute(login, 'POST', 'login'),
    credentials: await readCredentials(call),
  })
}

function readUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || !/^https?:$/.test(url.protocol))
    throw misuse('URL must be that of the site, such as https://app.example')
  if (url.href !== `${url.origin}/`)
    throw misuse('URL must end with the host: paths belong into --login, --protected, --refresh and --logout')
  return url
}

async function readCredentials(call: Call): Promise<string | undefined> {
  const file = call.text('credentials')
  if (file === undefined) return call.terminal.environment['TALLYSTICK_CREDENTIALS']
  if (call.text('login') === undefined) throw misuse('--credentials needs --login: where are they sent?')
  const text =
    file === '-' ? (await call.terminal.readInput('the credentials')).toString('utf8') : readText(file)
  return text.trim()
}

function routeOf(call: Call, name: string, method: string, fallback: string): Route {
  return readRoute(call.text(name) ?? fallback, method, name)
}

function graceOf(call: Call): number | undefined {
  const text = call.text('grace')
  if (text === undefined) return undefined
  const seconds = parseDuration(text)
  if (seconds === null || seconds > 300) throw misuse('--grace must be a time up to 5m, such as 31s')
  return seconds * 1000
}

type Counts = Readonly<Record<Verdict, number>>

function countOf(findings: readonly Finding[]): Counts {
  const count = (verdict: Verdict): number => findings.filter((finding) => finding.verdict === verdict).length
  return { good: count('good'), bad: count('bad'), warning: count('warning'), skipped: count('skipped') }
}

const marks: Readonly<Record<Verdict, readonly [mark: string, style: Style]>> = {
  good: ['✓', 'green'],
  bad: ['✗', 'red'],
  warning: ['!', 'yellow'],
  skipped: ['-', 'dim'],
}

function describe(terminal: Terminal, findings: readonly Finding[], counts: Counts): string {
  const width = Math.max(...findings.map(({ check }) => check.length))
  const rows = findings.map(({ check, verdict, found, fix }) => {
    const [mark, style] = marks[verdict]
    const row = `${terminal.paint(style, mark)} ${check.padEnd(width)}  ${visible(found)}`
    return fix === undefined ? row : `${row}\n  ${' '.repeat(width)}  → ${fix}`
  })
  const { good, bad, warning, skipped } = counts
  return [...rows, '', `${bad} wrong, ${warning} to look at, ${good} good, ${skipped} not looked at`].join(
    '\n',
  )
}
