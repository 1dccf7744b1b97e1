// The Auth of the pages; the contract makes its own.

import { redirect } from 'next/navigation'
import { createAuth } from 'tallystick'
import { nextAuth } from 'tallystick/next'

// Next evaluates this while it builds, too: the key has to be there.
const auth = createAuth({
  secretKey: 'cW9yq_Tn4-ZbXe7RkUj2mLhPvDs8fGoA6iYt3KxQEzNwCpVHaJdSgMuO1lBI5r0F',
})

export const { authorize, authErrors, freshJwtRequired, getCsrfToken, jwtRequired, proxy } = nextAuth(auth, {
  onUnauthenticated: ({ code }) => redirect(`/site/login?code=${code}`),
})
