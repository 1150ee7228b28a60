/**
 * What kubectl wait, Flux and Argo CD make of an object: `Compute` of cli-utils' kstatus for a custom resource
 * (pkg/kstatus/status/generic.go and core.go), and the conventions that it relies on.
 */
import { expect } from '@jest/globals'
import type { Status } from '../../src/model/status.ts'

export type Verdict = 'Terminating' | 'InProgress' | 'Failed' | 'Current'

export function verdictOf(object: { generation: number; deleting: boolean; status: Status }): Verdict {
  const { generation, deleting, status } = object
  const is = (type: string) => status.conditions?.find((condition) => condition.type === type)?.status
  if (deleting) return 'Terminating'
  if ((status.observedGeneration ?? generation) !== generation) return 'InProgress'
  if (is('Reconciling') === 'True') return 'InProgress'
  if (is('Stalled') === 'True') return 'Failed'
  return is('Ready') === 'True' || is('Ready') === undefined ? 'Current' : 'InProgress'
}

/** Fails where a status breaks the API conventions, or would be refused by the schema. */
export function expectConventions(status: Status, generation: number): void {
  const conditions = status.conditions ?? []
  const types = conditions.map(({ type }) => type)
  expect(types).toContain('Ready')
  expect(new Set(types).size).toBe(types.length)
  expect(types.includes('Reconciling') && types.includes('Stalled')).toBe(false)
  expect(status.observedGeneration).toBe(generation)
  for (const { type, status: holds, observedGeneration, lastTransitionTime, reason, message } of conditions) {
    expect(observedGeneration).toBe(generation)
    expect(Date.parse(lastTransitionTime)).not.toBeNaN()
    expect(reason).toMatch(/^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/)
    expect(message.length).toBeLessThanOrEqual(1024)
    // The others are of abnormal-true polarity: there only while they hold.
    if (type !== 'Ready' && type !== 'Verified') expect([type, holds]).toEqual([type, 'True'])
  }
  for (const { message } of status.failures ?? []) expect(message.length).toBeLessThanOrEqual(1024)
  expect(status.failures?.length).not.toBe(0)
}
