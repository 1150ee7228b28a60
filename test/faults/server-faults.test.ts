/** Faults of the API server and of etcd: see server-faults.ts. */
import { afterAll, beforeAll, test } from '@jest/globals'
import { type OwnedCluster, startCluster } from '../cluster/cluster.ts'
import { installOperator } from '../cluster/install.ts'
import { serverFaults } from './server-faults.ts'
import { FAULT_TIMEOUT_MS, sustain } from './sustain.ts'

let cluster: OwnedCluster

beforeAll(async () => {
  cluster = await startCluster({ history: true })
  await installOperator(cluster)
})

afterAll(() => cluster.stop())

for (const fault of serverFaults) {
  test(
    `${fault.name}: it goes on by itself, and nothing was lost on the way`,
    () => sustain(cluster, fault),
    FAULT_TIMEOUT_MS,
  )
}
