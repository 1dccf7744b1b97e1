import { authErrors, authorize } from '../../auth.ts'

export const DELETE = authErrors(async (_request: Request) => {
  const auth = await authorize()
  await auth.logout()
  return Response.json({ msg: 'Successfully logout' })
})
