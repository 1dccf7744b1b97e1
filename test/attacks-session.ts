/** The attack catalogue's groups on refresh rotation, and on revocation and faults of the store, as a table. */

import { clockRows } from './attacks-session-clock.ts'
import { failureRows } from './attacks-session-failures.ts'
import { faultRows } from './attacks-session-faults.ts'
import { lateRows } from './attacks-session-late.ts'
import { logoutRows } from './attacks-session-logout.ts'
import { memoryRows } from './attacks-session-memory.ts'
import { nameRows } from './attacks-session-names.ts'
import { refreshRows } from './attacks-session-refresh.ts'
import { revocationRows } from './attacks-session-revocation.ts'
import { rotationRows } from './attacks-session-rotation.ts'
import type { SessionRow } from './attacks-session-world.ts'

/** Every id of the two groups, copied from the catalogue. */
export const catalogueIds: readonly number[] = [
  175, 176, 178, 179, 180, 182, 183, 184, 186, 187, 188, 190, 191, 192, 194, 195, 196, 198, 199, 200, 202,
  203, 204, 206, 207, 208, 210, 211, 212,
]

/** The rows that nothing here can be held against, each with the reason. */
export const leftOut: Readonly<Record<number, string>> = {
  182:
    'who comes from another device within the grace is given the same successor as everybody: a user agent or an ' +
    'address proves nothing and changes by itself, and the copy is found out when either of the two refreshes next',
}

export const rows: readonly SessionRow[] = [
  ...rotationRows,
  ...refreshRows,
  ...logoutRows,
  ...clockRows,
  ...failureRows,
  ...revocationRows,
  ...memoryRows,
  ...nameRows,
  ...lateRows,
  ...faultRows,
]
