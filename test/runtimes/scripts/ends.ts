/** Follows a store and has nothing else to do: such a process must end. */

import { createAuth } from 'tallystick'
import { memoryStore } from 'tallystick/stores/memory'

const auth = createAuth({ secretKey: process.env['AUTHJWT_SECRET_KEY'], store: memoryStore() })
await auth.ready()
process.stdout.write((await auth.verify(await auth.createAccessToken('tally'))).sub)
