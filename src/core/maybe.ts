/** Runs steps one after another without a promise as long as none of them needs one. */

/** A value, or a promise of it where something had to be waited for. */
export type MaybePromise<T> = T | Promise<T>

/** Feeds `value` to `next`, at once unless it is a promise. */
export function chain<T, U>(value: MaybePromise<T>, next: (value: T) => MaybePromise<U>): MaybePromise<U> {
  return value instanceof Promise ? value.then(next) : next(value)
}

/** Makes a promise of any thenable, so that `chain` sees it. */
export function settle<T>(value: T | PromiseLike<T>): MaybePromise<T> {
  const isThenable =
    typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
  return isThenable ? Promise.resolve(value) : (value as T)
}
