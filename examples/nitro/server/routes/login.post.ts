import { defineHandler, readBody } from 'nitro/h3'
import { authorize } from '../utils/auth.ts'

export default defineHandler(async (event) => {
  const { username, password } = (await readBody<Record<string, string>>(event)) ?? {}
  if (username !== 'test' || password !== 'test') {
    event.res.status = 401
    return { detail: 'Bad username or password' }
  }
  await authorize(event).login(username)
  return { msg: 'Successfully login' }
})
