/** Cells and tables of Markdown. */

/** `{ 'patch secrets': 1000 }` → `1,000 patch secrets` */
export function listOf(counts: Record<string, number>): string {
  const kinds = Object.entries(counts).map(([kind, each]) => `${count(each)} ${kind}`)
  return kinds.length === 0 ? 'none' : kinds.join(', ')
}

export function table(head: readonly string[], rows: readonly string[][]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

export function yes(isMet: boolean): string {
  return isMet ? 'yes' : '**no**'
}

export function count(number: number): string {
  return Math.round(number).toLocaleString('en')
}

export function digits(number: number, places: number): string {
  return number.toFixed(places)
}

export function percent(share: number): string {
  return `${digits(share * 100, 2)} %`
}
