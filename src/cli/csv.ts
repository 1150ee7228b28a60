/** CSV as RFC 4180 has it, for spreadsheets: no cell of it is taken for a formula. */

/** Rows end with CRLF, the last one too. @param rows the first is the header */
export function formatCsv(rows: readonly (readonly string[])[]): string {
  return rows.map((row) => `${row.map(cell).join(',')}\r\n`).join('')
}

/** What a spreadsheet would run gets an apostrophe in front (OWASP, CSV injection), also in the width of East Asia. */
function cell(text: string): string {
  const safe = /^[=+\-@＝＋－＠\t\r\n]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
