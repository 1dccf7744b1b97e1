// A hundred refreshes of one token at once, from four processes, round after round: one successor, the same for all.

import { createAuth } from 'tallystick'
import { createPlace, openStore, removePlace } from './stores.ts'
import type { StoreKind } from './stores.ts'
import type { Table } from '../report.ts'
import { Worker } from './workers.ts'

const workerCount = 4
const callsEach = 25

export async function measureConvergence(rounds: number, kinds: readonly StoreKind[]): Promise<Table> {
  const rows: [string, number][] = []
  for (const kind of kinds) rows.push([kind, await converge(kind, rounds)])
  return {
    title: `${rounds} rounds of ${workerCount * callsEach} refreshes of one token from ${workerCount} processes, one successor each`,
    columns: ['store', 'refreshes a second'],
    rows,
  }
}

/** @returns refreshes a second. @throws for a round with two successors, or without one */
async function converge(kind: StoreKind, rounds: number): Promise<number> {
  const place = await createPlace(kind)
  const secretKey = Buffer.from(crypto.getRandomValues(new Uint8Array(48))).toString('base64url')
  const workers = await Promise.all(Array.from({ length: workerCount }, () => Worker.open(place, secretKey)))
  const opened = await openStore(place)
  const auth = createAuth({ secretKey, store: opened.store, tokenLocation: ['headers'], storeTimeout: 10 })
  try {
    await auth.ready()
    const start = performance.now()
    for (let round = 0; round < rounds; round++) {
      const request = { method: 'POST', header: () => undefined }
      const sink = { append: () => undefined, set: () => undefined, sent: false }
      const { refreshToken } = await auth.authorize(request, sink).login(`user ${round}`)
      const answers = await Promise.all(
        workers.map((worker) => worker.ask({ do: 'refresh', token: refreshToken, times: callsEach })),
      )
      const claims = new Set(answers.flatMap((answer) => answer['claims'] as string[]))
      const rotated = answers.reduce((sum, answer) => sum + Number(answer['rotatedCount']), 0)
      const [session] = await opened.store.list(`user ${round}`)
      if (claims.size !== 1 || rotated !== 1 || session?.generation !== 1) {
        throw new Error(
          `${kind}, round ${round}: ${claims.size} successors, ${rotated} rotations, generation ${session?.generation}`,
        )
      }
    }
    const seconds = (performance.now() - start) / 1000
    return (rounds * workerCount * callsEach) / seconds
  } finally {
    for (const worker of workers) await worker.close()
    await auth.close()
    await opened.end()
    await removePlace(place)
  }
}
