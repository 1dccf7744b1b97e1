// A clock that all processes of one machine share.

/** Nanoseconds, as text. */
export function now(): string {
  return String(process.hrtime.bigint())
}
