// Pages of an attacker: each sends one request, as real pages do, and tells in its title what it could read of the answer.

import type { Certificate } from './certificate.ts'
import { openServer } from './server.ts'
import type { LiveServer } from './server.ts'

export interface Attack {
  readonly name: string
  readonly path: string
  /** What the server gets: the request itself, or only the preflight that asks for it. */
  readonly method: 'POST' | 'GET' | 'OPTIONS'
  /** The whole tab goes to the answer; with `SameSite=None` and no third-party cookies, only this carries cookies. */
  readonly isTopLevel?: true
  /** The title of the page when it is done; none for a page that leaves to the answer. */
  readonly ending?: string
  page(url: string): string
}

const post = { method: 'POST' } as const
const preflight = { method: 'OPTIONS', ending: 'blocked' } as const
const get = { method: 'GET' } as const

export const attacks: readonly Attack[] = [
  { name: 'form-refresh', path: '/refresh', ...post, isTopLevel: true, page: (url) => form(url) },
  { name: 'form', path: '/transfer', ...post, isTopLevel: true, page: (url) => form(url) },
  {
    name: 'form-text',
    path: '/transfer',
    ...post,
    isTopLevel: true,
    page: (url) => form(url, 'enctype="text/plain"'),
  },
  {
    name: 'form-multipart',
    path: '/transfer',
    ...post,
    isTopLevel: true,
    page: (url) => form(url, 'enctype="multipart/form-data"'),
  },
  {
    name: 'form-iframe',
    path: '/transfer',
    ...post,
    page: (url) => hiddenFrame + form(url, 'target="hidden"'),
  },
  {
    name: 'no-cors',
    path: '/transfer',
    ...post,
    ending: 'read ""',
    page: fetching({ mode: 'no-cors', method: 'POST' }),
  },
  {
    name: 'no-cors-refresh',
    path: '/refresh',
    ...post,
    ending: 'blocked',
    page: fetching({ mode: 'no-cors', method: 'POST' }),
  },
  {
    name: 'cors',
    path: '/transfer',
    ...post,
    ending: 'blocked',
    page: fetching({ method: 'POST', body: '{}' }),
  },
  { name: 'cors-refresh', path: '/refresh', ...post, ending: 'blocked', page: fetching({ method: 'POST' }) },
  { name: 'beacon', path: '/transfer', ...post, ending: 'sent', page: beacon },
  { name: 'beacon-refresh', path: '/refresh', ...post, ending: 'sent', page: beacon },
  {
    name: 'cors-header',
    path: '/transfer',
    ...preflight,
    page: fetching({ method: 'POST', headers: { 'X-CSRF-Token': 'guess' } }),
  },
  { name: 'cors-logout', path: '/logout', ...preflight, page: fetching({ method: 'DELETE' }) },
  { name: 'image', path: '/protected', ...get, ending: 'no image', page: image },
  { name: 'cors-get', path: '/protected', ...get, ending: 'blocked', page: fetching({ method: 'GET' }) },
]

const hiddenFrame = '<iframe name="hidden" hidden></iframe>'

/** A form that the page submits as soon as it is loaded; the body is JSON for a parser that trusts any content type. */
export function form(url: string, attributes = ''): string {
  const json = '{"username":"test","password":"test","_":"'
  return `<form method="post" action="${url}" ${attributes}>
    <input name='${json}' value='"}'></form><script>document.forms[0].submit()</script>`
}

function fetching(init: RequestInit): (url: string) => string {
  return (url) => `<script>
    fetch('${url}', { credentials: 'include', ...${JSON.stringify(init)} })
      .then((answer) => answer.text())
      .then((text) => { document.title = 'read ' + JSON.stringify(text) }, () => { document.title = 'blocked' })
  </script>`
}

function beacon(url: string): string {
  return `<script>document.title = navigator.sendBeacon('${url}', 'amount=1') ? 'sent' : 'not sent'</script>`
}

function image(url: string): string {
  return `<img src="${url}" onload="document.title = 'an image'" onerror="document.title = 'no image'">`
}

/** The attacker's own server: the path is the page's HTML, so that a test sees all of the page. */
export async function openAttacker(certificate?: Certificate): Promise<LiveServer> {
  return openServer((request) => {
    const html = new URL(request.url).searchParams.get('html') ?? ''
    return new Response(`<!doctype html>${html}`, { headers: { 'content-type': 'text/html' } })
  }, certificate)
}

/** The address of a page with that HTML. */
export function pageOf(origin: string, html: string): string {
  return `${origin}/?${new URLSearchParams({ html })}`
}
