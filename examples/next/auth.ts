// One Auth for the whole app.

import { redirect } from 'next/navigation'
import { createAuth } from 'tallystick'
import { nextAuth } from 'tallystick/next'

const auth = createAuth({ secretKey: process.env['AUTHJWT_SECRET_KEY'] })

export const { authorize, authErrors, getCsrfToken, jwtRequired, proxy } = nextAuth(auth, {
  onUnauthenticated: () => redirect('/'),
})
