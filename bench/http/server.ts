// One process with one server: `node server.js <framework> <stack>`. Talks to its parent and ends with it.

import type { Stack } from './stack.ts'

/** What the parent asks; each question gets one answer. */
export type Question = { readonly ask: 'sign in'; readonly count: number } | { readonly ask: 'usage' }

/** What a process has used so far. */
export interface Usage {
  /** Microseconds of all its threads. */
  readonly cpu: number
}

const frameworks = ['fastify', 'hono', 'express'] as const

export type Framework = (typeof frameworks)[number]

const [, , framework = '', name = ''] = process.argv
if (!frameworks.some((known) => known === framework)) throw new Error(`There is no framework ${framework}`)
const { stacks }: { stacks: Readonly<Record<string, () => Stack | Promise<Stack>>> } = await import(
  `./${framework}.js`
)
const create = stacks[name]
if (create === undefined) throw new Error(`There is no stack ${name}`)
const stack = await create()

async function answer(question: Question): Promise<unknown> {
  if (question.ask === 'sign in') return stack.signIn(question.count)
  const { user, system } = process.cpuUsage()
  return { cpu: user + system } satisfies Usage
}

process.on('disconnect', () => process.exit())
process.on('message', (question: Question) => {
  answer(question).then(
    (said) => process.send?.({ said }),
    (error: unknown) => process.send?.({ error: String(error) }),
  )
})
process.send?.({ said: await stack.listen() })
