'use server'

import { redirect } from 'next/navigation'
import { authErrors, authorize, freshJwtRequired, jwtRequired } from '../../auth.ts'

export const signIn = authErrors(async (form: FormData) => {
  const auth = await authorize()
  await auth.login(String(form.get('name')))
  redirect('/site')
})

/** Stays on the page, which is rendered again in the same request. */
export const change = authErrors(async (form: FormData) => {
  const auth = await authorize()
  if (form.get('to') === '') await auth.logout()
  else await auth.login(String(form.get('to')))
})

export const signOut = authErrors(async (_form: FormData) => {
  const auth = await authorize()
  await auth.logout()
  redirect('/site/public')
})

export const rename = freshJwtRequired()(
  jwtRequired()(async (form: FormData) => {
    const auth = await authorize()
    redirect(`/site/public?by=${auth.subject()}&name=${String(form.get('name'))}`)
  }),
)

/** Nothing wraps it. */
export async function bare(_form: FormData): Promise<void> {
  const reason: unknown = await authorize().catch((error: unknown) => error)
  redirect(`/site/public?reason=${encodeURIComponent(String(reason))}`)
}
