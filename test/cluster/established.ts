/** Waiting until a CustomResourceDefinition is served. */
import type { Cluster } from './access.ts'
import { eventually } from './wait.ts'

/** @param target as kubectl takes it: `-f FILE` or `crd/NAME`. `kubectl wait` fails at once while there are no conditions yet. */
export async function established(cluster: Cluster, ...target: string[]): Promise<void> {
  const wait = async () => {
    await cluster.kubectl('wait', '--for=condition=Established', '--timeout=60s', ...target)
  }
  await eventually(wait, { describe: `${target.join(' ')} established` })
}
