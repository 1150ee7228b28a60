import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { NamespaceSelection } from '../../src/api/registry-credential.ts'
import type { Labels } from '../../src/model/label-selector.ts'
import { selectsNamespace, selectsServiceAccount } from '../../src/model/selection.ts'
import { credential, namespace, serviceAccount } from './builders.ts'
import { kubeName } from './names.ts'

/** `optIn` is absent where an older object, or one stored by hand, lacks the default. */
type Selection = Omit<NamespaceSelection, 'optIn'> & { optIn?: boolean }

const use = 'use.regcred.dev/hub'
const optsIn: Labels = { [use]: 'true' }
const optsOut: Labels = { [use]: 'false' }
const optsOutOfAll: Labels = { 'regcred.dev/opt-out': 'true' }
const all = { include: ['*'] }
const bySelector = { selector: { matchLabels: { tier: 'web' } } }
const web: Labels = { tier: 'web' }

function selects(namespaces: Selection | undefined, name: string, labels: Labels = {}, terminating = false): boolean {
  const hub = credential('hub', { ...(namespaces && { namespaces: namespaces as NamespaceSelection }) })
  // The builder selects all namespaces unless told otherwise; an absent field is not the same as that.
  const { include, ...rest } = hub.namespaces
  const absent = namespaces === undefined ? { ...hub, namespaces: { ...rest, include: undefined } } : hub
  return selectsNamespace(absent, namespace(name, labels, terminating))
}

/** In the order of the table of the rules: facts/admission.md, §9. What the admission policy says in CEL must agree. */
const cases: [string, Selection | undefined, string, Labels, boolean][] = [
  ['namespaces omitted', undefined, 'team-a', {}, false],
  ['namespaces omitted, and the namespace opts in', undefined, 'team-a', optsIn, true],
  ['namespaces empty', {}, 'team-a', {}, false],
  ['namespaces empty, and the namespace opts in', {}, 'team-a', optsIn, true],
  [
    'namespaces empty, and the namespace opts in to another one',
    {},
    'team-a',
    { 'use.regcred.dev/other': 'true' },
    false,
  ],
  ['namespaces empty, and the label has another value', {}, 'team-a', { [use]: 'yes' }, false],

  ['include with its name', { include: ['team-a'] }, 'team-a', {}, true],
  ['include with another name', { include: ['team-b'] }, 'team-a', {}, false],
  ['include with a *', { include: ['x', 'team-*'] }, 'team-a', {}, true],
  ['include with a ?', { include: ['team-?'] }, 'team-a', {}, true],
  ['include with a ? for two characters', { include: ['team-?'] }, 'team-ab', {}, false],
  ['include as a part of the name', { include: ['team'] }, 'team-a', {}, false],
  ['include empty', { include: [] }, 'team-a', {}, false],
  ['include empty, and the namespace opts in', { include: [] }, 'team-a', optsIn, true],
  ['include not, but the namespace opts in', { include: ['team-b'] }, 'team-a', optsIn, true],

  ['selector empty', { selector: {} }, 'team-a', {}, true],
  ['selector that holds', bySelector, 'team-a', web, true],
  ['selector that does not hold', bySelector, 'team-a', {}, false],
  [
    'selector NotIn, key absent',
    { selector: { matchExpressions: [{ key: 'tier', operator: 'NotIn', values: ['web'] }] } },
    'team-a',
    {},
    true,
  ],
  [
    'selector DoesNotExist, key absent',
    { selector: { matchExpressions: [{ key: 'tier', operator: 'DoesNotExist' }] } },
    'team-a',
    {},
    true,
  ],
  ['selector and include, both hold', { ...bySelector, include: ['team-*'] }, 'team-a', web, true],
  ['selector and include, only include holds', { ...bySelector, include: ['team-*'] }, 'team-a', {}, false],
  ['selector and include, only the selector holds', { ...bySelector, include: ['x-*'] }, 'team-a', web, false],
  ['selector and an empty include', { selector: {}, include: [] }, 'team-a', {}, false],
  ['selector that does not hold, but the namespace opts in', bySelector, 'team-a', optsIn, true],

  ['exclude over include', { ...all, exclude: ['team-*'] }, 'team-a', {}, false],
  ['exclude over include of the plain name', { include: ['team-a'], exclude: ['team-?'] }, 'team-a', {}, false],
  ['exclude over the selector', { ...bySelector, exclude: ['team-a'] }, 'team-a', web, false],
  ['exclude over opting in', { exclude: ['team-a'] }, 'team-a', optsIn, false],
  ['exclude of another namespace', { ...all, exclude: ['team-b'] }, 'team-a', {}, true],

  ['optIn false, and the namespace opts in', { optIn: false }, 'team-a', optsIn, false],
  ['optIn false, and the namespace is selected', { ...all, optIn: false }, 'team-a', optsIn, true],
  ['optIn false, and the namespace opts out', { ...all, optIn: false }, 'team-a', optsOut, false],
  ['optIn absent, and the namespace opts in', { include: [] }, 'team-a', optsIn, true],

  ['opting out over include', { include: ['team-a'] }, 'team-a', optsOut, false],
  ['opting out over the selector', bySelector, 'team-a', { ...web, ...optsOut }, false],
  ['opting out of another one', all, 'team-a', { 'use.regcred.dev/other': 'false' }, true],
  ['opting out of all over include', { include: ['team-a'] }, 'team-a', optsOutOfAll, false],
  ['opting out of all over the selector', bySelector, 'team-a', { ...web, ...optsOutOfAll }, false],
  ['opting out of all over opting in', {}, 'team-a', { ...optsIn, ...optsOutOfAll }, false],
  ['opting out of all with another value', all, 'team-a', { 'regcred.dev/opt-out': 'false' }, true],

  ['a system namespace, include *', all, 'kube-system', {}, false],
  ['a system namespace, include kube-*', { include: ['kube-*'] }, 'kube-public', {}, false],
  ['a system namespace, include with a ?', { include: ['kube-node-leas?'] }, 'kube-node-lease', {}, false],
  ['a system namespace, selector empty', { selector: {} }, 'kube-system', {}, false],
  ['a system namespace that opts in', {}, 'kube-system', optsIn, false],
  ['a system namespace that opts in, include *', all, 'kube-system', optsIn, false],
  ['a system namespace by its plain name', { include: ['kube-system'] }, 'kube-system', {}, true],
  ['a system namespace by its plain name among globs', { include: ['*', 'kube-public'] }, 'kube-public', {}, true],
  [
    'a system namespace by its plain name, selector holds',
    { ...bySelector, include: ['kube-node-lease'] },
    'kube-node-lease',
    web,
    true,
  ],
  [
    'a system namespace by its plain name, selector does not hold',
    { ...bySelector, include: ['kube-system'] },
    'kube-system',
    {},
    false,
  ],
  [
    'a system namespace by its plain name, excluded',
    { include: ['kube-system'], exclude: ['kube-*'] },
    'kube-system',
    {},
    false,
  ],
  ['a system namespace by its plain name, opted out', { include: ['kube-system'] }, 'kube-system', optsOut, false],
  [
    'a system namespace by its plain name, opted out of all',
    { include: ['kube-system'] },
    'kube-system',
    optsOutOfAll,
    false,
  ],
  ['a namespace whose name only starts like one', all, 'kube-systems', {}, true],
]

