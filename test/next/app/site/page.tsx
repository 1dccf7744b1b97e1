import Link from 'next/link'
import { authorize, getCsrfToken, jwtRequired } from '../../auth.ts'
import { rename, signOut } from './actions.ts'

export default jwtRequired()(async () => {
  const auth = await authorize()
  const csrfToken = await getCsrfToken()
  return (
    <main>
      <h1>Hello {auth.claims().sub}</h1>
      <Link href="/site/public">Public</Link>
      <form id="rename" action={rename}>
        <input type="hidden" name="csrf_token" value={csrfToken} />
        <input name="name" />
        <button>Rename</button>
      </form>
      <form id="sign-out" action={signOut}>
        <input type="hidden" name="csrf_token" value={csrfToken} />
        <button>Sign out</button>
      </form>
    </main>
  )
})
