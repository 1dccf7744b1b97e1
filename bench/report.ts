// Tables for people, and the same for programs.

/** A figure with its unit in its column's title, or a text. */
export type Cell = string | number

export interface Table {
  readonly title: string
  readonly columns: readonly string[]
  readonly rows: readonly (readonly Cell[])[]
  /** What one must know to read it. */
  readonly notes?: readonly string[]
}

/** A table as Markdown with its columns aligned. */
export function format({ title, columns, rows, notes = [] }: Table): string {
  const texts = [columns, ...rows].map((row) => row.map(formatCell))
  const widths = columns.map((_, index) => Math.max(3, ...texts.map((row) => (row[index] ?? '').length)))
  const isFigure = columns.map((_, index) => rows.some((row) => typeof row[index] === 'number'))
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, index) => pad(cell, widths[index] ?? 0, isFigure[index] ?? false)).join(' | ')} |`
  const rule = widths.map((width, index) =>
    isFigure[index] ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width),
  )
  const [head = [], ...body] = texts
  return [`### ${title}`, '', line(head), line(rule), ...body.map(line), '', ...notes, ''].join('\n')
}

function pad(text: string, width: number, isFigure: boolean): string {
  return isFigure ? text.padStart(width) : text.padEnd(width)
}

/** Three digits that mean something. */
function formatCell(cell: Cell): string {
  if (typeof cell === 'string') return cell
  if (!Number.isFinite(cell)) return '–'
  if (Math.abs(cell) >= 100 || Number.isInteger(cell)) return Math.round(cell).toLocaleString('en')
  return cell.toPrecision(cell < 10 ? 2 : 3)
}

export function median(figures: readonly number[]): number {
  const sorted = figures.toSorted((left, right) => left - right)
  const middle = sorted.length / 2
  return ((sorted[Math.ceil(middle) - 1] ?? Number.NaN) + (sorted[Math.floor(middle)] ?? Number.NaN)) / 2
}

/** A share of a whole, as `93 %`. */
export function percent(part: number, whole: number): string {
  return `${Math.round((100 * part) / whole)} %`
}
