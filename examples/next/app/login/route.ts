import { authErrors, authorize } from '../../auth.ts'

export const POST = authErrors(async (request: Request) => {
  const { username, password } = (await request.json().catch(() => null)) ?? {}
  if (username !== 'test' || password !== 'test')
    return Response.json({ detail: 'Bad username or password' }, { status: 401 })
  const auth = await authorize()
  await auth.login(username)
  return Response.json({ msg: 'Successfully login' })
})