describe('a namespace is selected by the rules of the API:', () => {
  test.each(cases)('%s (%j, %s, %j): %p', (_, namespaces, name, labels, selected) => {
    expect(selects(namespaces, name, labels)).toBe(selected)
  })

  test('a terminating namespace is not selected, by whatever', () => {
    for (const [, namespaces, name, labels] of cases) expect(selects(namespaces, name, labels, true)).toBe(false)
  })
})

const globs = fc.array(fc.constantFrom('*', 'team-*', 'team-?', 'team-a', 'kube-*', 'kube-system'), { maxLength: 2 })
const selections: fc.Arbitrary<Selection> = fc.record(
  {
    include: globs,
    exclude: globs,
    selector: fc.constantFrom({}, { matchLabels: { tier: 'web' } }),
    optIn: fc.boolean(),
  },
  { requiredKeys: [] },
)
const names = fc.constantFrom('team-a', 'team-b', 'web', 'kube-system')
const labels: fc.Arbitrary<Labels> = fc.dictionary(
  fc.constantFrom(use, 'tier', 'regcred.dev/opt-out'),
  fc.constantFrom('true', 'false', 'web'),
)

describe('for any selection and namespace', () => {
  test('opting out wins', () => {
    fc.assert(
      fc.property(selections, names, labels, (selection, name, some) => {
        expect(selects(selection, name, { ...some, ...optsOut })).toBe(false)
        expect(selects(selection, name, { ...some, ...optsOutOfAll })).toBe(false)
      }),
    )
  })

  test('excluding more never selects more', () => {
    fc.assert(
      fc.property(selections, globs, names, labels, (selection, more, name, some) => {
        const narrower = { ...selection, exclude: [...(selection.exclude ?? []), ...more] }
        if (selects(narrower, name, some)) expect(selects(selection, name, some)).toBe(true)
      }),
    )
  })

  test('the order of include and exclude makes no difference', () => {
    fc.assert(
      fc.property(selections, names, labels, (selection, name, some) => {
        const { include, exclude } = selection
        const reversed = {
          ...selection,
          ...(include && { include: include.toReversed() }),
          ...(exclude && { exclude: exclude.toReversed() }),
        }
        expect(selects(reversed, name, some)).toBe(selects(selection, name, some))
      }),
    )
  })

  test('namespaces of any length are selected by their names, and by no other’s', () => {
    // Without dots, and of 63 characters at most: RFC 1123 labels.
    const label = kubeName.map((name) => name.replaceAll('.', 'x').slice(0, 63).replace(/-$/, 'x'))
    fc.assert(
      fc.property(label, label, (name, other) => {
        expect(selects({ include: [name] }, name)).toBe(true)
        expect(selects({ include: [name] }, other)).toBe(name === other)
        expect(selects({ include: ['*'], exclude: [name] }, other)).toBe(name !== other)
      }),
    )
  })

  test('opting in never takes a namespace out', () => {
    fc.assert(
      fc.property(selections, names, labels, (selection, name, some) => {
        const { [use]: _, ...silent } = some
        if (selects(selection, name, silent)) expect(selects(selection, name, { ...silent, ...optsIn })).toBe(true)
      }),
    )
  })
})

describe('a ServiceAccount is selected by name:', () => {
  test.each<[string[] | undefined, string, boolean]>([
    [undefined, 'default', true],
    [undefined, 'deploy', false],
    [[], 'default', false],
    [['*'], 'anything', true],
    [['deploy-*', 'web'], 'deploy-a', true],
    [['deploy-*', 'web'], 'web', true],
    [['deploy-*', 'web'], 'default', false],
    [['a.b'], 'a.b', true],
    [['a.b'], 'axb', false],
    [['a.?'], 'a.b', true],
    [['a*'], 'a.b-c', true],
  ])('%j and %s: %p', (serviceAccounts, name, selected) => {
    const hub = credential('hub', { ...(serviceAccounts && { serviceAccounts }) })
    expect(selectsServiceAccount(hub, serviceAccount({ name }))).toBe(selected)
    expect(selectsServiceAccount(hub, serviceAccount({ name, optedOut: true }))).toBe(false)
  })
})
