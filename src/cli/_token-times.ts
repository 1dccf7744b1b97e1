/** Says the times and claims of a token in words, and what is wrong with them at this moment. */

/** A time of a token, for people. */
export interface TokenTime {
  readonly seconds: number
  /** `null` for what is no date. */
  readonly at: string | null
  /** `in 5 minutes`, `2 days ago`. */
  readonly words: string
}

const timeClaims = ['iat', 'nbf', 'exp', 'auth_time'] as const

type Claims = Readonly<Record<string, unknown>>

export function timesOf(claims: Claims, nowSeconds: number): Readonly<Record<string, TokenTime>> {
  const known = timeClaims.flatMap((name) => {
    const value = claims[name]
    return typeof value === 'number' ? [[name, describe(value, nowSeconds)] as const] : []
  })
  return Object.fromEntries(known)
}

function describe(seconds: number, nowSeconds: number): TokenTime {
  // RFC 3339 ends with the year 9999.
  const isDate = Math.abs(seconds) < 253_402_300_800
  const at = isDate ? new Date(Math.floor(seconds) * 1000).toISOString().replace('.000', '') : null
  return { seconds, at, words: relative(seconds - nowSeconds) }
}

function relative(difference: number): string {
  const words = spanOf(Math.abs(difference))
  return difference > 0 ? `in ${words}` : `${words} ago`
}

const units = [
  ['year', 31_557_600],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
] as const

/** In the greatest unit of which there are two. */
export function spanOf(seconds: number): string {
  const [name, size] = units.find(([, unit]) => seconds >= 2 * unit) ?? ['second', 1]
  const count = Math.floor(seconds / size)
  return `${count} ${name}${count === 1 ? '' : 's'}`
}

/** How far clocks of servers may differ, as guards allow. */
const skewSeconds = 5
/** Later than this a number of seconds is one of milliseconds. */
const mostSeconds = 100_000_000_000

/** What no guard would take, and what a person should know. */
export interface Judgement {
  readonly problems: readonly string[]
  readonly warnings: readonly string[]
}

export function judgeClaims(claims: Claims, isInCookie: boolean, nowSeconds: number): Judgement {
  const warnings: string[] = []
  const { sub, type, exp, csrf } = claims
  const problems = judgeTimes(claims, nowSeconds)
  if (typeof sub !== 'string' || sub === '')
    problems.push('sub is missing, or no text: it says of nobody who they are')
  if (type !== 'access' && type !== 'refresh')
    problems.push("type is neither 'access' nor 'refresh': tallystick did not make it for this")
  if (exp === undefined) warnings.push('It never expires: who has it keeps it')
  if (isInCookie && csrf === undefined)
    warnings.push('It holds no csrf claim, so requests with it are not protected by the double submit')
  const nested = Object.entries(claims).filter(([, value]) => typeof value === 'string' && isToken(value))
  if (nested.length > 0)
    warnings.push(`${nested.length} of its claims holds a token: whoever reads this one has that one too`)
  return { problems, warnings }
}

function isToken(text: string): boolean {
  return /^ey[\w-]+\.[\w-]+\.[\w-]*$/.test(text)
}

function judgeTimes(claims: Claims, nowSeconds: number): string[] {
  const problems: string[] = []
  for (const name of timeClaims) {
    const value = claims[name]
    if (value === undefined) continue
    if (typeof value !== 'number') problems.push(`${name} is no number`)
    else if (Math.abs(value) > mostSeconds) problems.push(`${name} is far from now: are these milliseconds?`)
  }
  const [iat, nbf, exp] = ['iat', 'nbf', 'exp'].map((name) => {
    const value = claims[name]
    return typeof value === 'number' ? value : undefined
  })
  if (exp !== undefined && exp <= nowSeconds) problems.push(`It expired ${relative(exp - nowSeconds)}`)
  if (nbf !== undefined && nbf > nowSeconds + skewSeconds)
    problems.push(`It is not valid yet, but ${relative(nbf - nowSeconds)} (nbf)`)
  if (iat !== undefined && iat > nowSeconds + skewSeconds)
    problems.push('It was made in the future (iat): the clocks of two servers differ')
  if (iat !== undefined && exp !== undefined && exp <= iat) problems.push('It ends before it was made')
  return problems
}
