// A page in React, with the hook of docs/browser.md, which the build puts in place of `use-auth`.

import { createElement, useEffect, useState } from 'react'
import type { ReactNode } from 'react'
import { createRoot, hydrateRoot } from 'react-dom/client'
import { renderToString } from 'react-dom/server'
import type { AuthFetch } from 'tallystick/client'
// @ts-expect-error: it is made of the documentation.
import * as documented from 'use-auth'

const { authFetch, useAuth } = documented as { readonly authFetch: AuthFetch; readonly useAuth: () => number }

declare global {
  interface Window {
    react: { readonly authFetch: AuthFetch; start(how: 'render' | 'hydrate'): void }
    /** How often the part of the page that asks has been drawn. */
    draws: number
  }
}

window.draws = 0

function Who(): ReactNode {
  const signIn = useAuth()
  const [user, setUser] = useState('nobody')
  useEffect(() => {
    if (signIn === 0) setUser('nobody')
    else void load().then(setUser)
  }, [signIn])
  window.draws++
  return createElement('p', null, `${signIn === 0 ? 'out' : 'in'}: ${user}`)
}

async function load(): Promise<string> {
  const response = await authFetch('/who')
  const { user }: { readonly user?: string } = await response.json()
  return user ?? 'nobody'
}

window.react = {
  authFetch,
  start(how) {
    const root = document.body.appendChild(document.createElement('main'))
    if (how === 'render') createRoot(root).render(createElement(Who))
    else {
      root.innerHTML = renderToString(createElement(Who))
      hydrateRoot(root, createElement(Who))
    }
  },
}
