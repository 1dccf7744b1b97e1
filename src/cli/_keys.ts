/** The commands `keys generate`, `keys rotate` and `keys jwks`: rings of keys in files. */

import { parseDuration } from '../core/duration.ts'
import type { Call, Command, OptionSpec } from './_command.ts'
import { Failure, misuse, unable } from './_failure.ts'
import { changeFile, createFile, factsOf, readText, writeOver } from './_file.ts'
import { jwksOf, makeKey, readRing, ringText } from './_ring.ts'
import type { RingEntry } from './_ring.ts'
import { addKey, dropKey, kidOf, letSign, nextStep, stateOf, stepNames } from './_rotation.ts'
import type { Changed, Step } from './_rotation.ts'
import type { Terminal } from './_terminal.ts'
import { visible, visibleJson } from './_visible.ts'

const newKeyOptions: Readonly<Record<string, OptionSpec>> = {
  algorithm: {
    value: 'NAME',
    about: 'such as ES256 (the default of a new ring), EdDSA, RS256, HS256, ML-DSA-44',
  },
  kid: { value: 'KID', about: 'the name of the key in tokens; else its thumbprint, or the day for a secret' },
  modulus: { value: 'BITS', about: 'of an RSA key: 2048, 3072 (the default) or 4096' },
}

const fileSecrets = 'keys are read from the file and written to it.'

export const generateCommand: Command = {
  name: 'keys generate',
  summary: 'Makes a key, and a ring of it: a file for the option keys',
  about: [
    'The file holds JSON of the shape that keys and setKeys take. Only its owner may read it.',
    'A file that is there already is left alone, unless --force is given.',
  ],
  operands: [{ name: 'FILE', about: 'the file to be made; - prints it' }],
  options: {
    ...newKeyOptions,
    force: { about: 'replace a file that is there: tokens of the keys in it are refused from then on' },
  },
  secrets: fileSecrets,
  async run(call) {
    const file = call.operand(0)
    const { terminal } = call
    const entry = makeKey({ ...newKeyOf(call), algorithm: call.text('algorithm') ?? 'ES256' })
    const text = ringText([entry])
    if (file === '-') {
      terminal.print([entry], text.trimEnd())
      return 0
    }
    const replaced = call.isOn('force') && writeOver(file, text)
    if (!call.isOn('force'))
      createFile(
        file,
        text,
        `${visible(file)} is there already and was left alone: keys rotate adds a key to it, --force replaces it`,
      )
    const { kid, algorithm } = entry
    const sentence = `${replaced ? 'Replaced' : 'Made'} ${visible(file)} with the ${algorithm} key ${kid}`
    terminal.print({ file, kid, algorithm, replaced }, `${sentence}.${cookieWarning(entry)}`)
    return 0
  },
}

function cookieWarning({ algorithm }: RingEntry): string {
  return algorithm === 'ML-DSA-65' || algorithm === 'ML-DSA-87'
    ? `\nIts signatures fit into no cookie: createAuth takes it only without 'cookies' in tokenLocation.`
    : ''
}

function newKeyOf(call: Call): { kid: string | undefined; modulus: string | undefined; now: number } {
  return { kid: call.text('kid'), modulus: call.text('modulus'), now: call.terminal.now() }
}

export const rotateCommand: Command = {
  name: 'keys rotate',
  summary: 'Takes the next step of a rotation, so that nobody is signed out',
  about: [
    'Step add puts a new key into the ring, which only verifies. Step sign lets it sign, and keeps of the old one what verifies.',
    'Step drop removes the oldest key. Bring the file to all servers after each step.',
    "A step is taken when it is due by the file's own time: sign after --rollout, drop after --rollout and --token-life.",
  ],
  operands: [{ name: 'FILE', about: 'the ring' }],
  options: {
    ...newKeyOptions,
    kid: { value: 'KID', about: 'of step add: the name of the new key; of step drop: which one' },
    step: { value: 'STEP', about: `${stepNames.join(', ')}: only this one; else the next` },
    rollout: { value: 'TIME', about: 'until all servers and readers of the public keys have the file: 15m' },
    'token-life': { value: 'TIME', about: 'the longest life of a token, refreshTokenExpires: 30d' },
    early: {
      about: 'do not wait, for a key that got out: who holds a token of a dropped key signs in again',
    },
  },
  secrets: fileSecrets,
  async run(call) {
    const file = call.operand(0)
    const given = call.text('step')
    if (given !== undefined && !isStep(given)) throw misuse(`--step must be ${stepNames.join(', ')}`)
    const waits = waitsOf(call)
    const { changedAt, isOpenToOthers } = factsOf(file)
    let done: (Changed & { readonly step: Step }) | undefined
    changeFile(file, (text) => {
      const entries = readRing(text, file)
      const step = given ?? nextStep(stateOf(entries))
      if (!call.isOn('early')) demandDue(call.terminal, step, changedAt + waits[step])
      done = { step, ...takeStep(call, step, entries) }
      // What was made is held against what createAuth would say.
      return ringText(readRing(JSON.stringify(done.entries), file))
    })
    if (done === undefined) throw unable('Nothing was changed')
    if (isOpenToOthers) call.terminal.note(`Others than its owner could read ${visible(file)}: no more.`)
    tell(call.terminal, file, done, waits)
    return 0
  },
}

