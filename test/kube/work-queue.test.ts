import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { WorkQueue } from '../../src/kube/work-queue.ts'
import { manualWorker, open, settled, startsWithin } from './manual-worker.ts'

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['queueMicrotask', 'nextTick'] })
})
afterEach(() => {
  jest.useRealTimers()
})

describe('deduplication and concurrency', () => {
  test('a key that is added several times before it runs is run once', async () => {
    const worker = manualWorker()
    const queue = open(worker)
    queue.add('a')
    queue.add('a')
    queue.add('a')
    await settled()
    await worker.end('a')
    expect(worker.started).toEqual(['a'])
  })

  test('add never runs work before it returns', async () => {
    const worker = manualWorker()
    const queue = open(worker)
    queue.add('a')
    expect(worker.started).toEqual([])
    await settled()
    expect(worker.started).toEqual(['a'])
  })

  test('a key that is added while it runs is run once more afterwards, and never twice at a time', async () => {
    const worker = manualWorker()
    const queue = open(worker, 4)
    queue.add('a')
    await settled()
    queue.add('a')
    queue.add('a')
    await settled()
    expect(worker.started).toEqual(['a'])
    await worker.end('a')
    expect(worker.started).toEqual(['a', 'a'])
    await worker.end('a')
    expect(worker.started).toEqual(['a', 'a'])
  })

  test('keys run in the order in which they were added, as many at a time as allowed', async () => {
    const worker = manualWorker()
    const queue = open(worker, 2)
    for (const key of ['a', 'b', 'c', 'd']) queue.add(key)
    await settled()
    expect(worker.started).toEqual(['a', 'b'])
    await worker.end('b')
    expect(worker.started).toEqual(['a', 'b', 'c'])
  })

  test('a key that was dirty goes behind those that wait already', async () => {
    const worker = manualWorker()
    const queue = open(worker)
    queue.add('a')
    await settled()
    queue.add('b')
    queue.add('a')
    await worker.end('a')
    expect(worker.started).toEqual(['a', 'b'])
    await worker.end('b')
    expect(worker.started).toEqual(['a', 'b', 'a'])
  })

  test('a raised concurrency lets more keys run with the next event', async () => {
    const worker = manualWorker()
    const concurrency = { limit: 1 }
    const queue = new WorkQueue({ concurrency, work: worker.work })
    for (const key of ['a', 'b', 'c']) queue.add(key)
    await settled()
    concurrency.limit = 3
    queue.add('d')
    await settled()
    expect(worker.started).toEqual(['a', 'b', 'c'])
  })
})

test('events that come in while a run goes on by promises alone are not kept waiting by its successors', async () => {
  jest.useRealTimers()
  let runs = 0
  const queue: WorkQueue = new WorkQueue({
    concurrency: { limit: 1 },
    work: async () => {
      if (++runs < 1_000) queue.add('a')
    },
  })
  queue.add('a')
  const runsSeen = await new Promise<number>((resolve) => process.nextTick(() => setImmediate(() => resolve(runs))))
  expect(runsSeen).toBeLessThan(10)
  await queue.close()
})

