// The demo with its attackers, as `npm start` serves it: its own page, another site and a sibling host on one port.

import { existsSync } from 'node:fs'
import type { Hono } from 'hono'
import { createAuth } from 'tallystick'
import type { AuthOptions } from 'tallystick'
import { memoryStore } from 'tallystick/stores/memory'
import { createDemo } from '../../demo/app.ts'
import { createJournal } from '../../demo/journal.ts'
import { secretKey } from '../_setup.ts'
import { openServer } from './server.ts'
import type { LiveServer } from './server.ts'

const pageScript = new URL('../../demo/dist/page/page.js', import.meta.url)

export interface DevelopmentDemo {
  readonly app: Hono
  close(): Promise<void>
}

/** The app alone, for tests without a browser. */
export function createDevelopmentDemo(changes: AuthOptions = {}): DevelopmentDemo {
  const journal = createJournal()
  const options = {
    secretKey,
    store: memoryStore(),
    rotationGrace: 1,
    onEvent: journal.onEvent,
    ...changes,
  }
  const auth = createAuth(options)
  const lenient = createAuth({ ...options, fetchMetadata: false })
  return {
    app: createDemo(auth, { journal, lenient }),
    async close() {
      await Promise.all([auth.close(), lenient.close()])
    },
  }
}

export async function openDevelopmentDemo(options?: AuthOptions): Promise<LiveServer> {
  if (!existsSync(pageScript)) throw new Error('There is no demo/dist/: run `npm run build:demo` first.')
  const demo = createDevelopmentDemo(options)
  const server = await openServer((request) => demo.app.fetch(request))
  return {
    ...server,
    async close() {
      await server.close()
      await demo.close()
    },
  }
}
