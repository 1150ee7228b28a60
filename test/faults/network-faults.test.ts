/** Faults of the network and of single answers: see network-faults.ts. */
import { afterAll, beforeAll, test } from '@jest/globals'
import { type OwnedCluster, startCluster } from '../cluster/cluster.ts'
import { installOperator } from '../cluster/install.ts'
import { scaled } from './fault.ts'
import { networkFaults } from './network-faults.ts'
import { FAULT_TIMEOUT_MS, sustain } from './sustain.ts'

let cluster: OwnedCluster

beforeAll(async () => {
  cluster = await startCluster({ history: true })
  await installOperator(cluster)
})

afterAll(() => cluster.stop())

for (const fault of networkFaults) {
  if (scaled(fault.times) === 0) {
    process.stderr.write(`Only with FAULTS=long, as it takes long: ${fault.name}\n`)
    continue
  }
  test(
    `${fault.name}: it goes on by itself, and nothing was lost on the way`,
    () => sustain(cluster, fault),
    FAULT_TIMEOUT_MS,
  )
}
