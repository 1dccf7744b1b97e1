// One timer looks after all sockets of an `Auth`, however many there are, and none is left when they are gone.

import { createHook } from 'node:async_hooks'
import { setTimeout as wait } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { SocketWatch } from '../src/core/socket-watch.ts'
import type { Watched } from '../src/core/socket-watch.ts'

const ends: (() => void)[] = []
afterEach(() => ends.splice(0).forEach((end) => end()))

/** Counts the timers that a step makes. */
function timersOf(step: () => void): number {
  let count = 0
  const hook = createHook({ init: (_id, type) => void (type === 'Timeout' && count++) }).enable()
  try {
    step()
  } finally {
    hook.disable()
  }
  return count
}

function createWatch(clock = (): number => Date.now() / 1000) {
  const listeners = new Set<() => void>()
  const watch = new SocketWatch(clock, (listener) => {
    listeners.add(listener)
    return () => listeners.delete(listener)
  })
  const news = (): void => listeners.forEach((listener) => listener())
  return { watch, news, listeners }
}

/** Something that counts how often it is looked at. */
function create(watch: SocketWatch, endSeconds = Number.POSITIVE_INFINITY) {
  const looks: boolean[] = []
  const watched: Watched = {
    endSeconds,
    review: (isTurn) => void looks.push(isTurn),
    abandon: () => watch.remove(watched),
  }
  watch.add(watched)
  ends.push(() => watch.remove(watched))
  return { looks, watched }
}

test('ten thousand sockets are one timer and one listener', () => {
  const { watch, listeners } = createWatch()
  expect(timersOf(() => Array.from({ length: 10_000 }, () => create(watch)))).toBe(1)
  expect(listeners.size).toBe(1)
})

test('when all have gone, nothing looks and nobody listens', async () => {
  const { watch, listeners, news } = createWatch()
  const all = Array.from({ length: 100 }, () => create(watch))
  news()
  for (const { watched } of all) watch.remove(watched)
  expect(listeners.size).toBe(0)
  await wait(1200)
  expect(all.flatMap(({ looks }) => looks)).toEqual([])
  // And the next one is looked after again.
  const { looks } = create(watch)
  await wait(1200)
  expect(looks).toHaveLength(1)
})

test('one that is removed in a look, and one that is added, leave one timer', async () => {
  const { watch } = createWatch()
  let count = 0
  const replace = (): void => {
    const watched: Watched = {
      endSeconds: Number.POSITIVE_INFINITY,
      review() {
        count++
        watch.remove(watched)
        replace()
      },
      abandon: () => watch.remove(watched),
    }
    watch.add(watched)
    ends.splice(0, ends.length, () => watch.remove(watched))
  }
  replace()
  await wait(3300)
  expect(count).toBeGreaterThanOrEqual(2)
  expect(count).toBeLessThanOrEqual(4)
})

test('news are one look, soon, however many come, and are nobody’s turn', async () => {
  const { watch, news } = createWatch()
  const { looks } = create(watch)
  for (let milliseconds = 0; milliseconds < 90; milliseconds += 10) {
    news()
    await wait(10)
  }
  await wait(100)
  expect(looks.length).toBeGreaterThanOrEqual(1)
  expect(looks.length).toBeLessThanOrEqual(2)
  expect(looks).not.toContain(true)
})

test('one that ends soon is looked at when it ends, not a round later', async () => {
  const { watch } = createWatch()
  create(watch)
  const { looks } = create(watch, Date.now() / 1000 + 0.2)
  await wait(150)
  expect(looks).toEqual([])
  await wait(150)
  expect(looks.length).toBeGreaterThanOrEqual(1)
})

test('in ten rounds everybody has one turn, and never all in one', { timeout: 15_000 }, async () => {
  const { watch } = createWatch()
  const all = Array.from({ length: 20 }, () => create(watch))
  await wait(10_600)
  for (const { looks } of all) expect(looks.filter(Boolean)).toHaveLength(1)
  const rounds = all[0]?.looks.map((_, round) => all.filter(({ looks }) => looks[round]).length)
  expect(rounds).toEqual(Array.from({ length: 10 }, () => 2))
})

test('who closes it lets go of all', () => {
  const { watch, listeners } = createWatch()
  Array.from({ length: 3 }, () => create(watch))
  watch.close()
  expect(listeners.size).toBe(0)
})
