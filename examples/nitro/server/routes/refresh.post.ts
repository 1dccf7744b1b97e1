import { defineHandler } from 'nitro/h3'
import { authorize } from '../utils/auth.ts'

export default defineHandler(async (event) => {
  await authorize(event).refresh()
  return { msg: 'The token has been refresh' }
})
