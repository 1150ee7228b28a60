/** What a running operator holds in memory, told by the probe in it. */
import { readFileSync, rmSync } from 'node:fs'
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

/**
 * Collects its garbage.
 * @param pattern of names, global: which of them are still on the heap is told as well
 */
export async function probe(
  cluster: Cluster,
  operator: RunningOperator,
  pattern: RegExp,
): Promise<Memory & { found: Set<string> }> {
  const told = () => linesOf(operator.logs()).filter(({ message }) => message === 'probed') as unknown as Memory[]
  const before = told().length
  operator.signal('SIGUSR2')
  const memory = await eventually(() => told()[before] ?? null, { describe: 'the probe' })
  const file = snapshotOf(cluster)
  const found = new Set([...readFileSync(file, 'latin1').matchAll(pattern)].map(([name]) => name))
  rmSync(file) // it holds logins
  return { ...memory, found }
}

function snapshotOf({ dir }: Cluster): string {
  return join(dir, 'operator.heapsnapshot')
}
