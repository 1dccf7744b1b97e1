/** Serves the app on Node, and tells its port. */

import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import { createAuth } from 'tallystick'
import { memoryStore } from 'tallystick/stores/memory'
import { webAuth } from 'tallystick/web'
import { createApp } from '../_app.ts'

const fetch = createApp({ createAuth, webAuth, memoryStore })
serve({ fetch, hostname: '127.0.0.1', port: 0 }, ({ port }: AddressInfo) => {
  process.stdout.write(`port ${port}\n`)
})
