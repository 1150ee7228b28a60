/** For what nothing can go on without. */
import { setTimeout as sleep } from 'node:timers/promises'
import { backoff } from './backoff.ts'

const firstRetryMs = 500
const maxRetryMs = 10_000

/**
 * Does `work` until it succeeds, with back-off.
 * @param onFailure called after each failure but one that comes of the end; must not throw
 * @returns undefined when `signal` is aborted first
 */
export async function persistently<T>(
  work: () => Promise<T>,
  signal: AbortSignal,
  onFailure: (error: unknown) => void,
): Promise<T | undefined> {
  for (let failures = 1; !signal.aborted; failures++) {
    try {
      return await work()
    } catch (error) {
      if (!signal.aborted) onFailure(error)
      await sleep(backoff(failures, firstRetryMs, maxRetryMs), undefined, { signal }).catch(() => undefined)
    }
  }
  return undefined
}
