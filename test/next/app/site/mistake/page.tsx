import { authorize } from '../../../auth.ts'

/** What each method that sets cookies says in a component, and what a refused guard does. */
export default async function Mistake({ searchParams }: { readonly searchParams: Promise<object> }) {
  const auth = await authorize()
  if ('guard' in (await searchParams)) await auth.jwtRequired()
  const attempts = {
    login: () => auth.login('ada'),
    refresh: () => auth.refresh(),
    logout: () => auth.logout(),
    unsetJwtCookies: async () => auth.unsetJwtCookies(),
  }
  const told = Object.entries(attempts).map(async ([name, attempt]) => {
    const reason: unknown = await attempt().then(
      () => 'passed',
      (error: unknown) => error,
    )
    return <li key={name}>{`${name}: ${String(reason)}`}</li>
  })
  return <ul>{await Promise.all(told)}</ul>
}
