/** What is remembered of writes, and for how long. */
import { expect, test } from '@jest/globals'
import { Contention } from '../../src/controller/contention.ts'

const minute = 60_000

/** With a clock that the test sets, in ms. */
function contentionAt(): { contention: Contention; clock: { now: number } } {
  const clock = { now: 0 }
  return { contention: new Contention(() => clock.now), clock }
}

function contend(contention: Contention, object: string): void {
  for (let write = 1; write <= 7; write++) contention.wrote(object, 'add', 'argocd-controller')
}

test('a contended object has to wait, others have not', () => {
  const { contention, clock } = contentionAt()
  contend(contention, 'a')
  contention.wrote('b', 'add', undefined)
  expect([contention.mayWrite('a', 'add'), contention.mayWrite('b', 'add'), contention.mayWrite('c', 'add')]).toEqual([
    false,
    true,
    true,
  ])
  expect(contention.of('b')).toBeUndefined()
  clock.now = 5_000
  expect(contention.mayWrite('a', 'add')).toBe(true)
})

test('it is to be looked at when it may be written, and then when there is peace', () => {
  const { contention, clock } = contentionAt()
  contend(contention, 'a')
  clock.now = 2_000
  expect(contention.of('a')).toEqual({ manager: 'argocd-controller', nextMs: 3_000 })
  clock.now = 5_000
  expect(contention.mayWrite('a', 'add')).toBe(true)
  expect(contention.of('a')).toEqual({ manager: 'argocd-controller', nextMs: 10 * minute - 5_000 })
  clock.now = 10 * minute
  expect(contention.of('a')).toBeUndefined()
})

test('a wait that ends just after the object was held back is not taken for peace', () => {
  const { contention, clock } = contentionAt()
  contend(contention, 'a')
  clock.now = 4_999
  expect(contention.mayWrite('a', 'add')).toBe(false)
  clock.now = 5_000
  expect(contention.of('a')?.nextMs).toBe(0)
})

test('what is wanted otherwise for a moment starts anew', () => {
  const { contention } = contentionAt()
  contend(contention, 'a')
  expect(contention.mayWrite('a', 'remove')).toBe(true)
  expect(contention.of('a')).toBeUndefined()
  expect(contention.mayWrite('a', 'add')).toBe(true)
})

test('what is forgotten begins anew', () => {
  const { contention } = contentionAt()
  contend(contention, 'a')
  contention.forget('a')
  expect(contention.mayWrite('a', 'add')).toBe(true)
  contention.wrote('a', 'add', undefined)
  expect(contention.of('a')).toBeUndefined()
})

test('writes of ten minutes ago take no memory, however many there were', () => {
  const { contention, clock } = contentionAt()
  for (let index = 0; index < 10_000; index++) contention.wrote(`old-${index}`, 'add', undefined)
  clock.now = 5 * minute
  contention.wrote('young', 'add', undefined)
  contention.wrote('old-0', 'add', undefined)
  clock.now = 10 * minute
  contention.wrote('new', 'add', undefined)
  expect(contention.size).toBe(3)
})
