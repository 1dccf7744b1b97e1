// The ways in which a page makes the browser send a request elsewhere, and whether SameSite lets cookies go with each.

import { attacks } from './attacks.ts'
import type { Attack } from './attacks.ts'

export type SameSite = 'strict' | 'lax' | 'none'

/** One way, and for which values of SameSite the cookies go with it to another site. */
export interface Way extends Attack {
  readonly carries: readonly SameSite[]
}

const link: Attack = {
  name: 'link',
  path: '/protected',
  method: 'GET',
  isTopLevel: true,
  page: (url) => `<a href="${url}">Go</a><script>document.querySelector('a').click()</script>`,
}

const frame: Attack = {
  name: 'frame',
  path: '/protected',
  method: 'GET',
  page: (url) => `<iframe src="${url}"></iframe>`,
}

/** Sent by a page that is no longer there, so that nothing holds it back but SameSite. */
const linkInFrame: Attack = {
  ...frame,
  name: 'link-in-frame',
  page: (url) =>
    `<iframe name="inner"></iframe><a href="${url}" target="inner">Go</a>
    <script>document.querySelector('a').click()</script>`,
}

function known(name: string): Attack {
  const attack = attacks.find((each) => each.name === name)
  if (attack === undefined) throw new Error(`There is no attack ${name}`)
  return attack
}

export const ways: readonly Way[] = [
  { ...link, carries: ['lax', 'none'] },
  { ...known('form'), carries: ['none'] },
  { ...known('form-iframe'), carries: ['none'] },
  { ...known('no-cors'), carries: ['none'] },
  { ...known('beacon'), carries: ['none'] },
  { ...known('image'), carries: ['none'] },
  { ...frame, carries: ['none'] },
  { ...linkInFrame, carries: ['none'] },
]
