// How long it takes from revoke() in one process until another one refuses the session's access token.

import { createAuth } from 'tallystick'
import { createPlace, openStore, removePlace, storeKinds } from './stores.ts'
import type { StoreKind } from './stores.ts'
import type { Table } from '../report.ts'
import { now } from './clock.ts'
import { Worker } from './workers.ts'

/** @param count How many revocations on each store. */
export async function measureLag(count: number, kinds = storeKinds): Promise<Table> {
  const rows: [string, ...number[]][] = []
  for (const kind of kinds) {
    const lags = (await measure(kind, count)).toSorted((left, right) => left - right)
    const at = (part: number): number => lags[Math.floor(part * (count - 1))] ?? Number.NaN
    rows.push([kind, at(0.5), at(0.99), at(1)])
  }
  return {
    title: `Milliseconds from a revocation in one process to the refusal in another, ${count} one after the other`,
    columns: ['store', 'median', 'p99', 'greatest'],
    rows,
  }
}

async function measure(kind: StoreKind, count: number): Promise<readonly number[]> {
  const place = await createPlace(kind)
  const secretKey = Buffer.from(crypto.getRandomValues(new Uint8Array(48))).toString('base64url')
  const worker = await Worker.open(place, secretKey)
  const opened = await openStore(place)
  const auth = createAuth({ secretKey, store: opened.store, tokenLocation: ['headers'] })
  const lags: number[] = []
  try {
    await auth.ready()
    for (let round = 0; round < count; round++) {
      const request = { method: 'POST', header: () => undefined }
      const sink = { append: () => undefined, set: () => undefined, sent: false }
      const { accessToken } = await auth.authorize(request, sink).login(`user ${round}`)
      await worker.ask({ do: 'watch', token: accessToken })
      const refused = worker.next()
      const revokedAt = now()
      await auth.sessions.revokeAll(`user ${round}`)
      lags.push(Number(BigInt(String((await refused)['refusedAt'])) - BigInt(revokedAt)) / 1e6)
    }
    return lags
  } finally {
    await worker.close()
    await auth.close()
    await opened.end()
    await removePlace(place)
  }
}
