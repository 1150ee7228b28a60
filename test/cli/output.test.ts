import { expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { rendered } from '../../src/cli/output.ts'

const foreign = 'a\u001b[31m\u009b31m\u007f\u0085b'

test.each([
  ['json' as const, (text: string) => JSON.parse(text)],
  ['yaml' as const, (text: string) => parse(text)],
])('in %s what steers terminals is escaped, and reads as what it was', (format, read) => {
  const value = { [foreign]: foreign, lines: `one\n${foreign}\n`, list: [foreign] }
  const text = rendered(value, format)
  expect(text.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u)
  expect(read(text)).toEqual(value)
})
