import { defineHandler } from 'nitro/h3'
import { authorize, jwtRequired } from '../utils/auth.ts'

export default defineHandler({
  middleware: [jwtRequired()],
  handler: (event) => ({ user: authorize(event).subject() }),
})
