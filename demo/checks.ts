// The checks of a request in their order, and how each one ended: read from the refusal's code and reason.

export type Check = {
  name: string
  state: 'passed' | 'failed' | 'not asked' | 'not reached'
}

/** What the order of checks depends on. */
export type Circumstances = {
  method: string
  route: string
  code: string | null
  reason: string | null
  accepted: boolean
  fetchMetadata: boolean
  csrfProtected: boolean
}

type Step = {
  name: string
  /** Whether a refusal comes from this step. */
  refuses: (code: string, reason: string) => boolean
  isAsked?: (circumstances: Circumstances) => boolean
}

const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS'])
const isUnsafe = ({ method }: Circumstances): boolean => !safeMethods.has(method)

/** Reasons of `token_invalid` that come before the claims are looked at. */
const signatureReasons = new Set([
  'malformed',
  'header_invalid',
  'alg_forbidden',
  'key_unknown',
  'signature_invalid',
])

const single: Step = {
  name: 'One cookie of that name',
  refuses: (code) => code === 'cookie_ambiguous' || code === 'token_too_large',
}
const present: Step = { name: 'Token is there', refuses: (code) => code === 'token_missing' }
const origin: Step = {
  name: 'Origin',
  refuses: (code) => code === 'origin_forbidden',
  isAsked: (circumstances) => circumstances.fetchMetadata && isUnsafe(circumstances),
}
const csrfPresent: Step = {
  name: 'CSRF value is there',
  refuses: (code) => code === 'csrf_missing',
  isAsked: (circumstances) => circumstances.csrfProtected && isUnsafe(circumstances),
}
const signature: Step = {
  name: 'Signature',
  refuses: (code, reason) => code === 'token_invalid' && signatureReasons.has(reason),
}
const claims: Step = {
  name: 'Claims and time',
  refuses: (code) => code === 'token_invalid' || code === 'token_expired' || code === 'wrong_token_type',
}
const csrfEqual: Step = {
  name: 'Both halves match',
  refuses: (code) => code === 'csrf_mismatch',
  isAsked: csrfPresent.isAsked ?? isUnsafe,
}
const alive: Step = {
  name: 'Not revoked',
  refuses: (code) => code === 'token_revoked' || code === 'store_unavailable',
}
const unused: Step = {
  name: 'Not replaced, not revoked',
  refuses: (code) => code === 'refresh_reused' || alive.refuses(code, ''),
}
/** A refusal that is the route's own has no code. */
const password: Step = { name: 'User and password', refuses: (code) => code === '' }

const guard = [single, present, origin, csrfPresent, signature, claims, csrfEqual]

/** Sign-out takes whatever tokens are still good, and none at all too. */
const signOut = [origin, csrfPresent, csrfEqual, alive]

const stepsOfRoutes = new Map<string, readonly Step[]>([
  ['POST /login', [password, origin]],
  ['POST /refresh', [...guard, unused]],
  ['DELETE /logout', signOut],
  ['DELETE /sessions', signOut],
])

export function checksOf(circumstances: Circumstances): Check[] {
  const { method, route, code, reason, accepted } = circumstances
  const steps = stepsOfRoutes.get(`${method} ${route}`) ?? [...guard, alive]
  const failing = accepted ? -1 : steps.findIndex((step) => step.refuses(code ?? '', reason ?? ''))
  return steps.map(({ name, isAsked = () => true }, index) => {
    if (failing === index) return { name, state: 'failed' }
    if (failing !== -1 && index > failing) return { name, state: 'not reached' }
    return { name, state: isAsked(circumstances) ? 'passed' : 'not asked' }
  })
}
