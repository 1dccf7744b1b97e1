export default defineEventHandler(async (event) => {
  const { username, password } = (await readBody(event).catch(() => null)) ?? {}
  if (username !== 'test' || password !== 'test') {
    setResponseStatus(event, 401)
    return { detail: 'Bad username or password' }
  }
  await authorize(event).login(username)
  return { msg: 'Successfully login' }
})
