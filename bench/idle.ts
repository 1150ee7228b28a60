/** What the operator does while nothing happens. */
import { setTimeout as sleep } from 'node:timers/promises'
import { countsOf, isOperators, requestsOf } from './audit-tail.ts'
import { type Rollout, whileRolledOut } from './rollout.ts'
import { cpuSeconds, type Stage } from './stage.ts'

export interface Idle {
  namespaces: number
  seconds: number
  /** Verb and resource → how many, the lease and watches that were opened anew among them. */
  requests: Record<string, number>
  /** Of these, all but the lease and watches. */
  readsAndWrites: number
  /** Of one core. */
  cpuPercent: number
}

const seconds = 60
/**
 * The operator has a question 45 seconds after its first entry in a ServiceAccount (admission-probe.ts), and V8 collects what
 * the work has left within two minutes.
 */
const settleSeconds = 180

export function measureIdle(stage: Stage): Promise<Idle> {
  return whileRolledOut(stage, (rollout) => watch(stage, rollout))
}

async function watch(stage: Stage, { operator }: Rollout): Promise<Idle> {
  await sleep(settleSeconds * 1000)
  const log = stage.follow()
  const begin = new Date()
  const start = performance.now()
  const before = cpuSeconds(operator)
  await sleep(seconds * 1000)
  const used = cpuSeconds(operator) - before
  const took = (performance.now() - start) / 1000
  // The end of a watch is in the log too, with the time of its beginning.
  const requests = (await log.next()).filter((entry) => isOperators(entry) && entry.time >= begin)
  return {
    namespaces: stage.namespaces.length,
    seconds,
    requests: countsOf(requests),
    readsAndWrites: requestsOf(requests).length,
    cpuPercent: (used / took) * 100,
  }
}
