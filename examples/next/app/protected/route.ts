import { authorize, jwtRequired } from '../../auth.ts'

export const GET = jwtRequired()(async (_request: Request) => {
  const auth = await authorize()
  return Response.json({ user: auth.subject() })
})
