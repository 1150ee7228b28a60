import { expect, test } from '@jest/globals'
import { retryAfterSeconds } from '../../src/http/retry-after.ts'

const now = Date.parse('Wed, 21 Oct 2026 07:28:00 GMT')

test.each([
  ['120', 120],
  [' 0 ', 0],
  ['999999999999', 3600],
  ['Wed, 21 Oct 2026 07:28:30 GMT', 30],
  ['Wed, 21 Oct 2026 07:00:00 GMT', 0],
  ['Thu, 22 Oct 2026 07:28:00 GMT', 3600],
  ['soon', undefined],
  ['', undefined],
])('Retry-After: %s is %s seconds', (value, seconds) => {
  expect(retryAfterSeconds(new Headers({ 'retry-after': value }), now)).toBe(seconds)
})

test('no Retry-After is nothing', () => {
  expect(retryAfterSeconds(new Headers(), now)).toBeUndefined()
})