function isStep(text: string): text is Step {
  return (stepNames as readonly string[]).includes(text)
}

type Waits = Readonly<Record<Step, number>>

/** In milliseconds, from the step before. */
function waitsOf(call: Call): Waits {
  const rollout = durationOf(call, 'rollout', '15m')
  return { add: 0, sign: rollout, drop: rollout + durationOf(call, 'token-life', '30d') }
}

function durationOf(call: Call, name: string, fallback: string): number {
  const seconds = parseDuration(call.text(name) ?? fallback)
  if (seconds === null) throw misuse(`--${name} must be a time such as 90s, 15m, 12h or 30d`)
  return seconds * 1000
}

function demandDue(terminal: Terminal, step: Step, dueAt: number): void {
  if (terminal.now() >= dueAt) return
  throw new Failure(
    1,
    `Not yet: step ${step} is due at ${timeText(dueAt)}, and nothing was changed. Until then a server, or a token, may need the ring as it is. --early does not wait`,
  )
}

function timeText(milliseconds: number): string {
  return new Date(Math.ceil(milliseconds / 1000) * 1000).toISOString().replace('.000', '')
}

function takeStep(call: Call, step: Step, entries: readonly RingEntry[]): Changed {
  if (step === 'sign') return letSign(entries)
  if (step === 'drop') return dropKey(entries, call.text('kid'))
  const algorithm = call.text('algorithm') ?? stateOf(entries).signing.algorithm
  return addKey(entries, makeKey({ ...newKeyOf(call), algorithm }))
}

const sentences: Readonly<Record<Step, string>> = {
  add: 'is in the ring, and only verifies until step sign',
  sign: 'signs from now on, and the key before it only verifies',
  drop: 'is no more in the ring',
}

function tell(
  terminal: Terminal,
  file: string,
  { step, kid, entries }: Changed & { readonly step: Step },
  waits: Waits,
): void {
  const upcoming = nextStep(stateOf(entries))
  const next =
    upcoming === 'add' ? null : { step: upcoming, notBefore: timeText(terminal.now() + waits[upcoming]) }
  const { signing } = stateOf(entries)
  const keys = entries.map((entry) => ({
    kid: kidOf(entry),
    algorithm: entry.algorithm,
    use: entry === signing ? 'sign' : (entry.use ?? 'sign'),
  }))
  const lines = [
    `Step ${step}: the key ${visible(kid)} ${sentences[step]}.`,
    `Bring ${visible(file)} to all servers now.`,
    next === null
      ? 'The rotation is complete.'
      : `Then run the command again, not before ${next.notBefore}, for step ${next.step}.`,
  ]
  terminal.print({ file, step, kid, next, keys }, lines.join('\n'))
}

export const jwksCommand: Command = {
  name: 'keys jwks',
  summary: 'Prints the public keys of a ring, as other services read them',
  about: ['Secrets and private keys are never in it. Those that only verify are.'],
  operands: [{ name: 'FILE', about: 'the ring; - reads it from standard input' }],
  options: {},
  secrets: 'keys are read from the file, or from standard input.',
  async run(call) {
    const file = call.operand(0)
    const { terminal } = call
    const text = file === '-' ? (await terminal.readInput('a ring of keys')).toString('utf8') : readText(file)
    const place = file === '-' ? 'Standard input' : file
    const jwks = jwksOf(readRing(text, place), place)
    terminal.print(jwks, visibleJson(jwks))
    if (jwks.keys.length > 0) return 0
    terminal.note('The ring holds secrets alone, which nobody else may have: there is nothing to publish.')
    return 1
  },
}
