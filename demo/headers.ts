// The headers of every answer, and above all its content security policy: no inline script, no inline style.

import type { Context, MiddlewareHandler } from 'hono'
import { secureHeaders } from 'hono/secure-headers'
import { attackerOrigins, siteOrigins } from './hosts.ts'

const attackers = (c: Context): string => Object.values(attackerOrigins(new URL(c.req.url))).join(' ')
const sites = (c: Context): string => siteOrigins(new URL(c.req.url)).join(' ')

const common = {
  // 'no-referrer' would make browsers send `Origin: null`, which the origin check refuses.
  referrerPolicy: 'same-origin',
  // The demo speaks plain http on localhost; a rule for https would outlive it in the browser.
  strictTransportSecurity: false,
} as const

const policy = {
  defaultSrc: ["'none'"],
  scriptSrc: ["'self'"],
  styleSrc: ["'self'"],
  imgSrc: ["'self'"],
  connectSrc: ["'self'"],
  baseUri: ["'none'"],
  formAction: ["'none'"],
  requireTrustedTypesFor: ["'script'"],
}

/** @param isDevelopment Lets the page frame the attackers, and them the answers to their forms, which are JSON. */
export function createHeaders(isDevelopment: boolean): MiddlewareHandler {
  const page = secureHeaders({
    ...common,
    contentSecurityPolicy: {
      ...policy,
      frameAncestors: ["'none'"],
      ...(isDevelopment && { frameSrc: [attackers] }),
    },
    xFrameOptions: 'DENY',
  })
  if (!isDevelopment) return page
  const answer = secureHeaders({
    ...common,
    contentSecurityPolicy: { ...policy, frameAncestors: ["'self'", attackers] },
    xFrameOptions: false,
  })
  return (c, next) => (c.req.path.endsWith('/transfer') ? answer(c, next) : page(c, next))
}

/** An attacker's site allows itself whatever its attacks need, so that no policy of its own stops them. */
export function createAttackerHeaders(): MiddlewareHandler {
  return secureHeaders({
    ...common,
    referrerPolicy: 'strict-origin-when-cross-origin',
    contentSecurityPolicy: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'"],
      imgSrc: [sites],
      connectSrc: [sites],
      frameSrc: [sites],
      formAction: [sites],
      baseUri: ["'none'"],
      frameAncestors: [sites],
    },
    xFrameOptions: false,
    crossOriginResourcePolicy: 'same-origin',
  })
}
