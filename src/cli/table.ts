/** Tables as kubectl prints them: columns as wide as their widest cell, three spaces apart, nothing behind the last. */
import { escapeControls } from '../telemetry/text-line.ts'

const gap = 3
/** kubectl's tabwriter makes no column narrower, the gap included. */
const narrowest = 6

export const none = '<none>'
export const unknown = '<unknown>'

/** Remembers widths, so that the rows that a watch adds later stand below the first. */
export class Table {
  readonly #headers: readonly string[]
  readonly #widths: number[]

  /** @param headers in upper case */
  constructor(headers: readonly string[]) {
    this.#headers = headers
    this.#widths = headers.map(() => narrowest)
  }

  /** Lines, with that of the headers first. */
  head(rows: readonly (readonly string[])[]): string {
    return this.body([this.#headers, ...rows])
  }

  body(rows: readonly (readonly string[])[]): string {
    const cells = rows.map((row) => row.map((cell) => (cell === '' ? none : escapeControls(cell.replace(/\s+/g, ' ')))))
    for (const row of cells) {
      for (const [column, cell] of row.entries()) {
        this.#widths[column] = Math.max(this.#widths[column] ?? narrowest, cell.length + gap)
      }
    }
    return cells.map((row) => `${this.#line(row)}\n`).join('')
  }

  #line(row: readonly string[]): string {
    return row
      .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(this.#widths[column] ?? 0)))
      .join('')
  }
}
