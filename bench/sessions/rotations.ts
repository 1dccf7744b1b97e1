// How many refresh tokens a store rotates in a second, and with how many round trips each.

import { createPlace, openStore, removePlace, storeKinds } from './stores.ts'
import type { OpenStore, StoreKind } from './stores.ts'
import type { Table } from '../report.ts'

const sessionCount = 64
const day = 86_400_000

export async function measureRotations(seconds: number): Promise<Table> {
  const rows: [string, number, number][] = []
  for (const kind of storeKinds) rows.push([kind, ...(await measure(kind, seconds))])
  return {
    title: `Rotations, ${sessionCount} at a time from one process`,
    columns: ['store', 'a second', 'round trips each'],
    rows,
  }
}

async function measure(kind: StoreKind, seconds: number): Promise<[rate: number, roundTrips: number]> {
  const place = await createPlace(kind)
  const open = await openStore(place)
  try {
    await open.store.open()
    const sids = Array.from({ length: sessionCount }, () => crypto.randomUUID())
    for (const [index, id] of sids.entries()) await create(open, id, `user ${index}`)
    const before = open.roundTrips()
    const start = performance.now()
    const end = start + seconds * 1000
    const counts = await Promise.all(sids.map((sid, index) => rotateUntil(open, sid, `user ${index}`, end)))
    const total = counts.reduce((sum, count) => sum + count, 0)
    const rate = total / ((performance.now() - start) / 1000)
    const roundTrips = before === null ? Number.NaN : ((open.roundTrips() ?? 0) - before) / total
    return [rate, roundTrips]
  } finally {
    await open.store.close()
    await open.end()
    await removePlace(place)
  }
}

async function create({ store }: OpenStore, id: string, subject: string): Promise<void> {
  const nowSeconds = Math.floor(Date.now() / 1000)
  await store.create({
    id,
    subject,
    salt: 'AAAAAAAAAAAAAAAAAAAAAA',
    issuedAtSeconds: nowSeconds,
    authTimeSeconds: nowSeconds,
    accessLifetime: 1_260_000,
    idleLifetime: 30 * day,
    expiresAt: Date.now() + 90 * day,
    metadata: {},
  })
}

async function rotateUntil({ store }: OpenStore, sid: string, subject: string, end: number): Promise<number> {
  for (let generation = 0; ; generation++) {
    if (performance.now() >= end) return generation
    const { outcome } = await store.rotate({
      sid,
      subject,
      generation,
      // Below zero nothing is within the grace, so that every call rotates.
      grace: -1,
      lateReplay: 'revoke',
      accessLifetime: 1_260_000,
      successor: { salt: 'AAAAAAAAAAAAAAAAAAAAAA', issuedAtSeconds: 0, idleLifetime: 30 * day },
      adoption: null,
    })
    if (outcome !== 'rotated') throw new Error(`generation ${generation} was ${outcome}`)
  }
}
