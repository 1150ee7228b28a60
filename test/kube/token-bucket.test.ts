import { afterEach, beforeEach, expect, jest, test } from '@jest/globals'
import { TokenBuckets } from '../../src/kube/token-bucket.ts'

beforeEach(() => {
  jest.useFakeTimers()
})
afterEach(() => {
  jest.useRealTimers()
})

/** How many of 100 tries in a row are let through. */
function passed(buckets: TokenBuckets, key: string): number {
  return Array.from({ length: 100 }, () => buckets.take(key)).filter(Boolean).length
}

test('each key has its burst, and gets one more every so often, up to the burst', () => {
  const buckets = new TokenBuckets(5, 1_000)
  expect([passed(buckets, 'a'), passed(buckets, 'b')]).toEqual([5, 5])
  jest.advanceTimersByTime(500)
  expect(passed(buckets, 'a')).toBe(0)
  jest.advanceTimersByTime(1_500)
  expect(passed(buckets, 'a')).toBe(2)
  jest.advanceTimersByTime(1_000_000)
  expect(passed(buckets, 'a')).toBe(5)
})

test('pruning does not give anything back early', () => {
  const buckets = new TokenBuckets(5, 1_000)
  passed(buckets, 'a')
  jest.advanceTimersByTime(1_000)
  buckets.prune()
  expect(passed(buckets, 'a')).toBe(1)
  jest.advanceTimersByTime(5_000)
  buckets.prune()
  expect(passed(buckets, 'a')).toBe(5)
})
