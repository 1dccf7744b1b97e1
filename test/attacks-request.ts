/** The attack catalogue's groups on cookies, CSRF and misuse as tables: what is sent and what must come of it. */

import type { Row } from './_attack.ts'
import { cookieRows } from './attacks-cookies.ts'
import { csrfRows } from './attacks-csrf.ts'
import { misuseRows } from './attacks-misuse.ts'

/** Every id of the three groups, copied from the catalogue. */
export const catalogueIds: readonly number[] = [
  108, 110, 111, 112, 114, 115, 116, 118, 119, 120, 122, 123, 124, 126, 127, 130, 131, 132, 134, 135, 136,
  138, 139, 140, 142, 143, 144, 146, 147, 148, 150, 151, 152, 154, 155, 156, 158, 159, 160, 162, 163, 164,
  166, 167, 168, 170, 171, 172, 174, 242, 243, 244, 246, 247, 248, 250, 251, 252, 254, 255,
]

/** The rows that nothing here can be held against, each with the reason. */
export const leftOut: Readonly<Record<number, string>> = {
  167: 'there is no endpoint for the CSRF value: the application serves what getCsrfToken() gives, or a cookie does',
  170: 'no route is exempt by its path: a route is protected by wrapping it, so no path is compared',
  171: 'no route is exempt by its path, so there is no list that a prefix could match',
  242: 'there is one key for both types and the CSRF value is random, so no two secrets can be the same; a key ring comes later',
  248: 'there is no router of our own: guards wrap handlers, and frameworks run them in the order they are mounted',
  254: 'there are no rate limits',
  255: 'nothing redirects',
}

export const rows: readonly Row[] = [...cookieRows, ...csrfRows, ...misuseRows]
