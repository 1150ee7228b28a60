/** Faults of what is around the operator in the cluster: see cluster-faults.ts. */
import { afterAll, beforeAll, test } from '@jest/globals'
import { type OwnedCluster, startCluster } from '../cluster/cluster.ts'
import { installOperator } from '../cluster/install.ts'
import { clusterFaults } from './cluster-faults.ts'
import { FAULT_TIMEOUT_MS, sustain } from './sustain.ts'

let cluster: OwnedCluster

beforeAll(async () => {
  cluster = await startCluster({ history: true })
  await installOperator(cluster)
})

afterAll(() => cluster.stop())

for (const fault of clusterFaults) {
  test(
    `${fault.name}: all is as it should be in the end, and nothing was lost on the way`,
    () => sustain(cluster, fault),
    FAULT_TIMEOUT_MS,
  )
}
