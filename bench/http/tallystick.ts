// What the stacks with tallystick share: one Auth, empty or beside a million revocations, and users of it.

import { createAuth } from 'tallystick'
import type { Auth } from 'tallystick'
import { crowdedStore } from '../crowd.ts'
import { secret } from './stack.ts'
import type { Credentials } from './stack.ts'

/** @param revocations How many a store has in its feed; `null` for no store. */
export async function openAuth(revocations: number | null): Promise<Auth> {
  const auth = createAuth({
    secretKey: secret,
    ...(revocations !== null && { store: crowdedStore(revocations) }),
  })
  await auth.ready()
  return auth
}

export async function signIn(auth: Auth, count: number): Promise<readonly Credentials[]> {
  return Promise.all(Array.from({ length: count }, async (_, index) => signInOne(auth, `user ${index}`)))
}

async function signInOne(auth: Auth, user: string): Promise<Credentials> {
  const lines: string[] = []
  const request = { method: 'POST', header: () => undefined }
  const response = {
    append: (_name: string, line: string) => void lines.push(line),
    set: () => undefined,
    sent: false,
  }
  await auth.authorize(request, response).login(user)
  const cookies = lines.map((line) => line.slice(0, line.indexOf(';')))
  const csrf = (type: 'access' | 'refresh'): Record<string, string> => {
    const name = `csrf_${type}_token=`
    return { 'x-csrf-token': cookies.find((cookie) => cookie.startsWith(name))?.slice(name.length) ?? '' }
  }
  return { cookie: cookies.join('; '), headers: csrf('access'), refreshHeaders: csrf('refresh') }
}
