import { expect, test } from '@jest/globals'
import { threeWayPatch } from '../../../src/cli/plan/three-way.ts'

test.each<[string, last: unknown, file: Record<string, unknown>, patch: object]>([
  ['what is in the file is set', {}, { a: 1, b: { c: [1] } }, { a: 1, b: { c: [1] } }],
  [
    'what is no longer in it is removed, at every depth',
    { a: 1, b: { c: 1, d: 2 } },
    { b: { d: 2 } },
    { a: null, b: { c: null, d: 2 } },
  ],
  ['lists are replaced whole', { a: [1, 2] }, { a: [2] }, { a: [2] }],
  ['an object in the place of a text', { a: 'b' }, { a: { b: 1 } }, { a: { b: 1 } }],
  ['a text in the place of an object', { a: { b: 1 } }, { a: 'b' }, { a: 'b' }],
  ['nothing is known of before', undefined, { a: 1 }, { a: 1 }],
])('%s', (_, last, file, patch) => {
  expect(threeWayPatch(last, file)).toEqual(patch)
})
