import { expect, test } from '@jest/globals'
import { ageOf, humanDuration } from '../../src/cli/age.ts'

const minute = 60
const hour = 60 * minute
const day = 24 * hour

// Cases of k8s.io/apimachinery/pkg/util/duration, duration_test.go.
test.each([
  [0, '0s'],
  [1, '1s'],
  [70, '70s'],
  [2 * minute, '2m'],
  [4 * minute + 30, '4m30s'],
  [10 * minute, '10m'],
  [62 * minute, '62m'],
  [3 * hour, '3h'],
  [3 * hour + 3 * minute, '3h3m'],
  [9 * hour, '9h'],
  [30 * hour, '30h'],
  [2 * day, '2d'],
  [2 * day + 22 * hour, '2d22h'],
  [100 * day, '100d'],
  [2 * 365 * day, '2y'],
  [2 * 365 * day + 350 * day, '2y350d'],
  [9 * 365 * day + 12 * day, '9y'],
])('%d seconds are %s', (seconds, text) => {
  expect(humanDuration(seconds * 1000)).toBe(text)
})

test('what lies ahead by a clock that differs has no age yet, and what has no time an unknown one', () => {
  const now = new Date('2026-11-30T12:00:00Z')
  expect(ageOf('2026-11-30T12:00:05Z', now)).toBe('0s')
  expect(ageOf('2026-11-30T11:58:30Z', now)).toBe('90s')
  expect(ageOf(undefined, now)).toBe('<unknown>')
})