describe('a key of a sweep', () => {
  test('lets those go first that an event concerns, in the order of the events', async () => {
    const worker = manualWorker()
    const queue = open(worker)
    for (const key of ['a', 'b', 'c']) queue.sweep(key)
    await settled()
    for (const key of ['x', 'y']) queue.add(key)
    for (const key of ['a', 'x', 'y', 'b', 'c']) await worker.end(key)
    expect(worker.started).toEqual(['a', 'x', 'y', 'b', 'c'])
  })

  test('goes before the others when an event concerns it as well, and runs once', async () => {
    const worker = manualWorker()
    const queue = open(worker)
    for (const key of ['a', 'b', 'c']) queue.sweep(key)
    await settled()
    queue.add('c')
    queue.sweep('c')
    for (const key of ['a', 'c', 'b']) await worker.end(key)
    expect(worker.started).toEqual(['a', 'c', 'b'])
    expect(queue.depth).toBe(0)
  })

  test('has its turn also while events never end', async () => {
    const worker = manualWorker()
    const queue = open(worker)
    queue.add('x')
    await settled()
    for (const key of ['a', 'b']) queue.sweep(key)
    for (let round = 0; round < 10; round++) {
      queue.add(`x${round}`)
      queue.add(`y${round}`)
      await worker.end(worker.started.at(-1) ?? '')
    }
    expect(worker.started).toEqual(expect.arrayContaining(['a', 'b']))
    expect(worker.started.indexOf('b') - worker.started.indexOf('a')).toBe(4)
  })

  test('has a quarter of the workers for a second after an event, and then all again, though none of its own ends', async () => {
    const worker = manualWorker()
    const queue = open(worker, 8)
    queue.add('x')
    for (let index = 0; index < 20; index++) queue.sweep(`${index}`)
    await settled()
    expect(worker.started).toEqual(['x', '0', '1'])
    await worker.end('x')
    await worker.end('0')
    expect(worker.started).toEqual(['x', '0', '1', '2'])
    await jest.advanceTimersByTimeAsync(1_001)
    await settled()
    expect(queue.running).toBe(8)
  })

  test('keeps all workers where the events are about keys that have one', async () => {
    const worker = manualWorker()
    const queue = open(worker, 4)
    for (let index = 0; index < 8; index++) queue.sweep(`${index}`)
    await settled()
    queue.add('0')
    await worker.end('1')
    expect(queue.running).toBe(4)
    expect(worker.started).toEqual(['0', '1', '2', '3', '4'])
  })

  test('does not stop those of a sweep that have begun, and leaves all other workers to events', async () => {
    const worker = manualWorker()
    const queue = open(worker, 4)
    for (const key of ['a', 'b', 'c', 'd', 'e', 'f']) queue.sweep(key)
    await settled()
    expect(worker.started).toEqual(['a', 'b', 'c', 'd'])
    for (const key of ['x', 'y', 'z']) queue.add(key)
    for (const key of ['a', 'b', 'c']) await worker.end(key)
    expect(worker.started.slice(4)).toEqual(['x', 'y', 'z'])
    await worker.end('d')
    expect(worker.started.slice(7)).toEqual(['e'])
  })

  test('is one of many again after it has run well', async () => {
    const worker = manualWorker()
    const queue = open(worker)
    queue.add('a')
    await settled()
    await worker.end('a')
    for (const key of ['b', 'a']) queue.sweep(key)
    await settled()
    queue.add('x')
    for (const key of ['b', 'x', 'a']) await worker.end(key)
    expect(worker.started).toEqual(['a', 'b', 'x', 'a'])
  })
})

describe('deadlines', () => {
  test('work that returns milliseconds is run again after them', async () => {
    const worker = manualWorker()
    const queue = open(worker)
    queue.add('a')
    await settled()
    await worker.end('a', 60_000)
    expect(await startsWithin(worker, 59_900)).toBe(false)
    expect(await startsWithin(worker, 200)).toBe(true)
  })

  test('of two deadlines the earlier counts, in whatever order they are set', async () => {
    for (const [first, second] of [
      [60_000, 1_000],
      [1_000, 60_000],
    ] as const) {
      const worker = manualWorker()
      const queue = open(worker)
      queue.addAfter('a', first)
      queue.addAfter('a', second)
      expect(await startsWithin(worker, 900)).toBe(false)
      expect(await startsWithin(worker, 200)).toBe(true)
      await worker.end('a')
      expect(await startsWithin(worker, 120_000)).toBe(false)
    }
  })

  test('an event does not wait for a deadline, and answers it', async () => {
    const worker = manualWorker()
    const queue = open(worker)
    queue.addAfter('a', 60_000)
    queue.add('a')
    await settled()
    expect(worker.started).toEqual(['a'])
    await worker.end('a')
    expect(await startsWithin(worker, 120_000)).toBe(false)
  })

  test('a deadline that is set while the key runs is kept', async () => {
    const worker = manualWorker()
    const queue = open(worker)
    queue.add('a')
    await settled()
    queue.addAfter('a', 1_000)
    await worker.end('a', 60_000)
    expect(await startsWithin(worker, 1_100)).toBe(true)
  })

  test('a deadline of years does not overflow the timer', async () => {
    const worker = manualWorker()
    const queue = open(worker)
    queue.addAfter('a', 10 * 365 * 24 * 3600 * 1000)
    expect(await startsWithin(worker, 24 * 3600 * 1000)).toBe(false)
  })
})

