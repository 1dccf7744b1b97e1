// What protection costs over HTTP: each stack beside the open routes of its framework, in alternating rounds.

import { Child } from './child.ts'
import type { Framework, Usage } from './http/server.ts'
import type { Credentials } from './http/stack.ts'
import { generator, send } from './load.ts'
import type { Load } from './load.ts'
import { median, percent } from './report.ts'
import type { Table } from './report.ts'
import type { Effort } from './effort.ts'

const frameworks: readonly Framework[] = ['fastify', 'express', 'hono']

/** More than the cache of verified tokens holds, so that each comes as if for the first time. */
const distinctTokens = 20_480

interface Row {
  readonly label: string
  readonly stack: string
  /** The process that serves it; rows of one stack may have one each, as what one leaves behind is not another's doing. */
  readonly server?: string
  readonly tokens: number
  /** Whose cookies it is sent: an open route is sent what the protected one is. */
  readonly credentials?: string
}

const rows: readonly Row[] = [
  { label: 'open', stack: 'open', tokens: 1, credentials: 'tallystick' },
  { label: 'a guard that does nothing', stack: 'passing', tokens: 1, credentials: 'tallystick' },
  { label: 'tallystick', stack: 'tallystick', tokens: 1 },
  { label: 'tallystick beside 1,000,000 revocations', stack: 'crowded', tokens: 1 },
  {
    label: 'tallystick, each token new',
    stack: 'tallystick',
    server: 'tallystick anew',
    tokens: distinctTokens,
  },
  { label: 'neighbours', stack: 'neighbours', tokens: 1 },
  {
    label: 'neighbours, each token new',
    stack: 'neighbours',
    server: 'neighbours anew',
    tokens: distinctTokens,
  },
]

const neighbours: Readonly<Record<Framework, string>> = {
  fastify: '@fastify/jwt, @fastify/cookie, @fastify/csrf-protection',
  express: 'express-jwt, cookie-parser, csrf-csrf',
  hono: 'hono/jwt, hono/csrf',
}

/** One kind of request on its way through the rounds. */
class Run {
  readonly rates: number[] = []
  readonly #microseconds: number[] = []
  readonly #server: Server
  readonly #load: Load

  constructor(server: Server, load: Load) {
    this.#server = server
    this.#load = load
  }

