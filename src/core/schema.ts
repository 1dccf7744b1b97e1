/** The part of Standard Schema that tallystick needs, so that zod, valibot, arktype and others fit without an adapter. */

import type { JsonObject } from './json.ts'

/** A validator of the user's claims. @see https://standardschema.dev (version 1) */
export interface UserClaimsSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
  }
}

/** What `validate` answers: the output, or what is wrong and where. */
export type SchemaResult<Output> =
  { readonly value: Output; readonly issues?: undefined } | { readonly issues: readonly SchemaIssue[] }

interface SchemaIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** Without a schema any user claims are taken, and read as `unknown`. */
export type AnyUserClaims = UserClaimsSchema<Record<string, unknown>>

/** The user claims as `login` takes them and as they stand in the token. */
export type UserClaimsInput<Schema> =
  Schema extends UserClaimsSchema<infer Input, infer _Output> ? Input : never

/** The user claims as readers get them. */
export type UserClaimsOutput<Schema> =
  Schema extends UserClaimsSchema<infer _Input, infer Output> ? Output : never

/** The last parameter of what makes tokens: it may be left out as long as the schema demands no claim. */
export type OptionsWithClaims<UserClaims, Options> =
  Partial<UserClaims> extends UserClaims
    ? [options?: Options]
    : [options: Options & { readonly userClaims: UserClaims }]

declare const integerSubjects: unique symbol

/** Marks the type of an `Auth` whose subjects can be whole numbers too (`compat: 'fastapi-jwt-auth'`); no value has it. */
export interface IntegerSubjects {
  readonly [integerSubjects]: true
}

/** What a token can be made for. */
export type SubjectInput<Schema> = Schema extends IntegerSubjects ? string | number : string

/** Names the places of a result's issues; their messages may quote values, so those are left out. */
export function issuePaths(issues: readonly SchemaIssue[]): string {
  const paths = issues.map(({ path = [] }) =>
    path.map((part) => String(typeof part === 'object' ? part.key : part)).join('.'),
  )
  return [...new Set(paths)].map((path) => path || '(whole)').join(', ')
}

/** What a reader of the output may rely on: an object. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Freezes a tree; `false` where it holds what cannot be frozen to any use: a Date, a Map, an instance of a class. */
export function deepFreeze(value: unknown, seen: WeakSet<object> = new WeakSet()): boolean {
  if (typeof value === 'function') return false
  if (typeof value !== 'object' || value === null || seen.has(value)) return true
  seen.add(value)
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== Array.prototype && prototype !== null) return false
  Object.freeze(value)
  return Object.values(value)
    .map((item) => deepFreeze(item, seen))
    .every(Boolean)
}
