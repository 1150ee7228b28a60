/**
 * Many credentials with overlapping selections, all in one Secret: what a change of one of them costs, by how many
 * namespaces it selects, and what a change of one namespace costs, by how many credentials select it. Credential k of n
 * selects the first k/n of the namespaces.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { RunningOperator } from '../test/cluster/operator.ts'
import { secretPath } from '../test/controller/lab.ts'
import { inParallel } from '../test/support/in-parallel.ts'
import { endOf, isWork, requestsOf } from './audit-tail.ts'
import { deleteSource, settled } from './rollout.ts'
import { connections, cpuSeconds, type Stage } from './stage.ts'
import { median } from './statistics.ts'

interface Change {
  /** Of Secrets and ServiceAccounts. */
  writes: number
  /** From the answer to the change to that to the last write. */
  milliseconds: number
  /** Of the operator, beyond what it uses in the same time while nothing happens. */
  cpuMilliseconds: number
}

/** Medians of several changes. */
export type Point = Change & {
  /** Namespaces that the credential selects, or credentials that select the namespace. */
  selected: number
}

export interface Growth {
  namespaces: number
  credentials: number
  /** For each point. */
  changes: number
  /** The login of one credential changes. */
  ofCredential: Point[]
  /** The pull Secret of one namespace is deleted. */
  ofNamespace: Point[]
}

const changes = 5
const idleSeconds = 20

export async function measureGrowth(stage: Stage, credentials: number): Promise<Growth> {
  const { lab, namespaces } = stage
  const step = namespaces.length / credentials
  const sources = new Map<number, string>()
  const numbers = Array.from({ length: credentials }, (_, index) => index + 1)
  await inParallel(numbers, connections, async (number) => {
    const name = await lab.source(nameOf(number), loginOf(number, 0))
    sources.set(number, name)
    const selection = { include: firstNamespaces(number * step), optIn: true }
    await lab.credential(nameOf(number), { source: { secretRef: { name } }, namespaces: selection })
  })
  const { operator } = await start(stage, numbers)
  const idle = await idleShare(operator)
  const repeated = (cause: (change: number) => Promise<unknown>) => repeat(stage, operator, idle, cause)

  const ofCredential: Point[] = []
  for (const number of [credentials / 100, credentials / 10, credentials / 2, credentials].map(Math.ceil)) {
    const { status } = await lab.readCredential(lab.unique(nameOf(number)))
    const rotate = (change: number) => lab.rotate(sources.get(number) ?? '', loginOf(number, change + 1))
    ofCredential.push({ selected: status?.namespaces?.selected ?? 0, ...(await repeated(rotate)) })
  }
  const ofNamespace: Point[] = []
  for (const selected of [credentials / 200, credentials / 20, credentials / 4, credentials].map(Math.ceil)) {
    // Another one each time: the operator repairs ever more rarely what somebody keeps undoing.
    const at = (change: number) => namespaces[(credentials - selected) * step + (change % step)] ?? ''
    const remove = (change: number) => lab.client.delete(secretPath(at(change)))
    ofNamespace.push({ selected, ...(await repeated(remove)) })
  }

  await settled(stage, () => inParallel(numbers, connections, (each) => lab.deleteCredential(lab.unique(nameOf(each)))))
  await operator.stop()
  await inParallel(sources.values(), connections, (source) => deleteSource(stage, source))
  return { namespaces: namespaces.length, credentials, changes, ofCredential, ofNamespace }
}

/** Until everything is rolled out. */
async function start(stage: Stage, numbers: readonly number[]) {
  const log = stage.follow()
  const started = await stage.startOperator()
  for (const number of numbers) await stage.lab.ready(stage.lab.unique(nameOf(number)))
  await log.untilQuiet()
  return started
}

/** Of one core, while nothing happens. */
async function idleShare(operator: RunningOperator): Promise<number> {
  const before = cpuSeconds(operator)
  await sleep(idleSeconds * 1000)
  return (cpuSeconds(operator) - before) / idleSeconds
}

async function repeat(
  stage: Stage,
  operator: RunningOperator,
  idle: number,
  cause: (change: number) => Promise<unknown>,
): Promise<Change> {
  const all: Change[] = []
  while (all.length < changes) {
    const log = stage.follow()
    const before = cpuSeconds(operator)
    const start = performance.now()
    await cause(all.length)
    const entries = await log.untilQuiet()
    const cpuMilliseconds = (cpuSeconds(operator) - before) * 1000 - idle * (performance.now() - start)
    const changed = entries.filter(({ user, verb }) => user === 'test-admin' && (verb === 'patch' || verb === 'delete'))
    const writes = requestsOf(entries).filter(isWork)
    all.push({ writes: writes.length, milliseconds: endOf(writes) - endOf(changed), cpuMilliseconds })
  }
  return {
    writes: median(all.map(({ writes }) => writes)),
    milliseconds: median(all.map(({ milliseconds }) => milliseconds)),
    cpuMilliseconds: median(all.map(({ cpuMilliseconds }) => cpuMilliseconds)),
  }
}

/** Globs for them: of the first 1,200 bench-00*, bench-010* and bench-011*. */
function firstNamespaces(count: number): string[] {
  const digits = String(count).padStart(5, '0')
  return [...digits].flatMap((digit, place) => {
    const lower = Array(Number(digit)).keys()
    return [...lower].map((each) => `bench-${digits.slice(0, place)}${each}*`)
  })
}

/** Of different registries, so that all are in the Secret. */
function loginOf(number: number, version: number) {
  return { [`registry-${number}.example.com`]: { username: 'bench', password: `bench-password-${number}-${version}` } }
}

function nameOf(number: number): string {
  return `growth-${number}`
}
