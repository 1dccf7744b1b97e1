/** Serves the app on Deno, and tells its port. */

import { createAuth } from 'tallystick'
import { memoryStore } from 'tallystick/stores/memory'
import { webAuth } from 'tallystick/web'
import { createApp } from '../_app.ts'

interface DenoRuntime {
  serve(
    options: {
      readonly hostname: string
      readonly port: number
      readonly onListen: (address: { readonly port: number }) => void
    },
    handler: (request: Request) => Promise<Response>,
  ): unknown
}

declare const Deno: DenoRuntime

const fetch = createApp({ createAuth, webAuth, memoryStore })
const onListen = ({ port }: { readonly port: number }): void => {
  process.stdout.write(`port ${port}\n`)
}
Deno.serve({ hostname: '127.0.0.1', port: 0, onListen }, fetch)
