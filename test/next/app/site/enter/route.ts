// What Next itself answers: a redirect that is thrown, and what happens where nothing is wrapped.

import { redirect } from 'next/navigation'
import { authErrors, authorize } from '../../../auth.ts'

export const POST = authErrors(async (_request: Request): Promise<Response> => {
  const auth = await authorize()
  await auth.login('ada')
  redirect('/site')
})

export async function GET(): Promise<Response> {
  const reason: unknown = await authorize().catch((error: unknown) => error)
  return new Response(String(reason))
}
