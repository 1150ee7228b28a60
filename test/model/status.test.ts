import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { Contended } from '../../src/model/contended.ts'
import { type Findings, type Status, statusOf } from '../../src/model/status.ts'
import { anyFindings, findings, outcome } from './findings.ts'
import { complaintsAbout, verdictOf } from './kstatus.ts'
import { earlier, failure, statusCases, two } from './status-cases.ts'

const now = '2026-01-02T00:00:00Z'

function condition(status: Status, type: string) {
  const found = status.conditions?.find((each) => each.type === type)
  return found && [found.status, found.reason, found.message]
}

describe('the conditions when', () => {
  test.each(statusCases)('$when', ({ found, previous, ready, also, verdict }) => {
    const status = statusOf(found, previous, now)
    expect(condition(status, 'Ready')).toEqual(ready)
    const others = status.conditions?.filter(({ type }) => type !== 'Ready').map(({ type, reason }) => [type, reason])
    expect(others).toEqual(also ? [also] : [])
    const { generation, deleting } = found.credential
    expect(complaintsAbout(status)).toEqual([])
    expect(status.observedGeneration).toBe(generation)
    expect(verdictOf({ generation, deleting, status })).toBe(verdict)
  })
})

test('stuck pods are told where somebody looks', () => {
  expect(statusOf(findings({}, { stuckPods: 0 }), undefined, now).pods).toEqual({ stuck: 0 })
  expect(statusOf(findings({}, { stuckPods: 3 }), undefined, now).pods).toEqual({ stuck: 3 })
  expect(statusOf(findings({}), undefined, now)).not.toHaveProperty('pods')
})

test('an overlap is told from the side of the one who asks, whoever wins, each once', () => {
  const overlaps = [
    { key: 'quay.io', winner: 'b', loser: 'a' },
    { key: 'ghcr.io', winner: 'a', loser: 'c' },
  ]
  const status = statusOf(
    findings({ 'team-a': outcome({ overlaps }), 'team-b': outcome({ overlaps }) }),
    undefined,
    now,
  )
  expect(condition(status, 'Overlapping')).toEqual([
    'True',
    'SameRegistryKey',
    'ghcr.io is also given by c, over which this one wins; quay.io is given by b, which wins (by priority, then by name).',
  ])
  expect(condition(status, 'Ready')?.[0]).toBe('True')
})

const argo: Contended = { kind: 'ServiceAccount', name: 'default', manager: 'argocd-controller' }
const deleted: Contended = { kind: 'Secret', name: 'regcred', manager: undefined }

test('what somebody keeps undoing is told with where, who and the cure', () => {
  const contended = findings({ 'team-b': outcome({ contended: deleted }), 'team-a': outcome({ contended: argo }) })
  const [holds, reason, message] = condition(statusOf(contended, undefined, now), 'Contended') ?? []
  expect([holds, reason]).toEqual(['True', 'KeepsBeingUndone'])
  expect(message).toContain(
    'ServiceAccount team-a/default (managedFields name argocd-controller), Secret team-b/regcred (managedFields name nobody).',
  )
  expect(message).toContain('ignoreDifferences on /imagePullSecrets with RespectIgnoreDifferences=true')
  expect(message).toContain('kustomize.toolkit.fluxcd.io/ssa: IfNotPresent')
  expect(message).toContain('admission policy (config/admission)')
  expect(message).toContain('another installation of this operator')
})

test('of many places where something is undone three are named and the others counted', () => {
  const outcomes = Object.fromEntries(['e', 'd', 'c', 'b', 'a'].map((name) => [name, outcome({ contended: argo })]))
  const message = condition(statusOf(findings(outcomes), undefined, now), 'Contended')?.[2]
  expect(message).toMatch(
    / ServiceAccount a\/default .*, .* b\/default .*, .* c\/default .* and in 2 more namespaces\. /,
  )
  expect(message).not.toContain('another installation')
})

test.each([
  ['Valid', 'True'],
  ['Invalid', 'False'],
  ['NoPullAccess', 'False'],
  ['Unknown', 'Unknown'],
] as const)('a registry that says %s makes Verified %s, and tells why', (verdict, expected) => {
  const check = { verdict, reason: 'Said', message: 'The registry said so.' }
  const status = statusOf(findings(two, { check }), undefined, now)
  expect(condition(status, 'Verified')).toEqual([expected, 'Said', 'The registry said so.'])
})

