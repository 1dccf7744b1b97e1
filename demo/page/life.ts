// A bar that runs down with the life of a token, and the time that is left in words.

export type Life = {
  /** Seconds since 1970, by the server's clock. */
  iat: number
  exp?: number
}

/** @param aheadSeconds How far the server's clock is ahead of the browser's. */
export function showLife(row: HTMLElement, { iat, exp }: Life, aheadSeconds: number): void {
  const meter = row.querySelector('meter')
  const left = row.querySelector('.left')
  if (meter === null || left === null) return
  if (exp === undefined) {
    left.textContent = 'no end'
    return
  }
  const leftSeconds = Math.max(0, exp - aheadSeconds - Date.now() / 1000)
  meter.max = Math.max(1, exp - iat)
  meter.value = leftSeconds
  left.textContent = describe(leftSeconds)
  row.dataset['over'] = leftSeconds === 0 ? 'yes' : 'no'
}

function describe(seconds: number): string {
  if (seconds === 0) return 'at its end'
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes}:${String(Math.floor(seconds % 60)).padStart(2, '0')} left`
  const hours = Math.floor(minutes / 60)
  return hours < 48 ? `${hours} hours left` : `${Math.floor(hours / 24)} days left`
}