  async round(): Promise<void> {
    const { child, sent } = this.#server
    const { requests } = this.#load
    const from = sent % requests.length
    const inTurn = [...requests.slice(from), ...requests.slice(0, from)]
    const before = (await child.ask({ ask: 'usage' })) as Usage
    const { count, perSecond } = await send({ ...this.#load, requests: inTurn })
    const after = (await child.ask({ ask: 'usage' })) as Usage
    // Those that were under way at the end were sent as well.
    if (requests.length > 1) this.#server.sent += count + 64
    this.rates.push(perSecond)
    this.#microseconds.push((after.cpu - before.cpu) / count)
  }

  get perSecond(): number {
    return median(this.rates)
  }

  /** Of another one, by the two that stood next to each other in each round: a machine is not equally fast all day. */
  shareOf(other: Run): number {
    return median(this.rates.map((rate, round) => rate / (other.rates[round] ?? Number.NaN)))
  }

  addedTo(other: Run): number {
    return median(this.#microseconds.map((cost, round) => cost - (other.#microseconds[round] ?? Number.NaN)))
  }
}

type Method = Load['method']

const methods: readonly Method[] = ['GET', 'POST']

export async function measureRoutes(effort: Effort): Promise<readonly Table[]> {
  const tables: Table[] = []
  for (const framework of frameworks) tables.push(await measureFramework(framework, effort))
  return tables
}

async function measureFramework(framework: Framework, effort: Effort): Promise<Table> {
  const servers = await openServers(framework, rows)
  try {
    const runs = rows.map((row) => ({
      row,
      runs: new Map(methods.map((method) => [method, createRun(servers, row, method, effort)])),
    }))
    for (let round = 0; round < effort.rounds; round++) {
      // Back and forth, so that nobody is always the first one after a pause.
      const inTurn = round % 2 === 0 ? runs : runs.toReversed()
      for (const method of methods) for (const { runs: ofRow } of inTurn) await ofRow.get(method)?.round()
    }
    const [open] = runs
    return {
      title: `${framework}: requests a second, and the share of the open route`,
      columns: ['', 'GET /s', 'share', 'added µs', 'POST /s', 'share', 'added µs'],
      rows: runs.map(({ row, runs: ofRow }) => [
        row.label,
        ...methods.flatMap((method) => figures(ofRow.get(method), open?.runs.get(method))),
      ]),
      notes: [
        `Neighbours: ${neighbours[framework]}. ${effort.rounds} rounds of ${effort.seconds} s each, medians; ` +
          `load by ${generator}. “Added” is processor time of the server for each request.`,
      ],
    }
  } finally {
    for (const { child } of servers.values()) await child.end()
  }
}

const paths = ['/login', '/refresh']

/** Signing in, both tokens and their cookies, and refreshing the access token, without a store as the neighbours have none. */
export async function measureSignIn(effort: Effort): Promise<readonly Table[]> {
  const figuresOf: (string | number)[][] = []
  for (const framework of frameworks) {
    const signing = ['tallystick', 'neighbours'].map((stack): Row => ({ label: stack, stack, tokens: 1 }))
    const servers = await openServers(framework, signing)
    try {
      const runs = signing.map((row) => ({
        stack: row.stack,
        runs: paths.map((path) => createRun(servers, row, 'POST', effort, path)),
      }))
      for (let round = 0; round < effort.rounds; round++) {
        for (const index of paths.keys()) for (const { runs: ofStack } of runs) await ofStack[index]?.round()
      }
      for (const { stack, runs: ofStack } of runs) {
        const label = stack === 'tallystick' ? stack : neighbours[framework]
        figuresOf.push([framework, label, ...ofStack.map(({ perSecond }) => perSecond)])
      }
    } finally {
      for (const { child } of servers.values()) await child.end()
    }
  }
  return [
    {
      title: 'Sign-ins and refreshes a second',
      columns: ['framework', 'with', 'sign-in', 'refresh'],
      rows: figuresOf,
      notes: [
        'A sign-in is two tokens with their cookies; of the neighbours, two tokens and the CSRF cookie that each has. ' +
          'A refresh is checked for CSRF and makes an access token.',
      ],
    },
  ]
}

function figures(run: Run | undefined, open: Run | undefined): (string | number)[] {
  if (run === undefined || open === undefined) return []
  return [run.perSecond, percent(run.shareOf(open), 1), run === open ? '' : run.addedTo(open)]
}

interface Server {
  readonly child: Child
  readonly port: number
  readonly credentials: readonly Credentials[]
  /** How many of its distinct requests were sent: from the first one again, their tokens would be in the cache. */
  sent: number
}

/** The servers of the rows, by their names. */
async function openServers(
  framework: Framework,
  served: readonly Row[],
): Promise<ReadonlyMap<string, Server>> {
  const servers = new Map<string, Server>()
  for (const { stack, server = stack, tokens } of served) {
    if (servers.has(server)) continue
    const child = new Child(new URL('http/server.js', import.meta.url), [framework, stack])
    const port = (await child.next()) as number
    const credentials = (await child.ask({ ask: 'sign in', count: tokens })) as readonly Credentials[]
    servers.set(server, { child, port, credentials, sent: 0 })
  }
  return servers
}

function createRun(
  servers: ReadonlyMap<string, Server>,
  { stack, server: name = stack, tokens, credentials = name }: Row,
  method: Method,
  { seconds }: Effort,
  path = '/',
): Run {
  const server = servers.get(name)
  const signedIn = servers.get(credentials)?.credentials
  if (server === undefined || signedIn === undefined) throw new Error(`There is no server ${name}`)
  const requests = signedIn.slice(0, tokens).map(({ cookie, headers, refreshHeaders = headers }) => ({
    ...(cookie !== '' && { cookie }),
    ...(method === 'POST' && (path === '/refresh' ? refreshHeaders : headers)),
  }))
  return new Run(server, { port: server.port, method, path, requests, seconds })
}
