/** Assertions that only the compiler sees; nothing here runs. */

// The compiler compares these functions; nobody calls them.
// oxlint-disable typescript/no-unnecessary-type-parameters

/** Whether two types are the same, `any` being only `any`. */
export type Equal<Left, Right> =
  (<T>() => T extends Left ? 1 : 2) extends <T>() => T extends Right ? 1 : 2 ? true : false

/** Whether a type is `any`, which would let everything else in these files pass. */
export type IsAny<T> = 0 extends 1 & T ? true : false

/** Compiles only with `true`. */
export declare function expectType<_Holds extends true>(): void

/** Compiles only with a type that is not `any`. */
export declare function expectNoAny<T>(..._values: IsAny<T> extends true ? [never] : T[]): void
