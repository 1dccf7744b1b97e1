/** Waits for answers that may never come; every failure to answer is one and the same refusal. */

import { AuthError } from './errors.ts'
import { describeFailure } from './failure.ts'
import { settle } from './maybe.ts'
import type { MaybePromise } from './maybe.ts'

interface AskOptions {
  readonly isBackground?: boolean
  readonly message?: string
  readonly given?: unknown
}

/**
 * Asks, and waits at most so long. What comes later is not used.
 *
 * @param name Who is asked, for the cause of the refusal.
 * @param options `isBackground`: a process that has nothing else to do need not wait; `message`: the public sentence;
 * `given`: what is asked about, none of which may come back in the cause.
 * @throws {AuthError} `store_unavailable` for an error, and for no answer in time
 */
export function ask(
  question: () => unknown,
  timeoutSeconds: number,
  name: string,
  { isBackground = false, message, given }: AskOptions = {},
): MaybePromise<unknown> {
  let answer: unknown
  try {
    answer = settle(question())
  } catch (cause) {
    throw unavailable(cause, message, given)
  }
  if (!(answer instanceof Promise)) return answer
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise((_, reject) => {
    const cause = new Error(`${name} gave no answer in ${timeoutSeconds} s`)
    timer = setTimeout(() => reject(cause), timeoutSeconds * 1000)
    if (isBackground) timer.unref?.()
  })
  return Promise.race([answer, late])
    .catch((cause: unknown) => {
      throw unavailable(cause, message, given)
    })
    .finally(() => clearTimeout(timer))
}

/**
 * A refusal for what could not be asked. Only of an error is anything told, as its cause: all else may be a value.
 *
 * @param given What was asked about.
 */
export function unavailable(cause: unknown, message?: string, given?: unknown): AuthError {
  if (AuthError.is(cause, 'store_unavailable')) return cause
  const isError = cause instanceof Error
  return new AuthError('store_unavailable', {
    cause: isError ? describeFailure(cause, given) : new Error('It failed without an error'),
    ...(message !== undefined && { message }),
  })
}
