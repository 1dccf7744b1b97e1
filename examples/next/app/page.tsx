import { signIn } from './actions.ts'

export default function Home() {
  return (
    <form action={signIn}>
      <input name="username" autoComplete="username" />
      <input name="password" type="password" autoComplete="current-password" />
      <button>Sign in</button>
    </form>
  )
}
