/** Feeds a target with cases that hang on a seed. */
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import type { Result, Work } from './worker.ts'

export interface FuzzOptions {
  /** Path of a module that exports `targets`. */
  module: string
  target: string
  seed: number
  cases: number
  /** How long a single case may take before it counts as one that never ends. Default a minute. */
  patienceMs?: number
}

/** @throws Error with the seed of the first case that fails, which is then the first case of a run with that seed */
export async function fuzz({ patienceMs = 60_000, ...work }: FuzzOptions): Promise<Omit<Result, 'failure'>> {
  const current = new Int32Array(new SharedArrayBuffer(4)).fill(work.seed)
  const workerData: Work = { ...work, current }
  const worker = new Worker(new URL('worker.ts', import.meta.url), { workerData })
  const ended = new AbortController()
  try {
    const message = once(worker, 'message') as Promise<[Result]>
    const [result] = await Promise.race([message, hang(current, patienceMs, ended.signal)])
    if (result.failure) throw failed(result.failure.seed, result.failure.what)
    return { read: result.read, refused: result.refused }
  } finally {
    ended.abort()
    await worker.terminate()
  }
}

/** Never resolves. @throws Error when one case has been under way all the time between two looks */
async function hang(current: Int32Array, patienceMs: number, signal: AbortSignal): Promise<never> {
  for (let last = current[0] ?? 0; ; last = current[0] ?? 0) {
    await sleep(patienceMs, undefined, { signal })
    if (current[0] === last) throw failed(last, `it was not done within ${patienceMs / 1000} s`)
  }
}

function failed(seed: number, what: string): Error {
  return new Error(`Case ${seed}: ${what}. SEED=${seed} begins with it.`)
}
