// Before all else: the cookie of another middleware, and the refresh of who navigates to a page.

import { NextResponse } from 'next/server'
import { authorize, proxy as before } from './auth.ts'

export const proxy = before(async (request) => {
  // What the router of Next asks for cannot be told by a browser's test in any other way.
  const asked = request.nextUrl.searchParams.get('proxy')
  if (asked === 'out') {
    await authorize(request).logout()
    return NextResponse.redirect(new URL('/site/public', request.nextUrl))
  }
  const headers = new Headers(request.headers)
  headers.set('x-proxied', '1')
  const response = asked === 'own' ? NextResponse.next({ request: { headers } }) : NextResponse.next()
  response.headers.append('set-cookie', 'theme=dark; Path=/')
  return response
})
