/** The operator beside a bare loop of the same writes, in turn on the same machine: fan-out, rotation and removal. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { credentialsPath } from '../src/controller/watches.ts'
import type { KubeObject } from '../src/kube/objects.ts'
import { countsOf, cpuSeconds, endOf, peakMiB, residentMiB, root, type Stage } from './stage.ts'

export const phases = ['fan-out', 'rotation', 'removal'] as const
export type Phase = (typeof phases)[number]
type Seconds = Record<Phase, number>

export interface Throughput {
  namespaces: number
  rounds: number
  /** Medians of the rounds. */
  bare: Seconds
  operator: Seconds
  /** Of the operator's process, user and system. */
  cpu: Seconds
  /** The same in every round, or the first that differed. */
  requests: Record<Phase, Record<string, number>>
  readySeconds: number
  idleMiB: number
  residentMiB: number
  peakMiB: number
}

interface Round {
  bare: Seconds
  operator: Seconds
  cpu: Seconds
  requests: Throughput['requests']
  memory: Pick<Throughput, 'readySeconds' | 'idleMiB' | 'residentMiB' | 'peakMiB'>
}

export async function measureThroughput(stage: Stage, count: number, rounds: number): Promise<Throughput> {
  await stage.grow(count)
  const all: Round[] = []
  while (all.length < rounds) {
    const bare = await bareLoop(stage)
    all.push({ bare, ...(await operatorRound(stage)) })
  }
  const medians = (of: (round: Round) => Seconds) =>
    Object.fromEntries(phases.map((phase) => [phase, median(all.map((round) => of(round)[phase]))])) as Seconds
  const most = (of: keyof Round['memory']) => Math.max(...all.map(({ memory }) => memory[of]))
  return {
    namespaces: count,
    rounds,
    bare: medians((round) => round.bare),
    operator: medians((round) => round.operator),
    cpu: medians((round) => round.cpu),
    requests: all[0]?.requests ?? { 'fan-out': {}, rotation: {}, removal: {} },
    readySeconds: most('readySeconds'),
    idleMiB: most('idleMiB'),
    residentMiB: most('residentMiB'),
    peakMiB: most('peakMiB'),
  }
}

async function bareLoop(stage: Stage): Promise<Seconds> {
  const { lab, cluster } = stage
  const spec = { source: { secretRef: { name: 'none' } }, suspend: true }
  const metadata = { name: 'bare' }
  const owner = await lab.client.create<KubeObject>(
    credentialsPath,
    { apiVersion: 'regcred.dev/v1', kind: 'RegistryCredential', metadata, spec },
    { fieldManager: 'bench' },
  )
  const kubeconfig = await cluster.kubeconfigFor({ namespace: 'regcred-system', serviceAccount: 'regcred-operator' })
  const file = join(root, 'bench', 'bare-loop.ts')
  const loop = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', file, kubeconfig, owner.metadata.uid],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  )
  loop.stdin.end(stage.namespaces.join('\n'))
  const [output, [code]] = await Promise.all([text(loop.stdout), once(loop, 'exit')])
  if (code !== 0) throw new Error(`the bare loop ended with ${code}`)
  await lab.client.delete(`${credentialsPath}/bare`)
  console.log(output)
  const lines = output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { phase: Phase; start: number; end: number })
  return Object.fromEntries(lines.map(({ phase, start, end }) => [phase, (end - start) / 1000])) as Seconds
}

async function operatorRound(stage: Stage): Promise<Omit<Round, 'bare'>> {
  const { lab } = stage
  const source = await lab.source('bench', login(1))
  const { operator, readySeconds } = await stage.startOperator()
  await sleep(3_000)
  const idleMiB = residentMiB(operator)
  const operatorSeconds: Partial<Seconds> = {}
  const cpu: Partial<Seconds> = {}
  const requests: Partial<Throughput['requests']> = {}
  const measure = async (phase: Phase, cause: () => Promise<unknown>) => {
    const position = stage.now()
    const used = await cpuSeconds(operator)
    const start = Date.now()
    await cause()
    const sent = await stage.requestsUntilQuiet(position)
    operatorSeconds[phase] = (endOf(sent) - start) / 1000
    cpu[phase] = (await cpuSeconds(operator)) - used
    requests[phase] = countsOf(sent)
  }
  const namespaces = { include: ['bench-*'], optIn: true }
  await measure('fan-out', () => lab.credential('bench', { source: { secretRef: { name: source } }, namespaces }))
  await measure('rotation', () => lab.rotate(source, login(2)))
  const resident = residentMiB(operator)
  await measure('removal', () => lab.deleteCredential(lab.unique('bench')))
  const memory = { readySeconds, idleMiB, residentMiB: resident, peakMiB: peakMiB(operator) }
  await operator.stop()
  await lab.client.delete(`/api/v1/namespaces/regcred-system/secrets/${source}`)
  return {
    operator: operatorSeconds as Seconds,
    cpu: cpu as Seconds,
    requests: requests as Throughput['requests'],
    memory,
  }
}

export function login(version: number) {
  return { 'ghcr.io': { username: 'bench', password: `bench-password-${version}` } }
}

export function median(numbers: readonly number[]): number {
  return quantile(numbers, 0.5)
}

export function quantile(numbers: readonly number[], share: number): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}
