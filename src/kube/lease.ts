/**
 * Leader election: of several replicas one works.
 *
 * Leadership ends by a timer that counts from the *start* of the last renewal that succeeded, so a request that hangs
 * cannot prolong it. Who loses the lease has 5 s (its duration minus the deadline) to stop before anybody can get it.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from '../telemetry/logger.ts'
import type { KubeClient } from './client.ts'
import { LeaseLock } from './lease-lock.ts'
import { LeaseTerm, NotLeadingError, type Term } from './term.ts'

export interface LeaseTimes {
  /** How long the others wait after the last sign of life. Whole seconds. */
  durationSeconds: number
  /** How long the leader works without having renewed. */
  deadlineSeconds: number
  /** Between two attempts. */
  retrySeconds: number
}

export interface ElectionOptions {
  client: KubeClient
  namespace: string
  /** Of the Lease. */
  name: string
  /** Ours; no two processes may have the same. */
  identity: string
  log: Logger
  /** Ends the candidacy: the work is stopped, then the lease is released for the next. */
  signal: AbortSignal
  /** Default 15, 10 and 2, as client-go. */
  times?: LeaseTimes
}

const defaultTimes: LeaseTimes = { durationSeconds: 15, deadlineSeconds: 10, retrySeconds: 2 }

/**
 * Runs `work` each time, and only while, this process leads. When its term ends, because leadership is lost or the
 * candidacy ends, it must stop writing, and return (or throw NotLeadingError). When it returns by itself the candidacy ends.
 * @returns when the candidacy has ended and the lease is released
 * @throws what else `work` throws
 */
export async function lead(options: ElectionOptions, work: (term: Term) => Promise<void>): Promise<void> {
  const { signal, log, times = defaultTimes } = options
  // A request on a connection that has died leaves time for another one before the deadline.
  const timeoutMs = (times.deadlineSeconds * 1000) / 2
  const lock = new LeaseLock({ ...options, durationSeconds: times.durationSeconds, timeoutMs })
  for (;;) {
    const since = await acquire(lock, times, options)
    if (since === undefined) return
    if (signal.aborted) return release(lock, log)
    log.info('leading')
    const term = new LeaseTerm(since, times.deadlineSeconds)
    term.lost.addEventListener('abort', () => log.error('the lease is lost', { holder: lock.holder }))
    const onStop = () => term.stop(signal.reason)
    signal.addEventListener('abort', onStop)
    const ended = new AbortController()
    const kept = keep(lock, term, times, options, ended.signal)
    try {
      await work(term)
    } catch (error) {
      if (!(error instanceof NotLeadingError)) throw error
    } finally {
      signal.removeEventListener('abort', onStop)
      ended.abort()
      await kept
      term.close()
      if (!term.lost.aborted) await release(lock, log)
    }
    if (!term.lost.aborted) return
  }
}

/** @returns when the successful attempt began, in ms of performance.now(); undefined: the candidacy ended first */
async function acquire(lock: LeaseLock, times: LeaseTimes, options: ElectionOptions): Promise<number | undefined> {
  const { signal, log, identity } = options
  let waitsFor: string | undefined
  while (!signal.aborted) {
    const start = performance.now()
    try {
      // Not cut by the signal: an attempt whose end we do not know could leave the lease with us, and everyone waiting.
      if (await lock.tryHold()) return start
      if (lock.holder !== waitsFor && lock.holder !== identity)
        log.info('waiting for the lease', { holder: lock.holder })
      waitsFor = lock.holder
    } catch (error) {
      log.warn('cannot get the lease, trying again', { error })
    }
    // client-go's jitter: replicas that start together do not stay in step.
    await pause(times.retrySeconds * (1 + 1.2 * Math.random()), signal)
  }
  return undefined
}

/** Renews the lease until it is lost, or `ended`. */
async function keep(
  lock: LeaseLock,
  term: LeaseTerm,
  times: LeaseTimes,
  { identity, log }: ElectionOptions,
  ended: AbortSignal,
): Promise<void> {
  const stop = AbortSignal.any([ended, term.lost])
  while (!stop.aborted) {
    await pause(times.retrySeconds * (0.9 + 0.2 * Math.random()), stop)
    if (stop.aborted) break
    const start = performance.now()
    try {
      if (await lock.tryHold(stop)) term.renewed(start)
      else if (lock.holder !== identity) term.lose()
    } catch (error) {
      if (!stop.aborted) log.warn('cannot renew the lease, trying again', { error })
    }
  }
}

async function release(lock: LeaseLock, log: Logger): Promise<void> {
  try {
    await lock.release()
  } catch (error) {
    log.warn('the lease was not released, it will expire', { error })
  }
}

async function pause(seconds: number, signal: AbortSignal): Promise<void> {
  await sleep(seconds * 1000, undefined, { signal }).catch(() => undefined)
}
