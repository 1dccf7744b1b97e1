/** Runs the contract of stores over memory, and over the driver of SQLite that is named, and prints what failed. */

import { storeContract } from 'tallystick/testing'
import type { MakeStore } from 'tallystick/testing'
import { memoryStore } from 'tallystick/stores/memory'
import { sqliteStore } from 'tallystick/stores/sqlite'
import type { SqliteDatabase } from 'tallystick/stores/sqlite'

type Driver = new (file: string) => SqliteDatabase & { readonly close: () => unknown }

const [, , folder = '.', module, exported = ''] = process.argv
const failures: string[] = []
let passed = 0

async function prove(name: string, make: MakeStore): Promise<void> {
  await Promise.all(
    storeContract(make).map(async ({ title, run }) => {
      try {
        await run()
        passed++
      } catch (error) {
        failures.push(`${name}: ${title}: ${String(error)}`)
      }
    }),
  )
}

const stores = new Map<string, ReturnType<typeof memoryStore>>()
await prove('memory', ({ name, clock }) => {
  const store = stores.get(name) ?? memoryStore({ clock })
  stores.set(name, store)
  return store
})

if (module !== undefined) {
  const { [exported]: Database } = (await import(module)) as Record<string, Driver>
  if (Database === undefined) throw new Error(`${module} has no ${exported}`)
  const open: { readonly close: () => unknown }[] = []
  await prove(module, ({ name, clock }) => {
    const database = new Database(`${folder}/${name}.db`)
    open.push(database)
    return sqliteStore(database, { clock })
  })
  for (const database of open) database.close()
}

process.stdout.write(JSON.stringify({ passed, failures }))
