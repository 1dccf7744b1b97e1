import { authErrors, authorize } from '../../auth.ts'

export const POST = authErrors(async (_request: Request) => {
  const auth = await authorize()
  await auth.refresh()
  return Response.json({ msg: 'The token has been refresh' })
})
