/** The commands `sessions list`, `sessions revoke` and `sessions revoke-all`: what an operator does to a running site. */

import { randomBytes } from 'node:crypto'
import { AuthError, createAuth } from '../index.ts'
import type { Auth, SessionInfo } from '../index.ts'
import { parseDuration } from '../core/duration.ts'
import type { Call, Command, OptionSpec } from './_command.ts'
import { Failure, misuse, reasonOf, unable } from './_failure.ts'
import type { ExitCode } from './_failure.ts'
import { readText } from './_file.ts'
import { openPlace } from './_store-place.ts'
import type { OpenPlace } from './_store-place.ts'
import { tableText } from './_table.ts'
import { visible } from './_visible.ts'

const storeOptions: Readonly<Record<string, OptionSpec>> = {
  'store-file': {
    value: 'FILE',
    about: 'the address of the store in a file; else it is in TALLYSTICK_STORE',
  },
  prefix: { value: 'NAME', about: 'the prefix, or the schema, that the site gives its store' },
  partitions: { value: 'COUNT', about: 'of a Redis: the partitions that the site gives its store' },
}

const lifeOptions: Readonly<Record<string, OptionSpec>> = {
  'access-token-expires': {
    value: 'TIME',
    about: "the site's accessTokenExpires; else AUTHJWT_ACCESS_TOKEN_EXPIRES, or 15m",
  },
  'session-expires': {
    value: 'TIME',
    about: "the site's sessionExpires; else AUTHJWT_SESSION_EXPIRES, or the most there can be, ten years",
  },
}

const about = [
  'The store is redis://…, rediss://…, postgres://… or sqlite:<file>; its driver must be installed.',
  'What is revoked is refused by every running process as after auth.sessions.revoke: within a second.',
]
const secrets = 'the address of the store is in TALLYSTICK_STORE, or in the file of --store-file.'
const subjectOperand = {
  name: 'SUBJECT',
  about: 'the user, as login() was told; - reads it from standard input',
}

export const listCommand: Command = {
  name: 'sessions list',
  summary: 'Lists the live sessions of a user',
  about: about.slice(0, 1),
  operands: [subjectOperand],
  options: storeOptions,
  secrets,
  run: (call) =>
    withAuth(call, async (auth) => {
      const subject = await readOperand(call)
      const sessions = await auth.sessions.list(subject)
      call.terminal.print({ subject, sessions }, listText(sessions))
      return 0
    }),
}

function listText(sessions: readonly SessionInfo[]): string {
  if (sessions.length === 0) return 'There are no live sessions.'
  return tableText([
    ['session', 'signed in', 'last seen', 'ends', 'address', 'browser'],
    ...sessions.map(({ id, authTime, lastSeenAt, expiresAt, address = '', userAgent = '' }) => [
      visible(id, 100),
      ...[authTime, lastSeenAt, expiresAt].map((seconds) => dateText(seconds)),
      visible(address, 60),
      visible(userAgent, 60),
    ]),
  ])
}

function dateText(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000', '')
}

export const revokeCommand: Command = {
  name: 'sessions revoke',
  summary: 'Ends one session, and its access tokens',
  about,
  operands: [{ name: 'ID', about: 'the session, as sessions list tells it' }],
  options: {
    ...storeOptions,
    ...lifeOptions,
    subject: { value: 'SUBJECT', about: "end it only if it is this user's" },
  },
  secrets,
  run: (call) =>
    withAuth(call, async (auth) => {
      const id = await readOperand(call)
      const revoked = await auth.sessions.revoke(id, { subject: call.text('subject') })
      call.terminal.print({ id, revoked }, revoked ? 'The session has ended.' : 'There is no such session.')
      return revoked ? 0 : 1
    }),
}

export const revokeAllCommand: Command = {
  name: 'sessions revoke-all',
  summary: 'Ends all sessions of a user, and all their tokens',
  about,
  operands: [subjectOperand],
  options: {
    ...storeOptions,
    ...lifeOptions,
    except: { value: 'ID', about: 'a session that stays' },
  },
  secrets,
  run: (call) =>
    withAuth(call, async (auth) => {
      const subject = await readOperand(call)
      await auth.sessions.revokeAll(subject, { except: call.text('except') })
      call.terminal.print({ subject, revoked: true }, 'All sessions of the user have ended.')
      return 0
    }),
}

async function readOperand(call: Call): Promise<string> {
  const given = call.operand(0)
  if (given !== '-') return given
  const text = (await call.terminal.readInput('the subject or the session')).toString('utf8')
  const line = text.replace(/\r?\n$/, '')
  if (line === '' || /[\r\n]/.test(line)) throw unable('Standard input must hold one line')
  return line
}

async function withAuth(call: Call, work: (auth: Auth) => Promise<ExitCode>): Promise<ExitCode> {
  const place = await openPlace(readAddress(call), {
    prefix: call.text('prefix'),
    partitions: readCount(call.text('partitions')),
  })
  try {
    const startedAt = call.terminal.now()
    const auth = createAuth(optionsOf(call, place))
    const { bornAt, now } = await place.store.open()
    // By the store's own clock: what is younger than this call was made by it.
    const isNew = now - bornAt <= call.terminal.now() - startedAt
    try {
      if (isNew) throw unable(`There was no store of tallystick at ${place.name}: is the prefix right?`)
      return await work(auth)
    } finally {
      await auth.close()
    }
  } catch (error) {
    if (error instanceof Failure) throw error
    if (error instanceof TypeError) throw misuse(reasonOf(error, place.secrets))
    const { cause } = Object(error) as { readonly cause?: unknown }
    const reason = AuthError.is(error) && cause !== undefined ? cause : error
    throw unable(`The store at ${place.name} did not answer: ${reasonOf(reason, place.secrets)}`)
  } finally {
    await place.end()
  }
}

function readAddress(call: Call): string {
  const file = call.text('store-file')
  const address = file === undefined ? call.terminal.environment['TALLYSTICK_STORE'] : readText(file)
  if (address !== undefined && address.trim() !== '') return address.trim()
  throw misuse('Which store? Put its address into TALLYSTICK_STORE, or into a file that --store-file names')
}

function readCount(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (/^\d{1,3}$/.test(text)) return Number(text)
  throw misuse('--partitions must be a whole number from 1 to 256')
}

/** It makes no tokens; what it revokes is remembered for as long as any token of the site can live. */
function optionsOf(call: Call, { store }: OpenPlace): Parameters<typeof createAuth>[0] {
  const access = Math.max(secondsOf(call, 'access-token-expires', '15m'), 60)
  const session = Math.max(secondsOf(call, 'session-expires', '3650d'), access)
  return {
    secretKey: randomBytes(32),
    store,
    revocation: 'strict',
    storeTimeout: 10,
    accessTokenExpires: access,
    refreshTokenExpires: session,
    sessionExpires: session,
  }
}

function secondsOf(call: Call, name: string, fallback: string): number {
  const variable = `AUTHJWT_${name.replaceAll('-', '_').toUpperCase()}`
  const text = call.text(name) ?? call.terminal.environment[variable] ?? fallback
  const seconds = parseDuration(/^\d+$/.test(text) ? Number(text) : text)
  if (seconds !== null) return seconds
  throw misuse(`--${name} (or ${variable}) must be seconds or a time such as 15m or 90d`)
}
