/**
 * Jest's globalSetup: starts the control plane that all test files of the run
 * share, with the operator's CRD and RBAC installed.
 */
import { type OwnedCluster, startCluster } from './cluster.ts'
import { holdConfigMaps } from './hold-config-maps.ts'
import { installOperator } from './install.ts'
import { SHARED_CLUSTER } from './shared.ts'

declare global {
  /** For global-teardown.ts, which jest runs in the same process. */
  var sharedClusterOfTheRun: OwnedCluster | undefined
}

export default async function globalSetup(): Promise<void> {
  const cluster = await startCluster()
  globalThis.sharedClusterOfTheRun = cluster
  await installOperator(cluster)
  await holdConfigMaps(cluster)
  process.env[SHARED_CLUSTER] = cluster.dir
}
