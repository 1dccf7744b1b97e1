/** The command `inspect`: says what is in tokens and what is wrong with them; shows no signature, and no CSRF value. */

import type { Auth } from '../index.ts'
import { maxCookieBytes } from '../core/cookie.ts'
import type { Command } from './_command.ts'
import type { Terminal } from './_terminal.ts'
import { readTokenInput } from './_token-input.ts'
import type { FoundToken, TokenInput } from './_token-input.ts'
import { takeApart } from './_token-parts.ts'
import type { TokenParts } from './_token-parts.ts'
import { judgeClaims, spanOf, timesOf } from './_token-times.ts'
import type { TokenTime } from './_token-times.ts'
import { verifierOf, verifyWith } from './_verifier.ts'
import type { Verification } from './_verifier.ts'
import { visible } from './_visible.ts'

/** Everything that is told of one token. */
interface TokenReport extends TokenParts {
  /** The cookie that it was in, or `null`. */
  readonly cookie: string | null
  readonly times: Readonly<Record<string, TokenTime>>
  readonly warnings: readonly string[]
  /** `null` where nothing was verified. */
  readonly verification: Verification | null
}

export const inspectCommand: Command = {
  name: 'inspect',
  summary: 'Tells what is in a token or a Cookie header, and what is wrong with it',
  about: [
    'It reads standard input: a token, an Authorization header, or a whole Cookie header.',
    'Nothing is verified unless a key is named: anybody can write what an unverified token says.',
  ],
  operands: [],
  options: {
    keys: { value: 'FILE', about: 'verify with a ring, a JWKS, a JWK, a PEM or a secret in a file' },
    jwks: { value: 'URL', about: 'verify with the keys that another service publishes there (needs jose)' },
    env: { about: 'verify with the options in AUTHJWT_…, as optionsFromEnv reads them' },
    algorithm: { value: 'NAME', about: 'the algorithm of that key, where it does not tell it itself' },
  },
  secrets: 'give the token on standard input, and keys by --keys FILE, --jwks URL or --env.',
  async run(call) {
    const { terminal } = call
    const verifier = verifierOf(call)
    const input = readTokenInput(await terminal.readInput('a token, or a Cookie header'))
    const nowSeconds = terminal.now() / 1000
    const tokens: TokenReport[] = []
    for (const found of input.tokens) tokens.push(await reportOn(found, verifier, nowSeconds))
    const problems = [...ambiguities(input), ...csrfMismatches(input)]
    const warnings =
      verifier === undefined
        ? ['Nothing was verified: anybody can have written this. --keys, --jwks or --env verifies it.']
        : []
    const document = { tokens: tokens.map(withoutCsrf), problems, warnings }
    terminal.print(document, describeAll(terminal, document.tokens, problems, warnings))
    return problems.length > 0 || tokens.some((token) => token.problems.length > 0) ? 1 : 0
  },
}

async function reportOn(
  { cookie, text }: FoundToken,
  verifier: Auth | undefined,
  nowSeconds: number,
): Promise<TokenReport> {
  const parts = takeApart(text)
  const { claims } = parts
  const judged =
    claims === null ? { problems: [], warnings: [] } : judgeClaims(claims, cookie !== null, nowSeconds)
  const problems = [...parts.problems, ...judged.problems]
  const warnings = [...judged.warnings]
  if (parts.form === 'encrypted') warnings.push('It is encrypted (JWE): only its header can be read')
  if (cookie !== null && cookie.length + text.length > maxCookieBytes)
    problems.push(`Name and value have more than ${maxCookieBytes} bytes: browsers drop such a cookie`)
  const verification = verifier === undefined ? null : await verifyWith(verifier, text, claims?.['type'])
  if (verification?.accepted === false) problems.push(refusalText(verification))
  const times = claims === null ? {} : timesOf(claims, nowSeconds)
  return { cookie, ...parts, times, problems, warnings, verification }
}

function refusalText({ signature, code, reason }: Verification): string {
  const held = signature ? 'The signature holds, but guards' : 'Guards'
  return `${held} refuse it: ${code}${reason === null ? '' : ` (${reason})`}`
}

