/** The contracts that every adapter and every store passes, as lists that any test runner can loop over. */

import { AssertionError } from 'node:assert/strict'
import type { ContractCase, ContractLimit, StartContractApp } from './contract/_app.ts'
import { bodyCases } from './contract/_body-cases.ts'
import { cookieCases } from './contract/_cookie-cases.ts'
import { feedCases } from './contract/_feed-cases.ts'
import { hostileCases } from './contract/_hostile-cases.ts'
import { refusalCases } from './contract/_refusal-cases.ts'
import { requestCases } from './contract/_request-cases.ts'
import { revocationCases } from './contract/_revocation-cases.ts'
import { rotationCases } from './contract/_rotation-cases.ts'
import { sessionCases } from './contract/_session-cases.ts'
import { sessionRouteCases } from './contract/_session-route-cases.ts'
import { StoreWorld } from './contract/_store.ts'
import type { MakeStore } from './contract/_store.ts'

export type {
  ContractApp,
  ContractContext,
  ContractLimit,
  ContractRoute,
  RunningApp,
  StartContractApp,
} from './contract/_app.ts'

export type { MakeStore, StoreSetup } from './contract/_store.ts'

/** One test of a contract. */
export interface ContractTest {
  /** A sentence that is true of every adapter, or of every store. */
  readonly title: string
  /** Ends in an `AssertionError` where the sentence is not true. */
  readonly run: () => Promise<void>
}

/** What a framework cannot do, each with the reason. */
export type ContractLimits = Readonly<Partial<Record<ContractLimit, string>>>

/**
 * Lists what every adapter must do; each test starts an app of its own and talks to it over a socket.
 *
 * A test that `limits` names is turned round: it fails once the framework can do what was said to be beyond it.
 *
 * @example
 * for (const { title, run } of adapterContract(startMyApp, { multipart: 'it parses no such bodies' })) {
 *   test(title, run)
 * }
 */
export function adapterContract(
  start: StartContractApp,
  limits: ContractLimits = {},
): readonly ContractTest[] {
  return [
    ...cookieCases,
    ...refusalCases,
    ...requestCases,
    ...bodyCases,
    ...hostileCases,
    ...sessionRouteCases,
  ].map((one) => {
    const reason = one.limit === undefined ? undefined : limits[one.limit]
    return reason === undefined
      ? { title: one.title, run: () => one.run(start) }
      : { title: `NOT here, since ${reason}: ${one.title}`, run: () => demandFailure(one, start) }
  })
}

async function demandFailure({ limit, run }: ContractCase, start: StartContractApp): Promise<void> {
  try {
    await run(start)
  } catch (error) {
    if (error instanceof AssertionError) return
    throw error
  }
  throw new AssertionError({ message: `The limit "${limit}" holds no more: take it out of the list` })
}

/**
 * Lists what every store must do; each test takes a name of its own for the data, and closes what it opened.
 *
 * @example
 * for (const { title, run } of storeContract(({ name, clock }) => myStore(client, { prefix: name, clock }))) {
 *   test(title, run)
 * }
 */
export function storeContract(make: MakeStore): readonly ContractTest[] {
  return [...sessionCases, ...rotationCases, ...revocationCases, ...feedCases].map(({ title, run }) => ({
    title,
    async run() {
      const world = new StoreWorld(make, `t${crypto.randomUUID().replaceAll('-', '')}`)
      try {
        await run(world)
      } finally {
        await world.close()
      }
    },
  }))
}
