/** The operator beside a bare loop of the same writes, in turn on the same machine: fan-out, rotation and removal. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { credentialsPath } from '../src/controller/watches.ts'
import type { KubeObject } from '../src/kube/objects.ts'
import { countsOf, endOf, isWork, requestsOf } from './audit-tail.ts'
import { deleteSource, everywhere, login } from './rollout.ts'
import { cpuSeconds, peakMiB, residentMiB, root, type Stage } from './stage.ts'
import { median } from './statistics.ts'

export const phases = ['fan-out', 'rotation', 'removal'] as const
export type Phase = (typeof phases)[number]

export interface Cost {
  /** From the cause to the end of the last write. */
  seconds: number
  /** Of the process, user and system. */
  cpuSeconds: number
}
export type Costs = Record<Phase, Cost>

/** Verb and resource → how many. */
export interface Requests {
  /** About the Secrets and ServiceAccounts of the namespaces. */
  work: Record<string, number>
  /** All others but watches and the lease: of sources, what is kept, status, Events. */
  beside: Record<string, number>
}

export interface Memory {
  /** From the start of the process. */
  readySeconds: number
  /** With full caches, before there is a credential. */
  idleMiB: number
  /** After fan-out and rotation. */
  residentMiB: number
  peakMiB: number
}

export interface OperatorRound {
  operator: Costs
  requests: Record<Phase, Requests>
  memory: Memory
}

export type Round = OperatorRound & { bare: Costs }

export interface Throughput {
  namespaces: number
  /** Medians of the rounds. */
  bare: Costs
  operator: Costs
  /** The most of the rounds. */
  memory: Memory
  rounds: Round[]
}

export async function measureThroughput(stage: Stage, rounds: number): Promise<Throughput> {
  const all: Round[] = []
  while (all.length < rounds) {
    const bare = await bareLoop(stage)
    all.push({ bare, ...(await operatorRound(stage)) })
  }
  const middle = (who: 'bare' | 'operator', phase: Phase): Cost => ({
    seconds: median(all.map((round) => round[who][phase].seconds)),
    cpuSeconds: median(all.map((round) => round[who][phase].cpuSeconds)),
  })
  const most = (what: keyof Memory) => Math.max(...all.map(({ memory }) => memory[what]))
  return {
    namespaces: stage.namespaces.length,
    bare: byPhase((phase) => middle('bare', phase)),
    operator: byPhase((phase) => middle('operator', phase)),
    memory: {
      readySeconds: most('readySeconds'),
      idleMiB: most('idleMiB'),
      residentMiB: most('residentMiB'),
      peakMiB: most('peakMiB'),
    },
    rounds: all,
  }
}

async function bareLoop(stage: Stage): Promise<Costs> {
  const { lab, cluster, namespaces } = stage
  const spec = { source: { secretRef: { name: 'none' } }, suspend: true }
  const metadata = { name: 'bare' }
  const owner = await lab.client.create<KubeObject>(
    credentialsPath,
    { apiVersion: 'regcred.dev/v1', kind: 'RegistryCredential', metadata, spec },
    { fieldManager: 'bench' },
  )
  const kubeconfig = await cluster.kubeconfigFor({ namespace: 'regcred-system', serviceAccount: 'regcred-operator' })
  const file = join(root, 'bench', 'bare-loop.ts')
  const args = ['--disable-warning=ExperimentalWarning', file, kubeconfig, owner.metadata.uid]
  const loop = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  loop.stdin.end(namespaces.join('\n'))
  const [output, [code]] = await stage.follow().during(Promise.all([text(loop.stdout), once(loop, 'exit')]))
  if (code !== 0) throw new Error(`the bare loop ended with ${code}`)
  await lab.client.delete(`${credentialsPath}/bare`)
  const costs = output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Cost & { phase: Phase })
    .map(({ phase, ...cost }) => [phase, cost])
  return Object.fromEntries(costs) as Costs
}

export async function operatorRound(stage: Stage): Promise<OperatorRound> {
  const { lab } = stage
  const source = await lab.source('bench', login(1))
  const { operator, readySeconds } = await stage.startOperator()
  await sleep(3_000)
  const idleMiB = residentMiB(operator)
  const measure = async (cause: () => Promise<unknown>) => {
    const log = stage.follow()
    const before = cpuSeconds(operator)
    const start = Date.now()
    await cause()
    const sent = requestsOf(await log.untilQuiet())
    const work = sent.filter(isWork)
    const beside = sent.filter((entry) => !isWork(entry))
    return {
      cost: { seconds: (endOf(work) - start) / 1000, cpuSeconds: cpuSeconds(operator) - before },
      requests: { work: countsOf(work), beside: countsOf(beside) },
    }
  }
  const spec = { source: { secretRef: { name: source } }, namespaces: everywhere }
  const fanOut = await measure(() => lab.credential('bench', spec))
  const rotation = await measure(() => lab.rotate(source, login(2)))
  const resident = residentMiB(operator)
  const removal = await measure(() => lab.deleteCredential(lab.unique('bench')))
  const memory = { readySeconds, idleMiB, residentMiB: resident, peakMiB: peakMiB(operator) }
  await operator.stop()
  await deleteSource(stage, source)
  const measured = { 'fan-out': fanOut, rotation, removal }
  return {
    operator: byPhase((phase) => measured[phase].cost),
    requests: byPhase((phase) => measured[phase].requests),
    memory,
  }
}

function byPhase<T>(value: (phase: Phase) => T): Record<Phase, T> {
  return { 'fan-out': value('fan-out'), rotation: value('rotation'), removal: value('removal') }
}
