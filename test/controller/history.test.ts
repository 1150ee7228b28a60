/** The checker of histories itself, over histories made up to break its rules. */
import { expect, test } from '@jest/globals'
import type { RegistryCredential } from '../../src/api/registry-credential.ts'
import { type Status, statusOf } from '../../src/model/status.ts'
import { findings, outcome } from '../model/findings.ts'
import { violationsOf } from './history.ts'

const untouched: Status = { observedGeneration: -1 }
const ready = statusOf(findings({ 'team-a': outcome() }), undefined, '2026-01-01T00:00:00Z')

/** A credential of generation 1 with these statuses, one after the other. */
function history(statuses: (Status | undefined)[]): RegistryCredential[] {
  return statuses.map((status, index) => ({
    metadata: { name: 'a', uid: 'uid', resourceVersion: `${index}`, generation: 1 },
    spec: {} as RegistryCredential['spec'],
    ...(status && { status }),
  }))
}

test('a credential may begin with the status that the CRD gives, and wait in it', () => {
  expect(violationsOf(history([untouched, untouched, ready, ready]))).toEqual([])
})

test.each([
  ['a credential without any status', [undefined, ready], '0: no Ready'],
  ['a status with a number and no conditions', [untouched, { observedGeneration: 1 }], '1: no Ready'],
  [
    'conditions of a generation that never was',
    [{ ...ready, observedGeneration: -1 }],
    '0: observedGeneration went back',
  ],
  ['a status that goes back to the first one', [untouched, ready, untouched], '2: the status is gone'],
])('what it does not let pass is %s', (_, statuses, complaint) => {
  expect(violationsOf(history(statuses))[0]).toContain(complaint)
})
