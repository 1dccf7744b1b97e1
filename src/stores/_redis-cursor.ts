/** Where a reader of the feed is, in each partition; a text of no use is the beginning, and never an error. */

/** Up to where one partition was read, as its script gives it and takes it. */
type Place =
  | readonly [feedId: string, position: string]
  /** While the whole set is being read: the entry that was given last. */
  | readonly [feedId: string, position: string, name: string, ends: string]

/** What the script is asked for; nothing is the beginning. */
export interface PlaceRequest {
  readonly feedId?: string
  readonly position?: string
  readonly name?: string | undefined
  readonly ends?: string | undefined
}

/** @throws {TypeError} for what is no list of places */
export function writeCursor(places: readonly unknown[]): string {
  if (!places.every((place) => isPlace(place)))
    throw new TypeError('Redis answered with no place in the feed')
  return JSON.stringify(places)
}

export function readCursor(cursor: string | null, partitions: number): readonly PlaceRequest[] {
  const places = cursor === null ? [] : parse(cursor)
  if (places.length !== partitions) return Array.from({ length: partitions }, () => ({}))
  return places.map(([feedId, position, name, ends]) => ({ feedId, position, name, ends }))
}

function parse(cursor: string): readonly Place[] {
  try {
    const value: unknown = JSON.parse(cursor)
    return Array.isArray(value) && value.every((place) => isPlace(place)) ? value : []
  } catch (error) {
    if (error instanceof SyntaxError) return []
    throw error
  }
}

function isPlace(value: unknown): value is Place {
  if (!Array.isArray(value) || !value.every((part) => typeof part === 'string')) return false
  const [, position = '', name, ends = ''] = value
  if (!/^\d{1,15}-\d{1,15}$/.test(position)) return false
  return name === undefined
    ? value.length === 2
    : value.length === 4 && Number.isFinite(Number(ends || 'none'))
}
