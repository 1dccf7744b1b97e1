/** Finds the name that was probably meant, for messages about names that do not exist. */

/** The nearest name, if one is near enough to be meant. */
export function suggestion(name: string, names: readonly string[]): string {
  const near = names
    .map((candidate) => ({ candidate, distance: editDistance(name.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ distance }) => distance <= Math.max(2, name.length / 3))
    .toSorted((left, right) => left.distance - right.distance)[0]
  return near === undefined ? '' : `: did you mean ${near.candidate}?`
}

/** Levenshtein's distance, row by row. */
function editDistance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index)
  for (const [above, letter] of [...left].entries()) {
    const next = [above + 1]
    for (const [index, other] of [...right].entries()) {
      const replaced = (row[index] ?? 0) + (letter === other ? 0 : 1)
      next.push(Math.min(replaced, (next[index] ?? 0) + 1, (row[index + 1] ?? 0) + 1))
    }
    row = next
  }
  return row.at(-1) ?? 0
}
