'use server'

import { redirect } from 'next/navigation'
import { authErrors, authorize, jwtRequired } from '../auth.ts'

export const signIn = authErrors(async (form: FormData) => {
  if (form.get('username') !== 'test' || form.get('password') !== 'test') redirect('/')
  const auth = await authorize()
  await auth.login('test')
  redirect('/profile')
})

// A guarded action takes its CSRF value from the field csrf_token of the form.
export const signOut = jwtRequired()(async (_form: FormData) => {
  const auth = await authorize()
  await auth.logout()
  redirect('/')
})
