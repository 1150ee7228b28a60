import { afterEach, beforeEach, expect, jest, test } from '@jest/globals'
import { WorkQueue } from '../../src/kube/work-queue.ts'
import { manualWorker, open, settled, startsWithin } from './manual-worker.ts'

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['queueMicrotask', 'nextTick'] })
})
afterEach(() => {
  jest.useRealTimers()
})

/** Fails the key `n` times, each time when its back-off is over. */
async function failTimes(worker: ReturnType<typeof manualWorker>, queue: WorkQueue, key: string, n: number) {
  queue.add(key)
  await settled()
  for (let i = 0; i < n; i++) {
    await worker.fail(key)
    if (i < n - 1) await jest.advanceTimersByTimeAsync(400_000)
  }
}

test.each([
  [1, 250],
  [2, 500],
  [5, 4_000],
  [20, 300_000],
])('after %i failures a key waits about %i ms', async (failures, ms) => {
  const worker = manualWorker()
  await failTimes(worker, open(worker), 'a', failures)
  expect(await startsWithin(worker, ms * 0.79)).toBe(false)
  expect(await startsWithin(worker, ms * 0.42)).toBe(true)
})

test('a failing key does not hold up the others', async () => {
  const worker = manualWorker()
  const queue = open(worker)
  await failTimes(worker, queue, 'a', 10)
  queue.add('b')
  await settled()
  expect(worker.started.at(-1)).toBe('b')
})

test('a success drops the failures', async () => {
  const worker = manualWorker()
  const queue = open(worker)
  await failTimes(worker, queue, 'a', 10)
  await jest.advanceTimersByTimeAsync(400_000)
  await worker.end('a')
  await failTimes(worker, queue, 'a', 1)
  expect(await startsWithin(worker, 320)).toBe(true)
})

test('forget drops the failures and the retry', async () => {
  const worker = manualWorker()
  const queue = open(worker)
  await failTimes(worker, queue, 'a', 10)
  queue.forget('a')
  expect(await startsWithin(worker, 1_000_000)).toBe(false)
  await failTimes(worker, queue, 'a', 1)
  expect(await startsWithin(worker, 320)).toBe(true)
})

test('an event runs a key at once that failed a while ago', async () => {
  const worker = manualWorker()
  const queue = open(worker)
  await failTimes(worker, queue, 'a', 20)
  await jest.advanceTimersByTimeAsync(11_000)
  queue.add('a')
  await settled()
  expect(worker.started).toHaveLength(21)
})

test('an event for a key that has just failed is not lost, and comes long before the back-off ends', async () => {
  const worker = manualWorker()
  const queue = open(worker)
  await failTimes(worker, queue, 'a', 20)
  queue.add('a')
  expect(await startsWithin(worker, 9_000)).toBe(false)
  expect(await startsWithin(worker, 2_000)).toBe(true)
})

test('a loop of events cannot defeat the back-off', async () => {
  let runs = 0
  const queue: WorkQueue = new WorkQueue({
    concurrency: { limit: 1 },
    work: async () => {
      runs++
      queue.add('a') // the failing work itself sets off an event
      throw new Error('boom')
    },
  })
  queue.add('a')
  for (let second = 0; second < 600; second++) {
    queue.add('a')
    await jest.advanceTimersByTimeAsync(1000)
  }
  expect(runs).toBeGreaterThan(50) // an event counts: without any, 600 s see 11 runs
  expect(runs).toBeLessThan(80)
})

test('an event that comes while the key runs brings the retry forward when the run fails', async () => {
  const worker = manualWorker()
  const queue = open(worker)
  await failTimes(worker, queue, 'a', 19)
  await jest.advanceTimersByTimeAsync(400_000)
  queue.add('a')
  await worker.fail('a')
  expect(await startsWithin(worker, 11_000)).toBe(true)
})

test('retryAfterSeconds of an error is waited for, also by events', async () => {
  const worker = manualWorker()
  const queue = open(worker)
  queue.add('a')
  await settled()
  await worker.fail('a', Object.assign(new Error('too many requests'), { retryAfterSeconds: 30 }))
  queue.add('a')
  expect(await startsWithin(worker, 29_900)).toBe(false)
  expect(await startsWithin(worker, 7_000)).toBe(true)
})

test('each failure is told, with its number and the wait', async () => {
  const told: [string, string, number][] = []
  const worker = manualWorker()
  const queue = new WorkQueue({
    concurrency: { limit: 1 },
    work: worker.work,
    onFailure: (key, error, { failures, waitMs }) => {
      expect(waitMs).toBeGreaterThan(0)
      told.push([key, (error as Error).message, failures])
    },
  })
  await failTimes(worker, queue, 'a', 2)
  expect(told).toEqual([
    ['a', 'boom', 1],
    ['a', 'boom', 2],
  ])
  expect(queue.retried).toBe(2)
})

test('work that throws before it returns a promise is a failure too', async () => {
  let runs = 0
  const queue = new WorkQueue({
    concurrency: { limit: 1 },
    work: () => {
      runs++
      throw new Error('boom')
    },
  })
  queue.add('a')
  await jest.advanceTimersByTimeAsync(1_000)
  expect(runs).toBeGreaterThan(1)
})
