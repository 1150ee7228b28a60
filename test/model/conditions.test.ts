import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type Condition, conditionsOf, type Finding, shorten } from '../../src/model/conditions.ts'

const then = '2026-01-01T00:00:00Z'
const now = '2026-01-02T00:00:00Z'

const ready: Finding = { type: 'Ready', status: 'True', reason: 'Succeeded', message: 'All is well.' }
const before: Condition = { ...ready, observedGeneration: 1, lastTransitionTime: then }

test('a condition that is new has changed now', () => {
  expect(conditionsOf([ready], [], 3, now)).toEqual([{ ...ready, observedGeneration: 3, lastTransitionTime: now }])
})

test('a condition whose status has changed has changed now', () => {
  const [condition] = conditionsOf([{ ...ready, status: 'False' }], [before], 1, now)
  expect(condition?.lastTransitionTime).toBe(now)
})

test('a new reason, message or generation is no transition', () => {
  const other = { ...ready, reason: 'Other', message: 'Still well.' }
  expect(conditionsOf([other], [before], 2, now)).toEqual([
    { ...other, observedGeneration: 2, lastTransitionTime: then },
  ])
})

test('a condition that is no longer found is dropped', () => {
  expect(conditionsOf([], [before], 1, now)).toEqual([])
})

test('conditions stand in the order of their types, and what comes in is left as it was', () => {
  const findings = Object.freeze(['Stalled', 'Overlapping', 'Ready'].map((type) => Object.freeze({ ...ready, type })))
  expect(conditionsOf(findings, [], 1, now).map(({ type }) => type)).toEqual(['Overlapping', 'Ready', 'Stalled'])
})

describe('a message', () => {
  test('is cut to 1024 characters, with a mark that it was', () => {
    const message = 'x'.repeat(2000)
    expect(conditionsOf([{ ...ready, message }], [], 1, now)[0]?.message).toBe(`${'x'.repeat(1023)}…`)
  })

  test('of any length is whole, or cut at the end and marked', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1000, max: 1050 }), (length) => {
        const message = 'x'.repeat(length)
        const cut = shorten(message)
        expect(cut.length).toBe(Math.min(length, 1024))
        expect(cut === message || (cut.endsWith('…') && message.startsWith(cut.slice(0, -1)))).toBe(true)
        expect(shorten(cut)).toBe(cut)
      }),
    )
  })
})
