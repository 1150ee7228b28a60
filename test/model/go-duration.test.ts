/** The vectors are those of Go's own tests of time.ParseDuration. */
import { expect, test } from '@jest/globals'
import { parseGoDuration } from '../../src/model/go-duration.ts'

test.each([
  ['0', 0],
  ['5s', 5000],
  ['30s', 30_000],
  ['1478s', 1_478_000],
  ['-5s', -5000],
  ['+5s', 5000],
  ['-0', -0],
  ['5.0s', 5000],
  ['5.6s', 5600],
  ['5.s', 5000],
  ['.5s', 500],
  ['1.004s', 1004],
  ['10ns', 1e-5],
  ['11us', 0.011],
  ['12µs', 0.012],
  ['12μs', 0.012],
  ['13ms', 13],
  ['14s', 14_000],
  ['15m', 900_000],
  ['16h', 57_600_000],
  ['3h30m', 12_600_000],
  ['6h0m0s', 21_600_000],
  ['10.5s4m', 250_500],
  ['-2m3.4s', -123_400],
  ['39h9m14.425s', 140_954_425],
  ['2562047h47m16.854775807s', 9_223_372_036_854.775],
])('%s is read as Go reads it', (text, milliseconds) => {
  expect(parseGoDuration(text)).toBeCloseTo(milliseconds, 3)
})

test.each([
  '',
  '3',
  '-',
  's',
  '.',
  '-.',
  '.s',
  '+.s',
  '1d',
  '6 h',
  '6h ',
  '1h\n',
  '--1s',
  '1e3s',
  '0x1s',
  '٣s',
  '2562048h',
  `${'9'.repeat(400)}s`,
])('%j is no duration', (text) => {
  expect(parseGoDuration(text)).toBeUndefined()
})

test('a mebibyte of digits is refused as fast as a few', () => {
  expect(parseGoDuration('1'.repeat(1024 * 1024))).toBeUndefined()
})
