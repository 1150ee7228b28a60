/** Pieces of Markdown that mean what the text says, whatever is in it. */

/** Plain text in the cell of a table or an item of a list. */
export function cell(text: string): string {
  return text
    .trim()
    .replaceAll(/[\\*_<[\]]/g, '\\$&')
    .replaceAll('|', '\\|')
}

/** Text in code, also in the cell of a table. It has no backtick. */
export function code(text: string): string {
  return `\`${text.replaceAll('|', '\\|')}\``
}

/** A row of a table; its cells are Markdown. */
export function row(...cells: string[]): string {
  return `| ${cells.join(' | ')} |`
}
