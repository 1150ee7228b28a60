import { expect, test } from '@jest/globals'
import { firstOf } from '../../src/model/first-of.ts'

test('as many names as may be are all named', () => {
  expect(firstOf([], 2)).toBe('')
  expect(firstOf(['a', 'b'], 2)).toBe('a, b')
})

test('of more the rest is counted', () => {
  expect(firstOf(['a', 'b', 'c', 'd', 'e'], 2)).toBe('a, b and 3 more')
})
