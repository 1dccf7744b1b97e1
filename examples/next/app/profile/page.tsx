import { authorize, getCsrfToken, jwtRequired } from '../../auth.ts'
import { signOut } from '../actions.ts'

export default jwtRequired()(async () => {
  const auth = await authorize()
  return (
    <form action={signOut}>
      <input type="hidden" name="csrf_token" value={await getCsrfToken()} />
      <p>Hello {auth.claims().sub}</p>
      <button>Sign out</button>
    </form>
  )
})
