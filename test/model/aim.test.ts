import { expect, test } from '@jest/globals'
import { linksAim, secretAim, statusAim } from '../../src/model/aim.ts'
import type { Target } from '../../src/model/target.ts'
import { credential, entriesFor, serviceAccount, state } from './builders.ts'

const a = state(credential('a'), { entries: entriesFor('a', 'a.io') })

function targets(...selectedBy: (typeof a)[]): Target[] {
  const desired = { name: 'regcred', selectedBy: new Set(selectedBy), state: 'present', contributors: [a] } as const
  const nothing = { observed: undefined, wanted: undefined, failure: undefined, stuck: undefined, contended: undefined }
  return [{ desired, change: 'none', mayBeSource: false, isWritten: true, available: true, ...nothing }]
}

test('the aim of a Secret is its data, whom they are from, and whether it is owned by these', () => {
  const orphan = state(credential('a', { deletionPolicy: 'Orphan' }))
  const b = state(credential('b'))
  const aims = [secretAim('one', [a]), secretAim('two', [a]), secretAim('one', [a, b]), secretAim('one', [orphan])]
  expect(new Set(aims).size).toBe(4)
  expect(secretAim('one', [{ ...a, version: 7 }])).toBe(aims[0])
})

test('the aim of a ServiceAccount is the same whatever somebody makes of its list and our annotation', () => {
  const states = [
    serviceAccount(),
    serviceAccount({ pullSecrets: ['regcred'], managed: ['regcred'] }),
    serviceAccount({ pullSecrets: ['git'], managed: ['regcred', 'regcred', 'gone'], listManager: 'argocd-controller' }),
  ]
  expect(new Set(states.map((each) => linksAim(each, targets(a)))).size).toBe(1)
})

test('it is another one when its owner opts out or no credential selects it any more', () => {
  const aim = linksAim(serviceAccount(), targets(a))
  expect(linksAim(serviceAccount({ optedOut: true }), targets(a))).not.toBe(aim)
  const b = state(credential('b', { serviceAccounts: ['app'] }))
  expect(linksAim(serviceAccount(), targets(b))).not.toBe(aim)
})

test('the aim of a status is what it says, not since when', () => {
  const since = (lastTransitionTime: string, reason = 'Succeeded') =>
    statusAim({ conditions: [{ type: 'Ready', status: 'True', reason, message: '', lastTransitionTime }] })
  expect(since('2026-01-01T00:00:00Z')).toBe(since('2026-01-02T00:00:00Z'))
  expect(since('2026-01-01T00:00:00Z', 'NamespacesFailed')).not.toBe(since('2026-01-01T00:00:00Z'))
})
