import { defineHandler } from 'nitro/h3'
import { authorize } from '../utils/auth.ts'

export default defineHandler(async (event) => {
  await authorize(event).logout()
  return { msg: 'Successfully logout' }
})
