import { expect, test } from '@jest/globals'
import { parseSelector } from '../../src/cli/label-selector-text.ts'

test.each([
  ['tier=backend', { matchLabels: { tier: 'backend' } }],
  ['tier==backend, team = a', { matchLabels: { tier: 'backend', team: 'a' } }],
  ['tier!=backend', { matchExpressions: [{ key: 'tier', operator: 'NotIn', values: ['backend'] }] }],
  ['env in (dev, test)', { matchExpressions: [{ key: 'env', operator: 'In', values: ['dev', 'test'] }] }],
  ['env notin (prod)', { matchExpressions: [{ key: 'env', operator: 'NotIn', values: ['prod'] }] }],
  ['example.com/pull', { matchExpressions: [{ key: 'example.com/pull', operator: 'Exists' }] }],
  ['!legacy', { matchExpressions: [{ key: 'legacy', operator: 'DoesNotExist' }] }],
  ['empty=', { matchLabels: { empty: '' } }],
  [
    'a=b,c in (d,e),!f',
    {
      matchLabels: { a: 'b' },
      matchExpressions: [
        { key: 'c', operator: 'In', values: ['d', 'e'] },
        { key: 'f', operator: 'DoesNotExist' },
      ],
    },
  ],
])('%s', (text, selector) => {
  expect(parseSelector(text)).toEqual(selector)
})

test.each(['', ',', 'a=b,', 'a in b', 'a in (b', 'a b', '=b', 'a=b=c', 'a=b,a=c', 'in (a)'])('"%s" is none', (text) => {
  expect(parseSelector(text)).toBeUndefined()
})
