/**
 * How soon a namespace that comes is served, among many that are there: its pull Secret is written and its ServiceAccount
 * `default` names it. Both ends are moments of this machine's clock: when the answer to the creation was there, and when the
 * API server had answered the later of the operator's two writes (audit log).
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { KubeObject } from '../src/kube/objects.ts'
import type { AuditEntry } from '../test/cluster/audit.ts'
import { eventually } from '../test/cluster/wait.ts'
import { inParallel } from '../test/support/in-parallel.ts'
import { isOperators } from './audit-tail.ts'
import { login, whileRolledOut } from './rollout.ts'
import { connections, type Stage } from './stage.ts'
import { quantile } from './statistics.ts'

/** Milliseconds. */
export interface Latency {
  p50: number
  p99: number
  max: number
}

export interface Service {
  /** That are there before. */
  namespaces: number
  created: number
  /** From the answer to the creation until it is served. */
  served: Latency
  /** Of that, until the controller manager has made the ServiceAccount: nobody can patch it before. */
  awaited: Latency
  /** From the later of the two until it is served: what is the operator's. */
  own: Latency
  /** Answers with 429 to the operator. */
  throttled: number
}

export interface Fairness {
  quiet: Service
  /** While the login is rotated again and again. */
  rotating: Service
  /** Seconds from the change of the source until all Secrets had it. */
  rotations: number[]
}

const everyMs = 50
const patienceMs = 300_000
const newPrefix = 'bench-new-'
const namespacesPath = '/api/v1/namespaces'
const controllerManager = 'system:serviceaccount:kube-system:service-account-controller'

/** Of one namespace: when the answers were sent, in milliseconds since 1970. */
interface Story {
  created: number
  serviceAccount?: number
  secret?: number
  reference?: number
}

export function measureService(stage: Stage, seconds: number): Promise<Service> {
  return whileRolledOut(stage, async () => {
    const service = await serve(stage, seconds)
    await removeNew(stage)
    return service
  })
}

export function measureFairness(stage: Stage, seconds: number): Promise<Fairness> {
  return whileRolledOut(stage, async ({ source }) => {
    const quiet = await serve(stage, seconds)
    await removeNew(stage)
    const over = new AbortController()
    const [rotating, rotations] = await Promise.all([
      serve(stage, seconds).finally(() => over.abort()),
      keepRotating(stage, source, over.signal),
    ])
    await removeNew(stage)
    return { quiet, rotating, rotations }
  })
}

/** Each namespace comes at its time by the clock, whatever became of those before. */
async function serve(stage: Stage, seconds: number): Promise<Service> {
  const log = stage.follow()
  const stories = new Map<string, Story>()
  const prefix = `${newPrefix}${Date.now()}`
  const create = async (index: number) => {
    await sleep(index * everyMs)
    const name = `${prefix}-${index}`
    await stage.makeNamespace(name)
    stories.set(name, { created: Date.now() })
  }
  await Promise.all(Array.from({ length: (seconds * 1000) / everyMs }, (_, index) => create(index)))
  let throttled = 0
  const allServed = async () => {
    for (const entry of await log.next()) {
      tell(stories, entry)
      if (entry.code === 429 && isOperators(entry)) throttled++
    }
    return [...stories.values()].every(({ serviceAccount, secret, reference }) => serviceAccount && secret && reference)
  }
  await eventually(allServed, { timeoutMs: patienceMs, describe: 'all new namespaces are served' })
  const told = [...stories.values()].map(({ created, serviceAccount = 0, secret = 0, reference = 0 }) => {
    const end = Math.max(secret, reference)
    return { served: end - created, awaited: serviceAccount - created, own: end - Math.max(created, serviceAccount) }
  })
  return {
    namespaces: stage.namespaces.length,
    created: told.length,
    served: latencyOf(told.map(({ served }) => served)),
    awaited: latencyOf(told.map(({ awaited }) => awaited)),
    own: latencyOf(told.map(({ own }) => own)),
    throttled,
  }
}

/** The source changes again as soon as all Secrets have the last change. @returns the seconds that each took */
async function keepRotating(stage: Stage, source: string, over: AbortSignal): Promise<number[]> {
  const seconds: number[] = []
  for (let version = 2; !over.aborted; version++) {
    const log = stage.follow()
    const missing = new Set(stage.namespaces)
    const start = Date.now()
    let end = start
    await stage.lab.rotate(source, login(version))
    const allHaveIt = async () => {
      for (const entry of await log.next()) {
        if (isWritten('secrets', entry) && missing.delete(entry.namespace)) end = entry.ended.getTime()
      }
      return missing.size === 0
    }
    await eventually(allHaveIt, { timeoutMs: patienceMs, describe: 'all Secrets have the new login' })
    seconds.push((end - start) / 1000)
  }
  return seconds
}

/** And waits until they are gone, which keeps the control plane busy. */
async function removeNew(stage: Stage): Promise<void> {
  const { client } = stage.lab
  const { items } = await client.get<{ items: KubeObject[] }>(namespacesPath)
  const names = items.map(({ metadata }) => metadata.name).filter((name) => name.startsWith(newPrefix))
  await inParallel(names, connections, (name) => client.delete(`${namespacesPath}/${name}`))
  const areGone = async () => (await stage.count(namespacesPath)) <= items.length - names.length
  await eventually(areGone, { timeoutMs: 900_000, describe: 'the new namespaces are gone' })
}

function tell(stories: ReadonlyMap<string, Story>, entry: AuditEntry): void {
  const story = stories.get(entry.namespace)
  if (story === undefined) return
  const ended = entry.ended.getTime()
  const { user, verb, resource, name } = entry
  if (user === controllerManager && verb === 'create' && resource === 'serviceaccounts') story.serviceAccount ??= ended
  if (isWritten('secrets', entry)) story.secret ??= ended
  if (isWritten('serviceaccounts', entry) && name === 'default') story.reference ??= ended
}

/** By the operator. */
function isWritten(resource: string, entry: AuditEntry): boolean {
  const isWrite = entry.verb === 'create' || entry.verb === 'patch'
  return entry.resource === resource && isWrite && entry.code < 300 && isOperators(entry)
}

function latencyOf(milliseconds: readonly number[]): Latency {
  return { p50: quantile(milliseconds, 0.5), p99: quantile(milliseconds, 0.99), max: Math.max(...milliseconds) }
}
