/** Serves the app on Bun, and tells its port. */

import { createAuth } from 'tallystick'
import { memoryStore } from 'tallystick/stores/memory'
import { webAuth } from 'tallystick/web'
import { createApp } from '../_app.ts'

interface BunRuntime {
  serve(options: {
    readonly hostname: string
    readonly port: number
    readonly fetch: (request: Request) => Promise<Response>
  }): { readonly port: number }
}

declare const Bun: BunRuntime

const fetch = createApp({ createAuth, webAuth, memoryStore })
const { port } = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch })
process.stdout.write(`port ${port}\n`)
