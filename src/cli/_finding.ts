/** What the doctor found, and the words for it. */

export type Verdict = 'good' | 'bad' | 'warning' | 'skipped'

export interface Finding {
  /** Stable, for scripts. */
  readonly check: string
  readonly verdict: Verdict
  readonly found: string
  /** What to do; absent where nothing is to be done. */
  readonly fix?: string
}

/** Good, or bad with a remedy. */
export function judge(check: string, isGood: boolean, good: string, bad: string, fix: string): Finding {
  return isGood ? { check, verdict: 'good', found: good } : { check, verdict: 'bad', found: bad, fix }
}

export function warn(check: string, found: string, fix: string): Finding {
  return { check, verdict: 'warning', found, fix }
}

export function skip(check: string, found: string): Finding {
  return { check, verdict: 'skipped', found }
}
