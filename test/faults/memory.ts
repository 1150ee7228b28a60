/** What a running operator holds in memory, told by the probe in it. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Cluster } from '../cluster/access.ts'
import type { OperatorOptions, RunningOperator } from '../cluster/operator.ts'
import { eventually } from '../cluster/wait.ts'
import { linesOf } from '../process/program.ts'

export interface Memory {
  /** Bytes, after garbage collection. */
  heapUsed: number
  rss: number
  /** Timers, and all else that is open: sockets, streams, file watches. */
  timers: number
  handles: number
}

/** For an operator that can be probed. */
export function withProbe(cluster: Cluster): OperatorOptions {
  const command: OperatorOptions['command'] = [
    process.execPath,
    '--disable-warning=ExperimentalWarning',
    '--expose-gc',
    `--import=${join(import.meta.dirname, 'probe.ts')}`,
    'src/main.ts',
  ]
  return { cluster, command, env: { HEAP_SNAPSHOT: snapshotOf(cluster) } }
}

const uid = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/
const word = new RegExp(`${uid.source}|[a-z]+-\\d+-\\d+`, 'g')

/** Collects its garbage. */
export async function probe(operator: RunningOperator): Promise<Memory> {
  const told = () => linesOf(operator.logs()).filter(({ message }) => message === 'probed') as unknown as Memory[]
  const before = told().length
  operator.signal('SIGUSR2')
  return await eventually(() => told()[before] ?? null, { describe: 'the probe' })
}

/** @returns which of these names and uids are anywhere on its heap */
export async function heldOf(cluster: Cluster, operator: RunningOperator, names: Set<string>): Promise<string[]> {
  const file = snapshotOf(cluster)
  writeFileSync(file, '', { mode: 0o600 })
  try {
    await probe(operator)
    const words = new Set([...readFileSync(file, 'latin1').matchAll(word)].map(([each]) => each))
    return [...names].filter((name) => words.has(name))
  } finally {
    rmSync(file) // it holds logins
  }
}

function snapshotOf({ dir }: Cluster): string {
  return join(dir, 'operator.heapsnapshot')
}
