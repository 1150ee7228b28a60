/** The reason agrees with the decision, whatever the credential and the namespace. */
import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { selectionReason } from '../../src/cli/selection-reason.ts'
import { selectsNamespace } from '../../src/model/selection.ts'
import { credential, namespace } from '../model/builders.ts'

const use = 'use.regcred.dev/hub'
const optOut = 'regcred.dev/opt-out'
const name = fc.constantFrom('team-a', 'team-b', 'kube-system')
const globs = fc.constantFrom(undefined, [], ['team-a'], ['*'], ['team-?'], ['kube-system'])
const selector = fc.constantFrom(undefined, {}, { matchLabels: { tier: 'web' } })
const label = fc.constantFrom(undefined, 'true', 'false', 'yes')
const defined = (of: object) => Object.fromEntries(Object.entries(of).filter(([, value]) => value !== undefined))

test('it says of what the model selects that it is selected, and of nothing else; and what can be done has a cure', () => {
  const tier = fc.constantFrom(undefined, 'web')
  const inputs = [name, globs, globs, selector, fc.boolean(), label, label, tier, fc.boolean()] as const
  fc.assert(
    fc.property(...inputs, (where, include, exclude, by, optIn, used, opted, tierLabel, terminating) => {
      // The builder selects all namespaces; a field that is absent is another thing.
      const namespaces = { optIn, ...defined({ include, exclude, selector: by }) }
      const made = credential('hub', { namespaces })
      const labels = defined({ [use]: used, [optOut]: opted, tier: tierLabel }) as Record<string, string>
      const at = namespace(where, labels, terminating)
      const { selected, because, cure } = selectionReason(made, at)
      expect(selected).toBe(selectsNamespace(made, at))
      expect(because).not.toBe('')
      expect(cure !== undefined).toBe(!selected && !terminating)
    }),
  )
})

test.each([
  ['opts in by its label use.regcred.dev/hub=true', {}, { [use]: 'true' }],
  ['is selected by spec.namespaces.include', { include: ['team-*'] }, {}],
  ['is selected by spec.namespaces.include and spec.namespaces.selector', { include: ['team-*'], selector: {} }, {}],
  ['opts out by its label use.regcred.dev/hub=false', { include: ['*'] }, { [use]: 'false' }],
  ['opts out of all credentials by its label regcred.dev/opt-out=true', { include: ['*'] }, { [optOut]: 'true' }],
  ['is excluded by spec.namespaces.exclude', { include: ['*'], exclude: ['team-a'] }, {}],
  ['is not in spec.namespaces.include', { include: ['other'] }, {}],
  ['lacks the labels that spec.namespaces.selector asks for', { selector: { matchLabels: { tier: 'web' } } }, {}],
  ['has not opted in, and spec.namespaces has neither include nor selector', {}, {}],
  [
    'asks for it by its label use.regcred.dev/hub=true, but spec.namespaces.optIn is false',
    { optIn: false },
    { [use]: 'true' },
  ],
])('%s', (because, namespaces, labels) => {
  const made = credential('hub', { namespaces: { optIn: true, ...namespaces } })
  expect(selectionReason(made, namespace('team-a', labels as Record<string, string>)).because).toBe(because)
})

test('a namespace of Kubernetes itself', () => {
  const made = credential('hub', { namespaces: { include: ['*'], optIn: true } })
  expect(selectionReason(made, namespace('kube-system')).because).toBe(
    'is of Kubernetes itself, which only an include without a wildcard selects',
  )
})
