/** The checker of statuses itself, over statuses made up to break its rules. */
import { expect, test } from '@jest/globals'
import type { Condition } from '../../src/model/conditions.ts'
import { type Status, statusOf } from '../../src/model/status.ts'
import { findings, outcome } from './findings.ts'
import { complaintsAbout } from './kstatus.ts'

const now = '2026-01-01T00:00:00Z'
const done = statusOf(findings({ 'team-a': outcome() }), undefined, now)
const missing = { reason: 'SourceNotFound', message: 'It is not there.', terminal: false }
const waiting = statusOf(findings({}, { problem: missing }), undefined, now)
const stalled = statusOf(findings({}, { problem: { ...missing, terminal: true } }), undefined, now)
const failing = statusOf(findings({ 'team-a': outcome({ failure: missing }) }), undefined, now)

/** With this about one of its conditions. */
function changed(status: Status, type: string, change: Partial<Condition>): Status {
  const conditions = (status.conditions ?? []).map((each) => (each.type === type ? { ...each, ...change } : each))
  return { ...status, conditions }
}

function without(status: Status, type: string): Status {
  return { ...status, conditions: (status.conditions ?? []).filter((each) => each.type !== type) }
}

const both = { ...waiting, conditions: [...(waiting.conditions ?? []), ...(stalled.conditions ?? []).slice(1)] }
const twice = { ...done, conditions: [...(done.conditions ?? []), ...(done.conditions ?? [])] }
const long = 'x'.repeat(1025)

test.each([
  ['the one that the CRD gives', { observedGeneration: -1 }],
  ['one that is done', done],
  ['one that waits', waiting],
  ['one that cannot go on', stalled],
  ['one with a failure', failing],
])('there is no complaint about %s', (_, status) => {
  expect(complaintsAbout(status)).toEqual([])
})

const bad: [complaint: string, status: Status][] = [
  ['a status of no generation says something', { ...done, observedGeneration: -1 }],
  ['no observedGeneration', {}],
  ['no Ready', without(done, 'Ready')],
  ['a condition is there twice', twice],
  ['both Reconciling and Stalled', both],
  ['Stalled, and yet Ready', changed(stalled, 'Ready', { status: 'True' })],
  ['not Ready, but nothing goes on', without(waiting, 'Reconciling')],
  ['Ready too early', { ...done, namespaces: { selected: 2, synced: 1, failed: 0, summary: '1/2' } }],
  ['Ready too early', without(changed(failing, 'Ready', { status: 'True' }), 'Reconciling')],
  ['Ready is of another generation', { ...done, observedGeneration: 2 }],
  ['Ready has no time', changed(done, 'Ready', { lastTransitionTime: 'today' })],
  ['the reason of Ready is no word', changed(done, 'Ready', { reason: 'all is well' })],
  ['the message of Ready is too long', changed(done, 'Ready', { message: long })],
  ['Reconciling is there, but not True', changed(waiting, 'Reconciling', { status: 'False' })],
  ['an empty list of failures', { ...done, failures: [] }],
  ['the message of a failure is too long', { ...failing, failures: [{ ...missing, namespace: 'a', message: long }] }],
]

test.each(bad)('%s', (complaint, status) => {
  expect(complaintsAbout(status)).toContain(complaint)
})
