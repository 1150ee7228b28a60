import { expect, test } from '@jest/globals'
import { formatCsv } from '../../src/cli/csv.ts'

test.each([
  ['plain cells', ['a', 'b c'], 'a,b c\r\n'],
  ['a comma, a quote and a line break are quoted', ['a,b', 'say "x"', 'a\nb'], '"a,b","say ""x""","a\nb"\r\n'],
  ['nothing', ['', ''], ',\r\n'],
  ['what a spreadsheet would run', ['=1+1', '+1', '-1', '@a', '=a,b'], `'=1+1,'+1,'-1,'@a,"'=a,b"\r\n`],
  ['what one in East Asia would run', ['＝1+1', '＋1', '－1', '＠a'], "'＝1+1,'＋1,'－1,'＠a\r\n"],
  ['what begins with a tab or a line break', ['\t=1', '\r=1'], `'\t=1,"'\r=1"\r\n`],
])('%s', (_, row, text) => {
  expect(formatCsv([row])).toBe(text)
})

test('every row ends with CRLF, the last one too', () => {
  expect(formatCsv([['a'], ['b']])).toBe('a\r\nb\r\n')
})
