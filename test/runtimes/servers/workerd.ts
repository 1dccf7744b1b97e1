/** The app as a Worker. */

import { createAuth } from 'tallystick'
import { memoryStore } from 'tallystick/stores/memory'
import { webAuth } from 'tallystick/web'
import { createApp } from '../_app.ts'

// Nothing follows a store there between two requests.
const worker: { readonly fetch: (request: Request) => Promise<Response> } = {
  fetch: createApp({ createAuth, webAuth, memoryStore }, 'strict'),
}
// oxlint-disable-next-line import/no-default-export -- it is what Workers are
export default worker