test('a login that cannot be renewed is told with its end, or that it stays', () => {
  const refreshFailure = { reason: 'IssuerRefused', message: 'quay.io refuses (401).' }
  const told = (material: Findings['material']) =>
    condition(statusOf(findings(two, { refreshFailure, material }), undefined, now), 'RefreshFailing')?.[2]
  const ends = { registries: ['quay.io'], expiresAt: '2026-01-02T03:04:05Z' }
  expect(told(ends)).toBe(
    'quay.io refuses (401). The login in use ends at 2026-01-02T03:04:05Z; renewing it is tried again.',
  )
  expect(told(undefined)).toBe('quay.io refuses (401). The login in use stays; renewing it is tried again.')
})

test('the numbers, the failures and what is known of the login are told', () => {
  const material = { registries: ['ghcr.io'], issuedAt: earlier }
  const status = statusOf(findings({ ...two, 'team-c': outcome({ failure }) }, { material }), undefined, now)
  expect(status).toMatchObject({
    observedGeneration: 1,
    namespaces: { selected: 3, synced: 2, failed: 1, summary: '2/3' },
    serviceAccounts: { selected: 3, linked: 3 },
    failures: [{ namespace: 'team-c', ...failure }],
    credential: material,
  })
})

test('what there is nothing to say about is left out', () => {
  const status = statusOf(findings({}), undefined, now)
  expect(Object.keys(status).sort()).toEqual(['conditions', 'namespaces', 'observedGeneration', 'serviceAccounts'])
  expect(status.namespaces?.summary).toBe('0/0')
})

describe('for any course of events', () => {
  const course = fc.array(anyFindings, { minLength: 1, maxLength: 8 })

  /** The statuses that are written one after the other, an hour apart. */
  function statuses(events: readonly Findings[]): Status[] {
    const all: Status[] = []
    for (const [hour, found] of events.entries()) all.push(statusOf(found, all.at(-1), `2026-01-01T0${hour}:00:00Z`))
    return all
  }

  test('every status keeps the conventions', () => {
    fc.assert(
      fc.property(course, (events) => {
        for (const [index, status] of statuses(events).entries()) {
          expect(complaintsAbout(status)).toEqual([])
          expect(status.observedGeneration).toBe(events[index]?.credential.generation)
        }
      }),
      { numRuns: 300 },
    )
  })

  test('lastTransitionTime moves exactly when the status of the condition does', () => {
    fc.assert(
      fc.property(course, (events) => {
        const all = statuses(events)
        for (const [index, status] of all.entries()) {
          for (const { type, status: holds, lastTransitionTime } of status.conditions ?? []) {
            const before = all[index - 1]?.conditions?.find((each) => each.type === type)
            const same = before?.status === holds
            expect(lastTransitionTime).toBe(same ? before.lastTransitionTime : `2026-01-01T0${index}:00:00Z`)
          }
        }
      }),
      { numRuns: 300 },
    )
  })

  test('the same findings again give the same status, so nothing is written', () => {
    fc.assert(
      fc.property(course, (events) => {
        const last = events.at(-1)
        const status = statuses(events).at(-1)
        fc.pre(last !== undefined && status !== undefined)
        expect(statusOf(last, status, now)).toEqual(status)
      }),
      { numRuns: 3000 },
    )
  })

  test('kstatus says Current only when nothing is left to do, and Failed only when its owner must act', () => {
    fc.assert(
      fc.property(course, (events) => {
        const last = events.at(-1)
        const [status, before] = statuses(events).reverse()
        fc.pre(last !== undefined && status !== undefined)
        const { problem, tally, isKnown, isOutdated } = last
        const { generation, deleting, suspended: paused } = last.credential
        const wasReady = before?.observedGeneration === generation && condition(before, 'Ready')?.[0] === 'True'
        const everywhere = tally.failed + tally.leaving === 0 && tally.synced === tally.selected
        const done = problem === undefined && isKnown && everywhere && (wasReady || !isOutdated)
        const verdict = verdictOf({ generation, deleting, status })
        if (deleting) expect(verdict).toBe('Terminating')
        else if (paused) expect(['Current', 'InProgress']).toContain(verdict)
        else expect(verdict).toBe(problem?.terminal ? 'Failed' : done ? 'Current' : 'InProgress')
      }),
      { numRuns: 500 },
    )
  })
})
