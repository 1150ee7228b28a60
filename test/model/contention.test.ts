import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { afterWrite, isOver, peaceAfter, type Repairs, waitOf } from '../../src/model/contention.ts'

const second = 1_000
const minute = 60 * second

/** What is remembered after writes with one aim at these seconds. */
function writesAt(first: number, ...others: number[]): Repairs {
  let repairs = afterWrite(undefined, 'add', undefined, first * second)
  for (const at of others) repairs = afterWrite(repairs, 'add', undefined, at * second)
  return repairs
}

const seconds = (ms: number) => ms / second

describe('the wait before the next write', () => {
  test.each<{ when: string; writes: [number, ...number[]]; wait: number }>([
    { when: 'after the first write', writes: [0], wait: 0 },
    { when: 'after five repairs', writes: [0, 1, 2, 3, 4, 5], wait: 0 },
    { when: 'after six repairs', writes: [0, 1, 2, 3, 4, 5, 6], wait: 5 },
    { when: 'after seven', writes: [0, 1, 2, 3, 4, 5, 6, 11], wait: 10 },
    { when: 'after eight', writes: [0, 1, 2, 3, 4, 5, 6, 11, 21], wait: 20 },
    { when: 'after six in just under ten minutes', writes: [0, 1, 100, 200, 300, 400, 600], wait: 5 },
    { when: 'after six in ten minutes and more', writes: [0, 1, 100, 200, 300, 400, 601], wait: 0 },
    { when: 'after six that are two minutes apart', writes: [0, 120, 240, 360, 480, 600, 720], wait: 0 },
    { when: 'after ten minutes of peace', writes: [0, 1, 2, 3, 4, 5, 6, 606], wait: 0 },
    { when: 'after just under ten minutes', writes: [0, 1, 2, 3, 4, 5, 6, 605.999], wait: 10 },
  ])('is $wait s $when', ({ writes, wait }) => {
    expect(seconds(waitOf(writesAt(...writes), (writes.at(-1) ?? 0) * second))).toBe(wait)
  })

  test('doubles up to five minutes, and is never longer', () => {
    let repairs = writesAt(0, 0, 0, 0, 0, 0, 0)
    const waits: number[] = []
    for (let now = 0; waits.length < 10; ) {
      const wait = waitOf(repairs, now)
      waits.push(seconds(wait))
      now += wait
      expect(waitOf(repairs, now)).toBe(0)
      repairs = afterWrite(repairs, 'add', undefined, now)
    }
    expect(waits).toEqual([5, 10, 20, 40, 80, 160, 300, 300, 300, 300])
  })

  test('begins with the last write, and what happens meanwhile changes nothing', () => {
    const repairs = writesAt(0, 1, 2, 3, 4, 5, 6)
    expect([6, 8, 10.999, 11, 60].map((at) => seconds(waitOf(repairs, at * second)))).toEqual([5, 3, 0.001, 0, 0])
  })
})

test('a write with another aim starts anew, also on a contended object', () => {
  const contended = writesAt(0, 0, 0, 0, 0, 0, 0, 5)
  expect(contended.contended).toBe(2)
  expect(afterWrite(contended, 'remove', 'somebody', 6 * second)).toEqual({
    aim: 'remove',
    at: 6 * second,
    recent: [],
    contended: 0,
    manager: undefined,
  })
})

test('what the operator itself wants changed, however often, is no repair', () => {
  let repairs: Repairs | undefined
  for (let round = 0; round < 40; round++) {
    repairs = afterWrite(repairs, round % 2 === 0 ? 'add' : 'remove', undefined, round)
    expect(waitOf(repairs, round)).toBe(0)
  }
})

test('peace comes ten minutes after the last repair', () => {
  const repairs = writesAt(0, 0, 0, 0, 0, 0, 0, 60)
  expect(peaceAfter(repairs, 2 * minute)).toBe(9 * minute)
  expect(isOver(repairs, 11 * minute - 1)).toBe(false)
  expect(isOver(repairs, 11 * minute)).toBe(true)
  expect(peaceAfter(repairs, 12 * minute)).toBe(0)
})

test('who undid it is the last that was seen, and none that was there before the first write', () => {
  const seen: unknown[] = []
  let repairs: Repairs | undefined
  for (const manager of ['kubectl-create', 'argocd-controller', undefined, undefined]) {
    repairs = afterWrite(repairs, 'add', manager, 0)
    seen.push(repairs.manager)
  }
  expect(seen).toEqual([undefined, 'argocd-controller', 'argocd-controller', 'argocd-controller'])
})

test('the most stubborn rival gets 13 writes in ten minutes', () => {
  let repairs: Repairs | undefined
  let writes = 0
  for (let now = 0; now < 10 * minute; now += repairs ? waitOf(repairs, now) : 0) {
    repairs = afterWrite(repairs, 'add', undefined, now)
    writes++
  }
  expect(writes).toBe(13)
})

test('for any rival, at most 13 writes fall into any ten minutes, and there is always a next one within five', () => {
  const pauses = fc.oneof(
    { weight: 5, arbitrary: fc.integer({ min: 0, max: 2 * second }) },
    { weight: 3, arbitrary: fc.integer({ min: 0, max: 5 * minute }) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 15 * minute }) },
  )
  fc.assert(
    fc.property(fc.array(pauses, { minLength: 1, maxLength: 120 }), (rival) => {
      const writes: number[] = []
      let repairs: Repairs | undefined
      let now = 0
      for (const pause of rival) {
        now += pause // then the rival undoes what was written
        const wait = repairs ? waitOf(repairs, now) : 0
        expect(wait).toBeLessThanOrEqual(5 * minute)
        now += wait
        repairs = afterWrite(repairs, 'add', undefined, now)
        writes.push(now)
        expect(writes.filter((at) => at > now - 10 * minute).length).toBeLessThanOrEqual(13)
      }
    }),
    { numRuns: 1_000 },
  )
})
