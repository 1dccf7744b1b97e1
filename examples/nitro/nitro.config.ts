// Sign-in, refresh, sign-out and a protected route on Nitro 3; each file of server/ is one piece of it.

import { defineConfig } from 'nitro'

export default defineConfig({ serverDir: './server' })