describe('what can be read, and the end', () => {
  test('depth, ages and the number of runs tell the state', async () => {
    const worker = manualWorker()
    const queue = open(worker)
    queue.add('a')
    await settled()
    queue.add('b')
    queue.add('c')
    await jest.advanceTimersByTimeAsync(3_000)
    expect([queue.depth, queue.running]).toEqual([2, 1])
    expect(queue.oldestSeconds).toBeCloseTo(3)
    expect(queue.longestRunningSeconds).toBeCloseTo(3)
    for (const key of ['a', 'b', 'c']) await worker.end(key)
    expect([queue.depth, queue.running, queue.oldestSeconds, queue.longestRunningSeconds]).toEqual([0, 0, 0, 0])
  })

  test('keys that have come to wait are counted once however often they are added, and runs are timed together', async () => {
    const worker = manualWorker()
    const queue = open(worker, 2)
    for (const key of ['a', 'a', 'b', 'c', 'c']) queue.add(key)
    await jest.advanceTimersByTimeAsync(2_000)
    expect(queue.added).toBe(3)
    expect(queue.unfinishedSeconds).toBeCloseTo(4)
    queue.add('a') // comes to wait when its run has ended
    expect(queue.added).toBe(3)
    for (const key of ['a', 'b', 'c', 'a']) await worker.end(key)
    expect([queue.added, queue.unfinishedSeconds]).toEqual([4, 0])
  })

  test('each run is told how long its key has waited', async () => {
    const waits: number[] = []
    const worker = manualWorker()
    const onStart = (waitedSeconds: number) => waits.push(waitedSeconds)
    const queue = new WorkQueue({ concurrency: { limit: 1 }, work: worker.work, onStart })
    queue.add('a')
    await settled()
    queue.addAfter('b', 1_000)
    await jest.advanceTimersByTimeAsync(3_000)
    await worker.end('a')
    expect(waits).toEqual([expect.closeTo(0), expect.closeTo(2)])
    await worker.end('b')
  })

  test('idle resolves when nothing is queued or running, whatever waits for a deadline', async () => {
    const worker = manualWorker()
    const queue = open(worker)
    await queue.idle()
    queue.add('a')
    queue.add('b')
    let idle = false
    const waiting = queue.idle().then(() => {
      idle = true
    })
    await settled()
    await worker.end('a', 60_000)
    expect(idle).toBe(false)
    await worker.end('b')
    await waiting
  })

  test('close waits for what runs and starts nothing new', async () => {
    const worker = manualWorker()
    const queue = open(worker)
    queue.add('a')
    await settled()
    queue.add('b')
    queue.addAfter('c', 10)
    let closed = false
    const closing = queue.close().then(() => {
      closed = true
    })
    queue.add('d')
    await jest.advanceTimersByTimeAsync(1_000)
    expect(closed).toBe(false)
    await worker.end('a', 10)
    await closing
    await jest.advanceTimersByTimeAsync(1_000)
    expect(worker.started).toEqual(['a'])
  })

  test('a hundred thousand keys pass through in the time of a hundred thousand', async () => {
    jest.useRealTimers()
    let runs = 0
    const queue = new WorkQueue({
      concurrency: { limit: 8 },
      work: async () => {
        runs++
      },
    })
    for (let i = 0; i < 100_000; i++) queue.add(String(i))
    await queue.idle()
    expect([runs, queue.depth]).toEqual([100_000, 0])
  })
})
