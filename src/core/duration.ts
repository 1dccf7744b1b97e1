/** Reads durations as people write them; gives whole seconds. */

/** Seconds, or a number with a unit: `'90s'`, `'15m'`, `'12h'`, `'30d'`, `'2w'`. */
export type Duration = number | `${number}${'s' | 'm' | 'h' | 'd' | 'w'}`

const secondsOf = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 }

/** The duration in seconds, or `null` for what is none: only positive whole numbers of seconds count. */
export function parseDuration(value: unknown): number | null {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value > 0 ? value : null
  if (typeof value !== 'string') return null
  const match = /^(\d{1,9})([smhdw])$/.exec(value)
  if (match === null) return null
  const seconds = Number(match[1]) * secondsOf[match[2] as keyof typeof secondsOf]
  return seconds > 0 ? seconds : null
}
