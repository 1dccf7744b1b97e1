// Attacks from the attacker's own machine, which no browser holds back: real requests, real answers of the demo.

import type { Auth } from 'tallystick'

export const machineAttacks = ['replay', 'unsigned', 'tampered', 'foreign-csrf'] as const
export type MachineAttack = (typeof machineAttacks)[number]

/** What a demo's own `request` takes. */
export type Send = (request: Request, init: RequestInit, environment: unknown) => Response | Promise<Response>

type Target = {
  origin: string
  prefix: string
  run: string
  /** The header Cookie of the browser whose session is under attack. */
  victim: string
  passwords: ReadonlyMap<string, string>
  auth: Auth
}

type Jar = ReadonlyMap<string, string>

/** @returns What was sent, in lines for people to read: no token, and no value of one. */
export async function attackFromMachine(
  attack: MachineAttack,
  target: Target,
  send: (request: Request) => Response | Promise<Response>,
): Promise<string[]> {
  const machine = new Machine(target, send)
  if (attack === 'replay') return replay(machine, target.auth.options.rotationGrace)
  // Mallory has an account too, and may look at her own tokens as long as she likes.
  const mallory = await machine.signIn('mallory')
  try {
    if (attack === 'foreign-csrf') return await sendForeignCsrf(machine, mallory, target.victim)
    return await sendForgery(machine, mallory, attack)
  } finally {
    await machine.send('DELETE', '/logout', mallory)
  }
}

class Machine {
  readonly #target: Target
  readonly #send: (request: Request) => Response | Promise<Response>

  constructor(target: Target, send: (request: Request) => Response | Promise<Response>) {
    this.#target = target
    this.#send = send
  }

  async signIn(username: string): Promise<Jar> {
    const body = JSON.stringify({ username, password: this.#target.passwords.get(username) })
    return jarAfter(new Map(), await this.#request('POST', '/login', { body }))
  }

  /** Prepares an attack: nobody is told of it. */
  async send(method: string, path: string, jar: Jar): Promise<Jar> {
    return jarAfter(jar, await this.#request(method, path, { headers: headersFor(path, jar) }))
  }

  /** The attack itself, which the journal notes. */
  async attack(method: string, path: string, headers: Record<string, string>): Promise<void> {
    await this.#request(method, `${path}?run=${this.#target.run}`, { headers })
  }

  async #request(method: string, path: string, init: RequestInit): Promise<Response> {
    const { origin, prefix } = this.#target
    const request = new Request(`${origin}${prefix}${path}`, { ...init, method })
    request.headers.set('user-agent', 'Attacker')
    if (path === '/login') request.headers.set('content-type', 'application/json')
    return this.#send(request)
  }
}

/** A session of its own, so that the one of the browser lives on. */
async function replay(machine: Machine, graceSeconds: number): Promise<string[]> {
  const stolen = await machine.signIn('test')
  await machine.send('POST', '/refresh', stolen)
  await new Promise((resolve) => setTimeout(resolve, graceSeconds * 1000 + 100))
  await machine.attack('POST', '/refresh', headersFor('/refresh', stolen))
  return [
    'signed in as test once more, and copied that refresh token',
    `refreshed, and waited ${graceSeconds} seconds, until the grace for racing tabs was over`,
    `POST /refresh with the copied token${stolen.has('csrf_refresh_token') ? ' and its own CSRF value' : ''}`,
  ]
}

async function sendForgery(
  machine: Machine,
  mallory: Jar,
  attack: 'unsigned' | 'tampered',
): Promise<string[]> {
  const [header = '', payload = '', signature = ''] = (mallory.get('access_token_cookie') ?? '').split('.')
  const claims = { ...JSON.parse(Buffer.from(payload, 'base64url').toString()), sub: 'test' }
  const isUnsigned = attack === 'unsigned'
  const forged = [
    isUnsigned ? encode({ alg: 'none', typ: 'JWT' }) : header,
    encode(claims),
    isUnsigned ? '' : signature,
  ].join('.')
  await machine.attack(
    'POST',
    '/transfer',
    headersFor('/transfer', new Map([...mallory, ['access_token_cookie', forged]])),
  )
  const name = `POST /transfer with mallory’s token${mallory.has('csrf_access_token') ? ' and her CSRF value' : ''}`
  return isUnsigned
    ? [name, 'header changed to {"alg":"none"}, signature removed', 'claim changed to {"sub":"test"}']
    : [
        name,
        'claim changed from {"sub":"mallory"} to {"sub":"test"}',
        'header and signature left as they were',
      ]
}

/** The victim's own cookies, so that nothing but the value decides. */
async function sendForeignCsrf(machine: Machine, mallory: Jar, victim: string): Promise<string[]> {
  const value = mallory.get('csrf_access_token')
  await machine.attack('POST', '/transfer', {
    cookie: victim,
    ...(value !== undefined && { 'x-csrf-token': value }),
  })
  const header =
    value === undefined
      ? 'no CSRF value, as this server asks for none'
      : 'the CSRF value of mallory’s session'
  return ['POST /transfer with the cookies of your session', header]
}

function headersFor(path: string, jar: Jar): Record<string, string> {
  const csrf = jar.get(path === '/refresh' ? 'csrf_refresh_token' : 'csrf_access_token')
  const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
  return { cookie, ...(csrf !== undefined && { 'x-csrf-token': csrf }) }
}

function jarAfter(jar: Jar, response: Response): Jar {
  const pairs = response.headers.getSetCookie().map((line): [string, string] => {
    const [pair = ''] = line.split(';')
    const equals = pair.indexOf('=')
    return [pair.slice(0, equals), pair.slice(equals + 1)]
  })
  return new Map([...jar, ...pairs])
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
