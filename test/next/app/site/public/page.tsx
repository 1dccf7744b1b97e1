import Link from 'next/link'
import { authorize, getCsrfToken } from '../../../auth.ts'
import { bare, change } from '../actions.ts'

export default async function Public() {
  const auth = await authorize()
  const claims = await auth.jwtOptional()
  const isSame = auth === (await authorize())
  return (
    <main>
      <h1>
        {claims?.sub ?? 'nobody'} {String(isSame)}
      </h1>
      <Link href="/site">Home</Link>
      <form id="change" action={change}>
        <input type="hidden" name="csrf_token" value={await getCsrfToken()} />
        <input name="to" />
        <button>Change</button>
      </form>
      <form id="bare" action={bare}>
        <button>Bare</button>
      </form>
    </main>
  )
}
