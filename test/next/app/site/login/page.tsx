import { signIn } from '../actions.ts'

export default function Login() {
  return (
    <form id="sign-in" action={signIn}>
      <input name="name" />
      <button>Sign in</button>
    </form>
  )
}
