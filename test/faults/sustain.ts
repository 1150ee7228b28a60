/** Lets the faults of a table strike the real operator in the midst of its work, and holds what came of it to the invariants. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { type OwnedCluster, startCluster } from '../cluster/cluster.ts'
import { installOperator } from '../cluster/install.ts'
import { startOperator } from '../cluster/operator.ts'
import { eventually } from '../cluster/wait.ts'
import { Random, seed } from '../support/random.ts'
import { scaled } from '../support/scale.ts'
import type { Fault, Site } from './fault.ts'
import { historyOf, revisionOf } from './history.ts'
import { complaintsAbout, type Record } from './invariants.ts'
import { openLinks } from './links.ts'
import { type Replica, startReplica } from './replicas.ts'
import { convergeMs, type Phase, phases, World } from './world.ts'

/** Of a jest test that sustains a fault. */
export const FAULT_TIMEOUT_MS = 3_600_000

/** A test for each fault of a table, on a control plane of their own. */
export function testFaults(faults: readonly Fault[]): void {
  let cluster: OwnedCluster

  beforeAll(async () => {
    cluster = await startCluster({ history: true })
    await installOperator(cluster)
  })

  afterAll(() => cluster.stop())

  for (const fault of faults) {
    if (scaled(fault.times) === 0) {
      process.stderr.write(`Only with FAULTS=long, as it takes long: ${fault.name}\n`)
      continue
    }
    const name = `${fault.name}: it goes on by itself, and nothing was lost on the way`
    test(name, () => sustain(cluster, fault), FAULT_TIMEOUT_MS)
  }
}

/** Throws what the operator did wrong. Prints a line of the table in docs/explanation/reliability.md. */
async function sustain(cluster: OwnedCluster, fault: Fault): Promise<void> {
  const times = scaled(fault.times)
  const random = Random.of(fault.name)
  const world = await World.make(cluster, 'world', scaled(fault.namespaces))
  const links = await openLinks(cluster)
  const begin = await revisionOf(cluster.etcdUrl)
  const begun: Record['begun'] = []
  const kubeconfig = fault.through && links.kubeconfigs[fault.through]
  const options = { cluster, ...(kubeconfig && { kubeconfig }), ...(fault.leaderElection && { replica: true }) }
  const replicas: Replica[] = []
  if (fault.replicas) for (const name of ['first', 'second']) replicas.push(await startReplica(cluster, name))
  let operator = replicas[0]?.operator ?? (await startOperator(options))
  const site: Site = {
    ...links,
    cluster,
    world,
    random: () => random.fraction(),
    replicas,
    get operator() {
      return operator
    },
    async begin(phase) {
      begun.push({ phase, revision: await revisionOf(cluster.etcdUrl) })
      await world.begin(phase)
    },
    async restart() {
      await operator.kill()
      operator = await startOperator({ ...options, untilReady: false })
    },
  }
  try {
    const lengths = await calibrated(site)
    const seconds: number[] = []
    while (seconds.length < times) {
      for (const phase of phases) {
        const strikes = fault.during.includes(phase) && seconds.length < times
        const struck = strikes && fault.early ? fault.strike(site) : undefined
        await site.begin(phase)
        if (strikes && !fault.early) {
          await progressed(cluster, begun, random.fraction() * (lengths.get(phase) ?? 0))
          await fault.strike(site)
        }
        await struck
        const from = performance.now()
        const at = await world.ended(convergeMs)
        if (strikes) seconds.push(Math.max(0, at - from) / 1000)
        if (strikes) await fault.also?.(site)
      }
    }
    // It may have been killed when all was done, and a process that has hardly begun knows no SIGTERM yet.
    await eventually(async () => expect(await operator.health('/healthz')).toBe(200))
    expect(await operator.stop()).toBe(0)
    const record: Record = {
      secrets: await historyOf(cluster.etcdUrl, 'secrets', begin),
      serviceAccounts: await historyOf(cluster.etcdUrl, 'serviceaccounts', begin),
      begun,
    }
    const complaints = complaintsAbout(world.places, record)
    report(fault, seconds, complaints.length)
    expect(complaints.slice(0, 20)).toEqual([])
  } finally {
    await Promise.all([operator, ...replicas.map((each) => each.operator)].map((each) => each.kill()))
    await Promise.all(replicas.map(({ tcp }) => tcp.close()))
    await links.close()
    await world.lab.close()
  }
}

/** Cluster → number of places → what `calibrate` has found: the same for all faults. */
const known = new WeakMap<OwnedCluster, Map<number, Map<Phase, number>>>()

async function calibrated(site: Site): Promise<Map<Phase, number>> {
  const { cluster, world } = site
  const ofCluster = known.get(cluster) ?? new Map<number, Map<Phase, number>>()
  known.set(cluster, ofCluster)
  const lengths = ofCluster.get(world.places.length) ?? (await calibrate(site))
  ofCluster.set(world.places.length, lengths)
  return lengths
}

/** How many revisions an undisturbed phase takes, from its begin to its end. */
async function calibrate({ cluster, world, begin }: Site): Promise<Map<Phase, number>> {
  const lengths = new Map<Phase, number>()
  for (const phase of phases) {
    const revision = await revisionOf(cluster.etcdUrl)
    await begin(phase)
    await world.ended(convergeMs)
    lengths.set(phase, (await revisionOf(cluster.etcdUrl)) - revision)
  }
  return lengths
}

/** Waits until so much has been written since the last begin; some of it is not the operator's. */
async function progressed(cluster: OwnedCluster, begun: Record['begun'], revisions: number): Promise<void> {
  const from = begun.at(-1)?.revision ?? 0
  const deadline = Date.now() + 5_000 // the last ones may be those of a status, or never come
  while ((await revisionOf(cluster.etcdUrl)) < from + revisions && Date.now() < deadline) await sleep(2)
}

function report({ name }: Fault, seconds: number[], lost: number): void {
  const sorted = seconds.toSorted((a, b) => a - b)
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0
  const line = `| ${name} | ${seconds.length} | ${lost} | ${median.toFixed(1)} (${(sorted.at(-1) ?? 0).toFixed(1)} at most) |`
  process.stderr.write(`${line} SEED=${seed}\n`)
}
