/** For the tests of the work queue, which run with fake timers. */
import { jest } from '@jest/globals'
import { WorkQueue, type WorkQueueOptions } from '../../src/kube/work-queue.ts'

/** A worker whose runs the test ends by hand. */
export function manualWorker() {
  const started: string[] = []
  const runs = new Map<string, PromiseWithResolvers<number | undefined>>()
  return {
    started,
    work: (key: string) => {
      started.push(key)
      const run = Promise.withResolvers<number | undefined>()
      runs.set(key, run)
      return run.promise
    },
    async end(key: string, againMs?: number) {
      runs.get(key)?.resolve(againMs)
      await settled()
    },
    async fail(key: string, error: Error = new Error('boom')) {
      runs.get(key)?.reject(error)
      await settled()
    },
  }
}

export function open(worker: Pick<WorkQueueOptions, 'work'>, concurrency = 1): WorkQueue {
  return new WorkQueue({ concurrency: { limit: concurrency }, work: worker.work })
}

/** Lets all promises run that can. */
export async function settled(): Promise<void> {
  await jest.advanceTimersByTimeAsync(0)
}

/** Lets `ms` pass, and says whether anything was started meanwhile. */
export async function startsWithin(worker: { started: string[] }, ms: number): Promise<boolean> {
  const before = worker.started.length
  await jest.advanceTimersByTimeAsync(ms)
  return worker.started.length > before
}
