import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  type LabelSelector,
  type LabelSelectorRequirement,
  type Labels,
  matchesLabels,
} from '../../src/model/label-selector.ts'

const labels = { tier: 'backend', env: 'prod', empty: '' }

const cases: [string, LabelSelector, boolean][] = [
  ['an empty selector', {}, true],
  ['empty matchLabels and matchExpressions', { matchLabels: {}, matchExpressions: [] }, true],
  ['an equal label', { matchLabels: { tier: 'backend' } }, true],
  ['a label with another value', { matchLabels: { tier: 'web' } }, false],
  ['an absent label', { matchLabels: { team: 'a' } }, false],
  ['an absent label that should be empty', { matchLabels: { team: '' } }, false],
  ['a label that is and should be empty', { matchLabels: { empty: '' } }, true],
  ['two labels of which one differs', { matchLabels: { tier: 'backend', env: 'test' } }, false],
  ['In with the value', { matchExpressions: [{ key: 'tier', operator: 'In', values: ['web', 'backend'] }] }, true],
  ['In without the value', { matchExpressions: [{ key: 'tier', operator: 'In', values: ['web'] }] }, false],
  ['In on an absent key', { matchExpressions: [{ key: 'team', operator: 'In', values: ['a'] }] }, false],
  ['In without values', { matchExpressions: [{ key: 'tier', operator: 'In' }] }, false],
  ['NotIn with the value', { matchExpressions: [{ key: 'tier', operator: 'NotIn', values: ['backend'] }] }, false],
  ['NotIn without the value', { matchExpressions: [{ key: 'tier', operator: 'NotIn', values: ['web'] }] }, true],
  ['NotIn on an absent key', { matchExpressions: [{ key: 'team', operator: 'NotIn', values: ['a'] }] }, true],
  ['NotIn without values', { matchExpressions: [{ key: 'tier', operator: 'NotIn' }] }, true],
  ['Exists on a key', { matchExpressions: [{ key: 'tier', operator: 'Exists' }] }, true],
  ['Exists on a key with an empty value', { matchExpressions: [{ key: 'empty', operator: 'Exists' }] }, true],
  ['Exists on an absent key', { matchExpressions: [{ key: 'team', operator: 'Exists' }] }, false],
  ['DoesNotExist on a key', { matchExpressions: [{ key: 'tier', operator: 'DoesNotExist' }] }, false],
  ['DoesNotExist on an absent key', { matchExpressions: [{ key: 'team', operator: 'DoesNotExist' }] }, true],
  [
    'a label that holds and an expression that does not',
    { matchLabels: { tier: 'backend' }, matchExpressions: [{ key: 'env', operator: 'NotIn', values: ['prod'] }] },
    false,
  ],
  [
    'two expressions of which one does not hold',
    {
      matchExpressions: [
        { key: 'env', operator: 'Exists' },
        { key: 'tier', operator: 'DoesNotExist' },
      ],
    },
    false,
  ],
]

describe('against {tier: backend, env: prod, empty: ""}', () => {
  test.each(cases)('%s', (_, selector, matches) => {
    expect(matchesLabels(selector, labels)).toBe(matches)
  })
})

test.each(['constructor', 'toString', 'hasOwnProperty', '__proto__'])(
  'the label key %s is absent unless it is set',
  (key) => {
    const exists: LabelSelector = { matchExpressions: [{ key, operator: 'Exists' }] }
    expect(matchesLabels(exists, {})).toBe(false)
    expect(matchesLabels(exists, { [key]: 'x' })).toBe(true)
    expect(matchesLabels({ matchLabels: { [key]: 'x' } }, {})).toBe(false)
  },
)

const keys = fc.constantFrom('tier', 'env', 'a.example/b')
const values = fc.constantFrom('', 'a', 'b')
const someLabels: fc.Arbitrary<Labels> = fc.dictionary(keys, values)
const requirements: fc.Arbitrary<LabelSelectorRequirement> = fc.record({
  key: keys,
  operator: fc.constantFrom('In', 'NotIn', 'Exists', 'DoesNotExist'),
  values: fc.array(values, { minLength: 1, maxLength: 2 }),
})

describe('for any labels', () => {
  test('the order of requirements and of their values makes no difference', () => {
    fc.assert(
      fc.property(fc.array(requirements, { maxLength: 4 }), someLabels, (some, all) => {
        const reversed = some.toReversed().map((each) => ({ ...each, values: (each.values ?? []).toReversed() }))
        expect(matchesLabels({ matchExpressions: reversed }, all)).toBe(matchesLabels({ matchExpressions: some }, all))
      }),
    )
  })

  test('an operator and its opposite never both hold, and never both fail', () => {
    const opposite = { In: 'NotIn', NotIn: 'In', Exists: 'DoesNotExist', DoesNotExist: 'Exists' } as const
    fc.assert(
      fc.property(requirements, someLabels, (requirement, all) => {
        const other = { ...requirement, operator: opposite[requirement.operator] }
        expect(matchesLabels({ matchExpressions: [requirement] }, all)).toBe(
          !matchesLabels({ matchExpressions: [other] }, all),
        )
      }),
    )
  })

  test('a selector holds exactly when each of its requirements does, and a label is the same as In with one value', () => {
    fc.assert(
      fc.property(someLabels, fc.array(requirements, { maxLength: 3 }), someLabels, (matchLabels, expressions, all) => {
        const fromLabels = Object.entries(matchLabels).map(
          ([key, value]): LabelSelectorRequirement => ({ key, operator: 'In', values: [value] }),
        )
        const each = [...fromLabels, ...expressions].map((one) => matchesLabels({ matchExpressions: [one] }, all))
        expect(matchesLabels({ matchLabels, matchExpressions: expressions }, all)).toBe(each.every(Boolean))
      }),
    )
  })
})