/** Cookie tossing: which of two is the right one cannot be known. */
function ambiguities({ tokens, cookies }: TokenInput): string[] {
  const names = new Set(tokens.flatMap(({ cookie }) => cookie ?? []))
  return [...names].flatMap((name) => {
    const values = new Set(cookies.filter((cookie) => cookie.name === name).map(({ value }) => value))
    return values.size < 2
      ? []
      : [
          `The cookie ${visible(name)} is there with ${values.size} values: guards refuse them all (cookie_ambiguous)`,
        ]
  })
}

/** The page sends back what the readable cookie holds, so that must be what the token holds. */
function csrfMismatches({ tokens, cookies }: TokenInput): string[] {
  return tokens.flatMap(({ cookie, text }) => {
    const [, prefix, type] = /^(__(?:Host|Secure)-|)(access|refresh)_token_cookie$/.exec(cookie ?? '') ?? []
    const csrf = takeApart(text).claims?.['csrf']
    if (type === undefined || typeof csrf !== 'string') return []
    const name = `${prefix}csrf_${type}_token`
    const half = cookies.find((other) => other.name === name)
    return half === undefined || half.value === csrf
      ? []
      : [
          `The cookie ${name} is not the other half of ${cookie}: requests of the page are refused (csrf_mismatch)`,
        ]
  })
}

/** With the token it would let a request pass. */
function withoutCsrf(report: TokenReport): TokenReport {
  const { claims } = report
  if (claims === null || !Object.hasOwn(claims, 'csrf')) return report
  const shown = Object.entries(claims).map(([name, value]) => [name, name === 'csrf' ? '(not shown)' : value])
  return { ...report, claims: Object.fromEntries(shown) as Readonly<Record<string, unknown>> }
}

function describeAll(
  terminal: Terminal,
  tokens: readonly TokenReport[],
  problems: readonly string[],
  warnings: readonly string[],
): string {
  const marks = [
    ...problems.map((text) => terminal.paint('red', `✗ ${visible(text)}`)),
    ...warnings.map((text) => terminal.paint('yellow', `! ${visible(text)}`)),
  ]
  return [...tokens.map((token) => describe(terminal, token)), marks.join('\n')]
    .filter((text) => text !== '')
    .join('\n\n')
}

function describe(terminal: Terminal, report: TokenReport): string {
  const { cookie, header, claims, times, verification } = report
  const title = cookie === null ? 'Token' : `Cookie ${visible(cookie, 100)}`
  const lines = [terminal.paint('bold', title)]
  if (header !== null) lines.push('  header', ...members(header, {}))
  if (claims !== null) lines.push('  claims', ...members(claims, times))
  const { iat, exp } = times
  if (iat !== undefined && exp !== undefined && exp.seconds > iat.seconds)
    lines.push(`  lives ${spanOf(exp.seconds - iat.seconds)}`)
  if (verification?.accepted === true)
    lines.push(terminal.paint('green', '  ✓ verified: the signature holds, and guards accept it'))
  lines.push(...report.problems.map((text) => terminal.paint('red', `  ✗ ${visible(text)}`)))
  lines.push(...report.warnings.map((text) => terminal.paint('yellow', `  ! ${visible(text)}`)))
  return lines.join('\n')
}

/** More members than a person reads. */
const mostMembers = 60

function members(
  object: Readonly<Record<string, unknown>>,
  times: Readonly<Record<string, TokenTime>>,
): string[] {
  const entries = Object.entries(object)
  const lines = entries.slice(0, mostMembers).map(([name, value]) => {
    const time = Object.hasOwn(times, name) ? times[name] : undefined
    const meaning = time === undefined ? '' : `  ${time.at ?? 'no date'}, ${time.words}`
    return `    ${visible(name, 60)}: ${visible(JSON.stringify(value), 200)}${meaning}`
  })
  const rest = entries.length - mostMembers
  return rest > 0 ? [...lines, `    and ${rest} more`] : lines
}
